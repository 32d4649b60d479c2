/*
 * jobs_inside.h: what the files of the state machine share (jobs*.c and runs.c); not for callers.
 *
 * Locks are taken in this order, so that no two transactions wait for each other: jobs by
 * identifier, images, generations, runs by identifier, experiments.
 */
#ifndef STORAGE_JOBS_INSIDE_H
#define STORAGE_JOBS_INSIDE_H

#include "storage/experiments.h"
#include "storage/jobs.h"

/* Bare names: SQLite's RETURNING knows no alias. */
#define JOB_COLUMNS                                                                                \
    "id, key, recipe, provider, model, user_id, run_id, request_id, trace_id, priority, "          \
    "position, status, attempts, max_attempts, run_after, worker, lease_until, created_at, "       \
    "started_at, finished_at, error_code, error, dead"
/* jobs.run_id is the identifier of a run, or of a task: whether that keeps its jobs waiting. */
#define RUN_PAUSED(id)                                                                             \
    "(EXISTS (SELECT 1 FROM experiment_runs r WHERE r.id = " id " AND r.status = 'paused') OR "    \
    "EXISTS (SELECT 1 FROM tasks t WHERE t.id = " id " AND " TASK_PAUSED_STATUS "))"
#define TASK_PAUSED_STATUS "t.status IN ('paused', 'cancelled')"
void job_from_row(const struct db_rows *r, size_t row, struct job_row *out);

/* Generations that change in this transaction, gathered so that the counters of their runs are
 * brought along once, at the end, in the order of the runs' identifiers. */
struct change {
    const char *generation, *run_id; /* run_id NULL: outside of runs */
    enum generation_status from, to; /* queued stands for running, too */
    bool reused;
    double seconds; /* to draw; 0: nothing was drawn */
};
struct changes {
    struct arena *a;
    struct change *items;
    size_t count, room;
};
/* All that wait for the key end: succeeded (the images row is there), failed or cancelled. */
WARN_UNUSED_RESULT int wishes_end(struct tx *tx, struct changes *c, const char *key,
                                  enum generation_status to, bool reused, const char *code,
                                  const char *message, int64_t now, struct err *e);
/* All that failed with the key wait again. */
WARN_UNUSED_RESULT int wishes_wait(struct tx *tx, struct changes *c, const char *key,
                                   struct err *e);
/* Rows of (id, run_id), as UPDATE ... RETURNING gives them. */
void changes_add(struct changes *c, const struct db_rows *rows, enum generation_status from,
                 enum generation_status to, bool reused, double seconds);
/* The counters of their runs; runs whose last cell this was end, runs with cells that wait again
 * run again. */
WARN_UNUSED_RESULT int changes_apply(struct tx *tx, const struct changes *c, int64_t now,
                                     struct job_outcome *out, struct err *e);
/* queued <-> running of all that wait for the key. */
WARN_UNUSED_RESULT int wishes_show(struct tx *tx, const char *key, bool running, int attempts,
                                   struct err *e);

/* jobs_add without ending anything: *id NULL when the picture exists. */
WARN_UNUSED_RESULT int jobs_put(struct tx *tx, const struct job_row *job, struct arena *a,
                                const char **id, struct err *e);
/* The same for a generation that has no live job. */
WARN_UNUSED_RESULT int jobs_put_for(struct tx *tx, const struct generation *g, int64_t now,
                                    struct arena *a, const char **id, struct err *e);
/* The job of somebody else who waits: fairness and pauses go by the job's user and run. */
WARN_UNUSED_RESULT int job_adopt(struct tx *tx, const char *id, const char *key, struct err *e);
/* The same for the queued jobs of a run that pauses. */
WARN_UNUSED_RESULT int jobs_adopt(struct tx *tx, const char *run_id, struct err *e);

WARN_UNUSED_RESULT int runs_lock(struct tx *tx, const char *id, struct arena *a, struct run *out,
                                 struct err *e);
WARN_UNUSED_RESULT int runs_store_status(struct tx *tx, const char *id,
                                         enum experiment_status status, int64_t now, struct err *e);
/* A locked run with these counters: end it when nothing waits, go on when something does. */
WARN_UNUSED_RESULT int runs_settle(struct tx *tx, const struct run *run, int64_t waiting,
                                   int64_t now, struct err *e);

#endif
