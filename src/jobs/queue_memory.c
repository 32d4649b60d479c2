/*
 * queue_memory.c: a queue of one process: a binary heap by priority and arrival. A job that waits
 * in it already is not added again, only moved forward. The feeder fills it from the database, so
 * it is empty at every start and nothing is lost by that.
 */
#include "jobs/queue_inside.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct waiting {
    char job[UUID_TEXT];
    int priority;
    uint64_t arrival;
    size_t place; /* in the heap */
};

struct memory {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct waiting **heap;
    size_t count, room;
    void *jobs; /* tree of the same entries, by job */
    uint64_t arrivals;
    unsigned wakes;
};

static int job_order(const void *a, const void *b)
{
    return strcmp(((const struct waiting *)a)->job, ((const struct waiting *)b)->job);
}

static bool before(const struct waiting *a, const struct waiting *b)
{
    return a->priority != b->priority ? a->priority < b->priority : a->arrival < b->arrival;
}

static void put(struct memory *m, size_t place, struct waiting *x)
{
    m->heap[place] = x;
    x->place = place;
}

static void rise(struct memory *m, struct waiting *x)
{
    size_t i = x->place;

    for (; i && before(x, m->heap[(i - 1) / 2]); i = (i - 1) / 2)
        put(m, i, m->heap[(i - 1) / 2]);
    put(m, i, x);
}

static void sink(struct memory *m, struct waiting *x)
{
    size_t i = x->place;

    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < m->count && before(m->heap[child + 1], m->heap[child]))
            child++;
        if (child >= m->count || !before(m->heap[child], x))
            break;
        put(m, i, m->heap[child]);
        i = child;
    }
    put(m, i, x);
}

static int memory_open(struct queue *q, const char *url, struct err *e)
{
    struct memory *m = calloc(1, sizeof *m);
    pthread_condattr_t monotonic;

    (void)url;
    if (!m)
        return ERR(e, ERR_NOMEM, "no memory for the queue");
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&m->arrived, &monotonic);
    pthread_condattr_destroy(&monotonic);
    q->state = m;
    return 0;
}

static void memory_close(struct queue *q)
{
    struct memory *m = q->state;

    tdestroy(m->jobs, free);
    free(m->heap);
    pthread_cond_destroy(&m->arrived);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* Under the lock; the entry is in the tree. */
static int add(struct memory *m, struct waiting *x, struct err *e)
{
    if (m->count == m->room) {
        size_t room = m->room ? m->room * 2 : 64;
        struct waiting **heap = realloc(m->heap, room * sizeof(struct waiting *));
        if (!heap)
            return ERR(e, ERR_NOMEM, "no memory for %zu waiting jobs", room);
        m->heap = heap;
        m->room = room;
    }
    x->arrival = m->arrivals++;
    x->place = m->count++;
    rise(m, x);
    pthread_cond_signal(&m->arrived);
    return 0;
}

static int memory_push(struct queue *q, const char *job, int priority, struct err *e)
{
    struct memory *m = q->state;
    struct waiting *x = calloc(1, sizeof *x);
    int rc = 0;

    if (!x)
        return ERR(e, ERR_NOMEM, "no memory for a waiting job");
    memcpy(x->job, job, UUID_TEXT);
    x->priority = priority;
    pthread_mutex_lock(&m->lock);
    struct waiting **found = tsearch(x, &m->jobs, job_order);
    if (!found) {
        rc = ERR(e, ERR_NOMEM, "no memory for a waiting job");
    } else if (*found == x) {
        rc = add(m, x, e);
        if (rc)
            tdelete(x, &m->jobs, job_order);
        else
            x = NULL;
    } else if (priority < (*found)->priority) {
        (*found)->priority = priority;
        rise(m, *found);
    }
    pthread_mutex_unlock(&m->lock);
    free(x);
    return rc;
}

static struct timespec later(double seconds)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + (int64_t)(seconds * 1e9);
    t.tv_sec += ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    return t;
}

static int memory_take(struct queue *q, const char *worker, double seconds, struct ticket *out,
                       struct err *e)
{
    struct memory *m = q->state;
    struct timespec deadline = later(seconds);
    struct waiting *x = NULL;

    (void)worker;
    (void)e;
    pthread_mutex_lock(&m->lock);
    unsigned wakes = m->wakes;
    while (!m->count && m->wakes == wakes)
        if (pthread_cond_timedwait(&m->arrived, &m->lock, &deadline) == ETIMEDOUT)
            break;
    if (m->count) {
        x = m->heap[0];
        struct waiting *last = m->heap[--m->count];
        if (last != x) {
            last->place = 0;
            sink(m, last);
        }
        tdelete(x, &m->jobs, job_order);
    }
    pthread_mutex_unlock(&m->lock);
    if (!x)
        return 0;
    *out = (struct ticket){0};
    memcpy(out->job, x->job, UUID_TEXT);
    free(x);
    return 1;
}

static int memory_done(struct queue *q, const struct ticket *t, struct err *e)
{
    (void)q;
    (void)t;
    (void)e;
    return 0;
}

static int memory_reclaim(struct queue *q, const char *worker, double idle_seconds,
                          struct ticket *out, struct err *e)
{
    (void)q;
    (void)worker;
    (void)idle_seconds;
    (void)out;
    (void)e;
    return 0; /* who took it is this process; when it dies, so does the queue */
}

static int memory_length(struct queue *q, int64_t *out, struct err *e)
{
    struct memory *m = q->state;

    (void)e;
    pthread_mutex_lock(&m->lock);
    *out = (int64_t)m->count;
    pthread_mutex_unlock(&m->lock);
    return 0;
}

static void memory_wake(struct queue *q)
{
    struct memory *m = q->state;

    pthread_mutex_lock(&m->lock);
    m->wakes++;
    pthread_cond_broadcast(&m->arrived);
    pthread_mutex_unlock(&m->lock);
}

const struct queue_backend queue_memory = {
    .shared = false,
    .open = memory_open,
    .close = memory_close,
    .push = memory_push,
    .take = memory_take,
    .done = memory_done,
    .reclaim = memory_reclaim,
    .length = memory_length,
    .wake = memory_wake,
};
