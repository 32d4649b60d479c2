/*
 * worker.h: the loops that draw: take tickets, claim jobs, feed the provider's batch, keep leases
 * alive, store results, retry; and the feeder that keeps the queue filled from the database.
 *
 *   struct worker_options o = worker_options();
 *   o.submitter = &submitter; o.provider = provider;
 *   if (worker_start(&o, &worker, &e)) ...
 *   worker_stop(worker, 30.0);           finish what is nearly done, hand back the rest
 *
 * One thread per slot of a device runs provider_draw; one claims jobs, one stores what was drawn,
 * one keeps the leases alive, feeds the queue, expires the leases of the dead, repairs
 * (docs/jobs.md). Any number of workers and servers may run at once: each step is fenced in the
 * database. Errors of storage and network are retried with backoff and jitter; pictures in hand are
 * kept meanwhile. Threads: start and stop from one. Ownership: everything in the options is
 * borrowed until worker_stop returns.
 */
#ifndef JOBS_WORKER_H
#define JOBS_WORKER_H

#include "jobs/submit.h"

struct worker;

struct worker_options {
    struct submitter *submitter;
    struct provider *provider;
    const char *device; /* "auto", "cpu" */
    const char *name;   /* NULL: host:pid:random */
    bool draw;          /* false: feeder and sweeps only (a server beside separate workers) */
    double lease_seconds, heartbeat_seconds, feed_seconds, sweep_seconds; /* 30, 5, 0.5, 10 */
    double backoff_seconds, backoff_max_seconds; /* 2, 300: doubled per attempt, jitter +-25 % */
    double job_days;        /* after which the row of a job that ended is removed: 7 */
    int window;             /* jobs handed to the queue ahead: 64 */
    int batch;              /* jobs drawn together by a slot: 4 */
    double preview_seconds; /* between previews of a watched one: 0.5 */
    int nice; /* added to the threads that draw, so that others of the process come first: 0 */
    /* After each picture, for metrics. May be NULL. */
    void (*finished)(void *user, const struct draw_result *r, const struct job_row *job);
    void (*phase)(void *user, const char *phase, double seconds);
    void *user;
};
struct worker_options worker_options(void);

WARN_UNUSED_RESULT int worker_start(const struct worker_options *o, struct worker **out,
                                    struct err *e);
void worker_stop(struct worker *w, double seconds);

struct worker_status {
    const char *name;
    int slots, busy;
    int64_t finished, failed, retried, lost;
    double steps_per_second; /* over the last minute */
};
void worker_status(struct worker *w, struct worker_status *out);
/* JSON array of all workers that were heard of in the last minute, by the bus; a new reference. */
json_t *workers_seen(struct submitter *s);

#endif
