/*
 * bus_redis.c: the bus through Redis pub/sub: two channels, two threads.
 *
 *   cauldron:{prefix}:bus       what is told: wake, cancel, pause; everybody
 *   cauldron:{prefix}:events    what screens show; servers
 *
 * Redis hands a copy to each subscriber, so what a thousand workers say a thousand workers must not
 * hear. Order holds across channels: all of one process goes through one connection.
 *
 * The publisher takes frames from a bounded queue, so that nobody waits for the network: what
 * comes while it is full is dropped. The subscriber reads the channel, and asks PING when it is
 * quiet to notice a peer that is gone. Both connect again, first at once and then more slowly.
 */
#include "base/clock.h"
#include "base/log.h"
#include "jobs/bus_inside.h"
#include "jobs/redis.h"
#include "jobs/transact.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { OUTBOX_MAX = 16 << 20, PIPELINE = 64 };
static const double QUIET = 10, BACKOFF = 0.1, BACKOFF_MAX = 2;

/* A frame may be in the inbox of the bus, too, so the outbox has links of its own. */
struct letter {
    struct letter *next;
    struct bus_frame *frame;
};

struct channel {
    struct bus *b;
    struct redis_address to;
    char name[REDIS_NAME], events[REDIS_NAME];
    int wake; /* eventfd: the subscriber is to end */
    pthread_t publisher, subscriber;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping, subscribed, no_events;
    struct letter *first, *last;
    size_t bytes;
};

/* Wait, unless the bus is closed; false then. */
static bool pause_for(struct channel *ch, double seconds)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + (int64_t)(seconds * 1e9);
    t.tv_sec += ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&ch->lock);
    while (!ch->stopping && !pthread_cond_timedwait(&ch->changed, &ch->lock, &t))
        ;
    bool go_on = !ch->stopping;
    pthread_mutex_unlock(&ch->lock);
    return go_on;
}

static void set_subscribed(struct channel *ch, bool value)
{
    pthread_mutex_lock(&ch->lock);
    ch->subscribed = value;
    pthread_mutex_unlock(&ch->lock);
}

/* NULL when the bus is closed before Redis is there. */
static redisContext *reach(struct channel *ch, const char *what)
{
    redisContext *c;
    struct err e;

    for (int i = 1;; i++) {
        if (!redis_connect(&ch->to, &c, &e))
            return c;
        if (i == 1)
            LOG(LOG_WARNING, "the bus has lost Redis", LOG_TEXT("side", what), LOG_ERR(&e));
        if (!pause_for(ch, backoff(i, BACKOFF, BACKOFF_MAX)))
            return NULL;
    }
}

/* ==== publisher ==== */

static bool redis_send(struct bus *b, struct bus_frame *f)
{
    struct channel *ch = b->state;
    struct letter *l = malloc(sizeof *l);

    if (!l)
        return false;
    *l = (struct letter){NULL, f};
    pthread_mutex_lock(&ch->lock);
    /* What may be dropped leaves half of the room to the rest. */
    bool room = ch->bytes + f->n <= (bus_frame_may_drop(f) ? OUTBOX_MAX / 2 : OUTBOX_MAX);
    if (room) {
        bus_frame_keep(f);
        if (ch->last)
            ch->last->next = l;
        else
            ch->first = l;
        ch->last = l;
        ch->bytes += f->n;
        pthread_cond_broadcast(&ch->changed);
    }
    pthread_mutex_unlock(&ch->lock);
    if (!room)
        free(l);
    return room;
}

static void drop_letters(struct letter *l)
{
    while (l) {
        struct letter *next = l->next;
        bus_frame_drop(l->frame);
        free(l);
        l = next;
    }
}

/* Up to PIPELINE letters, or NULL when the bus is closed and all were taken. */
static struct letter *take_letters(struct channel *ch)
{
    pthread_mutex_lock(&ch->lock);
    while (!ch->first && !ch->stopping)
        pthread_cond_wait(&ch->changed, &ch->lock);
    struct letter *l = ch->first, *end = l;
    for (int i = 1; end; i++) {
        ch->bytes -= end->frame->n;
        if (i == PIPELINE || !end->next)
            break;
        end = end->next;
    }
    if (end) {
        ch->first = end->next;
        end->next = NULL;
        if (!ch->first)
            ch->last = NULL;
    }
    pthread_mutex_unlock(&ch->lock);
    return l;
}

