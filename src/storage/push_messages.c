#include "base/uuid.h"
#include "storage/push_subscriptions.h"
#include "storage/query.h"

int push_work(struct tx *tx, int64_t now, bool *out, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT 1 WHERE EXISTS (SELECT 1 FROM experiment_runs WHERE finished_at > "
                      "told_at) OR EXISTS (SELECT 1 FROM push_messages WHERE due_at <= $1)",
                      DB_ARGS(db_int(now)), &a, &rows, e);

    if (rc == 0)
        *out = rows.count > 0;
    arena_release(&a);
    return rc;
}

/* ============================== Runs that ended ============================== */

static void run_from_row(const struct db_rows *r, size_t row, struct ended_run *out)
{
    enum experiment_status status = EXPERIMENT_DRAFT;

    (void)experiment_status_by_name(str_from(db_str(r, row, 3)), &status);
    *out = (struct ended_run){
        .run =
            {
                .id = db_str(r, row, 0),
                .experiment_id = db_str(r, row, 1),
                .number = (int)db_i64(r, row, 2),
                .status = status,
                .total = db_i64(r, row, 4),
                .completed = db_i64(r, row, 5),
                .failed = db_i64(r, row, 6),
                .cancelled = db_i64(r, row, 7),
                .impossible = db_i64(r, row, 8),
                .finished_at = db_i64(r, row, 9),
            },
        .over_budget = db_i64(r, row, 10) != 0,
        .name = db_str(r, row, 11),
        .user_id = db_str(r, row, 12),
    };
}

int runs_untold(struct tx *tx, int limit, struct arena *a, struct ended_run **out, size_t *count,
                struct err *e)
{
    const char *sql = arena_printf(
        a,
        "UPDATE experiment_runs SET told_at = finished_at WHERE id IN (SELECT id FROM "
        "experiment_runs WHERE finished_at > told_at ORDER BY finished_at LIMIT $1%s) "
        "AND finished_at > told_at RETURNING id, experiment_id, number, status, total, completed, "
        "failed, cancelled, impossible, finished_at, "
        "CASE WHEN budget_ms > 0 AND used_ms >= budget_ms THEN 1 ELSE 0 END, "
        "(SELECT x.name FROM experiments x WHERE x.id = experiment_id), "
        "(SELECT x.user_id FROM experiments x WHERE x.id = experiment_id)",
        for_update_free(tx));
    struct db_rows rows;
    int rc = tx_query(tx, sql, DB_ARGS(db_int(limit)), a, &rows, e);

    if (rc)
        return rc;
    struct ended_run *runs = arena_alloc(a, (rows.count + 1) * sizeof *runs);
    for (size_t i = 0; i < rows.count; i++)
        run_from_row(&rows, i, &runs[i]);
    *count = rows.count;
    *out = runs;
    return 0;
}

/* ============================== Messages ============================== */

static int add_one(struct tx *tx, const char *subscription_id, const char *run_id, const char *text,
                   const char *topic, int64_t now, struct err *e)
{
    char id[UUID_TEXT];

    uuid_v7(id);
    return tx_exec(tx,
                   "INSERT INTO push_messages (id, subscription_id, run_id, text, topic, due_at, "
                   "created_at) VALUES ($1, $2, $3, $4, $5, $6, $6) "
                   "ON CONFLICT (subscription_id, run_id) DO UPDATE SET id = excluded.id, "
                   "text = excluded.text, attempts = 0, due_at = excluded.due_at, "
                   "created_at = excluded.created_at",
                   DB_ARGS(db_text(id), db_text(subscription_id), db_text(run_id), db_text(text),
                           db_text(topic), db_int(now)),
                   NULL, e);
}

int push_messages_add(struct tx *tx, const char *user_id, const char *run_id, const char *text,
                      const char *topic, int64_t now, struct err *e)
{
    struct push_subscription *to = NULL;
    struct arena a = {0};
    size_t count = 0;
    int rc = push_subscriptions_list(tx, user_id, &a, &to, &count, e);

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_one(tx, to[i].id, run_id, text, topic, now, e);
    arena_release(&a);
    return rc;
}

static int read_receiver(struct tx *tx, const char *id, struct arena *a,
                         struct push_subscription *out, struct err *e)
{
    struct db_rows rows;
    int rc = query_one(tx,
                       "SELECT id, endpoint, p256dh, auth FROM push_subscriptions WHERE id = $1",
                       DB_ARGS(db_text(id)), "push subscription", id, a, &rows, e);

    if (rc == 0)
        *out = (struct push_subscription){.id = db_str(&rows, 0, 0),
                                          .endpoint = db_str(&rows, 0, 1),
                                          .p256dh = db_str(&rows, 0, 2),
                                          .auth = db_str(&rows, 0, 3)};
    return rc;
}

int push_messages_take(struct tx *tx, int64_t now, int64_t again, int limit, struct arena *a,
                       struct push_message_row **out, size_t *count, struct err *e)
{
    const char *sql = arena_printf(
        a,
        "UPDATE push_messages SET attempts = attempts + 1, due_at = $2 WHERE id IN (SELECT id FROM "
        "push_messages WHERE due_at <= $1 ORDER BY due_at LIMIT $3%s) "
        "RETURNING id, text, topic, attempts, created_at, subscription_id",
        for_update_free(tx));
    struct db_rows rows = {0};
    int rc = tx_query(tx, sql, DB_ARGS(db_int(now), db_int(again), db_int(limit)), a, &rows, e);
    struct push_message_row *list = arena_alloc(a, (rows.count + 1) * sizeof *list);

    for (size_t i = 0; i < rows.count && rc == 0; i++) {
        list[i] = (struct push_message_row){
            .id = db_str(&rows, i, 0),
            .text = db_str(&rows, i, 1),
            .topic = db_str(&rows, i, 2),
            .attempts = (int)db_i64(&rows, i, 3),
            .created_at = db_i64(&rows, i, 4),
        };
        rc = read_receiver(tx, db_str(&rows, i, 5), a, &list[i].to, e);
    }
    if (rc)
        return rc;
    *count = rows.count;
    *out = list;
    return 0;
}

int push_messages_delete(struct tx *tx, const char *id, struct err *e)
{
    return tx_exec(tx, "DELETE FROM push_messages WHERE id = $1", DB_ARGS(db_text(id)), NULL, e);
}

int push_messages_later(struct tx *tx, const char *id, int64_t due_at, bool back, struct err *e)
{
    return tx_exec(tx,
                   "UPDATE push_messages SET due_at = $2, attempts = attempts - $3 WHERE id = $1",
                   DB_ARGS(db_text(id), db_int(due_at), db_int(back)), NULL, e);
}
