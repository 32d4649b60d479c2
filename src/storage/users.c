#include "storage/users.h"

#include "storage/query.h"
#include "storage/users_rows.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

void user_from_row(const struct db_rows *r, size_t row, size_t at, struct user *out)
{
    *out = (struct user){
        .id = db_str(r, row, at),
        .name = db_str(r, row, at + 1),
        .password_hash = db_str(r, row, at + 2),
        .role = db_str(r, row, at + 3),
        .disabled = db_i64(r, row, at + 4) != 0,
        .created_at = db_i64(r, row, at + 5),
        .updated_at = db_i64(r, row, at + 6),
        .last_login_at = db_i64(r, row, at + 7),
    };
}

/* "Zoë", "ZOË" and its decomposed form are one name: compatibility composition with case folding.
 */
static int name_key(const char *name, struct arena *a, char **out, struct err *e)
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_option_t how = UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE |
                            UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;

    if (utf8proc_map((const utf8proc_uint8_t *)name, 0, &folded, how) < 0)
        return ERR(e, ERR_ARG, "the name of a user is not UTF-8");
    *out = arena_strdup(a, (const char *)folded);
    free(folded);
    return 0;
}

int users_insert(struct tx *tx, const struct user *u, struct err *e)
{
    struct arena a = {0};
    char *key;
    int rc = name_key(u->name, &a, &key, e);

    if (rc == 0)
        rc = tx_exec(tx,
                     "INSERT INTO users (id, name, name_key, password_hash, role, disabled, "
                     "created_at, updated_at, last_login_at) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                     DB_ARGS(db_text(u->id), db_text(u->name), db_text(key),
                             db_text(u->password_hash), db_text(u->role), db_int(u->disabled),
                             db_int(u->created_at), db_int(u->updated_at),
                             db_int_or_null(u->last_login_at)),
                     NULL, e);
    arena_release(&a);
    return rc;
}

int users_get(struct tx *tx, const char *id, struct arena *a, struct user *out, struct err *e)
{
    struct db_rows rows;
    int rc = query_one(tx, "SELECT " USER_COLUMNS " FROM users u WHERE u.id = $1",
                       DB_ARGS(db_text(id)), "user", id, a, &rows, e);

    if (rc == 0)
        user_from_row(&rows, 0, 0, out);
    return rc;
}

int users_find(struct tx *tx, const char *name, struct arena *a, struct user *out, struct err *e)
{
    struct db_rows rows;
    char *key;
    int rc = name_key(name, a, &key, e);

    if (rc == 0)
        rc = query_one(tx, "SELECT " USER_COLUMNS " FROM users u WHERE u.name_key = $1",
                       DB_ARGS(db_text(key)), "user", name, a, &rows, e);
    if (rc == 0)
        user_from_row(&rows, 0, 0, out);
    return rc;
}

int users_list(struct tx *tx, int limit, const char *cursor, struct arena *a, struct user **out,
               size_t *count, const char **next, struct err *e)
{
    struct db_rows rows;
    struct cursor from;
    struct query q;
    int rc = 0, most = page_limit(limit);

    query_init(&q, a);
    query_add(&q, "SELECT " USER_COLUMNS ", u.name_key FROM users u WHERE 1 = 1");
    if (cursor) {
        rc = cursor_read(cursor, 'u', a, &from, e);
        if (rc)
            return rc;
        query_and(&q, "u.name_key > ", db_text(from.id));
    }
    query_add(&q, " ORDER BY u.name_key LIMIT ");
    query_arg(&q, db_int(most + 1));
    rc = query_run(&q, tx, &rows, e);
    if (rc)
        return rc;
    size_t n = rows.count > (size_t)most ? (size_t)most : rows.count;
    struct user *users = arena_alloc(a, n * sizeof *users);
    for (size_t i = 0; i < n; i++)
        user_from_row(&rows, i, 0, &users[i]);
    *next = rows.count > n ? cursor_write(a, (struct cursor){'u', "", db_str(&rows, n - 1, 8)})
                           : NULL;
    *count = n;
    *out = users;
    return 0;
}

int users_count(struct tx *tx, int64_t *all, int64_t *admins, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT count(*), count(CASE WHEN role = 'admin' AND disabled = 0 THEN 1 END)"
                      " FROM users",
                      DB_NONE, &a, &rows, e);

    if (rc == 0) {
        *all = db_i64(&rows, 0, 0);
        *admins = db_i64(&rows, 0, 1);
    }
    arena_release(&a);
    return rc;
}

/* Two administrators who remove each other at once must not both succeed, so changes of
 * administrators stand in line: each locks all of their rows, in the order of identifiers. */
static int another_admin(struct tx *tx, const char *id, bool *out, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    const char *sql = arena_printf(&a,
                                   "SELECT id FROM users WHERE role = 'admin' AND disabled = 0 "
                                   "ORDER BY id%s",
                                   for_update(tx));
    int rc = tx_query(tx, sql, DB_NONE, &a, &rows, e);
    bool other = false, is_one = false;

    for (size_t i = 0; rc == 0 && i < rows.count; i++)
        if (strcmp(db_str(&rows, i, 0), id) == 0)
            is_one = true;
        else
            other = true;
    if (rc == 0)
        *out = other || !is_one;
    arena_release(&a);
    return rc;
}

int users_update(struct tx *tx, const struct user *u, int64_t now, struct err *e)
{
    struct arena a = {0};
    bool others = true;
    char *key;
    int rc = name_key(u->name, &a, &key, e);

    if (rc == 0 && (strcmp(u->role, "admin") != 0 || u->disabled))
        rc = another_admin(tx, u->id, &others, e);
    if (rc == 0 && !others)
        rc = ERR(e, ERR_CONFLICT, "'%s' is the last administrator", u->name);
    if (rc == 0)
        rc = exec_one(tx,
                      "UPDATE users SET name = $2, name_key = $3, password_hash = $4, role = $5, "
                      "disabled = $6, updated_at = $7, last_login_at = $8 WHERE id = $1",
                      DB_ARGS(db_text(u->id), db_text(u->name), db_text(key),
                              db_text(u->password_hash), db_text(u->role), db_int(u->disabled),
                              db_int(now), db_int_or_null(u->last_login_at)),
                      "user", u->id, e);
    arena_release(&a);
    return rc;
}

int users_delete(struct tx *tx, const char *id, struct err *e)
{
    bool others;
    int rc = another_admin(tx, id, &others, e);

    if (rc == 0 && !others)
        rc = ERR(e, ERR_CONFLICT, "this is the last administrator");
    if (rc == 0)
        rc = exec_one(tx, "DELETE FROM users WHERE id = $1", DB_ARGS(db_text(id)), "user", id, e);
    return rc;
}

int users_logged_in(struct tx *tx, const char *id, int64_t now, struct err *e)
{
    return exec_one(tx, "UPDATE users SET last_login_at = $2 WHERE id = $1",
                    DB_ARGS(db_text(id), db_int(now)), "user", id, e);
}
