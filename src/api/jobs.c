/* jobs.c: the jobs behind generations. */
#include "api/access.h"
#include "api/app.h"
#include "api/auth.h"
#include "api/generation_json.h"
#include "base/clock.h"
#include "base/json.h"
#include "storage/experiments.h"
#include "storage/tasks.h"

#include "api/api_routes.h"

#include <string.h>

static const char *priority_name(int priority)
{
    return priority <= PRIORITY_INTERACTIVE ? "interactive" : "batch";
}

static int priority_by_name(const char *name)
{
    return strcmp(name, "batch") == 0 ? PRIORITY_BATCH : PRIORITY_INTERACTIVE;
}

/* place: jobs before it, -1: it does not wait, or it was not asked. */
static json_t *job_json(const struct job_row *j, int64_t place)
{
    json_t *o = json_object();

    json_object_set_new(o, "id", json_string(j->id));
    json_object_set_new(o, "status", json_string(job_status_name(j->status)));
    json_object_set_new(o, "priority", json_string(priority_name(j->priority)));
    json_object_set_new(o, "model", json_string(j->model ? j->model : ""));
    json_object_set_new(o, "provider", json_string(j->provider ? j->provider : ""));
    json_object_set_new(o, "position", place >= 0 ? json_integer(place) : json_null());
    json_object_set_new(o, "attempts", json_integer(j->attempts));
    json_object_set_new(o, "max_attempts", json_integer(j->max_attempts));
    json_object_set_new(o, "dead", json_boolean(j->dead));
    json_object_set_new(o, "worker", json_text_or_null(j->worker));
    json_object_set_new(o, "user_id", json_text_or_null(j->user_id));
    json_object_set_new(o, "run_id", json_text_or_null(j->run_id));
    json_object_set_new(o, "recipe", recipe_answer(j->recipe));
    json_object_set_new(o, "error", failure_json(j->error_code, j->error));
    json_object_set_new(o, "run_after", json_time_or_null(j->run_after));
    json_object_set_new(o, "created_at", json_time_or_null(j->created_at));
    json_object_set_new(o, "started_at", json_time_or_null(j->started_at));
    json_object_set_new(o, "finished_at", json_time_or_null(j->finished_at));
    return o;
}

/* ==== lists ==== */

static int read_list(struct request *r, struct tx *tx, struct job_filter *f, struct job_row **rows,
                     size_t *count, const char **next, struct err *e)
{
    const char *experiment = json_text(request_query(r), "experiment_id", NULL);
    struct run run;
    int rc = 0;

    if (experiment)
        rc = runs_last(tx, experiment, request_arena(r), &run, e);
    if (rc == ERR_NOT_FOUND || (experiment && !rc && f->run_id && strcmp(f->run_id, run.id) != 0)) {
        *count = 0;
        *next = NULL;
        return 0;
    }
    if (rc)
        return rc;
    if (experiment)
        f->run_id = run.id;
    return jobs_list(tx, f, request_arena(r), rows, count, next, e);
}

static int answer_list(struct request *r, struct response *w, struct job_filter f, struct err *e)
{
    struct job_row *rows = NULL;
    const char *next;
    struct tx *tx;
    size_t count;
    int rc;

    f.user_id = access_filter(r);
    f.limit = (int)json_int(request_query(r), "limit", 50);
    f.cursor = json_text(request_query(r), "cursor", NULL);
    if ((rc = tx_begin(app_of(r)->db, TX_READ, &tx, e)))
        return rc;
    rc = read_list(r, tx, &f, &rows, &count, &next, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, job_json(&rows[i], -1));
    return respond_json(
        w, 200, json_pack("{s:o, s:o}", "items", items, "next_cursor", json_text_or_null(next)));
}

int api_list_jobs(struct request *r, struct response *w, struct err *e)
{
    const json_t *query = request_query(r);
    const char *priority = json_text(query, "priority", NULL);
    struct job_filter f = {.status = -1,
                           .priority = priority ? priority_by_name(priority) : -1,
                           .dead = -1,
                           .run_id = json_text(query, "run_id", NULL)};
    enum job_status status;

    if (job_status_by_name(str_from(json_text(query, "status", "")), &status))
        f.status = (int)status;
    return answer_list(r, w, f, e);
}

int api_list_dead_jobs(struct request *r, struct response *w, struct err *e)
{
    return answer_list(r, w, (struct job_filter){.status = -1, .priority = -1, .dead = 1}, e);
}

/* ==== one ==== */

