#include "base/clock.h"
#include "base/log.h"
#include "jobs/transact.h"
#include "tasks/runner_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DELIVERERS = 4, CALLS = 8, ATTEMPTS = 30, IDLE_DOUBLINGS = 2 };
static const double LEASE = 60, PERIOD = 0.5, BACKOFF = 2, BACKOFF_MOST = 600, REST = 2;
static const double CALL_LEASE = 15; /* the usual time-out of a call, and a little more */
static const char WAKE[] = "tasks";

/* ============================== Waiting ============================== */

/* The lock is held. */
static void wait_for_change(struct task_runner *r, double seconds)
{
    struct timespec until;
    double whole;
    double fraction = modf(fmax(seconds, 0), &whole);

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)whole;
    until.tv_nsec += (long)(fraction * 1e9);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&r->changed, &r->lock, &until);
}

bool hand_sleep(struct hand *h, double seconds)
{
    struct task_runner *r = h->r;
    double end = clock_seconds() + seconds, left;

    pthread_mutex_lock(&r->lock);
    while (!r->stop && r->wakes == h->seen && (left = end - clock_seconds()) > 0)
        wait_for_change(r, left);
    if (r->wakes != h->seen)
        h->misses = 0;
    h->seen = r->wakes;
    bool go_on = !r->stop;
    pthread_mutex_unlock(&r->lock);
    return go_on;
}

bool hand_idle(struct hand *h)
{
    int doublings = h->misses < IDLE_DOUBLINGS ? h->misses : IDLE_DOUBLINGS;

    h->misses++;
    return hand_sleep(h, h->r->o.period_seconds * (1 << doublings));
}

bool hand_ready(struct hand *h)
{
    struct task_runner *r = h->r;

    pthread_mutex_lock(&r->lock);
    while (!r->stop && !r->active)
        wait_for_change(r, 60);
    bool go_on = !r->stop;
    pthread_mutex_unlock(&r->lock);
    return go_on;
}

double runner_backoff(const struct task_runner *r, int attempt)
{
    return backoff(attempt, r->o.backoff_seconds, r->o.backoff_max_seconds);
}

