#include "experiments/analysis_parts.h"
#include "experiments/statistics.h"

#include <math.h>
#include <string.h>

/* An axis, or the replicates, as a factor of the variance. */
struct source {
    size_t axis; /* axis_count: the replicates */
    size_t points;
};

static size_t level_of(const struct analyser *w, const struct source *f, size_t cell)
{
    return f->axis < w->plan->spec->axis_count ? plan_point(w->plan, cell, f->axis)
                                               : plan_replicate(w->plan, cell);
}

/* The cell that differs only in this factor. */
static size_t at_level(const struct analyser *w, const struct source *f, size_t cell, size_t level)
{
    const struct spec *s = w->plan->spec;
    size_t stride = 1;

    if (f->axis < s->axis_count) {
        stride = s->seed_count;
        for (size_t i = s->axis_count - 1; i > f->axis; i--)
            stride *= s->axes[i].point_count;
    }
    return cell + (level - level_of(w, f, cell)) * stride;
}

/* The cells that have a number, by their level. */
static void by_level(const struct analyser *w, const struct source *f, struct arena *a,
                     struct groups *out)
{
    size_t *cells = arena_alloc(a, (w->plan->count + 1) * sizeof *cells),
           *level = arena_alloc(a, (w->plan->count + 1) * sizeof *level), n = 0;

    for (size_t i = 0; i < w->plan->count; i++)
        if (!isnan(w->response[i])) {
            cells[n] = i;
            level[n++] = level_of(w, f, i);
        }
    groups_by(cells, level, n, f->points, a, out);
}

/* Differences of cells that have everything else in common, the seed too. */
static struct mean paired(struct analyser *w, const struct source *f, const size_t *cells,
                          size_t count, size_t baseline)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        double other = w->response[at_level(w, f, cells[i], baseline)];
        if (!isnan(other))
            w->scratch[n++] = w->response[cells[i]] - other;
    }
    return mean_of(w->scratch, n);
}

/* Sum of squares about the grand mean, of all numbers. */
static double total_squares(const struct analyser *w, double *grand, size_t *n)
{
    double sum = 0, squares = 0;

    *n = 0;
    for (size_t i = 0; i < w->plan->count; i++)
        if (!isnan(w->response[i])) {
            sum += w->response[i];
            (*n)++;
        }
    *grand = *n ? sum / (double)*n : NAN;
    for (size_t i = 0; i < w->plan->count; i++)
        if (!isnan(w->response[i]))
            squares += (w->response[i] - *grand) * (w->response[i] - *grand);
    return squares;
}

/* Sum of squares between the groups that one or two factors make. */
static double between(const struct analyser *w, const struct source *a, const struct source *b,
                      double grand)
{
    struct arena scratch = {0};
    size_t groups = a->points * (b ? b->points : 1);
    double *sums = arena_alloc(&scratch, groups * sizeof *sums), squares = 0;
    size_t *counts = arena_alloc(&scratch, groups * sizeof *counts);

    for (size_t i = 0; i < w->plan->count; i++) {
        if (isnan(w->response[i]))
            continue;
        size_t g = level_of(w, a, i) * (b ? b->points : 1) + (b ? level_of(w, b, i) : 0);
        sums[g] += w->response[i];
        counts[g]++;
    }
    for (size_t g = 0; g < groups; g++)
        if (counts[g]) {
            double d = sums[g] / (double)counts[g] - grand;
            squares += (double)counts[g] * d * d;
        }
    arena_release(&scratch);
    return squares;
}

/* Is there a number for every combination of the points that have any? */
static bool complete_grid(const struct analyser *w, const struct source *f, size_t count, size_t n)
{
    struct arena scratch = {0};
    size_t product = 1;

    for (size_t k = 0; k < count; k++) {
        bool *seen = arena_alloc(&scratch, f[k].points * sizeof *seen);
        size_t levels = 0;
        for (size_t i = 0; i < w->plan->count; i++)
            if (!isnan(w->response[i]))
                seen[level_of(w, &f[k], i)] = true;
        for (size_t p = 0; p < f[k].points; p++)
            levels += seen[p];
        product *= levels; /* never more than the cells */
    }
    arena_release(&scratch);
    return n > 0 && product == n;
}

static void fill_effects(struct analyser *w, const struct source *f, struct factor *out)
{
    const struct spec *s = w->plan->spec;
    size_t baseline = SIZE_MAX;
    struct arena scratch = {0};
    struct groups g;

    by_level(w, f, &scratch, &g);
    out->name = f->axis < s->axis_count ? s->axes[f->axis].name : "replicate";
    out->count = f->points;
    out->effects = arena_alloc(&w->out->arena, f->points * sizeof *out->effects);
    for (size_t p = 0; p < f->points; p++) {
        struct effect *e = &out->effects[p];
        if (f->axis < s->axis_count) {
            e->label = s->axes[f->axis].points[p].label;
            e->value = s->axes[f->axis].points[p].values[0];
        } else {
            e->label = arena_printf(&w->out->arena, "seed %llu", (unsigned long long)s->seeds[p]);
        }
        const size_t *cells = g.cells + g.start[p], n = g.start[p + 1] - g.start[p];
        e->mean = mean_over(w, cells, n, w->out->measure);
        e->against = (struct mean){0, NAN, NAN, NAN};
        if (baseline == SIZE_MAX && e->mean.n)
            baseline = p;
        else if (baseline != SIZE_MAX)
            e->against = paired(w, f, cells, n, baseline);
    }
    arena_release(&scratch);
}

static void fill_interactions(struct analyser *w, const struct source *f, double grand,
                              double total, size_t n)
{
    struct analysis *a = w->out;
    size_t count = a->factor_count;
    double explained = 0;

    a->interactions = arena_alloc(&a->arena, (count * count / 2 + 1) * sizeof *a->interactions);
    for (size_t i = 0; i < count; i++)
        explained += a->factors[i].share;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            double share = between(w, &f[i], &f[j], grand) / total - a->factors[i].share -
                           a->factors[j].share;
            share = share < 0 ? 0 : share; /* rounding */
            explained += share;
            a->interactions[a->interaction_count++] = (struct interaction){i, j, share, n};
        }
    a->rest = explained < 1 ? 1 - explained : 0;
}

void analyse_factors(struct analyser *w)
{
    const struct spec *s = w->plan->spec;
    struct source f[SPEC_MAX_AXES + 1] = {0};
    struct analysis *a = w->out;
    double grand, total;
    size_t n;

    for (size_t i = 0; i < s->axis_count; i++)
        if (s->axes[i].point_count > 1)
            f[a->factor_count++] = (struct source){i, s->axes[i].point_count};
    if (s->seed_count > 1)
        f[a->factor_count++] = (struct source){s->axis_count, s->seed_count};
    a->factors = arena_alloc(&a->arena, (a->factor_count + 1) * sizeof *a->factors);
    total = total_squares(w, &grand, &n);
    /* Equal numbers leave a sum of squares that is rounding alone. */
    bool varies = n > 1 && total > 1e-24 * (double)n * grand * grand;
    for (size_t i = 0; i < a->factor_count; i++) {
        fill_effects(w, &f[i], &a->factors[i]);
        a->factors[i].n = n;
        a->factors[i].share = varies ? between(w, &f[i], NULL, grand) / total : NAN;
    }
    if (varies && complete_grid(w, f, a->factor_count, n))
        fill_interactions(w, f, grand, total, n);
}
