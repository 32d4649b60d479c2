#include "api/experiment_json.h"

#include "api/access.h"
#include "api/auth.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#include <math.h>
#include <string.h>

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* By the pace so far, counting what ended since the start. */
static double seconds_left(const struct run *run)
{
    int64_t ended = run->completed + run->failed - run->reused;
    int64_t left = run->total - run->completed - run->failed - run->cancelled - run->impossible;
    double spent = (double)(clock_unix_ms() - run->started_at) / 1e3;

    if (run->status != EXPERIMENT_RUNNING || !run->started_at || ended <= 0 || left < 0)
        return NAN;
    return spent / (double)ended * (double)left;
}

json_t *run_json(const struct run *run)
{
    json_t *o = json_object();

    json_object_set_new(o, "id", json_string(run->id));
    json_object_set_new(o, "experiment_id", json_string(run->experiment_id));
    json_object_set_new(o, "number", json_integer(run->number));
    json_object_set_new(o, "status", json_string(experiment_status_name(run->status)));
    json_object_set_new(o, "total", json_integer(run->total));
    json_object_set_new(o, "completed", json_integer(run->completed));
    json_object_set_new(o, "failed", json_integer(run->failed));
    json_object_set_new(o, "cancelled", json_integer(run->cancelled));
    json_object_set_new(o, "impossible", json_integer(run->impossible));
    json_object_set_new(o, "reused", json_integer(run->reused));
    json_object_set_new(o, "eta_seconds", number_or_null(seconds_left(run)));
    json_object_set_new(o, "seconds", json_real(run->seconds_drawing));
    json_object_set_new(o, "created_at", json_time_or_null(run->created_at));
    json_object_set_new(o, "started_at", json_time_or_null(run->started_at));
    json_object_set_new(o, "finished_at", json_time_or_null(run->finished_at));
    return o;
}

json_t *experiment_json(const struct experiment *x, const struct run *run)
{
    json_t *o = json_object(), *config = NULL;
    struct arena a = {0};
    struct err e;

    if (json_read(str_from(x->config), &config, &e))
        LOG(LOG_ERROR, "a stored spec is not JSON", LOG_TEXT("experiment", x->id), LOG_ERR(&e));
    json_object_set_new(o, "id", json_string(x->id));
    json_object_set_new(o, "name", json_string(x->name));
    json_object_set_new(o, "type", json_string(x->type));
    json_object_set_new(o, "status", json_string(experiment_status_name(x->status)));
    json_object_set_new(o, "config", config ? config : json_object());
    json_object_set_new(o, "user_id", json_text_or_null(x->user_id));
    json_object_set_new(o, "run", run ? run_json(run) : json_null());
    json_object_set_new(o, "runs", json_integer(x->runs));
    json_object_set_new(o, "created_at", json_time_or_null(x->created_at));
    json_object_set_new(o, "updated_at", json_time_or_null(x->updated_at));
    json_object_set_new(o, "url", json_string(arena_printf(&a, "/api/v1/experiments/%s", x->id)));
    arena_release(&a);
    return o;
}

/* ============================== Plans ============================== */

json_t *axes_json(const struct spec *spec)
{
    json_t *out = json_array();

    for (size_t i = 0; i < spec->axis_count; i++) {
        const struct spec_axis *axis = &spec->axes[i];
        bool single = axis->part_count == 1 && axis->parts[0].target == SPEC_PARAMETER;
        json_t *values = json_array();
        for (size_t k = 0; k < axis->point_count; k++) {
            json_t *value = json_pack("{s:s}", "label", axis->points[k].label);
            if (axis->part_count == 1 && axis->points[k].values)
                json_object_set(value, "value", (json_t *)axis->points[k].values[0]);
            json_array_append_new(values, value);
        }
        json_array_append_new(out,
                              json_pack("{s:s, s:o, s:b, s:o}", "name", axis->name, "parameter",
                                        json_text_or_null(single ? axis->parts[0].word : NULL),
                                        "numeric", axis->numeric, "values", values));
    }
    return out;
}

static json_t *reasons_json(const struct plan *plan, enum plan_state state)
{
    json_t *out = json_array();

    for (size_t i = 0; i < plan->reason_count; i++)
        if (plan->reasons[i].state == state)
            json_array_append_new(out, json_pack("{s:s, s:I}", "reason", plan->reasons[i].text,
                                                 "cells", (json_int_t)plan->reasons[i].cells));
    return out;
}

