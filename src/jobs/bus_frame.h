/*
 * bus_frame.h: one message of the bus as bytes: what waits in the inbox, and what travels through
 * Redis.
 *
 *   struct bus_frame *f = bus_frame_event(origin, event);
 *   bus_frame_keep(f); ... bus_frame_drop(f);              counted: inbox and outbox share it
 *
 * Bytes: "SCb1", the kind, a flag byte, two zero bytes, 16 bytes of the sender's name, four u32
 * (little endian) lengths, and the four parts, each text with its NUL. Frames from outside are
 * checked before anything else sees them. Threads: a frame is constant once made.
 */
#ifndef JOBS_BUS_FRAME_H
#define JOBS_BUS_FRAME_H

#include "jobs/bus.h"

#include <stdatomic.h>

enum { BUS_ORIGIN = 16, BUS_FRAME_MAX = 16 << 20 };

struct bus_frame {
    atomic_int keepers;
    struct bus_frame *next; /* in the inbox */
    size_t n;
    unsigned char bytes[];
};

/* NULL when memory ends or it would be larger than BUS_FRAME_MAX. */
struct bus_frame *bus_frame_event(const char origin[BUS_ORIGIN], const struct bus_event *event);
struct bus_frame *bus_frame_tell(const char origin[BUS_ORIGIN], const char *topic,
                                 const char *text);
/* From outside; NULL unless it is whole. */
struct bus_frame *bus_frame_read(const void *bytes, size_t n);
struct bus_frame *bus_frame_keep(struct bus_frame *f);
void bus_frame_drop(struct bus_frame *f); /* NULL is fine */

bool bus_frame_from(const struct bus_frame *f, const char origin[BUS_ORIGIN]);
/* Whether it is for those who show something: events, and workers telling that they live. */
bool bus_frame_for_screens(const struct bus_frame *f);
bool bus_frame_may_drop(const struct bus_frame *f);
/* True and *event when it is an event, false and topic and text when it is told. Borrowed. */
bool bus_frame_open(const struct bus_frame *f, struct bus_event *event, const char **topic,
                    const char **text);

#endif
