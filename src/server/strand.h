/*
 * strand.h: tasks that run one after the other, in order, on whatever thread of a pool is free.
 *
 *   if (strand_push(&s->strand, &event->task))
 *       ... it was idle: have strand_run called on some thread ...
 *
 * Tasks have a cost. When those that wait cost more than the limit, the strand is full: it tells so
 * once, and calls `drained` when half of that is done.
 *
 * Threads: any; tasks and `drained` run without the lock. Ownership: tasks free themselves.
 */
#ifndef SERVER_STRAND_H
#define SERVER_STRAND_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct task {
    struct task *next;
    size_t cost;
    void (*run)(struct task *t);
};

struct strand {
    pthread_mutex_t lock;
    struct task *first, **end;
    size_t cost, limit;
    bool busy; /* strand_run is due, or at work */
    bool full;
    void (*drained)(struct strand *s);
};

void strand_init(struct strand *s, size_t limit, void (*drained)(struct strand *s));
void strand_release(struct strand *s);

/* True when strand_run must be called. *filled: this task made it full. */
bool strand_push(struct strand *s, struct task *t, bool *filled);
/* Runs some of the tasks; true when it must be called again, later. */
bool strand_run(struct strand *s);

#endif
