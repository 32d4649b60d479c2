/*
 * experiment.h: the sub-commands of `cauldron experiment`, and what they share: the same
 * experiments as the server's, without a server.
 *
 * Each sub-command takes the arguments from its own name on and returns the exit status, as in
 * commands.h.
 */
#ifndef CLI_EXPERIMENT_H
#define CLI_EXPERIMENT_H

#include "cli/commands.h"
#include "cli/platform.h"
#include "experiments/launch.h"
#include "experiments/outcome.h"

extern const struct command experiment_plan, experiment_run, experiment_resume, experiment_list,
    experiment_show, experiment_export, experiment_diff;

/* A spec from a file, "-" for stdin. The caller owns *out. */
WARN_UNUSED_RESULT int read_spec_file(const char *path, json_t **out, struct err *e);
/* Every problem on a line of its own. */
void print_problems(const struct spec_problems *problems);
/* By id, or by the first characters of one if they fit no other; or by name. */
WARN_UNUSED_RESULT int find_experiment(struct db *db, const char *word, struct arena *a,
                                       struct experiment *out, struct err *e);
/* Its run with that number, 0 for the newest. */
WARN_UNUSED_RESULT int find_run(struct db *db, const char *experiment_id, int number,
                                struct arena *a, struct run *out, struct err *e);
/* What the run shows, in words, on stdout. */
WARN_UNUSED_RESULT int print_analysis(const struct outcome *o, struct err *e);
/* By the path's ending: .csv .json .png .html. */
WARN_UNUSED_RESULT int export_to(struct outcome *o, const char *path, struct err *e);

#endif
