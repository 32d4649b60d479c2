#include "api/api_routes.h"
#include "api/auth.h"
#include "api/experiment_json.h"
#include "base/clock.h"
#include "base/json.h"
#include "ops/metrics.h"
#include "storage/events.h"

#include <string.h>

/* ============================== Plans ============================== */

static int answer_plan(struct request *r, struct response *w, const json_t *document, struct err *e)
{
    struct launch launch = launch_of(r, PRIORITY_BATCH);
    struct spec_problems problems = {0};
    struct planned planned = {0};
    int rc = launch_plan(&launch, document, &planned, &problems, e);

    if (rc == 0)
        rc = respond_json(
            w, 200, plan_answer(planned.plan, (size_t)json_int(request_query(r), "cells", 0)));
    else if (problems.count)
        rc = respond_spec_problems(r, w, "", &problems);
    planned_release(&planned);
    spec_problems_release(&problems);
    return rc;
}

int api_plan_experiment(struct request *r, struct response *w, struct err *e)
{
    return answer_plan(r, w, request_json(r), e);
}

int api_plan_stored_experiment(struct request *r, struct response *w, struct err *e)
{
    struct experiment x;
    json_t *document;

    if (experiment_read(r, &x, e) || json_read(str_from(x.config), &document, e))
        return e->code;
    int rc = answer_plan(r, w, document, e);
    json_decref(document);
    return rc;
}

/* ============================== Runs ============================== */

static int priority_of(const json_t *body)
{
    return strcmp(json_text(body, "priority", "batch"), "interactive") == 0 ? PRIORITY_INTERACTIVE
                                                                            : PRIORITY_BATCH;
}

int api_start_experiment(struct request *r, struct response *w, struct err *e)
{
    struct launch launch = launch_of(r, priority_of(request_json(r)));
    struct spec_problems problems = {0};
    struct experiment x;
    struct run run;

    if (experiment_read(r, &x, e))
        return e->code;
    int rc = launch_start(&launch, &x, request_arena(r), &run, &problems, e);
    if (rc && problems.count)
        rc = respond_spec_problems(r, w, "", &problems);
    else if (rc == 0) {
        metrics_add(app_of(r)->metrics, METRIC_CELLS_REUSED, "", (double)run.reused);
        audit_alone(r, "experiment_started", x.id);
        rc = respond_experiment(r, w, 202, x.id, e);
    }
    spec_problems_release(&problems);
    return rc;
}

/* {"prompts", "axes": [{"parameter", "values" or "zip"}], "replicates": n} as spec_extend takes it.
 */
static json_t *addition_of(const json_t *body)
{
    json_t *out = json_object(), *axes = json_object(), *replicates;
    const json_t *axis;
    size_t i;

    json_array_foreach(json_object_get(body, "axes"), i, axis)
    {
        json_t *zip = json_object_get(axis, "zip");
        json_object_set(axes, json_text(axis, "parameter", ""),
                        zip ? zip : json_object_get(axis, "values"));
    }
    if (json_object_get(body, "prompts"))
        json_object_set(axes, "prompt", json_object_get(body, "prompts"));
    if (json_object_size(axes))
        json_object_set(out, "axes", axes);
    json_decref(axes);
    replicates = json_object_get(body, "replicates");
    if (replicates)
        json_object_set_new(out, "replicates", json_pack("{s:O}", "count", replicates));
    return out;
}

int api_extend_experiment(struct request *r, struct response *w, struct err *e)
{
    struct launch launch = launch_of(r, priority_of(request_json(r)));
    struct spec_problems problems = {0};
    struct experiment x;
    struct run run;

    if (experiment_read(r, &x, e))
        return e->code;
    json_t *addition = addition_of(request_json(r));
    int rc = launch_extend(&launch, &x, addition, request_arena(r), &run, &problems, e);
    json_decref(addition);
    if (rc && problems.count)
        rc = respond_spec_problems(r, w, "", &problems);
    else if (rc == 0) {
        audit_alone(r, "experiment_extended", x.id);
        rc = respond_experiment(r, w, 202, x.id, e);
    }
    spec_problems_release(&problems);
    return rc;
}

