/*
 * PostgreSQL by libpq: blocking calls on the threads of the callers, one connection to a
 * transaction, each statement prepared once per connection. Arguments and values travel as text.
 *
 * Whatever a repeated transaction may cure is ERR_NETWORK: lost connections, servers that start or
 * stop, deadlocks, failed serialization, locks not had in time.
 */
#include "storage/connection.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct connection {
    PGconn *pg;
    struct statements statements;
    uint64_t prepared; /* names are s1, s2, ... */
};

/* SQLSTATE (PostgreSQL manual, appendix A). */
static int code_of(const char *state)
{
    static const struct {
        const char *begins;
        int code;
    } codes[] = {
        {"08", ERR_NETWORK},    /* connection exceptions */
        {"57P", ERR_NETWORK},   /* the server stops, crashed, or starts */
        {"57014", ERR_NETWORK}, /* cancelled: statement_timeout */
        {"40", ERR_NETWORK},    /* serialization failure, deadlock */
        {"55P03", ERR_NETWORK}, /* lock_timeout */
        {"53300", ERR_NETWORK}, /* too many connections */
        {"25P03", ERR_NETWORK}, /* idle in transaction for too long */
        {"23505", ERR_CONFLICT}, {"23503", ERR_CONFLICT}, {"23P01", ERR_CONFLICT},
    };

    for (size_t i = 0; state && i < sizeof codes / sizeof *codes; i++)
        if (strncmp(state, codes[i].begins, strlen(codes[i].begins)) == 0)
            return codes[i].code;
    return ERR_IO;
}

/* Messages of libpq end with a newline and may have several. */
static int complain(const struct connection *c, const PGresult *result, struct err *e)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    bool lost = PQstatus(c->pg) != CONNECTION_OK || (result && !state);
    int code = lost ? ERR_NETWORK : code_of(state);

    if (!text)
        text = PQerrorMessage(c->pg);
    return ERR(e, (enum err_code)code, "database: %.*s%s%s%s", (int)strcspn(text, "\n"), text,
               state ? " (" : "", state ? state : "", state ? ")" : "");
}

static int postgres_open(struct db *db, const char *url, struct err *e)
{
    char *text = NULL;
    PQconninfoOption *parsed = PQconninfoParse(url, &text);

    if (!parsed) {
        int rc = ERR(e, ERR_ARG, "the URL of the database: %.*s",
                     text ? (int)strcspn(text, "\n") : 9, text ? text : "no memory");
        PQfreemem(text);
        return rc;
    }
    PQconninfoFree(parsed);
    db->state = strdup(url);
    return db->state ? 0 : ERR(e, ERR_NOMEM, "no memory for a database");
}

static void postgres_close(struct db *db)
{
    free(db->state);
}

static void forget(void *owner, void *handle)
{
    const struct connection *c = owner;
    char sql[64];

    snprintf(sql, sizeof sql, "DEALLOCATE %s", (const char *)handle);
    if (PQtransactionStatus(c->pg) == PQTRANS_INTRANS || PQtransactionStatus(c->pg) == PQTRANS_IDLE)
        PQclear(PQexec(c->pg, sql));
    free(handle);
}

/* The server forgets the statements of a connection that ends. */
static void forget_here(void *owner, void *handle)
{
    (void)owner;
    free(handle);
}

static void disconnect(void *connection)
{
    struct connection *c = connection;

    c->statements.forget = forget_here;
    statements_release(&c->statements);
    PQfinish(c->pg);
    free(c);
}

static void ignore_notices(void *user, const PGresult *result)
{
    (void)user;
    (void)result;
}

