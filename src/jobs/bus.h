/*
 * bus.h: what happens, told to whoever listens: in one process (memory), or through Redis pub/sub
 * to every server. Events are hints for screens; nothing depends on their arrival.
 *
 *   struct bus *bus;
 *   if (bus_open("memory:", &bus, &e)) ...             or "redis://host:6379/0?prefix=main"
 *   bus_listen(bus, listener, io);
 *   bus_publish(bus, &(struct bus_event){.room = "user:7", .name = "experiment:42:progress",
 *                                        .data = "{...}"});
 *
 * Threads: any may publish, and publishing never blocks on the network: what Redis does not take in
 * time is dropped and counted. Listeners are called on the bus's thread, in order, and must be
 * quick. What this process says reaches its own listeners also while Redis is away. Ownership:
 * everything is borrowed for the call.
 */
#ifndef JOBS_BUS_H
#define JOBS_BUS_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct bus;

struct bus_event {
    const char *room;      /* of Socket.IO, or several with spaces between: whoever is in more
                              than one gets it once; NULL: everyone */
    const char *name;      /* "generation:{id}:progress", ... */
    const char *data;      /* JSON value: the event's only argument */
    struct str attachment; /* bytes that {"_placeholder":true,"num":0} in data stands for */
    bool may_drop;         /* for slow receivers: another one follows soon */
};
WARN_UNUSED_RESULT int bus_open(const char *url, struct bus **out, struct err *e);
void bus_close(struct bus *b);
void bus_publish(struct bus *b, const struct bus_event *event);
/* At most 16 listeners and hearers together; more are an error in the program and are left out. */
void bus_listen(struct bus *b, void (*listener)(void *user, const struct bus_event *event),
                void *user);

/* Short messages between processes, over the same channel: "cancel <id>", "pause", "wake". */
void bus_tell(struct bus *b, const char *topic, const char *text);
void bus_hear(struct bus *b, void (*hear)(void *user, const char *topic, const char *text),
              void *user);
/* For a process that shows nothing to anybody: from others it wants what is told, no events. In a
 * large fleet most messages are events, and most processes are workers. */
void bus_without_events(struct bus *b);
/* Take back every listener and hearer of this user; none of them runs when it returns. Not from the
 * bus's thread. */
void bus_forget(struct bus *b, void *user);
/* Whether anybody on any process watches this generation (previews are worth making); kept alive by
 * bus_watch every few seconds. */
void bus_watch(struct bus *b, const char *generation_id, double seconds);
bool bus_watched(struct bus *b, const char *generation_id);

struct bus_stats {
    int64_t published, received, dropped;
    bool connected;
};
void bus_stats(struct bus *b, struct bus_stats *out);

/* How messages reach other processes; memory has nothing to do. */
struct bus_frame; /* bus_frame.h */
struct bus_backend {
    int (*open)(struct bus *b, const char *url, struct err *e);
    void (*close)(struct bus *b);
    /* False: dropped. Must not block. */
    bool (*send)(struct bus *b, struct bus_frame *f);
    bool (*connected)(struct bus *b);
    void (*without_events)(struct bus *b);
};

#endif
