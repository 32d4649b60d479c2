/* What people do with a task: run it again, pause, cancel, approve, retry. */
#include "storage/jobs_inside.h"
#include "storage/tasks_inside.h"

#include <string.h>

static int refuse(const struct task *t, struct err *e)
{
    return ERR(e, ERR_CONFLICT, "the task is %s", task_status_name(t->status));
}

static bool has_ended(const struct task *t)
{
    return t->status == TASK_COMPLETED || t->status == TASK_FAILED || t->status == TASK_CANCELLED;
}

/* ============================== Again ============================== */

int tasks_again(struct tx *tx, const char *id, const char *spec, enum task_phase phase, int64_t now,
                struct err *e)
{
    struct arena a = {0};
    int64_t forgotten = 0;
    struct task t;
    int rc = task_lock(tx, id, &a, &t, e);

    if (rc == 0 && !has_ended(&t))
        rc = refuse(&t, e);
    /* Nothing was made of them, so their records are as good as unknown. */
    if (rc == 0)
        rc = tx_exec(tx, "DELETE FROM task_records WHERE task_id = $1 AND status = 'cancelled'",
                     DB_ARGS(db_text(id)), &forgotten, e);
    if (rc == 0)
        rc = tx_exec(
            tx,
            "UPDATE tasks SET status = 'running', phase = $2, spec = $3, "
            "version = version + $4, rounds = rounds + 1, position = NULL, read_all = 0, "
            "records = -1, known = 0, cancelled = cancelled - $5, experiment_id = NULL, "
            "approved = 0, reader = NULL, lease_until = 0, error_code = NULL, "
            "error = NULL, started_at = $6, finished_at = 0 WHERE id = $1",
            DB_ARGS(db_text(id), db_text(task_phase_name(phase)), db_text(spec ? spec : t.spec),
                    db_int(spec && strcmp(spec, t.spec) != 0), db_int(forgotten), db_int(now)),
            NULL, e);
    arena_release(&a);
    return rc;
}

/* ============================== Pause, cancel, approve ============================== */

/* Nobody reads it any more: who did finds its lease lost. */
#define NO_READER "reader = NULL, lease_until = 0"

int tasks_pause(struct tx *tx, const char *id, bool paused, struct err *e)
{
    struct arena a = {0};
    struct task t;
    int rc = task_lock(tx, id, &a, &t, e);

    if (rc == 0 && t.status != (paused ? TASK_RUNNING : TASK_PAUSED))
        rc = refuse(&t, e);
    if (rc == 0)
        rc = tx_exec(tx, "UPDATE tasks SET status = $2, " NO_READER " WHERE id = $1",
                     DB_ARGS(db_text(id), db_text(paused ? "paused" : "running")), NULL, e);
    if (rc == 0 && paused) /* others may want the same pictures */
        rc = jobs_adopt(tx, id, e);
    arena_release(&a);
    return rc;
}

#define CANCEL_RECORDS                                                                             \
    "UPDATE task_records SET status = 'cancelled', ended_at = $2, error_class = 'cancelled', "     \
    "error_code = 'cancelled', error = 'the task was cancelled' WHERE task_id = $1 AND "

static int cancel(struct tx *tx, const struct task *t, int64_t now, struct err *e)
{
    struct task_delta d = {0};
    int64_t waiting, ready;
    int rc = tx_exec(tx, CANCEL_RECORDS "status = 'waiting'", DB_ARGS(db_text(t->id), db_int(now)),
                     &waiting, e);

    /* One that was leased, now or before, may have an object. */
    if (rc == 0)
        rc = tx_exec(tx,
                     CANCEL_RECORDS "status = 'ready' AND attempts = 0 AND upload IS NULL AND "
                                    "stored_at = 0",
                     DB_ARGS(db_text(t->id), db_int(now)), &ready, e);
    if (rc)
        return rc;
    d.counts[RECORD_WAITING] = -waiting;
    d.counts[RECORD_READY] = -ready;
    d.counts[RECORD_CANCELLED] = waiting + ready;
    rc = task_move(tx, t->id, &d, e);
    return rc ? rc
              : tx_exec(tx,
                        "UPDATE tasks SET status = 'cancelled', finished_at = $2, " NO_READER
                        " WHERE id = $1",
                        DB_ARGS(db_text(t->id), db_int(now)), NULL, e);
}

int tasks_cancel(struct tx *tx, const char *id, int64_t now, struct err *e)
{
    struct arena a = {0};
    struct task t;
    int rc = task_lock(tx, id, &a, &t, e);

    if (rc == 0)
        rc = has_ended(&t) ? refuse(&t, e) : cancel(tx, &t, now, e);
    arena_release(&a);
    return rc;
}

