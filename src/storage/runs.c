#include "storage/experiments.h"
#include "storage/generations_rows.h"
#include "storage/jobs_inside.h"
#include "storage/query.h"

#include <string.h>

#define COLUMNS                                                                                    \
    "r.id, r.experiment_id, r.number, r.status, r.spec, r.plan, r.total, r.completed, r.failed, "  \
    "r.cancelled, r.impossible, r.reused, r.created_at, r.started_at, r.finished_at, "             \
    "r.budget_ms, r.seconds_drawing"

static void from_row(const struct db_rows *r, size_t row, struct run *out)
{
    enum experiment_status status = EXPERIMENT_DRAFT;

    (void)experiment_status_by_name(str_from(db_str(r, row, 3)), &status);
    *out = (struct run){
        .id = db_str(r, row, 0),
        .experiment_id = db_str(r, row, 1),
        .number = (int)db_i64(r, row, 2),
        .status = status,
        .spec = db_str(r, row, 4),
        .plan = db_str(r, row, 5),
        .total = db_i64(r, row, 6),
        .completed = db_i64(r, row, 7),
        .failed = db_i64(r, row, 8),
        .cancelled = db_i64(r, row, 9),
        .impossible = db_i64(r, row, 10),
        .reused = db_i64(r, row, 11),
        .created_at = db_i64(r, row, 12),
        .started_at = db_i64(r, row, 13),
        .finished_at = db_i64(r, row, 14),
        .budget_ms = db_i64(r, row, 15),
        .seconds_drawing = db_f64(r, row, 16),
    };
}

/* The experiment's row is locked by counting the run, so numbers have no doubles and no gaps. */
int runs_insert(struct tx *tx, struct run *run, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int64_t running = run->status == EXPERIMENT_RUNNING ? run->created_at : 0;
    int rc =
        query_one(tx,
                  "UPDATE experiments SET runs = runs + 1, status = $2, updated_at = $3 "
                  "WHERE id = $1 AND deleted_at IS NULL RETURNING runs",
                  DB_ARGS(db_text(run->experiment_id), db_text(experiment_status_name(run->status)),
                          db_int(run->created_at)),
                  "experiment", run->experiment_id, &a, &rows, e);

    if (rc == 0)
        rc = tx_exec(tx,
                     "INSERT INTO experiment_runs (id, experiment_id, number, status, spec, plan, "
                     "total, completed, failed, cancelled, impossible, reused, created_at, "
                     "started_at, finished_at, budget_ms, resumed_at) VALUES ($1, $2, $3, $4, $5, "
                     "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
                     DB_ARGS(db_text(run->id), db_text(run->experiment_id),
                             db_int(db_i64(&rows, 0, 0)),
                             db_text(experiment_status_name(run->status)), db_text(run->spec),
                             db_text(run->plan), db_int(run->total), db_int(run->completed),
                             db_int(run->failed), db_int(run->cancelled), db_int(run->impossible),
                             db_int(run->reused), db_int(run->created_at),
                             db_int_or_null(run->started_at ? run->started_at : running),
                             db_int_or_null(run->finished_at), db_int(run->budget_ms),
                             db_int_or_null(running)),
                     NULL, e);
    if (rc == 0)
        run->number = (int)db_i64(&rows, 0, 0);
    arena_release(&a);
    return rc;
}

int runs_get(struct tx *tx, const char *id, struct arena *a, struct run *out, struct err *e)
{
    struct db_rows rows;
    int rc = query_one(tx, "SELECT " COLUMNS " FROM experiment_runs r WHERE r.id = $1",
                       DB_ARGS(db_text(id)), "run", id, a, &rows, e);

    if (rc == 0)
        from_row(&rows, 0, out);
    return rc;
}

int runs_last(struct tx *tx, const char *experiment_id, struct arena *a, struct run *out,
              struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT " COLUMNS " FROM experiment_runs r WHERE r.experiment_id = $1 "
                      "ORDER BY r.number DESC LIMIT 1",
                      DB_ARGS(db_text(experiment_id)), a, &rows, e);

    if (rc == 0 && rows.count == 0)
        rc = ERR(e, ERR_NOT_FOUND, "the experiment '%s' has no run", experiment_id);
    if (rc == 0)
        from_row(&rows, 0, out);
    return rc;
}

int runs_list(struct tx *tx, const char *experiment_id, struct arena *a, struct run **out,
              size_t *count, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT " COLUMNS " FROM experiment_runs r WHERE r.experiment_id = $1 "
                      "ORDER BY r.number",
                      DB_ARGS(db_text(experiment_id)), a, &rows, e);

    if (rc)
        return rc;
    struct run *runs = arena_alloc(a, rows.count * sizeof *runs);
    for (size_t i = 0; i < rows.count; i++)
        from_row(&rows, i, &runs[i]);
    *count = rows.count;
    *out = runs;
    return 0;
}

