#include "storage/trash.h"

#include "base/clock.h"
#include "storage/generations_rows.h"
#include "storage/jobs.h"
#include "storage/query.h"

/* ============================== Generations ============================== */

/* Identifiers of one column as a list of texts. */
static const char **column_of(const struct db_rows *rows, struct arena *a)
{
    const char **list = arena_alloc(a, (rows->count + 1) * sizeof *list);

    for (size_t i = 0; i < rows->count; i++)
        list[i] = db_str(rows, i, 0);
    return list;
}

/* The rows are locked before they are copied, so that none changes in between. `ids` as json_texts
 * makes it. */
static int move_out(struct tx *tx, const char *ids, int64_t now, struct arena *a, struct err *e)
{
    bool sqlite = db_dialect(tx_db(tx)) == DIALECT_SQLITE;
    struct db_rows rows;
    int rc = tx_query(tx,
                      arena_printf(a,
                                   "SELECT id FROM generations WHERE id IN (%s) AND status NOT IN "
                                   "('queued', 'running') ORDER BY id%s",
                                   in_texts(tx, 1, a), sqlite ? "" : " FOR UPDATE"),
                      DB_ARGS(db_text(ids)), a, &rows, e);

    if (rc || rows.count == 0)
        return rc;
    const char *those = json_texts(a, column_of(&rows, a), rows.count);
    rc = tx_exec(tx,
                 arena_printf(a,
                              "INSERT INTO deleted_generations (" GENERATION_STORED
                              "%s, tags, deleted_at) SELECT " GENERATION_STORED
                              "%s, (SELECT %s(t.tag) FROM generation_tags t WHERE "
                              "t.generation_id = generations.id), CAST($2 AS BIGINT) "
                              "FROM generations WHERE id IN (%s)",
                              sqlite ? ", seq" : "", sqlite ? ", seq" : "",
                              sqlite ? "json_group_array" : "json_agg", in_texts(tx, 1, a)),
                 DB_ARGS(db_text(those), db_int(now)), NULL, e);
    return rc ? rc
              : tx_exec(
                    tx,
                    arena_printf(a, "DELETE FROM generations WHERE id IN (%s)", in_texts(tx, 1, a)),
                    DB_ARGS(db_text(those)), NULL, e);
}

int trash_put(struct tx *tx, const char *const *ids, size_t count, int64_t now, struct err *e)
{
    struct arena a = {0};
    int rc = move_out(tx, json_texts(&a, ids, count), now, &a, e);

    arena_release(&a);
    return rc;
}

/*
 * On SQLite a row gets the number back that it had, for searches go by it, unless the number was
 * given away meanwhile, which happens to the newest: those get another. Ascending, for FTS5 writes
 * to the disk whenever a number is smaller than the one before.
 */
static const char *const numbers_back[] = {
    [DIALECT_SQLITE] = "INSERT OR IGNORE INTO generations (" GENERATION_STORED
                       ", seq) SELECT " GENERATION_STORED
                       ", seq FROM deleted_generations WHERE id IN (%s) ORDER BY seq",
    [DIALECT_POSTGRES] = NULL,
};
static const char rows_back[] = "INSERT INTO generations (" GENERATION_STORED
                                ") SELECT " GENERATION_STORED
                                " FROM deleted_generations d WHERE id IN (%s) AND NOT EXISTS "
                                "(SELECT 1 FROM generations g WHERE g.id = d.id) ORDER BY id";
static const char *const tags_back[] = {
    [DIALECT_SQLITE] = "INSERT INTO generation_tags (generation_id, tag) SELECT d.id, t.value "
                       "FROM deleted_generations d, json_each(d.tags) t WHERE d.id IN (%s)",
    [DIALECT_POSTGRES] =
        "INSERT INTO generation_tags (generation_id, tag) SELECT d.id, t.value FROM "
        "deleted_generations d, json_array_elements_text(CAST(d.tags AS json)) t (value) "
        "WHERE d.id IN (%s)",
};

