/* Records of tasks: reading them, and what becomes of them when their pictures are there. */
#include "storage/tasks_inside.h"

static const char *const statuses[] = {
    [RECORD_WAITING] = "waiting",     [RECORD_READY] = "ready",         [RECORD_STORED] = "stored",
    [RECORD_FAILING] = "failing",     [RECORD_SUCCEEDED] = "succeeded", [RECORD_FAILED] = "failed",
    [RECORD_CANCELLED] = "cancelled",
};

const char *record_status_name(enum record_status s)
{
    return statuses[s];
}

bool record_status_by_name(struct str name, enum record_status *out)
{
    for (int i = 0; i < RECORD_STATUSES; i++)
        if (str_is(name, statuses[i])) {
            *out = (enum record_status)i;
            return true;
        }
    return false;
}

void task_record_from_row(const struct db_rows *r, size_t row, struct task_record *out)
{
    enum record_status status = RECORD_FAILED;

    (void)record_status_by_name(str_from(db_str(r, row, 6)), &status);
    *out = (struct task_record){
        .id = db_str(r, row, 0),
        .task_id = db_str(r, row, 1),
        .record_id = db_str(r, row, 2),
        .key = db_str(r, row, 3),
        .number = db_i64(r, row, 4),
        .end_number = db_i64(r, row, 5),
        .status = status,
        .generation_id = db_str(r, row, 7),
        .request = db_str(r, row, 8),
        .object = db_str(r, row, 9),
        .upload = db_str(r, row, 10),
        .url = db_str(r, row, 11),
        .https = db_str(r, row, 12),
        .crc32c = db_str(r, row, 13),
        .md5 = db_str(r, row, 14),
        .sha256 = db_str(r, row, 15),
        .object_version = db_str(r, row, 16),
        .bytes = db_i64(r, row, 17),
        .recipe_url = db_str(r, row, 18),
        .reused = db_i64(r, row, 19) != 0,
        .outcome = db_str(r, row, 20),
        .attempts = (int)db_i64(r, row, 21),
        .tries = (int)db_i64(r, row, 22),
        .lease = (int)db_i64(r, row, 23),
        .due_at = db_i64(r, row, 24),
        .error_class = db_str(r, row, 25),
        .error_code = db_str(r, row, 26),
        .error = db_str(r, row, 27),
        .seconds_making = db_f64(r, row, 28),
        .seconds_storing = db_f64(r, row, 29),
        .created_at = db_i64(r, row, 30),
        .ready_at = db_i64(r, row, 31),
        .stored_at = db_i64(r, row, 32),
        .ended_at = db_i64(r, row, 33),
    };
}

struct task_record *task_records_from_rows(const struct db_rows *r, struct arena *a)
{
    struct task_record *list = arena_alloc(a, (r->count + 1) * sizeof *list);

    for (size_t i = 0; i < r->count; i++)
        task_record_from_row(r, i, &list[i]);
    return list;
}

/* ============================== Looking ============================== */

int task_records_get(struct tx *tx, const char *id, struct arena *a, struct task_record *out,
                     struct err *e)
{
    struct db_rows rows;
    int rc = query_one(tx, "SELECT " RECORD_COLUMNS " FROM task_records WHERE id = $1",
                       DB_ARGS(db_text(id)), "record", id, a, &rows, e);

    if (rc == 0)
        task_record_from_row(&rows, 0, out);
    return rc;
}

static int add_cursor(struct query *q, const char *text, struct err *e)
{
    struct cursor c;
    int64_t number;
    int rc = cursor_read(text, 'r', q->a, &c, e);

    if (rc)
        return rc;
    if (!str_to_i64(str_from(c.key), &number))
        return ERR(e, ERR_ARG, "not a cursor of this list");
    query_and(q, "(number, id) > (", db_int(number));
    query_add(q, ", ");
    query_arg(q, db_text(c.id));
    query_add(q, ")");
    return 0;
}

static int build_list(const struct record_filter *f, size_t most, struct query *q, struct err *e)
{
    query_add(q, "SELECT " RECORD_COLUMNS " FROM task_records WHERE task_id = ");
    query_arg(q, db_text(f->task_id));
    if (f->status >= 0 && f->status < RECORD_STATUSES)
        query_and(q, "status = ", db_text(statuses[f->status]));
    if (f->error_class)
        query_and(q, "error_class = ", db_text(f->error_class));
    if (f->record_id)
        query_and(q, "record_id = ", db_text(f->record_id));
    if (f->ended_from || f->ended_to)
        query_add(q, " AND end_number > 0"); /* the words of the partial index */
    if (f->ended_from)
        query_and(q, "end_number >= ", db_int(f->ended_from));
    if (f->ended_to)
        query_and(q, "end_number <= ", db_int(f->ended_to));
    int rc = f->cursor ? add_cursor(q, f->cursor, e) : 0;
    query_add(q, " ORDER BY number, id LIMIT ");
    query_arg(q, db_int((int64_t)most + 1));
    return rc;
}

