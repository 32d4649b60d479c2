/* The only place that picks backends and wires rooms together. */
#include "cauldron.h"
#include "cli/commands.h"
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_generate, &command_serve,   &command_experiment, &command_task,
    &command_models,   &command_inspect, &command_worker,     &command_user,
    &command_gc,       &command_migrate, &command_db_test,    &command_bench,
    &command_doctor,   &command_health,  &command_debug,      NULL,
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void usage(FILE *to)
{
    fputs("usage: cauldron COMMAND [options]\n\n", to);
    for (size_t i = 0; commands[i]; i++)
        fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n'cauldron help COMMAND' explains one; 'cauldron --version' prints the version\n", to);
}

static int unknown(const char *name)
{
    enum { COUNT = sizeof commands / sizeof *commands };
    const char *names[COUNT] = {NULL}, *near;
    size_t n = 0;

    for (; commands[n]; n++)
        names[n] = commands[n]->name;
    near = nearest_name(name, names, n);
    if (near)
        return fail_with(EXIT_USAGE, "unknown command '%s', did you mean '%s'?", name, near);
    return fail_with(EXIT_USAGE, "unknown command '%s': see 'cauldron help'", name);
}

static int help(int argc, char **argv)
{
    static char option[] = "--help";

    if (argc < 2) {
        usage(stdout);
        return EXIT_DONE;
    }
    const struct command *c = find(argv[1]);
    if (!c)
        return unknown(argv[1]);
    argv[0] = argv[1];
    argv[1] = option;
    return c->run(2, argv);
}

/*
 * Two libraries read their environment before main, so the program starts itself once more:
 * libgomp's threads spin at every barrier by default, which beside another busy program makes a
 * picture take a hundred times as long (measured: 33 s instead of 0.3 s); libmongoc keeps counters,
 * which nobody reads, in /dev/shm under the process's number, where one that is killed leaves them
 * and makes a later one of that number complain on stderr.
 */
static void settle_libraries(char **argv)
{
    bool sleeps = getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT");
    char counters[32];

    if (sleeps && getenv("MONGOC_DISABLE_SHM"))
        return;
    if ((!sleeps && setenv("OMP_WAIT_POLICY", "passive", 0)) ||
        setenv("MONGOC_DISABLE_SHM", "1", 0))
        return;
    snprintf(counters, sizeof counters, "/mongoc-%u", (unsigned)getpid());
    shm_unlink(counters);
    execv("/proc/self/exe", argv); /* if that fails, go on as we are */
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0) {
        puts("cauldron " CAULDRON_VERSION);
        return EXIT_DONE;
    }
    const struct command *c = find(name);
    if (!c)
        return unknown(name);
    settle_libraries(argv);
    return c->run(argc - 1, argv + 1);
}
