/* system.c: /healthz, /readyz, /metrics, /version. */
#include "api/app.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "ops/metrics.h"
#include "ops/push.h"
#include "ops/sentry.h"

#include "api/api_routes.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int api_healthz(struct request *r, struct response *w, struct err *e)
{
    (void)r, (void)e;
    return respond_json(w, 200, json_pack("{s:s}", "status", "ok"));
}

int api_version(struct request *r, struct response *w, struct err *e)
{
    const char *version = app_of(r)->version;
    (void)e;

    return respond_json(w, 200,
                        json_pack("{s:s, s:s, s:s, s:n}", "name", "cauldron", "version", version,
                                  "api", version, "build"));
}

/* ==== readiness ==== */

static int check_database(struct app *app, struct arena *a, struct err *e)
{
    struct queue_depth depth;
    struct tx *tx;
    int rc = tx_begin(app->db, TX_READ, &tx, e);
    (void)a;

    if (rc)
        return rc;
    rc = jobs_depth(tx, &depth, e);
    tx_rollback(tx);
    return rc;
}

static int check_queue(struct app *app, struct arena *a, struct err *e)
{
    int64_t length;
    (void)a;

    return queue_length(app->queue, &length, e);
}

static int check_pictures(struct app *app, struct arena *a, struct err *e)
{
    (void)a;
    return blobs_check(app->blobs, e);
}

static int check_models(struct app *app, struct arena *a, struct err *e)
{
    struct provider_model *models;
    size_t count;

    return provider_models(app->provider, a, &models, &count, e);
}

static const struct check {
    const char *name;
    int (*run)(struct app *app, struct arena *a, struct err *e);
    const char *advice; /* public: no addresses, no paths; the log has them */
} checks[] = {
    {"database", check_database, "the database does not answer"},
    {"queue", check_queue, "the queue does not answer"},
    {"pictures", check_pictures, "the picture store cannot be written and read"},
    {"models", check_models, "the folders of models cannot be read"},
};

int api_readyz(struct request *r, struct response *w, struct err *e)
{
    json_t *list = json_array();
    bool ready = true;

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        double start = clock_seconds();
        bool ok = checks[i].run(app_of(r), request_arena(r), e) == 0;
        if (!ok)
            LOG(LOG_WARNING, "not ready", LOG_TEXT("check", checks[i].name), LOG_ERR(e));
        ready = ready && ok;
        json_array_append_new(list,
                              json_pack("{s:s, s:b, s:o, s:f}", "name", checks[i].name, "ok", ok,
                                        "detail", ok ? json_null() : json_string(checks[i].advice),
                                        "seconds", clock_seconds() - start));
    }
    if (!ready)
        respond_header(w, "Retry-After", "5");
    respond_header(w, "Cache-Control", "no-store");
    return respond_json(
        w, ready ? 200 : 503,
        json_pack("{s:s, s:o}", "status", ready ? "ok" : "unavailable", "checks", list));
}

/* ==== metrics ==== */

static void set(struct metrics *m, enum metric id, const char *label, const char *value, double x)
{
    char labels[METRIC_LABELS] = "";

    if (label)
        metrics_labels(labels, label, value, NULL);
    metrics_set(m, id, labels, x);
}

static void gauge_database(struct app *app)
{
    struct metrics *m = app->metrics;
    struct db_stats db;

    db_stats(app->db, &db);
    set(m, METRIC_DB_CONNECTIONS, "state", "open", db.open);
    set(m, METRIC_DB_CONNECTIONS, "state", "busy", db.busy);
    set(m, METRIC_DB_QUERIES, NULL, NULL, (double)db.queries);
    set(m, METRIC_DB_SECONDS, NULL, NULL, db.seconds);
    set(m, METRIC_DB_FAILURES, NULL, NULL, (double)db.failures);
}

/* What all processes share is told by the servers: asking costs the database and Redis something,
 * and there may be a thousand workers. */
