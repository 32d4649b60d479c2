/* What the one process does that reads a task's dataset. */
#include "base/map.h"
#include "storage/tasks_inside.h"

#include <string.h>

static int lost(const char *id, struct err *e)
{
    return ERR(e, ERR_CONFLICT, "the lease on task '%s' is lost, or it does not run", id);
}

/* ============================== The lease ============================== */

int tasks_take(struct tx *tx, const char *reader, const char *host, const char *only, int64_t now,
               int64_t until, struct arena *a, struct task *out, struct err *e)
{
    const char *sql = arena_printf(
        a,
        "UPDATE tasks SET reader = $1, lease_until = $4, read_at = $3 WHERE id IN ("
        "SELECT id FROM tasks WHERE status = 'running' AND (reader IS NULL OR lease_until <= $3) "
        "AND (host IS NULL OR host = $2) AND id = coalesce($5, id) "
        "AND NOT (phase = 'records' AND read_all = 1) "
        "ORDER BY read_at, id LIMIT 1%s) RETURNING " TASK_COLUMNS,
        for_update_free(tx));
    struct db_rows rows;
    int rc = tx_query(tx, sql,
                      DB_ARGS(db_text(reader), db_text(host ? host : ""), db_int(now),
                              db_int(until), db_text(only)),
                      a, &rows, e);

    if (rc)
        return rc;
    if (rows.count)
        task_from_row(&rows, 0, out);
    else
        *out = (struct task){0};
    return 0;
}

int tasks_keep(struct tx *tx, const char *id, const char *reader, int64_t until, struct err *e)
{
    int64_t changed;
    int rc = tx_exec(tx,
                     "UPDATE tasks SET lease_until = $3 WHERE id = $1 AND reader = $2 AND "
                     "status = 'running'",
                     DB_ARGS(db_text(id), db_text(reader), db_int(until)), &changed, e);

    return rc || changed ? rc : lost(id, e);
}

int tasks_leave(struct tx *tx, const char *id, const char *reader, struct err *e)
{
    return tx_exec(tx,
                   "UPDATE tasks SET reader = NULL, lease_until = 0 WHERE id = $1 AND reader = $2",
                   DB_ARGS(db_text(id), db_text(reader)), NULL, e);
}

/* ============================== Records ============================== */

/* Keys are hexadecimal digits: no two pairs give the same text. */
static const char *pair_of(const char *record_id, const char *key, struct arena *a)
{
    return arena_printf(a, "%s %s", key, record_id);
}

int task_records_known(struct tx *tx, const char *task_id, const struct record_key *keys,
                       size_t count, bool *known, struct err *e)
{
    struct arena a = {0};
    struct map found = {0};
    struct db_rows rows;
    const char **ids = arena_alloc(&a, (count + 1) * sizeof *ids);

    for (size_t i = 0; i < count; i++)
        ids[i] = keys[i].record_id;
    int rc = tx_query(tx,
                      arena_printf(&a,
                                   "SELECT record_id, key FROM task_records WHERE task_id = $1 "
                                   "AND record_id IN (%s)",
                                   in_texts(tx, 2, &a)),
                      DB_ARGS(db_text(task_id), db_text(json_texts(&a, ids, count))), &a, &rows, e);
    for (size_t i = 0; rc == 0 && i < rows.count; i++)
        map_put(&found, str_from(pair_of(db_str(&rows, i, 0), db_str(&rows, i, 1), &a)), &found);
    for (size_t i = 0; rc == 0 && i < count; i++)
        known[i] = map_get(&found, str_from(pair_of(keys[i].record_id, keys[i].key, &a))) != NULL;
    map_release(&found);
    arena_release(&a);
    return rc;
}

/* Object names that these rows would share with others of the task: only the holder of the task's
 * lease adds rows, and the task's row is held, so what is found stays true. `owners` maps a name to
 * the record that has it. */
static int find_owners(struct tx *tx, const char *task_id, const struct task_record *rows,
                       size_t count, struct arena *a, struct map *owners, struct err *e)
{
    const char **names = arena_alloc(a, (count + 1) * sizeof *names);
    struct db_rows found;
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (rows[i].object)
            names[n++] = rows[i].object;
    int rc = tx_query(tx,
                      arena_printf(a,
                                   "SELECT object, record_id FROM task_records WHERE task_id = $1 "
                                   "AND object IN (%s)",
                                   in_texts(tx, 2, a)),
                      DB_ARGS(db_text(task_id), db_text(json_texts(a, names, n))), a, &found, e);
    for (size_t i = 0; rc == 0 && i < found.count; i++)
        map_put(owners, str_from(db_str(&found, i, 0)), arena_strdup(a, db_str(&found, i, 1)));
    return rc;
}

