#include "api/api_routes.h"
#include "api/experiment_json.h"
#include "api/generation_json.h"
#include "base/json.h"
#include "experiments/compare.h"
#include "experiments/export.h"
#include "experiments/outcome.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The experiment that the path names and its run with that number, 0 for the newest. */
static int find(struct request *r, int64_t number, struct experiment *x, struct run *run,
                struct err *e)
{
    struct tx *tx;

    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = experiment_of(r, tx, x, e);
    if (rc == 0) {
        rc = run_of(r, tx, x->id, number, run, e);
        if (rc == ERR_NOT_FOUND && !number)
            rc = ERR(e, ERR_CONFLICT, "the experiment has not been started");
    }
    tx_rollback(tx);
    return rc;
}

static int64_t run_number(const struct request *r)
{
    return json_int(request_query((struct request *)r), "run", 0);
}

/* ============================== The grid ============================== */

/* How long one answer measures: it holds a thread, and who asked waits. */
static const double GRID_SECONDS = 2, ANALYSIS_SECONDS = 10;

struct grid {
    struct experiment x;
    struct run run;
    struct generation *rows;
    size_t count, unmeasured;
    const char *next;
};

static int read_cells(struct request *r, struct grid *g, struct err *e)
{
    const json_t *query = request_query(r);
    struct generation_filter filter = generation_filter();
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    filter.run_id = g->run.id;
    filter.sort = SORT_CELL;
    filter.limit = (int)json_int(query, "limit", 500);
    filter.cursor = json_text(query, "cursor", NULL);
    rc = generations_list(tx, &filter, request_arena(r), &g->rows, &g->count, &g->next, e);
    tx_rollback(tx);
    return rc;
}

/* What the picture shows; what it cost stands elsewhere in the cell. */
static void show_measures(json_t *cell, const struct result *result)
{
    double values[MEASURE_COUNT];

    for (int m = 0; m < MEASURE_COUNT; m++)
        values[m] = m <= MEASURE_COLOURFULNESS ? result->values[m] : NAN;
    json_object_set_new(cell, "measures", measures_to_json(values));
}

/* Measure the cells of this page, some seconds long, and write what is known into `items`. */
static int measure_page(struct request *r, struct grid *g, json_t *items, struct err *e)
{
    struct outcome o;
    int rc = outcome_load(app_of(r)->submitter, &g->run, &o, e);

    if (rc)
        return rc;
    size_t cells = o.results->count;
    bool *wanted = arena_try(request_arena(r), cells + 1, sizeof *wanted);
    if (!wanted)
        rc = ERR(e, ERR_NOMEM, "no memory for %zu cells", cells);
    for (size_t i = 0; rc == 0 && i < g->count; i++)
        if (g->rows[i].cell >= 0 && (uint64_t)g->rows[i].cell < cells)
            wanted[g->rows[i].cell] = true;
    if (rc == 0)
        rc = outcome_measure_some(&o, wanted, GRID_SECONDS, &g->unmeasured, e);
    for (size_t i = 0; rc == 0 && i < g->count; i++)
        if (g->rows[i].cell >= 0 && (uint64_t)g->rows[i].cell < cells &&
            o.results->at[g->rows[i].cell].state == RESULT_DONE)
            show_measures(json_array_get(items, i), &o.results->at[g->rows[i].cell]);
    outcome_release(&o);
    return rc;
}

int api_get_grid(struct request *r, struct response *w, struct err *e)
{
    struct planned planned = {0};
    struct grid g = {.count = 0};

    if (find(r, run_number(r), &g.x, &g.run, e) ||
        launch_replan(app_of(r)->submitter, g.run.spec, &planned, e))
        return e->code;
    int rc = read_cells(r, &g, e);
    json_t *items = rc ? NULL : generations_json(g.rows, g.count, app_of(r)->live);
    if (rc == 0 && json_flag(request_query(r), "measures", false))
        rc = measure_page(r, &g, items, e);
    if (rc == 0)
        rc = respond_json(w, 200,
                          json_pack("{s:o, s:o, s:I, s:O, s:I, s:o}", "run", run_json(&g.run),
                                    "axes", axes_json(planned.spec), "replicates",
                                    (json_int_t)planned.spec->seed_count, "items", items,
                                    "unmeasured", (json_int_t)g.unmeasured, "next_cursor",
                                    json_text_or_null(g.next)));
    json_decref(items);
    planned_release(&planned);
    return rc;
}

/* ============================== Analysis ============================== */

