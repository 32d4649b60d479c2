/*
 * throttle.h: how fast somebody may guess passwords, so that guessing is hopeless and nobody can
 * lock a user out.
 *
 *   double wait = throttle_wait(t, address, name, now);       seconds; 0: go on
 *   throttle_failed(t, address, name, now);   throttle_passed(t, address, name, now);
 *
 * Three counts of failures, each with its own patience and a wait that doubles up to 15 minutes:
 * of a name from one address (5), of an address for any names (30), and of a name from anywhere
 * (100). The last one does not hold for addresses that have logged in to that name before, so a
 * swarm of guessers slows strangers down but never the user at the usual place; and the commands
 * on the server's own terminal are not throttled at all. Counts fade: one failure is forgotten
 * every minute. IPv6 counts by /64. Threads: any. Memory: bounded, the oldest entry goes first.
 */
#ifndef API_THROTTLE_H
#define API_THROTTLE_H

struct throttle;
struct throttle *throttle_new(void);
void throttle_free(struct throttle *t);

double throttle_wait(struct throttle *t, const char *address, const char *name, double now);
void throttle_failed(struct throttle *t, const char *address, const char *name, double now);
void throttle_passed(struct throttle *t, const char *address, const char *name, double now);

#endif