/* Run `format`, whose %s is the list of identifiers. */
static int exec_on(struct tx *tx, const char *format, const char *ids, struct arena *a,
                   struct err *e)
{
    struct query q;
    const char *hole = format;

    while (hole[0] != '%')
        hole++;
    query_init(&q, a);
    query_add(&q, arena_str(a, (struct str){format, (size_t)(hole - format)}));
    query_add(&q, in_texts(tx, 1, a));
    query_add(&q, hole + 2);
    return tx_exec(tx, q.sql, DB_ARGS(db_text(ids)), NULL, e);
}

static int find(struct tx *tx, const char *ids, struct arena *a, struct db_rows *rows,
                struct err *e)
{
    bool lock = tx_mode(tx) == TX_WRITE && db_dialect(tx_db(tx)) == DIALECT_POSTGRES;

    return tx_query(tx,
                    arena_printf(a,
                                 "SELECT " GENERATION_COLUMNS
                                 " FROM deleted_generations g" GENERATION_PICTURE
                                 " WHERE g.id IN (%s) ORDER BY g.id%s",
                                 in_texts(tx, 1, a), lock ? " FOR UPDATE OF g" : ""),
                    DB_ARGS(db_text(ids)), a, rows, e);
}

static int move_back(struct tx *tx, const char *ids, struct arena *a, struct err *e)
{
    enum db_dialect dialect = db_dialect(tx_db(tx));
    struct generation *list;
    struct db_rows rows;
    int rc = find(tx, ids, a, &rows, e);

    if (rc || rows.count == 0)
        return rc;
    const char *those = json_texts(a, column_of(&rows, a), rows.count);
    rc = numbers_back[dialect] ? exec_on(tx, numbers_back[dialect], those, a, e) : 0;
    if (rc == 0)
        rc = exec_on(tx, rows_back, those, a, e);
    if (rc == 0)
        rc = exec_on(tx, tags_back[dialect], those, a, e);
    if (rc == 0)
        rc = exec_on(tx, "DELETE FROM deleted_generations WHERE id IN (%s)", those, a, e);
    if (rc == 0)
        rc = generations_from_rows(tx, &rows, rows.count, a, &list, e);
    return rc ? rc : generations_insert_words(tx, list, rows.count, a, e);
}

int trash_take(struct tx *tx, const char *const *ids, size_t count, struct err *e)
{
    struct arena a = {0};
    int rc = move_back(tx, json_texts(&a, ids, count), &a, e);

    arena_release(&a);
    return rc;
}

int trash_find(struct tx *tx, const char *const *ids, size_t count, struct arena *a,
               struct generation **out, size_t *found, struct err *e)
{
    struct db_rows rows;
    int rc = find(tx, json_texts(a, ids, count), a, &rows, e);

    if (rc == 0)
        rc = generations_from_rows(tx, &rows, rows.count, a, out, e);
    if (rc == 0)
        *found = rows.count;
    return rc;
}

/* ============================== Experiments ============================== */

int trash_experiment(struct tx *tx, const char *id, bool keep_cells, int64_t now, struct err *e)
{
    struct arena a = {0};
    struct job_outcome outcome;
    struct experiment x;
    struct run *runs;
    size_t count = 0;
    int rc = experiments_get(tx, id, &a, &x, e);

    if (rc == 0 && x.status == EXPERIMENT_RUNNING)
        rc = ERR(e, ERR_CONFLICT, "the experiment is running: cancel or pause it first");
    if (rc == 0)
        rc = runs_list(tx, id, &a, &runs, &count, e);
    for (size_t i = 0; i < count && rc == 0; i++) /* no job is drawn for nobody */
        rc = jobs_cancel_run(tx, runs[i].id, clock_unix_ms(), &a, &outcome, e);
    if (rc == 0)
        rc = exec_one(tx,
                      "UPDATE experiments SET deleted_at = $2, cells_kept = $3, moving = 1 "
                      "WHERE id = $1 AND deleted_at IS NULL",
                      DB_ARGS(db_text(id), db_int(now), db_int(keep_cells)), "experiment", id, e);
    arena_release(&a);
    return rc;
}