int tasks_approve(struct tx *tx, const char *id, bool approved, int64_t now, struct err *e)
{
    struct arena a = {0};
    struct task t;
    int rc = task_lock(tx, id, &a, &t, e);

    if (rc == 0 && t.status != TASK_AWAITING_APPROVAL)
        rc = refuse(&t, e);
    if (rc == 0 && !approved)
        rc = cancel(tx, &t, now, e);
    if (rc == 0 && approved) /* the sample was read out of order: from the beginning */
        rc = tx_exec(tx,
                     "UPDATE tasks SET status = 'running', phase = 'records', approved = 1, "
                     "position = NULL, read_all = 0, " NO_READER " WHERE id = $1",
                     DB_ARGS(db_text(id)), NULL, e);
    arena_release(&a);
    return rc;
}

/* ============================== Retry ============================== */

static const char *class_list(const char *const *classes, struct arena *a)
{
    size_t n = 0;

    while (classes && classes[n])
        n++;
    return classes ? json_texts(a, classes, n) : NULL;
}

/* Identifiers, with 1 for those whose picture has to be drawn again. */
static int find_failed(struct tx *tx, const char *id, const char *classes, struct arena *a,
                       struct db_rows *rows, struct err *e)
{
    const char *sql = arena_printf(
        a,
        "SELECT r.id, CASE WHEN g.status IN ('failed', 'cancelled') THEN 1 ELSE 0 END "
        "FROM task_records r LEFT JOIN generations g ON g.id = r.generation_id WHERE "
        "r.task_id = $1 AND r.status = 'failed' AND r.error_class <> 'mapping'%s%s%s ORDER BY r.id",
        classes ? " AND r.error_class IN (" : "", classes ? in_texts(tx, 2, a) : "",
        classes ? ")" : "");
    struct db_args args = DB_ARGS(db_text(id), db_text(classes));

    args.count = classes ? 2 : 1;
    return tx_query(tx, sql, args, a, rows, e);
}

static int make_open(struct tx *tx, const struct db_rows *found, bool draw, int64_t now,
                     struct arena *a, struct db_rows *rows, struct err *e)
{
    const char **ids = arena_alloc(a, (found->count + 1) * sizeof *ids);
    size_t n = 0;

    for (size_t i = 0; i < found->count; i++)
        if ((db_i64(found, i, 1) != 0) == draw)
            ids[n++] = db_str(found, i, 0);
    return tx_query(tx,
                    arena_printf(a,
                                 "UPDATE task_records SET status = $2, end_number = 0, "
                                 "ended_at = 0, due_at = $3, attempts = 0, tries = 0, "
                                 "error_class = NULL, error_code = NULL, error = NULL "
                                 "WHERE id IN (%s) RETURNING " RECORD_COLUMNS,
                                 in_texts(tx, 1, a)),
                    DB_ARGS(db_text(json_texts(a, ids, n)),
                            db_text(record_status_name(draw ? RECORD_WAITING : RECORD_READY)),
                            db_int(now)),
                    a, rows, e);
}

/* One that was cancelled does not read the rest of its source for the sake of these. */
static int reopen(struct tx *tx, const struct task *t, struct err *e)
{
    return tx_exec(tx,
                   "UPDATE tasks SET phase = 'records', error_code = NULL, error = NULL, "
                   "finished_at = 0, status = CASE WHEN status = 'paused' THEN 'paused' "
                   "ELSE 'running' END, "
                   "read_all = CASE WHEN status = 'cancelled' THEN 1 ELSE read_all END "
                   "WHERE id = $1",
                   DB_ARGS(db_text(t->id)), NULL, e);
}

int tasks_retry(struct tx *tx, const char *id, const char *const *classes, int64_t now,
                struct arena *a, struct task_record **out, size_t *count, struct err *e)
{
    struct db_rows found, waiting, ready;
    struct task_delta d = {0};
    struct task t;
    int rc = task_lock(tx, id, a, &t, e);

    if (rc == 0 && t.status == TASK_AWAITING_APPROVAL)
        rc = refuse(&t, e);
    if (rc == 0)
        rc = find_failed(tx, id, class_list(classes, a), a, &found, e);
    if (rc == 0 && found.count == 0) {
        *count = 0;
        *out = arena_alloc(a, sizeof **out);
        return 0;
    }
    if (rc == 0)
        rc = make_open(tx, &found, true, now, a, &waiting, e);
    if (rc == 0)
        rc = make_open(tx, &found, false, now, a, &ready, e);
    if (rc)
        return rc;
    d.counts[RECORD_WAITING] = (int64_t)waiting.count;
    d.counts[RECORD_READY] = (int64_t)ready.count;
    d.counts[RECORD_FAILED] = -(int64_t)(waiting.count + ready.count);
    rc = task_move(tx, id, &d, e);
    if (rc == 0)
        rc = reopen(tx, &t, e);
    if (rc)
        return rc;
    struct task_record *list = arena_alloc(a, (waiting.count + ready.count + 1) * sizeof *list);
    for (size_t i = 0; i < waiting.count; i++)
        task_record_from_row(&waiting, i, &list[i]);
    for (size_t i = 0; i < ready.count; i++)
        task_record_from_row(&ready, i, &list[waiting.count + i]);
    *count = waiting.count + ready.count;
    *out = list;
    return 0;
}
