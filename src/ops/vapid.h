/*
 * vapid.h: how a server tells push services who it is (RFC 8292): a token signed with a key that
 * browsers were given when they subscribed.
 *
 *   char key[VAPID_PRIVATE];
 *   if (vapid_make(key, &e)) ...                               once; kept
 *   if (vapid_open(key, "mailto:admin@example.org", &v, &e)) ...
 *   vapid_public(v);                                           for PushManager.subscribe
 *   if (vapid_header(v, "https://push.example.net", now, &arena, &text, &e)) ...
 *   vapid_close(v);
 *
 * Threads: any, once it is open.
 */
#ifndef OPS_VAPID_H
#define OPS_VAPID_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

struct vapid;
enum { VAPID_PRIVATE = 44 }; /* base64url of 32 bytes, and a NUL */

/* Secret. */
WARN_UNUSED_RESULT int vapid_make(char out[VAPID_PRIVATE], struct err *e);
/* contact: "mailto:..." or "https:...", or NULL. ERR_ARG for another; ERR_FORMAT for a bad key. */
WARN_UNUSED_RESULT int vapid_open(const char *key, const char *contact, struct vapid **out,
                                  struct err *e);
void vapid_close(struct vapid *v);
const char *vapid_public(const struct vapid *v); /* an uncompressed point, base64url */

/* The value of the header Authorization for a push service of this origin ("https://host[:port]"),
 * good for twelve hours from `unix_s`. */
WARN_UNUSED_RESULT int vapid_header(struct vapid *v, const char *origin, int64_t unix_s,
                                    struct arena *a, const char **out, struct err *e);

#endif
