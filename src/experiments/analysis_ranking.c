#include "experiments/analysis_parts.h"

#include <math.h>
#include <stdlib.h>

/* Best first; settings without a number last; equal ones as listed. */
struct ranked {
    struct rank rank;
    double order;
    size_t index;
};

static int compare_ranked(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;

    if (isnan(a->order) != isnan(b->order))
        return isnan(a->order) - isnan(b->order);
    if (a->order > b->order || a->order < b->order)
        return a->order > b->order ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static int compare_seconds(const void *pa, const void *pb)
{
    const struct rank *a = *(struct rank *const *)pa, *b = *(struct rank *const *)pb;

    return (a->seconds.mean > b->seconds.mean) - (a->seconds.mean < b->seconds.mean);
}

/* From the fastest on, whatever is better than all before it. */
static void find_frontier(struct analysis *a, int better)
{
    struct rank **by_seconds = calloc(a->rank_count + 1, sizeof *by_seconds);
    double best = -INFINITY;
    size_t n = 0;

    if (!by_seconds)
        abort();
    for (size_t i = 0; i < a->rank_count; i++)
        if (a->ranking[i].seconds.n && a->ranking[i].y.n)
            by_seconds[n++] = &a->ranking[i];
    qsort(by_seconds, n, sizeof *by_seconds, compare_seconds);
    for (size_t i = 0; i < n; i++)
        if (by_seconds[i]->y.mean * better > best) {
            best = by_seconds[i]->y.mean * better;
            by_seconds[i]->frontier = true;
        }
    free(by_seconds);
}

void analyse_ranking(struct analyser *w)
{
    struct analysis *a = w->out;
    int better = measure_infos[a->measure].better;
    struct arena scratch = {0};
    struct groups g;

    groups_of(w->plan, w->setting, &scratch, &g);
    struct ranked *list = arena_alloc(&scratch, (g.count + 1) * sizeof *list);
    for (size_t i = 0; i < g.count; i++) {
        const size_t *cells = g.cells + g.start[i], n = g.start[i + 1] - g.start[i];
        if (!n)
            continue;
        struct rank r = {.setting = setting_json(w, cells[0], w->setting),
                         .label = setting_label(w, cells[0], w->setting),
                         .y = mean_over(w, cells, n, a->measure),
                         .seconds = mean_over(w, cells, n, MEASURE_SECONDS),
                         .memory = mean_over(w, cells, n, MEASURE_MEMORY),
                         .steps_per_second = mean_over(w, cells, n, MEASURE_STEPS_PER_SECOND)};
        list[a->rank_count] = (struct ranked){r, better < 0 ? -r.y.mean : r.y.mean, a->rank_count};
        a->rank_count++;
    }
    qsort(list, a->rank_count, sizeof *list, compare_ranked);
    a->ranking = arena_alloc(&a->arena, (a->rank_count + 1) * sizeof *a->ranking);
    for (size_t i = 0; i < a->rank_count; i++)
        a->ranking[i] = list[i].rank;
    arena_release(&scratch);
    if (better && a->measure != MEASURE_SECONDS)
        find_frontier(a, better);
}
