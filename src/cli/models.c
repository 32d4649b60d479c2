#include "cli/models.h"

#include "cli/subcommands.h"

static const struct command *const subcommands[] = {
    &models_list, &models_info, &models_verify, &models_pull, &models_add, &models_remove,
};
static const struct family family = {
    .name = "models",
    .list = subcommands,
    .count = sizeof subcommands / sizeof *subcommands,
    .intro =
        "Models are looked up as a path, in $CAULDRON_MODELS (./data/models), in models/ of the\n"
        "installation, and in the Hugging Face cache.",
};

static int run(int argc, char **argv)
{
    return family_run(&family, argc, argv);
}

const struct command command_models = {
    .name = "models",
    .summary = "list, examine, download, add and remove models",
    .run = run,
};
