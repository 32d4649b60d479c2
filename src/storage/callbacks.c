#include "storage/callbacks.h"

#include "storage/query.h"

/* Bare names: SQLite's RETURNING knows no alias. */
#define COLUMNS                                                                                    \
    "id, task_id, kind, subject, body, status, attempts, due_at, created_at, delivered_at, "       \
    "since, "                                                                                      \
    "last_status, error"

static const char *const statuses[] = {
    [CALLBACK_WAITING] = "waiting", [CALLBACK_DELIVERED] = "delivered", [CALLBACK_DEAD] = "dead"};
enum { STATUSES = sizeof statuses / sizeof *statuses };

const char *callback_status_name(enum callback_status s)
{
    return statuses[s];
}

bool callback_status_by_name(struct str name, enum callback_status *out)
{
    for (int i = 0; i < STATUSES; i++)
        if (str_is(name, statuses[i])) {
            *out = (enum callback_status)i;
            return true;
        }
    return false;
}

static void from_row(const struct db_rows *r, size_t row, struct callback *out)
{
    enum callback_status status = CALLBACK_DEAD;

    (void)callback_status_by_name(str_from(db_str(r, row, 5)), &status);
    *out = (struct callback){
        .id = db_str(r, row, 0),
        .task_id = db_str(r, row, 1),
        .kind = db_str(r, row, 2),
        .subject = db_str(r, row, 3),
        .body = db_str(r, row, 4),
        .status = status,
        .attempts = (int)db_i64(r, row, 6),
        .due_at = db_i64(r, row, 7),
        .created_at = db_i64(r, row, 8),
        .delivered_at = db_i64(r, row, 9),
        .since = db_i64(r, row, 10),
        .last_status = (int)db_i64(r, row, 11),
        .error = db_str(r, row, 12),
    };
}

int callbacks_add(struct tx *tx, const struct callback *rows, size_t count, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct callback *c = &rows[i];
        rc = tx_exec(tx,
                     "INSERT INTO callbacks (id, task_id, kind, subject, body, status, due_at, "
                     "created_at, since) VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7, $7) "
                     "ON CONFLICT (task_id, kind, subject) DO NOTHING",
                     DB_ARGS(db_text(c->id), db_text(c->task_id), db_text(c->kind),
                             db_text(c->subject), db_text(c->body), db_int(c->due_at),
                             db_int(c->created_at)),
                     NULL, e);
    }
    return rc;
}

/* ============================== Sending ============================== */

/* (task, how many of it are on their way) of tasks with due events, the one with the oldest first;
 * found by skipping from one task to the next in the index. (SQLite would take an index of all
 * rows, if the order did not name due_at.) */
static int tasks_with_events(struct tx *tx, int64_t now, struct arena *a, struct db_rows *rows,
                             struct err *e)
{
    return tx_query(
        tx,
        "WITH RECURSIVE g(task_id) AS (SELECT * FROM (SELECT c.task_id FROM callbacks c WHERE "
        "c.status = 'waiting' ORDER BY c.task_id, c.due_at LIMIT 1) first UNION ALL SELECT ("
        "SELECT c.task_id FROM callbacks c WHERE c.status = 'waiting' AND c.task_id > g.task_id "
        "ORDER BY c.task_id, c.due_at LIMIT 1) FROM g WHERE g.task_id IS NOT NULL) "
        "SELECT task_id, flying FROM (SELECT g.task_id, (SELECT min(c.due_at) FROM callbacks c "
        "WHERE c.task_id = g.task_id AND c.status = 'waiting') AS due, (SELECT count(*) FROM "
        "callbacks c WHERE c.task_id = g.task_id AND c.status = 'waiting' AND c.lease_until > 0 "
        "AND c.lease_until > $1) AS flying FROM g WHERE g.task_id IS NOT NULL) x "
        "WHERE due <= $1 ORDER BY due, task_id",
        DB_ARGS(db_int(now)), a, rows, e);
}

static int take_of(struct tx *tx, const char *task_id, int64_t limit, int64_t now, int64_t until,
                   struct arena *a, struct db_rows *rows, struct err *e)
{
    const char *sql = arena_printf(
        a,
        "UPDATE callbacks SET attempts = attempts + 1, due_at = $4, lease_until = $4 WHERE id IN ("
        "SELECT c.id FROM callbacks c WHERE c.task_id = $1 AND c.status = 'waiting' AND "
        "c.due_at <= $3 ORDER BY c.due_at, c.id LIMIT $2%s) RETURNING " COLUMNS,
        for_update_free(tx));

    return tx_query(tx, sql, DB_ARGS(db_text(task_id), db_int(limit), db_int(now), db_int(until)),
                    a, rows, e);
}

int callbacks_take(struct tx *tx, int limit, int of_one, int64_t now, int64_t until,
                   struct arena *a, struct callback **out, size_t *count, struct err *e)
{
    size_t most = (size_t)page_limit(limit), n = 0;
    struct callback *list = arena_alloc(a, most * sizeof *list);
    struct db_rows tasks, rows;
    int rc = tasks_with_events(tx, now, a, &tasks, e);

    for (size_t i = 0; rc == 0 && i < tasks.count && n < most; i++) {
        int64_t free = of_one - db_i64(&tasks, i, 1), left = (int64_t)(most - n);
        if (free <= 0)
            continue;
        rc = take_of(tx, db_str(&tasks, i, 0), free < left ? free : left, now, until, a, &rows, e);
        for (size_t k = 0; rc == 0 && k < rows.count; k++)
            from_row(&rows, k, &list[n++]);
    }
    if (rc)
        return rc;
    *count = n;
    *out = list;
    return 0;
}

/* A replay sets the attempts back, so a try that hung since before it might fit again: then its
 * report is as true of this event as that of the later try. */
