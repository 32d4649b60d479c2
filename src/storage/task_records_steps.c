/* The steps of those who deliver records and write their results back. */
#include "storage/tasks_inside.h"

#include <math.h>

/* ============================== Taking ============================== */

/* The words of the two partial indexes of what is due. */
static const char *whose(enum record_status status)
{
    return status == RECORD_READY ? "r.status = 'ready'" : "r.status IN ('stored', 'failing')";
}

/* Tasks with due rows: found by skipping from one task to the next in the index, so that the
 * backlog of one costs the others nothing. The order names due_at for SQLite: it would take an
 * index of all rows otherwise. */
static int tasks_with_work(struct tx *tx, enum record_status status, const char *host,
                           const char *only, int64_t now, struct arena *a, struct db_rows *rows,
                           struct err *e)
{
    const char *w = whose(status);
    const char *sql = arena_printf(
        a,
        "WITH RECURSIVE g(task_id) AS (SELECT * FROM (SELECT r.task_id FROM task_records r "
        "WHERE %s ORDER BY r.task_id, r.due_at LIMIT 1) first UNION ALL SELECT (SELECT r.task_id "
        "FROM task_records r WHERE %s AND r.task_id > g.task_id ORDER BY r.task_id, r.due_at "
        "LIMIT 1) FROM g WHERE g.task_id IS NOT NULL) "
        "SELECT t.id FROM g JOIN tasks t ON t.id = g.task_id WHERE " TASK_MOVES
        " AND (t.host IS NULL OR t.host = $1) AND t.id = coalesce($3, t.id) AND EXISTS (SELECT 1 "
        "FROM task_records r WHERE "
        "r.task_id = t.id AND %s AND r.due_at <= $2)",
        w, w, w);

    return tx_query(tx, sql, DB_ARGS(db_text(host ? host : ""), db_int(now), db_text(only)), a,
                    rows, e);
}

static int take_of(struct tx *tx, const char *task_id, enum record_status status, int limit,
                   int64_t now, int64_t until, struct arena *a, struct db_rows *rows, struct err *e)
{
    const char *sql = arena_printf(
        a,
        "UPDATE task_records SET lease = lease + 1, tries = tries + 1, attempts = attempts + $5, "
        "due_at = $4 WHERE id IN (SELECT r.id FROM task_records r WHERE r.task_id = $1 AND %s AND "
        "r.due_at <= $3 ORDER BY r.due_at, r.id LIMIT $2%s) RETURNING " RECORD_COLUMNS,
        whose(status), for_update_free(tx));

    return tx_query(tx, sql,
                    DB_ARGS(db_text(task_id), db_int(limit), db_int(now), db_int(until),
                            db_int(status == RECORD_READY)),
                    a, rows, e);
}

/* Any of the tasks with work, by chance: fair without state to keep, and whoever asks at the same
 * time is likely to get another one. */
int task_records_take(struct tx *tx, enum record_status status, int limit, const char *host,
                      const char *only, int64_t now, int64_t until, struct arena *a,
                      struct task_record **out, size_t *count, struct err *e)
{
    struct db_rows tasks, rows = {0};
    uint32_t chance;
    int rc = tasks_with_work(tx, status, host, only, now, a, &tasks, e);

    random_bytes(&chance, sizeof chance);
    for (size_t i = 0; rc == 0 && rows.count == 0 && i < tasks.count; i++)
        rc = take_of(tx, db_str(&tasks, (chance + i) % tasks.count, 0), status, limit, now, until,
                     a, &rows, e);
    if (rc)
        return rc;
    *count = rows.count;
    *out = task_records_from_rows(&rows, a);
    return 0;
}

/* ============================== One row ============================== */

static int lost(const char *id, struct err *e)
{
    return ERR(e, ERR_CONFLICT, "the lease on record '%s' is lost", id);
}

/* The task's row, then the record's, if the lease is held and the status is one of those in `in`
 * (an SQL list). */
static int hold(struct tx *tx, struct record_lease lease, const char *in, struct arena *a,
                struct task_record *out, struct err *e)
{
    struct db_rows rows;
    struct task t;
    int rc = tx_query(tx, "SELECT task_id FROM task_records WHERE id = $1",
                      DB_ARGS(db_text(lease.id)), a, &rows, e);

    if (rc == 0 && rows.count == 0)
        return lost(lease.id, e);
    if (rc == 0)
        rc = task_lock(tx, db_str(&rows, 0, 0), a, &t, e);
    if (rc == ERR_NOT_FOUND)
        return lost(lease.id, e);
    if (rc == 0)
        rc = tx_query(tx,
                      arena_printf(a,
                                   "SELECT " RECORD_COLUMNS " FROM task_records WHERE id = $1 AND "
                                   "lease = $2 AND status IN (%s)%s",
                                   in, for_update(tx)),
                      DB_ARGS(db_text(lease.id), db_int(lease.lease)), a, &rows, e);
    if (rc)
        return rc;
    if (rows.count == 0)
        return lost(lease.id, e);
    task_record_from_row(&rows, 0, out);
    return 0;
}

int task_records_upload(struct tx *tx, struct record_lease lease, const char *session,
                        int64_t until, struct err *e)
{
    int64_t changed;
    int rc =
        tx_exec(tx,
                "UPDATE task_records SET upload = coalesce($3, upload), due_at = $4 WHERE "
                "id = $1 AND lease = $2 AND status IN ('ready', 'stored', 'failing')",
                DB_ARGS(db_text(lease.id), db_int(lease.lease), db_text(session), db_int(until)),
                &changed, e);

    return rc || changed ? rc : lost(lease.id, e);
}

