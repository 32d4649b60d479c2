/*
 * push_target.h: where a browser may send this server to. An endpoint is text from outside: without
 * these checks it would make the server ask addresses of its own network (SSRF).
 *
 *   struct push_target t;
 *   if (push_target_read(endpoint, false, &arena, &t, &e)) ...        when it is given
 *
 * The name is checked again as the address that it resolves to, at each connection
 * (address_is_public, net/egress.h): names move (DNS rebinding). Threads: pure.
 */
#ifndef OPS_PUSH_TARGET_H
#define OPS_PUSH_TARGET_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

enum { PUSH_ENDPOINT_MOST = 2000 };
struct push_target {
    const char *origin; /* "https://host[:port]", the port unless it is the scheme's own */
};
/* ERR_ARG: not an https URL of a public host. allow_private: private hosts are fine, and http to
 * loopback. */
WARN_UNUSED_RESULT int push_target_read(const char *endpoint, bool allow_private, struct arena *a,
                                        struct push_target *out, struct err *e);

#endif
