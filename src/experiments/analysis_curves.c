#include "experiments/analysis_parts.h"
#include "experiments/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* PSNR from which pictures are commonly taken for alike; it knows no 1 - tolerance. */
static const double alike_psnr = 30;

static int compare_points(const void *pa, const void *pb)
{
    const struct curve_point *a = pa, *b = pb;

    return (a->x > b->x) - (a->x < b->x);
}

static bool good_enough(const struct analysis *a, double y)
{
    bool psnr = a->measure == MEASURE_PSNR || a->measure == MEASURE_PSNR_NEIGHBOUR;

    return y >= (psnr ? alike_psnr : 1 - a->tolerance);
}

/* The points with numbers, without the reference, which would be compared with itself. */
static size_t measured_points(const struct curve *c, size_t *index, double *x, double *y)
{
    size_t n = 0;

    for (size_t i = 0; i < c->count; i++)
        if (c->points[i].y.n) {
            index[n] = i;
            x[n] = c->points[i].x;
            y[n++] = c->points[i].y.mean;
        }
    return n;
}

static void find_knee(struct analyser *w, struct curve *c)
{
    struct arena scratch = {0};
    size_t *index = arena_alloc(&scratch, c->count * sizeof *index);
    double *x = arena_alloc(&scratch, c->count * sizeof *x),
           *y = arena_alloc(&scratch, c->count * sizeof *y);
    size_t n = measured_points(c, index, x, y);

    c->knee = c->converged = SIZE_MAX;
    if (measure_is_similarity(w->out->measure)) {
        size_t knee = knee_of(x, y, n);
        c->knee = knee == SIZE_MAX ? SIZE_MAX : index[knee];
        for (size_t i = n; i > 0 && good_enough(w->out, y[i - 1]); i--)
            c->converged = index[i - 1];
    }
    arena_release(&scratch);
}

static struct curve make_curve(struct analyser *w, const size_t *cells, size_t n, const bool *axes)
{
    const struct spec *s = w->plan->spec;
    const struct spec_axis *axis = &s->axes[s->reference_axis];
    struct curve c = {.setting = setting_json(w, cells[0], axes),
                      .label = setting_label(w, cells[0], axes),
                      .count = axis->point_count};
    struct arena scratch = {0};
    size_t *level = arena_alloc(&scratch, n * sizeof *level);
    struct groups g;

    for (size_t i = 0; i < n; i++)
        level[i] = plan_point(w->plan, cells[i], s->reference_axis);
    groups_by(cells, level, n, c.count, &scratch, &g);
    c.points = arena_alloc(&w->out->arena, c.count * sizeof *c.points);
    for (size_t p = 0; p < c.count; p++) {
        const size_t *some = g.cells + g.start[p], k = g.start[p + 1] - g.start[p];
        c.points[p] = (struct curve_point){.x = json_number_value(axis->points[p].values[0]),
                                           .y = mean_over(w, some, k, w->out->measure),
                                           .seconds = mean_over(w, some, k, MEASURE_SECONDS),
                                           .reference = p == s->reference_point};
    }
    qsort(c.points, c.count, sizeof *c.points, compare_points);
    find_knee(w, &c);
    arena_release(&scratch);
    return c;
}

/* The fastest point of all curves from which its curve stays within the tolerance. */
static void find_cheapest(struct analysis *a)
{
    double least = INFINITY;

    for (size_t c = 0; c < a->curve_count; c++) {
        size_t p = a->curves[c].converged;
        if (p == SIZE_MAX)
            continue;
        const struct mean *seconds = &a->curves[c].points[p].seconds;
        if (seconds->n && seconds->mean < least) {
            least = seconds->mean;
            a->cheapest_curve = c;
            a->cheapest_point = p;
        }
    }
}

void analyse_curves(struct analyser *w)
{
    const struct spec *s = w->plan->spec;
    bool axes[SPEC_MAX_AXES];
    struct arena scratch = {0};
    struct groups g;

    if (s->reference_axis == SIZE_MAX || !s->axes[s->reference_axis].numeric)
        return;
    memcpy(axes, w->setting, sizeof axes);
    axes[s->reference_axis] = false;
    groups_of(w->plan, axes, &scratch, &g);
    w->out->curve_axis = s->axes[s->reference_axis].name;
    w->out->curves = arena_alloc(&w->out->arena, (g.count + 1) * sizeof *w->out->curves);
    for (size_t i = 0; i < g.count; i++)
        if (g.start[i + 1] > g.start[i])
            w->out->curves[w->out->curve_count++] =
                make_curve(w, g.cells + g.start[i], g.start[i + 1] - g.start[i], axes);
    arena_release(&scratch);
    find_cheapest(w->out);
}
