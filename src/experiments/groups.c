#include "experiments/groups.h"

static size_t group_of(const struct plan *p, const bool *axes, size_t cell)
{
    size_t group = 0;

    for (size_t i = 0; i < p->spec->axis_count; i++)
        if (axes[i])
            group = group * p->spec->axes[i].point_count + plan_point(p, cell, i);
    return group;
}

void groups_of(const struct plan *p, const bool *axes, struct arena *a, struct groups *out)
{
    struct groups g = {.count = 1};

    for (size_t i = 0; i < p->spec->axis_count; i++)
        if (axes[i])
            g.count *= p->spec->axes[i].point_count;
    g.start = arena_alloc(a, (g.count + 2) * sizeof *g.start);
    g.cells = arena_alloc(a, (p->count + 1) * sizeof *g.cells);
    /* A counting sort; start is off by one while it fills, so that it ends where it should. */
    for (size_t i = 0; i < p->count; i++)
        if (p->cells[i].state != PLAN_DROPPED)
            g.start[group_of(p, axes, i) + 2]++;
    for (size_t i = 2; i <= g.count + 1; i++)
        g.start[i] += g.start[i - 1];
    for (size_t i = 0; i < p->count; i++)
        if (p->cells[i].state != PLAN_DROPPED)
            g.cells[g.start[group_of(p, axes, i) + 1]++] = i;
    *out = g;
}
