/*
 * worker_draw.c: a slot: one thread that draws what is ready, several pictures at once.
 *
 * Which picture comes next: the better priority, then those of the model that this slot has open,
 * then the oldest. While a batch runs, only pictures of its model and size can join it; when
 * another one has a better priority or has waited PATIENCE, nothing joins until the batch has
 * drained and it had its turn.
 */
#include "base/clock.h"
#include "base/log.h"
#include "jobs/worker_inside.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const double PATIENCE = 10, EVENT_PERIOD = 0.1;
enum { PREVIEW_SIDE = 256 };

/* ==== next ==== */

static bool fits(const struct held *h, const char *model, int width, int height)
{
    const struct recipe *r = &h->draw.recipe;

    return r->digest && strcmp(r->digest, model) == 0 && r->width == width && r->height == height;
}

static bool same_model(const struct slot *s, const struct held *h)
{
    return h->draw.recipe.digest && strcmp(h->draw.recipe.digest, s->model) == 0;
}

/* Whether a should be drawn before b; those that waited too long come in order of age. */
static bool before(const struct slot *s, const struct held *a, const struct held *b, double now)
{
    bool late_a = now - a->claimed_at > PATIENCE, late_b = now - b->claimed_at > PATIENCE;

    if (a->row.priority != b->row.priority)
        return a->row.priority < b->row.priority;
    if (late_a != late_b)
        return late_a;
    if (!late_a && same_model(s, a) != same_model(s, b))
        return same_model(s, a);
    return a->claimed_at < b->claimed_at;
}

/* Under the lock. */
static struct held *choose(const struct slot *s, const char *model, int width, int height)
{
    struct held *best = NULL, *joins = NULL;
    double now = clock_seconds();

    for (struct held *h = s->w->held; h; h = h->next) {
        if (h->state != HELD_READY || atomic_load(&h->unwanted) || atomic_load(&h->give_back))
            continue;
        if (!best || before(s, h, best, now))
            best = h;
        if (model && fits(h, model, width, height) && (!joins || before(s, h, joins, now)))
            joins = h;
    }
    if (!model)
        return best;
    if (joins && joins != best &&
        (best->row.priority < joins->row.priority || now - best->claimed_at > PATIENCE))
        return NULL;
    return joins;
}

static struct draw *next(void *user, const char *model, int width, int height)
{
    struct slot *s = user;
    struct worker *w = s->w;
    struct held *h = NULL;

    pthread_mutex_lock(&w->lock);
    if (!w->stopping && !w->paused && s->drawing < w->o.batch && w->ending < w->ending_max)
        h = choose(s, model, width, height);
    if (h) {
        h->state = HELD_DRAWING;
        h->started_at = clock_seconds();
        w->ready--;
        w->drawing++;
        s->drawing++;
        snprintf(s->model, sizeof s->model, "%s",
                 h->draw.recipe.digest ? h->draw.recipe.digest : "");
        pthread_cond_broadcast(&w->changed); /* the taker has room */
    }
    pthread_mutex_unlock(&w->lock);
    return h ? &h->draw : NULL;
}

/* ==== progress ==== */

/* A small JPEG of a preview, or nothing. */
static struct str encode_preview(const struct image *im, struct buf *out)
{
    struct image small = {0};
    const struct image *from = im;
    double scale = (double)PREVIEW_SIDE / fmax(im->width, im->height);
    struct err e;

    if (scale < 1) {
        int width = (int)fmax(1, im->width * scale), height = (int)fmax(1, im->height * scale);
        if (image_resize(im, width, height, IMAGE_BOX, &small, &e))
            return (struct str){0};
        from = &small;
    }
    int rc = image_encode(from, (struct image_encoding){.format = IMAGE_JPEG, .quality = 70}, NULL,
                          out, &e);
    image_release(&small);
    if (rc)
        return (struct str){0};
    return (struct str){out->p, out->n};
}

static size_t copy_watchers(struct worker *w, const struct held *h,
                            char watchers[WATCHERS][UUID_TEXT])
{
    pthread_mutex_lock(&w->lock);
    size_t n = h->watcher_count;
    memcpy(watchers, h->watchers, n * sizeof *watchers);
    pthread_mutex_unlock(&w->lock);
    return n;
}

