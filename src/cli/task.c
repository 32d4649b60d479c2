#include "cli/task.h"

#include "base/json.h"
#include "cli/subcommands.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <string.h>

static const struct command *const subcommands[] = {
    &task_run,           &task_check_command,   &task_list,           &task_status,
    &task_records,       &task_report_command,  &task_export_command, &task_pause_command,
    &task_resume,        &task_approve_command, &task_reject,         &task_cancel_command,
    &task_retry_command, &task_callbacks,       &task_replay,         &task_delete,
};
static const struct family family = {
    .name = "task",
    .list = subcommands,
    .count = sizeof subcommands / sizeof *subcommands,
    .outro = "A task is a JSON file that names a dataset, a model and a destination: docs/tasks.md "
             "explains it, examples/tasks has some.\n",
};

/* ============================== What they share ============================== */

void print_task_problems(const struct task_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        fprintf(stderr, "  %s: expected %s\n",
                problems->at[i].pointer[0] ? problems->at[i].pointer : "/",
                problems->at[i].expected);
}

static int look_through(struct tx *tx, const char *word, struct arena *a, struct task *out,
                        int *found, struct err *e)
{
    struct task_filter filter = {.status = -1, .limit = 200};

    do {
        struct task *rows;
        size_t count;
        if (tasks_list(tx, &filter, a, &rows, &count, &filter.cursor, e))
            return e->code;
        for (size_t i = 0; i < count; i++)
            if (str_starts(str_from(rows[i].id), word) || strcmp(rows[i].name, word) == 0) {
                *out = rows[i];
                ++*found;
            }
    } while (filter.cursor);
    return 0;
}

int find_task(struct db *db, const char *word, struct arena *a, struct task *out, struct err *e)
{
    bool whole = uuid_valid(str_from(word));
    struct tx *tx;
    int found = 0;

    int rc = tx_begin(db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = whole ? tasks_get(tx, word, a, out, e) : look_through(tx, word, a, out, &found, e);
    tx_rollback(tx);
    if (rc || whole || found == 1)
        return rc;
    return found ? ERR(e, ERR_ARG, "'%s' fits %d tasks: give more of the id", word, found)
                 : ERR(e, ERR_NOT_FOUND, "no task '%s': see 'cauldron task list'", word);
}

static int act_in(const struct task_want *want, enum platform_parts parts, char **words,
                  int (*act)(const struct task_want *want, struct platform *p, char **words,
                             struct err *e))
{
    struct platform platform;
    int status = EXIT_DONE;
    struct err e;

    if (platform_open(&want->platform, parts, &platform, &e))
        return fail(EXIT_FAILED, &e);
    if (act(want, &platform, words, &e))
        status = e.code == ERR_CANCELLED ? EXIT_FAILED
                                         : fail(e.code == ERR_ARG ? EXIT_USAGE : EXIT_FAILED, &e);
    platform_close(&platform);
    return interrupted() ? interrupt_status() : status;
}

int task_main(const struct opt_spec *spec, int argc, char **argv, enum platform_parts parts,
              int (*act)(const struct task_want *want, struct platform *p, char **words,
                         struct err *e))
{
    struct task_want want = {.canary = -1, .status = -1};
    struct options options;
    int status = options_parse(spec, argc, argv, &want, &options);

    if (status >= 0)
        return status;
    if (!options_given(&options, "log-level"))
        want.platform.log_level = 2; /* warnings: the bar is in the way of anything less */
    if (!options_given(&options, "canary"))
        want.canary = -1;
    interrupt_catch();
    status = act_in(&want, parts, options.rest, act);
    options_release(&options);
    return status;
}

static int run(int argc, char **argv)
{
    return family_run(&family, argc, argv);
}

const struct command command_task = {
    .name = "task",
    .summary = "datasets to images in object storage, with results written back",
    .run = run,
};
