#include "ops/metrics.h"

#include "base/map.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum kind { COUNTER, GAUGE, HISTOGRAM };
enum { BUCKETS = 12 };

struct family {
    const char *name, *help;
    enum kind kind;
    double bounds[BUCKETS]; /* upper ones, ascending; 0 ends them */
};

#define FAST {.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}
#define SLOW {.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 1200}

static const struct family families[METRIC_COUNT] = {
    [METRIC_HTTP_REQUESTS] = {"cauldron_http_requests_total", "Requests answered.", COUNTER, {0}},
    [METRIC_HTTP_SECONDS] = {"cauldron_http_request_seconds",
                             "From a request's last byte to its answer.", HISTOGRAM, FAST},
    [METRIC_HTTP_BYTES] = {"cauldron_http_sent_bytes_total", "Bytes of bodies sent.", COUNTER, {0}},
    [METRIC_PICTURES] = {"cauldron_pictures_total", "Pictures that ended.", COUNTER, {0}},
    [METRIC_PICTURE_SECONDS] = {"cauldron_picture_seconds", "Seconds to draw a picture.", HISTOGRAM,
                                SLOW},
    [METRIC_PHASE_SECONDS] = {"cauldron_phase_seconds", "Seconds in a phase of drawing.", HISTOGRAM,
                              FAST},
    [METRIC_STEPS] = {"cauldron_steps_total",
                      "Evaluations of the network, per picture.",
                      COUNTER,
                      {0}},
    [METRIC_STEPS_PER_SECOND] = {"cauldron_steps_per_second", "Over the last minute.", GAUGE, {0}},
    [METRIC_MODEL_LOADS] = {"cauldron_model_loads_total", "Models opened.", COUNTER, {0}},
    [METRIC_MODEL_HITS] = {"cauldron_model_hits_total", "Models found open.", COUNTER, {0}},
    [METRIC_MODEL_EVICTIONS] = {"cauldron_model_evictions_total",
                                "Models closed to make room.",
                                COUNTER,
                                {0}},
    [METRIC_CELLS_REUSED] = {"cauldron_cells_reused_total",
                             "Pictures asked for and found drawn.",
                             COUNTER,
                             {0}},
    [METRIC_QUEUE_DEPTH] = {"cauldron_queue_jobs", "Jobs by state.", GAUGE, {0}},
    [METRIC_QUEUE_AGE] = {"cauldron_queue_oldest_seconds",
                          "Age of the oldest job that waits.",
                          GAUGE,
                          {0}},
    [METRIC_QUEUE_PAUSED] = {"cauldron_queue_paused",
                             "Whether somebody has paused the queue.",
                             GAUGE,
                             {0}},
    [METRIC_QUEUE_TICKETS] = {"cauldron_queue_tickets",
                              "Jobs handed to the queue and not taken by a worker.",
                              GAUGE,
                              {0}},
    [METRIC_FLEET_WORKERS] = {"cauldron_fleet_workers",
                              "Processes that draw, heard of within the last minute.",
                              GAUGE,
                              {0}},
    [METRIC_FLEET_SLOTS] = {"cauldron_fleet_slots", "Their slots by state.", GAUGE, {0}},
    [METRIC_FLEET_STEPS] = {"cauldron_fleet_steps_per_second",
                            "Theirs together, over the last minute.",
                            GAUGE,
                            {0}},
    [METRIC_WORKER_SLOTS] = {"cauldron_worker_slots", "Slots of this worker by state.", GAUGE, {0}},
    [METRIC_JOB_RETRIES] = {"cauldron_job_retries_total",
                            "Attempts that will be repeated.",
                            COUNTER,
                            {0}},
    [METRIC_LEASES_LOST] = {"cauldron_leases_lost_total",
                            "Leases that ran out while held.",
                            COUNTER,
                            {0}},
    [METRIC_BUS_EVENTS] = {"cauldron_bus_events_total",
                           "Events of the progress bus.",
                           COUNTER,
                           {0}},
    [METRIC_SOCKETS] = {"cauldron_sockets", "Socket.IO clients.", GAUGE, {0}},
    [METRIC_SOCKET_EVENTS] = {"cauldron_socket_events_total", "Socket.IO events.", COUNTER, {0}},
    [METRIC_DB_CONNECTIONS] = {"cauldron_db_connections",
                               "Database connections by state.",
                               GAUGE,
                               {0}},
    [METRIC_DB_QUERIES] = {"cauldron_db_queries_total", "Statements run.", COUNTER, {0}},
    [METRIC_DB_SECONDS] = {"cauldron_db_seconds_total", "Seconds in statements.", COUNTER, {0}},
    [METRIC_DB_FAILURES] = {"cauldron_db_failures_total", "Statements that failed.", COUNTER, {0}},
    [METRIC_LOGINS] = {"cauldron_logins_total", "Attempts to log in.", COUNTER, {0}},
    [METRIC_MEMORY] = {"cauldron_resident_bytes", "Resident memory of this process.", GAUGE, {0}},
    [METRIC_MEMORY_FREE] = {"cauldron_memory_free_bytes",
                            "Memory the machine has left.",
                            GAUGE,
                            {0}},
    [METRIC_GPU_MEMORY] = {"cauldron_gpu_memory_bytes", "Memory of GPUs by state.", GAUGE, {0}},
    [METRIC_BLOB_FREE] = {"cauldron_blob_free_bytes",
                          "Free space where pictures are kept.",
                          GAUGE,
                          {0}},
    [METRIC_SENTRY_EVENTS] = {"cauldron_sentry_events_total",
                              "Error reports by what became of them.",
                              COUNTER,
                              {0}},
    [METRIC_PUSHES] = {"cauldron_push_messages_total",
                       "Messages to browsers by what became of them.",
                       COUNTER,
                       {0}},
    [METRIC_TASKS] = {"cauldron_tasks", "Tasks by status.", GAUGE, {0}},
    [METRIC_TASK_RECORDS] = {"cauldron_task_records_total",
                             "Records of tasks that ended here, by what became of them.",
                             COUNTER,
                             {0}},
    [METRIC_OBJECT_BYTES] = {"cauldron_object_bytes_total",
                             "Bytes sent to object storage.",
                             COUNTER,
                             {0}},
    [METRIC_OBJECT_REQUESTS] = {"cauldron_object_requests_total",
                                "Objects asked of object storage, by operation and outcome.",
                                COUNTER,
                                {0}},
    [METRIC_CALLBACKS] = {"cauldron_callbacks_total",
                          "Tries to tell a task's receiver an event, by outcome.",
                          COUNTER,
                          {0}},
    [METRIC_CALLBACKS_DEAD] = {"cauldron_callbacks_dead",
                               "Events that were given up and wait for a replay.",
                               GAUGE,
                               {0}},
    [METRIC_INFO] = {"cauldron_info", "The running version.", GAUGE, {0}},
    [METRIC_START_TIME] = {"cauldron_start_time_seconds", "When this process started.", GAUGE, {0}},
    [METRIC_DROPPED] = {"cauldron_metrics_dropped_total",
                        "Series over the limit of a family.",
                        COUNTER,
                        {0}},
};

