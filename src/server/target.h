/*
 * target.h: the request's target (RFC 9112 3.2): paths and query strings, percent-decoding.
 *
 *   struct str text;
 *   if (target_decode(&arena, STR("a%20b"), false, &text, &e)) ...
 *
 * What comes out is UTF-8 without NUL and NUL-terminated in the arena. Threads: pure.
 */
#ifndef SERVER_TARGET_H
#define SERVER_TARGET_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (Unicode 15 table 3-7: no surrogates, nothing overlong). */
bool utf8_valid(struct str s);

/* %XX, and with `plus` also '+' for a blank (forms). ERR_FORMAT for a broken escape, a NUL, bytes
 * that are not UTF-8. */
WARN_UNUSED_RESULT int target_decode(struct arena *a, struct str raw, bool plus, struct str *out,
                                     struct err *e);

struct query_pair {
    const char *name, *value;
};
/* "a=1&b=x+y", of a query or a form; at most 1000 pairs. */
WARN_UNUSED_RESULT int target_query(struct arena *a, struct str raw, struct query_pair **out,
                                    size_t *count, struct err *e);

#endif
