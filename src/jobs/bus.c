/* bus.c: the inbox, its thread, who listens, and who watches what. */
#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "jobs/bus_inside.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that may wait for slow listeners; what may be dropped goes from half of it. */
enum { INBOX_MAX = 64 << 20 };
enum { WATCHES_MAX = 10000 };
#define WATCH_TOPIC "watch"

static const struct {
    const char *scheme;
    const struct bus_backend *backend;
} backends[] = {
    {"memory:", &bus_memory},
    {"redis:", &bus_redis},
    {"rediss:", &bus_redis},
    {"unix:", &bus_redis},
};

static int memory_open(struct bus *b, const char *url, struct err *e)
{
    (void)b;
    (void)url;
    (void)e;
    return 0;
}

static void memory_close(struct bus *b)
{
    (void)b;
}

static bool memory_send(struct bus *b, struct bus_frame *f)
{
    (void)b;
    (void)f;
    return true;
}

static bool memory_connected(struct bus *b)
{
    (void)b;
    return true;
}

static void memory_without_events(struct bus *b)
{
    (void)b;
}

const struct bus_backend bus_memory = {memory_open, memory_close, memory_send, memory_connected,
                                       memory_without_events};

/* ==== who watches what ==== */

struct watch {
    char generation[UUID_TEXT];
    double until;
};

static int watch_order(const void *a, const void *b)
{
    return strcmp(((const struct watch *)a)->generation, ((const struct watch *)b)->generation);
}

/* twalk hands no argument through before POSIX 2024; glibc's twalk_r does. */
struct expired {
    double now;
    struct watch *found[64];
    size_t count;
};

static void find_expired(const void *node, VISIT which, void *closure)
{
    struct expired *x = closure;
    struct watch *w = *(struct watch *const *)node;

    if ((which == postorder || which == leaf) && w->until < x->now && x->count < 64)
        x->found[x->count++] = w;
}

static void forget_expired(struct bus *b, double now)
{
    struct expired x = {.now = now};

    do {
        x.count = 0;
        twalk_r(b->watches, find_expired, &x);
        for (size_t i = 0; i < x.count; i++) {
            tdelete(x.found[i], &b->watches, watch_order);
            free(x.found[i]);
            b->watch_count--;
        }
    } while (x.count == 64);
}

static void remember_watch(struct bus *b, const char *generation, double seconds)
{
    struct watch *w = calloc(1, sizeof *w);
    double now = clock_seconds();

    if (!w)
        return;
    memcpy(w->generation, generation, UUID_TEXT);
    w->until = now + seconds;
    pthread_mutex_lock(&b->lock);
    if (b->watch_count >= 64)
        forget_expired(b, now);
    struct watch **found = b->watch_count < WATCHES_MAX ? tsearch(w, &b->watches, watch_order)
                                                        : tfind(w, &b->watches, watch_order);
    if (found && *found == w) {
        b->watch_count++;
        w = NULL;
    } else if (found && (*found)->until < w->until) {
        (*found)->until = w->until;
    }
    pthread_mutex_unlock(&b->lock);
    free(w);
}

/* "<generation> <seconds>" of another process, or our own. */
static void hear_watch(struct bus *b, const char *text)
{
    struct str rest = str_from(text), id;
    double seconds;
    char generation[UUID_TEXT] = {0};

    if (!str_cut(&rest, ' ', &id) || !uuid_valid(id) || !str_to_f64(rest, &seconds) ||
        seconds < 0 || seconds > 3600)
        return;
    memcpy(generation, id.p, id.n);
    remember_watch(b, generation, seconds);
}

void bus_watch(struct bus *b, const char *generation_id, double seconds)
{
    char text[UUID_TEXT + 24];

    snprintf(text, sizeof text, "%s %.3f", generation_id, seconds);
    hear_watch(b, text); /* at once in this process */
    bus_tell(b, WATCH_TOPIC, text);
}

bool bus_watched(struct bus *b, const char *generation_id)
{
    struct watch key = {0};
    size_t n = strlen(generation_id);

    if (n >= sizeof key.generation)
        return false;
    memcpy(key.generation, generation_id, n);
    pthread_mutex_lock(&b->lock);
    struct watch *const *found = tfind(&key, &b->watches, watch_order);
    bool watched = found && (*found)->until >= clock_seconds();
    pthread_mutex_unlock(&b->lock);
    return watched;
}

/* ==== inbox ==== */

void bus_count_dropped(struct bus *b, int64_t n)
{
    pthread_mutex_lock(&b->lock);
    b->stats.dropped += n;
    pthread_mutex_unlock(&b->lock);
}

static void push(struct bus *b, struct bus_frame *f, bool foreign)
{
    pthread_mutex_lock(&b->lock);
    bool full = b->bytes + f->n > (bus_frame_may_drop(f) ? INBOX_MAX / 2 : INBOX_MAX);
    if (foreign)
        b->stats.received++;
    if (full) {
        b->stats.dropped++;
    } else {
        f->next = NULL;
        if (b->last)
            b->last->next = f;
        else
            b->first = f;
        b->last = f;
        b->bytes += f->n;
        pthread_cond_signal(&b->arrived);
    }
    pthread_mutex_unlock(&b->lock);
    if (full)
        bus_frame_drop(f);
}