json_t *plan_answer(const struct plan *plan, size_t cells)
{
    const struct plan_totals *t = &plan->totals;
    json_t *whole = plan_to_json(plan, cells), *o = json_object();
    bool known = t->estimated > 0 || t->to_draw == 0;

    json_object_set_new(o, "cells", json_integer((json_int_t)t->cells));
    json_object_set_new(o, "pictures", json_integer((json_int_t)t->pictures));
    json_object_set_new(o, "existing", json_integer((json_int_t)t->drawn));
    json_object_set_new(o, "impossible", json_integer((json_int_t)t->impossible));
    json_object_set_new(o, "dropped", json_integer((json_int_t)t->dropped + (json_int_t)t->cut));
    json_object_set_new(o, "to_draw", json_integer((json_int_t)t->to_draw));
    json_object_set_new(o, "model_loads", json_integer((json_int_t)t->model_loads));
    json_object_set_new(o, "estimated_seconds", number_or_null(known ? t->seconds : NAN));
    json_object_set_new(o, "estimated_bytes",
                        known ? json_integer((json_int_t)t->bytes) : json_null());
    json_object_set_new(o, "samples", json_integer((json_int_t)t->samples_min));
    json_object_set_new(o, "axes", axes_json(plan->spec));
    json_object_set_new(o, "impossible_reasons", reasons_json(plan, PLAN_IMPOSSIBLE));
    json_object_set_new(o, "dropped_reasons", reasons_json(plan, PLAN_DROPPED));
    json_object_set(o, "estimate", json_object_get(whole, "estimate"));
    json_object_set(o, "order", json_object_get(whole, "order"));
    json_object_set(o, "preview", json_object_get(whole, "cells"));
    json_decref(whole);
    return o;
}

/* ============================== What a path names ============================== */

int experiment_of(struct request *r, struct tx *tx, struct experiment *out, struct err *e)
{
    const char *id = request_param(r, "id");
    struct experiment x;

    if (experiments_get(tx, id, request_arena(r), &x, e))
        return e->code;
    if (!auth_owns(r, x.user_id))
        return ERR(e, ERR_NOT_FOUND, "no experiment %s", id);
    *out = x;
    return 0;
}

int experiment_read(struct request *r, struct experiment *out, struct err *e)
{
    struct tx *tx;

    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = experiment_of(r, tx, out, e);
    tx_rollback(tx);
    return rc;
}

int run_of(struct request *r, struct tx *tx, const char *experiment_id, int64_t number,
           struct run *out, struct err *e)
{
    struct run *rows;
    size_t count;

    if (!number)
        return runs_last(tx, experiment_id, request_arena(r), out, e);
    if (runs_list(tx, experiment_id, request_arena(r), &rows, &count, e))
        return e->code;
    for (size_t i = 0; i < count; i++)
        if (rows[i].number == number) {
            *out = rows[i];
            return 0;
        }
    return ERR(e, ERR_NOT_FOUND, "the experiment has no run %lld", (long long)number);
}

int respond_experiment(struct request *r, struct response *w, unsigned status, const char *id,
                       struct err *e)
{
    struct experiment x;
    struct run run;
    struct tx *tx;

    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    int last = ERR_NOT_FOUND;
    rc = experiments_get(tx, id, request_arena(r), &x, e);
    if (rc == 0 && x.runs)
        last = runs_last(tx, id, request_arena(r), &run, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    return respond_json(w, status, experiment_json(&x, last ? NULL : &run));
}

int respond_spec_problems(struct request *r, struct response *w, const char *place,
                          const struct spec_problems *problems)
{
    respond_problem(w, 422, "invalid_spec", "the experiment's specification has %zu problem%s",
                    problems->count, problems->count == 1 ? "" : "s");
    for (size_t i = 0; i < problems->count; i++)
        problem_field(w, arena_printf(request_arena(r), "%s%s", place, problems->at[i].pointer),
                      "%s", problems->at[i].expected);
    return 0;
}

struct launch launch_of(struct request *r, int priority)
{
    struct app *app = app_of(r);

    return (struct launch){.submitter = app->submitter,
                           .user_id = access_user(r),
                           .owner = access_filter(r),
                           .request_id = request_id(r),
                           .trace_id = log_here().trace_id,
                           .priority = priority,
                           .max_cells = (uint64_t)app->max_cells};
}
