/*
 * connection.h: what db.c and its backends share: the inside of struct db, and the statements that
 * a connection has prepared.
 *
 * Only sqlite.c, postgres.c and db.c include this. Threads: `lock` guards the lines and the
 * statistics; a connection, with its statements, belongs to the one transaction that holds it.
 */
#ifndef STORAGE_CONNECTION_H
#define STORAGE_CONNECTION_H

#include "storage/db.h"

#include <pthread.h>

struct waiter;
struct slot;

/* Connections that are given out in the order of asking. */
struct line {
    struct slot *idle;
    int open, most; /* connections there are, and may be */
    int busy;
    struct waiter *first, *last;
};

struct db {
    const struct db_backend *backend;
    struct db_options options;
    pthread_mutex_t lock;
    struct line readers, writers;
    bool one_line; /* writers stand in the readers' line */
    struct db_stats stats;
    void *state; /* of the backend; it frees it in close() */
    pthread_mutex_t watch_lock;
    void *watcher; /* db_state's own connection; NULL: none yet */
};

/* Prepared statements by their text; the one that was used longest ago makes room for a fresh one.
 */
enum { STATEMENTS = 192 };
struct statement {
    uint64_t hash;
    char *sql; /* NULL: free */
    void *handle;
    uint64_t used;
};
struct statements {
    struct statement all[STATEMENTS];
    uint64_t clock;
    void (*forget)(void *owner, void *handle);
    void *owner;
};

/* NULL when it is not prepared yet. */
void *statements_find(struct statements *s, const char *sql);
/* Keep `handle` for that text; forget() is called for the one that has to go. */
void statements_keep(struct statements *s, const char *sql, void *handle);
void statements_release(struct statements *s);

/* Rows that grow in an arena; columns are known when the first row comes. */
struct rows_builder {
    struct arena *a;
    struct db_value *values;
    size_t columns, count, room;
};
/* The next row, to be filled; NULL when memory ends. */
struct db_value *rows_add(struct rows_builder *b);

extern const struct db_backend db_sqlite, db_postgres;

#endif