static int job_of(struct request *r, struct tx *tx, struct job_row *out, struct err *e)
{
    const char *id = request_param(r, "id");
    struct job_row job;
    int rc = uuid_valid(str_from(id)) ? jobs_get(tx, id, request_arena(r), &job, e)
                                      : ERR(e, ERR_NOT_FOUND, "not an id");

    if (rc == ERR_NOT_FOUND || (rc == 0 && !auth_owns(r, job.user_id)))
        return ERR(e, ERR_NOT_FOUND, "there is no job '%.64s'", id);
    if (rc == 0)
        *out = job;
    return rc;
}

/* *place may be NULL. */
static int read_job(struct request *r, struct job_row *out, int64_t *place, struct err *e)
{
    struct tx *tx;
    int rc;

    if ((rc = tx_begin(app_of(r)->db, TX_READ, &tx, e)))
        return rc;
    rc = job_of(r, tx, out, e);
    if (!rc && place)
        rc = jobs_place(tx, out->id, place, e);
    tx_rollback(tx);
    return rc;
}

/* The jobs of a task name it where those of an experiment name their run. */
static json_t *task_of_job(struct request *r, const struct job_row *job)
{
    struct task task;
    struct tx *tx;
    struct err e;
    bool found = false;

    if (job->run_id && job->run_id[0] && tx_begin(app_of(r)->db, TX_READ, &tx, &e) == 0) {
        found = tasks_get(tx, job->run_id, request_arena(r), &task, &e) == 0;
        tx_rollback(tx);
    }
    return found ? json_string(task.id) : json_null();
}

static int answer_job(struct request *r, struct response *w, unsigned status, struct err *e)
{
    struct job_row job;
    int64_t place;
    int rc = read_job(r, &job, &place, e);

    if (rc)
        return rc;
    json_t *json = job_json(&job, place);
    json_object_set_new(json, "task_id", task_of_job(r, &job));
    return respond_json(w, status, json);
}

int api_get_job(struct request *r, struct response *w, struct err *e)
{
    return answer_job(r, w, 200, e);
}

int api_update_job(struct request *r, struct response *w, struct err *e)
{
    const char *priority = json_text(request_json(r), "priority", "interactive");
    struct job_row job;
    struct tx *tx;
    int rc;

    if ((rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e)))
        return rc;
    if ((rc = job_of(r, tx, &job, e)) ||
        (rc = jobs_set_priority(tx, job.id, priority_by_name(priority), e))) {
        tx_rollback(tx);
        return rc;
    }
    if ((rc = tx_commit(tx, e)))
        return rc;
    bus_tell(app_of(r)->bus, "wake", "");
    return answer_job(r, w, 200, e);
}

int api_cancel_job(struct request *r, struct response *w, struct err *e)
{
    struct job_row job;
    int rc = read_job(r, &job, NULL, e);

    if (!rc && (job.status == JOB_QUEUED || job.status == JOB_RUNNING))
        rc = cancel_job(app_of(r)->submitter, job.id, e);
    if (rc == ERR_CONFLICT) /* it ended meanwhile */
        rc = 0;
    return rc ? rc : answer_job(r, w, 200, e);
}

int api_dismiss_job(struct request *r, struct response *w, struct err *e)
{
    struct job_row job;
    struct tx *tx;
    int rc;

    if ((rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e)))
        return rc;
    if (!(rc = job_of(r, tx, &job, e)) && !job.dead)
        rc = ERR(e, ERR_CONFLICT, "job %s is %s and not in the dead-letter list", job.id,
                 job_status_name(job.status));
    if (rc || (rc = jobs_dismiss(tx, job.id, e))) {
        tx_rollback(tx);
        return rc;
    }
    if ((rc = tx_commit(tx, e)))
        return rc;
    return respond_empty(w, 204);
}

int api_requeue_job(struct request *r, struct response *w, struct err *e)
{
    struct job_row job;
    struct tx *tx;
    int rc;

    if ((rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e)))
        return rc;
    if (!(rc = job_of(r, tx, &job, e)) && job.status != JOB_FAILED)
        rc = ERR(e, ERR_CONFLICT, "job %s is %s; only failed ones are tried again", job.id,
                 job_status_name(job.status));
    if (rc || (rc = jobs_requeue(tx, job.id, clock_unix_ms(), e))) {
        tx_rollback(tx);
        return rc;
    }
    if ((rc = tx_commit(tx, e)))
        return rc;
    bus_tell(app_of(r)->bus, "wake", "");
    return answer_job(r, w, 202, e);
}