/* The message outlives the caller's arena only within this step; the row keeps none of it. */
static void collide(struct task_record *r, const char *owner, struct arena *a)
{
    bool own = strcmp(owner, r->record_id) == 0;

    r->error = arena_printf(a, "the object name '%s' is taken by %s%s%s", r->object,
                            own ? "an earlier work of this record" : "record '", own ? "" : owner,
                            own ? "" : "'");
    r->error_class = "mapping";
    r->error_code = "collision";
    r->object = NULL;
    r->status = RECORD_FAILING;
}

enum { INSERT_WIDTH = 15, AT_ONCE = 32 };

static void fill(const struct task_record *r, const char *task_id, int64_t now,
                 struct db_value v[INSERT_WIDTH])
{
    const struct db_value values[INSERT_WIDTH] = {
        db_text(r->id),
        db_text(task_id),
        db_text(r->record_id),
        db_text(r->key),
        db_int(r->number),
        db_text(record_status_name(r->status)),
        db_text(r->generation_id),
        db_text(r->request),
        db_text(r->object),
        db_text(r->error_class),
        db_text(r->error_code),
        db_text(r->error),
        db_int(now),
        db_int(r->created_at ? r->created_at : now),
        db_int(r->status == RECORD_READY ? now : 0),
    };
    memcpy(v, values, sizeof values);
}

static int insert_some(struct tx *tx, const char *task_id, const struct task_record *rows, size_t n,
                       int64_t now, struct arena *a, struct err *e)
{
    struct db_value *values = arena_alloc(a, n * INSERT_WIDTH * sizeof *values);
    const char *sql =
        "INSERT INTO task_records (id, task_id, record_id, key, number, status, generation_id, "
        "request, object, error_class, error_code, error, due_at, created_at, ready_at) VALUES ";

    for (size_t i = 0; i < n; i++) {
        size_t k = i * INSERT_WIDTH;
        fill(&rows[i], task_id, now, &values[k]);
        sql = arena_printf(a,
                           "%s%s($%zu, $%zu, $%zu, $%zu, $%zu, $%zu, $%zu, $%zu, $%zu, $%zu, $%zu, "
                           "$%zu, $%zu, $%zu, $%zu)",
                           sql, i ? ", " : "", k + 1, k + 2, k + 3, k + 4, k + 5, k + 6, k + 7,
                           k + 8, k + 9, k + 10, k + 11, k + 12, k + 13, k + 14, k + 15);
    }
    return tx_exec(tx, sql, (struct db_args){values, n * INSERT_WIDTH}, NULL, e);
}

/* Rows with identifiers, and without names that others have. */
static int settle_rows(struct tx *tx, const char *task_id, struct task_record *rows, size_t count,
                       struct arena *a, struct task_delta *d, struct err *e)
{
    struct map owners = {0};
    int rc = find_owners(tx, task_id, rows, count, a, &owners, e);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct task_record *r = &rows[i];
        if (!r->id) {
            char *id = arena_alloc(a, UUID_TEXT);
            uuid_v7(id);
            r->id = id;
        }
        r->task_id = task_id;
        const char *owner = r->object ? map_get(&owners, str_from(r->object)) : NULL;
        if (owner)
            collide(r, owner, a);
        else if (r->object)
            map_put(&owners, str_from(r->object), arena_strdup(a, r->record_id));
        d->counts[r->status]++;
    }
    map_release(&owners);
    return rc;
}

