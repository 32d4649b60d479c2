/* worker.c: a worker's start, end and state. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/worker_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS_MAX = 64 };

struct worker_options worker_options(void)
{
    return (struct worker_options){.device = "auto",
                                   .draw = true,
                                   .lease_seconds = 30,
                                   .heartbeat_seconds = 5,
                                   .feed_seconds = 0.5,
                                   .sweep_seconds = 10,
                                   .backoff_seconds = 2,
                                   .backoff_max_seconds = 300,
                                   .job_days = 7,
                                   .window = 64,
                                   .batch = 4,
                                   .preview_seconds = 0.5};
}

/* ==== what its threads share ==== */

void worker_wait(struct worker *w, double seconds)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + (int64_t)(fmin(fmax(seconds, 0), 3600) * 1e9);
    t.tv_sec += ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(&w->changed, &w->lock, &t);
}

bool worker_sleep(struct worker *w, double seconds)
{
    double until = clock_seconds() + seconds, now;

    pthread_mutex_lock(&w->lock);
    while (!w->stopping && (now = clock_seconds()) < until)
        worker_wait(w, until - now);
    bool go_on = !w->stopping;
    pthread_mutex_unlock(&w->lock);
    return go_on;
}

static void count_out(struct worker *w, const struct held *h)
{
    w->ready -= h->state == HELD_READY;
    w->drawing -= h->state == HELD_DRAWING;
}

void worker_end(struct worker *w, struct held *h, enum held_end end)
{
    count_out(w, h);
    h->state = HELD_ENDING;
    h->end = end;
    h->next_ending = NULL;
    if (w->ending_last)
        w->ending_last->next_ending = h;
    else
        w->ending_first = h;
    w->ending_last = h;
    w->ending++;
    pthread_cond_broadcast(&w->changed);
}

void held_free(struct held *h)
{
    image_release(&h->draw.init);
    image_release(&h->draw.mask);
    image_release(&h->result.image);
    arena_release(&h->arena);
    free(h);
}

/* ==== start ==== */

static void name_worker(struct worker *w)
{
    char random[9];

    if (gethostname(w->host, sizeof w->host - 1))
        memcpy(w->host, "localhost", sizeof "localhost");
    random_hex(random, 4);
    if (w->o.name)
        snprintf(w->name, sizeof w->name, "%s", w->o.name);
    else
        snprintf(w->name, sizeof w->name, "%s:%d:%s", w->host, (int)getpid(), random);
}

static bool wanted(const struct worker *w, const struct hardware_device *d)
{
    const char *device = w->o.device ? w->o.device : "auto";

    return strcmp(device, "auto") == 0 || strcmp(device, d->id) == 0 ||
           strcmp(device, d->kind) == 0;
}

static int make_slots(struct worker *w, struct err *e)
{
    struct hardware_info info;
    int rc = provider_hardware(w->o.provider, &w->arena, &info, e);

    if (rc)
        return rc;
    w->slots = arena_alloc(&w->arena, SLOTS_MAX * sizeof *w->slots);
    for (size_t i = 0; i < info.device_count; i++) {
        const struct hardware_device *d = &info.devices[i];
        for (int k = 0; wanted(w, d) && k < (d->slots > 0 ? d->slots : 1); k++)
            if (w->slot_count < SLOTS_MAX)
                w->slots[w->slot_count++] =
                    (struct slot){.w = w, .device = arena_strdup(&w->arena, d->id)};
    }
    if (!w->slot_count)
        return ERR(e, ERR_UNSUPPORTED, "no device '%s' here; `cauldron doctor` lists them",
                   w->o.device ? w->o.device : "auto");
    /* A full batch for each slot, and some in reserve; more would starve other workers. */
    w->held_max = w->slot_count * w->o.batch + (w->o.batch + 1) / 2;
    w->ending_max = w->held_max;
    return 0;
}

static void init_locks(struct worker *w)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void free_worker(struct worker *w)
{
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    arena_release(&w->arena);
    free(w);
}

