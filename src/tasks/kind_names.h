/*
 * kind_names.h: names, strata and requests of works, which every kind makes in the same way;
 * private to tasks/.
 *
 *   struct naming n = {.context = c, .record = record, .key = w->key, .seed = "42", ...};
 *   if (naming_object(&n, &arena, &w->object, &problem, &e)) ...
 *
 * Threads: pure. Ownership: the arena's.
 */
#ifndef TASKS_KIND_NAMES_H
#define TASKS_KIND_NAMES_H

#include "tasks/kind.h"

struct naming {
    const struct kind_context *context;
    const struct record *record;
    const char *key, *seed, *model, *config, *extension;
};
/* The object's name by the document's template, fit for its destination. */
WARN_UNUSED_RESULT int naming_object(const struct naming *n, struct arena *a, const char **out,
                                     struct mapping_problem *problem, struct err *e);
/* {"record", "number", "metadata"?}: a new reference. */
WARN_UNUSED_RESULT int naming_request(const struct naming *n, struct arena *a, json_t **out,
                                      struct mapping_problem *problem, struct err *e);
/* The values of the canary's fields, or of the configuration and the length of `text`. */
const char *naming_stratum(const struct naming *n, const char *text, struct arena *a);

#endif
