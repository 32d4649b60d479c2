#include "experiments/order.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* What cells are sorted by, the first difference first. */
struct rank_key {
    bool last;    /* impossible or dropped */
    size_t group; /* model and size */
    size_t replicate;
    size_t stage;       /* when the grid has grown to this cell */
    size_t model, size; /* matter when groups do not */
    size_t cell;
};

static int compare_size(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_keys(const void *pa, const void *pb)
{
    const struct rank_key *a = pa, *b = pb;

    if (a->last != b->last)
        return a->last - b->last;
    if (a->group != b->group)
        return compare_size(a->group, b->group);
    if (a->replicate != b->replicate)
        return compare_size(a->replicate, b->replicate);
    if (a->stage != b->stage)
        return compare_size(a->stage, b->stage);
    if (a->model != b->model)
        return compare_size(a->model, b->model);
    if (a->size != b->size)
        return compare_size(a->size, b->size);
    return compare_size(a->cell, b->cell);
}

void order_spread(size_t n, size_t first, size_t *out)
{
    size_t *distance = calloc(n ? n : 1, sizeof *distance);

    if (!distance)
        abort();
    for (size_t i = 0; i < n; i++)
        distance[i] = SIZE_MAX;
    for (size_t k = 0, next = first; k < n; k++) {
        size_t best = 0;
        out[k] = next;
        for (size_t i = 0; i < n; i++) {
            size_t d = i > out[k] ? i - out[k] : out[k] - i;
            if (d < distance[i])
                distance[i] = d;
            if (distance[i] > best) {
                best = distance[i];
                next = i;
            }
        }
    }
    free(distance);
}

struct numbered {
    double value;
    size_t point;
};

static int compare_numbered(const void *pa, const void *pb)
{
    const struct numbered *a = pa, *b = pb;

    return a->value != b->value ? (a->value > b->value) - (a->value < b->value)
                                : compare_size(a->point, b->point);
}

/* The points that occur, in the order in which the grid takes them: numbers spread by value. */
static size_t *sequence_of(const struct spec_axis *axis, const bool *occurs, size_t reference,
                           struct arena *a, size_t *count)
{
    struct numbered *points = arena_alloc(a, axis->point_count * sizeof *points);
    size_t n = 0, first = 0;

    for (size_t i = 0; i < axis->point_count; i++)
        if (occurs[i])
            points[n++] = (struct numbered){
                axis->numeric ? json_number_value(axis->points[i].values[0]) : (double)i, i};
    qsort(points, n, sizeof *points, compare_numbered);
    for (size_t i = 0; i < n; i++)
        if (points[i].point == reference)
            first = i;
    size_t *spread = arena_alloc(a, (n + 1) * sizeof *spread);
    order_spread(n, first, spread);
    for (size_t i = 0; i < n; i++)
        spread[i] = points[spread[i]].point;
    *count = n;
    return spread;
}

/* The axis that is covered least, and has something left; axis_count when all is covered. */
static size_t least_covered(const size_t *taken, const size_t *counts, size_t axes)
{
    size_t best = axes;

    for (size_t i = 0; i < axes; i++) {
        if (taken[i] >= counts[i])
            continue;
        if (best == axes || taken[i] * counts[best] < taken[best] * counts[i])
            best = i;
    }
    return best;
}

/* For one group of cells: the moment at which every point of every axis joins the grid. */
static void find_stages(const struct plan *plan, struct rank_key *keys, size_t n)
{
    const struct spec *s = plan->spec;
    struct arena a = {0};
    bool *occurs[SPEC_MAX_AXES];
    size_t *stage[SPEC_MAX_AXES], *sequence[SPEC_MAX_AXES], counts[SPEC_MAX_AXES],
        taken[SPEC_MAX_AXES], now = 0, i;

    for (i = 0; i < s->axis_count; i++) {
        occurs[i] = arena_alloc(&a, s->axes[i].point_count * sizeof *occurs[i]);
        stage[i] = arena_alloc(&a, s->axes[i].point_count * sizeof *stage[i]);
    }
    for (size_t k = 0; k < n; k++)
        for (i = 0; i < s->axis_count; i++)
            occurs[i][plan_point(plan, keys[k].cell, i)] = true;
    for (i = 0; i < s->axis_count; i++) {
        sequence[i] = sequence_of(&s->axes[i], occurs[i],
                                  i == s->reference_axis ? s->reference_point : SIZE_MAX, &a,
                                  &counts[i]);
        taken[i] = 1;
    }
    while ((i = least_covered(taken, counts, s->axis_count)) < s->axis_count)
        stage[i][sequence[i][taken[i]++]] = ++now;
    for (size_t k = 0; k < n; k++)
        for (i = 0; i < s->axis_count; i++) {
            size_t joined = stage[i][plan_point(plan, keys[k].cell, i)];
            if (joined > keys[k].stage)
                keys[k].stage = joined;
        }
    arena_release(&a);
}

/* 1, 2, ... for texts in the order of their first appearance. */
static size_t number_of(struct map *seen, struct arena *a, const char *text)
{
    size_t *number = map_get(seen, str_from(text));

    if (!number) {
        number = ARENA_NEW(a, size_t);
        *number = seen->count + 1;
        map_put(seen, str_from(text), number);
    }
    return *number;
}

static void fill_keys(const struct plan *plan, struct rank_key *keys)
{
    struct map models = {0}, sizes = {0};
    struct arena a = {0};

    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_cell *c = &plan->cells[i];
        keys[i] = (struct rank_key){
            .cell = i, .last = c->state >= PLAN_IMPOSSIBLE, .replicate = plan_replicate(plan, i)};
        if (keys[i].last || plan->spec->order == SPEC_LISTED) {
            keys[i].replicate = 0;
            continue;
        }
        keys[i].model = number_of(&models, &a, c->model ? c->model : "");
        keys[i].size = number_of(&sizes, &a, arena_printf(&a, "%dx%d", c->width, c->height));
    }
    if (plan->spec->order == SPEC_COARSE)
        for (size_t i = 0; i < plan->count; i++)
            keys[i].group = keys[i].model * (sizes.count + 1) + keys[i].size;
    map_release(&models);
    map_release(&sizes);
    arena_release(&a);
}

void order_cells(struct plan *plan)
{
    struct rank_key *keys = calloc(plan->count, sizeof *keys);

    if (!keys)
        abort();
    fill_keys(plan, keys);
    qsort(keys, plan->count, sizeof *keys, compare_keys);
    plan->drawable = 0;
    while (plan->drawable < plan->count && !keys[plan->drawable].last)
        plan->drawable++;
    if (plan->spec->order != SPEC_LISTED) {
        for (size_t i = 0, end; i < plan->drawable; i = end) {
            for (end = i; end < plan->drawable && keys[end].group == keys[i].group;)
                end++;
            find_stages(plan, keys + i, end - i);
        }
        qsort(keys, plan->drawable, sizeof *keys, compare_keys);
    }
    for (size_t i = 0; i < plan->count; i++)
        plan->order[i] = keys[i].cell;
    free(keys);
}
