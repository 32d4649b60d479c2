/*
 * queue_redis.c: Redis Streams: one stream per class of priority, one consumer group for all
 * workers (https://redis.io/docs/latest/develop/data-types/streams/).
 *
 *   cauldron:{prefix}:jobs:interactive    {job: id}
 *   cauldron:{prefix}:jobs:batch
 *
 * An entry is in the group's pending list from XREADGROUP until XACK; what a dead worker leaves
 * there, XAUTOCLAIM gives to another one. Streams and group are made when they are missing, also
 * after FLUSHALL; what was lost comes again from the feeder.
 */
#include "base/clock.h"
#include "base/log.h"
#include "jobs/queue_inside.h"
#include "jobs/redis.h"
#include "storage/jobs.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 2, INTERACTIVE = 0, BATCH = 1 };
#define GROUP "workers"
/* A blocked read notices queue_wake only when it returns. */
static const double SLICE = 0.5;

/* When both streams get an entry at once, a read of both gives two: the second waits here. */
struct spare {
    struct spare *next;
    struct ticket ticket;
};

struct streams {
    struct redis_pool pool;
    char names[STREAMS][REDIS_NAME];
    atomic_uint wakes;
    pthread_mutex_t lock;
    struct spare *spares;
};

/* ==== helps ==== */

static bool no_group(const struct err *e)
{
    return strstr(e->message, "NOGROUP") != NULL;
}

/* From the first entry on, so that what was pushed before is delivered, too. */
static int make_group(struct streams *s, redisContext *c, struct err *e)
{
    for (int i = 0; i < STREAMS; i++) {
        redisReply *r = NULL;
        int rc = redis_ask(c, &r, e, "XGROUP CREATE %s " GROUP " 0 MKSTREAM", s->names[i]);
        freeReplyObject(r);
        if (rc && !strstr(e->message, "BUSYGROUP"))
            return rc;
    }
    return 0;
}

static bool is_array(const redisReply *r, size_t least)
{
    return r && r->type == REDIS_REPLY_ARRAY && r->elements >= least;
}

static bool is_text(const redisReply *r)
{
    return r && r->type == REDIS_REPLY_STRING;
}

/* [id, [field, value, ...]]; false for what is none of ours, or was deleted (nil). */
static bool read_entry(const redisReply *r, int stream, struct ticket *out)
{
    struct ticket t = {.stream = stream};

    if (!is_array(r, 2) || !is_text(r->element[0]) || r->element[0]->len >= sizeof t.entry)
        return false;
    memcpy(t.entry, r->element[0]->str, r->element[0]->len);
    const redisReply *fields = r->element[1];
    if (is_array(fields, 2) && is_text(fields->element[1])) {
        struct str job = {fields->element[1]->str, fields->element[1]->len};
        if (uuid_valid(job))
            memcpy(t.job, job.p, job.n);
    }
    *out = t;
    return true;
}

static int discard(struct streams *s, redisContext *c, const struct ticket *t, struct err *e)
{
    const char *name = s->names[t->stream];
    redisReply *r = NULL;
    int rc = redis_ask(c, &r, e, "XACK %s " GROUP " %s", name, t->entry);

    freeReplyObject(r);
    r = NULL;
    if (rc && !no_group(e))
        return rc;
    rc = redis_ask(c, &r, e, "XDEL %s %s", name, t->entry);
    freeReplyObject(r);
    return rc;
}

/* ==== open, close, push ==== */

static int redis_open(struct queue *q, const char *url, struct err *e)
{
    struct redis_address to;
    redisContext *c;
    int rc = redis_parse(url, &to, e);

    if (rc)
        return rc;
    struct streams *s = calloc(1, sizeof *s);
    if (!s)
        return ERR(e, ERR_NOMEM, "no memory for the queue");
    redis_pool_init(&s->pool, &to);
    pthread_mutex_init(&s->lock, NULL);
    redis_name(&to, "jobs:interactive", s->names[INTERACTIVE]);
    redis_name(&to, "jobs:batch", s->names[BATCH]);
    q->state = s;
    rc = redis_borrow(&s->pool, &c, e);
    if (!rc) {
        rc = make_group(s, c, e);
        redis_return(&s->pool, c);
    }
    if (rc == ERR_NETWORK) { /* streams and group are made when it comes */
        LOG(LOG_WARNING, "Redis is away; the queue goes on trying", LOG_ERR(e));
        rc = 0;
    }
    if (rc) { /* it is there and refuses: a mistake in the settings */
        q->backend->close(q);
        return rc;
    }
    return 0;
}