static int connect_to(struct db *db, void **out, struct err *e)
{
    struct connection *c = calloc(1, sizeof *c);
    char seconds[16], milliseconds[24], sql[256];
    double timeout = db->options.timeout;

    if (!c)
        return ERR(e, ERR_NOMEM, "no memory for a connection");
    c->statements = (struct statements){.forget = forget, .owner = c};
    snprintf(seconds, sizeof seconds, "%d", timeout < 2 ? 2 : (int)timeout);
    snprintf(milliseconds, sizeof milliseconds, "%lld", (long long)(timeout * 1000));
    /* The URL is expanded after the defaults, so it may name others. */
    const char *const names[] = {"connect_timeout", "tcp_user_timeout", "application_name",
                                 "dbname",          "client_encoding",  NULL};
    const char *const values[] = {seconds, milliseconds, "cauldron", db->state, "UTF8", NULL};
    c->pg = PQconnectdbParams(names, values, 1);
    int rc = 0;
    if (PQstatus(c->pg) != CONNECTION_OK) {
        const char *text = PQerrorMessage(c->pg);
        rc = ERR(e, ERR_NETWORK, "cannot connect to PostgreSQL: %.*s", (int)strcspn(text, "\n"),
                 text);
        goto out;
    }
    PQsetNoticeReceiver(c->pg, ignore_notices, NULL);
    snprintf(sql, sizeof sql,
             "SET lock_timeout = %s; SET idle_in_transaction_session_timeout = 60000; "
             "SET default_transaction_isolation = 'read committed'; SET jit = off",
             milliseconds);
    PGresult *result = PQexec(c->pg, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        rc = complain(c, result, e);
    PQclear(result);
out:
    if (rc)
        disconnect(c);
    else
        *out = c;
    return rc;
}

static bool usable(void *connection)
{
    const struct connection *c = connection;

    return PQstatus(c->pg) == CONNECTION_OK && PQtransactionStatus(c->pg) == PQTRANS_IDLE;
}

static int script(void *connection, const char *sql, struct err *e)
{
    struct connection *c = connection;
    PGresult *result = PQexec(c->pg, sql);
    ExecStatusType status = PQresultStatus(result);
    int rc = 0;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        rc = complain(c, result, e);
    PQclear(result);
    return rc;
}

static int begin(void *connection, enum tx_mode mode, struct err *e)
{
    return script(connection, mode == TX_READ ? "BEGIN READ ONLY" : "BEGIN READ WRITE", e);
}

static int end(void *connection, bool commit, struct err *e)
{
    return script(connection, commit ? "COMMIT" : "ROLLBACK", e);
}

static int prepare(struct connection *c, const char *sql, const char **name, struct err *e)
{
    char *known = statements_find(&c->statements, sql);

    if (!known) {
        char fresh[32];
        snprintf(fresh, sizeof fresh, "s%" PRIu64, ++c->prepared);
        PGresult *result = PQprepare(c->pg, fresh, sql, 0, NULL);
        int rc = PQresultStatus(result) == PGRES_COMMAND_OK ? 0 : complain(c, result, e);
        PQclear(result);
        if (rc)
            return rc;
        known = strdup(fresh);
        if (!known)
            return ERR(e, ERR_NOMEM, "no memory for a statement");
        statements_keep(&c->statements, sql, known);
    }
    *name = known;
    return 0;
}

/* Types that have their own enum db_type; all others are texts (pg_type.dat). */
enum {
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701
};

static int read_value(const PGresult *r, int row, int column, struct arena *a, struct db_value *out)
{
    *out = (struct db_value){0};
    if (PQgetisnull(r, row, column))
        return 0;
    const char *text = PQgetvalue(r, row, column);
    size_t n = (size_t)PQgetlength(r, row, column);
    char *copy = arena_try(a, n + 1, 1);
    if (!copy)
        return -1;
    memcpy(copy, text, n);
    *out = (struct db_value){.type = DB_TEXT, .s = copy, .n = n};
    switch (PQftype(r, column)) {
    case OID_BOOL:
        out->type = DB_INT;
        out->i = copy[0] == 't';
        break;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        out->type = DB_INT;
        out->i = strtoll(copy, NULL, 10);
        break;
    case OID_FLOAT4:
    case OID_FLOAT8:
        out->type = DB_REAL;
        if (!str_to_f64((struct str){copy, n}, &out->r))
            out->r = NAN;
        break;
    default:
        break;
    }
    return 0;
}

static int read_rows(const PGresult *r, struct arena *a, struct db_rows *rows)
{
    struct rows_builder b = {.a = a, .columns = (size_t)PQnfields(r)};

    for (int i = 0; i < PQntuples(r); i++) {
        struct db_value *row = rows_add(&b);
        for (size_t k = 0; row && k < b.columns; k++)
            if (read_value(r, i, (int)k, a, &row[k]))
                row = NULL;
        if (!row)
            return -1;
    }
    rows->count = b.count;
    rows->columns = b.columns;
    rows->values = b.values;
    return 0;
}

static int take(const struct connection *c, const PGresult *result, struct arena *a,
                struct db_rows *rows, struct err *e)
{
    ExecStatusType status = PQresultStatus(result);
    int64_t changed = 0;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return complain(c, result, e);
    *rows = (struct db_rows){0};
    if (status == PGRES_TUPLES_OK && a && read_rows(result, a, rows))
        return ERR(e, ERR_NOMEM, "no memory for the rows of a query");
    /* "INSERT 0 3", "UPDATE 3"; the count of a SELECT says nothing about changes. */
    const char *tag = PQcmdStatus((PGresult *)(uintptr_t)result);
    if (strncmp(tag, "SELECT", 6) != 0 &&
        str_to_i64(str_from(PQcmdTuples((PGresult *)(uintptr_t)result)), &changed))
        rows->changed = changed;
    return 0;
}

static int query(void *connection, const char *sql, struct db_args args, struct arena *a,
                 struct db_rows *rows, struct err *e)
{
    enum { DIGITS = 32 };
    struct connection *c = connection;
    struct arena texts = {0};
    const char **values = arena_alloc(&texts, (args.count + 1) * sizeof *values);
    bool once = strncmp(sql, DB_ONCE, sizeof DB_ONCE - 1) == 0;
    const char *name = NULL;
    int n = (int)args.count, rc = once ? 0 : prepare(c, sql, &name, e);

    for (size_t i = 0; i < args.count && rc == 0; i++) {
        const struct db_value *v = &args.values[i];
        char *number = v->type == DB_INT || v->type == DB_REAL ? arena_alloc(&texts, DIGITS) : NULL;
        if (v->type == DB_INT)
            snprintf(number, DIGITS, "%" PRId64, v->i);
        else if (v->type == DB_REAL)
            snprintf(number, DIGITS, "%.17g", v->r);
        values[i] = v->type == DB_TEXT ? v->s : number;
    }
    if (rc == 0) {
        PGresult *result = once ? PQexecParams(c->pg, sql, n, NULL, values, NULL, NULL, 0)
                                : PQexecPrepared(c->pg, name, n, values, NULL, NULL, 0);
        rc = take(c, result, a, rows, e);
        PQclear(result);
    }
    arena_release(&texts);
    return rc;
}

const struct db_backend db_postgres = {
    .scheme = "postgresql",
    .dialect = DIALECT_POSTGRES,
    .open = postgres_open,
    .close = postgres_close,
    .connect = connect_to,
    .disconnect = disconnect,
    .usable = usable,
    .begin = begin,
    .end = end,
    .query = query,
    .script = script,
};
