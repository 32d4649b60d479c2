/*
 * worker_take.c: tickets become claimed jobs, ready to be drawn.
 *
 * A ticket is only a hint: the claim in the database decides. When the answer to a claim was lost
 * on the way, the job may be ours without our knowing; asking again then finds our name on it.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/transact.h"
#include "jobs/worker_inside.h"

#include <stdlib.h>
#include <string.h>

enum { INIT_MAX = 64 << 20 };

struct claim {
    struct worker *w;
    struct held *h;
};

static int claim_step(struct tx *tx, void *user, struct err *e)
{
    struct claim *c = user;

    return jobs_claim(tx, c->h->ticket.job, c->w->name, clock_unix_ms(),
                      (int64_t)(c->w->o.lease_seconds * 1000), &c->h->arena, &c->h->row, e);
}

static bool holds(struct worker *w, const char *job)
{
    bool found = false;

    pthread_mutex_lock(&w->lock);
    for (const struct held *h = w->held; h && !found; h = h->next)
        found = strcmp(h->row.id, job) == 0;
    pthread_mutex_unlock(&w->lock);
    return found;
}

/* ERR_CONFLICT unless the job runs in our name and we did not know. */
static int adopt(struct worker *w, struct held *h, struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(w->o.submitter->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = jobs_get(tx, h->ticket.job, &h->arena, &h->row, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    if (h->row.status != JOB_RUNNING || !h->row.worker || strcmp(h->row.worker, w->name) != 0 ||
        holds(w, h->row.id))
        return ERR(e, ERR_CONFLICT, "job %s is somebody else's", h->ticket.job);
    return 0;
}

/* Until the database says yes or no, or the worker stops. */
static int claim(struct worker *w, struct held *h, struct err *e)
{
    struct claim c = {w, h};
    bool unsure = false;
    int rc;

    for (int i = 1;; i++) {
        rc = transact(w->o.submitter->db, claim_step, &c, e);
        if (rc == ERR_CONFLICT && unsure)
            rc = adopt(w, h, e);
        if (rc != ERR_NETWORK && rc != ERR_IO)
            return rc;
        unsure = true;
        if (i == 1)
            LOG(LOG_WARNING, "claim has to wait", LOG_ERR(e));
        if (!worker_sleep(w, backoff(i, 0.1, 2)))
            return rc;
    }
}

/* ==== what the job needs ==== */

static int load_picture(struct worker *w, const char *sha256, struct image *out, struct err *e)
{
    struct arena a = {0};
    struct str bytes;
    int rc = blob_get(w->o.submitter->blobs, sha256, INIT_MAX, &a, &bytes, e);

    if (!rc)
        rc = image_decode(bytes.p, bytes.n, out, NULL, e);
    arena_release(&a);
    return rc;
}

static int read_recipe(struct held *h, struct err *e)
{
    json_t *object;
    int rc = json_read(str_from(h->row.recipe), &object, e);

    if (rc)
        return rc;
    rc = recipe_from_json(object, &h->arena, &h->draw.recipe, e);
    json_decref(object);
    return rc;
}

static int prepare(struct worker *w, struct held *h, struct err *e)
{
    struct draw *d = &h->draw;
    int rc = read_recipe(h, e);

    if (!rc && d->recipe.init)
        rc = load_picture(w, d->recipe.init, &d->init, e);
    if (!rc && d->recipe.mask)
        rc = load_picture(w, d->recipe.mask, &d->mask, e);
    d->request_id = h->row.request_id;
    d->trace_id = h->row.trace_id;
    d->job = h->row.id;
    d->user = h;
    return rc;
}

/* Who waits for this picture, to tell them its steps. */
static void look_for_watchers(struct worker *w, struct held *h)
{
    struct tx *tx;
    struct err e;

    if (tx_begin(w->o.submitter->db, TX_READ, &tx, &e))
        return;
    h->watcher_count = find_watchers(tx, h->row.key, h->watchers);
    tx_rollback(tx);
}

static void add(struct worker *w, struct held *h, const struct err *failure)
{
    pthread_mutex_lock(&w->lock);
    h->next = w->held;
    w->held = h;
    h->state = HELD_READY;
    h->claimed_at = clock_seconds();
    w->ready++;
    if (failure) {
        h->result.code = failure->code;
        h->result.message = arena_strdup(&h->arena, failure->message);
        worker_end(w, h, END_FAIL);
    } else if (w->stopping) {
        worker_end(w, h, END_RELEASE);
    }
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* ==== the loop ==== */

static void take(struct worker *w, const struct ticket *t)
{
    struct held *h = calloc(1, sizeof *h);
    struct err e;

    if (!h)
        return; /* handed out again by the feeder */
    h->ticket = *t;
    int rc = claim(w, h, &e);
    if (rc) {
        if (rc == ERR_CONFLICT || rc == ERR_NOT_FOUND)
            rc = queue_done(w->o.submitter->queue, t, &e);
        if (rc)
            LOG(LOG_WARNING, "ticket left for later", LOG_TEXT("job", t->job), LOG_ERR(&e));
        held_free(h);
        return;
    }
    struct log_context former = log_enter(held_context(h));
    rc = prepare(w, h, &e);
    look_for_watchers(w, h);
    LOG(LOG_DEBUG, "job claimed", LOG_NUMBER("attempt", h->row.attempts));
    add(w, h, rc ? &e : NULL);
    log_leave(former);
}

/* Wait for room; false when the worker stops. */
static bool wait_for_room(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->stopping &&
           (w->paused || w->ready + w->drawing >= w->held_max || w->ending >= w->ending_max))
        worker_wait(w, 60);
    bool go_on = !w->stopping;
    pthread_mutex_unlock(&w->lock);
    return go_on;
}

static void count_taken(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    if (++w->taken >= w->o.window / 2) {
        w->feed_now = true;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
}

void *taker_run(void *worker)
{
    struct worker *w = worker;
    struct queue *q = w->o.submitter->queue;
    double reclaim_at = 0;
    int failures = 0;
    struct ticket t;
    struct err e;

    while (wait_for_room(w)) {
        int rc = 0;
        if (clock_seconds() >= reclaim_at) {
            rc = queue_reclaim(q, w->name, w->o.lease_seconds, &t, &e);
            if (rc <= 0)
                reclaim_at = clock_seconds() + w->o.lease_seconds / 4;
        }
        if (rc == 0)
            rc = queue_take(q, w->name, 1.0, &t, &e);
        if (rc < 0) {
            if (failures++ == 0)
                LOG(LOG_WARNING, "queue cannot be read", LOG_ERR(&e));
            worker_sleep(w, backoff(failures, 0.1, 2));
            continue;
        }
        if (failures)
            LOG(LOG_INFO, "queue is back", LOG_NUMBER("failures", failures));
        failures = 0;
        if (rc == 1) {
            count_taken(w);
            take(w, &t);
        }
    }
    return NULL;
}
