/*
 * spec_diff.h: what distinguishes two specs, and a spec with more in it.
 *
 *   json_t *changes = spec_diff(a, b);
 *   json_t *longer;
 *   if (spec_extend(a, addition, &longer, &problems)) ...
 *
 * Threads: pure. Ownership: results are new references.
 */
#ifndef EXPERIMENTS_SPEC_DIFF_H
#define EXPERIMENTS_SPEC_DIFF_H

#include "experiments/spec.h"

/* [{"pointer", "kind": "added" | "removed" | "changed", "text", "from"?, "to"?}, ...] between the
 * general forms: two specs that mean the same have no differences. */
json_t *spec_diff(const struct spec *a, const struct spec *b);

/* The document of `spec` with more: addition is {"axes": {NAME: VALUES, ...}, "replicates":
 * {"count"} | {"seeds"}, "budget": {...} | null}; values and seeds that are there already are
 * no error. Result: a document in the general form, which spec_read takes. Cells of the old spec
 * keep their ids. */
WARN_UNUSED_RESULT int spec_extend(const struct spec *spec, const json_t *addition, json_t **out,
                                   struct spec_problems *problems);

#endif
