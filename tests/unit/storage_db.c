/* Connections, transactions, values and migrations, on both databases. */
#include "storage_fixture.h"

#include "storage/check.h"
#include "storage/events.h"
#include "storage/migrations.h"

#include <math.h>
#include <pthread.h>
#include <sqlite3.h>
#include <unistd.h>

static void values_travel(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct db_rows rows;

    ok(tx_script(tx,
                 "CREATE TABLE v (t TEXT, i BIGINT, r DOUBLE PRECISION); CREATE TABLE w (a INT)",
                 &f->e));
    ok(tx_exec(tx, "INSERT INTO v (t, i, r) VALUES ($1, $2, $3)",
               DB_ARGS(db_text("na\"ïve 'quote' \\ \t\n$1 €𝄞"), db_int(INT64_MIN), db_real(0.1)),
               NULL, &f->e));
    ok(tx_exec(tx, "INSERT INTO v (r, i, t) VALUES ($3, $2, $1)",
               DB_ARGS(db_text(NULL), db_int_or_null(0), db_real(NAN)), NULL, &f->e));
    ok(tx_query(tx, "SELECT t, i, r FROM v WHERE t = $1 AND i = $2",
                DB_ARGS(db_text("na\"ïve 'quote' \\ \t\n$1 €𝄞"), db_int(INT64_MIN)), &f->a, &rows,
                &f->e));
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.columns, 3);
    assert_string_equal(db_str(&rows, 0, 0), "na\"ïve 'quote' \\ \t\n$1 €𝄞");
    assert_true(db_i64(&rows, 0, 1) == INT64_MIN);
    assert_string_equal(db_str(&rows, 0, 1), "-9223372036854775808");
    assert_true(db_f64(&rows, 0, 2) == 0.1);
    ok(tx_query(tx, "SELECT t, i, r FROM v WHERE t IS NULL", DB_NONE, &f->a, &rows, &f->e));
    assert_null(db_str(&rows, 0, 0));
    assert_int_equal(db_at(&rows, 0, 1)->type, DB_NULL);
    assert_int_equal(db_i64(&rows, 0, 1), 0);
    assert_true(isnan(db_f64(&rows, 0, 2)));
    commit(f, tx);
}

static void changes_are_counted(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    int64_t changed = -1;

    for (int i = 0; i < 3; i++) {
        char name[2] = {(char)('a' + i), 0};
        ok(settings_set(tx, name, "1", &f->e));
    }
    ok(tx_exec(tx, "UPDATE settings SET value = '2' WHERE name < 'c'", DB_NONE, &changed, &f->e));
    assert_int_equal(changed, 2);
    ok(tx_exec(tx, "UPDATE settings SET value = '2' WHERE name = 'z'", DB_NONE, &changed, &f->e));
    assert_int_equal(changed, 0);
    ok(tx_exec(tx, "DELETE FROM settings", DB_NONE, &changed, &f->e));
    assert_int_equal(changed, 3);
    tx_rollback(tx);
}

static void rolled_back_is_gone(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *value = "x";

    ok(settings_set(tx, "a", "1", &f->e));
    tx_rollback(tx);
    tx = begin_tx(f, TX_READ);
    ok(settings_get(tx, "a", &f->a, &value, &f->e));
    assert_null(value);
    tx_rollback(tx);
    tx_rollback(NULL);
}

static void a_failed_transaction_changes_nothing(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *value = "x";

    ok(settings_set(tx, "a", "1", &f->e));
    refuses(ERR_IO, tx_exec(tx, "SELEKT 1", DB_NONE, NULL, &f->e));
    refuses(ERR_IO, settings_set(tx, "b", "1", &f->e));
    refuses(ERR_IO, tx_commit(tx, &f->e));
    tx = begin_tx(f, TX_READ);
    ok(settings_get(tx, "a", &f->a, &value, &f->e));
    assert_null(value);
    refuses(ERR_IO, settings_set(tx, "b", "1", &f->e)); /* a reader does not write */
    tx_rollback(tx);
}

