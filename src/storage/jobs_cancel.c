/* Wishes taken back, and wishes made again. */
#include "base/uuid.h"
#include "storage/jobs.h"
#include "storage/jobs_inside.h"
#include "storage/query.h"

#include <string.h>

#define WAITING "status IN ('queued', 'running')"

/* Nobody waits for the key any more: its job ends; else it belongs to somebody who does. */
static int leave_job(struct tx *tx, const char *id, const char *key, int64_t now, struct err *e)
{
    int64_t changed;
    int rc = tx_exec(tx,
                     "UPDATE jobs SET status = 'cancelled', finished_at = $3 WHERE id = $1 AND "
                     "" WAITING " AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.key = $2 "
                     "AND g.status IN ('queued', 'running'))",
                     DB_ARGS(db_text(id), db_text(key), db_int(now)), &changed, e);

    return rc || changed ? rc : job_adopt(tx, id, key, e);
}

static int live_job(struct tx *tx, const char *key, struct arena *a, const char **id, struct err *e)
{
    struct db_rows rows;
    const char *sql =
        arena_printf(a, "SELECT id FROM jobs WHERE key = $1 AND " WAITING "%s", for_update(tx));
    int rc = tx_query(tx, sql, DB_ARGS(db_text(key)), a, &rows, e);

    if (rc == 0)
        *id = rows.count ? db_str(&rows, 0, 0) : NULL;
    return rc;
}

int jobs_cancel_generation(struct tx *tx, const char *generation_id, int64_t now, struct arena *a,
                           struct job_outcome *out, struct err *e)
{
    struct changes c = {.a = a};
    const char *job = NULL;
    struct db_rows rows, ended;
    int rc = query_one(tx, "SELECT key, status FROM generations WHERE id = $1",
                       DB_ARGS(db_text(generation_id)), "generation", generation_id, a, &rows, e);

    if (rc == 0 && db_str(&rows, 0, 0))
        rc = live_job(tx, db_str(&rows, 0, 0), a, &job, e);
    if (rc == 0)
        rc = tx_query(tx,
                      "UPDATE generations SET status = 'cancelled' WHERE id = $1 AND " WAITING
                      " RETURNING id, run_id",
                      DB_ARGS(db_text(generation_id)), a, &ended, e);
    if (rc == 0 && ended.count == 0)
        rc = ERR(e, ERR_CONFLICT, "the generation does not wait any more: it is %s",
                 db_str(&rows, 0, 1));
    if (rc == 0 && job)
        rc = leave_job(tx, job, db_str(&rows, 0, 0), now, e);
    if (rc)
        return rc;
    changes_add(&c, &ended, GENERATION_QUEUED, GENERATION_CANCELLED, false, 0);
    return changes_apply(tx, &c, now, out, e);
}

int jobs_cancel_run(struct tx *tx, const char *run_id, int64_t now, struct arena *a,
                    struct job_outcome *out, struct err *e)
{
    struct changes c = {.a = a};
    struct db_rows jobs, ended;
    const char *sql = arena_printf(
        a,
        "SELECT id, key FROM jobs WHERE " WAITING " AND key IN (SELECT g.key FROM generations g "
        "WHERE g.run_id = $1 AND g.status IN ('queued', 'running')) ORDER BY id%s",
        for_update(tx));
    int rc = tx_query(tx, sql, DB_ARGS(db_text(run_id)), a, &jobs, e);

    if (rc == 0)
        rc = tx_query(tx,
                      "UPDATE generations SET status = 'cancelled' WHERE run_id = $1 AND " WAITING
                      " RETURNING id, run_id",
                      DB_ARGS(db_text(run_id)), a, &ended, e);
    for (size_t i = 0; rc == 0 && i < jobs.count; i++)
        rc = leave_job(tx, db_str(&jobs, i, 0), db_str(&jobs, i, 1), now, e);
    if (rc)
        return rc;
    changes_add(&c, &ended, GENERATION_QUEUED, GENERATION_CANCELLED, false, 0);
    rc = changes_apply(tx, &c, now, out, e);
    /* Whatever it has drawn: it was cancelled. */
    return rc || !ended.count ? rc : runs_store_status(tx, run_id, EXPERIMENT_CANCELLED, now, e);
}