static void redis_close(struct queue *q)
{
    struct streams *s = q->state;

    while (s->spares) {
        struct spare *x = s->spares;
        s->spares = x->next;
        free(x);
    }
    redis_pool_release(&s->pool);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static int redis_push(struct queue *q, const char *job, int priority, struct err *e)
{
    struct streams *s = q->state;
    redisContext *c;
    redisReply *r = NULL;
    int rc = redis_borrow(&s->pool, &c, e);

    if (rc)
        return rc;
    rc = redis_ask(c, &r, e, "XADD %s * job %s",
                   s->names[priority < PRIORITY_BATCH ? INTERACTIVE : BATCH], job);
    freeReplyObject(r);
    redis_return(&s->pool, c);
    return rc;
}

/* ==== take ==== */

/* Of several, the first is taken; the others wait for the next call of this process. */
static int keep_spare(struct streams *s, const struct ticket *t, struct err *e)
{
    struct spare *x = calloc(1, sizeof *x);

    if (!x)
        return ERR(e, ERR_NOMEM, "no memory for an entry of the queue");
    x->ticket = *t;
    pthread_mutex_lock(&s->lock);
    x->next = s->spares;
    s->spares = x;
    pthread_mutex_unlock(&s->lock);
    return 0;
}

static bool take_spare(struct streams *s, struct ticket *out)
{
    pthread_mutex_lock(&s->lock);
    struct spare *x = s->spares;
    if (x)
        s->spares = x->next;
    pthread_mutex_unlock(&s->lock);
    if (x)
        *out = x->ticket;
    free(x);
    return x != NULL;
}

static int stream_of(const struct streams *s, const redisReply *name)
{
    for (int i = 0; i < STREAMS; i++)
        if (is_text(name) && strcmp(name->str, s->names[i]) == 0)
            return i;
    return -1;
}

/* [[stream, [entry, ...]], ...]: 1 with a ticket, 0 without. */
static int read_entries(struct streams *s, redisContext *c, const redisReply *r, struct ticket *out,
                        struct err *e)
{
    int found = 0, rc = 0;
    struct ticket t;

    for (size_t i = 0; is_array(r, 1) && i < r->elements; i++) {
        const redisReply *one = r->element[i];
        int stream = is_array(one, 2) ? stream_of(s, one->element[0]) : -1;
        for (size_t k = 0;
             stream >= 0 && is_array(one->element[1], 1) && !rc && k < one->element[1]->elements;
             k++) {
            if (!read_entry(one->element[1]->element[k], stream, &t))
                continue;
            if (!t.job[0])
                rc = discard(s, c, &t, e); /* nobody's entry */
            else if (found)
                rc = keep_spare(s, &t, e);
            else
                *out = t, found = 1;
        }
    }
    return found ? 1 : rc;
}

static int read_one(struct streams *s, redisContext *c, const char *worker, int stream,
                    struct ticket *out, struct err *e)
{
    redisReply *r = NULL;
    int rc = redis_ask(c, &r, e, "XREADGROUP GROUP " GROUP " %s COUNT 1 STREAMS %s >", worker,
                       s->names[stream]);

    if (!rc)
        rc = read_entries(s, c, r, out, e);
    freeReplyObject(r);
    return rc;
}

static int wait_for_both(struct streams *s, redisContext *c, const char *worker, double seconds,
                         struct ticket *out, struct err *e)
{
    redisReply *r = NULL;
    int rc = redis_ask(c, &r, e, "XREADGROUP GROUP " GROUP " %s COUNT 1 BLOCK %d STREAMS %s %s > >",
                       worker, (int)ceil(seconds * 1000), s->names[INTERACTIVE], s->names[BATCH]);

    if (!rc)
        rc = read_entries(s, c, r, out, e);
    freeReplyObject(r);
    return rc;
}

static int take_once(struct streams *s, redisContext *c, const char *worker, double wait,
                     struct ticket *out, struct err *e)
{
    int rc = read_one(s, c, worker, INTERACTIVE, out, e);

    if (rc == 0)
        rc = read_one(s, c, worker, BATCH, out, e);
    if (rc == 0 && wait > 0)
        rc = wait_for_both(s, c, worker, wait, out, e);
    if (rc < 0 && no_group(e)) {
        rc = make_group(s, c, e);
        /* What stands in the streams is read by the next call. */
    }
    return rc;
}

static int redis_take(struct queue *q, const char *worker, double seconds, struct ticket *out,
                      struct err *e)
{
    struct streams *s = q->state;
    unsigned wakes = atomic_load(&s->wakes);
    double until = clock_seconds() + seconds, left = seconds;
    redisContext *c;

    if (take_spare(s, out))
        return 1;
    int rc = redis_borrow(&s->pool, &c, e);
    if (rc)
        return rc;
    do {
        rc = take_once(s, c, worker, fmin(left, SLICE), out, e);
        left = until - clock_seconds();
    } while (rc == 0 && left > 0 && atomic_load(&s->wakes) == wakes);
    redis_return(&s->pool, c);
    return rc;
}

/* ==== done, reclaim, length, wake ==== */

static int redis_done(struct queue *q, const struct ticket *t, struct err *e)
{
    struct streams *s = q->state;
    redisContext *c;
    int rc = redis_borrow(&s->pool, &c, e);

    if (rc)
        return rc;
    rc = discard(s, c, t, e);
    redis_return(&s->pool, c);
    return rc;
}

/* XAUTOCLAIM: [next, [entry, ...], [deleted, ...]]. */
static int reclaim_one(struct streams *s, redisContext *c, const char *worker, int stream,
                       double idle, struct ticket *out, struct err *e)
{
    redisReply *r = NULL;
    int rc = redis_ask(c, &r, e, "XAUTOCLAIM %s " GROUP " %s %lld 0 COUNT 1", s->names[stream],
                       worker, (long long)(idle * 1000));

    if (rc)
        return no_group(e) ? make_group(s, c, e) : rc;
    struct ticket t = {0};
    bool found = is_array(r, 2) && is_array(r->element[1], 1) &&
                 read_entry(r->element[1]->element[0], stream, &t);
    freeReplyObject(r);
    if (!found)
        return 0;
    if (!t.job[0])
        return discard(s, c, &t, e);
    *out = t;
    return 1;
}

static int redis_reclaim(struct queue *q, const char *worker, double idle_seconds,
                         struct ticket *out, struct err *e)
{
    struct streams *s = q->state;
    redisContext *c;
    int rc = redis_borrow(&s->pool, &c, e);

    if (rc)
        return rc;
    for (int i = 0; i < STREAMS && rc == 0; i++)
        rc = reclaim_one(s, c, worker, i, idle_seconds, out, e);
    redis_return(&s->pool, c);
    return rc;
}

/* What is in the stream and not in the group's pending list. */
static int length_of(struct streams *s, redisContext *c, int stream, int64_t *out, struct err *e)
{
    redisReply *all = NULL, *pending = NULL;
    int rc = redis_ask(c, &all, e, "XLEN %s", s->names[stream]);

    if (!rc)
        rc = redis_ask(c, &pending, e, "XPENDING %s " GROUP, s->names[stream]);
    if (rc && no_group(e)) /* nothing was taken */
        rc = 0;
    if (!rc) {
        int64_t taken = is_array(pending, 1) && pending->element[0]->type == REDIS_REPLY_INTEGER
                            ? pending->element[0]->integer
                            : 0;
        *out += all->integer > taken ? all->integer - taken : 0;
    }
    freeReplyObject(all);
    freeReplyObject(pending);
    return rc;
}

static int redis_length(struct queue *q, int64_t *out, struct err *e)
{
    struct streams *s = q->state;
    redisContext *c;
    int64_t n = 0;
    int rc = redis_borrow(&s->pool, &c, e);

    if (rc)
        return rc;
    for (int i = 0; i < STREAMS && !rc; i++)
        rc = length_of(s, c, i, &n, e);
    redis_return(&s->pool, c);
    if (!rc)
        *out = n;
    return rc;
}

static void redis_wake(struct queue *q)
{
    atomic_fetch_add(&((struct streams *)q->state)->wakes, 1);
}

const struct queue_backend queue_redis = {
    .shared = true,
    .open = redis_open,
    .close = redis_close,
    .push = redis_push,
    .take = redis_take,
    .done = redis_done,
    .reclaim = redis_reclaim,
    .length = redis_length,
    .wake = redis_wake,
};