void bus_receive(struct bus *b, struct bus_frame *f)
{
    if (bus_frame_from(f, b->origin))
        bus_frame_drop(f); /* our own: delivered when it was sent */
    else
        push(b, f, true);
}

static void deliver(struct bus *b, const struct bus_frame *f, const struct bus_ear *ears, size_t n)
{
    struct bus_event event;
    const char *topic, *text;

    if (bus_frame_open(f, &event, &topic, &text)) {
        for (size_t i = 0; i < n; i++)
            if (ears[i].listener)
                ears[i].listener(ears[i].user, &event);
        return;
    }
    if (strcmp(topic, WATCH_TOPIC) == 0 && !bus_frame_from(f, b->origin))
        hear_watch(b, text);
    for (size_t i = 0; i < n; i++)
        if (ears[i].hear)
            ears[i].hear(ears[i].user, topic, text);
}

static void *run(void *argument)
{
    struct bus *b = argument;
    struct bus_ear ears[BUS_EARS];

    pthread_mutex_lock(&b->lock);
    while (!b->stopping || b->first) {
        struct bus_frame *f = b->first;
        if (!f) {
            pthread_cond_wait(&b->arrived, &b->lock);
            continue;
        }
        b->first = f->next;
        if (!b->first)
            b->last = NULL;
        b->bytes -= f->n;
        size_t n = b->ear_count;
        memcpy(ears, b->ears, n * sizeof *ears);
        b->calling = true;
        pthread_mutex_unlock(&b->lock);
        deliver(b, f, ears, n);
        bus_frame_drop(f);
        pthread_mutex_lock(&b->lock);
        b->calling = false;
        pthread_cond_broadcast(&b->quiet);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* ==== outside ==== */

static void say(struct bus *b, struct bus_frame *f)
{
    bool sent = f && b->backend->send(b, f);

    pthread_mutex_lock(&b->lock);
    b->stats.published++;
    b->stats.dropped += !sent;
    pthread_mutex_unlock(&b->lock);
    if (f)
        push(b, f, false);
}

void bus_publish(struct bus *b, const struct bus_event *event)
{
    say(b, bus_frame_event(b->origin, event));
}

void bus_tell(struct bus *b, const char *topic, const char *text)
{
    say(b, bus_frame_tell(b->origin, topic, text));
}

static void add_ear(struct bus *b, struct bus_ear ear)
{
    pthread_mutex_lock(&b->lock);
    bool room = b->ear_count < BUS_EARS;
    if (room)
        b->ears[b->ear_count++] = ear;
    pthread_mutex_unlock(&b->lock);
    if (!room)
        LOG(LOG_ERROR, "too many listen to the bus", LOG_NUMBER("most", BUS_EARS));
}

void bus_listen(struct bus *b, void (*listener)(void *user, const struct bus_event *event),
                void *user)
{
    add_ear(b, (struct bus_ear){.listener = listener, .user = user});
}

void bus_hear(struct bus *b, void (*hear)(void *user, const char *topic, const char *text),
              void *user)
{
    add_ear(b, (struct bus_ear){.hear = hear, .user = user});
}

void bus_without_events(struct bus *b)
{
    b->backend->without_events(b);
}

void bus_forget(struct bus *b, void *user)
{
    size_t kept = 0;

    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < b->ear_count; i++)
        if (b->ears[i].user != user)
            b->ears[kept++] = b->ears[i];
    b->ear_count = kept;
    while (b->calling)
        pthread_cond_wait(&b->quiet, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

void bus_stats(struct bus *b, struct bus_stats *out)
{
    bool connected = b->backend->connected(b);

    pthread_mutex_lock(&b->lock);
    *out = b->stats;
    pthread_mutex_unlock(&b->lock);
    out->connected = connected;
}

static const struct bus_backend *backend_of(const char *url)
{
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (str_starts(str_from(url), backends[i].scheme))
            return backends[i].backend;
    return NULL;
}

int bus_open(const char *url, struct bus **out, struct err *e)
{
    const struct bus_backend *backend = backend_of(url);
    int rc;

    if (!backend)
        return ERR(e, ERR_ARG, "no such bus; write memory: or redis://host:6379/0");
    struct bus *b = calloc(1, sizeof *b);
    if (!b)
        return ERR(e, ERR_NOMEM, "no memory for the bus");
    b->backend = backend;
    random_bytes(b->origin, sizeof b->origin);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->arrived, NULL);
    pthread_cond_init(&b->quiet, NULL);
    if (pthread_create(&b->thread, NULL, run, b)) {
        rc = ERR(e, ERR_IO, "cannot start the thread of the bus");
        goto out;
    }
    rc = backend->open(b, url, e);
    if (!rc) {
        *out = b;
        return 0;
    }
    b->backend = &bus_memory; /* nothing of the other one is open */
    bus_close(b);
    return rc;
out:
    pthread_cond_destroy(&b->quiet);
    pthread_cond_destroy(&b->arrived);
    pthread_mutex_destroy(&b->lock);
    free(b);
    return rc;
}

void bus_close(struct bus *b)
{
    if (!b)
        return;
    b->backend->close(b);
    pthread_mutex_lock(&b->lock);
    b->stopping = true;
    pthread_cond_signal(&b->arrived);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    pthread_cond_destroy(&b->quiet);
    pthread_cond_destroy(&b->arrived);
    pthread_mutex_destroy(&b->lock);
    tdestroy(b->watches, free);
    free(b);
}