int jobs_cancel(struct tx *tx, const char *id, int64_t now, struct arena *a,
                struct job_outcome *out, struct err *e)
{
    struct changes c = {.a = a};
    struct db_rows rows;
    int rc = tx_query(tx,
                      "UPDATE jobs SET status = 'cancelled', finished_at = $2 WHERE id = $1 AND "
                      "" WAITING " RETURNING key",
                      DB_ARGS(db_text(id), db_int(now)), a, &rows, e);

    if (rc == 0 && rows.count == 0) {
        struct job_row job;
        rc = jobs_get(tx, id, a, &job, e);
        if (rc == 0)
            rc = ERR(e, ERR_CONFLICT, "the job is %s already", job_status_name(job.status));
    }
    if (rc == 0)
        rc = wishes_end(tx, &c, db_str(&rows, 0, 0), GENERATION_CANCELLED, false, NULL, NULL, now,
                        e);
    return rc ? rc : changes_apply(tx, &c, now, out, e);
}

int jobs_dismiss(struct tx *tx, const char *id, struct err *e)
{
    return exec_one(tx, "UPDATE jobs SET dead = 0 WHERE id = $1 AND dead = 1", DB_ARGS(db_text(id)),
                    "dead job", id, e);
}

/* The key has a live job, or has one from now on: this one, if there is no other. */
static int revive(struct tx *tx, const struct job_row *job, struct arena *a, struct err *e)
{
    const char *live;
    int rc = live_job(tx, job->key, a, &live, e);

    if (rc || live)
        return rc;
    return tx_exec(tx,
                   "UPDATE jobs SET status = 'queued', attempts = 0, run_after = 0, handed_at = 0, "
                   "worker = NULL, lease_until = 0, started_at = NULL, finished_at = NULL, "
                   "error_code = NULL, error = NULL WHERE id = $1",
                   DB_ARGS(db_text(job->id)), NULL, e);
}

int jobs_requeue(struct tx *tx, const char *id, int64_t now, struct err *e)
{
    struct arena a = {0};
    struct changes c = {.a = &a};
    struct job_outcome outcome;
    struct job_row job;
    struct picture_row picture;
    struct err none;
    bool drawn = false;
    int rc = exec_one(tx, "UPDATE jobs SET dead = 0 WHERE id = $1 AND status = 'failed'",
                      DB_ARGS(db_text(id)), "failed job", id, e);

    if (rc == 0)
        rc = jobs_get(tx, id, &a, &job, e);
    if (rc == 0) {
        rc = images_get(tx, job.key, &a, &picture, &none);
        drawn = rc == 0;
        if (rc && rc != ERR_NOT_FOUND)
            *e = none;
        else
            rc = 0;
    }
    if (rc == 0 && !drawn)
        rc = revive(tx, &job, &a, e);
    if (rc == 0)
        rc = wishes_wait(tx, &c, job.key, e);
    if (rc == 0 && drawn)
        rc = wishes_end(tx, &c, job.key, GENERATION_SUCCEEDED, true, NULL, NULL, now, e);
    if (rc == 0)
        rc = changes_apply(tx, &c, now, &outcome, e);
    arena_release(&a);
    return rc;
}

int jobs_retry_generation(struct tx *tx, const char *generation_id, int64_t now, struct arena *a,
                          const char **job_id, struct err *e)
{
    struct changes c = {.a = a};
    struct job_outcome outcome;
    struct generation g;
    struct db_rows rows;
    int rc = generations_get(tx, generation_id, a, &g, e);

    if (rc == 0 && g.status != GENERATION_FAILED && g.status != GENERATION_CANCELLED)
        rc = ERR(e, ERR_CONFLICT,
                 "the generation is %s: only failed and cancelled ones are retried",
                 generation_status_name(g.status));
    if (rc == 0)
        rc = jobs_put_for(tx, &g, now, a, job_id, e);
    if (rc == 0)
        rc = tx_query(tx,
                      "UPDATE generations SET status = 'queued', attempts = 0, error_code = NULL, "
                      "error = NULL WHERE id = $1 AND status IN ('failed', 'cancelled') "
                      "RETURNING id, run_id",
                      DB_ARGS(db_text(generation_id)), a, &rows, e);
    if (rc == 0 && rows.count == 0)
        rc = ERR(e, ERR_CONFLICT, "the generation was retried already");
    if (rc)
        return rc;
    changes_add(&c, &rows, g.status, GENERATION_QUEUED, false, 0);
    if (!*job_id)
        rc = wishes_end(tx, &c, g.key, GENERATION_SUCCEEDED, true, NULL, NULL, now, e);
    return rc ? rc : changes_apply(tx, &c, now, &outcome, e);
}