static void set(struct worker *w, bool *flag)
{
    pthread_mutex_lock(&w->lock);
    *flag = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* In the order in which threads need each other: from the last to the first of a job's way. */
static int start_threads(struct worker *w, struct err *e)
{
    int slots = 0;

    if (pthread_create(&w->keeper, NULL, keeper_run, w))
        return ERR(e, ERR_IO, "cannot start a thread");
    if (!w->o.draw)
        return 0;
    if (pthread_create(&w->storer, NULL, storer_run, w))
        goto no_storer;
    while (slots < w->slot_count &&
           !pthread_create(&w->slots[slots].thread, NULL, slot_run, &w->slots[slots]))
        slots++;
    if (slots == w->slot_count && !pthread_create(&w->taker, NULL, taker_run, w))
        return 0;
    set(w, &w->stopping);
    for (int i = 0; i < slots; i++)
        pthread_join(w->slots[i].thread, NULL);
    set(w, &w->drained);
    pthread_join(w->storer, NULL);
no_storer:
    set(w, &w->stopping);
    set(w, &w->finished);
    pthread_join(w->keeper, NULL);
    return ERR(e, ERR_IO, "cannot start a thread");
}

int worker_start(const struct worker_options *o, struct worker **out, struct err *e)
{
    struct worker *w = calloc(1, sizeof *w);
    int rc = 0;

    if (!w)
        return ERR(e, ERR_NOMEM, "no memory for a worker");
    w->o = *o;
    if (w->o.batch < 1)
        w->o.batch = 1;
    name_worker(w);
    init_locks(w);
    if (o->draw)
        rc = make_slots(w, e);
    if (!rc) {
        w->feed_now = true;
        rc = start_threads(w, e);
    }
    if (rc) {
        free_worker(w);
        return rc;
    }
    bus_hear(o->submitter->bus, keeper_hear, w);
    LOG(LOG_INFO, "worker started", LOG_TEXT("worker", w->name),
        LOG_NUMBER("slots", w->slot_count));
    *out = w;
    return 0;
}

/* ==== end ==== */

static void hand_back_ready(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    for (struct held *h = w->held; h; h = h->next)
        if (h->state == HELD_READY)
            worker_end(w, h, END_RELEASE);
    pthread_mutex_unlock(&w->lock);
}

/* Between steps a picture sees that the time is over; a pass that is longer than that is not waited
 * for. */
static void interrupt_slow(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    while (w->drawing && clock_seconds() < w->deadline) {
        pthread_mutex_unlock(&w->lock);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        pthread_mutex_lock(&w->lock);
    }
    for (struct held *h = w->held; h; h = h->next)
        if (h->state == HELD_DRAWING)
            provider_interrupt(w->o.provider, &h->draw);
    pthread_mutex_unlock(&w->lock);
}

void worker_stop(struct worker *w, double seconds)
{
    if (!w)
        return;
    bus_forget(w->o.submitter->bus, w);
    pthread_mutex_lock(&w->lock);
    w->deadline = clock_seconds() + fmax(seconds, 0);
    w->stopping = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    if (w->o.draw) {
        queue_wake(w->o.submitter->queue);
        pthread_join(w->taker, NULL);
        hand_back_ready(w);
        interrupt_slow(w);
        for (int i = 0; i < w->slot_count; i++)
            pthread_join(w->slots[i].thread, NULL);
        set(w, &w->drained);
        pthread_join(w->storer, NULL);
    }
    set(w, &w->finished);
    pthread_join(w->keeper, NULL);
    LOG(LOG_INFO, "worker stopped", LOG_TEXT("worker", w->name), LOG_NUMBER("finished", w->done));
    free_worker(w);
}

/* ==== state ==== */

void worker_status(struct worker *w, struct worker_status *out)
{
    int64_t second = (int64_t)clock_seconds(), steps = 0;
    int busy = 0;

    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < w->slot_count; i++)
        busy += w->slots[i].drawing > 0;
    for (int64_t s = second - RATE_SECONDS + 1; s <= w->step_second; s++)
        if (s >= 0)
            steps += w->steps[s % RATE_SECONDS];
    *out = (struct worker_status){.name = w->name,
                                  .slots = w->slot_count,
                                  .busy = busy,
                                  .finished = w->done,
                                  .failed = w->failed,
                                  .retried = w->retried,
                                  .lost = w->lost,
                                  .steps_per_second = (double)steps / (double)RATE_SECONDS};
    pthread_mutex_unlock(&w->lock);
}