/* What a failing one failed for is kept. */
int task_records_later(struct tx *tx, struct record_lease lease, int64_t due_at,
                       const char *error_code, const char *error, struct err *e)
{
    int64_t changed;
    int rc = tx_exec(tx,
                     "UPDATE task_records SET due_at = $3, "
                     "error_code = CASE WHEN status = 'failing' THEN error_code ELSE $4 END, "
                     "error = CASE WHEN status = 'failing' THEN error ELSE $5 END WHERE "
                     "id = $1 AND lease = $2 AND status IN ('ready', 'stored', 'failing')",
                     DB_ARGS(db_text(lease.id), db_int(lease.lease), db_int(due_at),
                             db_text(error_code), db_text(error)),
                     &changed, e);

    return rc || changed ? rc : lost(lease.id, e);
}

static int store(struct tx *tx, const char *id, const struct task_record *row, int64_t now,
                 struct err *e)
{
    return tx_exec(
        tx,
        "UPDATE task_records SET status = 'stored', due_at = $2, tries = 0, stored_at = $2, "
        "upload = NULL, url = $3, https = $4, crc32c = $5, md5 = $6, sha256 = $7, "
        "object_version = $8, bytes = $9, recipe_url = $10, reused = $11, outcome = $12, "
        "seconds_making = $13, seconds_storing = $14, error_class = NULL, error_code = NULL, "
        "error = NULL WHERE id = $1",
        DB_ARGS(db_text(id), db_int(now), db_text(row->url), db_text(row->https),
                db_text(row->crc32c), db_text(row->md5), db_text(row->sha256),
                db_text(row->object_version), db_int(row->bytes), db_text(row->recipe_url),
                db_int(row->reused), db_text(row->outcome), db_real(row->seconds_making),
                db_real(row->seconds_storing)),
        NULL, e);
}

/* One that was stored before, and is retried, has been counted. */
int task_records_stored(struct tx *tx, struct record_lease lease, const struct task_record *row,
                        int64_t now, struct err *e)
{
    struct arena a = {0};
    struct task_record former;
    int rc = hold(tx, lease, "'ready'", &a, &former, e);

    if (rc == 0)
        rc = store(tx, lease.id, row, now, e);
    if (rc == 0) {
        bool first = former.stored_at == 0;
        struct task_delta d = {
            .counts = {[RECORD_READY] = -1, [RECORD_STORED] = 1},
            .reused = row->reused,
            .bytes = first ? row->bytes : 0,
            .seconds_making =
                first && !row->reused && isfinite(row->seconds_making) ? row->seconds_making : 0,
        };
        rc = task_move(tx, former.task_id, &d, e);
    }
    arena_release(&a);
    return rc;
}

int task_records_fail(struct tx *tx, struct record_lease lease, const char *error_class,
                      const char *error_code, const char *error, int64_t now, struct err *e)
{
    struct arena a = {0};
    struct task_record former;
    int rc = hold(tx, lease, "'ready', 'stored'", &a, &former, e);

    if (rc == 0)
        rc = tx_exec(tx,
                     "UPDATE task_records SET status = 'failing', due_at = $2, tries = 0, "
                     "error_class = $3, error_code = $4, error = $5 WHERE id = $1",
                     DB_ARGS(db_text(lease.id), db_int(now), db_text(error_class),
                             db_text(error_code), db_text(error)),
                     NULL, e);
    if (rc == 0) {
        struct task_delta d = {.counts = {[RECORD_FAILING] = 1}};
        d.counts[former.status] = -1;
        d.reused = former.status == RECORD_STORED && former.reused ? -1 : 0;
        rc = task_move(tx, former.task_id, &d, e);
    }
    arena_release(&a);
    return rc;
}

/* ============================== The end ============================== */

static int end_one(struct tx *tx, const char *task_id, struct record_lease lease, int64_t number,
                   int64_t now, struct arena *a, struct db_rows *rows, struct err *e)
{
    return tx_query(
        tx,
        "UPDATE task_records SET "
        "error_code = CASE WHEN status = 'stored' THEN NULL ELSE error_code END, "
        "error = CASE WHEN status = 'stored' THEN NULL ELSE error END, "
        "status = CASE WHEN status = 'stored' THEN 'succeeded' ELSE 'failed' END, "
        "end_number = $4, ended_at = $5 WHERE id = $1 AND lease = $2 AND task_id = $3 AND "
        "status IN ('stored', 'failing') RETURNING " RECORD_COLUMNS,
        DB_ARGS(db_text(lease.id), db_int(lease.lease), db_text(task_id), db_int(number),
                db_int(now)),
        a, rows, e);
}

int task_records_end(struct tx *tx, const char *task_id, const struct record_lease *leases,
                     size_t count, int64_t missing, int64_t now, struct arena *a,
                     struct task_record **out, size_t *ended, struct err *e)
{
    struct task_record *list = arena_try(a, count + 1, sizeof *list);
    struct task_delta d = {.missing = missing};
    struct db_rows rows;
    struct task t;
    size_t n = 0;

    if (!list)
        return ERR(e, ERR_NOMEM, "no memory for %zu records at once", count);
    int rc = task_lock(tx, task_id, a, &t, e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = end_one(tx, task_id, leases[i], t.ended + d.ended + 1, now, a, &rows, e);
        if (rc || rows.count == 0)
            continue;
        task_record_from_row(&rows, 0, &list[n]);
        bool succeeded = list[n++].status == RECORD_SUCCEEDED;
        d.counts[succeeded ? RECORD_STORED : RECORD_FAILING]--;
        d.counts[succeeded ? RECORD_SUCCEEDED : RECORD_FAILED]++;
        d.ended++;
    }
    if (rc == 0)
        rc = task_move(tx, task_id, &d, e);
    if (rc)
        return rc;
    *ended = n;
    *out = list;
    return 0;
}
