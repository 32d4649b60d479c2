/*
 * bus_inside.h: what bus.c and its backends share.
 *
 * Messages of this process go into the inbox and to the backend; messages of others come from the
 * backend's thread through bus_receive. One thread takes from the inbox and calls the listeners.
 * Threads: `lock` guards everything but what is set by bus_open.
 */
#ifndef JOBS_BUS_INSIDE_H
#define JOBS_BUS_INSIDE_H

#include "jobs/bus_frame.h"

#include <pthread.h>

enum { BUS_EARS = 16 };

struct bus_ear {
    void (*listener)(void *user, const struct bus_event *event);
    void (*hear)(void *user, const char *topic, const char *text);
    void *user;
};

struct bus {
    const struct bus_backend *backend;
    void *state;             /* the backend's */
    char origin[BUS_ORIGIN]; /* this process, at random */
    pthread_mutex_t lock;
    pthread_cond_t arrived, quiet; /* something in the inbox; no listener runs */
    pthread_t thread;
    bool stopping, calling;
    struct bus_frame *first, *last;
    size_t bytes; /* in the inbox */
    struct bus_ear ears[BUS_EARS];
    size_t ear_count;
    void *watches; /* tree of struct watch, by generation */
    size_t watch_count;
    struct bus_stats stats;
};

/* A message of another process; the bus owns f. */
void bus_receive(struct bus *b, struct bus_frame *f);
void bus_count_dropped(struct bus *b, int64_t n);

extern const struct bus_backend bus_memory, bus_redis;

#endif