int trash_experiment_take(struct tx *tx, const char *id, struct err *e)
{
    return exec_one(tx,
                    "UPDATE experiments SET deleted_at = NULL, moving = 1 "
                    "WHERE id = $1 AND deleted_at IS NOT NULL",
                    DB_ARGS(db_text(id)), "deleted experiment", id, e);
}

/* At most `limit` identifiers of a table's rows of that experiment, as a list. */
static int piece_of(struct tx *tx, const char *sql, const char *experiment_id, int limit,
                    struct arena *a, const char **ids, size_t *n, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx, sql, DB_ARGS(db_text(experiment_id), db_int(limit)), a, &rows, e);

    if (rc == 0) {
        *ids = json_texts(a, column_of(&rows, a), rows.count);
        *n = rows.count;
    }
    return rc;
}

static int detach(struct tx *tx, const char *ids, struct arena *a, struct err *e)
{
    int rc = exec_on(tx,
                     "INSERT INTO detached_cells (generation_id, experiment_id, run_id, cell, "
                     "replicate, axes) SELECT id, experiment_id, run_id, cell, replicate, axes "
                     "FROM generations WHERE run_id IS NOT NULL AND id IN (%s)",
                     ids, a, e);

    return rc ? rc
              : exec_on(tx,
                        "UPDATE generations SET run_id = NULL, experiment_id = NULL, cell = -1, "
                        "replicate = 0, axes = NULL WHERE id IN (%s)",
                        ids, a, e);
}

/* Also those that were deleted since: an experiment comes back with all its cells. */
static int attach(struct tx *tx, const char *ids, struct arena *a, struct err *e)
{
    int rc = exec_on(tx,
                     "UPDATE generations SET (run_id, experiment_id, cell, replicate, axes) = "
                     "(SELECT d.run_id, d.experiment_id, d.cell, d.replicate, d.axes FROM "
                     "detached_cells d WHERE d.generation_id = generations.id) WHERE id IN (%s)",
                     ids, a, e);

    if (rc == 0)
        rc = exec_on(tx,
                     "UPDATE deleted_generations SET (run_id, experiment_id, cell, replicate, "
                     "axes) = (SELECT d.run_id, d.experiment_id, d.cell, d.replicate, d.axes FROM "
                     "detached_cells d WHERE d.generation_id = deleted_generations.id) "
                     "WHERE id IN (%s)",
                     ids, a, e);
    return rc ? rc
              : exec_on(tx, "DELETE FROM detached_cells WHERE generation_id IN (%s)", ids, a, e);
}

static const char cells_there[] = "SELECT id FROM generations WHERE experiment_id = $1 AND status "
                                  "NOT IN ('queued', 'running') ORDER BY id LIMIT $2",
                  cells_detached[] = "SELECT generation_id FROM detached_cells WHERE "
                                     "experiment_id = $1 ORDER BY generation_id LIMIT $2",
                  cells_deleted[] = "SELECT id FROM deleted_generations WHERE experiment_id = $1 "
                                    "ORDER BY id LIMIT $2";

static int move_away(struct tx *tx, const char *id, int64_t deleted_at, bool keep, int limit,
                     struct arena *a, size_t *moved, struct err *e)
{
    const char *ids;
    int rc = piece_of(tx, cells_there, id, limit, a, &ids, moved, e);

    if (rc || *moved == 0)
        return rc;
    return keep ? detach(tx, ids, a, e) : move_out(tx, ids, deleted_at, a, e);
}

