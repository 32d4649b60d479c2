/*
 * egress.h: which hosts this program may connect to. Everything that leaves the program by a name
 * or an address that a person wrote (object storage, callbacks, MongoDB, model hubs, push services,
 * error reports) asks here first.
 *
 *   struct egress *out;
 *   if (egress_new("storage.googleapis.com,*.example.org,10.0.0.0/8", &out, &e)) ...
 *   if (egress_check(out, host, port, &e)) ...       ERR_DENIED names the host and the setting
 *   egress_free(out);
 *
 * A list (CAULDRON_ALLOW_HOSTS) holds names, "*.suffix", addresses, networks (CIDR), each with an
 * optional ":port"; separated by commas or white space. No list: every host. Names are compared
 * without case; a name that is allowed may resolve to any address, unless the call also refuses
 * private ones (SSRF): then each address that is connected to is checked, at each connection, so
 * that a name that moves (DNS rebinding) does not help. Threads: constant once made.
 */
#ifndef NET_EGRESS_H
#define NET_EGRESS_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/socket.h>

struct egress;

/* `list` NULL or empty: everything is allowed. ERR_ARG names the entry that cannot be read. */
WARN_UNUSED_RESULT int egress_new(const char *list, struct egress **out, struct err *e);
void egress_free(struct egress *x); /* NULL is fine */

/* `x` NULL: everything is allowed. port 0: any port of that host. */
WARN_UNUSED_RESULT int egress_check(const struct egress *x, const char *host, int port,
                                    struct err *e);

/* Whether it is an address that means the same host from everywhere (RFC 6890, RFC 4291). */
bool address_is_public(const struct sockaddr *address);
/* A host that is written as a private address, or a name that means this machine; *loopback (may be
 * NULL): this machine. Other names are checked as what they resolve to. */
bool host_is_private(const char *host, bool *loopback);

#endif
