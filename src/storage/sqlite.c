/*
 * SQLite: WAL, so readers never wait; one writing connection, whose line is the fair queue of the
 * process's writers; other processes are waited for with the busy handler.
 */
#include "base/file.h"
#include "storage/connection.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct location {
    char *path;
    bool memory; /* one connection is the whole database */
};

struct connection {
    sqlite3 *db;
    struct statements statements;
    bool memory;
    bool reading; /* query_only is set */
};

static int code_of(int status)
{
    switch (status & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return ERR_NETWORK;
    case SQLITE_CONSTRAINT:
        return status == SQLITE_CONSTRAINT_CHECK || status == SQLITE_CONSTRAINT_NOTNULL ||
                       status == SQLITE_CONSTRAINT_DATATYPE
                   ? ERR_IO
                   : ERR_CONFLICT;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

static int failed(struct connection *c, const char *what, struct err *e)
{
    return ERR(e, (enum err_code)code_of(sqlite3_extended_errcode(c->db)), "%s: %s", what,
               sqlite3_errmsg(c->db));
}

static int sqlite_open(struct db *db, const char *url, struct err *e)
{
    struct str rest = str_from(url);

    (void)str_skip(&rest, "sqlite:");
    (void)str_skip(&rest, "//"); /* sqlite:///absolute, sqlite:relative */
    if (!rest.n)
        return ERR(e, ERR_ARG, "the URL of the database names no file: sqlite:///file");
    struct location *at = calloc(1, sizeof *at);
    if (!at || !(at->path = strdup(rest.p))) {
        free(at);
        return ERR(e, ERR_NOMEM, "no memory for a database");
    }
    at->memory = str_is(rest, ":memory:");
    db->state = at;
    db->one_line = at->memory;
    db->writers.most = 1;
    if (at->memory)
        db->readers.most = 1;
    if (sqlite3_threadsafe() == 0) {
        free(at->path);
        free(at);
        return ERR(e, ERR_UNSUPPORTED, "this SQLite was built for one thread only");
    }
    return 0;
}

static void sqlite_close(struct db *db)
{
    struct location *at = db->state;

    free(at->path);
    free(at);
}

static void forget(void *owner, void *handle)
{
    (void)owner;
    sqlite3_finalize(handle);
}

static int script(void *connection, const char *sql, struct err *e)
{
    struct connection *c = connection;

    return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(c, "database", e);
}

static void disconnect(void *connection)
{
    struct connection *c = connection;

    statements_release(&c->statements);
    sqlite3_close(c->db);
    free(c);
}

/* The folder must exist; the file is made. */
static int connect_to(struct db *db, void **out, struct err *e)
{
    static const char settings[] = "PRAGMA journal_mode = WAL;"
                                   "PRAGMA synchronous = FULL;"
                                   "PRAGMA foreign_keys = ON;"
                                   "PRAGMA temp_store = MEMORY;"
                                   "PRAGMA cache_size = -16384;"
                                   "PRAGMA mmap_size = 1073741824;"
                                   "PRAGMA wal_autocheckpoint = 4000;"
                                   "PRAGMA journal_size_limit = 67108864;";
    const struct location *at = db->state;
    struct connection *c = calloc(1, sizeof *c);

    if (!c)
        return ERR(e, ERR_NOMEM, "no memory for a connection");
    c->memory = at->memory;
    c->statements = (struct statements){.forget = forget, .owner = c};
    /* NOMUTEX: a connection belongs to one transaction, which belongs to one thread. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(at->path, &c->db, flags, NULL) != SQLITE_OK) {
        int rc = ERR(e, ERR_IO, "cannot open the database '%s': %s", at->path,
                     c->db ? sqlite3_errmsg(c->db) : "no memory");
        disconnect(c);
        return rc;
    }
    sqlite3_busy_timeout(c->db, (int)(db->options.timeout * 1000));
    sqlite3_extended_result_codes(c->db, 1);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    int rc = script(c, settings, e);
    if (rc) {
        err_prefix(e, "cannot open the database '%s'", at->path);
        disconnect(c);
        return rc;
    }
    *out = c;
    return 0;
}

static bool usable(void *connection)
{
    struct connection *c = connection;

    return sqlite3_get_autocommit(c->db);
}

/* "$7" is a name for SQLite, numbered by its first appearance and found by a walk over all names,
 * which took a seventh of an insert of hundreds of rows; "?7" is the number itself. */
static char *numbered(const char *sql)
{
    char *copy = strdup(sql);

    if (!copy)
        abort(); /* a small allocation, as in arena.h */
    for (char *p = copy; (p = strchr(p, '$')); p++)
        if (p[1] >= '1' && p[1] <= '9')
            *p = '?';
    return copy;
}

static int prepare(struct connection *c, const char *sql, sqlite3_stmt **out, struct err *e)
{
    sqlite3_stmt *statement = statements_find(&c->statements, sql);

    if (!statement) {
        char *text = numbered(sql);
        int status =
            sqlite3_prepare_v3(c->db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
        free(text);
        if (status)
            return failed(c, "cannot prepare a statement", e);
        statements_keep(&c->statements, sql, statement);
    }
    *out = statement;
    return 0;
}

static int bind_all(struct connection *c, sqlite3_stmt *s, struct db_args args, struct err *e)
{
    int count = sqlite3_bind_parameter_count(s);

    if ((size_t)count > args.count)
        return ERR(e, ERR_ARG, "argument '$%d' of a statement was not given", count);
    for (int k = 1; k <= count; k++) {
        const struct db_value *v = &args.values[k - 1];
        int status = SQLITE_OK;
        switch (v->type) {
        case DB_NULL:
            status = sqlite3_bind_null(s, k);
            break;
        case DB_INT:
            status = sqlite3_bind_int64(s, k, v->i);
            break;
        case DB_REAL:
            status = sqlite3_bind_double(s, k, v->r);
            break;
        case DB_TEXT: /* arguments outlive the call, and are unbound before it ends */
            status = sqlite3_bind_text64(s, k, v->s, v->n, SQLITE_STATIC, SQLITE_UTF8);
            break;
        }
        if (status != SQLITE_OK)
            return failed(c, "cannot bind an argument", e);
    }
    return 0;
}

static int read_value(sqlite3_stmt *s, int column, struct arena *a, struct db_value *out)
{
    enum { DIGITS = 32 };
    char *text;

    switch (sqlite3_column_type(s, column)) {
    case SQLITE_NULL:
        *out = (struct db_value){0};
        return 0;
    case SQLITE_INTEGER:
        *out = (struct db_value){.type = DB_INT, .i = sqlite3_column_int64(s, column)};
        text = arena_try(a, 1, DIGITS);
        if (!text)
            return -1;
        out->n = (size_t)snprintf(text, DIGITS, "%lld", (long long)out->i);
        break;
    case SQLITE_FLOAT:
        *out = (struct db_value){.type = DB_REAL, .r = sqlite3_column_double(s, column)};
        text = arena_try(a, 1, DIGITS);
        if (!text)
            return -1;
        out->n = (size_t)snprintf(text, DIGITS, "%.17g", out->r);
        break;
    default:
        *out = (struct db_value){.type = DB_TEXT};
        const void *bytes = sqlite3_column_text(s, column);
        out->n = (size_t)sqlite3_column_bytes(s, column);
        text = arena_try(a, out->n + 1, 1);
        if (!text || !bytes)
            return -1;
        memcpy(text, bytes, out->n);
    }
    out->s = text;
    return 0;
}

static int read_row(sqlite3_stmt *s, struct rows_builder *b)
{
    struct db_value *row = rows_add(b);

    if (!row)
        return -1;
    for (size_t i = 0; i < b->columns; i++)
        if (read_value(s, (int)i, b->a, &row[i]))
            return -1;
    return 0;
}

/* `a` NULL: rows are counted out, not kept. */
static int query(void *connection, const char *sql, struct db_args args, struct arena *a,
                 struct db_rows *rows, struct err *e)
{
    struct connection *c = connection;
    sqlite3_stmt *s = NULL;
    int rc = prepare(c, sql, &s, e);

    if (rc)
        return rc;
    struct rows_builder b = {.a = a, .columns = (size_t)sqlite3_column_count(s)};
    int before = sqlite3_total_changes(c->db), status = SQLITE_DONE;
    rc = bind_all(c, s, args, e);
    while (rc == 0 && (status = sqlite3_step(s)) == SQLITE_ROW)
        if (a && read_row(s, &b))
            rc = ERR(e, ERR_NOMEM, "no memory for the rows of a query");
    if (rc == 0 && status != SQLITE_DONE)
        rc = failed(c, "database", e);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    if (rc)
        return rc;
    bool reads = sqlite3_stmt_readonly(s);
    *rows = (struct db_rows){b.count, b.columns, b.values, 0};
    if (!reads && sqlite3_total_changes(c->db) != before)
        rows->changed = sqlite3_changes(c->db);
    return 0;
}

static int run_word(struct connection *c, const char *sql, struct err *e)
{
    struct db_rows rows;

    return query(c, sql, DB_NONE, NULL, &rows, e);
}

static int begin(void *connection, enum tx_mode mode, struct err *e)
{
    struct connection *c = connection;
    int rc = 0;

    /* A reader that writes is a mistake, which would fail only sometimes. Changing a flag makes
     * SQLite parse every prepared statement again, so it is changed only where it must be. */
    if (c->reading != (mode == TX_READ))
        rc = run_word(c, mode == TX_READ ? "PRAGMA query_only = 1" : "PRAGMA query_only = 0", e);
    if (rc == 0)
        c->reading = mode == TX_READ;
    if (rc == 0)
        rc = run_word(c, mode == TX_READ ? "BEGIN" : "BEGIN IMMEDIATE", e);
    return rc;
}

static int end(void *connection, bool commit, struct err *e)
{
    struct connection *c = connection;

    if (sqlite3_get_autocommit(c->db)) /* SQLite rolled back by itself: disk full, interrupted */
        return commit ? ERR(e, ERR_IO, "the database rolled the transaction back") : 0;
    int rc = run_word(c, commit ? "COMMIT" : "ROLLBACK", e);
    if (rc && commit) {
        struct err ignored;
        (void)run_word(c, "ROLLBACK", &ignored);
    }
    return rc;
}

const struct db_backend db_sqlite = {
    .scheme = "sqlite",
    .dialect = DIALECT_SQLITE,
    .open = sqlite_open,
    .close = sqlite_close,
    .connect = connect_to,
    .disconnect = disconnect,
    .usable = usable,
    .begin = begin,
    .end = end,
    .query = query,
    .script = script,
};
