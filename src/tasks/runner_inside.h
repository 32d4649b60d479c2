/*
 * runner_inside.h: a runner's threads and what they share.
 *
 *   watcher      totals, metrics, progress events, renewal of leases        runner.c, progress.c
 *   readers (2)  one step of one task at a time: records -> rows and jobs,  read.c, canary.c
 *                the sample, the end
 *   feeder       drawn rows become ready; ready rows -> DELIVERIES          deliver.c
 *   deliverers   DELIVERIES -> objects -> stored rows                       deliver.c
 *   writer       stored and failing rows -> results -> ended rows           write_back.c
 *
 * Nothing here is the truth: a thread takes a lease, does one step, and says so in one transaction
 * that names the lease. A lease is also a reader's clock: a task that has nothing to do for a while
 * (its window is full, MongoDB is away) is leased for that while, and whoever comes then goes on.
 *
 * Threads: `lock` guards what is below it, `renewing` the list of leases.
 */
#ifndef TASKS_RUNNER_INSIDE_H
#define TASKS_RUNNER_INSIDE_H

#include "tasks/call_back.h"
#include "tasks/opened.h"
#include "tasks/runner.h"

#include <pthread.h>

enum { READERS = 2, DELIVERERS_MOST = 256, RUNNER_NAME = 128 };
enum runner_role { ROLE_WATCHER, ROLE_READER, ROLE_FEEDER, ROLE_WRITER, ROLES };

/* A lease that is renewed while its work lasts: of a task (`reader` set) or of a row. */
struct hold {
    struct hold *next;
    const char *id, *reader;
    int lease;     /* of a row */
    char *session; /* of the row's upload; kept by hold_session */
    double since;  /* clock_seconds */
};

/* Rows that were taken together, of one task; the last one frees it. */
struct consignment {
    atomic_int left;
    struct arena arena;
    struct task task;
};
struct delivery {
    struct delivery *next;
    struct consignment *of;
    const struct task_record *row;
    struct hold hold;
};

/* A thread of a runner. */
struct hand {
    struct task_runner *r;
    pthread_t thread;
    bool started;
    enum runner_role role;
    unsigned seen; /* of r->wakes */
    int misses;    /* looks in a row that found nothing */
    char name[RUNNER_NAME + 32];
    struct opened_cache cache; /* of its own */
};

struct task_runner {
    struct task_runner_options o; /* with the defaults filled in */
    const struct tasks *tasks;
    struct db *db;
    char name[RUNNER_NAME];
    struct arena arena;
    int64_t lease_ms;
    struct call_back *calls;
    atomic_bool stopping; /* uploads break off */
    struct hand watcher, readers[READERS], feeder, writer, *deliverers;

    pthread_mutex_t renewing;
    struct hold *holds;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop;
    bool active; /* there are tasks that run */
    unsigned wakes;
    struct delivery *first, *last; /* DELIVERIES */
    int waiting;
    char (*moved)[UUID_TEXT]; /* tasks whose counters moved */
    size_t moved_count, moved_room;
    double metrics_at;
};

/* Sleep until somebody wakes the runner, `seconds` have passed, or it stops: false then. */
bool hand_sleep(struct hand *h, double seconds);
/* After a look that found nothing: longer each time, so that idle processes ask seldom. */
bool hand_idle(struct hand *h);
/* Wait until there are tasks that run; false: the runner stops. */
bool hand_ready(struct hand *h);
/* Seconds before try `attempt` of something outside. */
double runner_backoff(const struct task_runner *r, int attempt);

void hold_begin(struct task_runner *r, struct hold *h);
void hold_end(struct task_runner *r, struct hold *h); /* before the step that gives the lease up */
/* Store the session of a held row's upload. */
WARN_UNUSED_RESULT int hold_session(struct task_runner *r, struct hold *h, const char *session,
                                    struct err *e);
void holds_renew(struct task_runner *r);

void *reader_run(void *hand);
void *feeder_run(void *hand);
void *deliverer_run(void *hand);
void *writer_run(void *hand);

/* One step of a task that a reader has taken. *wait: seconds until the next one may come. */
struct reading {
    struct hand *hand;
    struct opened *opened;
    struct task task; /* as it was taken */
    struct arena *a;
    double wait;
};
WARN_UNUSED_RESULT int canary_sample(struct reading *x, struct err *e);
WARN_UNUSED_RESULT int canary_look(struct reading *x, struct err *e);
WARN_UNUSED_RESULT int write_back_end(struct reading *x, struct err *e);
/* tasks_change of its own transaction. */
WARN_UNUSED_RESULT int reading_change(struct reading *x, const struct task_change *change,
                                      struct err *e);
/* One that changes nothing, to be filled in; errors of before go. */
static inline struct task_change reading_no_change(void)
{
    return (struct task_change){
        .records = -1, .phase = -1, .status = -1, .error_code = "", .error = ""};
}

/* progress.c */
void runner_mark(struct task_runner *r, const char *task_id);
void runner_tell(struct task_runner *r);
void runner_count_records(struct task_runner *r, const struct task_record *rows, size_t count);
void runner_count_put(struct task_runner *r, int rc, const struct object_info *info);
void runner_totals(struct task_runner *r, const struct tasks_totals *t);

#endif
