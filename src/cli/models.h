/*
 * models.h: the sub-commands of `cauldron models`, one file each; models.c chooses.
 *
 * Each takes the arguments from its own name on and returns the exit status, as in commands.h.
 */
#ifndef CLI_MODELS_H
#define CLI_MODELS_H

#include "cli/commands.h"

extern const struct command models_add, models_info, models_list, models_pull, models_remove,
    models_verify;

#endif