struct series {
    struct series *next;
    const char *labels;
    double value; /* the sum, of a histogram */
    uint64_t count, buckets[BUCKETS];
};

struct metrics {
    pthread_mutex_t lock;
    struct arena arena;
    struct {
        struct map by_labels;
        struct series *first, *last;
        int count;
    } families[METRIC_COUNT];
};

struct metrics *metrics_new(void)
{
    struct metrics *m = calloc(1, sizeof *m);

    if (!m)
        abort();
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (int i = 0; i < METRIC_COUNT; i++)
        map_release(&m->families[i].by_labels);
    arena_release(&m->arena);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

void metrics_labels(char out[METRIC_LABELS], const char *name, ...)
{
    struct buf b;
    va_list list;

    buf_init(&b, METRIC_LABELS - 1);
    va_start(list, name);
    for (; name; name = va_arg(list, const char *)) {
        const char *value = va_arg(list, const char *);
        size_t before = b.n;
        int rc = buf_addf(&b, "%s%s=\"", before ? "," : "", name);
        for (const char *p = value ? value : ""; *p && rc == 0; p++)
            rc = *p == '\n'                ? buf_addf(&b, "\\n")
                 : *p == '"' || *p == '\\' ? buf_addf(&b, "\\%c", *p)
                                           : buf_add(&b, p, 1);
        if (rc || buf_add(&b, "\"", 1))
            b.n = before; /* a label that does not fit is left out whole */
    }
    va_end(list);
    memcpy(out, b.p ? b.p : "", b.n);
    out[b.n] = 0;
    buf_release(&b);
}

/* Under the lock. NULL when the family is full. */
static struct series *series(struct metrics *m, enum metric id, const char *labels)
{
    struct series *s = map_get(&m->families[id].by_labels, str_from(labels));

