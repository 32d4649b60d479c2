/*
 * order.h: in which order the cells of a plan are drawn (see plan.h); private to experiments/.
 *
 *   order_cells(plan);        fills plan->order and plan->drawable
 */
#ifndef EXPERIMENTS_ORDER_H
#define EXPERIMENTS_ORDER_H

#include "experiments/plan.h"

void order_cells(struct plan *plan);

/* A sequence of 0 .. n - 1 of which every beginning is spread out: `first`, then always the one
 * that is farthest from all before it (Gonzalez 1985), the lowest of equals. */
void order_spread(size_t n, size_t first, size_t *out);

#endif