/* The newest run of the experiment that the path names. */
static int last_run(struct request *r, struct experiment *x, struct run *run, struct err *e)
{
    struct tx *tx;

    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = experiment_of(r, tx, x, e);
    if (rc == 0) {
        rc = runs_last(tx, x->id, request_arena(r), run, e);
        if (rc == ERR_NOT_FOUND)
            rc = ERR(e, ERR_CONFLICT, "the experiment has not been started");
    }
    tx_rollback(tx);
    return rc;
}

static int pause_or_resume(struct request *r, struct response *w, bool paused, struct err *e)
{
    struct experiment x;
    struct run run;
    enum experiment_status needed = paused ? EXPERIMENT_RUNNING : EXPERIMENT_PAUSED;

    if (last_run(r, &x, &run, e))
        return e->code;
    if (run.status != needed)
        return ERR(e, ERR_CONFLICT, "the experiment is %s", experiment_status_name(run.status));
    if (pause_run(app_of(r)->submitter, run.id, paused, e))
        return e->code;
    audit_alone(r, paused ? "experiment_paused" : "experiment_resumed", x.id);
    return respond_experiment(r, w, 200, x.id, e);
}

int api_pause_experiment(struct request *r, struct response *w, struct err *e)
{
    return pause_or_resume(r, w, true, e);
}

int api_resume_experiment(struct request *r, struct response *w, struct err *e)
{
    return pause_or_resume(r, w, false, e);
}

int api_cancel_experiment(struct request *r, struct response *w, struct err *e)
{
    struct experiment x;
    struct run run;

    if (last_run(r, &x, &run, e))
        return e->code;
    if (run.status != EXPERIMENT_RUNNING && run.status != EXPERIMENT_PAUSED)
        return ERR(e, ERR_CONFLICT, "the experiment is %s", experiment_status_name(run.status));
    if (cancel_run(app_of(r)->submitter, run.id, e))
        return e->code;
    audit_alone(r, "experiment_cancelled", x.id);
    return respond_experiment(r, w, 200, x.id, e);
}

int api_retry_experiment(struct request *r, struct response *w, struct err *e)
{
    struct experiment x;
    struct run run;
    int64_t count;

    if (last_run(r, &x, &run, e))
        return e->code;
    if (!run.failed && !run.cancelled)
        return ERR(e, ERR_CONFLICT, "no cell of the newest run has failed or was cancelled");
    if (retry_run(app_of(r)->submitter, run.id, &count, e))
        return e->code;
    audit_alone(r, "experiment_retried", x.id);
    return respond_experiment(r, w, 202, x.id, e);
}

/* Runs are few: the cursor is the number of the last one shown. */
int api_list_runs(struct request *r, struct response *w, struct err *e)
{
    const json_t *query = request_query(r);
    const char *cursor = json_text(query, "cursor", NULL), *next = NULL;
    int64_t limit = json_int(query, "limit", 50), below = INT64_MAX;
    struct experiment x;
    struct run *rows;
    struct tx *tx;
    size_t count, shown = 0;

    if (cursor && !str_to_i64(str_from(cursor), &below))
        return ERR(e, ERR_ARG, "the cursor is not one of this list");
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = experiment_of(r, tx, &x, e);
    if (rc == 0)
        rc = runs_list(tx, x.id, request_arena(r), &rows, &count, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (int64_t number = x.runs; number > 0; number--)
        for (size_t i = 0; i < count; i++) {
            if (rows[i].number != number || number >= below)
                continue;
            if ((int64_t)shown++ < limit)
                json_array_append_new(items, run_json(&rows[i]));
            if ((int64_t)shown == limit && number > 1)
                next = arena_printf(request_arena(r), "%lld", (long long)number);
        }
    return respond_json(
        w, 200, json_pack("{s:o, s:o}", "items", items, "next_cursor", json_text_or_null(next)));
}

int api_get_run(struct request *r, struct response *w, struct err *e)
{
    struct experiment x;
    struct run run;
    int64_t number = 0;
    struct tx *tx;

    if (!str_to_i64(str_from(request_param(r, "run")), &number) || number < 1)
        return ERR(e, ERR_NOT_FOUND, "runs are numbered from 1");
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = experiment_of(r, tx, &x, e);
    if (rc == 0)
        rc = run_of(r, tx, x.id, number, &run, e);
    tx_rollback(tx);
    return rc ? rc : respond_json(w, 200, run_json(&run));
}