static void conflicts_have_their_code(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);

    ok(tx_exec(tx, "INSERT INTO settings (name) VALUES ('a')", DB_NONE, NULL, &f->e));
    refuses(ERR_CONFLICT,
            tx_exec(tx, "INSERT INTO settings (name) VALUES ('a')", DB_NONE, NULL, &f->e));
    tx_rollback(tx);
    tx = write_tx(f);
    refuses(ERR_CONFLICT,
            tx_exec(tx, "INSERT INTO generation_tags VALUES ('nobody', 'x')", DB_NONE, NULL, &f->e)
                ? ERR_CONFLICT
                : tx_commit(tx, &f->e));
    tx_rollback(tx);
}

static void bad_texts_are_refused(void **state)
{
    struct fixture *f = fixture(state);
    static const char *const bad[] = {"\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tx *tx = write_tx(f);
        refuses(ERR_ARG, settings_set(tx, "a", bad[i], &f->e));
        ok(settings_set(tx, "a", "good", &f->e)); /* nothing had reached the database */
        commit(f, tx);
    }
    struct db_value with_nul = {.type = DB_TEXT, .s = "a\0b", .n = 3};
    struct tx *tx = write_tx(f);
    refuses(ERR_ARG,
            tx_exec(tx, "INSERT INTO settings (name) VALUES ($1)", DB_ARGS(with_nul), NULL, &f->e));
    tx_rollback(tx);
}

static void many_statements_fit(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    char sql[64];

    for (int i = 0; i < 600; i++) { /* more than are kept */
        snprintf(sql, sizeof sql, "SELECT CAST(%d AS BIGINT)", i % 400);
        assert_int_equal(number(f, tx, sql), i % 400);
    }
    commit(f, tx);
}

static void urls_are_judged(void **state)
{
    struct fixture *f = fixture(state);
    struct db *db = NULL;

    refuses(ERR_ARG, db_open("mysql://x", NULL, &db, &f->e));
    refuses(ERR_ARG, db_open("sqlite:", NULL, &db, &f->e));
    refuses(ERR_ARG, db_open("postgresql://x/y?nosuch=1", NULL, &db, &f->e));
    refuses(ERR_IO, db_open("sqlite:///nowhere/at/all.db", NULL, &db, &f->e));
    refuses(ERR_NETWORK, db_open("postgresql://x@127.0.0.1:1/x", NULL, &db, &f->e));
    assert_null(db);
    ok(db_open("sqlite::memory:", NULL, &db, &f->e));
    ok(migrate_up(db, MIGRATE_NEWEST, &f->e));
    struct db_health health;
    ok(db_check(db, 3, &health, &f->e));
    db_close(db);
}

static void files_of_others_are_refused(void **state)
{
    struct fixture *f = fixture(state);
    struct db *db = NULL;
    char path[160], url[192];

    if (!f->folder[0])
        return;
    snprintf(path, sizeof path, "%s/other", f->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 200; i++)
        fputs("this is not a database ", file);
    fclose(file);
    snprintf(url, sizeof url, "sqlite://%s", path);
    refuses(ERR_IO, db_open(url, NULL, &db, &f->e));
    unlink(path);
}

static void the_check_checks(void **state)
{
    struct fixture *f = fixture(state);
    struct db_health health = {0};
    struct db_stats stats;

    ok(db_check(f->db, 5, &health, &f->e));
    assert_true(health.read > 0 && health.write > 0 && health.slowest >= health.write);
    db_stats(f->db, &stats);
    assert_true(stats.transactions > 5 && stats.queries > 10 && stats.seconds > 0);
    assert_int_equal(stats.busy, 0);
    struct tx *tx = write_tx(f);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM settings"), 0);
    db_stats(f->db, &stats);
    assert_int_equal(stats.busy, 1);
    tx_rollback(tx);
}

/* SQLite runs out of memory at each point of a statement in turn; the connection goes on. */
static void memory_may_end(void **state)
{
    struct fixture *f = fixture(state);
    int failures = 0;

    if (!f->folder[0])
        return;
    for (int spare = 0; spare < 400; spare += 4) {
        char sql[160];
        snprintf(sql, sizeof sql,
                 "SELECT %d, g.id, count(*) FROM generations g LEFT JOIN images i ON i.key = g.key "
                 "WHERE g.prompt LIKE '%%cat%%' GROUP BY g.id ORDER BY 3",
                 spare);
        struct tx *tx = write_tx(f);
        struct db_rows rows;
        sqlite3_hard_heap_limit64(sqlite3_memory_used() + spare * 256);
        int rc = settings_set(tx, "a", "1", &f->e);
        if (rc == 0)
            rc = tx_query(tx, sql, DB_NONE, &f->a, &rows, &f->e);
        sqlite3_hard_heap_limit64(0);
        if (rc)
            assert_int_equal(rc, ERR_NOMEM);
        failures += rc != 0;
        tx_rollback(tx);
        tx = begin_tx(f, TX_READ);
        assert_int_equal(number(f, tx, "SELECT count(*) FROM settings"), 0);
        tx_rollback(tx);
    }
    assert_true(failures > 0 && failures < 100);
}

