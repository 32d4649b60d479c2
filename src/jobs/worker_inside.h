/*
 * worker_inside.h: a worker's threads and what they hand to each other.
 *
 *   taker    queue -> claim -> recipe, pictures -> READY            worker_take.c
 *   slots    READY -> provider_draw -> ENDING                       worker_draw.c
 *   storer   ENDING -> PNG, blob, rows, events -> gone              worker_store.c
 *   keeper   heartbeats, cancelled and paused jobs, feeder, sweeps  worker_keep.c
 *
 * A claimed job is a struct held; it is in the worker's list from its claim until its end is in the
 * database, and only the thread that its state names touches more than its flags. Nobody waits
 * for the network or the disk but the thread whose work that is: drawing goes on meanwhile, until
 * as many pictures wait to be stored as `ending_max` allows.
 *
 * Threads: `lock` guards the list, states and counters.
 */
#ifndef JOBS_WORKER_INSIDE_H
#define JOBS_WORKER_INSIDE_H

#include "base/log.h"
#include "jobs/worker.h"

#include <pthread.h>
#include <stdatomic.h>

enum held_state { HELD_READY, HELD_DRAWING, HELD_ENDING };
enum held_end { END_STORE, END_FAIL, END_RELEASE, END_DROP };

enum { WATCHERS = 8, RATE_SECONDS = 60 };

struct held {
    struct held *next, *next_ending;
    struct arena arena; /* row, recipe, texts of the result */
    struct job_row row;
    struct ticket ticket;
    struct draw draw;
    enum held_state state;
    enum held_end end;
    double claimed_at, started_at; /* clock_seconds */
    double next_event;             /* of its progress */
    /* set by the keeper, read between steps */
    atomic_bool unwanted; /* cancelled, or somebody else's by now */
    atomic_bool give_back;
    char watchers[WATCHERS][UUID_TEXT]; /* generations that wait for it, under the lock */
    size_t watcher_count;
    struct draw_result result;
};

struct slot {
    struct worker *w;
    pthread_t thread;
    const char *device;
    char model[65]; /* digest of what it drew last */
    int drawing;
};

struct worker {
    struct worker_options o;
    char name[96], host[65];
    struct arena arena;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a state, a counter, stopping */
    pthread_t taker, keeper, storer;
    struct slot *slots;
    int slot_count;
    int held_max, ending_max;
    bool stopping; /* no more claims */
    bool drained;  /* every slot has ended: the storer ends when nothing is left */
    bool finished; /* and so does the keeper */
    double deadline;
    bool paused; /* the whole queue */
    bool feed_now, beat_now, resumed;
    int taken; /* tickets since the queue was fed */
    struct held *held;
    int ready, drawing, ending;
    struct held *ending_first, *ending_last;
    int64_t done, failed, retried, lost;
    int64_t steps[RATE_SECONDS]; /* per second of the clock */
    int64_t step_second;
};

static inline struct lease held_lease(const struct worker *w, const struct held *h)
{
    return (struct lease){.id = h->row.id, .worker = w->name, .attempt = h->row.attempts};
}
static inline struct log_context held_context(const struct held *h)
{
    return (struct log_context){
        .request_id = h->row.request_id, .trace_id = h->row.trace_id, .job = h->row.id};
}

/* Wait for `changed`, at most `seconds`; the lock is held. */
void worker_wait(struct worker *w, double seconds);
/* Sleep, but return at once when the worker is to end by then; false when it is. */
bool worker_sleep(struct worker *w, double seconds);
/* Hand a job to the storer; the lock is held. */
void worker_end(struct worker *w, struct held *h, enum held_end end);

void *taker_run(void *worker);
void *slot_run(void *slot);
void *storer_run(void *worker);
void *keeper_run(void *worker);
/* On the bus's thread. */
void keeper_hear(void *worker, const char *topic, const char *text);
/* The generations that wait for a key: how many, and their identifiers. */
size_t find_watchers(struct tx *tx, const char *key, char out[WATCHERS][UUID_TEXT]);
void held_free(struct held *h);

#endif
