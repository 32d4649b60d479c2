/* db_test.c: `cauldron db-test`: whether the database answers, fits and keeps what it is given. */
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/platform.h"
#include "storage/check.h"
#include "storage/migrate.h"

#include <stdarg.h>
#include <stdio.h>

struct want {
    const char *data, *database;
    int rounds;
};

static const struct opt table[] = {
    PLATFORM_DATABASE(struct want),
    {.name = "rounds",
     .type = OPT_INT,
     OPT_INTO(struct want, rounds),
     .value = "N",
     .min = 1,
     .max = 1000,
     .initial = "50",
     .help = "how many writes and reads are timed"},
    {0},
};

static const struct opt_spec spec = {
    .command = "db-test",
    .usage = "[options]",
    .summary = "Check the connection to the database, its schema, a write and a read back, and how "
               "long they take. Ends with 1 when something is wrong.",
    .table = table,
    .environment = true,
};

static int wrong(const char *topic, const struct err *e)
{
    printf("%-6s %-10s %s\n", "WRONG", topic, e->message);
    return EXIT_FAILED;
}

static void good(const char *topic, const char *format, ...) PRINTF_LIKE(2, 3);
static void good(const char *topic, const char *format, ...)
{
    va_list args;

    printf("%-6s %-10s ", "ok", topic);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static int check(struct db *db, int rounds, struct arena *a)
{
    struct migration_state *states;
    struct db_health health;
    struct err e;
    size_t count;

    if (migrate_check(db, &e) || migrate_status(db, a, &states, &count, &e))
        return wrong("schema", &e);
    good("schema", "migration %d (%s)", states[count - 1].number, states[count - 1].name);
    if (db_check(db, rounds, &health, &e))
        return wrong("write", &e);
    good("write", "read back what was written, %d times", rounds);
    good("latency", "%.2f ms a read, %.2f ms a write (medians), %.2f ms the slowest",
         health.read * 1e3, health.write * 1e3, health.slowest * 1e3);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct want want = {0};
    struct arena a = {0};
    struct options o;
    struct db *db;
    struct err e = {0};
    int status = options_parse(&spec, argc, argv, &want, &o);

    if (status >= 0)
        return status;
    double start = clock_seconds();
    if (platform_database(want.database, want.data, &(struct db_options){.connections = 2}, &db,
                          &e)) {
        status = wrong("connection", &e);
    } else {
        good("connection", "%s answers, %.1f ms to connect",
             db_dialect(db) == DIALECT_SQLITE ? "SQLite" : "PostgreSQL",
             (clock_seconds() - start) * 1e3);
        status = check(db, want.rounds, &a);
        db_close(db);
    }
    arena_release(&a);
    options_release(&o);
    return status;
}

const struct command command_db_test = {
    .name = "db-test",
    .summary = "check the database: connection, schema, a write and a read back",
    .run = run,
};
