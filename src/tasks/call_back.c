/*
 * call_back.c: the threads that send. One looks for events that are due and hands them to the
 * senders, no more than are free; a sender says what became of a try, in one transaction that names
 * the attempt. Events of one task use a quarter of the senders at most, counted in the database, so
 * over all processes.
 */
#include "tasks/call_back_inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "jobs/transact.h"
#include "tasks/opened.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AT_ONCE = 8, AT_ONCE_MOST = 256 };
static const double COUNT_PERIOD = 30;

/* An event on its way to a sender; it owns its texts. */
struct errand {
    struct errand *next;
    struct callback event;
    struct arena arena;
};

struct sender {
    struct call_back *c;
    pthread_t thread;
    bool started;
    struct opened_cache cache; /* of its own */
};

struct call_back {
    const struct tasks *tasks;
    struct db *db;
    struct pace pace;
    double lease, period;
    int at_once, of_one;
    struct sender *senders;
    pthread_t looker;
    bool looks;           /* the thread was started */
    atomic_bool stopping; /* calls break off */
    double counted;       /* by the looker: when the dead were last counted */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* for the senders: errands; for the looker: woken, a free sender */
    bool stop, woken;
    int free;               /* senders without an errand */
    struct errand *errands; /* at most as many as senders are free */
};

static const char *const outcomes[] = {
    [CALL_TAKEN] = "delivered", [CALL_LATER] = "retried", [CALL_DEAD] = "dead"};

static void count(const struct call_back *c, enum call_back_fate fate)
{
    char labels[METRIC_LABELS];

    if (!c->tasks->metrics)
        return;
    metrics_labels(labels, "outcome", outcomes[fate], NULL);
    metrics_add(c->tasks->metrics, METRIC_CALLBACKS, labels, 1);
}

/* ============================== Sending ============================== */

struct reporting {
    const struct callback *event;
    const struct verdict *verdict;
};

static int report_step(struct tx *tx, void *user, struct err *e)
{
    const struct reporting *r = user;
    const struct callback *event = r->event;
    const struct verdict *v = r->verdict;

    if (v->fate == CALL_TAKEN)
        return callbacks_delivered(tx, event->id, event->attempts, v->status, clock_unix_ms(), e);
    return callbacks_failed(tx, event->id, event->attempts, v->status, v->error,
                            v->fate == CALL_DEAD, v->due_at, e);
}

static void report(struct call_back *c, const struct callback *event, const struct verdict *v)
{
    struct reporting r = {event, v};
    struct err e;
    int rc = transact(c->db, report_step, &r, &e);

    if (rc == 0)
        count(c, v->fate);
    if (rc == 0 && v->fate == CALL_DEAD)
        LOG(LOG_WARNING, "a callback is given up", LOG_TEXT("task", event->task_id),
            LOG_TEXT("event", event->id), LOG_TEXT("error", v->error));
    else if (rc && rc != ERR_CONFLICT) /* it is sent again when its lease ends */
        LOG(LOG_WARNING, "what became of a callback is not kept", LOG_TEXT("event", event->id),
            LOG_ERR(&e));
}

