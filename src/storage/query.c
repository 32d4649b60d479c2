#include "storage/query.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

void query_init(struct query *q, struct arena *a)
{
    q->a = a;
    q->sql = arena_strdup(a, "");
    q->count = 0;
}

void query_add(struct query *q, const char *sql)
{
    q->sql = arena_printf(q->a, "%s%s", q->sql, sql);
}

void query_arg(struct query *q, struct db_value value)
{
    if (q->count == QUERY_ARGS)
        abort(); /* the repositories' conditions are fewer than that */
    q->args[q->count++] = value;
    q->sql = arena_printf(q->a, "%s$%zu", q->sql, q->count);
}

void query_and(struct query *q, const char *condition, struct db_value value)
{
    query_add(q, " AND ");
    query_add(q, condition);
    query_arg(q, value);
}

int query_run(const struct query *q, struct tx *tx, struct db_rows *rows, struct err *e)
{
    return tx_query(tx, q->sql, (struct db_args){q->args, q->count}, q->a, rows, e);
}

int query_one(struct tx *tx, const char *sql, struct db_args args, const char *what, const char *id,
              struct arena *a, struct db_rows *rows, struct err *e)
{
    int rc = tx_query(tx, sql, args, a, rows, e);

    if (rc == 0 && rows->count == 0)
        rc = ERR(e, ERR_NOT_FOUND, "no %s '%s'", what, id);
    return rc;
}

int exec_one(struct tx *tx, const char *sql, struct db_args args, const char *what, const char *id,
             struct err *e)
{
    int64_t changed;
    int rc = tx_exec(tx, sql, args, &changed, e);

    if (rc == 0 && changed == 0)
        rc = ERR(e, ERR_NOT_FOUND, "no %s '%s'", what, id);
    return rc;
}

/* RFC 4648 section 5, without padding. */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *cursor_write(struct arena *a, struct cursor c)
{
    const char *raw = arena_printf(a, "%c%s\n%s", c.sort, c.key, c.id);
    size_t n = strlen(raw);
    char *text = arena_alloc(a, n * 4 / 3 + 4), *p = text;
    uint32_t bits = 0;
    int have = 0;

    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | (unsigned char)raw[i];
        for (have += 8; have >= 6; have -= 6)
            *p++ = digits[bits >> (have - 6) & 63];
    }
    if (have)
        *p++ = digits[bits << (6 - have) & 63];
    *p = 0;
    return text;
}

int cursor_read(const char *text, char sort, struct arena *a, struct cursor *out, struct err *e)
{
    size_t n = strlen(text), used = 0;
    char *raw = n <= 1024 ? arena_alloc(a, n + 1) : NULL;
    uint32_t bits = 0;
    int have = 0;

    for (size_t i = 0; raw && i < n; i++) {
        const char *digit = strchr(digits, text[i]);
        if (!digit || !text[i])
            return ERR(e, ERR_ARG, "not a cursor of this list");
        bits = bits << 6 | (uint32_t)(digit - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            raw[used++] = (char)(bits >> have & 255);
        }
    }
    char *line = raw ? strchr(raw, '\n') : NULL;
    if (!line || !line[1] || strlen(raw) != used)
        return ERR(e, ERR_ARG, "not a cursor of this list");
    if (raw[0] != sort)
        return ERR(e, ERR_ARG, "the cursor belongs to a list in another order");
    *line = 0;
    *out = (struct cursor){sort, raw + 1, line + 1};
    return 0;
}

int page_limit(int limit)
{
    return limit <= 0 ? PAGE : limit > PAGE_MOST ? PAGE_MOST : limit;
}

char *json_texts(struct arena *a, const char *const *texts, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < count; i++)
        json_array_append_new(list, json_string(texts[i]));
    char *text = json_compact(list, a);
    json_decref(list);
    return text;
}

const char *in_texts(struct tx *tx, int argument, struct arena *a)
{
    return db_dialect(tx_db(tx)) == DIALECT_SQLITE
               ? arena_printf(a, "SELECT value FROM json_each($%d)", argument)
               : arena_printf(a, "SELECT json_array_elements_text(CAST($%d AS json))", argument);
}

const char *for_update(struct tx *tx)
{
    return db_dialect(tx_db(tx)) == DIALECT_SQLITE ? "" : " FOR NO KEY UPDATE";
}

const char *for_update_free(struct tx *tx)
{
    return db_dialect(tx_db(tx)) == DIALECT_SQLITE ? "" : " FOR NO KEY UPDATE SKIP LOCKED";
}