/* ============================== Many at once ============================== */

enum { THREADS = 8, ROUNDS = 50 };

static void *increase(void *user)
{
    struct fixture *f = user;
    struct err e;

    for (int i = 0; i < ROUNDS; i++) {
        struct tx *tx;
        if (tx_begin(f->db, TX_WRITE, &tx, &e))
            return user;
        if (tx_exec(tx, "UPDATE settings SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT)",
                    DB_NONE, NULL, &e)) {
            tx_rollback(tx);
            return user;
        }
        if (tx_commit(tx, &e))
            return user;
    }
    return NULL;
}

static void writers_stand_in_line(void **state)
{
    struct fixture *f = fixture(state);
    pthread_t threads[THREADS];
    struct tx *tx = write_tx(f);
    const char *value;
    void *failed;

    ok(settings_set(tx, "n", "0", &f->e));
    commit(f, tx);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, increase, f);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    tx = begin_tx(f, TX_READ);
    ok(settings_get(tx, "n", &f->a, &value, &f->e));
    assert_string_equal(value, "400");
    tx_rollback(tx);
}

static void who_waits_too_long_is_told(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *one, *two = NULL;

    db_close(f->db);
    ok(db_open(f->url, &(struct db_options){.connections = 1, .timeout = 0.1}, &f->db, &f->e));
    ok(tx_begin(f->db, TX_WRITE, &one, &f->e));
    refuses(ERR_NETWORK, tx_begin(f->db, TX_WRITE, &two, &f->e));
    assert_null(two);
    tx_rollback(one);
    ok(tx_begin(f->db, TX_WRITE, &two, &f->e));
    tx_rollback(two);
}

static void another_process_is_waited_for(void **state)
{
    struct fixture *f = fixture(state);
    struct db *other = NULL;
    struct tx *one, *two = NULL;

    if (!f->folder[0])
        return;
    ok(db_open(f->url, &(struct db_options){.timeout = 0.2}, &other, &f->e));
    one = write_tx(f);
    refuses(ERR_NETWORK, tx_begin(other, TX_WRITE, &two, &f->e));
    tx_rollback(one);
    ok(tx_begin(other, TX_WRITE, &two, &f->e));
    tx_rollback(two);
    db_close(other);
}

/* A server that restarts ends all connections; the pool must not hand out dead ones. */
static void lost_connections_are_replaced(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx;
    struct db *killer;

    if (!f->schema[0])
        return;
    tx = write_tx(f);
    commit(f, tx);
    tx = write_tx(f);
    int64_t pid = number(f, tx, "SELECT pg_backend_pid()");
    char sql[64];
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)", (int)pid);
    ok(db_open(f->url, NULL, &killer, &f->e));
    struct tx *knife;
    ok(tx_begin(killer, TX_WRITE, &knife, &f->e));
    ok(tx_exec(knife, sql, DB_NONE, NULL, &f->e));
    tx_rollback(knife);
    usleep(100000);
    refuses(ERR_NETWORK, tx_exec(tx, "SELECT 1", DB_NONE, NULL, &f->e));
    tx_rollback(tx);

    tx = write_tx(f); /* a fresh one */
    pid = number(f, tx, "SELECT pg_backend_pid()");
    commit(f, tx);
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)", (int)pid);
    ok(tx_begin(killer, TX_WRITE, &knife, &f->e));
    ok(tx_exec(knife, sql, DB_NONE, NULL, &f->e));
    tx_rollback(knife);
    usleep(100000);
    tx = write_tx(f); /* it died while it lay idle: nobody notices */
    assert_int_equal(number(f, tx, "SELECT CAST(1 AS BIGINT)"), 1);
    commit(f, tx);
    db_close(killer);
}

