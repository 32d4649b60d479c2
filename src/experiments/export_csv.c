#include "experiments/export.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

static const char *const result_names[] = {"none", "waiting", "done", "failed"};

/* A field of RFC 4180. Spreadsheets run what begins with these signs as a formula, so an apostrophe
 * goes before it (OWASP, "CSV injection"); numbers are written by csv_number. */
static int csv_text(struct buf *out, const char *text)
{
    bool formula = text[0] && strchr("=+-@\t\r", text[0]);
    bool quoted = formula || strpbrk(text, ",\"\r\n") || text[0] == ' ';
    int rc = quoted ? buf_add(out, "\"", 1) : 0;

    if (rc == 0 && formula)
        rc = buf_add(out, "'", 1);
    for (; *text && rc == 0; text++)
        rc = *text == '"' ? buf_add(out, "\"\"", 2) : buf_add(out, text, 1);
    if (rc == 0 && quoted)
        rc = buf_add(out, "\"", 1);
    return rc;
}

static int csv_number(struct buf *out, double x)
{
    if (isnan(x))
        return 0;
    return isinf(x) ? buf_addf(out, "inf") : buf_addf(out, "%.10g", x);
}

static int comma(struct buf *out)
{
    return buf_add(out, ",", 1);
}

static int add_texts(struct buf *out, const char *const *texts)
{
    int rc = 0;

    for (; *texts && rc == 0; texts++) {
        rc = csv_text(out, *texts);
        if (rc == 0)
            rc = comma(out);
    }
    return rc;
}

static int add_heading(const struct plan *p, struct buf *out)
{
    static const char *const before[] = {"cell", "generation", "state", "reason", NULL};
    static const char *const after[] = {
        "replicate",      "seed", "picture_model", "picture_steps", "picture_width",
        "picture_height", NULL};
    int rc = add_texts(out, before);

    for (size_t i = 0; i < p->spec->axis_count && rc == 0; i++)
        rc = add_texts(out, (const char *const[]){p->spec->axes[i].name, NULL});
    if (rc == 0)
        rc = add_texts(out, after);
    for (int m = 0; m < MEASURE_COUNT && rc == 0; m++)
        rc = add_texts(out, (const char *const[]){measure_infos[m].name, NULL});
    return rc ? rc : buf_addf(out, "sha256,parameters\r\n");
}

static int add_axis(const struct plan *p, size_t cell, size_t axis, struct buf *out)
{
    const struct spec_axis *a = &p->spec->axes[axis];
    const struct spec_point *point = &a->points[plan_point(p, cell, axis)];
    int rc = a->numeric ? csv_number(out, json_number_value(point->values[0]))
                        : csv_text(out, point->label);

    return rc ? rc : comma(out);
}

static int add_parameters(const struct plan *p, size_t cell, struct buf *out)
{
    json_t *parameters = plan_parameters(p, cell);
    struct arena a = {0};
    int rc = csv_text(out, json_compact(parameters, &a));

    json_decref(parameters);
    arena_release(&a);
    return rc ? rc : buf_addf(out, "\r\n");
}

static int add_row(const struct export_source *s, size_t cell, struct buf *out)
{
    const struct plan_cell *c = &s->plan->cells[cell];
    const struct result *r = &s->results->at[cell];
    bool planned = r->state == RESULT_NONE || c->state == PLAN_IMPOSSIBLE;
    const char *const texts[] = {c->id, r->generation ? r->generation : "",
                                 planned ? plan_state_name(c->state) : result_names[r->state],
                                 c->reason ? c->reason : (r->error ? r->error : ""), NULL};
    int rc = add_texts(out, texts);

    for (size_t i = 0; i < s->plan->spec->axis_count && rc == 0; i++)
        rc = add_axis(s->plan, cell, i, out);
    if (rc == 0)
        rc = buf_addf(out, "%zu,%llu,", plan_replicate(s->plan, cell) + 1,
                      (unsigned long long)c->seed);
    if (rc == 0)
        rc = csv_text(out, c->model ? c->model : "");
    if (rc == 0)
        rc = comma(out);
    for (int i = 0; i < 3 && rc == 0; i++) { /* what an axis says may be overridden: as drawn */
        int drawn = (const int[]){c->steps, c->width, c->height}[i];
        rc = drawn ? buf_addf(out, "%d,", drawn) : comma(out);
    }
    for (int m = 0; m < MEASURE_COUNT && rc == 0; m++) {
        rc = csv_number(out, r->values[m]);
        if (rc == 0)
            rc = comma(out);
    }
    if (rc == 0)
        rc = csv_text(out, r->sha256);
    if (rc == 0)
        rc = comma(out);
    return rc ? rc : add_parameters(s->plan, cell, out);
}

int export_csv(const struct export_source *s, struct buf *out, struct err *e)
{
    int rc = add_heading(s->plan, out);

    for (size_t i = 0; i < s->plan->count && rc == 0; i++)
        if (s->plan->cells[i].state != PLAN_DROPPED)
            rc = add_row(s, i, out);
    return rc ? ERR(e, ERR_NOMEM, "the table is longer than %zu bytes", out->max) : 0;
}

static json_t *cell_json(const struct export_source *s, size_t cell)
{
    const struct plan_cell *c = &s->plan->cells[cell];
    const struct result *r = &s->results->at[cell];

    return json_pack("{sssosIsosssosossso}", "id", c->id, "axes", plan_coordinates(s->plan, cell),
                     "replicate", (json_int_t)plan_replicate(s->plan, cell), "parameters",
                     plan_parameters(s->plan, cell), "planned", plan_state_name(c->state), "reason",
                     json_text_or_null(c->reason ? c->reason : r->error), "generation",
                     json_text_or_null(r->generation), "state", result_names[r->state], "sha256",
                     json_text_or_null(r->sha256[0] ? r->sha256 : NULL));
}

json_t *export_json(const struct export_source *s)
{
    json_t *cells = json_array();

    for (size_t i = 0; i < s->plan->count; i++) {
        if (s->plan->cells[i].state == PLAN_DROPPED)
            continue;
        json_t *cell = cell_json(s, i);
        json_object_set_new(cell, "measures", measures_to_json(s->results->at[i].values));
        json_array_append_new(cells, cell);
    }
    json_t *out = json_pack("{sssisOsoso}", "format", "cauldron experiment", "format_version", 1,
                            "spec", s->plan->spec->written, "plan", plan_to_json(s->plan, 0),
                            "cells", cells);
    if (s->analysis)
        json_object_set_new(out, "analysis", analysis_to_json(s->analysis));
    return out;
}
