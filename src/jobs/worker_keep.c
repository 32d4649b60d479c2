/*
 * worker_keep.c: what has to be done again and again: keep leases alive and notice what was
 * cancelled or paused, fill the queue from the database, end leases of the dead, end runs whose
 * budget is used up, empty the trash, remove jobs that ended long ago, tell others that this worker
 * lives.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/sweep.h"
#include "jobs/transact.h"
#include "jobs/worker_inside.h"
#include "storage/experiments.h"
#include "storage/trash.h"

#include <math.h>
#include <string.h>

/* A job whose ticket was lost is handed out again after this long; sooner when the queue is
 * empty, for then it lost everything; at once after a pause, in which tickets were thrown away. */
enum { AGAIN_MS = 10000, AGAIN_EMPTY_MS = 1000, AGAIN_RESUMED_MS = 1 };
/* Repairs come with every sixth sweep, so many wishes at once; then what is too old, in so many
 * pieces of each kind.
 */
enum { REPAIR_EACH = 6, REPAIRS = 1000, SWEEP_PIECES = 20 };

void keeper_hear(void *worker, const char *topic, const char *text)
{
    struct worker *w = worker;
    bool resume = strcmp(topic, "resume") == 0, feed = resume || strcmp(topic, "wake") == 0;
    bool beat = resume || strcmp(topic, "cancel") == 0 || strcmp(topic, "pause") == 0;

    (void)text;
    pthread_mutex_lock(&w->lock);
    w->feed_now |= feed;
    w->beat_now |= beat;
    w->resumed |= resume;
    if (feed || beat)
        pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* ==== heartbeats ==== */

struct beat {
    struct worker *w;
    size_t count;
    struct lease *leases;
    const char **runs; /* of these jobs: runs, tasks; NULL: neither */
    const char **keys;
    bool *lost, *cancelled, *paused;
    bool all_paused;
    struct arena a;
};

static void collect(struct beat *b)
{
    struct worker *w = b->w;
    size_t n = 0;

    pthread_mutex_lock(&w->lock);
    for (const struct held *h = w->held; h; h = h->next)
        n++;
    b->leases = arena_alloc(&b->a, (n + 1) * sizeof *b->leases);
    b->runs = arena_alloc(&b->a, (n + 1) * sizeof *b->runs);
    b->keys = arena_alloc(&b->a, (n + 1) * sizeof *b->keys);
    b->lost = arena_alloc(&b->a, n + 1);
    b->cancelled = arena_alloc(&b->a, n + 1);
    b->paused = arena_alloc(&b->a, n + 1);
    for (const struct held *h = w->held; h; h = h->next, b->count++) {
        b->leases[b->count] = (struct lease){
            .id = arena_strdup(&b->a, h->row.id), .worker = w->name, .attempt = h->row.attempts};
        b->runs[b->count] = h->row.run_id ? arena_strdup(&b->a, h->row.run_id) : NULL;
        b->keys[b->count] = arena_strdup(&b->a, h->row.key);
    }
    pthread_mutex_unlock(&w->lock);
}

/* The jobs of a run, or a task, that is paused go back; each is asked once. */
static int ask_runs(struct beat *b, struct tx *tx, struct err *e)
{
    for (size_t i = 0; i < b->count; i++) {
        size_t same = 0;
        if (!b->runs[i])
            continue;
        while (same < i && (!b->runs[same] || strcmp(b->runs[same], b->runs[i]) != 0))
            same++;
        if (same < i) {
            b->paused[i] = b->paused[same];
            continue;
        }
        int rc = jobs_run_paused(tx, b->runs[i], &b->paused[i], e);
        if (rc)
            return rc;
    }
    return 0;
}

static int beat_step(struct tx *tx, void *user, struct err *e)
{
    struct beat *b = user;
    int rc = jobs_paused(tx, &b->all_paused, e);

    if (!rc && b->count)
        rc = jobs_heartbeat(tx, b->leases, b->count, clock_unix_ms(),
                            (int64_t)(b->w->o.lease_seconds * 1000), b->lost, b->cancelled, e);
    return rc ? rc : ask_runs(b, tx, e);
}

/* Under the lock: what the database said about one job. What is being stored ends by itself. */
static void apply(struct worker *w, struct held *h, const struct beat *b, size_t i)
{
    bool unwanted = b->lost[i] || b->cancelled[i], back = b->paused[i] || b->all_paused;

    if (h->state == HELD_ENDING)
        return;
    atomic_store(&h->unwanted, unwanted);
    atomic_store(&h->give_back, back);
    if (h->state == HELD_READY && (unwanted || back))
        worker_end(w, h, unwanted ? END_DROP : END_RELEASE);
    else if (h->state == HELD_DRAWING && (unwanted || back))
        provider_interrupt(w->o.provider, &h->draw);
}

static void apply_all(struct beat *b)
{
    struct worker *w = b->w;

    pthread_mutex_lock(&w->lock);
    w->paused = b->all_paused;
    for (struct held *h = w->held; h; h = h->next)
        for (size_t i = 0; i < b->count; i++)
            if (strcmp(b->leases[i].id, h->row.id) == 0 && b->leases[i].attempt == h->row.attempts)
                apply(w, h, b, i);
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* ==== who waits for what is drawn ==== */

size_t find_watchers(struct tx *tx, const char *key, char out[WATCHERS][UUID_TEXT])
{
    struct generation_filter f = generation_filter();
    struct arena a = {0};
    struct generation *rows;
    const char *next;
    size_t n, kept = 0;
    struct err e;

    f.key = key;
    f.limit = 2 * WATCHERS;
    if (generations_list(tx, &f, &a, &rows, &n, &next, &e))
        n = 0;
    for (size_t i = 0; i < n && kept < WATCHERS; i++)
        if (rows[i].status == GENERATION_QUEUED || rows[i].status == GENERATION_RUNNING)
            snprintf(out[kept++], UUID_TEXT, "%s", rows[i].id);
    arena_release(&a);
    return kept;
}

/* Those who came after the claim: found again with every heartbeat. */
static void renew_watchers(const struct beat *b)
{
    struct worker *w = b->w;
    char watchers[WATCHERS][UUID_TEXT];
    struct tx *tx;
    struct err e;

    if (!b->count || tx_begin(w->o.submitter->db, TX_READ, &tx, &e))
        return;
    for (size_t i = 0; i < b->count; i++) {
        size_t n = find_watchers(tx, b->keys[i], watchers);
        pthread_mutex_lock(&w->lock);
        for (struct held *h = w->held; h; h = h->next)
            if (strcmp(h->row.id, b->leases[i].id) == 0) {
                memcpy(h->watchers, watchers, n * sizeof *watchers);
                h->watcher_count = n;
            }
        pthread_mutex_unlock(&w->lock);
    }
    tx_rollback(tx);
}

static bool heartbeat(struct worker *w)
{
    struct beat b = {.w = w};
    struct err e;

    collect(&b);
    int rc = transact(w->o.submitter->db, beat_step, &b, &e);
    if (rc)
        LOG(LOG_WARNING, "no heartbeat", LOG_ERR(&e));
    else
        apply_all(&b);
    if (!rc)
        renew_watchers(&b);
    arena_release(&b.a);
    return rc == 0;
}

/* ==== the feeder ==== */

struct feed {
    int limit;
    int64_t again_ms;
    struct arena a;
    struct job_row *rows;
    size_t count;
};

static int feed_step(struct tx *tx, void *user, struct err *e)
{
    struct feed *f = user;
    bool paused;
    int rc = jobs_paused(tx, &paused, e);

    f->count = 0;
    if (rc || paused)
        return rc;
    return jobs_feed(tx, f->limit, clock_unix_ms(), f->again_ms, &f->a, &f->rows, &f->count, e);
}

static int feed(struct worker *w, bool resumed, struct err *e)
{
    struct submitter *s = w->o.submitter;
    struct feed f = {0};
    int64_t waiting;
    int rc = queue_length(s->queue, &waiting, e);

    if (rc || waiting >= w->o.window)
        return rc;
    f.limit = w->o.window - (int)waiting;
    f.again_ms = resumed ? AGAIN_RESUMED_MS : waiting ? AGAIN_MS : AGAIN_EMPTY_MS;
    rc = transact(s->db, feed_step, &f, e);
    for (size_t i = 0; i < f.count && !rc; i++)
        rc = queue_push(s->queue, f.rows[i].id, f.rows[i].priority, e);
    arena_release(&f.a);
    return rc;
}

/* ==== sweeps ==== */

struct sweep {
    struct worker *w;
    struct arena a;
    const char **ids;
    size_t count, repaired;
    struct job_outcome outcome;
};

static int expire_step(struct tx *tx, void *user, struct err *e)
{
    struct sweep *x = user;
    int64_t now = clock_unix_ms();

    return jobs_expire(tx, now, now + (int64_t)(backoff(1, x->w->o.backoff_seconds, 60) * 1000),
                       &x->a, &x->ids, &x->count, &x->outcome, e);
}

static int budget_step(struct tx *tx, void *user, struct err *e)
{
    struct sweep *x = user;

    return runs_over_budget(tx, clock_unix_ms(), &x->a, &x->ids, &x->count, e);
}

static int repair_step(struct tx *tx, void *user, struct err *e)
{
    struct sweep *x = user;

    return jobs_repair(tx, clock_unix_ms(), REPAIRS, &x->a, &x->repaired, &x->outcome, e);
}

static int repair(struct worker *w, struct err *e)
{
    struct sweep x = {.w = w};
    int rc = transact(w->o.submitter->db, repair_step, &x, e);

    if (!rc && x.repaired) {
        LOG(LOG_WARNING, "wishes without a job were put right", LOG_NUMBER("count", x.repaired));
        publish_outcome(w->o.submitter, &x.outcome);
    }
    arena_release(&x.a);
    return rc;
}

static int sweep(struct worker *w, struct err *e)
{
    struct sweep x = {.w = w};
    struct submitter *s = w->o.submitter;
    int rc = transact(s->db, expire_step, &x, e);

    if (!rc && x.count) {
        LOG(LOG_WARNING, "leases ran out", LOG_NUMBER("jobs", x.count));
        publish_outcome(s, &x.outcome);
    }
    if (!rc)
        rc = transact(s->db, budget_step, &x, e);
    for (size_t i = 0; i < x.count && !rc; i++) {
        LOG(LOG_INFO, "budget of a run is used up", LOG_TEXT("run", x.ids[i]));
        rc = cancel_run(s, x.ids[i], e);
    }
    arena_release(&x.a);
    return rc;
}

/* ==== the loop ==== */

static void tell_alive(struct worker *w)
{
    struct worker_status now;
    struct arena a = {0};

    worker_status(w, &now);
    json_t *x = json_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:I, s:f}", "id", w->name, "host",
                          w->host, "device", w->o.draw ? w->slots[0].device : "none", "slots",
                          now.slots, "busy", now.busy, "finished", (json_int_t)now.finished,
                          "failed", (json_int_t)now.failed, "steps_per_second",
                          now.steps_per_second);
    if (x)
        bus_tell(w->o.submitter->bus, "worker", json_compact(x, &a));
    json_decref(x);
    arena_release(&a);
}

