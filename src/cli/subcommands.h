/*
 * subcommands.h: commands that are families: `cauldron models list`, `cauldron experiment run`.
 *
 *   static const struct family family = {.name = "models", .list = all, .count = COUNT,
 *                                        .intro = "...", .outro = "..."};
 *   static int run(int argc, char **argv) { return family_run(&family, argc, argv); }
 *
 * Threads: none. Ownership: everything is constant.
 */
#ifndef CLI_SUBCOMMANDS_H
#define CLI_SUBCOMMANDS_H

#include "cli/commands.h"

#include <stddef.h>

struct family {
    const char *name;
    const struct command *const *list;
    size_t count;
    const char *intro, *outro; /* paragraphs around the list in the help text, or NULL */
};

/* The one that argv[1] names, with the arguments from its own name on; help; or a usage error that
 * says the nearest name. */
int family_run(const struct family *f, int argc, char **argv);

#endif
