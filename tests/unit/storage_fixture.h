/*
 * storage_fixture.h: a fresh, migrated database for every test, on SQLite and on PostgreSQL.
 *
 *   static void adds(void **state)
 *   {
 *       struct fixture *f = fixture(state);
 *       struct tx *tx = write_tx(f);
 *       ...
 *       commit(f, tx);
 *   }
 *   const struct CMUnitTest tests[] = {ON_BOTH(adds)};
 *   return run_on_both("storage_things", tests, sizeof tests / sizeof *tests);
 *
 * PostgreSQL is the one of CAULDRON_TEST_POSTGRES (tests/servers.py starts one), in a schema of the
 * test's own; without it those tests are left out, and a line of the report says so.
 */
#ifndef TESTS_UNIT_STORAGE_FIXTURE_H
#define TESTS_UNIT_STORAGE_FIXTURE_H

#include "test.h"

#include "base/clock.h"
#include "base/uuid.h"
#include "storage/db.h"
#include "storage/migrate.h"

#include <unistd.h>

struct fixture {
    const char *kind; /* "sqlite", "postgres" */
    struct db *db;    /* NULL: not to be had */
    struct arena a;
    struct err e;
    char url[512], folder[64], schema[64];
};

#define ok(call)                                                                                   \
    do {                                                                                           \
        if ((call) != 0)                                                                           \
            fail_msg("%s: %s", #call, f->e.message);                                               \
    } while (0)
#define refuses(code, call) assert_int_equal((call), (code))

static inline struct fixture *fixture(void **state)
{
    return *state;
}

static inline struct tx *begin_tx(struct fixture *f, enum tx_mode mode)
{
    struct tx *tx = NULL;

    ok(tx_begin(f->db, mode, &tx, &f->e));
    return tx;
}

static inline struct tx *write_tx(struct fixture *f)
{
    return begin_tx(f, TX_WRITE);
}

static inline void commit(struct fixture *f, struct tx *tx)
{
    ok(tx_commit(tx, &f->e));
}

static inline const char *new_id(struct fixture *f)
{
    char *id = arena_alloc(&f->a, UUID_TEXT);

    uuid_v7(id);
    return id;
}

static inline int64_t number(struct fixture *f, struct tx *tx, const char *sql)
{
    struct db_rows rows;

    ok(tx_query(tx, sql, DB_NONE, &f->a, &rows, &f->e));
    assert_int_equal(rows.count, 1);
    return db_i64(&rows, 0, 0);
}

static inline void run_script(const char *url, const char *sql)
{
    struct fixture g = {0}, *f = &g;
    struct db *db;
    struct tx *tx;

    ok(db_open(url, &(struct db_options){.connections = 1}, &db, &f->e));
    ok(tx_begin(db, TX_WRITE, &tx, &f->e));
    ok(tx_script(tx, sql, &f->e));
    ok(tx_commit(tx, &f->e));
    db_close(db);
}

static inline int open_fixture(struct fixture *f, int connections)
{
    return db_open(f->url, &(struct db_options){.connections = connections, .timeout = 20}, &f->db,
                   &f->e);
}

/* An empty place for a database; f->db stays NULL when there is none. */
static inline struct fixture *new_fixture(const char *kind)
{
    const char *server = getenv("CAULDRON_TEST_POSTGRES");
    struct fixture *f = calloc(1, sizeof *f);

    f->kind = kind;
    if (strcmp(kind, "sqlite") == 0) {
        snprintf(f->folder, sizeof f->folder, "/tmp/storage-XXXXXX");
        assert_non_null(mkdtemp(f->folder));
        snprintf(f->url, sizeof f->url, "sqlite://%s/test.db", f->folder);
    } else if (server) {
        char sql[128];
        random_hex(f->schema, 8);
        f->schema[0] = 't';
        snprintf(sql, sizeof sql, "CREATE SCHEMA %s", f->schema);
        run_script(server, sql);
        snprintf(f->url, sizeof f->url, "%s%coptions=-csearch_path%%3D%s", server,
                 strchr(server, '?') ? '&' : '?', f->schema);
    }
    return f;
}

static inline void free_fixture(struct fixture *f)
{
    db_close(f->db);
    arena_release(&f->a);
    if (f->schema[0]) {
        char sql[128];
        snprintf(sql, sizeof sql, "DROP SCHEMA %s CASCADE", f->schema);
        run_script(getenv("CAULDRON_TEST_POSTGRES"), sql);
    }
    if (f->folder[0]) {
        static const char *const names[] = {"test.db", "test.db-wal", "test.db-shm"};
        char path[128];
        for (size_t i = 0; i < 3; i++) {
            snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
            unlink(path);
        }
        rmdir(f->folder);
    }
    free(f);
}

static inline int set_up(void **state)
{
    struct fixture *f = new_fixture(*state);

    *state = f;
    if (!f->url[0])
        return 0;
    if (open_fixture(f, 12) || migrate_up(f->db, MIGRATE_NEWEST, &f->e)) {
        print_error("%s\n", f->e.message);
        return -1;
    }
    return 0;
}

static inline int tear_down(void **state)
{
    free_fixture(*state);
    return 0;
}

#define ON_BOTH(test)                                                                              \
    {#test " [sqlite]", test, set_up, tear_down, (void *)(uintptr_t)"sqlite"},                     \
        {#test " [postgres]", test, set_up, tear_down, (void *)(uintptr_t)"postgres"}

static inline void not_on_postgres(void **state)
{
    (void)state;
}

/* Without a server its half is left out, and one line of the report says so. cmocka's own skip()
 * writes "not ok", which meson takes for a failure. */
static inline int run_on_both(const char *name, const struct CMUnitTest *tests, size_t count)
{
    struct CMUnitTest *kept = calloc(count + 1, sizeof *kept);
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (getenv("CAULDRON_TEST_POSTGRES") || !strstr(tests[i].name, "[postgres]"))
            kept[n++] = tests[i];
    if (n < count)
        kept[n++] = (struct CMUnitTest){
            .name = "on PostgreSQL # SKIP CAULDRON_TEST_POSTGRES is not set (tests/servers.py)",
            .test_func = not_on_postgres};
    int failed = _cmocka_run_group_tests(name, kept, n, NULL, NULL);
    free(kept);
    return failed;
}

#endif
