/*
 * watch.h: what happens to suspended connections: time runs out, or the peer goes away. Nobody else
 * looks at a suspended connection's socket.
 *
 *   uint64_t t = watch_add(watch, fd, 20.0, wake, thing);
 *   ...
 *   if (watch_take(watch, t)) ... it had not been woken, and will not be ...
 *
 * One thread sleeps in epoll over the sockets and until the next deadline. A ticket is woken or
 * taken exactly once; one that is used up is never the same as another. `tick` is called four times
 * a second, for everything that only needs looking at now and then. Threads: any; wake and tick are
 * called by the watching thread (or the one that calls watch_wake) without locks and must not
 * block.
 */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct watch;

enum wake { WAKE_FINISHED, WAKE_TIME, WAKE_GONE };

WARN_UNUSED_RESULT int watch_start(void (*tick)(void *user), void *user, struct watch **out,
                                   struct err *e);
/* seconds below 0: no deadline. fd -1: no socket. The socket must stay open until the ticket is
 * used up. Returns a ticket, never 0. */
uint64_t watch_add(struct watch *w, int fd, double seconds, void (*wake)(void *user, enum wake why),
                   void *user);
bool watch_take(struct watch *w, uint64_t ticket);
/* Wake it, unless it is used up. */
void watch_wake(struct watch *w, uint64_t ticket, enum wake why);
/* Wake all with WAKE_GONE, and from then on new ones at once. */
void watch_end(struct watch *w);
void watch_stop(struct watch *w);

#endif
