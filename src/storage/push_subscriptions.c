#include "storage/push_subscriptions.h"

#include "base/uuid.h"
#include "storage/query.h"

#include <string.h>

#define COLUMNS                                                                                    \
    "s.id, s.user_id, s.endpoint, s.p256dh, s.auth, s.agent, s.created_at, s.expires_at, "         \
    "s.sent_at, s.error"
#define OF_USER "coalesce(s.user_id, '') = "

static struct db_value user_value(const char *user_id)
{
    return db_text(user_id ? user_id : "");
}

static void from_row(const struct db_rows *r, size_t row, struct push_subscription *out)
{
    *out = (struct push_subscription){
        .id = db_str(r, row, 0),
        .user_id = db_str(r, row, 1),
        .endpoint = db_str(r, row, 2),
        .p256dh = db_str(r, row, 3),
        .auth = db_str(r, row, 4),
        .agent = db_str(r, row, 5),
        .created_at = db_i64(r, row, 6),
        .expires_at = db_i64(r, row, 7),
        .sent_at = db_i64(r, row, 8),
        .error = db_str(r, row, 9),
    };
}

/* So that two who subscribe at once count one after the other. */
static int lock(struct tx *tx, struct err *e)
{
    if (db_dialect(tx_db(tx)) == DIALECT_SQLITE)
        return 0;
    return tx_exec(tx, "SELECT pg_advisory_xact_lock(709385, hashtext(current_schema()))", DB_NONE,
                   NULL, e);
}

static bool same_keys(const struct push_subscription *a, const struct push_subscription *b)
{
    return strcmp(a->p256dh, b->p256dh) == 0 && strcmp(a->auth, b->auth) == 0;
}

static bool same_user(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static int renew(struct tx *tx, const struct push_subscription *s, struct err *e)
{
    return tx_exec(tx,
                   "UPDATE push_subscriptions SET p256dh = $2, auth = $3, agent = $4, "
                   "expires_at = $5, error = NULL WHERE id = $1",
                   DB_ARGS(db_text(s->id), db_text(s->p256dh), db_text(s->auth), db_text(s->agent),
                           db_int_or_null(s->expires_at)),
                   NULL, e);
}

static int insert(struct tx *tx, struct push_subscription *s, int most, struct arena *a,
                  struct err *e)
{
    struct db_rows rows;
    char *id = arena_alloc(a, UUID_TEXT);
    int rc = tx_query(tx, "SELECT count(*) FROM push_subscriptions s WHERE " OF_USER "$1",
                      DB_ARGS(user_value(s->user_id)), a, &rows, e);

    if (rc == 0 && db_i64(&rows, 0, 0) >= most)
        rc = ERR(e, ERR_CONFLICT, "%d browsers are subscribed; unsubscribe one first", most);
    if (rc)
        return rc;
    uuid_v7(id);
    s->id = id;
    s->sent_at = 0;
    s->error = NULL;
    return tx_exec(tx,
                   "INSERT INTO push_subscriptions (id, user_id, endpoint, p256dh, auth, agent, "
                   "created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                   DB_ARGS(db_text(id), db_text(s->user_id), db_text(s->endpoint),
                           db_text(s->p256dh), db_text(s->auth), db_text(s->agent),
                           db_int(s->created_at), db_int_or_null(s->expires_at)),
                   NULL, e);
}

int push_subscriptions_keep(struct tx *tx, struct push_subscription *s, int most, struct arena *a,
                            bool *added, struct err *e)
{
    struct push_subscription there, kept = *s;
    struct db_rows rows;
    bool known = false;
    int rc = lock(tx, e);

    if (rc == 0)
        rc = tx_query(tx, "SELECT " COLUMNS " FROM push_subscriptions s WHERE s.endpoint = $1",
                      DB_ARGS(db_text(s->endpoint)), a, &rows, e);
    if (rc)
        return rc;
    if (rows.count) {
        from_row(&rows, 0, &there);
        known = same_user(there.user_id, s->user_id);
        if (!known && !same_keys(&there, s))
            return ERR(e, ERR_DENIED, "this endpoint is subscribed with other keys");
        kept.id = there.id;
        kept.created_at = known ? there.created_at : s->created_at;
        kept.sent_at = known ? there.sent_at : 0;
        kept.error = NULL;
    }
    if (rows.count && !known)
        rc = push_subscriptions_drop(tx, there.id, e);
    if (rc == 0)
        rc = known ? renew(tx, &kept, e) : insert(tx, &kept, most, a, e);
    if (rc)
        return rc;
    *s = kept;
    *added = !known;
    return 0;
}

int push_subscriptions_list(struct tx *tx, const char *user_id, struct arena *a,
                            struct push_subscription **out, size_t *count, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(
        tx, "SELECT " COLUMNS " FROM push_subscriptions s WHERE " OF_USER "$1 ORDER BY s.id",
        DB_ARGS(user_value(user_id)), a, &rows, e);

    if (rc)
        return rc;
    struct push_subscription *list = arena_alloc(a, (rows.count + 1) * sizeof *list);
    for (size_t i = 0; i < rows.count; i++)
        from_row(&rows, i, &list[i]);
    *count = rows.count;
    *out = list;
    return 0;
}

int push_subscriptions_get(struct tx *tx, const char *id, const char *user_id, struct arena *a,
                           struct push_subscription *out, struct err *e)
{
    struct db_rows rows;
    int rc = query_one(
        tx, "SELECT " COLUMNS " FROM push_subscriptions s WHERE s.id = $1 AND " OF_USER "$2",
        DB_ARGS(db_text(id), user_value(user_id)), "push subscription", id, a, &rows, e);

    if (rc == 0)
        from_row(&rows, 0, out);
    return rc;
}

int push_subscriptions_delete(struct tx *tx, const char *id, const char *user_id, struct err *e)
{
    return exec_one(tx,
                    "DELETE FROM push_subscriptions WHERE id = $1 AND coalesce(user_id, '') = $2",
                    DB_ARGS(db_text(id), user_value(user_id)), "push subscription", id, e);
}

int push_subscriptions_result(struct tx *tx, const char *id, const char *error, int64_t now,
                              struct err *e)
{
    return tx_exec(tx,
                   "UPDATE push_subscriptions SET error = $2, "
                   "sent_at = coalesce(CAST($3 AS BIGINT), sent_at) WHERE id = $1",
                   DB_ARGS(db_text(id), db_text(error), db_int_or_null(error ? 0 : now)), NULL, e);
}

int push_subscriptions_drop(struct tx *tx, const char *id, struct err *e)
{
    return tx_exec(tx, "DELETE FROM push_subscriptions WHERE id = $1", DB_ARGS(db_text(id)), NULL,
                   e);
}

int push_subscriptions_expire(struct tx *tx, int64_t now, struct err *e)
{
    return tx_exec(tx, "DELETE FROM push_subscriptions WHERE expires_at <= $1",
                   DB_ARGS(db_int(now)), NULL, e);
}
