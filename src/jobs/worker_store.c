/*
 * worker_store.c: what becomes of a job that was drawn or not: its picture and rows are made
 * durable, then the queue forgets it and the screens are told.
 *
 * While the database is away the picture stays in hand, and is stored when it is back, unless
 * somebody else has got the job by then: the lease decides.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "image/quality.h"
#include "jobs/transact.h"
#include "jobs/worker_inside.h"

#include <math.h>
#include <string.h>

enum { PNG_MAX = 256 << 20, BLOB_TRIES = 4, OTHER_TRIES = 5 };
/* How long a picture is kept when the worker stops and the database is away. */
static const double LAST_SECONDS = 5;

/* ==== the picture ==== */

static char *measure(const struct image *im, struct arena *a)
{
    double sharpness, contrast, colourfulness;
    struct err e;

    if (quality_sharpness(im, &sharpness, &e) || quality_contrast(im, &contrast, &e) ||
        quality_colourfulness(im, &colourfulness, &e))
        return NULL;
    json_t *x = json_pack("{s:f, s:f, s:f}", "sharpness", sharpness, "contrast", contrast,
                          "colourfulness", colourfulness);
    char *text = x ? json_compact(x, a) : NULL;
    json_decref(x);
    return text;
}

static int encode(struct held *h, struct buf *png, struct err *e)
{
    struct image_meta meta = {.parameters = recipe_parameters(&h->draw.recipe, &h->arena),
                              .recipe = recipe_json(&h->draw.recipe, &h->arena)};

    return image_encode(&h->result.image, image_encoding_default(IMAGE_PNG), &meta, png, e);
}

static int put_blob(struct worker *w, const struct buf *png, char sha256[65], struct err *e)
{
    int rc = blob_put(w->o.submitter->blobs, png->p, png->n, sha256, e);

    for (int i = 1; rc && i < BLOB_TRIES; i++) {
        LOG(LOG_WARNING, "picture cannot be stored yet", LOG_ERR(e));
        worker_sleep(w, backoff(i, 0.2, 2));
        rc = blob_put(w->o.submitter->blobs, png->p, png->n, sha256, e);
    }
    return rc;
}

/* Fill in its row; the blob is durable then. */
static int store_picture(struct worker *w, struct held *h, struct picture_row *row, struct err *e)
{
    const struct draw_result *r = &h->result;
    char *sha256 = arena_alloc(&h->arena, 65);
    struct buf png;

    buf_init(&png, PNG_MAX);
    int rc = encode(h, &png, e);
    if (!rc)
        rc = put_blob(w, &png, sha256, e);
    *row = (struct picture_row){.key = h->row.key,
                                .sha256 = sha256,
                                .format = "png",
                                .width = r->image.width,
                                .height = r->image.height,
                                .bytes = (int64_t)png.n,
                                .seconds = r->seconds,
                                .step_seconds = r->step_seconds,
                                .memory_used = r->memory_used,
                                .provider = h->row.provider,
                                .device = r->device,
                                .dtype = r->dtype,
                                .isa = r->isa,
                                .measures = measure(&r->image, &h->arena),
                                .created_at = clock_unix_ms()};
    buf_release(&png);
    return rc;
}

/* ==== the rows ==== */

struct ending {
    struct worker *w;
    struct held *h;
    struct picture_row picture;
    struct arena a;
    struct job_outcome outcome;
    bool transient;
    const char *code;
};

static int succeed_step(struct tx *tx, void *user, struct err *e)
{
    struct ending *x = user;

    return jobs_succeed(tx, held_lease(x->w, x->h), &x->picture, clock_unix_ms(), &x->a,
                        &x->outcome, e);
}

static int fail_step(struct tx *tx, void *user, struct err *e)
{
    struct ending *x = user;
    const struct worker_options *o = &x->w->o;
    int64_t now = clock_unix_ms();
    double wait = backoff(x->h->row.attempts, o->backoff_seconds, o->backoff_max_seconds);

    return jobs_fail(tx, held_lease(x->w, x->h), x->transient, now + (int64_t)(wait * 1000),
                     x->code, x->h->result.message ? x->h->result.message : x->code, now, &x->a,
                     &x->outcome, e);
}

static int release_step(struct tx *tx, void *user, struct err *e)
{
    struct ending *x = user;

    return jobs_release(tx, held_lease(x->w, x->h), clock_unix_ms(), e);
}

