/*
 * push.h: messages to browsers through their push services: Web Push (RFC 8030), encrypted to the
 * browser (push_crypt.h), signed as this server (vapid.h).
 *
 *   struct push *p;
 *   if (push_open(&(struct push_options){.key = key, .contact = "mailto:me@example.org"}, &p, &e))
 *       ...
 *   struct push_message m = {.endpoint = url, .receiver = r, .text = STR("{...}"), .ttl = 86400};
 *   if (push_send(p, &m, done, user, &e)) ...                  ERR_NETWORK: the queue is full
 *   push_close(p);
 *
 * One thread speaks to all push services, several at once; one that hangs delays nobody else. A
 * message is tried once: who sends decides from the result whether and when to try again.
 * Addresses of private networks are not connected to (push_target.h), redirects are not followed,
 * what comes back is not kept. Threads: any may send. Ownership: everything is copied.
 */
#ifndef OPS_PUSH_H
#define OPS_PUSH_H

#include "base/str.h"
#include "ops/push_crypt.h"

#include <stdbool.h>

struct egress; /* net/egress.h */
struct push;

struct push_options {
    const char *key;             /* vapid_make */
    const char *contact;         /* "mailto:..." or "https:...", or NULL */
    bool allow_private;          /* networks, and http to loopback */
    const struct egress *egress; /* hosts of push services; NULL: every one; borrowed */
};

/* ERR_FORMAT, ERR_ARG: a bad key, a bad contact. */
WARN_UNUSED_RESULT int push_open(const struct push_options *o, struct push **out, struct err *e);
/* Breaks off what is on its way; every `done` has been called when it returns. NULL is fine. */
void push_close(struct push *p);
const char *push_public_key(const struct push *p); /* base64url */

/* Whether it may be sent to at all: ERR_ARG, ERR_DENIED (the egress list) with the reason. */
WARN_UNUSED_RESULT int push_check_endpoint(const struct push *p, const char *endpoint,
                                           struct err *e);

struct push_message {
    const char *endpoint;
    struct push_receiver receiver;
    struct str text;
    int ttl;           /* seconds that the push service keeps it */
    const char *topic; /* at most 32 characters of base64url: replaces one that waits; or NULL */
};
enum push_fate {
    PUSH_TAKEN,
    PUSH_LATER,   /* worth another try */
    PUSH_GONE,    /* the browser has unsubscribed */
    PUSH_REFUSED, /* it would be refused again */
};
struct push_result {
    enum push_fate fate;
    int status;         /* of HTTP; 0: no answer */
    int retry_after;    /* seconds that the push service asked for; 0: it did not */
    bool stopped;       /* push_close came first */
    const char *detail; /* why it was not taken; NULL when it was */
};
/* `done` is called exactly once after a 0, on the push thread, and must not block; never after
 * another result. ERR_ARG, ERR_DENIED: the endpoint is not allowed, the text is too long. */
WARN_UNUSED_RESULT int push_send(struct push *p, const struct push_message *m,
                                 void (*done)(void *user, const struct push_result *r), void *user,
                                 struct err *e);

struct push_stats {
    int64_t taken, failed;
};
void push_stats(struct push *p, struct push_stats *out);

#endif
