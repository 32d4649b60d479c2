/*
 * buf.h: a growing byte buffer with a mandatory maximum.
 *
 *   struct buf b;
 *   buf_init(&b, 1 << 20);
 *   if (buf_add(&b, data, n) || buf_addf(&b, "%d\n", 3))
 *       ... over the maximum, or out of memory
 *   char *text = buf_take(&b);         (the caller frees it)
 *
 * The bytes are always followed by a NUL, which does not count. After a failure the content is what
 * it was.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"

#include <stddef.h>

struct buf {
    char *p; /* NULL while empty */
    size_t n, room, max;
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
/* Return 0 or ERR_NOMEM. */
WARN_UNUSED_RESULT int buf_add(struct buf *b, const void *bytes, size_t n);
WARN_UNUSED_RESULT int buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* Hand over the bytes (never NULL unless memory ended); b is empty afterwards. */
char *buf_take(struct buf *b);

#endif