static void wake(struct task_runner *r)
{
    pthread_mutex_lock(&r->lock);
    r->wakes++;
    r->active = true; /* until the next look */
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void task_runner_wake(struct task_runner *r)
{
    wake(r);
    bus_tell(r->tasks->submitter->bus, WAKE, "");
}

/* On the bus's thread. */
static void hear(void *user, const char *topic, const char *text)
{
    (void)text;
    if (strcmp(topic, WAKE) == 0)
        wake(user);
}

/* ============================== Leases ============================== */

void hold_begin(struct task_runner *r, struct hold *h)
{
    h->since = clock_seconds();
    pthread_mutex_lock(&r->renewing);
    h->next = r->holds;
    r->holds = h;
    pthread_mutex_unlock(&r->renewing);
}

void hold_end(struct task_runner *r, struct hold *h)
{
    pthread_mutex_lock(&r->renewing);
    for (struct hold **at = &r->holds; *at; at = &(*at)->next)
        if (*at == h) {
            *at = h->next;
            break;
        }
    pthread_mutex_unlock(&r->renewing);
    free(h->session);
    h->session = NULL;
}

static int renew_step(struct tx *tx, void *user, struct err *e)
{
    const struct hold *h = ((void **)user)[0];
    const struct task_runner *r = ((void **)user)[1];
    int64_t until = clock_unix_ms() + r->lease_ms;

    if (h->reader)
        return tasks_keep(tx, h->id, h->reader, until, e);
    return task_records_upload(tx, (struct record_lease){h->id, h->lease}, h->session, until, e);
}

/* `renewing` is held: what is written is never older than what hold_session wrote. */
static int renew(struct task_runner *r, struct hold *h, struct err *e)
{
    void *both[] = {h, r};
    int rc = transact(r->db, renew_step, both, e);

    if (rc == 0)
        h->since = clock_seconds();
    return rc;
}

int hold_session(struct task_runner *r, struct hold *h, const char *session, struct err *e)
{
    char *copy = strdup(session);

    if (!copy)
        return ERR(e, ERR_NOMEM, "no memory for the session of an upload");
    pthread_mutex_lock(&r->renewing);
    free(h->session);
    h->session = copy;
    int rc = renew(r, h, e);
    pthread_mutex_unlock(&r->renewing);
    return rc;
}

/* Failing is no harm: who lost a lease finds out by its next step. */
void holds_renew(struct task_runner *r)
{
    double old = clock_seconds() - r->o.lease_seconds / 3;
    struct err e;

    pthread_mutex_lock(&r->renewing);
    for (struct hold *h = r->holds; h; h = h->next)
        if (h->since < old && renew(r, h, &e) && e.code != ERR_CONFLICT)
            LOG(LOG_WARNING, "a lease is not renewed", LOG_TEXT("id", h->id), LOG_ERR(&e));
    pthread_mutex_unlock(&r->renewing);
}

/* ============================== The watcher ============================== */

static int look(struct task_runner *r, struct tasks_totals *out, struct err *e)
{
    struct tx *tx;

    if (tx_begin(r->db, TX_READ, &tx, e))
        return e->code;
    int rc = tasks_totals(tx, out, e);
    tx_rollback(tx);
    return rc;
}

static bool any(const struct tasks_totals *t)
{
    return t->by_status[TASK_RUNNING] || t->records[RECORD_READY] || t->records[RECORD_STORED] ||
           t->records[RECORD_FAILING];
}

static void *watcher_run(void *hand)
{
    struct hand *h = hand;
    struct task_runner *r = h->r;
    bool complained = false, active = true;
    struct tasks_totals totals = {0};
    struct err e;

    do {
        int rc = look(r, &totals, &e);
        if (rc && !complained)
            LOG(LOG_WARNING, "tasks cannot be looked at", LOG_ERR(&e));
        complained = rc != 0;
        if (rc == 0) {
            active = any(&totals);
            pthread_mutex_lock(&r->lock);
            if (active && !r->active)
                pthread_cond_broadcast(&r->changed);
            r->active = active;
            pthread_mutex_unlock(&r->lock);
            runner_totals(r, &totals);
        }
        holds_renew(r);
        runner_tell(r);
    } while (hand_sleep(h, active ? r->o.period_seconds : REST));
    return NULL;
}

/* ============================== Start and stop ============================== */

static void defaults(struct task_runner *r)
{
    struct task_runner_options *o = &r->o;

    if (o->deliver <= 0)
        o->deliver = DELIVERERS;
    if (o->deliver > DELIVERERS_MOST)
        o->deliver = DELIVERERS_MOST;
    if (o->calls <= 0)
        o->calls = CALLS;
    if (o->attempts <= 0)
        o->attempts = ATTEMPTS;
    if (o->lease_seconds <= 0)
        o->lease_seconds = LEASE;
    if (o->period_seconds <= 0)
        o->period_seconds = PERIOD;
    if (o->backoff_seconds <= 0)
        o->backoff_seconds = BACKOFF;
    if (o->backoff_max_seconds <= 0)
        o->backoff_max_seconds = BACKOFF_MOST;
    r->lease_ms = (int64_t)(o->lease_seconds * 1e3);
    if (o->only)
        o->only = arena_strdup(&r->arena, o->only);
}

/* Unique for each process that ever lived: leases are fenced by it. */
static void name_it(struct task_runner *r)
{
    char random[17];

    random_hex(random, 8);
    if (r->o.name)
        snprintf(r->name, sizeof r->name, "%.100s:%s", r->o.name, random);
    else
        snprintf(r->name, sizeof r->name, "%.80s:%ld:%s", r->tasks->host ? r->tasks->host : "",
                 (long)getpid(), random);
}

static int begin(struct task_runner *r, struct hand *h, const char *what, int number,
                 void *(*run)(void *), struct err *e)
{
    h->r = r;
    snprintf(h->name, sizeof h->name, "%s/%s%d", r->name, what, number);
    if (pthread_create(&h->thread, NULL, run, h))
        return ERR(e, ERR_NOMEM, "cannot start the threads that run tasks");
    h->started = true;
    return 0;
}

static int begin_all(struct task_runner *r, struct err *e)
{
    int rc = begin(r, &r->watcher, "watch", 0, watcher_run, e);

    for (int i = 0; rc == 0 && i < READERS; i++)
        rc = begin(r, &r->readers[i], "read", i, reader_run, e);
    for (int i = 0; rc == 0 && i < r->o.deliver; i++)
        rc = begin(r, &r->deliverers[i], "deliver", i, deliverer_run, e);
    if (rc == 0)
        rc = begin(r, &r->feeder, "feed", 0, feeder_run, e);
    if (rc == 0)
        rc = begin(r, &r->writer, "write", 0, writer_run, e);
    return rc;
}

static void join(struct hand *h)
{
    if (h->started)
        pthread_join(h->thread, NULL);
    opened_release(&h->cache);
}

static void init(struct task_runner *r)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->renewing, NULL);
    pthread_cond_init(&r->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int task_runner_start(const struct task_runner_options *o, struct task_runner **out, struct err *e)
{
    struct task_runner *r = calloc(1, sizeof *r);

    if (!r)
        return ERR(e, ERR_NOMEM, "no memory to run tasks");
    r->o = *o;
    r->tasks = o->tasks;
    r->db = o->tasks->submitter->db;
    r->active = true;
    init(r);
    defaults(r);
    name_it(r);
    r->deliverers = calloc((size_t)r->o.deliver, sizeof *r->deliverers);
    int rc = r->deliverers ? 0 : ERR(e, ERR_NOMEM, "no memory to run tasks");
    if (rc == 0)
        rc = call_back_start(
            &(struct call_back_options){.tasks = o->tasks,
                                        .at_once = r->o.calls,
                                        .lease = fmax(2 * r->o.lease_seconds, CALL_LEASE)},
            &r->calls, e);
    if (rc == 0)
        rc = begin_all(r, e);
    if (rc) {
        task_runner_stop(r);
        return rc;
    }
    bus_hear(o->tasks->submitter->bus, hear, r);
    *out = r;
    return 0;
}

void task_runner_stop(struct task_runner *r)
{
    if (!r)
        return;
    bus_forget(r->tasks->submitter->bus, r);
    atomic_store(&r->stopping, true);
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    for (int i = 0; i < READERS; i++)
        join(&r->readers[i]);
    join(&r->feeder);
    for (int i = 0; r->deliverers && i < r->o.deliver; i++)
        join(&r->deliverers[i]);
    join(&r->writer);
    join(&r->watcher);
    call_back_stop(r->calls);
    runner_tell(r);
    free(r->moved);
    free(r->deliverers);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->renewing);
    pthread_mutex_destroy(&r->lock);
    arena_release(&r->arena);
    free(r);
}
