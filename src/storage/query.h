/*
 * query.h: SQL that depends on what was asked for: conditions with their arguments, and cursors.
 *
 *   struct query q;
 *   query_init(&q, a);
 *   query_add(&q, "SELECT id FROM jobs WHERE 1 = 1");
 *   query_and(&q, "user_id = ", db_text(f->user_id));        " AND user_id = $1"
 *   query_add(&q, " ORDER BY id DESC LIMIT ");
 *   query_arg(&q, db_int(limit));
 *   if (query_run(&q, tx, &rows, e)) ...
 *
 * Only the repositories of this room include it. Threads, ownership: those of the arena.
 */
#ifndef STORAGE_QUERY_H
#define STORAGE_QUERY_H

#include "base/buf.h"
#include "storage/db.h"

enum { QUERY_ARGS = 48, PAGE = 50, PAGE_MOST = 10000 };
struct query {
    struct arena *a;
    char *sql;
    struct db_value args[QUERY_ARGS];
    size_t count;
};
void query_init(struct query *q, struct arena *a);
void query_add(struct query *q, const char *sql);
void query_arg(struct query *q, struct db_value value);
/* " AND <condition> $n" */
void query_and(struct query *q, const char *condition, struct db_value value);
WARN_UNUSED_RESULT int query_run(const struct query *q, struct tx *tx, struct db_rows *rows,
                                 struct err *e);

/* Exactly one row, else ERR_NOT_FOUND: "no <what> '<id>'". */
WARN_UNUSED_RESULT int query_one(struct tx *tx, const char *sql, struct db_args args,
                                 const char *what, const char *id, struct arena *a,
                                 struct db_rows *rows, struct err *e);
/* At least one row changed, else ERR_NOT_FOUND. */
WARN_UNUSED_RESULT int exec_one(struct tx *tx, const char *sql, struct db_args args,
                                const char *what, const char *id, struct err *e);

/* The last row of a page: `sort` says which order it belongs to. Opaque to clients: base64url. */
struct cursor {
    char sort;
    const char *key; /* what the order goes by, as text; "" when by identifier alone */
    const char *id;
};
char *cursor_write(struct arena *a, struct cursor c);
/* ERR_ARG for anything that cursor_write did not make, or made for another order. */
WARN_UNUSED_RESULT int cursor_read(const char *text, char sort, struct arena *a, struct cursor *out,
                                   struct err *e);

/* Within 1 .. PAGE_MOST; 0 or less: PAGE. */
int page_limit(int limit);

/* A list of texts as one argument: json_texts makes it, "IN (<in_texts>)" reads it. */
char *json_texts(struct arena *a, const char *const *texts, size_t count);
const char *in_texts(struct tx *tx, int argument, struct arena *a);
/* " FOR NO KEY UPDATE", which keeps other writers away, or nothing on SQLite: it has one writer. */
const char *for_update(struct tx *tx);
const char *for_update_free(struct tx *tx); /* and passes over rows that others hold */

#endif
