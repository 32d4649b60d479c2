/*
 * kind_image.h: what the two files of the kind that draws share; private to tasks/.
 *
 *   struct planning p = {.c = c, .record = record, .a = a, .parameters = json_object(), ...};
 *   if (image_configuration(&p, &e) || image_parameters(&p, &e) || image_recipe(&p, &recipe, &e))
 *
 * Errors: ERR_ARG with *p->problem: this record cannot be; others are the task's. Threads: one at a
 * time. Ownership: recipes live in the arena; `parameters` is the caller's.
 */
#ifndef TASKS_KIND_IMAGE_H
#define TASKS_KIND_IMAGE_H

#include "base/map.h"
#include "tasks/kind.h"

/* A configuration, as it was found. */
struct configuration {
    const json_t *json; /* NULL: there is none of that name */
    const char *name;
    const char *missing; /* why */
};
struct image_kind {
    struct arena arena;
    struct provider *provider;
    struct configuration usual;
    struct map others; /* name -> struct configuration */
    json_t *kept;      /* array: references to what was found */
};
/* A record on its way to its recipe. */
struct planning {
    struct kind_context *c;
    const struct record *record;
    const struct configuration *configuration;
    struct arena *a;
    json_t *parameters;
    uint64_t seed;
    struct mapping_problem *problem;
};

/* The record's configuration: the document's, or the one that it names. */
WARN_UNUSED_RESULT int image_configuration(struct planning *p, struct err *e);
/* Fills p->parameters and p->seed: the configuration's < the record's overrides < prompts, seed. */
WARN_UNUSED_RESULT int image_parameters(struct planning *p, struct err *e);
/* Complete and legal, of a model with the configuration's digest. */
WARN_UNUSED_RESULT int image_recipe(struct planning *p, struct recipe *out, struct err *e);
/* ERR_UNSUPPORTED for a model whose digest does not begin as the configuration says. */
WARN_UNUSED_RESULT int image_check_digest(const struct configuration *c, const char *digest,
                                          struct err *e);

#endif