    if (s)
        return s;
    if (m->families[id].count >= METRIC_SERIES) {
        if (id != METRIC_DROPPED && (s = series(m, METRIC_DROPPED, "")))
            s->value++;
        return NULL;
    }
    s = ARENA_NEW(&m->arena, struct series);
    s->labels = arena_strdup(&m->arena, labels);
    map_put(&m->families[id].by_labels, str_from(labels), s);
    if (m->families[id].last)
        m->families[id].last->next = s;
    else
        m->families[id].first = s;
    m->families[id].last = s;
    m->families[id].count++;
    return s;
}

enum change { ADD, SET, OBSERVE };

static void change(struct metrics *m, enum metric id, const char *labels, double value,
                   enum change how)
{
    if (!m)
        return;
    pthread_mutex_lock(&m->lock);
    struct series *s = series(m, id, labels);
    if (s && how == SET) {
        s->value = value;
    } else if (s) {
        s->value += value;
        s->count++;
        const double *bounds = families[id].bounds;
        for (int i = 0; how == OBSERVE && i < BUCKETS && bounds[i] > 0; i++)
            s->buckets[i] += value <= bounds[i];
    }
    pthread_mutex_unlock(&m->lock);
}

void metrics_add(struct metrics *m, enum metric id, const char *labels, double value)
{
    change(m, id, labels, value, ADD);
}

void metrics_set(struct metrics *m, enum metric id, const char *labels, double value)
{
    change(m, id, labels, value, SET);
}

void metrics_observe(struct metrics *m, enum metric id, const char *labels, double value)
{
    change(m, id, labels, value, OBSERVE);
}

static int histogram_text(const struct family *f, const struct series *s, struct buf *out)
{
    const char *comma = s->labels[0] ? "," : "";

    for (int i = 0; i < BUCKETS && f->bounds[i] > 0; i++)
        if (buf_addf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", f->name, s->labels, comma,
                     f->bounds[i], (unsigned long long)s->buckets[i]))
            return ERR_NOMEM;
    if (buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", f->name, s->labels, comma,
                 (unsigned long long)s->count))
        return ERR_NOMEM;
    const char *open = s->labels[0] ? "{" : "", *close = s->labels[0] ? "}" : "";
    return buf_addf(out, "%s_sum%s%s%s %.17g\n%s_count%s%s%s %llu\n", f->name, open, s->labels,
                    close, s->value, f->name, open, s->labels, close, (unsigned long long)s->count);
}

int metrics_text(struct metrics *m, struct buf *out)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    int rc = 0;

    pthread_mutex_lock(&m->lock);
    for (int i = 0; i < METRIC_COUNT && rc == 0; i++) {
        const struct family *f = &families[i];
        const struct series *s = m->families[i].first;
        if (s)
            rc = buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
                          kinds[f->kind]);
        for (; s && rc == 0; s = s->next) {
            if (f->kind == HISTOGRAM)
                rc = histogram_text(f, s, out);
            else if (s->labels[0])
                rc = buf_addf(out, "%s{%s} %.17g\n", f->name, s->labels, s->value);
            else
                rc = buf_addf(out, "%s %.17g\n", f->name, s->value);
        }
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}
