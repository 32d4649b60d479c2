#include "storage/migrate.h"

#include "base/clock.h"
#include "base/log.h"
#include "storage/migrations.h"

#include <string.h>

/* schema_migrations comes before all numbers, so it has none itself. */
static const char *const bootstrap[] = {
    [DIALECT_SQLITE] = "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, "
                       "name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) "
                       "STRICT",
    [DIALECT_POSTGRES] = "CREATE TABLE IF NOT EXISTS schema_migrations (number bigint PRIMARY KEY, "
                         "name text NOT NULL, checksum text NOT NULL, applied_at bigint NOT NULL)",
};
static const char *const table_exists[] = {
    [DIALECT_SQLITE] = "SELECT name FROM sqlite_schema WHERE name = 'schema_migrations'",
    [DIALECT_POSTGRES] = "SELECT 1 WHERE to_regclass('schema_migrations') IS NOT NULL",
};

/* The write lock of SQLite has been taken by TX_WRITE; PostgreSQL needs one that all know. */
static int lock(struct tx *tx, struct err *e)
{
    if (db_dialect(tx_db(tx)) == DIALECT_SQLITE)
        return 0;
    return tx_exec(tx, "SELECT pg_advisory_xact_lock(709383, hashtext(current_schema()))", DB_NONE,
                   NULL, e);
}

static const struct migration *embedded(enum db_dialect dialect, int64_t number)
{
    for (size_t i = 0; i < migration_count; i++)
        if (migrations[i].dialect == dialect && migrations[i].number == number)
            return &migrations[i];
    return NULL;
}

/* What the database says it has, by number; no rows when it was never migrated. */
static int applied(struct tx *tx, struct arena *a, struct db_rows *rows, struct err *e)
{
    int rc = tx_query(tx, table_exists[db_dialect(tx_db(tx))], DB_NONE, a, rows, e);

    if (rc || rows->count == 0)
        return rc;
    return tx_query(
        tx, "SELECT number, name, checksum, applied_at FROM schema_migrations ORDER BY number",
        DB_NONE, a, rows, e);
}

static bool has_number(const struct db_rows *rows, int number)
{
    for (size_t i = 0; i < rows->count; i++)
        if (db_i64(rows, i, 0) == number)
            return true;
    return false;
}

static size_t collect(enum db_dialect dialect, const struct db_rows *rows,
                      struct migration_state *out)
{
    size_t n = 0;

    for (size_t i = 0; i < rows->count; i++) {
        const struct migration *m = embedded(dialect, db_i64(rows, i, 0));
        out[n++] = (struct migration_state){
            .number = (int)db_i64(rows, i, 0),
            .name = db_str(rows, i, 1),
            .applied_at = db_i64(rows, i, 3),
            .unknown = !m,
            .changed = m && strcmp(m->checksum, db_str(rows, i, 2)) != 0,
        };
    }
    for (size_t i = 0; i < migration_count; i++)
        if (migrations[i].dialect == dialect && !has_number(rows, migrations[i].number))
            out[n++] = (struct migration_state){.number = migrations[i].number,
                                                .name = migrations[i].name};
    return n;
}

int migrate_status(struct db *db, struct arena *a, struct migration_state **out, size_t *count,
                   struct err *e)
{
    struct db_rows rows;
    struct tx *tx;
    int rc = tx_begin(db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = applied(tx, a, &rows, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    struct migration_state *states =
        arena_alloc(a, (rows.count + migration_count) * sizeof *states);
    *count = collect(db_dialect(db), &rows, states);
    *out = states;
    return 0;
}

static int complain(const struct migration_state *s, struct err *e)
{
    if (s->changed)
        return ERR(e, ERR_UNSUPPORTED,
                   "migration %d (%s) was applied with another content than this program has: the "
                   "database belongs to another version",
                   s->number, s->name);
    if (s->unknown)
        return ERR(e, ERR_UNSUPPORTED,
                   "the database has migration %d (%s), which this program does not know: use a "
                   "newer program",
                   s->number, s->name);
    return 0;
}

/* One migration in one transaction; *done when there is none left below `to`. */
static int step(struct db *db, int to, bool *done, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    struct tx *tx;
    int rc = tx_begin(db, TX_WRITE, &tx, e);

    if (rc)
        return rc;
    rc = lock(tx, e);
    if (rc == 0)
        rc = tx_exec(tx, bootstrap[db_dialect(db)], DB_NONE, NULL, e);
    if (rc == 0)
        rc = applied(tx, &a, &rows, e);
    if (rc)
        goto out;
    struct migration_state *states =
        arena_alloc(&a, (rows.count + migration_count) * sizeof *states);
    size_t n = collect(db_dialect(db), &rows, states);
    const struct migration *next = NULL;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = complain(&states[i], e);
        if (!next && !states[i].applied_at && (to == MIGRATE_NEWEST || states[i].number <= to))
            next = embedded(db_dialect(db), states[i].number);
        else if (rc == 0 && to != MIGRATE_NEWEST && states[i].applied_at && states[i].number > to)
            rc = ERR(e, ERR_UNSUPPORTED,
                     "the database is at migration %d already: going down to %d would lose data",
                     states[i].number, to);
    }
    if (rc == 0 && next) {
        rc = tx_script(tx, next->sql, e);
        if (rc == 0)
            rc = tx_exec(tx, "INSERT INTO schema_migrations VALUES ($1, $2, $3, $4)",
                         DB_ARGS(db_int(next->number), db_text(next->name), db_text(next->checksum),
                                 db_int(clock_unix_ms())),
                         NULL, e);
        if (rc)
            err_prefix(e, "migration %d (%s)", next->number, next->name);
    }
    *done = !next;
    if (rc == 0) {
        rc = tx_commit(tx, e);
        tx = NULL;
        if (rc == 0 && next)
            LOG(LOG_INFO, "migrated", LOG_NUMBER("number", next->number),
                LOG_TEXT("name", next->name));
    }
out:
    tx_rollback(tx);
    arena_release(&a);
    return rc;
}

int migrate_up(struct db *db, int to, struct err *e)
{
    bool done = false;
    int rc = 0;

    if (to != MIGRATE_NEWEST && !embedded(db_dialect(db), to))
        return ERR(e, ERR_ARG, "there is no migration %d", to);
    while (rc == 0 && !done)
        rc = step(db, to, &done, e);
    return rc;
}

int migrate_check(struct db *db, struct err *e)
{
    struct arena a = {0};
    struct migration_state *states;
    size_t n = 0;
    int rc = migrate_status(db, &a, &states, &n, e);

    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = complain(&states[i], e);
        if (rc == 0 && !states[i].applied_at)
            rc = ERR(e, ERR_UNSUPPORTED,
                     "the database lacks migration %d (%s): run 'cauldron migrate'",
                     states[i].number, states[i].name);
    }
    arena_release(&a);
    return rc;
}
