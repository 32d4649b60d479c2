/*
 * outcome.h: a run as the analysis sees it: its plan, what became of every cell, its pictures.
 *
 *   struct outcome o;
 *   if (outcome_load(s, &run, &o, &e)) ...
 *   if (outcome_measure(&o, &e)) ...                     decodes pictures; remembered in the cache
 *   analysis_new(o.planned.plan, o.results, &options, &analysis, &e);
 *   outcome_release(&o);
 *
 * Similarities are remembered per cell, together with the pictures that were compared, in the blob
 * store's cache ("measures-<run>.json"): a second look decodes only what has changed since. Ten
 * thousand cells take minutes, so who must not wait gives a limit and comes again.
 * Threads: one at a time per outcome. Ownership: everything belongs to the outcome.
 */
#ifndef EXPERIMENTS_OUTCOME_H
#define EXPERIMENTS_OUTCOME_H

#include "experiments/launch.h"
#include "experiments/measures.h"

struct outcome {
    struct submitter *submitter;
    const char *run_id;
    struct planned planned;
    struct results *results;
    struct generation *rows; /* of the run */
    size_t row_count;
    struct generation **by_cell; /* one per cell of the plan; NULL: none */
    struct measure_loader loader;
    double until; /* clock_seconds: measure no further cell after that */
    bool cut;     /* the time was over */
    struct arena arena;
};

WARN_UNUSED_RESULT int outcome_load(struct submitter *s, const struct run *run, struct outcome *out,
                                    struct err *e);
WARN_UNUSED_RESULT int outcome_measure(struct outcome *o, struct err *e);
/* Only cells with wanted[cell] (NULL: all), and no further one after `seconds`; what was measured
 * is remembered. *left: how many of them are not measured. At least one is, each time. */
WARN_UNUSED_RESULT int outcome_measure_some(struct outcome *o, const bool *wanted, double seconds,
                                            size_t *left, struct err *e);
void outcome_release(struct outcome *o);

#endif
