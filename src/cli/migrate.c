/* migrate.c: `cauldron migrate`: the schema of the database, by numbers. */
#include "storage/migrate.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/platform.h"

#include <stdio.h>

struct want {
    const char *data, *database;
    bool status;
    int to;
};

static const struct opt table[] = {
    PLATFORM_DATABASE(struct want),
    {.name = "status",
     .type = OPT_FLAG,
     OPT_INTO(struct want, status),
     .help = "print which migrations are applied, and change nothing; ends with 1 unless the "
             "schema is exactly this program's"},
    {.name = "to",
     .type = OPT_INT,
     OPT_INTO(struct want, to),
     .value = "N",
     .min = 1,
     .max = 9999,
     .help = "go up to that migration only; going down is refused"},
    {0},
};

static const struct opt_spec spec = {
    .command = "migrate",
    .usage = "[options]",
    .summary = "Bring the database to the schema of this program. Several processes may do so at "
               "once. `cauldron serve` does it when it starts.",
    .table = table,
    .environment = true,
};

static int print_status(struct db *db, struct arena *a, struct err *e)
{
    struct migration_state *states;
    size_t count;
    int rc = migrate_status(db, a, &states, &count, e);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        char when[CLOCK_TEXT] = "-";
        if (states[i].applied_at)
            clock_format(states[i].applied_at, when);
        printf("%04d %-24s %-24s %s\n", states[i].number, states[i].name, when,
               states[i].changed      ? "CHANGED"
               : states[i].unknown    ? "UNKNOWN"
               : states[i].applied_at ? "applied"
                                      : "missing");
    }
    return rc ? rc : migrate_check(db, e);
}

static int run(int argc, char **argv)
{
    struct want want = {0};
    struct arena a = {0};
    struct options o;
    struct db *db = NULL;
    struct err e = {0};
    int status = options_parse(&spec, argc, argv, &want, &o), rc;

    if (status >= 0)
        return status;
    rc = platform_database(want.database, want.data,
                           &(struct db_options){.connections = 2, .timeout = 60}, &db, &e);
    if (rc == 0 && !want.status)
        rc = migrate_up(db, want.to ? want.to : MIGRATE_NEWEST, &e);
    if (rc == 0 && (want.status || !want.to))
        rc = print_status(db, &a, &e);
    db_close(db);
    arena_release(&a);
    options_release(&o);
    return rc ? fail(EXIT_FAILED, &e) : EXIT_DONE;
}

const struct command command_migrate = {
    .name = "migrate",
    .summary = "bring the database to the newest schema",
    .run = run,
};
