/* queue_inside.h: what queue.c and its backends share; the state is the backend's. */
#ifndef JOBS_QUEUE_INSIDE_H
#define JOBS_QUEUE_INSIDE_H

#include "jobs/queue.h"

struct queue {
    const struct queue_backend *backend;
    void *state;
};

extern const struct queue_backend queue_memory, queue_redis;

#endif
