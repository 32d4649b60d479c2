/*
 * groups.h: the cells of a plan that share their points on some axes; private to experiments/.
 *
 *   struct groups g;
 *   groups_of(plan, axes, &arena, &g);           axes[i]: whether axis i tells groups apart
 *   for (size_t k = g.start[i]; k < g.start[i + 1]; k++) ... g.cells[k] ...
 *
 * Groups are in the order of the product; so are the cells of each. Dropped cells are left out;
 * groups may be empty.
 */
#ifndef EXPERIMENTS_GROUPS_H
#define EXPERIMENTS_GROUPS_H

#include "experiments/plan.h"

struct groups {
    size_t count;
    size_t *start; /* count + 1 */
    size_t *cells;
};

/* The same for some cells and any levels: cells[i] goes to group level[i], below `count`. */
void groups_by(const size_t *cells, const size_t *level, size_t n, size_t count, struct arena *a,
               struct groups *out);
void groups_of(const struct plan *plan, const bool *axes, struct arena *a, struct groups *out);

#endif
