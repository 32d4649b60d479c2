/*
 * spec.h: what an experiment varies: a JSON document, checked and brought into one general form.
 *
 *   struct spec *spec;
 *   struct spec_problems problems = {0};
 *   if (spec_read(document, NULL, &spec, &problems)) ...       every problem, with its place
 *   printf("%zu axes, %llu cells", spec->axis_count, spec->cells);
 *   spec_free(spec);
 *   spec_problems_release(&problems);
 *
 * The document (an object; members not listed here are errors; docs/experiments.md has examples):
 *
 *   version      1 (required)
 *   type         "convergence" (needs an axis of steps), "cfg" (needs an axis of cfg_scale),
 *                "parameter_sweep" (any axes) (required)
 *   name, notes  texts, at most 200 and 10,000 code points
 *   base         object: PARAMETERS that every cell shares
 *   base_generation   identifier of a picture whose parameters are the base; `base` goes over them
 *   prompts, negative_prompts, models, samplers, schedules, spacings, seeds, steps, cfg_scales
 *                VALUES: short for an axis of prompt, negative_prompt, model, sampler, schedule,
 *                spacing, seed, steps, cfg_scale. Such axes come first, in this order, but steps
 *                and cfg_scales last
 *   parameters   object {PARAMETER: VALUES}: short for axes, in the order written
 *   axes         array of AXIS, at most 16 axes together
 *   constraints  array of CONSTRAINT, at most 100
 *   replicates   {"count": 1..1000, "seed": first (the base's, else 0)} or {"seeds": [SEED, ...]}:
 *                every cell is drawn with each of these seeds. Not together with an axis of seed
 *   budget       {"seconds": > 0, "cells": 1..}: what the run may cost; either or both
 *   order        "coarse" (default: model by model, from coarse to fine), "interleaved" (coarse to
 *                fine over all models: more loading), "listed" (as written)
 *   reference    what pictures are compared with: {"axis": NAME} (the cell with the largest value
 *                on that axis and equal coordinates otherwise; for values that are no numbers, the
 *                last), or {"axis": NAME, "value": VALUE}. Default: {"axis": "steps"} if there is
 *                one
 *
 *   PARAMETERS   prompt, negative_prompt, model, sampler, schedule, spacing, steps, cfg_scale,
 *                seed, width, height, eta, rng, clip_skip, guidance_rescale, strength,
 *                init_image, mask, original_width, original_height, crop_left, crop_top,
 *                target_width, target_height
 *   SEED         integer 0 .. 2^63-1, or decimal text up to 2^64-1
 *   VALUES       array of VALUE (1..10,000), or {"from", "to", "step"}, or {"from", "to", "count"
 *                (2..10,000), "scale": "linear" | "log"}, or a text: "10..50 by 5", "1..16 in 5",
 *                "1..16 in 5 log", "10, 20, 30" (lists and ranges may be joined by commas). Ranges
 *                include both ends
 *   VALUE        a scalar of the parameter's type, or {"value": scalar, "label": TEXT, "set":
 *                PARAMETERS}: `set` goes over the other axes
 *   AXIS         one of
 *                {"parameter": PARAMETER, "name"?, "values": VALUES}
 *                {"variable": WORD, "name"?, "values": VALUES}        {WORD} in prompts
 *                {"replace": TEXT, "name"?, "values": VALUES}         search and replace in prompts
 *                {"name": TEXT, "values": [{"label", "set"}, ...]}    named settings
 *                {"zip": [AXIS, ...], "name"?}                        2..8 axes in lock-step
 *   CONSTRAINT   {"where"?: CONDITION, "set": PARAMETERS}
 *                {"where"?: CONDITION, "require": CONDITION, "reason"?}
 *                {"where"?: CONDITION, "drop": true, "reason"?}
 *   CONDITION    object {PARAMETER or variable: TEST}; all must hold
 *   TEST         scalar (equal), or an object of {"eq", "in": [scalars], "min", "max", "not":
 *                TEST}, all of which must hold
 *
 * A cell's parameters come about in this order: base, values of the axes, `set` of the axes'
 * values, variables and replacements inside prompts, constraints as listed (each sees what those
 * before it did), the replicate's seed.
 *
 * Threads: a spec is constant once read. Ownership: spec_read keeps its own copy of the document.
 */