#define HELD " WHERE id = $1 AND attempts = $2 AND status = 'waiting' AND lease_until > 0"

static int lost(const char *id, struct err *e)
{
    return ERR(e, ERR_CONFLICT, "the lease on callback '%s' is lost", id);
}

int callbacks_delivered(struct tx *tx, const char *id, int attempt, int status, int64_t now,
                        struct err *e)
{
    int64_t changed;
    int rc = tx_exec(tx,
                     "UPDATE callbacks SET status = 'delivered', delivered_at = $4, "
                     "last_status = $3, error = NULL, lease_until = 0" HELD,
                     DB_ARGS(db_text(id), db_int(attempt), db_int(status), db_int(now)), &changed,
                     e);

    return rc || changed ? rc : lost(id, e);
}

int callbacks_failed(struct tx *tx, const char *id, int attempt, int status, const char *error,
                     bool dead, int64_t due_at, struct err *e)
{
    int64_t changed;
    int rc =
        tx_exec(tx,
                "UPDATE callbacks SET status = $5, last_status = $3, error = $4, due_at = $6, "
                "lease_until = 0" HELD,
                DB_ARGS(db_text(id), db_int(attempt), db_int(status), db_text(error),
                        db_text(statuses[dead ? CALLBACK_DEAD : CALLBACK_WAITING]), db_int(due_at)),
                &changed, e);

    return rc || changed ? rc : lost(id, e);
}

#define AGAIN                                                                                      \
    "UPDATE callbacks SET status = 'waiting', attempts = 0, due_at = $2, lease_until = 0, "        \
    "since = $2, delivered_at = 0 WHERE task_id = $1 AND "

int callbacks_replay(struct tx *tx, const char *task_id, const char *id, int status, int64_t now,
                     int64_t *count, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int64_t changed = 0;
    int rc = 0;

    if (id)
        rc = query_one(tx, "SELECT 1 FROM callbacks WHERE task_id = $1 AND id = $2",
                       DB_ARGS(db_text(task_id), db_text(id)), "callback", id, &a, &rows, e);
    if (rc == 0 && id)
        rc = tx_exec(tx, AGAIN "id = $3 AND status IN ('delivered', 'dead')",
                     DB_ARGS(db_text(task_id), db_int(now), db_text(id)), &changed, e);
    else if (rc == 0 && status == CALLBACK_DELIVERED)
        rc = tx_exec(tx, AGAIN "status = 'delivered'", DB_ARGS(db_text(task_id), db_int(now)),
                     &changed, e);
    else if (rc == 0 && status == CALLBACK_DEAD)
        rc = tx_exec(tx, AGAIN "status = 'dead'", DB_ARGS(db_text(task_id), db_int(now)), &changed,
                     e);
    else if (rc == 0)
        rc = tx_exec(tx, AGAIN "status IN ('delivered', 'dead')",
                     DB_ARGS(db_text(task_id), db_int(now)), &changed, e);
    if (rc == 0)
        *count = changed;
    arena_release(&a);
    return rc;
}

/* ============================== Looking ============================== */

int callbacks_list(struct tx *tx, const struct callback_filter *f, struct arena *a,
                   struct callback **out, size_t *count, const char **next, struct err *e)
{
    size_t most = (size_t)page_limit(f->limit);
    struct db_rows rows;
    struct cursor from;
    struct query q;
    int rc = f->cursor ? cursor_read(f->cursor, 'c', a, &from, e) : 0;

    if (rc)
        return rc;
    query_init(&q, a);
    query_add(&q, "SELECT " COLUMNS " FROM callbacks WHERE task_id = ");
    query_arg(&q, db_text(f->task_id));
    if (f->status >= 0 && f->status < STATUSES)
        query_and(&q, "status = ", db_text(statuses[f->status]));
    if (f->kind)
        query_and(&q, "kind = ", db_text(f->kind));
    if (f->cursor)
        query_and(&q, "id < ", db_text(from.id));
    query_add(&q, " ORDER BY id DESC LIMIT ");
    query_arg(&q, db_int((int64_t)most + 1));
    rc = query_run(&q, tx, &rows, e);
    if (rc)
        return rc;
    size_t n = rows.count > most ? most : rows.count;
    struct callback *list = arena_alloc(a, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++)
        from_row(&rows, i, &list[i]);
    *next = rows.count > most ? cursor_write(a, (struct cursor){'c', "", list[n - 1].id}) : NULL;
    *count = n;
    *out = list;
    return 0;
}

int callbacks_totals(struct tx *tx, const char *task_id, struct callback_totals *out, struct err *e)
{
    struct arena a = {0};
    struct callback_totals t = {0};
    struct db_rows rows;
    struct query q;

    query_init(&q, &a);
    query_add(&q, "SELECT status, count(*), min(CASE WHEN status = 'waiting' THEN since END) FROM "
                  "callbacks WHERE 1 = 1");
    if (task_id)
        query_and(&q, "task_id = ", db_text(task_id));
    query_add(&q, " GROUP BY status");
    int rc = query_run(&q, tx, &rows, e);
    for (size_t i = 0; rc == 0 && i < rows.count; i++) {
        enum callback_status status = CALLBACK_DEAD;
        int64_t *const counts[] = {[CALLBACK_WAITING] = &t.waiting,
                                   [CALLBACK_DELIVERED] = &t.delivered,
                                   [CALLBACK_DEAD] = &t.dead};
        (void)callback_status_by_name(str_from(db_str(&rows, i, 0)), &status);
        *counts[status] = db_i64(&rows, i, 1);
        if (status == CALLBACK_WAITING)
            t.oldest_waiting = db_i64(&rows, i, 2);
    }
    if (rc == 0)
        *out = t;
    arena_release(&a);
    return rc;
}