struct timers {
    double beat, feed, sweep;
    unsigned sweeps;
    bool beats; /* the last heartbeat reached the database */
    bool feed_failed, sweep_failed;
};

static void complain(bool *failed, int rc, const char *what, const struct err *e)
{
    if (rc && !*failed)
        LOG(LOG_WARNING, what, LOG_ERR(e));
    *failed = rc != 0;
}

static void do_feed(struct worker *w, struct timers *t, bool resumed, double now)
{
    struct err e;
    int rc = feed(w, resumed, &e);

    complain(&t->feed_failed, rc, "queue cannot be fed", &e);
    t->feed = now + (rc ? fmax(w->o.feed_seconds, 1) : w->o.feed_seconds);
}

/* What is too old to be of use; the rest of much is for the next time. */
static int clean(struct worker *w, struct err *e)
{
    struct db *db = w->o.submitter->db;
    int64_t now = clock_unix_ms();
    int rc = sweep_trash(db, now - TRASH_MS, SWEEP_PIECES, e);

    return rc ? rc : sweep_jobs(db, now - (int64_t)(w->o.job_days * 86400e3), SWEEP_PIECES, e);
}

/* Leases of others are judged only while ours reach the database: after an outage, everybody has
 * one heartbeat's time to come back. */
static void do_sweep(struct worker *w, struct timers *t, double now)
{
    struct err e;

    if (t->beats) {
        int rc = sweep(w, &e);
        if (!rc && t->sweeps++ % REPAIR_EACH == 0) {
            rc = repair(w, &e);
            if (!rc)
                rc = clean(w, &e);
        }
        complain(&t->sweep_failed, rc, "leases cannot be swept", &e);
    }
    t->sweep = now + backoff(1, w->o.sweep_seconds, w->o.sweep_seconds);
}

