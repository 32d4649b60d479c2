/*
 * launch.h: from a spec to a run: plan it against what is installed and what is drawn, write its
 * cells, start it, make it longer.
 *
 *   struct launch l = {.submitter = s, .user_id = user, .priority = PRIORITY_BATCH};
 *   if (launch_plan(&l, document, &planned, &problems, &e)) ...
 *   json_t *answer = plan_to_json(planned.plan, 0);
 *   planned_release(&planned);
 *   if (launch_start(&l, &experiment, &arena, &run, &problems, &e)) ...
 *
 * A run is written paused, then its cells in the order of execution in pieces of a few hundred,
 * then it is set running. A start that was cut off (a crash) leaves a paused run without cells or
 * with some; the next start of the experiment fills it up and goes on with it. Errors: ERR_ARG with
 * *problems when the spec is not one; ERR_CONFLICT when the experiment runs. Threads: any; two
 * starts of one experiment at once: one of them gets ERR_CONFLICT. Ownership: results live in the
 * arena given, plans belong to struct planned.
 */
#ifndef EXPERIMENTS_LAUNCH_H
#define EXPERIMENTS_LAUNCH_H

#include "experiments/plan.h"
#include "jobs/submit.h"
#include "storage/experiments.h"

struct launch {
    struct submitter *submitter;
    const char *user_id, *request_id, *trace_id;
    const char *owner; /* whose generations the spec may refer to; NULL: anybody's */
    int priority;
    uint64_t max_cells; /* 0: SPEC_MAX_CELLS */
};

struct planned {
    struct spec *spec;
    struct plan *plan;
};
void planned_release(struct planned *p);

/* Dry run: nothing is written. */
WARN_UNUSED_RESULT int launch_plan(const struct launch *l, const json_t *document,
                                   struct planned *out, struct spec_problems *problems,
                                   struct err *e);
/* Read a stored spec without asking the world: for results. */
WARN_UNUSED_RESULT int launch_replan(struct submitter *s, const char *spec_text,
                                     struct planned *out, struct err *e);

WARN_UNUSED_RESULT int launch_start(const struct launch *l, const struct experiment *x,
                                    struct arena *a, struct run *out,
                                    struct spec_problems *problems, struct err *e);
/* `addition` as spec_extend takes it. The last run gets the cells that it lacks; without a run only
 * the spec changes (*out has id NULL then). */
WARN_UNUSED_RESULT int launch_extend(const struct launch *l, const struct experiment *x,
                                     const json_t *addition, struct arena *a, struct run *out,
                                     struct spec_problems *problems, struct err *e);

#endif