/* Compare with the value that the chosen generation has on the reference's axis. */
static int choose_reference(struct outcome *o, const char *wanted, struct err *e)
{
    struct spec *spec = o->planned.spec;

    if (!wanted || strcmp(wanted, "most_steps") == 0)
        return 0;
    for (size_t i = 0; i < o->results->count; i++) {
        if (!o->by_cell[i] || strcmp(o->by_cell[i]->id, wanted) != 0)
            continue;
        if (spec->reference_axis == SIZE_MAX)
            spec->reference_axis = 0;
        spec->reference_point = plan_point(o->planned.plan, i, spec->reference_axis);
        return spec->axis_count ? 0 : ERR(e, ERR_ARG, "the experiment has no axis to compare on");
    }
    return ERR(e, ERR_ARG, "reference: 'most_steps', or the id of a generation of this run");
}

static int answer_measuring(struct response *w, size_t left)
{
    respond_problem(w, 503, "measuring", "%zu pictures are still to be measured: ask again", left);
    respond_header(w, "Retry-After", "1");
    problem_add(w, "unmeasured", json_integer((json_int_t)left));
    return 1;
}

/* 1 when it was answered that measuring takes longer: what was measured is kept, so asking again
 * comes to an end. */
static int open_outcome(struct request *r, struct response *w, const struct run *run,
                        struct outcome *out, struct err *e)
{
    size_t left = 0;
    int rc = outcome_load(app_of(r)->submitter, run, out, e);

    if (rc)
        return rc;
    rc = choose_reference(out, json_text(request_query(r), "reference", NULL), e);
    if (rc == 0)
        rc = outcome_measure_some(out, NULL, ANALYSIS_SECONDS, &left, e);
    if (rc == 0 && left)
        rc = answer_measuring(w, left);
    if (rc)
        outcome_release(out);
    return rc;
}

static int analyse(const struct outcome *o, const json_t *query, struct analysis **out,
                   struct err *e)
{
    struct analysis_options options = {.measure = json_text(query, "measure", NULL),
                                       .tolerance = json_num(query, "tolerance", 0)};

    return analysis_new(o->planned.plan, o->results, &options, out, e);
}

/* As the contract has it: the measure's name at the top, what it means beside it. */
static json_t *analysis_answer(const struct experiment *x, const struct outcome *o,
                               const struct analysis *analysis)
{
    json_t *json = analysis_to_json(analysis);
    const struct spec *spec = o->planned.spec;
    bool compared = spec->reference_axis != SIZE_MAX;

    json_object_set(json, "measure_info", json_object_get(json, "measure"));
    json_object_set_new(json, "measure", json_string(measure_infos[analysis->measure].name));
    json_object_set_new(json, "type", json_string(x->type));
    json_object_set_new(json, "cells", json_integer((json_int_t)analysis->done));
    json_object_set_new(
        json, "reference",
        compared ? json_pack("{s:s, s:s}", "axis", spec->axes[spec->reference_axis].name, "value",
                             spec->axes[spec->reference_axis].points[spec->reference_point].label)
                 : json_null());
    return json;
}

int api_get_analysis(struct request *r, struct response *w, struct err *e)
{
    struct analysis *analysis;
    struct outcome outcome;
    struct experiment x;
    struct run run;

    if (find(r, run_number(r), &x, &run, e))
        return e->code;
    int rc = open_outcome(r, w, &run, &outcome, e);
    if (rc)
        return rc < 0 ? rc : 0;
    rc = analyse(&outcome, request_query(r), &analysis, e);
    if (rc == 0) {
        rc = respond_json(w, 200, analysis_answer(&x, &outcome, analysis));
        analysis_free(analysis);
    }
    outcome_release(&outcome);
    return rc;
}

/* ============================== Exports ============================== */

static const struct format {
    const char *name, *type;
} formats[] = {{"csv", "text/csv; charset=utf-8"},
               {"json", "application/json"},
               {"png", "image/png"},
               {"html", "text/html; charset=utf-8"}};

/* Letters, digits and dashes of the experiment's name. */
static const char *file_name(struct request *r, const struct experiment *x, const struct run *run,
                             const char *ending)
{
    char *name = arena_printf(request_arena(r), "%.60s", x->name);

    for (char *p = name; *p; p++)
        *p = isalnum((unsigned char)*p) ? *p : '-';
    return arena_printf(request_arena(r), "attachment; filename=\"%s-run-%d.%s\"", name,
                        run->number, ending);
}

