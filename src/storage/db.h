/*
 * db.h: one SQL database, SQLite or PostgreSQL, behind one small table of functions.
 *
 *   struct db *db;
 *   if (db_open("sqlite:///data/cauldron.db", &(struct db_options){.connections = 8}, &db, &e)) ...
 *   if (migrate_up(db, MIGRATE_NEWEST, &e)) ...                             (migrate.h)
 *
 *   struct tx *tx;
 *   if (tx_begin(db, TX_WRITE, &tx, &e)) ...
 *   if (tx_query(tx, "SELECT id, name FROM users WHERE role = $1", DB_ARGS(DB_TEXT("admin")),
 *                &arena, &rows, &e)) ...
 *   if (tx_commit(tx, &e)) ...                  or tx_rollback(tx): one of them, always
 *
 * The SQL is what both databases understand, with $1 .. $n for arguments; where they differ the
 * repository asks db_dialect. Only files of this room hold SQL: one file per table, each with its
 * own header (users.h, generations.h, ...), whose functions take a struct tx.
 *
 * SQLite: WAL, one writer at a time (TX_WRITE waits for it in line), any number of readers.
 * PostgreSQL: a pool; READ COMMITTED. A statement is prepared once per connection.
 * Errors: ERR_NETWORK when the server is away, restarts, or asks to try again (deadlock,
 * serialization, busy): roll back, the whole transaction may be repeated; ERR_CONFLICT for unique
 * and foreign keys; ERR_IO for the rest, with the database's words. After an error only
 * tx_rollback is useful.
 * Threads: any thread may begin; a transaction belongs to one. Ownership: rows live in the arena.
 */
#ifndef STORAGE_DB_H
#define STORAGE_DB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct tx;

enum db_dialect { DIALECT_SQLITE, DIALECT_POSTGRES };

struct db_options {
    int connections;   /* at most; 0: 8 */
    double timeout;    /* seconds to wait for a free connection or SQLite's writer; 0: 10 */
    double slow_query; /* seconds from which a query is logged; 0: 1 */
};

/* "sqlite:///absolute.db", "sqlite:relative.db", "sqlite::memory:" or "postgresql://...". The
 * schema is not touched. ERR_ARG for other URLs, ERR_NETWORK when PostgreSQL does not answer. */
WARN_UNUSED_RESULT int db_open(const char *url, const struct db_options *o, struct db **out,
                               struct err *e);
void db_close(struct db *db);
enum db_dialect db_dialect(const struct db *db);

/* A text that differs once anything was committed since, by this process or another: what was read
 * before and after is the same when it is the same. Cheap (no transaction). ERR_NETWORK, ERR_IO. */
enum { DB_STATE = 128 };
WARN_UNUSED_RESULT int db_state(struct db *db, char out[DB_STATE], struct err *e);

struct db_stats {
    int open, busy;
    int64_t transactions, queries, failures;
    double seconds; /* in queries */
};
void db_stats(struct db *db, struct db_stats *out);

enum db_type { DB_NULL, DB_INT, DB_REAL, DB_TEXT };
struct db_value {
    enum db_type type;
    int64_t i;
    double r;
    const char *s; /* texts end with a NUL; they may hold none */
    size_t n;
};
struct db_args {
    const struct db_value *values;
    size_t count;
};
struct db_value db_text(const char *s); /* NULL: the SQL NULL */
struct db_value db_int(int64_t i);
struct db_value db_real(double r);         /* NAN: the SQL NULL */
struct db_value db_int_or_null(int64_t i); /* 0: the SQL NULL */
#define DB_NONE ((struct db_args){0})
#define DB_ARGS(...)                                                                               \
    ((struct db_args){(const struct db_value[]){__VA_ARGS__},                                      \
                      sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)})

struct db_rows {
    size_t count, columns;
    const struct db_value *values; /* [count][columns] */
    int64_t changed;               /* rows inserted, updated or deleted */
};
const struct db_value *db_at(const struct db_rows *rows, size_t row, size_t column);
const char *db_str(const struct db_rows *rows, size_t row, size_t column); /* NULL for the SQL NULL;
                                                                              numbers as text */
int64_t db_i64(const struct db_rows *rows, size_t row, size_t column);     /* 0 for the SQL NULL */
double db_f64(const struct db_rows *rows, size_t row, size_t column); /* NAN for the SQL NULL */

enum tx_mode { TX_READ, TX_WRITE };
WARN_UNUSED_RESULT int tx_begin(struct db *db, enum tx_mode mode, struct tx **out, struct err *e);
WARN_UNUSED_RESULT int tx_commit(struct tx *tx, struct err *e);
void tx_rollback(struct tx *tx); /* NULL is fine */
struct db *tx_db(struct tx *tx);
enum tx_mode tx_mode(const struct tx *tx);

/* A statement that begins with this is not prepared: PostgreSQL plans it for its arguments, where
 * the right plan depends on them (how frequent is that word?). */
#define DB_ONCE "/* once */ "

/* Run one statement and keep all its rows. `rows` may be NULL. */
WARN_UNUSED_RESULT int tx_query(struct tx *tx, const char *sql, struct db_args args,
                                struct arena *a, struct db_rows *rows, struct err *e);
/* The same without rows; how many changed goes into *changed (may be NULL). */
WARN_UNUSED_RESULT int tx_exec(struct tx *tx, const char *sql, struct db_args args,
                               int64_t *changed, struct err *e);
/* Several statements without arguments, separated by ';' (migrations). */
WARN_UNUSED_RESULT int tx_script(struct tx *tx, const char *sql, struct err *e);

/* What a backend must have: sqlite.c, postgres.c; listed in db.c. */
struct db_backend {
    const char *scheme;
    enum db_dialect dialect;
    int (*open)(struct db *db, const char *url, struct err *e);
    void (*close)(struct db *db);
    int (*connect)(struct db *db, void **connection, struct err *e);
    void (*disconnect)(void *connection);
    bool (*usable)(void *connection); /* after a rollback: whether it may go back into the pool */
    int (*begin)(void *connection, enum tx_mode mode, struct err *e);
    int (*end)(void *connection, bool commit, struct err *e);
    int (*query)(void *connection, const char *sql, struct db_args args, struct arena *a,
                 struct db_rows *rows, struct err *e);
    int (*script)(void *connection, const char *sql, struct err *e);
};

#endif
