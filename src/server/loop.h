/*
 * loop.h: one thread with an epoll, timers and a mailbox. It never blocks anywhere else.
 *
 *   struct loop *loop;
 *   if (loop_start(&loop, &e)) ...
 *   loop_post(loop, &request->task);               from any thread: task.run(task) on the loop
 *   loop_timer_set(loop, &s->timer, clock_seconds() + 25);
 *   loop_stop(loop);
 *
 * A round is: sockets that are ready, posted tasks in order, timers that are due, then what was put
 * off to the round's end (loop_later), then the buried objects' burials. So writes of a round go
 * out together, and an object may be given up from inside its own callback.
 *
 * Threads: loop_post from any, everything else on the loop. Ownership: watches, timers and tasks
 * are members of their owners' structs (LOOP_OWNER finds the owner); the loop holds pointers to
 * them while they are set.
 */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

#define LOOP_OWNER(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

struct loop_watch {
    int fd;
    uint32_t events; /* EPOLLIN, EPOLLOUT */
    void (*ready)(struct loop_watch *w, uint32_t events);
};

struct loop_timer {
    double at;    /* clock_seconds() */
    size_t place; /* in the heap, from 1; 0: not set */
    void (*run)(struct loop_timer *t);
};

struct loop_task {
    struct loop_task *next;
    void (*run)(struct loop_task *t);
    bool queued; /* loop_later and loop_bury: it waits already */
};

WARN_UNUSED_RESULT int loop_start(struct loop **out, struct err *e);
/* Runs what was posted before, ends the thread and frees the loop. */
void loop_stop(struct loop *l);

/* t must not be waiting in the mailbox already. */
void loop_post(struct loop *l, struct loop_task *t);

/* ERR_IO when epoll refuses the descriptor. */
WARN_UNUSED_RESULT int loop_watch(struct loop *l, struct loop_watch *w, struct err *e);
void loop_watch_for(struct loop *l, struct loop_watch *w, uint32_t events);
void loop_unwatch(struct loop *l, struct loop_watch *w);

/* Sets or moves it. It is unset when it runs. */
void loop_timer_set(struct loop *l, struct loop_timer *t, double at);
void loop_timer_clear(struct loop *l, struct loop_timer *t);

/* At the end of this round; once, however often it is asked for. */
void loop_later(struct loop *l, struct loop_task *t);
/* After everything else of this round: for freeing. */
void loop_bury(struct loop *l, struct loop_task *t);

#endif