static int show_status(struct tx *tx, const char *id, int64_t now, struct err *e)
{
    return tx_exec(tx,
                   "UPDATE experiments SET updated_at = $2, status = "
                   "(SELECT r.status FROM experiment_runs r WHERE r.id = $1) WHERE id = "
                   "(SELECT r.experiment_id FROM experiment_runs r WHERE r.id = $1) AND runs = "
                   "(SELECT r.number FROM experiment_runs r WHERE r.id = $1)",
                   DB_ARGS(db_text(id), db_int(now)), NULL, e);
}

static bool may_become(enum experiment_status from, enum experiment_status to)
{
    switch (to) {
    case EXPERIMENT_RUNNING:
    case EXPERIMENT_PAUSED:
        return from == EXPERIMENT_RUNNING || from == EXPERIMENT_PAUSED;
    case EXPERIMENT_CANCELLED:
    case EXPERIMENT_COMPLETED:
    case EXPERIMENT_FAILED:
        return from == EXPERIMENT_RUNNING || from == EXPERIMENT_PAUSED || from == to;
    default:
        return false;
    }
}

int runs_store_status(struct tx *tx, const char *id, enum experiment_status status, int64_t now,
                      struct err *e)
{
    bool runs = status == EXPERIMENT_RUNNING;
    bool ended = !runs && status != EXPERIMENT_PAUSED;
    int rc = exec_one(tx,
                      "UPDATE experiment_runs SET status = $2, "
                      "started_at = coalesce(started_at, CAST($3 AS BIGINT)), "
                      "finished_at = CAST($4 AS BIGINT), used_ms = used_ms + "
                      "coalesce(CAST($6 AS BIGINT) - resumed_at, 0), "
                      "resumed_at = CAST($5 AS BIGINT) WHERE id = $1",
                      DB_ARGS(db_text(id), db_text(experiment_status_name(status)),
                              db_int_or_null(runs ? now : 0), db_int_or_null(ended ? now : 0),
                              db_int_or_null(runs ? now : 0), db_int(now)),
                      "run", id, e);

    return rc ? rc : show_status(tx, id, now, e);
}

int runs_lock(struct tx *tx, const char *id, struct arena *a, struct run *out, struct err *e)
{
    struct db_rows rows;
    const char *sql = arena_printf(a, "SELECT " COLUMNS " FROM experiment_runs r WHERE r.id = $1%s",
                                   for_update(tx));
    int rc = query_one(tx, sql, DB_ARGS(db_text(id)), "run", id, a, &rows, e);

    if (rc == 0)
        from_row(&rows, 0, out);
    return rc;
}

int runs_set_status(struct tx *tx, const char *id, enum experiment_status status, int64_t now,
                    struct err *e)
{
    struct arena a = {0};
    struct run run;
    int rc = runs_lock(tx, id, &a, &run, e);

    if (rc == 0 && !may_become(run.status, status))
        rc = ERR(e, ERR_CONFLICT, "a run that is %s cannot become %s",
                 experiment_status_name(run.status), experiment_status_name(status));
    if (rc == 0 && (run.status != status || !run.started_at))
        rc = runs_store_status(tx, id, status, now, e);
    if (rc == 0 && status == EXPERIMENT_PAUSED)
        rc = jobs_adopt(tx, id, e);
    arena_release(&a);
    return rc;
}

static int count_cells(struct tx *tx, struct run *run, int64_t *waiting, struct arena *a,
                       struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT status, count(*), CAST(sum(reused) AS BIGINT), "
                      "sum(CASE WHEN reused = 0 THEN seconds END) "
                      "FROM generations WHERE run_id = $1 GROUP BY status",
                      DB_ARGS(db_text(run->id)), a, &rows, e);

    if (rc)
        return rc;
    run->total = run->completed = run->failed = run->cancelled = run->impossible = 0;
    run->reused = *waiting = 0;
    run->seconds_drawing = 0;
    for (size_t i = 0; i < rows.count; i++) {
        enum generation_status status = GENERATION_QUEUED;
        int64_t n = db_i64(&rows, i, 1);
        (void)generation_status_by_name(str_from(db_str(&rows, i, 0)), &status);
        int64_t *counter[] = {
            [GENERATION_QUEUED] = waiting,
            [GENERATION_RUNNING] = waiting,
            [GENERATION_SUCCEEDED] = &run->completed,
            [GENERATION_FAILED] = &run->failed,
            [GENERATION_CANCELLED] = &run->cancelled,
            [GENERATION_IMPOSSIBLE] = &run->impossible,
        };
        *counter[status] += n;
        run->total += n;
        run->reused += db_i64(&rows, i, 2);
        if (status == GENERATION_SUCCEEDED && db_at(&rows, i, 3)->type != DB_NULL)
            run->seconds_drawing = db_f64(&rows, i, 3);
    }
    return 0;
}

