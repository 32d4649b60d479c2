/*
 * task.h: the sub-commands of `cauldron task`, and what they share: the same tasks as the server's,
 * without a server, or beside one on the same database.
 *
 *   static int act(const struct task_want *want, struct platform *p, char **words, struct err *e);
 *   return task_main(&spec, argc, argv, PLATFORM_DRAWING, act);
 *
 * Each sub-command takes the arguments from its own name on and returns the exit status, as in
 * commands.h.
 */
#ifndef CLI_TASK_H
#define CLI_TASK_H

#include "cli/commands.h"
#include "cli/platform.h"
#include "tasks/control.h"

#include <stdatomic.h>

extern const struct command task_run, task_check_command, task_list, task_status, task_records,
    task_report_command, task_export_command, task_pause_command, task_resume, task_approve_command,
    task_reject, task_cancel_command, task_retry_command, task_callbacks, task_replay, task_delete;

/* The options of all of them; each table has the rows it knows. */
struct task_want {
    struct platform_options platform;
    int canary, limit;
    bool dry_run, detach, no_draw, json, quiet;
    int status;
    const char *error_class, *event;
    struct strings classes, outputs;
    bool all;
};

/* Parse, open the platform, act, close it: the exit status. ERR_ARG is a usage error. */
int task_main(const struct opt_spec *spec, int argc, char **argv, enum platform_parts parts,
              int (*act)(const struct task_want *want, struct platform *p, char **words,
                         struct err *e));
/* By id, by its first characters if they fit no other, or by name. */
WARN_UNUSED_RESULT int find_task(struct db *db, const char *word, struct arena *a, struct task *out,
                                 struct err *e);
void print_task_problems(const struct task_problems *problems);
/* Run it here until it ends, waits for approval or ^C; say what came of it. ERR_CANCELLED when some
 * of it failed, which was said. */
WARN_UNUSED_RESULT int task_attend(const struct task_want *want, struct platform *p, const char *id,
                                   struct err *e);
/* The report on stdout, in words or as JSON. */
WARN_UNUSED_RESULT int print_report(struct platform *p, const char *id, bool json, struct err *e);

#endif
