/*
 * pool.h: a fixed number of threads that run what they are given, first come, first served.
 *
 *   struct job job = {.run = work, .user = thing};
 *   if (!pool_add(pool, &job, false)) ... too much is waiting
 *
 * The queue is a list through the jobs themselves: adding one allocates nothing. Threads: any.
 * Ownership: a job belongs to the pool until its run() begins; it may be freed or added again in
 * it.
 */
#ifndef SERVER_POOL_H
#define SERVER_POOL_H

#include "base/err.h"

#include <stdbool.h>

struct pool;

struct job {
    struct job *next;
    void (*run)(void *user);
    void *user;
};

/* `most`: how many jobs may wait for a thread. */
WARN_UNUSED_RESULT int pool_start(int threads, int most, struct pool **out, struct err *e);
/* False when the queue is full. `must` takes it in any case: for the later parts of something that
 * was let in before. */
bool pool_add(struct pool *p, struct job *job, bool must);
int pool_waiting(struct pool *p); /* jobs that no thread has begun */
/* Run what waits, join the threads. Nothing may be added any more. */
void pool_stop(struct pool *p);

#endif
