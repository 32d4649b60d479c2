#include "cli/subcommands.h"

#include "base/nearest.h"
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static void usage(const struct family *f, FILE *to)
{
    fprintf(to, "usage: cauldron %s COMMAND [options]\n\n", f->name);
    if (f->intro)
        fprintf(to, "%s\n\n", f->intro);
    for (size_t i = 0; i < f->count; i++)
        fprintf(to, "  %-10s %s\n", f->list[i]->name, f->list[i]->summary);
    if (f->outro)
        fprintf(to, "\n%s", f->outro);
    fprintf(to, "\n'cauldron %s COMMAND --help' explains one\n", f->name);
}

static const char *name_at(const void *list, size_t i)
{
    return ((const struct command *const *)list)[i]->name;
}

int family_run(const struct family *f, int argc, char **argv)
{
    if (argc < 2) {
        usage(f, stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(f, stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->list[i]->name, argv[1]) == 0)
            return f->list[i]->run(argc - 1, argv + 1);
    const char *near = nearest_named(argv[1], f->list, f->count, name_at);
    if (near)
        return fail_with(EXIT_USAGE, "unknown command '%s %s', did you mean '%s %s'?", f->name,
                         argv[1], f->name, near);
    return fail_with(EXIT_USAGE, "unknown command '%s %s': see 'cauldron %s --help'", f->name,
                     argv[1], f->name);
}
