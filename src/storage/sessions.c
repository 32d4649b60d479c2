#include "storage/query.h"
#include "storage/users_rows.h"

#define COLUMNS                                                                                    \
    "s.id, s.token_hash, s.user_id, s.address, s.agent, s.created_at, s.seen_at, s.expires_at"

static void from_row(const struct db_rows *r, size_t row, struct session_row *out)
{
    *out = (struct session_row){
        .id = db_str(r, row, 0),
        .token_hash = db_str(r, row, 1),
        .user_id = db_str(r, row, 2),
        .address = db_str(r, row, 3),
        .agent = db_str(r, row, 4),
        .created_at = db_i64(r, row, 5),
        .seen_at = db_i64(r, row, 6),
        .expires_at = db_i64(r, row, 7),
    };
}

int sessions_insert(struct tx *tx, const struct session_row *s, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO sessions (id, token_hash, user_id, address, agent, created_at, "
                   "seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                   DB_ARGS(db_text(s->id), db_text(s->token_hash), db_text(s->user_id),
                           db_text(s->address), db_text(s->agent), db_int(s->created_at),
                           db_int(s->seen_at), db_int(s->expires_at)),
                   NULL, e);
}

int sessions_find(struct tx *tx, const char *token_hash, int64_t now, struct arena *a,
                  struct session_row *session, struct user *user, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT " COLUMNS ", " USER_COLUMNS
                      " FROM sessions s JOIN users u ON u.id = s.user_id "
                      "WHERE s.token_hash = $1 AND s.expires_at > $2 AND u.disabled = 0",
                      DB_ARGS(db_text(token_hash), db_int(now)), a, &rows, e);

    if (rc == 0 && rows.count == 0)
        rc = ERR(e, ERR_NOT_FOUND, "no such session: log in again"); /* hashes stay out of logs */
    if (rc)
        return rc;
    from_row(&rows, 0, session);
    user_from_row(&rows, 0, 8, user);
    return 0;
}

int sessions_rotate(struct tx *tx, const char *id, const char *token_hash, int64_t now,
                    int64_t expires_at, struct err *e)
{
    return exec_one(tx,
                    "UPDATE sessions SET token_hash = $2, seen_at = $3, expires_at = $4 "
                    "WHERE id = $1",
                    DB_ARGS(db_text(id), db_text(token_hash), db_int(now), db_int(expires_at)),
                    "session", id, e);
}

int sessions_list(struct tx *tx, const char *user_id, struct arena *a, struct session_row **out,
                  size_t *count, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx, "SELECT " COLUMNS " FROM sessions s WHERE s.user_id = $1 ORDER BY s.id",
                      DB_ARGS(db_text(user_id)), a, &rows, e);

    if (rc)
        return rc;
    struct session_row *sessions = arena_alloc(a, rows.count * sizeof *sessions);
    for (size_t i = 0; i < rows.count; i++)
        from_row(&rows, i, &sessions[i]);
    *count = rows.count;
    *out = sessions;
    return 0;
}

int sessions_delete(struct tx *tx, const char *id, const char *user_id, struct err *e)
{
    if (!user_id)
        return exec_one(tx, "DELETE FROM sessions WHERE id = $1", DB_ARGS(db_text(id)), "session",
                        id, e);
    return exec_one(tx, "DELETE FROM sessions WHERE id = $1 AND user_id = $2",
                    DB_ARGS(db_text(id), db_text(user_id)), "session", id, e);
}

int sessions_delete_others(struct tx *tx, const char *user_id, const char *keep_id, struct err *e)
{
    return tx_exec(tx, "DELETE FROM sessions WHERE user_id = $1 AND id <> $2",
                   DB_ARGS(db_text(user_id), db_text(keep_id ? keep_id : "")), NULL, e);
}

int sessions_expire(struct tx *tx, int64_t now, struct err *e)
{
    return tx_exec(tx, "DELETE FROM sessions WHERE expires_at <= $1", DB_ARGS(db_int(now)), NULL,
                   e);
}