static bool post(struct channel *ch, redisContext *c, const struct letter *letters)
{
    struct err e;
    int n = 0;
    bool ok = true;

    for (const struct letter *l = letters; l; l = l->next, n++)
        if (redisAppendCommand(c, "PUBLISH %s %b",
                               bus_frame_for_screens(l->frame) ? ch->events : ch->name,
                               l->frame->bytes, l->frame->n) != REDIS_OK)
            return false;
    for (; n && ok; n--) {
        redisReply *r = NULL;
        ok = redisGetReply(c, (void **)&r) == REDIS_OK && !redis_check(c, r, &e);
        freeReplyObject(r);
    }
    return ok;
}

/* What was on its way when a connection broke is sent again: listeners bear it twice. False when
 * the bus is closed and Redis away. */
static bool deliver(struct channel *ch, redisContext **c, const struct letter *l)
{
    for (int i = 1;; i++) {
        if (!*c && !(*c = reach(ch, "publisher")))
            return false;
        if (post(ch, *c, l))
            return true;
        redisFree(*c);
        *c = NULL;
        if (!pause_for(ch, backoff(i, BACKOFF, BACKOFF_MAX)))
            return false;
    }
}

static void *publish(void *argument)
{
    struct channel *ch = argument;
    redisContext *c = NULL;
    struct letter *l;
    bool go_on = true;

    while (go_on && (l = take_letters(ch))) {
        go_on = deliver(ch, &c, l);
        drop_letters(l);
    }
    if (c)
        redisFree(c);
    return NULL;
}

/* ==== subscriber ==== */

static void receive(struct channel *ch, const redisReply *r)
{
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 3 || !r->element[0]->str ||
        strcmp(r->element[0]->str, "message") != 0 || r->element[2]->type != REDIS_REPLY_STRING)
        return; /* subscribe, pong */
    struct bus_frame *f = bus_frame_read(r->element[2]->str, r->element[2]->len);
    if (f)
        bus_receive(ch->b, f);
    else
        bus_count_dropped(ch->b, 1);
}

/* All replies that have arrived; false when the connection is broken. */
static bool read_replies(struct channel *ch, redisContext *c)
{
    redisReply *r;

    for (;;) {
        r = NULL;
        if (redisGetReplyFromReader(c, (void **)&r) != REDIS_OK)
            return false;
        if (!r)
            return true;
        bool refused = r->type == REDIS_REPLY_ERROR;
        if (!refused)
            receive(ch, r);
        freeReplyObject(r);
        if (refused)
            return false;
    }
}

static bool write_all(redisContext *c)
{
    int written = 0;

    while (!written)
        if (redisBufferWrite(c, &written) != REDIS_OK)
            return false;
    return true;
}

static bool subscribe_to(struct channel *ch, redisContext *c)
{
    pthread_mutex_lock(&ch->lock);
    bool events = !ch->no_events;
    pthread_mutex_unlock(&ch->lock);
    return redisAppendCommand(c, "SUBSCRIBE %s", ch->name) == REDIS_OK &&
           (!events || redisAppendCommand(c, "SUBSCRIBE %s", ch->events) == REDIS_OK) &&
           write_all(c);
}

/* Somebody rang: false when the bus is closed, else events are not wanted any more. */
static bool heed(struct channel *ch, redisContext *c)
{
    eventfd_t rung;

    (void)eventfd_read(ch->wake, &rung);
    pthread_mutex_lock(&ch->lock);
    bool stopping = ch->stopping;
    pthread_mutex_unlock(&ch->lock);
    return !stopping && redisAppendCommand(c, "UNSUBSCRIBE %s", ch->events) == REDIS_OK &&
           write_all(c);
}

