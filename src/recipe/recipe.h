/*
 * recipe.h: everything that decides the pixels of a picture, as it is written into the picture's
 * file and read back.
 *
 *   struct recipe r = {.model = "demo", .prompt = "a cat", ...};
 *   char *json = recipe_json(&r, &arena), *text = recipe_parameters(&r, &arena);
 *   if (recipe_parse(str_from(json), &arena, &r, &e)) ...
 *
 * Two forms: our JSON (exact, versioned) and A1111's `parameters` text (what other programs read).
 * Threads: any. Ownership: texts are borrowed; results live in the arena.
 */
#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct recipe {
    const char *model, *digest, *architecture; /* digest: 64 hex digits */
    const char *prompt, *negative;             /* negative: NULL for none */
    const char *sampler, *schedule, *spacing;  /* spacing: NULL for the model's */
    const char *rng, *dtype, *isa;
    uint64_t seed;
    int steps, width, height, clip_skip;
    double guidance, guidance_rescale, eta;
    int original_width, original_height, crop_left, crop_top, target_width, target_height;
    double strength;         /* used with init */
    const char *init, *mask; /* SHA-256 of the files' bytes, or NULL */
};

char *recipe_json(const struct recipe *r, struct arena *a);
/* A1111's infotext: prompt, negative prompt, then one line of `Key: value, ...`. */
char *recipe_parameters(const struct recipe *r, struct arena *a);
/* What A1111 calls a sampler or schedule; the name itself when it knows none such. */
const char *recipe_sampler_label(const char *name);
const char *recipe_schedule_label(const char *name);
/* ERR_FORMAT for anything but a recipe of this version. */
WARN_UNUSED_RESULT int recipe_parse(struct str json, struct arena *a, struct recipe *out,
                                    struct err *e);
/* The recipe's fields as a JSON object (a new reference), under the names that the API uses; the
 * seed as text: JSON readers round integers above 2^53. */
json_t *recipe_to_json(const struct recipe *r);
/* The same from an object: every field that a recipe needs must be there, unknown keys are ignored.
 */
WARN_UNUSED_RESULT int recipe_from_json(const json_t *object, struct arena *a, struct recipe *out,
                                        struct err *e);

/* The identity of the picture ("cell"): SHA-256, as 64 hex digits, of the canonical JSON of all
 * that decides its pixels: every field but the model's name (its digest stands for it, where there
 * is one) and the instruction set, with the provider that draws and its version. Whether two
 * requests are the same picture is this and nothing else. */
void recipe_key(const struct recipe *r, const char *provider, const char *version, char out[65]);

#endif
