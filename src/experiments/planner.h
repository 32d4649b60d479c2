/*
 * planner.h: what is needed while a plan is made; private to experiments/.
 *
 *   struct planner w = {.plan = plan, .world = world};
 *   ... cells, their order, their twins ...
 *   planner_totals(&w);
 *
 * Ownership: the planner's arena and maps end with plan_new; what the plan keeps is in the plan's.
 */
#ifndef EXPERIMENTS_PLANNER_H
#define EXPERIMENTS_PLANNER_H

#include "experiments/plan.h"

/* One kind of picture: all that decides its cost. */
struct kind {
    struct plan_cost cost;
    bool known;
};

/* What the functions below share while a plan is made. */
struct planner {
    struct plan *plan;
    const struct plan_world *world;
    struct map texts, kinds;
    const char ***identities; /* [axis][point] */
    size_t *by_name;          /* axes in the order of their names: ids do not depend on theirs */
    struct kind **cell_kinds;
    char (*same)[65]; /* per cell: what makes two of them one picture; "" for none */
    struct arena arena;
};

/* Cut by the budget, add up, and group the reasons. */
void planner_totals(struct planner *w);

#endif
