#include "cli/models.h"

#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static const struct command *const subcommands[] = {
    &models_list, &models_info, &models_verify, &models_pull, &models_add, &models_remove,
};
enum { COUNT = sizeof subcommands / sizeof *subcommands };

static void usage(FILE *to)
{
    fputs("usage: cauldron models COMMAND [options]\n\n"
          "Models are looked up as a path, in $CAULDRON_MODELS (./data/models), in models/ of the\n"
          "installation, and in the Hugging Face cache.\n\n",
          to);
    for (size_t i = 0; i < COUNT; i++)
        fprintf(to, "  %-8s %s\n", subcommands[i]->name, subcommands[i]->summary);
    fputs("\n'cauldron models COMMAND --help' explains one\n", to);
}

static int run(int argc, char **argv)
{
    const char *names[COUNT], *near;

    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < COUNT; i++) {
        names[i] = subcommands[i]->name;
        if (strcmp(names[i], argv[1]) == 0)
            return subcommands[i]->run(argc - 1, argv + 1);
    }
    near = nearest_name(argv[1], names, COUNT);
    if (near)
        return fail_with(EXIT_USAGE, "unknown command 'models %s', did you mean 'models %s'?",
                         argv[1], near);
    return fail_with(EXIT_USAGE, "unknown command 'models %s': see 'cauldron models --help'",
                     argv[1]);
}

const struct command command_models = {
    .name = "models",
    .summary = "list, examine, download, add and remove models",
    .run = run,
};
