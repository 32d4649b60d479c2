#include "storage/tasks.h"

#include "storage/tasks_inside.h"

#include <string.h>

static const char *const statuses[] = {
    [TASK_RUNNING] = "running", [TASK_AWAITING_APPROVAL] = "awaiting_approval",
    [TASK_PAUSED] = "paused",   [TASK_COMPLETED] = "completed",
    [TASK_FAILED] = "failed",   [TASK_CANCELLED] = "cancelled",
};
static const char *const phases[] = {
    [TASK_SAMPLE] = "sample",
    [TASK_CANARY] = "canary",
    [TASK_RECORDS] = "records",
    [TASK_END] = "end",
};
enum { STATUSES = sizeof statuses / sizeof *statuses, PHASES = sizeof phases / sizeof *phases };

const char *task_status_name(enum task_status s)
{
    return statuses[s];
}

const char *task_phase_name(enum task_phase p)
{
    return phases[p];
}

bool task_status_by_name(struct str name, enum task_status *out)
{
    for (int i = 0; i < STATUSES; i++)
        if (str_is(name, statuses[i])) {
            *out = (enum task_status)i;
            return true;
        }
    return false;
}

static enum task_phase phase_by_name(const char *name)
{
    int i = 0;

    while (i < PHASES - 1 && strcmp(phases[i], name) != 0)
        i++;
    return (enum task_phase)i;
}

void task_from_row(const struct db_rows *r, size_t row, struct task *out)
{
    enum task_status status = TASK_FAILED;

    (void)task_status_by_name(str_from(db_str(r, row, 8)), &status);
    *out = (struct task){
        .id = db_str(r, row, 0),
        .name = db_str(r, row, 1),
        .kind = db_str(r, row, 2),
        .user_id = db_str(r, row, 3),
        .spec = db_str(r, row, 4),
        .folder = db_str(r, row, 5),
        .host = db_str(r, row, 6),
        .trusted = db_i64(r, row, 7) != 0,
        .status = status,
        .phase = phase_by_name(db_str(r, row, 9)),
        .version = db_i64(r, row, 10),
        .rounds = db_i64(r, row, 11),
        .position = db_str(r, row, 12),
        .read_all = db_i64(r, row, 13) != 0,
        .records = db_i64(r, row, 14),
        .experiment_id = db_str(r, row, 15),
        .approved = db_i64(r, row, 16) != 0,
        .reader = db_str(r, row, 17),
        .lease_until = db_i64(r, row, 18),
        .reused = db_i64(r, row, 26),
        .known = db_i64(r, row, 27),
        .missing = db_i64(r, row, 28),
        .ended = db_i64(r, row, 29),
        .bytes = db_i64(r, row, 30),
        .seconds_making = db_f64(r, row, 31),
        .error_code = db_str(r, row, 32),
        .error = db_str(r, row, 33),
        .created_at = db_i64(r, row, 34),
        .started_at = db_i64(r, row, 35),
        .finished_at = db_i64(r, row, 36),
    };
    for (size_t i = 0; i < RECORD_STATUSES; i++)
        out->counts[i] = db_i64(r, row, 19 + i);
}

int tasks_insert(struct tx *tx, const struct task *t, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO tasks (id, name, owner, kind, user_id, spec, folder, host, "
                   "trusted, status, phase, version, rounds, records, created_at, started_at) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
                   DB_ARGS(db_text(t->id), db_text(t->name), db_text(t->user_id ? t->user_id : ""),
                           db_text(t->kind), db_text(t->user_id), db_text(t->spec),
                           db_text(t->folder), db_text(t->host), db_int(t->trusted),
                           db_text(statuses[t->status]), db_text(phases[t->phase]),
                           db_int(t->version ? t->version : 1), db_int(t->rounds ? t->rounds : 1),
                           db_int(t->records ? t->records : -1), db_int(t->created_at),
                           db_int(t->started_at ? t->started_at : t->created_at)),
                   NULL, e);
}

int tasks_get(struct tx *tx, const char *id, struct arena *a, struct task *out, struct err *e)
{
    struct db_rows rows;
    int rc = query_one(tx, "SELECT " TASK_COLUMNS " FROM tasks WHERE id = $1", DB_ARGS(db_text(id)),
                       "task", id, a, &rows, e);

    if (rc == 0)
        task_from_row(&rows, 0, out);
    return rc;
}

