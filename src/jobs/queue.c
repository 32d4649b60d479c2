/* queue.c: which queue a URL means, and the calls through its table. */
#include "jobs/queue_inside.h"

#include "base/str.h"

#include <stdlib.h>

static const struct {
    const char *scheme;
    const struct queue_backend *backend;
} backends[] = {
    {"memory:", &queue_memory},
    {"redis:", &queue_redis},
    {"rediss:", &queue_redis},
    {"unix:", &queue_redis},
};

int queue_open(const char *url, struct queue **out, struct err *e)
{
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        if (!str_starts(str_from(url), backends[i].scheme))
            continue;
        struct queue *q = calloc(1, sizeof *q);
        if (!q)
            return ERR(e, ERR_NOMEM, "no memory for the queue");
        q->backend = backends[i].backend;
        int rc = q->backend->open(q, url, e);
        if (rc) {
            free(q);
            return rc;
        }
        *out = q;
        return 0;
    }
    return ERR(e, ERR_ARG, "no such queue; write memory: or redis://host:6379/0");
}

void queue_close(struct queue *q)
{
    if (!q)
        return;
    q->backend->close(q);
    free(q);
}

int queue_push(struct queue *q, const char *job, int priority, struct err *e)
{
    if (!uuid_valid(str_from(job)))
        return ERR(e, ERR_ARG, "'%s' is no job's identifier", job);
    return q->backend->push(q, job, priority, e);
}

int queue_take(struct queue *q, const char *worker, double seconds, struct ticket *out,
               struct err *e)
{
    return q->backend->take(q, worker, seconds, out, e);
}

int queue_done(struct queue *q, const struct ticket *t, struct err *e)
{
    return q->backend->done(q, t, e);
}

int queue_reclaim(struct queue *q, const char *worker, double idle_seconds, struct ticket *out,
                  struct err *e)
{
    return q->backend->reclaim(q, worker, idle_seconds, out, e);
}

int queue_length(struct queue *q, int64_t *out, struct err *e)
{
    return q->backend->length(q, out, e);
}

void queue_wake(struct queue *q)
{
    q->backend->wake(q);
}

bool queue_shared(const struct queue *q)
{
    return q->backend->shared;
}
