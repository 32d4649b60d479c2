/*
 * rooms.h: who is in which room of one namespace. A room is there while somebody is in it.
 *
 *   struct rooms *r = rooms_new();
 *   rooms_join(r, &socket->member, "user:7", &e);
 *   rooms_each(r, "user:7", send, &message);
 *   rooms_leave_all(r, &socket->member);
 *
 * Threads: any; rooms_each holds the lock while it calls. Ownership: members belong to the caller
 * and must leave before they are freed.
 */
#ifndef SERVER_ROOMS_H
#define SERVER_ROOMS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROOMS_ALL "*" /* where a caller may keep everyone; names of others are its business */

enum {
    ROOMS_EACH = 1000,      /* that one member may be in */
    ROOMS_NAME_BYTES = 256, /* of a name */
};

struct rooms;
struct place;
struct member {
    struct place *places;
    size_t count;
    bool gone;      /* it has left for good */
    uint64_t round; /* of rooms_each: when it was called last */
};

struct rooms *rooms_new(void); /* NULL when memory ended */
void rooms_free(struct rooms *r);

/* Again is no error. ERR_ARG for too many rooms or too long a name, ERR_CANCELLED when it is gone.
 */
WARN_UNUSED_RESULT int rooms_join(struct rooms *r, struct member *m, const char *name,
                                  struct err *e);
void rooms_leave(struct rooms *r, struct member *m, const char *name);
/* All, and join none any more. */
void rooms_leave_all(struct rooms *r, struct member *m);

/* Everyone in one of these rooms (names with spaces between), once. `call` must not use the rooms.
 */
void rooms_each(struct rooms *r, const char *names, void (*call)(void *user, struct member *m),
                void *user);

#endif