static void deadlocks_may_be_repeated(void **state)
{
    struct fixture *f = fixture(state);

    if (!f->schema[0])
        return;
    struct tx *one = write_tx(f);
    ok(settings_set(one, "a", "1", &f->e));
    ok(settings_set(one, "b", "1", &f->e));
    commit(f, one);
    db_close(f->db);
    ok(db_open(f->url, &(struct db_options){.connections = 2, .timeout = 0.3}, &f->db, &f->e));
    one = write_tx(f);
    struct tx *two = write_tx(f);
    ok(settings_set(one, "a", "2", &f->e));
    refuses(ERR_NETWORK, settings_set(two, "a", "3", &f->e)); /* the lock is not had in time */
    tx_rollback(two);
    commit(f, one);
}

/* ============================== Migrations ============================== */

static void empty(struct fixture *f)
{
    struct tx *tx = write_tx(f);

    ok(tx_script(tx, "DROP TABLE schema_migrations", &f->e));
    commit(f, tx);
}

static void a_fresh_database_says_what_it_lacks(void **state)
{
    struct fixture *f = *state, *g = new_fixture(f->kind);
    struct migration_state *states;
    size_t count;

    (void)fixture(state);
    ok(open_fixture(g, 2) ? (f->e = g->e, -1) : 0);
    refuses(ERR_UNSUPPORTED, migrate_check(g->db, &f->e));
    ok(migrate_status(g->db, &f->a, &states, &count, &f->e));
    assert_true(count >= 1);
    assert_int_equal(states[0].number, 1);
    assert_true(states[0].applied_at == 0);
    ok(migrate_up(g->db, 1, &f->e));
    ok(migrate_up(g->db, MIGRATE_NEWEST, &f->e));
    ok(migrate_check(g->db, &f->e));
    ok(migrate_status(g->db, &f->a, &states, &count, &f->e));
    assert_true(states[0].applied_at > 0 && !states[0].changed && !states[0].unknown);
    refuses(ERR_ARG, migrate_up(g->db, 9999, &f->e));
    free_fixture(g);
}

static void a_changed_migration_is_named(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);

    ok(tx_exec(tx, "UPDATE schema_migrations SET checksum = 'x' WHERE number = 1", DB_NONE, NULL,
               &f->e));
    commit(f, tx);
    refuses(ERR_UNSUPPORTED, migrate_check(f->db, &f->e));
    assert_non_null(strstr(f->e.message, "migration 1 (tables)"));
    refuses(ERR_UNSUPPORTED, migrate_up(f->db, MIGRATE_NEWEST, &f->e));
}

static void a_newer_schema_is_refused(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);

    ok(tx_exec(tx, "INSERT INTO schema_migrations VALUES (77, 'future', 'x', 1)", DB_NONE, NULL,
               &f->e));
    commit(f, tx);
    refuses(ERR_UNSUPPORTED, migrate_check(f->db, &f->e));
    assert_non_null(strstr(f->e.message, "migration 77 (future)"));
    refuses(ERR_UNSUPPORTED, migrate_up(f->db, MIGRATE_NEWEST, &f->e));
}

static void a_failed_migration_leaves_nothing(void **state)
{
    struct fixture *f = fixture(state);

    empty(f); /* the tables are there, so making them again fails */
    refuses(ERR_IO, migrate_up(f->db, MIGRATE_NEWEST, &f->e));
    assert_non_null(strstr(f->e.message, "migration 1 (tables)"));
    struct migration_state *states;
    size_t count;
    ok(migrate_status(f->db, &f->a, &states, &count, &f->e));
    assert_true(states[0].applied_at == 0);
}

/* Every table, column, index and trigger, as the database itself tells them. */
static struct db_rows schema_of(struct fixture *f, struct db *db)
{
    const char *sql =
        db_dialect(db) == DIALECT_SQLITE
            ? "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
            : "SELECT table_name, column_name, data_type || ' ' || is_nullable || ' ' "
              "|| coalesce(column_default, '') || ' ' || coalesce(collation_name, '')"
              " FROM information_schema.columns WHERE table_schema = "
              "current_schema() UNION ALL SELECT tablename, indexname, "
              "replace(indexdef, schemaname || '.', '') FROM pg_indexes WHERE "
              "schemaname = current_schema() UNION ALL SELECT conrelid::regclass::text"
              ", conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE "
              "connamespace = current_schema()::regnamespace ORDER BY 1, 2, 3";
    struct db_rows rows;
    struct tx *tx;

