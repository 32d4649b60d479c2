/*
 * cell.h: one cell of a spec: its merged parameters, its identity, and what the constraints say;
 * private to experiments/.
 *
 *   struct cell_draft d;
 *   cell_make(spec, points, replicate, &arena, &d);
 *   ... d.parameters ...
 *   cell_release(&d);
 */
#ifndef EXPERIMENTS_CELL_H
#define EXPERIMENTS_CELL_H

#include "experiments/plan.h"

struct cell_draft {
    json_t *parameters; /* owned */
    json_t *variables;  /* owned: {word: value} */
    enum plan_state state;
    const char *reason; /* in the arena */
    bool pending;       /* a `require` asks for parameters that are not known yet */
};

void cell_make(const struct spec *spec, const size_t *points, size_t replicate, struct arena *a,
               struct cell_draft *out);
/* The pending requirements over all parameters, defaults filled in: NULL, or why it is impossible.
 */
const char *cell_recheck(const struct spec *spec, const struct cell_draft *d,
                         const json_t *complete, struct arena *a);
void cell_release(struct cell_draft *d);

/* One text per point of an axis that identifies it whatever its label and place. */
const char *cell_point_identity(const struct spec_axis *axis, size_t point, struct arena *a);

#endif
