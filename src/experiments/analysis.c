#include "experiments/analysis.h"

#include "experiments/analysis_parts.h"
#include "experiments/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Equal pictures have an infinite PSNR, of which there is no mean. */
static const double highest_psnr = 100;
static const double default_tolerance = 0.05;

bool measure_is_similarity(enum measure m)
{
    return m <= MEASURE_PSNR_NEIGHBOUR;
}

static double value_of(const struct results *r, size_t cell, enum measure m)
{
    double v = r->at[cell].state == RESULT_DONE ? r->at[cell].values[m] : NAN;

    return isinf(v) && v > 0 && (m == MEASURE_PSNR || m == MEASURE_PSNR_NEIGHBOUR) ? highest_psnr
           : isfinite(v)                                                           ? v
                                                                                   : NAN;
}

struct mean mean_over(struct analyser *w, const size_t *cells, size_t n, enum measure m)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        double v = m == w->out->measure ? w->response[cells[i]] : value_of(w->results, cells[i], m);
        if (!isnan(v))
            w->scratch[count++] = v;
    }
    return mean_of(w->scratch, count);
}

const json_t *setting_json(struct analyser *w, size_t cell, const bool *axes)
{
    json_t *all = plan_coordinates(w->plan, cell);

    for (size_t i = 0; i < w->plan->spec->axis_count; i++)
        if (!axes[i])
            json_object_del(all, w->plan->spec->axes[i].name);
    json_array_append_new(w->out->keep, all);
    return all;
}

const char *setting_label(struct analyser *w, size_t cell, const bool *axes)
{
    const struct spec *s = w->plan->spec;
    const char *text = "";

    for (size_t i = 0; i < s->axis_count; i++)
        if (axes[i])
            text = arena_printf(&w->out->arena, "%s%s%s %s", text, text[0] ? ", " : "",
                                s->axes[i].name,
                                s->axes[i].points[plan_point(w->plan, cell, i)].label);
    return text[0] ? text : "all cells";
}

static bool any_value(const struct results *r, enum measure m)
{
    for (size_t i = 0; i < r->count; i++)
        if (!isnan(value_of(r, i, m)))
            return true;
    return false;
}

static int choose_measure(const struct results *r, const struct analysis_options *o,
                          enum measure *out, struct err *e)
{
    enum measure m = MEASURE_SSIM;

    if (o->measure) {
        m = measure_by_name(o->measure);
        if (m == MEASURE_COUNT)
            return ERR(e, ERR_ARG, "there is no measure '%.100s'", o->measure);
    } else {
        while (m < MEASURE_COUNT && !any_value(r, m))
            m++;
        m = m == MEASURE_COUNT ? MEASURE_SSIM : m;
    }
    *out = m;
    return 0;
}

static void count_cells(struct analyser *w)
{
    struct analysis *a = w->out;

    for (size_t i = 0; i < w->plan->count; i++) {
        enum plan_state state = w->plan->cells[i].state;
        if (state == PLAN_DROPPED)
            continue;
        a->cells++;
        a->impossible += state == PLAN_IMPOSSIBLE;
        a->done += w->results->at[i].state == RESULT_DONE;
        a->failed += w->results->at[i].state == RESULT_FAILED;
        a->measured += !isnan(w->response[i]);
    }
}

static void analyse(struct analyser *w)
{
    struct analysis *a = w->out;
    struct groups all;
    bool none[SPEC_MAX_AXES] = {false};
    struct arena scratch = {0};

    for (size_t i = 0; i < w->plan->count; i++)
        w->response[i] =
            w->plan->cells[i].state == PLAN_DROPPED ? NAN : value_of(w->results, i, a->measure);
    for (size_t i = 0; i < w->plan->spec->axis_count; i++)
        w->setting[i] = spec_axis_is_setting(&w->plan->spec->axes[i]);
    count_cells(w);
    groups_of(w->plan, none, &scratch, &all);
    a->seconds = mean_over(w, all.cells, all.start[1], MEASURE_SECONDS);
    a->steps_per_second = mean_over(w, all.cells, all.start[1], MEASURE_STEPS_PER_SECOND);
    a->memory = mean_over(w, all.cells, all.start[1], MEASURE_MEMORY);
    arena_release(&scratch);
    analyse_curves(w);
    analyse_factors(w);
    analyse_ranking(w);
}

int analysis_new(const struct plan *plan, const struct results *results,
                 const struct analysis_options *options, struct analysis **out, struct err *e)
{
    enum measure measure;

    if (results->count != plan->count)
        return ERR(e, ERR_ARG, "%zu results for a plan of %zu cells", results->count, plan->count);
    if (!(options->tolerance >= 0 && options->tolerance < 1))
        return ERR(e, ERR_ARG, "the tolerance must be from 0 to 1");
    if (choose_measure(results, options, &measure, e))
        return e->code;
    struct analysis *a = calloc(1, sizeof *a);
    struct analyser w = {.plan = plan, .results = results, .out = a};
    w.response = calloc(plan->count + 1, sizeof *w.response);
    w.scratch = calloc(plan->count + 1, sizeof *w.scratch);
    if (!a || !w.response || !w.scratch)
        abort();
    a->measure = measure;
    a->tolerance = options->tolerance > 0 ? options->tolerance : default_tolerance;
    a->keep = json_array();
    a->rest = NAN;
    a->cheapest_curve = a->cheapest_point = SIZE_MAX;
    analyse(&w);
    free(w.response);
    free(w.scratch);
    *out = a;
    return 0;
}

void analysis_free(struct analysis *a)
{
    if (!a)
        return;
    json_decref(a->keep);
    arena_release(&a->arena);
    free(a);
}
