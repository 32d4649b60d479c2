/*
 * commands.h: one struct per sub-command, each at the end of its own file.
 *
 *   const struct command command_generate = {
 *       .name = "generate",
 *       .summary = "draw images from a prompt",
 *       .run = run,
 *   };
 *
 * main.c lists them in one array. run() gets the arguments from the command's own name on, as main
 * gets its own (argv[0] is "generate"), and returns the exit status: 0 done, 1 failed, 2 usage. It
 * reads them with options.h, so that `cauldron generate --help` and `cauldron help generate` agree.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *summary; /* one line, lower case, for the list of commands */
    int (*run)(int argc, char **argv);
};

extern const struct command command_bench, command_db_test, command_debug, command_doctor,
    command_experiment, command_gc, command_generate, command_health, command_inspect,
    command_migrate, command_models, command_serve, command_task, command_user, command_worker;

#endif