static void do_beat(struct worker *w, struct timers *t, double now)
{
    bool before = t->beats;

    t->beats = heartbeat(w);
    t->beat = now + (t->beats ? w->o.heartbeat_seconds : fmin(1, w->o.heartbeat_seconds));
    if (t->beats && !before)
        t->sweep = fmax(t->sweep, now + 2 * w->o.heartbeat_seconds);
    tell_alive(w);
}

/* Under the lock: wait until something is due; false when the worker has ended. */
static bool wait_until_due(struct worker *w, const struct timers *t, bool feeds)
{
    double now, due = fmin(fmin(t->beat, t->sweep), feeds ? t->feed : INFINITY);

    while (!w->finished && !w->beat_now && !(w->feed_now && feeds) && (now = clock_seconds()) < due)
        worker_wait(w, due - now);
    return !w->finished;
}

void *keeper_run(void *worker)
{
    struct worker *w = worker;
    struct timers t = {.beats = true, .sweep = clock_seconds() + w->o.sweep_seconds * 0.1};
    bool feeds = w->o.draw || queue_shared(w->o.submitter->queue);

    pthread_mutex_lock(&w->lock);
    while (wait_until_due(w, &t, feeds)) {
        double now = clock_seconds();
        bool beat = w->beat_now || t.beat <= now, stopping = w->stopping;
        bool fill = feeds && !stopping && (w->feed_now || t.feed <= now);
        bool resumed = fill && w->resumed;
        w->beat_now = w->feed_now = false;
        w->resumed = w->resumed && !fill;
        w->taken = fill ? 0 : w->taken;
        pthread_mutex_unlock(&w->lock);
        if (beat)
            do_beat(w, &t, now);
        if (fill)
            do_feed(w, &t, resumed, now);
        else if (stopping)
            t.feed = now + w->o.feed_seconds;
        if (t.sweep <= now)
            do_sweep(w, &t, now);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}