static void tell_step(struct worker *w, struct held *h, int step, int steps,
                      const struct image *preview)
{
    char watchers[WATCHERS][UUID_TEXT], room[64], name[80], data[160];
    double now = clock_seconds();
    struct buf bytes;
    struct str picture = {0};
    bool watched = false;

    if (!preview && now < h->next_event)
        return;
    h->next_event = now + EVENT_PERIOD;
    size_t n = copy_watchers(w, h, watchers);
    buf_init(&bytes, 1 << 20);
    if (preview && n)
        picture = encode_preview(preview, &bytes);
    for (size_t i = 0; i < n; i++) {
        watched |= bus_watched(w->o.submitter->bus, watchers[i]);
        snprintf(room, sizeof room, "generation:%s", watchers[i]);
        snprintf(name, sizeof name, "generation:%s:progress", watchers[i]);
        snprintf(data, sizeof data, "{\"id\":\"%s\",\"step\":%d,\"steps\":%d%s}", watchers[i], step,
                 steps, picture.n ? ",\"preview\":{\"_placeholder\":true,\"num\":0}" : "");
        bus_publish(
            w->o.submitter->bus,
            &(struct bus_event){
                .room = room, .name = name, .data = data, .attachment = picture, .may_drop = true});
    }
    h->draw.preview = watched;
    buf_release(&bytes);
}

static void count_step(struct worker *w)
{
    int64_t second = (int64_t)clock_seconds();

    if (second - w->step_second > RATE_SECONDS)
        w->step_second = second - RATE_SECONDS;
    while (w->step_second < second)
        w->steps[++w->step_second % RATE_SECONDS] = 0;
    w->steps[second % RATE_SECONDS]++;
}

/* When the worker stops: whether it will not be done by then, judged by its steps so far. */
static bool too_slow(const struct worker *w, const struct held *h, int step, int steps)
{
    double now = clock_seconds();
    double each = step > 0 ? (now - h->started_at) / step : INFINITY;

    return now + each * (steps - step) > w->deadline;
}

static enum draw_answer progress(void *user, struct draw *d, int step, int steps,
                                 const struct image *preview)
{
    struct slot *s = user;
    struct worker *w = s->w;
    struct held *h = d->user;

    pthread_mutex_lock(&w->lock);
    if (step > 0)
        count_step(w);
    bool yield = w->stopping && too_slow(w, h, step, steps);
    pthread_mutex_unlock(&w->lock);
    if (atomic_load(&h->unwanted))
        return DRAW_CANCEL;
    if (yield || atomic_load(&h->give_back))
        return DRAW_YIELD;
    tell_step(w, h, step, steps, preview);
    return DRAW_GO_ON;
}

/* ==== done ==== */

static const char *keep(struct held *h, const char *text)
{
    return text ? arena_strdup(&h->arena, text) : NULL;
}

static void done(void *user, struct draw *d, struct draw_result *r)
{
    struct slot *s = user;
    struct worker *w = s->w;
    struct held *h = d->user;
    enum held_end end = END_FAIL;

    h->result = *r;
    r->image = (struct image){0};
    h->result.message = keep(h, r->message);
    h->result.device = keep(h, r->device);
    h->result.dtype = keep(h, r->dtype);
    h->result.isa = keep(h, r->isa);
    h->result.warning = keep(h, r->warning);
    if (atomic_load(&h->unwanted))
        end = END_DROP;
    else if (r->code == 0)
        end = END_STORE;
    else if (r->code == ERR_CANCELLED)
        end = END_RELEASE;
    pthread_mutex_lock(&w->lock);
    s->drawing--;
    worker_end(w, h, end);
    pthread_mutex_unlock(&w->lock);
}

static void phase(void *user, const char *name, double seconds)
{
    struct worker *w = ((struct slot *)user)->w;

    if (w->o.phase)
        w->o.phase(w->o.user, name, seconds);
}

/* ==== the loop ==== */

static bool wait_for_work(struct slot *s)
{
    struct worker *w = s->w;

    pthread_mutex_lock(&w->lock);
    while (!w->stopping && (w->paused || w->ending >= w->ending_max || !choose(s, NULL, 0, 0)))
        worker_wait(w, 60);
    bool go_on = !w->stopping;
    pthread_mutex_unlock(&w->lock);
    return go_on;
}

void *slot_run(void *slot)
{
    struct slot *s = slot;
    struct worker *w = s->w;
    struct draw_source source = {.user = s,
                                 .next = next,
                                 .progress = progress,
                                 .done = done,
                                 .phase = phase,
                                 .preview_seconds = w->o.preview_seconds};
    struct err e;

    /* On Linux a thread has its own; the engine's pool is started by this one and inherits it. */
    if (w->o.nice && setpriority(PRIO_PROCESS, (id_t)gettid(), w->o.nice))
        LOG(LOG_WARNING, "drawing is not niced", LOG_TEXT("reason", strerror(errno)));
    while (wait_for_work(s))
        if (provider_draw(w->o.provider, s->device, &source, &e)) {
            LOG(LOG_ERROR, "device cannot draw", LOG_TEXT("device", s->device), LOG_ERR(&e));
            worker_sleep(w, 1);
        }
    return NULL;
}