static int move_home(struct tx *tx, const char *id, int limit, struct arena *a, size_t *moved,
                     struct err *e)
{
    const char *ids;
    int rc = piece_of(tx, cells_detached, id, limit, a, &ids, moved, e);

    if (rc || *moved)
        return rc ? rc : attach(tx, ids, a, e);
    rc = piece_of(tx, cells_deleted, id, limit, a, &ids, moved, e);
    return rc || *moved == 0 ? rc : move_back(tx, ids, a, e);
}

int trash_move(struct tx *tx, const char *experiment_id, int limit, bool *more, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    size_t moved = 0;
    int rc = tx_query(tx,
                      arena_printf(&a,
                                   "SELECT deleted_at, cells_kept FROM experiments "
                                   "WHERE id = $1 AND moving = 1%s",
                                   for_update(tx)),
                      DB_ARGS(db_text(experiment_id)), &a, &rows, e);

    if (rc == 0 && rows.count && db_i64(&rows, 0, 0))
        rc = move_away(tx, experiment_id, db_i64(&rows, 0, 0), db_i64(&rows, 0, 1) != 0, limit, &a,
                       &moved, e);
    else if (rc == 0 && rows.count)
        rc = move_home(tx, experiment_id, limit, &a, &moved, e);
    if (rc == 0 && rows.count && moved == 0)
        rc = tx_exec(tx, "UPDATE experiments SET moving = 0 WHERE id = $1",
                     DB_ARGS(db_text(experiment_id)), NULL, e);
    if (rc == 0)
        *more = moved > 0;
    arena_release(&a);
    return rc;
}

int trash_moving(struct tx *tx, struct arena *a, const char ***ids, size_t *count, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx, "SELECT id FROM experiments WHERE moving = 1 ORDER BY id LIMIT 100",
                      DB_NONE, a, &rows, e);

    if (rc == 0) {
        *ids = column_of(&rows, a);
        *count = rows.count;
    }
    return rc;
}

/* ============================== For good ============================== */

static int sweep_generations(struct tx *tx, int64_t before, int limit, bool *more, struct err *e)
{
    int64_t gone;
    int rc = tx_exec(tx,
                     "DELETE FROM deleted_generations WHERE id IN (SELECT d.id FROM "
                     "deleted_generations d WHERE d.deleted_at < $1 AND NOT EXISTS (SELECT 1 FROM "
                     "experiments x WHERE x.id = d.experiment_id AND x.deleted_at IS NOT NULL) "
                     "ORDER BY d.deleted_at LIMIT $2)",
                     DB_ARGS(db_int(before), db_int(limit)), &gone, e);

    if (rc == 0)
        *more = gone == limit;
    return rc;
}

/* Its cells in pieces, then the row, with runs and votes. */
int trash_sweep(struct tx *tx, int64_t before, int limit, bool *more, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int64_t gone = 0;
    int rc = tx_query(tx,
                      arena_printf(&a,
                                   "SELECT id FROM experiments WHERE deleted_at < $1 AND "
                                   "moving = 0 ORDER BY deleted_at LIMIT 1%s",
                                   for_update_free(tx)),
                      DB_ARGS(db_int(before)), &a, &rows, e);

    if (rc == 0 && rows.count == 0) {
        rc = sweep_generations(tx, before, limit, more, e);
        goto out;
    }
    if (rc == 0)
        rc = tx_exec(tx,
                     "DELETE FROM deleted_generations WHERE id IN (SELECT id FROM "
                     "deleted_generations WHERE experiment_id = $1 LIMIT $2)",
                     DB_ARGS(db_text(db_str(&rows, 0, 0)), db_int(limit)), &gone, e);
    if (rc == 0 && gone < limit)
        rc = tx_exec(tx, "DELETE FROM experiments WHERE id = $1",
                     DB_ARGS(db_text(db_str(&rows, 0, 0))), NULL, e);
    if (rc == 0)
        *more = true;
out:
    arena_release(&a);
    return rc;
}
