/*
 * jobs.h: the table of jobs: pictures to be drawn, each once, by whoever holds the lease.
 *
 *   queued -> running -> succeeded | failed | cancelled
 *
 * At most one job per key is queued or running (a unique index), so that equal wishes of many
 * people are one job. Every change of a running job names the lease (worker and attempt): a worker
 * that was thought dead and comes back changes nothing. Each function here is one step of the state
 * machine and is all or nothing in its transaction. Threads: as its transaction.
 *
 * The row of the live job is the lock of its key. Who wants a picture inserts the generation and
 * then calls jobs_add, which takes that row; who ends a job takes it first, and ends the
 * generations of the key by a later statement. So either the generation is seen by whoever ends the
 * job, or jobs_add comes after the end, and sees the picture:
 *
 *   tx_begin(TX_WRITE); generations_drawn(keys);       those found: insert as succeeded, reused
 *   generations_insert(...); for each key that is not drawn: jobs_add(...);
 *   runs_recount(...) for a run; tx_commit               ERR_NETWORK anywhere: all of it again
 *
 * After ERR_NETWORK from tx_commit the transaction may have happened: look before repeating it.
 */
#ifndef STORAGE_JOBS_H
#define STORAGE_JOBS_H

#include "base/uuid.h"
#include "storage/db.h"
#include "storage/images.h"

enum job_status { JOB_QUEUED, JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED, JOB_CANCELLED };
const char *job_status_name(enum job_status s);
bool job_status_by_name(struct str name, enum job_status *out);

enum job_priority { PRIORITY_INTERACTIVE = 0, PRIORITY_BATCH = 10 }; /* smaller first */

struct job_row {
    const char *id;
    const char *key;
    const char *recipe;   /* JSON */
    const char *provider; /* who draws it */
    const char *model;    /* the name the provider takes */
    const char *user_id;  /* NULL: nobody; of who asked first */
    const char *run_id;   /* of who asked first: of a run, or a task's identifier; NULL: neither */
    const char *request_id, *trace_id;
    int priority;
    int64_t position; /* within user and priority: smaller first */
    enum job_status status;
    int attempts, max_attempts;
    int64_t run_after; /* ms; not before (backoff) */
    const char *worker;
    int64_t lease_until, created_at, started_at, finished_at;
    const char *error_code, *error;
    bool dead;   /* failed for good: in the dead-letter list until requeued or dismissed */
    bool redraw; /* of jobs_add: draw it also when the picture exists */
};

/* Add a job for the key unless one is queued or running; a waiting one takes the better priority.
 * Insert the generations that want it before, in the same transaction. *id (in the arena): the job
 * that will draw it; NULL when the picture exists meanwhile: then all that waited for it, the
 * generations just inserted too, have succeeded, and the counters of their runs have moved.
 * Adding many: in the order of their keys, or two such transactions may wait for each other, of
 * which one gets ERR_NETWORK. */
WARN_UNUSED_RESULT int jobs_add(struct tx *tx, const struct job_row *job, struct arena *a,
                                const char **id, struct err *e);
WARN_UNUSED_RESULT int jobs_get(struct tx *tx, const char *id, struct arena *a, struct job_row *out,
                                struct err *e);

/* Choose up to `limit` queued jobs that are due and not handed to the queue within the last
 * `again_ms`, in fair order (priority, then users in turn, then position), mark them as handed, and
 * return their ids: what the feeder pushes to the queue. Runs that are paused are left out. */
WARN_UNUSED_RESULT int jobs_feed(struct tx *tx, int limit, int64_t now, int64_t again_ms,
                                 struct arena *a, struct job_row **out, size_t *count,
                                 struct err *e);
/* Take a queued job: running, leased to `worker`, attempts + 1; its generations become running.
 * ERR_CONFLICT when it is not there to be taken (somebody has it, it is done, its run is paused).
 */
WARN_UNUSED_RESULT int jobs_claim(struct tx *tx, const char *id, const char *worker, int64_t now,
                                  int64_t lease_ms, struct arena *a, struct job_row *out,
                                  struct err *e);

/* Who holds it: worker and attempt. */
struct lease {
    const char *id, *worker;
    int attempt;
};
/* Hold on to these; lost[i] is set for those that are not this worker's any more, cancelled[i] for
 * those that nobody wants. */
WARN_UNUSED_RESULT int jobs_heartbeat(struct tx *tx, const struct lease *leases, size_t count,
                                      int64_t now, int64_t lease_ms, bool *lost, bool *cancelled,
                                      struct err *e);

/* A run that a finished job moved. */
struct run_progress {
    const char *run_id, *experiment_id, *user_id;
    int64_t total, completed, failed, cancelled, impossible;
    bool ended;                  /* this was its last cell: the run's row says completed */
    const char *last_generation; /* the one of this run that ended just now */
};
struct job_outcome {
    const char **generations; /* that ended with it, NULL-ended */
    struct run_progress *runs;
    size_t run_count;
};
/* Drawn: the picture's row, the job succeeded, every waiting generation of the key succeeded, the
 * counters of their runs. ERR_CONFLICT when the lease is lost (nothing is changed). */