/* Whether to try again; waits before. When the worker stops, the database has LAST_SECONDS more. */
static bool again(struct worker *w, int rc, int tries)
{
    bool go_on = rc == ERR_NETWORK || tries < OTHER_TRIES;

    if (!go_on || rc == ERR_CONFLICT || rc == ERR_NOT_FOUND)
        return false;
    double until = clock_seconds() + backoff(tries, 0.1, 2), now;
    pthread_mutex_lock(&w->lock);
    while ((now = clock_seconds()) < until && go_on) {
        worker_wait(w, until - now);
        go_on = !w->stopping || now < w->deadline + LAST_SECONDS;
    }
    pthread_mutex_unlock(&w->lock);
    return go_on;
}

static int settle(struct ending *x, transact_step step, struct err *e)
{
    int tries = 1, rc = transact(x->w->o.submitter->db, step, x, e);

    while (rc && again(x->w, rc, tries)) {
        if (tries++ == 1)
            LOG(LOG_WARNING, "the end of a job has to wait", LOG_ERR(e));
        rc = transact(x->w->o.submitter->db, step, x, e);
    }
    return rc;
}

/* ==== the ways to end ==== */

static bool transient(int code)
{
    return code == ERR_IO || code == ERR_NETWORK || code == ERR_NOMEM;
}

static void count(struct worker *w, int64_t *counter)
{
    pthread_mutex_lock(&w->lock);
    ++*counter;
    pthread_mutex_unlock(&w->lock);
}

static int fail(struct ending *x, struct err *e)
{
    struct held *h = x->h;
    int rc;

    x->transient = transient(h->result.code);
    x->code = err_name(h->result.code);
    bool last = !x->transient || h->row.attempts >= h->row.max_attempts;
    LOG(last ? LOG_ERROR : LOG_WARNING, last ? "job failed" : "job failed, to be tried again",
        LOG_NUMBER("attempt", h->row.attempts), LOG_TEXT("code", x->code),
        LOG_TEXT("error", h->result.message));
    rc = settle(x, fail_step, e);
    if (!rc)
        count(x->w, last ? &x->w->failed : &x->w->retried);
    return rc;
}

static int succeed(struct ending *x, struct err *e)
{
    struct held *h = x->h;
    struct worker *w = x->w;
    int rc = store_picture(w, h, &x->picture, e);

    if (rc) {
        h->result.code = rc;
        h->result.message = arena_strdup(&h->arena, e->message);
        return fail(x, e);
    }
    rc = settle(x, succeed_step, e);
    if (rc)
        return rc;
    count(w, &w->done);
    LOG(LOG_INFO, "picture drawn", LOG_NUMBER("seconds", h->result.seconds),
        LOG_TEXT("sha256", x->picture.sha256), LOG_TEXT("warning", h->result.warning));
    if (w->o.finished)
        w->o.finished(w->o.user, &h->result, &h->row);
    return 0;
}

static int end(struct ending *x, struct err *e)
{
    switch (x->h->end) {
    case END_STORE:
        return succeed(x, e);
    case END_FAIL:
        return fail(x, e);
    case END_RELEASE:
        return settle(x, release_step, e);
    case END_DROP:
        break;
    }
    return 0;
}

static void finish(struct worker *w, struct held *h)
{
    struct ending x = {.w = w, .h = h};
    struct submitter *s = w->o.submitter;
    struct log_context former = log_enter(held_context(h));
    struct err e;
    int rc = end(&x, &e);

    if (rc) {
        /* Its lease ends by itself, if it is still ours. */
        LOG(LOG_WARNING, "job is lost to this worker", LOG_ERR(&e));
        count(w, &w->lost);
    } else {
        publish_outcome(s, &x.outcome);
    }
    /* A commit whose answer was lost looks like a lost lease: the counters may have moved. */
    if (rc && h->row.run_id)
        publish_run(s, h->row.run_id);
    if (queue_done(s->queue, &h->ticket, &e))
        LOG(LOG_DEBUG, "ticket stays", LOG_ERR(&e));
    if (h->end == END_RELEASE)
        bus_tell(s->bus, "wake", "");
    arena_release(&x.a);
    log_leave(former);
}

/* ==== the loop ==== */

/* NULL when the worker ends. */
static struct held *first(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->ending_first && !w->drained)
        worker_wait(w, 60);
    struct held *h = w->ending_first;
    pthread_mutex_unlock(&w->lock);
    return h;
}

static void forget(struct worker *w, struct held *h)
{
    pthread_mutex_lock(&w->lock);
    w->ending_first = h->next_ending;
    if (!w->ending_first)
        w->ending_last = NULL;
    for (struct held **at = &w->held; *at; at = &(*at)->next)
        if (*at == h) {
            *at = h->next;
            break;
        }
    w->ending--;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    held_free(h);
}

void *storer_run(void *worker)
{
    struct worker *w = worker;
    struct held *h;

    while ((h = first(w))) {
        finish(w, h);
        forget(w, h);
    }
    return NULL;
}
