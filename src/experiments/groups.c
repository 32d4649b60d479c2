#include "experiments/groups.h"

void groups_by(const size_t *cells, const size_t *level, size_t n, size_t count, struct arena *a,
               struct groups *out)
{
    struct groups g = {.count = count};

    g.start = arena_alloc(a, (count + 2) * sizeof *g.start);
    g.cells = arena_alloc(a, (n + 1) * sizeof *g.cells);
    /* A counting sort; start is off by one while it fills, so that it ends where it should. */
    for (size_t i = 0; i < n; i++)
        g.start[level[i] + 2]++;
    for (size_t i = 2; i <= count + 1; i++)
        g.start[i] += g.start[i - 1];
    for (size_t i = 0; i < n; i++)
        g.cells[g.start[level[i] + 1]++] = cells[i];
    *out = g;
}

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
    size_t *cells = arena_alloc(a, (p->count + 1) * sizeof *cells),
           *level = arena_alloc(a, (p->count + 1) * sizeof *level), n = 0, count = 1;

    for (size_t i = 0; i < p->spec->axis_count; i++)
        if (axes[i])
            count *= p->spec->axes[i].point_count;
    for (size_t i = 0; i < p->count; i++)
        if (p->cells[i].state != PLAN_DROPPED) {
            cells[n] = i;
            level[n++] = group_of(p, axes, i);
        }
    groups_by(cells, level, n, count, a, out);
}