static void gauge_queue(struct app *app)
{
    struct metrics *m = app->metrics;
    struct queue_depth d;
    struct tx *tx;
    struct err e;
    bool paused;

    if (tx_begin(app->db, TX_READ, &tx, &e))
        return;
    if (jobs_paused(tx, &paused, &e) == 0)
        set(m, METRIC_QUEUE_PAUSED, NULL, NULL, paused);
    if (jobs_depth(tx, &d, &e) == 0) {
        double age = d.oldest_ms ? (double)(clock_unix_ms() - d.oldest_ms) / 1000 : 0;
        set(m, METRIC_QUEUE_DEPTH, "state", "queued", (double)d.queued);
        set(m, METRIC_QUEUE_DEPTH, "state", "running", (double)d.running);
        set(m, METRIC_QUEUE_DEPTH, "state", "delayed", (double)d.delayed);
        set(m, METRIC_QUEUE_DEPTH, "state", "dead", (double)d.dead);
        set(m, METRIC_QUEUE_AGE, NULL, NULL, age > 0 ? age : 0);
    }
    tx_rollback(tx);
}

static void gauge_events(struct app *app)
{
    struct metrics *m = app->metrics;
    struct bus_stats bus;
    struct socketio_stats io;

    bus_stats(app->bus, &bus);
    set(m, METRIC_BUS_EVENTS, "direction", "published", (double)bus.published);
    set(m, METRIC_BUS_EVENTS, "direction", "received", (double)bus.received);
    set(m, METRIC_BUS_EVENTS, "direction", "dropped", (double)bus.dropped);
    if (!app->sockets)
        return;
    socketio_stats(app->sockets, &io);
    set(m, METRIC_SOCKETS, NULL, NULL, io.sockets);
    set(m, METRIC_SOCKET_EVENTS, "direction", "sent", (double)io.sent);
    set(m, METRIC_SOCKET_EVENTS, "direction", "received", (double)io.received);
    set(m, METRIC_SOCKET_EVENTS, "direction", "dropped", (double)io.dropped);
}

static void gauge_engine(struct app *app)
{
    struct metrics *m = app->metrics;
    struct provider_stats p;
    struct worker_status s;

    provider_stats(app->provider, &p);
    set(m, METRIC_MODEL_LOADS, NULL, NULL, (double)p.loads);
    set(m, METRIC_MODEL_HITS, NULL, NULL, (double)p.hits);
    set(m, METRIC_MODEL_EVICTIONS, NULL, NULL, (double)p.evictions);
    set(m, METRIC_STEPS, NULL, NULL, (double)p.steps);
    if (!app->worker)
        return;
    worker_status(app->worker, &s);
    set(m, METRIC_WORKER_SLOTS, "state", "busy", s.busy);
    set(m, METRIC_WORKER_SLOTS, "state", "idle", s.slots - s.busy);
    set(m, METRIC_STEPS_PER_SECOND, NULL, NULL, s.steps_per_second);
    set(m, METRIC_JOB_RETRIES, NULL, NULL, (double)s.retried);
    set(m, METRIC_LEASES_LOST, NULL, NULL, (double)s.lost);
}

/* Of all processes that share the queue, as they tell of themselves. */
static void gauge_fleet(struct app *app)
{
    struct metrics *m = app->metrics;
    json_t *all = workers_seen(app->submitter), *one;
    int64_t tickets, workers = 0, slots = 0, busy = 0;
    double steps = 0;
    struct err e;
    size_t i;

    json_array_foreach(all, i, one)
    {
        if (strcmp(json_text(one, "device", "none"), "none") == 0)
            continue; /* a server that leaves drawing to others */
        workers++;
        slots += json_int(one, "slots", 0);
        busy += json_int(one, "busy", 0);
        steps += json_num(one, "steps_per_second", 0);
    }
    json_decref(all);
    set(m, METRIC_FLEET_WORKERS, NULL, NULL, (double)workers);
    set(m, METRIC_FLEET_SLOTS, "state", "busy", (double)busy);
    set(m, METRIC_FLEET_SLOTS, "state", "idle", (double)(slots - busy));
    set(m, METRIC_FLEET_STEPS, NULL, NULL, steps);
    if (queue_length(app->queue, &tickets, &e) == 0)
        set(m, METRIC_QUEUE_TICKETS, NULL, NULL, (double)tickets);
}

