/* Taking jobs, holding on to them, giving them back, losing them. */
#include "storage/jobs.h"
#include "storage/jobs_inside.h"
#include "storage/query.h"

#include <stdlib.h>
#include <string.h>

int jobs_claim(struct tx *tx, const char *id, const char *worker, int64_t now, int64_t lease_ms,
               struct arena *a, struct job_row *out, struct err *e)
{
    struct db_rows rows;
    bool paused;
    int rc = jobs_paused(tx, &paused, e);

    if (rc == 0 && paused)
        return ERR(e, ERR_CONFLICT, "the queue is paused");
    /* Two who claim the same row: the second waits for the first, then finds it running. */
    if (rc == 0)
        rc = tx_query(tx,
                      "UPDATE jobs AS j SET status = 'running', worker = $2, lease_until = $3, "
                      "attempts = attempts + 1, started_at = $4, run_after = 0 "
                      "WHERE j.id = $1 AND j.status = 'queued' AND j.run_after <= $4 "
                      "AND NOT " RUN_PAUSED("j.run_id") " RETURNING " JOB_COLUMNS,
                      DB_ARGS(db_text(id), db_text(worker), db_int(now + lease_ms), db_int(now)), a,
                      &rows, e);
    if (rc == 0 && rows.count == 0)
        rc = ERR(e, ERR_CONFLICT, "the job '%s' is not there to be taken", id);
    if (rc)
        return rc;
    struct job_row job;
    job_from_row(&rows, 0, &job);
    rc = wishes_show(tx, job.key, true, job.attempts, e);
    if (rc == 0)
        *out = job;
    return rc;
}

static int heartbeat(struct tx *tx, struct lease lease, int64_t until, bool *lost, bool *cancelled,
                     struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int64_t changed = 0;
    int rc = tx_exec(
        tx,
        "UPDATE jobs SET lease_until = $4 WHERE id = $1 AND worker = $2 AND "
        "attempts = $3 AND status = 'running'",
        DB_ARGS(db_text(lease.id), db_text(lease.worker), db_int(lease.attempt), db_int(until)),
        &changed, e);

    *lost = *cancelled = false;
    if (rc == 0 && changed == 0)
        rc = tx_query(tx,
                      "SELECT 1 FROM jobs WHERE id = $1 AND worker = $2 AND attempts = $3 AND "
                      "status = 'cancelled'",
                      DB_ARGS(db_text(lease.id), db_text(lease.worker), db_int(lease.attempt)), &a,
                      &rows, e);
    if (rc == 0 && changed == 0) {
        *cancelled = rows.count > 0;
        *lost = !*cancelled;
    }
    arena_release(&a);
    return rc;
}

/* Rows are locked in the order of identifiers, whatever the order of the caller. */
int jobs_heartbeat(struct tx *tx, const struct lease *leases, size_t count, int64_t now,
                   int64_t lease_ms, bool *lost, bool *cancelled, struct err *e)
{
    struct arena a = {0};
    size_t *order = arena_alloc(&a, (count + 1) * sizeof *order);
    int rc = 0;

    for (size_t i = 0; i < count; i++) { /* a worker holds few */
        size_t at = i;
        for (; at && strcmp(leases[order[at - 1]].id, leases[i].id) > 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = heartbeat(tx, leases[order[i]], now + lease_ms, &lost[order[i]], &cancelled[order[i]],
                       e);
    arena_release(&a);
    return rc;
}

int jobs_release(struct tx *tx, struct lease lease, int64_t now, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;

    (void)now; /* due at once */
    int rc = tx_query(tx,
                      "UPDATE jobs SET status = 'queued', attempts = attempts - 1, worker = NULL, "
                      "lease_until = 0, handed_at = 0, run_after = 0, started_at = NULL "
                      "WHERE id = $1 AND worker = $2 AND attempts = $3 AND status = 'running' "
                      "RETURNING key, attempts",
                      DB_ARGS(db_text(lease.id), db_text(lease.worker), db_int(lease.attempt)), &a,
                      &rows, e);

    (void)now;
    if (rc == 0 && rows.count == 0)
        rc = ERR(e, ERR_CONFLICT, "the lease on job '%s' is lost", lease.id);
    if (rc == 0)
        rc = wishes_show(tx, db_str(&rows, 0, 0), false, (int)db_i64(&rows, 0, 1), e);
    arena_release(&a);
    return rc;
}

static int expire_one(struct tx *tx, struct changes *c, const struct db_rows *rows, size_t i,
                      int64_t now, int64_t retry_at, struct err *e)
{
    static const char code[] = "worker_lost",
                      message[] = "the worker that drew it stopped answering";
    const char *id = db_str(rows, i, 0), *key = db_str(rows, i, 1);
    int64_t attempts = db_i64(rows, i, 2);
    bool again = attempts < db_i64(rows, i, 3);
    int rc = tx_exec(tx,
                     "UPDATE jobs SET status = $2, dead = $3, run_after = $4, handed_at = 0, "
                     "worker = NULL, lease_until = 0, error_code = $5, error = $6, "
                     "finished_at = $7 WHERE id = $1",
                     DB_ARGS(db_text(id), db_text(again ? "queued" : "failed"), db_int(!again),
                             db_int(again ? retry_at : 0), db_text(code), db_text(message),
                             db_int_or_null(again ? 0 : now)),
                     NULL, e);

    if (rc)
        return rc;
    return again ? wishes_show(tx, key, false, (int)attempts, e)
                 : wishes_end(tx, c, key, GENERATION_FAILED, false, code, message, now, e);
}

int jobs_expire(struct tx *tx, int64_t now, int64_t retry_at, struct arena *a, const char ***ids,
                size_t *count, struct job_outcome *out, struct err *e)
{
    struct changes c = {.a = a};
    struct job_outcome outcome;
    struct db_rows rows;
    const char *sql = arena_printf(a,
                                   "SELECT id, key, attempts, max_attempts FROM jobs WHERE "
                                   "status = 'running' AND lease_until < $1 ORDER BY id%s",
                                   for_update_free(tx));
    int rc = tx_query(tx, sql, DB_ARGS(db_int(now)), a, &rows, e);

    for (size_t i = 0; rc == 0 && i < rows.count; i++)
        rc = expire_one(tx, &c, &rows, i, now, retry_at, e);
    if (rc == 0)
        rc = changes_apply(tx, &c, now, &outcome, e);
    if (rc)
        return rc;
    const char **list = arena_alloc(a, (rows.count + 1) * sizeof *list);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = db_str(&rows, i, 0);
    *ids = list;
    *count = rows.count;
    *out = outcome;
    return 0;
}
