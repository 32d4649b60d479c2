/*
 * metrics.h: numbers for Prometheus: counters, gauges and histograms, and their text.
 *
 *   struct metrics *m = metrics_new();
 *   char labels[METRIC_LABELS];
 *   metrics_labels(labels, "route", "list_generations", "status", "200", NULL);
 *   metrics_add(m, METRIC_HTTP_REQUESTS, labels, 1);
 *   metrics_observe(m, METRIC_HTTP_SECONDS, "", 0.012);
 *   metrics_text(m, &buf);                       text exposition format 0.0.4
 *
 * Families are one table in metrics.c; a series comes to be when it is first used, at most
 * METRIC_SERIES of a family (more are counted in cauldron_metrics_dropped_total). Threads: any.
 */
#ifndef OPS_METRICS_H
#define OPS_METRICS_H

#include "base/buf.h"

enum metric {
    METRIC_HTTP_REQUESTS, /* route, status */
    METRIC_HTTP_SECONDS,  /* route */
    METRIC_HTTP_BYTES,
    METRIC_PICTURES, /* model, result */
    METRIC_PICTURE_SECONDS,
    METRIC_PHASE_SECONDS, /* phase */
    METRIC_STEPS,
    METRIC_STEPS_PER_SECOND,
    METRIC_MODEL_LOADS,
    METRIC_MODEL_HITS,
    METRIC_MODEL_EVICTIONS,
    METRIC_CELLS_REUSED,
    METRIC_QUEUE_DEPTH, /* state */
    METRIC_QUEUE_AGE,
    METRIC_QUEUE_PAUSED,
    METRIC_QUEUE_TICKETS,
    METRIC_FLEET_WORKERS,
    METRIC_FLEET_SLOTS, /* state */
    METRIC_FLEET_STEPS,
    METRIC_WORKER_SLOTS, /* state */
    METRIC_JOB_RETRIES,
    METRIC_LEASES_LOST,
    METRIC_BUS_EVENTS, /* direction */
    METRIC_SOCKETS,
    METRIC_SOCKET_EVENTS,  /* direction */
    METRIC_DB_CONNECTIONS, /* state */
    METRIC_DB_QUERIES,
    METRIC_DB_SECONDS,
    METRIC_DB_FAILURES,
    METRIC_LOGINS, /* result */
    METRIC_MEMORY,
    METRIC_MEMORY_FREE,
    METRIC_GPU_MEMORY, /* device, state */
    METRIC_BLOB_FREE,
    METRIC_SENTRY_EVENTS, /* result */
    METRIC_PUSHES,        /* result */
    METRIC_TASKS,         /* status */
    METRIC_TASK_RECORDS,  /* outcome */
    METRIC_OBJECT_BYTES,
    METRIC_OBJECT_REQUESTS, /* operation, outcome */
    METRIC_CALLBACKS,       /* outcome */
    METRIC_CALLBACKS_DEAD,
    METRIC_INFO, /* version */
    METRIC_START_TIME,
    METRIC_DROPPED,
    METRIC_COUNT
};
enum { METRIC_LABELS = 256, METRIC_SERIES = 500 };

struct metrics;
struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* Pairs of name and value, ended by NULL; values are escaped, and cut where the text would not fit.
 */
void metrics_labels(char out[METRIC_LABELS], const char *name, ...) __attribute__((sentinel));

/* `labels` as metrics_labels makes them, "" for none. */
void metrics_add(struct metrics *m, enum metric id, const char *labels, double value);
/* Gauges, and counters that are counted elsewhere and copied. */
void metrics_set(struct metrics *m, enum metric id, const char *labels, double value);
void metrics_observe(struct metrics *m, enum metric id, const char *labels, double value);

/* Append everything. ERR_NOMEM when it does not fit the buffer's maximum. */
WARN_UNUSED_RESULT int metrics_text(struct metrics *m, struct buf *out);

#endif