int task_lock(struct tx *tx, const char *id, struct arena *a, struct task *out, struct err *e)
{
    struct db_rows rows;
    const char *sql =
        arena_printf(a, "SELECT " TASK_COLUMNS " FROM tasks WHERE id = $1%s", for_update(tx));
    int rc = query_one(tx, sql, DB_ARGS(db_text(id)), "task", id, a, &rows, e);

    if (rc == 0)
        task_from_row(&rows, 0, out);
    return rc;
}

int tasks_by_name(struct tx *tx, const char *user_id, const char *name, struct arena *a,
                  struct task *out, struct err *e)
{
    struct db_rows rows;
    int rc = query_one(tx, "SELECT " TASK_COLUMNS " FROM tasks WHERE owner = $1 AND name = $2",
                       DB_ARGS(db_text(user_id ? user_id : ""), db_text(name)), "task", name, a,
                       &rows, e);

    if (rc == 0)
        task_from_row(&rows, 0, out);
    return rc;
}

int tasks_list(struct tx *tx, const struct task_filter *f, struct arena *a, struct task **out,
               size_t *count, const char **next, struct err *e)
{
    size_t most = (size_t)page_limit(f->limit);
    struct db_rows rows;
    struct cursor from;
    struct query q;
    int rc = f->cursor ? cursor_read(f->cursor, 't', a, &from, e) : 0;

    if (rc)
        return rc;
    query_init(&q, a);
    query_add(&q, "SELECT " TASK_COLUMNS " FROM tasks WHERE 1 = 1");
    if (f->user_id)
        query_and(&q, "user_id = ", db_text(f->user_id));
    if (f->status >= 0 && f->status < STATUSES)
        query_and(&q, "status = ", db_text(statuses[f->status]));
    if (f->cursor)
        query_and(&q, "id < ", db_text(from.id));
    query_add(&q, " ORDER BY id DESC LIMIT ");
    query_arg(&q, db_int((int64_t)most + 1));
    rc = query_run(&q, tx, &rows, e);
    if (rc)
        return rc;
    size_t n = rows.count > most ? most : rows.count;
    struct task *list = arena_alloc(a, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++)
        task_from_row(&rows, i, &list[i]);
    *next = rows.count > most ? cursor_write(a, (struct cursor){'t', "", list[n - 1].id}) : NULL;
    *count = n;
    *out = list;
    return 0;
}

static bool has_ended(enum task_status s)
{
    return s == TASK_COMPLETED || s == TASK_FAILED || s == TASK_CANCELLED;
}

/* What a cancelled task has begun is still delivered, and would have nobody to be told of. */
int tasks_delete(struct tx *tx, const char *id, struct err *e)
{
    struct arena a = {0};
    struct task t;
    int rc = task_lock(tx, id, &a, &t, e);

    if (rc)
        goto out;
    int64_t open = t.counts[RECORD_WAITING] + t.counts[RECORD_READY] + t.counts[RECORD_STORED] +
                   t.counts[RECORD_FAILING];
    if (!has_ended(t.status))
        rc = ERR(e, ERR_CONFLICT, "the task is %s: cancel it first", statuses[t.status]);
    else if (open)
        rc = ERR(e, ERR_CONFLICT, "%lld of the task's records are still being delivered",
                 (long long)open);
    else
        rc = tx_exec(tx, "DELETE FROM tasks WHERE id = $1", DB_ARGS(db_text(id)), NULL, e);
out:
    arena_release(&a);
    return rc;
}

int task_move(struct tx *tx, const char *id, const struct task_delta *d, struct err *e)
{
    return tx_exec(tx,
                   "UPDATE tasks SET waiting = waiting + $2, ready = ready + $3, "
                   "stored = stored + $4, failing = failing + $5, succeeded = succeeded + $6, "
                   "failed = failed + $7, cancelled = cancelled + $8, reused = reused + $9, "
                   "missing = missing + $10, ended = ended + $11, bytes = bytes + $12, "
                   "seconds_making = seconds_making + $13 WHERE id = $1",
                   DB_ARGS(db_text(id), db_int(d->counts[RECORD_WAITING]),
                           db_int(d->counts[RECORD_READY]), db_int(d->counts[RECORD_STORED]),
                           db_int(d->counts[RECORD_FAILING]), db_int(d->counts[RECORD_SUCCEEDED]),
                           db_int(d->counts[RECORD_FAILED]), db_int(d->counts[RECORD_CANCELLED]),
                           db_int(d->reused), db_int(d->missing), db_int(d->ended),
                           db_int(d->bytes), db_real(d->seconds_making)),
                   NULL, e);
}
