/*
 * queue.h: how jobs reach workers: queue_memory.c (one process) and queue_redis.c (Redis Streams, a
 * consumer group, XAUTOCLAIM). The database is the truth (storage/jobs.h); a queue only says "look
 * at this job", perhaps twice, perhaps never: claims are fenced in the database, and the feeder
 * hands every waiting job out again after a while. Losing a queue's whole content loses nothing.
 *
 *   struct queue *q;
 *   if (queue_open("memory:", &q, &e)) ...                  or "redis://host:6379/0?prefix=main"
 *   if (queue_push(q, id, priority, &e)) ...
 *   if (queue_take(q, worker, 1.0, &ticket, &e) == 1) { ...; queue_done(q, &ticket, &e); }
 *
 * Errors: ERR_NETWORK when Redis is away; calls reconnect by themselves, also when it was away when
 * the queue was opened. Threads: any.
 */
#ifndef JOBS_QUEUE_H
#define JOBS_QUEUE_H

#include "base/err.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

struct ticket {
    char job[UUID_TEXT];
    char entry[64]; /* the queue's own */
    int stream;     /* which of the queue's streams */
};

WARN_UNUSED_RESULT int queue_open(const char *url, struct queue **out, struct err *e);
void queue_close(struct queue *q);
WARN_UNUSED_RESULT int queue_push(struct queue *q, const char *job, int priority, struct err *e);
/* 1 with a ticket, 0 after `seconds` without one, or an error. Smaller priorities first. */
WARN_UNUSED_RESULT int queue_take(struct queue *q, const char *worker, double seconds,
                                  struct ticket *out, struct err *e);
/* The job has ended, or is somebody else's: forget the entry. */
WARN_UNUSED_RESULT int queue_done(struct queue *q, const struct ticket *t, struct err *e);
/* Take over what a dead worker has held longer than `idle_seconds`: 1 with a ticket, else 0. */
WARN_UNUSED_RESULT int queue_reclaim(struct queue *q, const char *worker, double idle_seconds,
                                     struct ticket *out, struct err *e);
/* How many entries wait to be taken. */
WARN_UNUSED_RESULT int queue_length(struct queue *q, int64_t *out, struct err *e);
/* Make every blocked queue_take return soon, for shutdown. */
void queue_wake(struct queue *q);
/* Whether other processes take from it; only a worker may fill one that is this process's alone. */
bool queue_shared(const struct queue *q);

struct queue_backend {
    bool shared;
    int (*open)(struct queue *q, const char *url, struct err *e);
    void (*close)(struct queue *q);
    int (*push)(struct queue *q, const char *job, int priority, struct err *e);
    int (*take)(struct queue *q, const char *worker, double seconds, struct ticket *out,
                struct err *e);
    int (*done)(struct queue *q, const struct ticket *t, struct err *e);
    int (*reclaim)(struct queue *q, const char *worker, double idle_seconds, struct ticket *out,
                   struct err *e);
    int (*length)(struct queue *q, int64_t *out, struct err *e);
    void (*wake)(struct queue *q);
};

#endif