WARN_UNUSED_RESULT int jobs_succeed(struct tx *tx, struct lease lease,
                                    const struct picture_row *picture, int64_t now, struct arena *a,
                                    struct job_outcome *out, struct err *e);
/* Not drawn. transient and attempts left: queued again at `retry_at`; else failed for good (dead)
 * with its generations. */
WARN_UNUSED_RESULT int jobs_fail(struct tx *tx, struct lease lease, bool transient,
                                 int64_t retry_at, const char *code, const char *message,
                                 int64_t now, struct arena *a, struct job_outcome *out,
                                 struct err *e);
/* Hand it back undone (graceful shutdown, paused run): queued, attempts as before the claim. */
WARN_UNUSED_RESULT int jobs_release(struct tx *tx, struct lease lease, int64_t now, struct err *e);
/* Leases that ran out: queued again, or failed for good after max_attempts. */
WARN_UNUSED_RESULT int jobs_expire(struct tx *tx, int64_t now, int64_t retry_at, struct arena *a,
                                   const char ***ids, size_t *count, struct job_outcome *out,
                                   struct err *e);

/* Cancel a generation that waits; its job ends with it when nobody else waits for the key. */
WARN_UNUSED_RESULT int jobs_cancel_generation(struct tx *tx, const char *generation_id, int64_t now,
                                              struct arena *a, struct job_outcome *out,
                                              struct err *e);
/* The same for all that wait in a run. */
WARN_UNUSED_RESULT int jobs_cancel_run(struct tx *tx, const char *run_id, int64_t now,
                                       struct arena *a, struct job_outcome *out, struct err *e);
/* And for a job: all generations that wait for it. */
WARN_UNUSED_RESULT int jobs_cancel(struct tx *tx, const char *id, int64_t now, struct arena *a,
                                   struct job_outcome *out, struct err *e);
/* A dead job, or a failed or cancelled generation, from the start: attempts 0. */
WARN_UNUSED_RESULT int jobs_requeue(struct tx *tx, const char *id, int64_t now, struct err *e);
WARN_UNUSED_RESULT int jobs_retry_generation(struct tx *tx, const char *generation_id, int64_t now,
                                             struct arena *a, const char **job_id, struct err *e);
/* Out of the dead-letter list, still failed. ERR_NOT_FOUND when it is not there. */
WARN_UNUSED_RESULT int jobs_dismiss(struct tx *tx, const char *id, struct err *e);
/* Remove at most `limit` rows that ended before `before` and are not in the dead-letter list, the
 * oldest first: what they drew, and why they failed, stands in the generations. */
WARN_UNUSED_RESULT int jobs_prune(struct tx *tx, int64_t before, int limit, size_t *removed,
                                  struct err *e);
/* A sweep, for once a minute or so: generations that wait without a live job get their picture if
 * it exists, else a job; queued jobs of paused runs that others wait for go to those. At most
 * `limit` generations; *repaired: how many there were. */
WARN_UNUSED_RESULT int jobs_repair(struct tx *tx, int64_t now, int limit, struct arena *a,
                                   size_t *repaired, struct job_outcome *out, struct err *e);
WARN_UNUSED_RESULT int jobs_set_priority(struct tx *tx, const char *id, int priority,
                                         struct err *e);

struct job_filter {
    int status;   /* -1: any */
    int priority; /* -1: any */
    int dead;     /* -1: any */
    const char *run_id, *user_id;
    int limit;
    const char *cursor;
};
WARN_UNUSED_RESULT int jobs_list(struct tx *tx, const struct job_filter *f, struct arena *a,
                                 struct job_row **out, size_t *count, const char **next,
                                 struct err *e);
/* How many due jobs come before it, 0 for the first; -1 when it does not wait. */
WARN_UNUSED_RESULT int jobs_place(struct tx *tx, const char *id, int64_t *out, struct err *e);

struct queue_depth {
    int64_t queued, running, interactive, dead, delayed;
    int64_t oldest_ms; /* created_at of the oldest that waits; 0: none */
};
WARN_UNUSED_RESULT int jobs_depth(struct tx *tx, struct queue_depth *out, struct err *e);

/* Whether a run, or a task, keeps its jobs waiting; false when there is none of that identifier. */
WARN_UNUSED_RESULT int jobs_run_paused(struct tx *tx, const char *run_id, bool *out, struct err *e);
/* Whether the whole queue is paused; kept in the table settings. */
WARN_UNUSED_RESULT int jobs_paused(struct tx *tx, bool *out, struct err *e);
WARN_UNUSED_RESULT int jobs_pause(struct tx *tx, bool paused, struct err *e);

#endif
