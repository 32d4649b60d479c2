/*
 * generate.h: what the files of `cauldron generate` share: generate.c draws, generate_options.c
 * says what is asked for, generate_output.c writes pictures. Private to them.
 */
#ifndef CLI_GENERATE_H
#define CLI_GENERATE_H

#include "cauldron.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/trace.h"
#include "image/image.h"
#include "recipe/recipe.h"

enum { TOGETHER = 2 /* pictures drawn in one pass of the network */ };

struct generate_want {
    const char *model, *negative, *from, *output, *trace, *init, *mask, *variant;
    const char *sampler, *schedule, *spacing, *rng, *dtype, *device, *executor, *memory;
    uint64_t seed;
    int count, steps, width, height, clip_skip, threads;
    int original_width, original_height, crop_left, crop_top, target_width, target_height;
    double guidance, guidance_rescale, eta, strength;
    bool json, quiet;
};

/* One run of the command. */
struct generate {
    struct arena arena;
    struct generate_want want;
    struct options options;
    struct cauldron_model *model;
    struct cauldron_info info;
    struct image init, mask;
    struct recipe base;
    struct trace *trace;
    struct progress bar;
    int drawn, total; /* pictures */
    int steps_done[TOGETHER];
};

extern const struct opt_spec generate_spec;

/* --from: the recipe in that file is the base; what was given on the command line replaces it. */
WARN_UNUSED_RESULT int generate_read_from(struct generate *s, struct err *e);
WARN_UNUSED_RESULT int generate_check(const struct generate *s, struct err *e);
/* Write the picture of a request; prompt counts from 0. */
WARN_UNUSED_RESULT int generate_write(struct generate *s, int prompt,
                                      const struct cauldron_request *r,
                                      const struct cauldron_picture *p, struct err *e);

#endif
