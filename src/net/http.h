/*
 * http.h: one HTTP request to somebody else, and the whole answer.
 *
 *   struct net *net;
 *   if (net_open(&(struct net_options){.egress = egress}, &net, &e)) ...
 *   struct net_request r = {.method = "POST", .url = url, .body = text, .headers = lines,
 *                           .timeout = 10, .max_answer = 1 << 20};
 *   struct net_answer answer;
 *   if (net_ask(net, &r, &arena, &answer, &e)) ...        no answer; else any status
 *   const char *range = net_header(&answer, "range");
 *   net_close(net);
 *
 * Redirects are not followed. The egress list is asked before, and with `refuse_private` each
 * address when it is connected to. Connections are kept and shared by all threads. Bodies go out
 * from memory, as they are: the caller signs and measures them.
 * Errors: ERR_NETWORK (no connection, a cut, too slow: worth another try), ERR_DENIED (the host is
 * not allowed), ERR_ARG (not an http or https URL), ERR_FORMAT (an answer larger than max_answer),
 * ERR_CANCELLED (`stop` said so). Threads: any. Ownership: answers live in the arena.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/arena.h"
#include "base/str.h"
#include "net/egress.h"

#include <stdatomic.h>
#include <stdint.h>

struct net;

struct net_options {
    const struct egress *egress; /* NULL: every host; borrowed */
    const char *ca_file;         /* certificates to trust beside the system's; NULL */
};
WARN_UNUSED_RESULT int net_open(const struct net_options *o, struct net **out, struct err *e);
void net_close(struct net *n); /* NULL is fine; no request may run */
const struct egress *net_egress(const struct net *n);

struct net_request {
    const char *method;         /* NULL: GET */
    const char *url;            /* http or https */
    const char *const *headers; /* "Name: value", NULL-ended; or NULL */
    struct str body;            /* p NULL: none */
    double connect_timeout;     /* seconds; 0: 10 */
    double timeout;             /* seconds for the whole request; 0: 60 */
    double stall;               /* seconds without a byte; 0: only `timeout` counts */
    size_t max_answer;          /* bytes of the answer's body; 0: 1 MiB */
    bool refuse_private;        /* addresses that are not public, and names of this machine */
    const atomic_bool *stop;    /* set: ERR_CANCELLED soon; or NULL */
};
struct net_answer {
    int status;
    const char *headers; /* "name: value\n" with names in lower case, of the final answer */
    struct str body;     /* ends with a NUL that n does not count */
    double seconds;
    int64_t sent; /* bytes of the body that went out, also when the answer is an error */
};
/* *out is also filled when the request broke off (ERR_NETWORK: status 0, sent) and when the answer
 * is too large (ERR_FORMAT: its status, without its headers). */
WARN_UNUSED_RESULT int net_ask(struct net *n, const struct net_request *r, struct arena *a,
                               struct net_answer *out, struct err *e);
/* The first header of that name (in lower case), in the arena; NULL. */
const char *net_header(const struct net_answer *answer, const char *name, struct arena *a);

/* Scheme, host and port of a URL. ERR_ARG for what is no http(s) URL, or has a user in it. */
struct net_url {
    const char *scheme, *host, *path; /* path with its query, "/" at least */
    int port;
};
WARN_UNUSED_RESULT int net_url_read(const char *url, struct arena *a, struct net_url *out,
                                    struct err *e);

#endif