int tasks_read(struct tx *tx, const struct task_read *r, struct task_record *rows, size_t count,
               int64_t now, struct err *e)
{
    struct arena a = {0};
    struct task_delta d = {0};
    struct task_record *own = arena_try(&a, count + 1, sizeof *own);
    int64_t changed = 0;
    int rc;

    if (!own)
        return ERR(e, ERR_NOMEM, "no memory for %zu records at once", count);
    if (count)
        memcpy(own, rows, count * sizeof *own);
    rc = tx_exec(tx,
                 "UPDATE tasks SET position = coalesce($3, position), read_all = $4, "
                 "known = known + $5 WHERE id = $1 AND reader = $2 AND status = 'running'",
                 DB_ARGS(db_text(r->task_id), db_text(r->reader), db_text(r->position),
                         db_int(r->read_all), db_int(r->known)),
                 &changed, e);
    if (rc == 0 && changed == 0)
        rc = lost(r->task_id, e);
    if (rc == 0 && count)
        rc = settle_rows(tx, r->task_id, own, count, &a, &d, e);
    for (size_t i = 0; rc == 0 && i < count; i += AT_ONCE)
        rc = insert_some(tx, r->task_id, &own[i], count - i < AT_ONCE ? count - i : AT_ONCE, now,
                         &a, e);
    if (rc == 0 && count)
        rc = task_move(tx, r->task_id, &d, e);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rows[i].status = own[i].status;
    arena_release(&a);
    return rc;
}

int tasks_outstanding(struct tx *tx, const char *id, int64_t *out, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int rc = query_one(tx, "SELECT waiting FROM tasks WHERE id = $1", DB_ARGS(db_text(id)), "task",
                       id, &a, &rows, e);

    if (rc == 0)
        *out = db_i64(&rows, 0, 0);
    arena_release(&a);
    return rc;
}

/* ============================== Changes ============================== */

int tasks_change(struct tx *tx, const char *id, const char *reader, const struct task_change *c,
                 int64_t now, struct err *e)
{
    struct arena a = {0};
    struct query q;
    struct db_rows rows;
    bool ends = c->status == TASK_COMPLETED || c->status == TASK_FAILED ||
                c->status == TASK_CANCELLED;

    query_init(&q, &a);
    query_add(&q, "UPDATE tasks SET read_at = read_at");
    if (c->records >= 0) {
        query_add(&q, ", records = ");
        query_arg(&q, db_int(c->records));
    }
    if (c->experiment_id) {
        query_add(&q, ", experiment_id = ");
        query_arg(&q, db_text(c->experiment_id));
    }
    if (c->phase >= 0) {
        query_add(&q, ", phase = ");
        query_arg(&q, db_text(task_phase_name((enum task_phase)c->phase)));
    }
    if (c->status >= 0) {
        query_add(&q, ", status = ");
        query_arg(&q, db_text(task_status_name((enum task_status)c->status)));
    }
    if (c->status >= 0 && c->status != TASK_RUNNING)
        query_add(&q, ", reader = NULL, lease_until = 0");
    if (ends) {
        query_add(&q, ", finished_at = ");
        query_arg(&q, db_int(now));
    }
    if (c->error_code || c->error) {
        query_add(&q, ", error_code = ");
        query_arg(&q, db_text(c->error_code && c->error_code[0] ? c->error_code : NULL));
        query_add(&q, ", error = ");
        query_arg(&q, db_text(c->error && c->error[0] ? c->error : NULL));
    }
    if (c->restart)
        query_add(&q, ", position = NULL, read_all = 0");
    query_add(&q, " WHERE status = 'running'");
    query_and(&q, "id = ", db_text(id));
    if (reader)
        query_and(&q, "reader = ", db_text(reader));
    query_add(&q, " RETURNING id");
    int rc = query_run(&q, tx, &rows, e);
    if (rc == 0 && rows.count == 0)
        rc = lost(id, e);
    arena_release(&a);
    return rc;
}

int tasks_ripen(struct tx *tx, int64_t now, int64_t *moved, struct err *e)
{
    (void)now; /* nobody reads such a task: it is taken at once */
    return tx_exec(tx,
                   "UPDATE tasks SET phase = 'end', reader = NULL, lease_until = 0 WHERE "
                   "status = 'running' AND phase = 'records' AND read_all = 1 AND " TASK_OPEN
                   " = 0",
                   DB_NONE, moved, e);
}

int tasks_complete(struct tx *tx, const char *id, const char *reader, int64_t now, struct err *e)
{
    int64_t changed;
    int rc = tx_exec(tx,
                     "UPDATE tasks SET status = 'completed', finished_at = $3, reader = NULL, "
                     "lease_until = 0 WHERE id = $1 AND reader = $2 AND status = 'running' AND "
                     "phase = 'end' AND " TASK_OPEN " = 0",
                     DB_ARGS(db_text(id), db_text(reader), db_int(now)), &changed, e);

    return rc || changed ? rc : lost(id, e);
}
