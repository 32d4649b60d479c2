#include "storage/query.h"
#include "storage/users_rows.h"

#define COLUMNS                                                                                    \
    "k.id, k.user_id, k.name, k.prefix, k.hash, k.scopes, k.created_at, k.expires_at, k.used_at, " \
    "k.revoked_at"

static void from_row(const struct db_rows *r, size_t row, struct api_key *out)
{
    *out = (struct api_key){
        .id = db_str(r, row, 0),
        .user_id = db_str(r, row, 1),
        .name = db_str(r, row, 2),
        .prefix = db_str(r, row, 3),
        .hash = db_str(r, row, 4),
        .scopes = db_str(r, row, 5),
        .created_at = db_i64(r, row, 6),
        .expires_at = db_i64(r, row, 7),
        .used_at = db_i64(r, row, 8),
        .revoked_at = db_i64(r, row, 9),
    };
}

int api_keys_insert(struct tx *tx, const struct api_key *k, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO api_keys (id, user_id, name, prefix, hash, scopes, created_at, "
                   "expires_at, used_at, revoked_at) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                   DB_ARGS(db_text(k->id), db_text(k->user_id), db_text(k->name),
                           db_text(k->prefix), db_text(k->hash), db_text(k->scopes),
                           db_int(k->created_at), db_int_or_null(k->expires_at),
                           db_int_or_null(k->used_at), db_int_or_null(k->revoked_at)),
                   NULL, e);
}

int api_keys_find(struct tx *tx, const char *hash, int64_t now, struct arena *a,
                  struct api_key *key, struct user *user, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT " COLUMNS ", " USER_COLUMNS
                      " FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.hash = $1 "
                      "AND (k.expires_at IS NULL OR k.expires_at > $2) AND k.revoked_at IS NULL "
                      "AND u.disabled = 0",
                      DB_ARGS(db_text(hash), db_int(now)), a, &rows, e);

    if (rc == 0 && rows.count == 0)
        rc = ERR(e, ERR_NOT_FOUND, "no such API key, or it has expired"); /* hashes stay private */
    if (rc)
        return rc;
    from_row(&rows, 0, key);
    user_from_row(&rows, 0, 10, user);
    return 0;
}

int api_keys_used(struct tx *tx, const char *id, int64_t now, struct err *e)
{
    return exec_one(tx, "UPDATE api_keys SET used_at = $2 WHERE id = $1",
                    DB_ARGS(db_text(id), db_int(now)), "API key", id, e);
}

int api_keys_list(struct tx *tx, const char *user_id, struct arena *a, struct api_key **out,
                  size_t *count, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx, "SELECT " COLUMNS " FROM api_keys k WHERE k.user_id = $1 ORDER BY k.id",
                      DB_ARGS(db_text(user_id)), a, &rows, e);

    if (rc)
        return rc;
    struct api_key *keys = arena_alloc(a, rows.count * sizeof *keys);
    for (size_t i = 0; i < rows.count; i++)
        from_row(&rows, i, &keys[i]);
    *count = rows.count;
    *out = keys;
    return 0;
}

int api_keys_revoke(struct tx *tx, const char *id, const char *user_id, int64_t now, struct err *e)
{
    const char *sql = user_id ? "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) "
                                "WHERE id = $1 AND user_id = $2"
                              : "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) "
                                "WHERE id = $1";

    if (user_id)
        return exec_one(tx, sql, DB_ARGS(db_text(id), db_text(user_id), db_int(now)), "API key", id,
                        e);
    return exec_one(tx, sql, DB_ARGS(db_text(id), db_int(now)), "API key", id, e);
}