#ifndef EXPERIMENTS_SPEC_H
#define EXPERIMENTS_SPEC_H

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SPEC_VERSION = 1,
    SPEC_MAX_CELLS = 100000,
    SPEC_MAX_AXES = 16,
    SPEC_MAX_VALUES = 10000,
    SPEC_MAX_ZIP = 8,
    SPEC_MAX_CONSTRAINTS = 100,
    SPEC_MAX_REPLICATES = 1000,
    SPEC_MAX_PROBLEMS = 100,
};

enum spec_type { SPEC_CONVERGENCE, SPEC_CFG, SPEC_SWEEP };
enum spec_order { SPEC_COARSE, SPEC_INTERLEAVED, SPEC_LISTED };

/* What a value of an axis is put into. */
enum spec_target { SPEC_PARAMETER, SPEC_VARIABLE, SPEC_REPLACE, SPEC_SETTINGS };
struct spec_part {
    enum spec_target target;
    const char *word; /* parameter, variable, text to replace; NULL for named settings */
};
struct spec_point {
    const char *label;
    const json_t **values; /* one per part; NULL for named settings */
    const json_t **sets;   /* one per part, objects; NULL: nothing to set */
};
struct spec_axis {
    const char *name; /* unique in a spec */
    struct spec_part *parts;
    size_t part_count;
    struct spec_point *points;
    size_t point_count;
    bool numeric; /* one part, and every value a number */
};

struct spec {
    enum spec_type type;
    enum spec_order order;
    const char *name, *notes, *base_generation; /* "" when absent; base_generation NULL */
    const json_t *base;
    struct spec_axis *axes;
    size_t axis_count;
    const json_t *constraints; /* array */
    uint64_t *seeds;           /* of the replicates; at least one */
    size_t seed_count;
    double budget_seconds;    /* 0: none */
    uint64_t budget_cells;    /* 0: none */
    size_t reference_axis;    /* SIZE_MAX: none */
    size_t reference_point;   /* index on that axis */
    uint64_t cells;           /* product of the axes' points and the replicates */
    const json_t *normalised; /* the general form: base, axes with every value, constraints, ... */
    const json_t *written;
    struct arena arena;
};

struct spec_problem {
    const char *pointer;  /* RFC 6901 into the document */
    const char *expected; /* "an integer from 1 to 1000" */
};
struct spec_problems {
    struct spec_problem at[SPEC_MAX_PROBLEMS];
    size_t count;
    struct arena arena;
};

/* Parameters of the picture that base_generation names: a new reference, or NULL with e filled. */
struct spec_lookup {
    void *user;
    json_t *(*base)(void *user, const char *generation, struct err *e);
};

/* ERR_ARG with all problems of the document. `lookup` NULL: base_generation is left unresolved. The
 * caller frees *out. */
WARN_UNUSED_RESULT int spec_read(const json_t *document, const struct spec_lookup *lookup,
                                 struct spec **out, struct spec_problems *problems);
void spec_free(struct spec *spec); /* NULL is fine */
void spec_problems_release(struct spec_problems *problems);
/* One line for an err: "/axes/0/values: expected ..., and 2 more". */
const char *spec_problems_line(struct spec_problems *problems);

const char *spec_type_name(enum spec_type type);
const char *spec_order_name(enum spec_order order);
/* SIZE_MAX when there is none. */
size_t spec_axis_by_name(const struct spec *spec, const char *name);
/* What a point stands for: its value, the values of its parts by name, or its label. A new
 * reference. */
json_t *spec_point_value(const struct spec_axis *axis, size_t point);
/* Whether an axis is a part of a setting. Texts, input pictures and seeds are what a setting is
 * tried on. */
bool spec_axis_is_setting(const struct spec_axis *axis);

#endif
