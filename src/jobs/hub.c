/* hub.c: the thread that brings news from the database to the bus. */
#include "jobs/hub.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/worker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double QUEUE_PERIOD = 1.0, RETRY_PERIOD = 1.0;

void user_room(const char *user_id, char out[USER_ROOM])
{
    snprintf(out, USER_ROOM, "user:%s", user_id && user_id[0] ? user_id : "nobody");
}

/* ==== what others bring ==== */

static void add_ended(struct hub *h, const char *id)
{
    struct ended *x = h->ended_count < ENDED_MAX ? calloc(1, sizeof *x) : NULL;

    if (!x)
        return; /* events are hints: who looks into the database sees it all */
    snprintf(x->id, sizeof x->id, "%s", id);
    *h->ended_last = x;
    h->ended_last = &x->next;
    h->ended_count++;
}

void publish_outcome(struct submitter *s, const struct job_outcome *o)
{
    struct hub *h = s->hub;

    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < o->run_count; i++)
        progress_mark(h, o->runs[i].run_id, o->runs[i].last_generation);
    for (size_t i = 0; o->generations && o->generations[i] && i < ENDED_OF_ONE; i++)
        add_ended(h, o->generations[i]);
    h->queue_changed = true;
    pthread_cond_signal(&h->woken);
    pthread_mutex_unlock(&h->lock);
}

void publish_run(struct submitter *s, const char *run_id)
{
    struct hub *h = s->hub;

    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    progress_mark(h, run_id, NULL);
    h->queue_changed = true;
    pthread_cond_signal(&h->woken);
    pthread_mutex_unlock(&h->lock);
    bus_tell(s->bus, "wake", run_id);
}

/* On the bus's thread. */
static void listen(void *user, const struct bus_event *event)
{
    wait_heard(user, event->name);
}

static void hear(void *user, const char *topic, const char *text)
{
    if (strcmp(topic, "worker") == 0)
        roster_hear(user, text);
}

/* ==== the thread ==== */

static const char *describe_queue(struct hub *h, const struct queue_depth *d, bool paused,
                                  struct arena *a)
{
    json_t *workers = workers_seen(h->s);
    double age = (double)(clock_unix_ms() - d->oldest_ms) / 1000;
    json_t *x = json_pack("{s:I, s:I, s:I, s:I, s:b, s:{s:I, s:I}, s:o, s:i}", "queued",
                          (json_int_t)d->queued, "running", (json_int_t)d->running, "delayed",
                          (json_int_t)d->delayed, "dead", (json_int_t)d->dead, "paused", paused,
                          "by_priority", "interactive", (json_int_t)d->interactive, "batch",
                          (json_int_t)(d->queued - d->interactive), "oldest_seconds",
                          d->oldest_ms ? json_real(age) : json_null(), "workers",
                          (int)json_array_size(workers));
    const char *text = x ? json_compact(x, a) : "{}";

    json_decref(x);
    json_decref(workers);
    return text;
}

static int tell_queue(struct hub *h, struct tx *tx, struct arena *a, struct err *e)
{
    struct queue_depth depth;
    bool paused;
    int rc = jobs_depth(tx, &depth, e);

    if (!rc)
        rc = jobs_paused(tx, &paused, e);
    if (rc)
        return rc;
    bus_publish(h->s->bus, &(struct bus_event){.room = "queue",
                                               .name = "queue:changed",
                                               .data = describe_queue(h, &depth, paused, a),
                                               .may_drop = true});
    return 0;
}

static int tell_all(struct hub *h, bool queue, double now, struct err *e)
{
    struct arena a = {0};
    struct tx *tx = NULL;
    int rc = tx_begin(h->s->db, TX_READ, &tx, e);

    if (!rc)
        rc = ended_tell(h, tx, &a, e);
    if (!rc)
        rc = progress_tell(h, tx, now, &a, e);
    if (!rc)
        rc = wait_check(h, tx, now, &a, e);
    if (!rc && queue)
        rc = tell_queue(h, tx, &a, e);
    tx_rollback(tx); /* nothing was written */
    arena_release(&a);
    return rc;
}

/* Under the lock: when there is something to do next. */
static double due(const struct hub *h)
{
    double when = fmin(progress_due(h), wait_due(h));

    if (h->ended)
        when = 0;
    if (h->queue_changed)
        when = fmin(when, h->queue_not_before);
    return fmax(when, h->retry);
}

static void sleep_until(struct hub *h, double when, double now)
{
    struct timespec t;
    double wait = fmin(when - now, 60);

    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + (int64_t)(wait * 1e9);
    t.tv_sec += ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(&h->woken, &h->lock, &t);
}

/* Without the lock; a failure is told once, then tried again each second. */
static void work(struct hub *h, double now)
{
    struct err e;

    pthread_mutex_lock(&h->lock);
    bool queue = h->queue_changed && h->queue_not_before <= now;
    if (queue) {
        h->queue_changed = false;
        h->queue_not_before = now + QUEUE_PERIOD;
    }
    pthread_mutex_unlock(&h->lock);

    bool failed = tell_all(h, queue, now, &e) != 0;

    pthread_mutex_lock(&h->lock);
    if (failed && h->retry == 0)
        LOG(LOG_WARNING, "progress cannot be told", LOG_ERR(&e));
    h->retry = failed ? clock_seconds() + RETRY_PERIOD : 0;
    h->queue_changed |= failed && queue;
    pthread_mutex_unlock(&h->lock);
}

static void *run(void *argument)
{
    struct hub *h = argument;

    pthread_mutex_lock(&h->lock);
    while (!h->stopping) {
        double now = clock_seconds(), when = due(h);
        if (when > now) {
            sleep_until(h, when, now);
            continue;
        }
        pthread_mutex_unlock(&h->lock);
        work(h, now);
        pthread_mutex_lock(&h->lock);
    }
    pthread_mutex_unlock(&h->lock);
    /* The last event of everything, whatever its rate: once, the database may be away. */
    work(h, INFINITY);
    return NULL;
}

/* ==== open and close ==== */

int submitter_open(struct submitter *s, struct err *e)
{
    struct hub *h = calloc(1, sizeof *h);
    pthread_condattr_t monotonic;

    if (!h)
        return ERR(e, ERR_NOMEM, "no memory for a submitter");
    h->s = s;
    h->ended_last = &h->ended;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&h->woken, &monotonic);
    pthread_cond_init(&h->idle, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&h->thread, NULL, run, h)) {
        pthread_cond_destroy(&h->idle);
        pthread_cond_destroy(&h->woken);
        pthread_mutex_destroy(&h->lock);
        free(h);
        return ERR(e, ERR_IO, "cannot start a thread");
    }
    s->hub = h;
    bus_listen(s->bus, listen, h);
    bus_hear(s->bus, hear, h);
    return 0;
}

void submitter_close(struct submitter *s)
{
    struct hub *h = s->hub;

    if (!h)
        return;
    bus_forget(s->bus, h);
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_signal(&h->woken);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    progress_forget(h);
    ended_forget(h);
    roster_forget(h);
    while (h->waits) {
        struct wait *w = h->waits;
        h->waits = w->next;
        free(w);
    }
    pthread_cond_destroy(&h->idle);
    pthread_cond_destroy(&h->woken);
    pthread_mutex_destroy(&h->lock);
    free(h);
    s->hub = NULL;
}