int api_export_experiment(struct request *r, struct response *w, struct err *e)
{
    const char *format = json_text(request_query(r), "format", "csv"), *type = "";
    struct analysis *analysis = NULL;
    struct outcome outcome;
    struct experiment x;
    struct run run;
    struct buf out;

    if (find(r, run_number(r), &x, &run, e))
        return e->code;
    int rc = open_outcome(r, w, &run, &outcome, e);
    if (rc)
        return rc < 0 ? rc : 0;
    buf_init(&out, EXPORT_MAX);
    rc = analyse(&outcome, NULL, &analysis, e);
    struct export_source source = {.plan = outcome.planned.plan,
                                   .results = outcome.results,
                                   .analysis = analysis,
                                   .loader = &outcome.loader};
    if (rc == 0)
        rc = export_as(&source, format, &out, e);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, format) == 0)
            type = formats[i].type;
    if (rc == 0) {
        respond_header(w, "Content-Disposition", file_name(r, &x, &run, format));
        rc = respond_bytes(w, 200, type, (struct str){out.p, out.n});
    }
    buf_release(&out);
    analysis_free(analysis);
    outcome_release(&outcome);
    return rc;
}

/* ============================== Two runs ============================== */

static json_t *pair_json(const struct compare_cell *c, const struct outcome *a,
                         const struct outcome *b)
{
    const char *left = c->a == SIZE_MAX ? NULL : a->results->at[c->a].generation;
    const char *right = c->b == SIZE_MAX ? NULL : b->results->at[c->b].generation;
    json_t *axes = c->a == SIZE_MAX ? plan_coordinates(b->planned.plan, c->b)
                                    : plan_coordinates(a->planned.plan, c->a);
    json_t *o = json_pack("{s:o, s:s, s:o, s:o, s:b}", "axes", axes, "state",
                          compare_state_name(c->state), "left", json_text_or_null(left), "right",
                          json_text_or_null(right), "identical", c->state == COMPARE_SAME);

    /* NAN compares false with everything */
    json_object_set_new(o, "ssim", c->ssim <= 1 ? json_real(c->ssim) : json_null());
    json_object_set_new(o, "psnr", c->psnr < 1e6 ? json_real(c->psnr) : json_null());
    return o;
}

static int answer_comparison(struct request *r, struct response *w, const struct outcome *a,
                             const struct outcome *b, struct err *e)
{
    const json_t *query = request_query(r);
    const char *cursor = json_text(query, "cursor", "0"), *next = NULL;
    int64_t from = 0, limit = json_int(query, "limit", 50);
    struct compare_side left = {a->planned.plan, a->results, &a->loader};
    struct compare_side right = {b->planned.plan, b->results, &b->loader};
    struct compare report;

    if (!str_to_i64(str_from(cursor), &from) || from < 0)
        return ERR(e, ERR_ARG, "the cursor is not one of this list");
    if (compare_runs(&left, &right, request_arena(r), &report, e))
        return e->code;
    json_t *items = json_array();
    for (size_t i = (size_t)from; i < report.count && i < (size_t)(from + limit); i++)
        json_array_append_new(items, pair_json(&report.cells[i], a, b));
    if ((size_t)(from + limit) < report.count)
        next = arena_printf(request_arena(r), "%lld", (long long)from + (long long)limit);
    return respond_json(w, 200,
                        json_pack("{s:I, s:I, s:I, s:o, s:o}", "identical",
                                  (json_int_t)report.states[COMPARE_SAME], "different",
                                  (json_int_t)report.states[COMPARE_DIFFERENT] +
                                      (json_int_t)report.states[COMPARE_UNKNOWN],
                                  "unpaired",
                                  (json_int_t)report.states[COMPARE_ONLY_A] +
                                      (json_int_t)report.states[COMPARE_ONLY_B],
                                  "items", items, "next_cursor", json_text_or_null(next)));
}

int api_compare_runs(struct request *r, struct response *w, struct err *e)
{
    struct outcome a, b;
    struct run run, with;
    struct experiment x;

    if (find(r, run_number(r), &x, &run, e) ||
        find(r, json_int(request_query(r), "with", 0), &x, &with, e))
        return e->code;
    int rc = open_outcome(r, w, &run, &a, e);
    if (rc)
        return rc < 0 ? rc : 0;
    rc = open_outcome(r, w, &with, &b, e);
    if (rc == 0) {
        rc = answer_comparison(r, w, &a, &b, e);
        outcome_release(&b);
    }
    outcome_release(&a);
    return rc < 0 ? rc : 0;
}