/* The row is locked by one statement and the cells are counted by the next, which therefore sees
 * all that ended under the lock before; who ends cells after that adds to these numbers. */
int runs_recount(struct tx *tx, const char *id, int64_t now, struct arena *a, struct run *out,
                 struct err *e)
{
    struct run run;
    int64_t waiting = 0;
    int rc = runs_lock(tx, id, a, &run, e);

    if (rc == 0)
        rc = count_cells(tx, &run, &waiting, a, e);
    if (rc == 0)
        rc = tx_exec(tx,
                     "UPDATE experiment_runs SET total = $2, completed = $3, failed = $4, "
                     "cancelled = $5, impossible = $6, reused = $7, seconds_drawing = $8 "
                     "WHERE id = $1",
                     DB_ARGS(db_text(id), db_int(run.total), db_int(run.completed),
                             db_int(run.failed), db_int(run.cancelled), db_int(run.impossible),
                             db_int(run.reused), db_real(run.seconds_drawing)),
                     NULL, e);
    if (rc == 0)
        rc = runs_settle(tx, &run, waiting, now, e);
    return rc ? rc : runs_get(tx, id, a, out, e);
}

int runs_set_plan(struct tx *tx, const char *id, const char *spec, const char *plan, struct err *e)
{
    return exec_one(tx, "UPDATE experiment_runs SET spec = $2, plan = $3 WHERE id = $1",
                    DB_ARGS(db_text(id), db_text(spec), db_text(plan)), "run", id, e);
}

/* Rows that are moved step aside to negative places first, so that no two meet on the way. */
int runs_renumber(struct tx *tx, const char *id, const int64_t *places, size_t count, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        if (places[i] >= 0 && places[i] != (int64_t)i)
            rc = tx_exec(tx, "UPDATE generations SET cell = $3 WHERE run_id = $1 AND cell = $2",
                         DB_ARGS(db_text(id), db_int((int64_t)i), db_int(-2 - places[i])), NULL, e);
    return rc ? rc
              : tx_exec(tx,
                        "UPDATE generations SET cell = -2 - cell WHERE run_id = $1 AND cell <= -2",
                        DB_ARGS(db_text(id)), NULL, e);
}

int runs_reopen(struct tx *tx, const char *id, int64_t now, struct err *e)
{
    struct arena a = {0};
    struct run run;
    int rc = runs_lock(tx, id, &a, &run, e);

    if (rc == 0)
        rc = runs_store_status(tx, id, EXPERIMENT_RUNNING, now, e);
    arena_release(&a);
    return rc;
}

int runs_over_budget(struct tx *tx, int64_t now, struct arena *a, const char ***ids, size_t *count,
                     struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT id FROM experiment_runs WHERE status = 'running' AND budget_ms > 0 "
                      "AND used_ms + CAST($1 AS BIGINT) - resumed_at >= budget_ms ORDER BY id",
                      DB_ARGS(db_int(now)), a, &rows, e);

    if (rc)
        return rc;
    const char **list = arena_alloc(a, (rows.count + 1) * sizeof *list);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = db_str(&rows, i, 0);
    *count = rows.count;
    *ids = list;
    return 0;
}

int runs_cells(struct tx *tx, const char *id, struct arena *a, struct generation **out,
               size_t *count, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT " GENERATION_COLUMNS " FROM generations g" GENERATION_PICTURE
                      " WHERE g.run_id = $1 ORDER BY g.cell, g.replicate, g.id",
                      DB_ARGS(db_text(id)), a, &rows, e);

    if (rc == 0)
        rc = generations_from_rows(tx, &rows, rows.count, a, out, e);
    if (rc == 0)
        *count = rows.count;
    return rc;
}

int runs_pictures(struct tx *tx, const char *id, struct arena *a, struct cell_picture **out,
                  size_t *count, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT g.id, i.sha256, g.prompt_hash, g.seed, g.cell FROM generations g "
                      "JOIN images i ON i.key = g.key WHERE g.run_id = $1 AND "
                      "g.status = 'succeeded' ORDER BY g.cell, g.id",
                      DB_ARGS(db_text(id)), a, &rows, e);

    if (rc)
        return rc;
    struct cell_picture *list = arena_try(a, rows.count + 1, sizeof *list);
    if (!list)
        return ERR(e, ERR_NOMEM, "no memory for %zu cells", rows.count);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = (struct cell_picture){db_str(&rows, i, 0), db_str(&rows, i, 1),
                                        db_str(&rows, i, 2), db_str(&rows, i, 3),
                                        db_i64(&rows, i, 4)};
    *count = rows.count;
    *out = list;
    return 0;
}
