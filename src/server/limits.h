/*
 * limits.h: how much one client may do: connections at a time, requests a second.
 *
 *   struct limits *l = limits_new(100, 20.0);
 *   struct account *account = limits_connect(l, &address);
 *   if (!account) ... too many connections ...
 *   double wait = limits_request(l, &address, clock_seconds());
 *   if (wait > 0) ... 429, Retry-After: ceil(wait) ...
 *   limits_disconnect(l, account);
 *
 * A client is an IPv4 address or an IPv6 /64, which is what one household or machine is given.
 * Requests are a token bucket that holds two seconds' worth. Addresses are remembered while they
 * matter, at most 65536 of them; those beyond share one account. Threads: any.
 */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include "server/address.h"

struct limits;
struct account; /* of one client; valid while a connection is counted in it */

/* 0 for either: no limit. NULL without memory. */
struct limits *limits_new(int connections, double requests_per_second);
void limits_free(struct limits *l);
/* NULL: too many. */
struct account *limits_connect(struct limits *l, const struct address *a);
void limits_disconnect(struct limits *l, struct account *account);
/* 0: go ahead; else after how many seconds the next one may come. `now`: clock_seconds. */
double limits_request(struct limits *l, const struct address *a, double now);
/* Forget who has no connection and a full bucket; call it every second or so. */
void limits_sweep(struct limits *l, double now);

#endif