int task_records_list(struct tx *tx, const struct record_filter *f, struct arena *a,
                      struct task_record **out, size_t *count, const char **next, struct err *e)
{
    enum { MOST = 1000 };
    size_t most = (size_t)page_limit(f->limit > MOST ? MOST : f->limit);
    struct db_rows rows;
    struct query q;

    query_init(&q, a);
    int rc = build_list(f, most, &q, e);
    if (rc == 0)
        rc = query_run(&q, tx, &rows, e);
    if (rc)
        return rc;
    size_t n = rows.count > most ? most : rows.count;
    struct task_record *list = task_records_from_rows(&rows, a);
    *next =
        rows.count > most
            ? cursor_write(
                  a, (struct cursor){'r', arena_printf(a, "%lld", (long long)list[n - 1].number),
                                     list[n - 1].id})
            : NULL;
    *count = n;
    *out = list;
    return 0;
}

/* ============================== From the picture's end ============================== */

#define DRAWN                                                                                      \
    " FROM task_records r LEFT JOIN generations g ON g.id = r.generation_id WHERE "                \
    "r.status = 'waiting' AND (g.id IS NULL OR g.status NOT IN ('queued', 'running')) AND "

/* Where rows go; those whose generation was deleted (NULL) fail. */
static enum record_status goes_to(const char *generation)
{
    struct str s = str_from(generation);

    return str_is(s, "succeeded")   ? RECORD_READY
           : str_is(s, "cancelled") ? RECORD_CANCELLED
                                    : RECORD_FAILING;
}

static int move_some(struct tx *tx, enum record_status to, const char *ids, int64_t now,
                     struct arena *a, struct err *e)
{
    static const char *const sets[RECORD_STATUSES] = {
        [RECORD_READY] = "status = 'ready', ready_at = $2",
        [RECORD_CANCELLED] = "status = 'cancelled', ended_at = $2, error_class = 'cancelled', "
                             "error_code = 'cancelled', error = 'its picture was cancelled'",
        [RECORD_FAILING] =
            "status = 'failing', error_class = 'draw', "
            "error_code = CASE WHEN generation_id IS NULL THEN 'deleted' ELSE coalesce((SELECT "
            "g.error_code FROM generations g WHERE g.id = generation_id), 'failed') END, "
            "error = CASE WHEN generation_id IS NULL THEN 'its generation was deleted' ELSE "
            "coalesce((SELECT g.error FROM generations g WHERE g.id = generation_id), "
            "'it could not be drawn') END",
    };

    return tx_exec(tx,
                   arena_printf(a,
                                "UPDATE task_records SET due_at = $2, tries = 0, %s "
                                "WHERE id IN (%s)",
                                sets[to], in_texts(tx, 1, a)),
                   DB_ARGS(db_text(ids), db_int(now)), NULL, e);
}

/* With the task's row held, nobody else moves its records. */
static int move_drawn(struct tx *tx, const char *task_id, int limit, int64_t now, int64_t *moved,
                      struct arena *a, struct err *e)
{
    static const enum record_status ends[] = {RECORD_READY, RECORD_FAILING, RECORD_CANCELLED};
    struct task_delta d = {0};
    struct db_rows rows;
    struct task t;
    int rc = task_lock(tx, task_id, a, &t, e);

    if (rc == 0)
        rc = tx_query(
            tx, "SELECT r.id, g.status" DRAWN "r.task_id = $1 ORDER BY r.number, r.id LIMIT $2",
            DB_ARGS(db_text(task_id), db_int(limit)), a, &rows, e);
    if (rc || rows.count == 0 || t.status == TASK_PAUSED)
        return rc;
    const char **ids = arena_alloc(a, rows.count * sizeof *ids);
    for (size_t k = 0; k < sizeof ends / sizeof *ends && rc == 0; k++) {
        size_t n = 0;
        for (size_t i = 0; i < rows.count; i++)
            if (goes_to(db_str(&rows, i, 1)) == ends[k])
                ids[n++] = db_str(&rows, i, 0);
        d.counts[ends[k]] = (int64_t)n;
        if (n)
            rc = move_some(tx, ends[k], json_texts(a, ids, n), now, a, e);
    }
    d.counts[RECORD_WAITING] = -(int64_t)rows.count;
    if (rc == 0)
        rc = task_move(tx, task_id, &d, e);
    if (rc == 0)
        *moved += (int64_t)rows.count;
    return rc;
}

/* Tasks that have something to move, in the order of their identifiers, in which they are held. */
int task_records_drawn(struct tx *tx, int limit, int64_t now, int64_t *moved, struct err *e)
{
    struct arena a = {0};
    struct db_rows tasks;
    int64_t n = 0;
    int rc = tx_query(tx,
                      "SELECT t.id FROM tasks t WHERE " TASK_MOVES " AND t.waiting > 0 AND EXISTS "
                      "(SELECT 1" DRAWN "r.task_id = t.id) ORDER BY t.id",
                      DB_NONE, &a, &tasks, e);

    for (size_t i = 0; rc == 0 && i < tasks.count && n < limit; i++)
        rc = move_drawn(tx, db_str(&tasks, i, 0), limit - (int)n, now, &n, &a, e);
    if (rc == 0)
        *moved = n;
    arena_release(&a);
    return rc;
}
