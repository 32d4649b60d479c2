/* The two ends of a job that was drawn, or could not be. */
#include "storage/jobs.h"
#include "storage/jobs_inside.h"
#include "storage/query.h"

#include <stdio.h>
#include <string.h>

/* The first statement takes the row that all who add wishes for the key must take, too: what they
 * added is seen by the statements that follow, and what they add later finds the picture. */
int jobs_succeed(struct tx *tx, struct lease lease, const struct picture_row *picture, int64_t now,
                 struct arena *a, struct job_outcome *out, struct err *e)
{
    struct changes c = {.a = a};
    struct db_rows rows;
    bool existed;
    int rc = tx_query(
        tx,
        "UPDATE jobs SET status = 'succeeded', finished_at = $4, error_code = NULL, "
        "error = NULL WHERE id = $1 AND worker = $2 AND attempts = $3 AND "
        "status = 'running' RETURNING key",
        DB_ARGS(db_text(lease.id), db_text(lease.worker), db_int(lease.attempt), db_int(now)), a,
        &rows, e);

    if (rc)
        return rc;
    if (rows.count == 0)
        return ERR(e, ERR_CONFLICT, "the lease on job '%s' is lost", lease.id);
    if (strcmp(db_str(&rows, 0, 0), picture->key) != 0)
        return ERR(e, ERR_ARG, "the picture is not the one of job '%s'", lease.id);
    rc = images_insert(tx, picture, &existed, e);
    if (rc == 0 && existed)
        rc = images_replace(tx, picture, e);
    if (rc == 0)
        rc = wishes_end(tx, &c, picture->key, GENERATION_SUCCEEDED, false, NULL, NULL, now, e);
    return rc ? rc : changes_apply(tx, &c, now, out, e);
}

int jobs_fail(struct tx *tx, struct lease lease, bool transient, int64_t retry_at, const char *code,
              const char *message, int64_t now, struct arena *a, struct job_outcome *out,
              struct err *e)
{
    struct changes c = {.a = a};
    struct db_rows rows;
    int rc = tx_query(
        tx,
        "UPDATE jobs SET "
        "status = CASE WHEN attempts < $4 * max_attempts THEN 'queued' ELSE 'failed' END, "
        "dead = CASE WHEN attempts < $4 * max_attempts THEN 0 ELSE 1 END, "
        "run_after = CASE WHEN attempts < $4 * max_attempts THEN CAST($5 AS BIGINT) ELSE 0 END, "
        "finished_at = CASE WHEN attempts < $4 * max_attempts THEN NULL "
        "ELSE CAST($6 AS BIGINT) END, "
        "handed_at = 0, worker = NULL, lease_until = 0, error_code = $7, error = $8 "
        "WHERE id = $1 AND worker = $2 AND attempts = $3 AND status = 'running' "
        "RETURNING key, status, attempts",
        DB_ARGS(db_text(lease.id), db_text(lease.worker), db_int(lease.attempt), db_int(transient),
                db_int(retry_at), db_int(now), db_text(code), db_text(message)),
        a, &rows, e);

    if (rc)
        return rc;
    if (rows.count == 0)
        return ERR(e, ERR_CONFLICT, "the lease on job '%s' is lost", lease.id);
    const char *key = db_str(&rows, 0, 0);
    if (strcmp(db_str(&rows, 0, 1), "queued") == 0)
        rc = wishes_show(tx, key, false, (int)db_i64(&rows, 0, 2), e);
    else
        rc = wishes_end(tx, &c, key, GENERATION_FAILED, false, code, message, now, e);
    return rc ? rc : changes_apply(tx, &c, now, out, e);
}
