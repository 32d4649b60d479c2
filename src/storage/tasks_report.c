/* What a report, and the metrics, count over records. */
#include "storage/tasks_inside.h"

#include <math.h>
#include <string.h>

int tasks_failures(struct tx *tx, const char *id, struct arena *a, struct failure_count **out,
                   size_t *count, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT coalesce(error_class, 'internal'), coalesce(error_code, 'unknown'), "
                      "min(error), count(*) FROM task_records WHERE task_id = $1 AND "
                      "status = 'failed' GROUP BY error_class, error_code "
                      "ORDER BY 4 DESC, 1, 2 LIMIT 1000",
                      DB_ARGS(db_text(id)), a, &rows, e);

    if (rc)
        return rc;
    struct failure_count *list = arena_alloc(a, (rows.count + 1) * sizeof *list);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = (struct failure_count){.error_class = db_str(&rows, i, 0),
                                         .error_code = db_str(&rows, i, 1),
                                         .example = db_str(&rows, i, 2),
                                         .count = db_i64(&rows, i, 3)};
    *count = rows.count;
    *out = list;
    return 0;
}

/* The value at or above which the share lies (nearest rank): sorted once by the database. */
static int percentiles_of(struct tx *tx, const char *id, const char *value, double out[4],
                          struct err *e)
{
    static const double shares[4] = {0.5, 0.9, 0.99, 1};
    struct arena a = {0};
    struct db_rows rows;
    const char *from = arena_printf(&a,
                                    "FROM (SELECT %s AS v FROM task_records WHERE task_id = $1 "
                                    "AND status = 'succeeded') x WHERE v IS NOT NULL",
                                    value);
    int rc = tx_query(tx, arena_printf(&a, "SELECT count(*) %s", from), DB_ARGS(db_text(id)), &a,
                      &rows, e);
    int64_t n = rc ? 0 : db_i64(&rows, 0, 0), rank[4];

    for (int i = 0; i < 4; i++) {
        out[i] = NAN;
        rank[i] = (int64_t)ceil(shares[i] * (double)n);
    }
    if (n)
        rc = tx_query(tx,
                      arena_printf(&a,
                                   "SELECT k, v FROM (SELECT v, row_number() OVER (ORDER BY v) AS "
                                   "k %s) ranked WHERE k IN ($2, $3, $4, $5)",
                                   from),
                      DB_ARGS(db_text(id), db_int(rank[0]), db_int(rank[1]), db_int(rank[2]),
                              db_int(rank[3])),
                      &a, &rows, e);
    for (size_t k = 0; rc == 0 && n && k < rows.count; k++)
        for (int i = 0; i < 4; i++)
            if (db_i64(&rows, k, 0) == rank[i])
                out[i] = db_f64(&rows, k, 1);
    arena_release(&a);
    return rc;
}

int tasks_percentiles(struct tx *tx, const char *id, struct task_percentiles *out, struct err *e)
{
    struct task_percentiles p;
    int rc = percentiles_of(tx, id, "CASE WHEN reused = 0 THEN seconds_making END", p.making, e);

    if (rc == 0)
        rc = percentiles_of(tx, id, "seconds_storing", p.storing, e);
    if (rc == 0)
        rc = percentiles_of(tx, id, "(ended_at - created_at) / 1000.0", p.total, e);
    if (rc == 0)
        *out = p;
    return rc;
}

/* Rows end in the order of their numbers, so the last ones are looked at until one is older. */
int tasks_ended_since(struct tx *tx, const char *id, int64_t since, int64_t *out, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT count(*) FROM task_records WHERE task_id = $1 AND end_number > 0 AND "
                      "end_number > coalesce((SELECT r.end_number FROM task_records r WHERE "
                      "r.task_id = $1 AND r.end_number > 0 AND r.ended_at < $2 "
                      "ORDER BY r.end_number DESC LIMIT 1), 0)",
                      DB_ARGS(db_text(id), db_int(since)), &a, &rows, e);

    if (rc == 0)
        *out = db_i64(&rows, 0, 0);
    arena_release(&a);
    return rc;
}

int tasks_totals(struct tx *tx, struct tasks_totals *out, struct err *e)
{
    struct arena a = {0};
    struct tasks_totals t = {0};
    struct db_rows rows, oldest = {0};
    int rc = tx_query(tx,
                      "SELECT status, count(*), CAST(sum(waiting) AS BIGINT), "
                      "CAST(sum(ready) AS BIGINT), CAST(sum(stored) AS BIGINT), "
                      "CAST(sum(failing) AS BIGINT), CAST(sum(succeeded) AS BIGINT), "
                      "CAST(sum(failed) AS BIGINT), CAST(sum(cancelled) AS BIGINT) "
                      "FROM tasks GROUP BY status",
                      DB_NONE, &a, &rows, e);

    if (rc == 0)
        rc = tx_query(tx, "SELECT min(r.ready_at) FROM task_records r WHERE r.status = 'ready'",
                      DB_NONE, &a, &oldest, e);
    for (size_t i = 0; rc == 0 && i < rows.count; i++) {
        enum task_status status = TASK_FAILED;
        (void)task_status_by_name(str_from(db_str(&rows, i, 0)), &status);
        t.by_status[status] = db_i64(&rows, i, 1);
        bool lives = status == TASK_RUNNING || status == TASK_PAUSED;
        for (size_t k = 0; k < RECORD_STATUSES; k++)
            if (lives || k == RECORD_READY || k == RECORD_STORED || k == RECORD_FAILING)
                t.records[k] += db_i64(&rows, i, 2 + k);
    }
    if (rc == 0) {
        t.oldest_ready = db_i64(&oldest, 0, 0);
        *out = t;
    }
    arena_release(&a);
    return rc;
}