    ok(tx_begin(db, TX_READ, &tx, &f->e));
    ok(tx_query(tx, sql, DB_NONE, &f->a, &rows, &f->e));
    tx_rollback(tx);
    return rows;
}

static void step_by_step_is_the_same_schema(void **state)
{
    struct fixture *f = fixture(state), *g = new_fixture(f->kind);
    struct db_rows fresh, stepped;

    ok(open_fixture(g, 1));
    for (int i = 1; i <= (int)migration_count / 2; i++) {
        ok(migrate_up(g->db, i, &f->e));
        if (i == 1) { /* what people had before must pass through the others */
            struct tx *tx;
            ok(tx_begin(g->db, TX_WRITE, &tx, &f->e));
            ok(tx_script(tx,
                         "INSERT INTO users (id, name, name_key, role, created_at, updated_at) "
                         "VALUES ('u', 'U', 'u', 'admin', 1, 1); "
                         "INSERT INTO generations (id, status, prompt, prompt_hash, model_name, "
                         "seed, steps, width, height, cfg_scale, parameters, created_at, user_id) "
                         "VALUES ('g', 'queued', 'a cat', 'h', 'demo', '1', 1, 8, 8, 1, '{}', 1, "
                         "'u')",
                         &f->e));
            ok(tx_commit(tx, &f->e));
        }
    }
    fresh = schema_of(f, f->db);
    stepped = schema_of(f, g->db);
    assert_true(fresh.count > 50);
    assert_int_equal(fresh.count, stepped.count);
    for (size_t i = 0; i < fresh.count; i++)
        for (size_t k = 0; k < fresh.columns; k++) {
            const char *a = db_str(&fresh, i, k), *b = db_str(&stepped, i, k);
            assert_string_equal(a ? a : "", b ? b : "");
        }
    free_fixture(g);
}

static void *migrate_it(void *user)
{
    struct fixture *f = user;
    struct db *db;
    struct err e;

    if (db_open(f->url, &(struct db_options){.connections = 1, .timeout = 30}, &db, &e)) {
        print_error("%s\n", e.message);
        return user;
    }
    int rc = migrate_up(db, MIGRATE_NEWEST, &e);
    if (rc)
        print_error("%s\n", e.message);
    db_close(db);
    return rc ? user : NULL;
}

static void several_may_migrate_at_once(void **state)
{
    struct fixture *f = *state, *g = new_fixture(f->kind);
    pthread_t threads[THREADS];
    void *failed;

    (void)fixture(state);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, migrate_it, g);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    ok(open_fixture(g, 1));
    ok(migrate_check(g->db, &f->e));
    struct tx *tx;
    ok(tx_begin(g->db, TX_READ, &tx, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM schema_migrations"), migration_count / 2);
    tx_rollback(tx);
    free_fixture(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(values_travel),
        ON_BOTH(changes_are_counted),
        ON_BOTH(rolled_back_is_gone),
        ON_BOTH(a_failed_transaction_changes_nothing),
        ON_BOTH(conflicts_have_their_code),
        ON_BOTH(bad_texts_are_refused),
        ON_BOTH(many_statements_fit),
        ON_BOTH(urls_are_judged),
        ON_BOTH(files_of_others_are_refused),
        ON_BOTH(the_check_checks),
        ON_BOTH(memory_may_end),
        ON_BOTH(writers_stand_in_line),
        ON_BOTH(who_waits_too_long_is_told),
        ON_BOTH(another_process_is_waited_for),
        ON_BOTH(lost_connections_are_replaced),
        ON_BOTH(deadlocks_may_be_repeated),
        ON_BOTH(a_fresh_database_says_what_it_lacks),
        ON_BOTH(a_changed_migration_is_named),
        ON_BOTH(a_newer_schema_is_refused),
        ON_BOTH(a_failed_migration_leaves_nothing),
        ON_BOTH(step_by_step_is_the_same_schema),
        ON_BOTH(several_may_migrate_at_once),
    };
    return run_on_both("storage_db", tests, sizeof tests / sizeof *tests);
}
