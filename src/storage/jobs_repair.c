/* Jobs that change hands, and what a sweep puts right or takes away. */
#include "base/uuid.h"
#include "storage/jobs.h"
#include "storage/jobs_inside.h"
#include "storage/query.h"

/* The run, or the task, that a generation g is of. */
#define WHOSE                                                                                      \
    " LEFT JOIN experiment_runs r ON r.id = g.run_id "                                             \
    "LEFT JOIN task_records w ON w.generation_id = g.id LEFT JOIN tasks t ON t.id = w.task_id "

int job_adopt(struct tx *tx, const char *id, const char *key, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT coalesce(g.user_id, ''), coalesce(g.run_id, w.task_id, '') "
                      "FROM generations g" WHOSE "WHERE g.key = $1 AND "
                      "g.status IN ('queued', 'running') ORDER BY "
                      "CASE WHEN r.status = 'paused' OR " TASK_PAUSED_STATUS " THEN 1 ELSE 0 END, "
                      "CASE WHEN coalesce(g.run_id, w.task_id) IS NULL THEN 0 ELSE 1 END, g.id "
                      "LIMIT 1",
                      DB_ARGS(db_text(key)), &a, &rows, e);

    if (rc == 0 && rows.count)
        rc = tx_exec(
            tx, "UPDATE jobs SET user_id = $2, run_id = $3 WHERE id = $1",
            DB_ARGS(db_text(id), db_text(db_str(&rows, 0, 0)), db_text(db_str(&rows, 0, 1))), NULL,
            e);
    arena_release(&a);
    return rc;
}

/* Jobs that others hold are passed over: the order of locks is jobs before runs, and this is called
 * with the run's row held. jobs_repair finds what is left. */
int jobs_adopt(struct tx *tx, const char *run_id, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    const char *lock =
        db_dialect(tx_db(tx)) == DIALECT_SQLITE ? "" : " FOR NO KEY UPDATE OF j SKIP LOCKED";
    const char *sql = arena_printf(
        &a,
        "SELECT j.id, j.key FROM jobs j WHERE j.run_id = $1 AND j.run_id <> '' AND "
        "j.status = 'queued' AND EXISTS (SELECT 1 FROM generations g" WHOSE
        "WHERE g.key = j.key AND g.status IN ('queued', 'running') AND "
        "coalesce(g.run_id, w.task_id, '') <> $1 AND (r.status IS NULL OR r.status <> 'paused') "
        "AND (t.status IS NULL OR NOT " TASK_PAUSED_STATUS ")) "
        "ORDER BY j.id%s",
        lock);
    int rc = tx_query(tx, sql, DB_ARGS(db_text(run_id)), &a, &rows, e);

    for (size_t i = 0; rc == 0 && i < rows.count; i++)
        rc = job_adopt(tx, db_str(&rows, i, 0), db_str(&rows, i, 1), e);
    arena_release(&a);
    return rc;
}

int jobs_put_for(struct tx *tx, const struct generation *g, int64_t now, struct arena *a,
                 const char **id, struct err *e)
{
    enum { ATTEMPTS = 3 };
    char *fresh = arena_alloc(a, UUID_TEXT);
    struct db_rows task;
    int rc = tx_query(tx, "SELECT task_id, number FROM task_records WHERE generation_id = $1",
                      DB_ARGS(db_text(g->id)), a, &task, e);

    if (rc)
        return rc;
    const char *run = g->run_id ? g->run_id : task.count ? db_str(&task, 0, 0) : NULL;
    struct job_row job = {
        .id = fresh,
        .key = g->key,
        .recipe = g->parameters,
        .provider = g->provider ? g->provider : "",
        .model = g->model_name,
        .user_id = g->user_id,
        .run_id = run,
        .priority = run ? PRIORITY_BATCH : PRIORITY_INTERACTIVE,
        .position = g->run_id    ? g->cell
                    : task.count ? db_i64(&task, 0, 1)
                                 : 0,
        .max_attempts = ATTEMPTS,
        .created_at = now,
    };

    uuid_v7(fresh);
    return jobs_put(tx, &job, a, id, e);
}

static int repair_one(struct tx *tx, struct changes *c, const char *generation_id, int64_t now,
                      struct err *e)
{
    struct generation g;
    const char *id;
    int rc = generations_get(tx, generation_id, c->a, &g, e);

    if (rc || (g.status != GENERATION_QUEUED && g.status != GENERATION_RUNNING))
        return rc;
    rc = jobs_put_for(tx, &g, now, c->a, &id, e);
    if (rc == 0 && !id)
        return wishes_end(tx, c, g.key, GENERATION_SUCCEEDED, true, NULL, NULL, now, e);
    return rc ? rc : wishes_show(tx, g.key, false, 0, e);
}

static int adopt_stuck(struct tx *tx, int limit, struct arena *a, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT id FROM experiment_runs WHERE status = 'paused' UNION ALL "
                      "SELECT t.id FROM tasks t WHERE " TASK_PAUSED_STATUS " AND EXISTS (SELECT 1 "
                      "FROM jobs j WHERE j.run_id = t.id AND j.status = 'queued') LIMIT $1",
                      DB_ARGS(db_int(limit)), a, &rows, e);

    for (size_t i = 0; rc == 0 && i < rows.count; i++)
        rc = jobs_adopt(tx, db_str(&rows, i, 0), e);
    return rc;
}

int jobs_repair(struct tx *tx, int64_t now, int limit, struct arena *a, size_t *repaired,
                struct job_outcome *out, struct err *e)
{
    struct changes c = {.a = a};
    struct job_outcome outcome;
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT g.id FROM generations g WHERE g.status IN ('queued', 'running') AND "
                      "g.key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs j WHERE "
                      "j.key = g.key AND j.status IN ('queued', 'running')) "
                      "ORDER BY g.key, g.id LIMIT $1",
                      DB_ARGS(db_int(page_limit(limit))), a, &rows, e);

    for (size_t i = 0; rc == 0 && i < rows.count; i++)
        rc = repair_one(tx, &c, db_str(&rows, i, 0), now, e);
    if (rc == 0)
        rc = changes_apply(tx, &c, now, &outcome, e);
    if (rc == 0)
        rc = adopt_stuck(tx, page_limit(limit), a, e);
    if (rc)
        return rc;
    *repaired = rows.count;
    *out = outcome;
    return 0;
}

/* Identifiers are in the order of creation, and nothing ends before it was created: the primary key
 * finds what is old. Rows that another process removes at this moment are passed over. */
int jobs_prune(struct tx *tx, int64_t before, int limit, size_t *removed, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    char floor[UUID_TEXT];
    const char *lock = db_dialect(tx_db(tx)) == DIALECT_SQLITE ? "" : " FOR UPDATE SKIP LOCKED";
    const char *sql = arena_printf(
        &a,
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE id < $1 AND status IN "
        "('succeeded', 'failed', 'cancelled') AND dead = 0 AND finished_at < $2 "
        "ORDER BY id LIMIT $3%s) RETURNING id",
        lock);

    uuid_v7_floor(before, floor);
    int rc =
        tx_query(tx, sql, DB_ARGS(db_text(floor), db_int(before), db_int(limit)), &a, &rows, e);
    if (rc == 0)
        *removed = rows.count;
    arena_release(&a);
    return rc;
}
