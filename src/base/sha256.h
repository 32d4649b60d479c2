/*
 * sha256.h: SHA-256 of a stream of bytes (OpenSSL's, with the processor's instructions where it has
 * them).
 *
 *   struct sha256 s;
 *   if (sha256_init(&s, e)) ...
 *   sha256_add(&s, bytes, n);
 *   char hex[65];
 *   rc = sha256_finish(&s, hex, e);         always, it releases
 *
 * Threads: one at a time per stream.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct sha256 {
    void *context;
    bool failed; /* reported by sha256_finish */
};

WARN_UNUSED_RESULT int sha256_init(struct sha256 *s, struct err *e);
void sha256_add(struct sha256 *s, const void *bytes, size_t n);
/* 64 lower-case hex digits and a NUL. */
WARN_UNUSED_RESULT int sha256_finish(struct sha256 *s, char hex[65], struct err *e);

/* Of bytes in memory. */
void sha256_hex(const void *bytes, size_t n, char hex[65]);

#endif