/* Until the connection breaks or the bus is closed. */
static void follow(struct channel *ch, redisContext *c)
{
    struct pollfd fds[2] = {{.fd = c->fd, .events = POLLIN}, {.fd = ch->wake, .events = POLLIN}};
    bool asked = false;

    if (!subscribe_to(ch, c))
        return;
    set_subscribed(ch, true);
    while (read_replies(ch, c)) {
        int n = poll(fds, 2, (int)(QUIET * 1000));
        if (n > 0 && fds[1].revents && !heed(ch, c))
            return;
        if (n > 0 && fds[0].revents) {
            asked = false;
            if (redisBufferRead(c) != REDIS_OK)
                return;
        } else if (n == 0) {
            if (asked || redisAppendCommand(c, "PING") != REDIS_OK || !write_all(c))
                return;
            asked = true;
        }
    }
}

static void *subscribe(void *argument)
{
    struct channel *ch = argument;
    redisContext *c;
    int i = 0;

    while ((c = reach(ch, "subscriber"))) {
        double since = clock_seconds();
        follow(ch, c);
        set_subscribed(ch, false);
        redisFree(c);
        i = clock_seconds() - since > QUIET ? 1 : i + 1;
        if (!pause_for(ch, backoff(i, BACKOFF, BACKOFF_MAX)))
            break;
    }
    return NULL;
}

/* ==== open and close ==== */

static void free_channel(struct channel *ch)
{
    drop_letters(ch->first);
    close(ch->wake);
    pthread_cond_destroy(&ch->changed);
    pthread_mutex_destroy(&ch->lock);
    free(ch);
}

static void stop(struct channel *ch)
{
    pthread_mutex_lock(&ch->lock);
    ch->stopping = true;
    pthread_cond_broadcast(&ch->changed);
    pthread_mutex_unlock(&ch->lock);
    (void)eventfd_write(ch->wake, 1);
}

static int start(struct channel *ch, struct err *e)
{
    if (pthread_create(&ch->publisher, NULL, publish, ch))
        return ERR(e, ERR_IO, "cannot start a thread of the bus");
    if (!pthread_create(&ch->subscriber, NULL, subscribe, ch))
        return 0;
    stop(ch);
    pthread_join(ch->publisher, NULL);
    return ERR(e, ERR_IO, "cannot start a thread of the bus");
}

static int redis_open(struct bus *b, const char *url, struct err *e)
{
    struct redis_address to;
    pthread_condattr_t monotonic;
    redisContext *c;
    int rc = redis_parse(url, &to, e);

    if (rc)
        return rc;
    rc = redis_connect(&to, &c, e); /* wrong settings show at the start; who is away may come */
    if (rc == 0)
        redisFree(c);
    else if (rc != ERR_NETWORK)
        return rc;
    struct channel *ch = calloc(1, sizeof *ch);
    if (!ch)
        return ERR(e, ERR_NOMEM, "no memory for the bus");
    ch->b = b;
    ch->to = to;
    redis_name(&to, "bus", ch->name);
    redis_name(&to, "events", ch->events);
    pthread_mutex_init(&ch->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&ch->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    ch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    b->state = ch;
    rc = ch->wake < 0 ? ERR(e, ERR_IO, "no eventfd for the bus") : start(ch, e);
    if (rc) {
        b->state = NULL;
        free_channel(ch);
    }
    return rc;
}

static void redis_close(struct bus *b)
{
    struct channel *ch = b->state;

    stop(ch);
    pthread_join(ch->publisher, NULL);
    pthread_join(ch->subscriber, NULL);
    free_channel(ch);
}

static bool redis_connected(struct bus *b)
{
    struct channel *ch = b->state;

    pthread_mutex_lock(&ch->lock);
    bool subscribed = ch->subscribed;
    pthread_mutex_unlock(&ch->lock);
    return subscribed;
}

static void redis_without_events(struct bus *b)
{
    struct channel *ch = b->state;

    pthread_mutex_lock(&ch->lock);
    ch->no_events = true;
    pthread_mutex_unlock(&ch->lock);
    (void)eventfd_write(ch->wake, 1);
}

const struct bus_backend bus_redis = {redis_open, redis_close, redis_send, redis_connected,
                                      redis_without_events};