static int find_task(struct call_back *c, const char *id, struct arena *a, struct task *out,
                     struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(c->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = tasks_get(tx, id, a, out, e);
    tx_rollback(tx);
    return rc;
}

static void send_one(struct sender *s, struct errand *errand)
{
    struct call_back *c = s->c;
    const struct callback *event = &errand->event;
    struct opened *opened;
    struct verdict v;
    struct task task;
    struct err e;

    if (find_task(c, event->task_id, &errand->arena, &task, &e)) {
        if (e.code != ERR_NOT_FOUND) /* deleted: its events went with it */
            LOG(LOG_WARNING, "a callback cannot be sent", LOG_TEXT("event", event->id),
                LOG_ERR(&e));
        return;
    }
    if (opened_get(&s->cache, c->tasks, &task, &opened, &e)) {
        static const struct task_document unread = {.callbacks = {.give_up = 24 * 3600}};
        v = call_back_not_tried(&unread, event, &c->pace, e.message);
    } else {
        v = call_back_try(c->tasks, opened->document, event, &c->pace, &c->stopping,
                          &errand->arena);
    }
    report(c, event, &v);
}

static void errand_free(struct errand *x)
{
    arena_release(&x->arena);
    free(x);
}

static void *sender_run(void *user)
{
    struct sender *s = user;
    struct call_back *c = s->c;

    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        struct errand *errand = c->errands;
        if (!errand) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        c->errands = errand->next;
        pthread_mutex_unlock(&c->lock);
        send_one(s, errand);
        errand_free(errand);
        pthread_mutex_lock(&c->lock);
        c->free++;
        c->woken = true; /* its task may have more */
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    opened_release(&s->cache);
    return NULL;
}

/* ============================== Looking ============================== */

struct taking {
    struct call_back *c;
    int limit;
    struct arena a;
    struct callback *events;
    size_t count;
};

static int take_step(struct tx *tx, void *user, struct err *e)
{
    struct taking *t = user;
    int64_t now = clock_unix_ms();

    return callbacks_take(tx, t->limit, t->c->of_one, now, now + (int64_t)(t->c->lease * 1000),
                          &t->a, &t->events, &t->count, e);
}

static struct errand *errand_of(const struct callback *event)
{
    struct errand *x = calloc(1, sizeof *x);

    if (!x)
        return NULL; /* its lease ends by itself */
    x->event = *event;
    x->event.id = arena_strdup(&x->arena, event->id);
    x->event.task_id = arena_strdup(&x->arena, event->task_id);
    x->event.kind = arena_strdup(&x->arena, event->kind);
    x->event.subject = arena_strdup(&x->arena, event->subject);
    x->event.body = arena_strdup(&x->arena, event->body);
    x->event.error = NULL;
    return x;
}

/* Under the lock. */
static void hand_out(struct call_back *c, const struct taking *t)
{
    struct errand **at = &c->errands;

    while (*at)
        at = &(*at)->next;
    for (size_t i = 0; i < t->count; i++) {
        struct errand *x = errand_of(&t->events[i]);
        if (!x)
            continue;
        *at = x;
        at = &x->next;
        c->free--;
    }
    pthread_cond_broadcast(&c->changed);
}

static void count_dead(struct call_back *c)
{
    struct callback_totals totals;
    double now = clock_seconds();
    struct tx *tx;
    struct err e;

    if (!c->tasks->metrics || now < c->counted + COUNT_PERIOD || tx_begin(c->db, TX_READ, &tx, &e))
        return;
    if (callbacks_totals(tx, NULL, &totals, &e) == 0) {
        metrics_set(c->tasks->metrics, METRIC_CALLBACKS_DEAD, "", (double)totals.dead);
        c->counted = now;
    }
    tx_rollback(tx);
}

/* Under the lock, which is given up meanwhile. */
static void look(struct call_back *c, bool *complained)
{
    struct taking t = {.c = c, .limit = c->free};
    struct err e;

    c->woken = false;
    pthread_mutex_unlock(&c->lock);
    int rc = transact(c->db, take_step, &t, &e);
    if (rc && !*complained)
        LOG(LOG_WARNING, "callbacks are not sent", LOG_ERR(&e));
    *complained = rc != 0;
    count_dead(c);
    pthread_mutex_lock(&c->lock);
    if (rc == 0)
        hand_out(c, &t);
    arena_release(&t.a);
}

/* Under the lock: until somebody wakes us and a sender is free, or it is time to look. */
static void rest(struct call_back *c)
{
    struct timespec until;
    int timed_out = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (int64_t)(c->period * 1e9);
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    while (!c->stop && !timed_out && !(c->woken && c->free))
        timed_out = pthread_cond_timedwait(&c->changed, &c->lock, &until);
}

static void *looker_run(void *user)
{
    struct call_back *c = user;
    bool complained = false;

    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        if (c->free)
            look(c, &complained);
        rest(c);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ============================== Start and stop ============================== */

static void init(struct call_back *c, const struct call_back_options *o)
{
    pthread_condattr_t monotonic;
    int at_once = o->at_once > 0 ? o->at_once : AT_ONCE;

    c->tasks = o->tasks;
    c->db = o->tasks->submitter->db;
    c->pace.first = o->first_retry > 0 ? o->first_retry : 5;
    c->pace.last = o->last_retry > 0 ? o->last_retry : 3600;
    c->lease = o->lease > 0 ? o->lease : 120;
    c->period = o->period > 0 ? o->period : 1;
    c->at_once = at_once < AT_ONCE_MOST ? at_once : AT_ONCE_MOST;
    c->of_one = c->at_once >= 4 ? c->at_once / 4 : 1;
    c->free = c->at_once;
    c->counted = -COUNT_PERIOD;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static int start_threads(struct call_back *c, struct err *e)
{
    for (int i = 0; i < c->at_once; i++) {
        struct sender *s = &c->senders[i];
        s->c = c;
        if (pthread_create(&s->thread, NULL, sender_run, s))
            return ERR(e, ERR_IO, "no thread to send callbacks");
        s->started = true;
    }
    if (pthread_create(&c->looker, NULL, looker_run, c))
        return ERR(e, ERR_IO, "no thread to look for callbacks");
    c->looks = true;
    return 0;
}

int call_back_start(const struct call_back_options *o, struct call_back **out, struct err *e)
{
    struct call_back *c = calloc(1, sizeof *c);

    if (!c)
        return ERR(e, ERR_NOMEM, "no memory to send callbacks");
    init(c, o);
    c->senders = calloc((size_t)c->at_once, sizeof *c->senders);
    int rc = c->senders ? start_threads(c, e) : ERR(e, ERR_NOMEM, "no memory to send callbacks");
    if (rc) {
        call_back_stop(c);
        return rc;
    }
    *out = c;
    return 0;
}

void call_back_stop(struct call_back *c)
{
    if (!c)
        return;
    atomic_store(&c->stopping, true);
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    if (c->looks)
        pthread_join(c->looker, NULL);
    for (int i = 0; c->senders && i < c->at_once; i++)
        if (c->senders[i].started)
            pthread_join(c->senders[i].thread, NULL);
    while (c->errands) { /* nobody began with these: others may at once */
        struct errand *x = c->errands;
        struct verdict v = {.fate = CALL_LATER, .due_at = clock_unix_ms()};
        c->errands = x->next;
        report(c, &x->event, &v);
        errand_free(x);
    }
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c->senders);
    free(c);
}

void call_back_wake(struct call_back *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->woken = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}