/* Pages of resident memory: the second number of /proc/self/statm (proc(5)). */
static int64_t resident_bytes(void)
{
    char text[128] = "";
    struct str s, size, pages;
    int64_t n = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f)
        return 0;
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    s = str_from(text);
    if (!str_cut(&s, ' ', &size) || !str_cut(&s, ' ', &pages) || !str_to_i64(pages, &n))
        return 0;
    return n * sysconf(_SC_PAGESIZE);
}

static void gauge_gpus(struct app *app, struct metrics *m)
{
    char labels[METRIC_LABELS];
    struct hardware_info info;
    struct arena a = {0};
    struct err e;

    if (provider_hardware(app->provider, &a, &info, &e))
        LOG(LOG_WARNING, "hardware unknown", LOG_ERR(&e));
    else
        for (size_t i = 0; i < info.device_count; i++) {
            const struct hardware_device *d = &info.devices[i];
            if (strcmp(d->kind, "cpu") == 0 || d->memory <= 0)
                continue;
            metrics_labels(labels, "device", d->id, "state", "free", NULL);
            metrics_set(m, METRIC_GPU_MEMORY, labels, (double)d->memory_free);
            metrics_labels(labels, "device", d->id, "state", "all", NULL);
            metrics_set(m, METRIC_GPU_MEMORY, labels, (double)d->memory);
        }
    arena_release(&a);
}

static void gauge_reports(struct app *app, struct metrics *m)
{
    struct sentry_stats s;
    struct push_stats push;

    sentry_stats(app->sentry, &s);
    set(m, METRIC_SENTRY_EVENTS, "result", "sent", (double)s.sent);
    set(m, METRIC_SENTRY_EVENTS, "result", "failed", (double)s.failed);
    set(m, METRIC_SENTRY_EVENTS, "result", "dropped", (double)s.dropped);
    if (!app->push)
        return;
    push_stats(app->push, &push);
    set(m, METRIC_PUSHES, "result", "taken", (double)push.taken);
    set(m, METRIC_PUSHES, "result", "failed", (double)push.failed);
}

static void gauge_machine(struct app *app)
{
    struct metrics *m = app->metrics;
    int64_t room = blobs_free_space(app->blobs);

    set(m, METRIC_MEMORY, NULL, NULL, (double)resident_bytes());
    set(m, METRIC_MEMORY_FREE, NULL, NULL,
        (double)sysconf(_SC_AVPHYS_PAGES) * (double)sysconf(_SC_PAGESIZE));
    if (room >= 0)
        set(m, METRIC_BLOB_FREE, NULL, NULL, (double)room);
    gauge_gpus(app, m);
    gauge_reports(app, m);
    set(m, METRIC_INFO, "version", app->version, 1);
    set(m, METRIC_START_TIME, NULL, NULL, (double)app->started_at / 1000);
}

int api_metrics(struct request *r, struct response *w, struct err *e)
{
    struct app *app = app_of(r);
    struct buf text;
    int rc;

    gauge_database(app);
    gauge_events(app);
    gauge_engine(app);
    gauge_machine(app);
    if (app->sockets) { /* a server */
        gauge_queue(app);
        gauge_fleet(app);
    }
    buf_init(&text, 8 << 20);
    rc = metrics_text(app->metrics, &text);
    if (rc)
        rc = ERR(e, ERR_NOMEM, "the metrics are larger than their buffer");
    else
        rc = respond_bytes(w, 200, "text/plain; version=0.0.4; charset=utf-8",
                           (struct str){text.p, text.n});
    buf_release(&text);
    return rc;
}
