/*
 * progress.c: the event experiment:{id}:progress: a run's counters as the database has them, at
 * most ten times a second for an experiment, the last state always.
 *
 * `sequence` orders events that arrive late: the milliseconds of the clock when the counters were
 * read, made to grow strictly in this process.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/hub.h"
#include "storage/experiments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PERIOD = 0.1, RATE_WINDOW = 60, KEEP = 600;
enum { AT_ONCE = 64 };

static void copy_id(char out[UUID_TEXT], const char *id)
{
    if (id && strlen(id) < UUID_TEXT)
        memcpy(out, id, strlen(id) + 1);
}

void progress_mark(struct hub *h, const char *run_id, const char *last_generation)
{
    struct run_state *r = h->runs;

    while (r && strcmp(r->run_id, run_id) != 0)
        r = r->next;
    if (!r) {
        r = calloc(1, sizeof *r);
        if (!r)
            return;
        copy_id(r->run_id, run_id);
        r->next = h->runs;
        h->runs = r;
    }
    copy_id(r->last, last_generation);
    r->dirty = true;
    r->touched = clock_seconds();
}

double progress_due(const struct hub *h)
{
    double when = INFINITY;

    for (const struct run_state *r = h->runs; r; r = r->next)
        if (r->dirty)
            when = fmin(when, r->not_before);
    return when;
}

/* Pictures a second over the last minute, NAN when unknown. */
static double rate_of(struct run_state *r, const struct run *run, double now)
{
    int64_t ended = run->completed + run->failed;
    size_t last = (r->samples + RATE_SAMPLES - 1) % RATE_SAMPLES;

    if (!r->samples || now - r->times[last] >= 1) {
        r->times[r->samples % RATE_SAMPLES] = now;
        r->counts[r->samples % RATE_SAMPLES] = ended;
        r->samples++;
    }
    size_t first = r->samples > RATE_SAMPLES ? r->samples - RATE_SAMPLES : 0;
    for (size_t i = first; i < r->samples; i++) {
        double t = now - r->times[i % RATE_SAMPLES];
        int64_t n = ended - r->counts[i % RATE_SAMPLES];
        if (t <= RATE_WINDOW && t >= 2 && n > 0)
            return (double)n / t;
    }
    double t = (double)(clock_unix_ms() - run->started_at) / 1000;
    int64_t drawn = ended - run->reused;
    return run->started_at && drawn > 0 && t > 0 ? (double)drawn / t : NAN;
}

static json_t *number_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

/* Of the cell that ended last, when it has a picture. */
static json_t *latest_image(struct tx *tx, const char *id, struct arena *a)
{
    struct generation g;
    struct err e;

    if (!id[0] || generations_get(tx, id, a, &g, &e) || !g.sha256)
        return json_null();
    return json_pack("{s:s, s:s, s:s}", "generation_id", id, "url", generation_url(id, a),
                     "thumbnail_url", generation_thumbnail_url(id, a));
}

static void publish(struct hub *h, const struct run_state *r, const struct run *run, json_t *data,
                    struct arena *a)
{
    struct bus_event event = {
        .room = arena_printf(a, "%s experiment:%s", r->room, run->experiment_id),
        .name = arena_printf(a, "experiment:%s:progress", run->experiment_id),
        .data = json_compact(data, a),
        .may_drop = run->status == EXPERIMENT_RUNNING,
    };

    bus_publish(h->s->bus, &event);
}

static json_t *describe(struct run_state *r, const struct run *run, json_t *latest)
{
    double rate = rate_of(r, run, clock_seconds());
    int64_t left = run->total - run->completed - run->failed - run->cancelled - run->impossible;
    int64_t now = clock_unix_ms();

    r->sequence = now > r->sequence ? now : r->sequence + 1;
    return json_pack("{s:s, s:s, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I}",
                     "experiment_id", run->experiment_id, "run_id", run->id, "number", run->number,
                     "status", experiment_status_name(run->status), "total", (json_int_t)run->total,
                     "completed", (json_int_t)run->completed, "failed", (json_int_t)run->failed,
                     "cancelled", (json_int_t)run->cancelled, "impossible",
                     (json_int_t)run->impossible, "reused", (json_int_t)run->reused, "eta_seconds",
                     number_or_null((double)left / rate), "rate", number_or_null(rate),
                     "latest_image", latest, "sequence", (json_int_t)r->sequence);
}

/* What a run's event needs of its experiment, once. A run that is gone has nobody to tell. */
static int tell(struct hub *h, struct run_state *r, const char *last, struct tx *tx,
                struct arena *a, struct err *e)
{
    struct run run;
    struct experiment x;
    int rc = runs_get(tx, r->run_id, a, &run, e);

    if (!rc && !r->room[0]) {
        rc = experiments_get(tx, run.experiment_id, a, &x, e);
        if (!rc)
            user_room(x.user_id, r->room);
    }
    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc)
        return rc;
    copy_id(r->experiment_id, run.experiment_id);
    json_t *data = describe(r, &run, latest_image(tx, last, a));
    if (!data)
        return ERR(e, ERR_NOMEM, "no memory for the progress of a run");
    publish(h, r, &run, data, a);
    json_decref(data);
    return 0;
}

/* Under the lock: take the marks of what may be told. */
static size_t take_due(struct hub *h, double now, struct run_state *due[AT_ONCE],
                       char last[AT_ONCE][UUID_TEXT])
{
    size_t n = 0;

    for (struct run_state *r = h->runs; r && n < AT_ONCE; r = r->next) {
        if (!r->dirty || r->not_before > now)
            continue;
        r->dirty = false;
        memcpy(last[n], r->last, UUID_TEXT);
        due[n++] = r;
    }
    return n;
}

/* Under the lock: the others of the same experiment wait as long. */
static void delay(struct hub *h, const char *experiment_id, double until)
{
    for (struct run_state *r = h->runs; r; r = r->next)
        if (strcmp(r->experiment_id, experiment_id) == 0)
            r->not_before = until;
}

static void forget_old(struct hub *h, double now)
{
    for (struct run_state **at = &h->runs; *at;) {
        struct run_state *r = *at;
        if (r->dirty || r->touched + KEEP > now) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        free(r);
    }
}

int progress_tell(struct hub *h, struct tx *tx, double now, struct arena *a, struct err *e)
{
    struct run_state *due[AT_ONCE];
    char last[AT_ONCE][UUID_TEXT];
    int rc = 0;

    pthread_mutex_lock(&h->lock);
    size_t n = take_due(h, now, due, last);
    pthread_mutex_unlock(&h->lock);
    for (size_t i = 0; i < n; i++) {
        if (!rc)
            rc = tell(h, due[i], last[i], tx, a, e);
        pthread_mutex_lock(&h->lock);
        due[i]->dirty |= rc != 0;
        if (!rc)
            delay(h, due[i]->experiment_id, clock_seconds() + PERIOD);
        pthread_mutex_unlock(&h->lock);
    }
    pthread_mutex_lock(&h->lock);
    forget_old(h, clock_seconds());
    pthread_mutex_unlock(&h->lock);
    return rc;
}

void progress_forget(struct hub *h)
{
    while (h->runs) {
        struct run_state *r = h->runs;
        h->runs = r->next;
        free(r);
    }
}
