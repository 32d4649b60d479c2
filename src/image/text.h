/*
 * text.h: the encodings in which picture files keep text; private to image/.
 *
 *   struct buf b;
 *   buf_init(&b, TEXT_MAX);
 *   if (text_from_utf16(&b, bytes, n, true)) ...
 *
 * Threads: pure functions.
 */
#ifndef IMAGE_TEXT_H
#define IMAGE_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer metadata is refused on writing and ignored on reading. */
enum { TEXT_MAX = 1 << 22 };

bool text_is_utf8(const char *p, size_t n);
/* The code point at the start of valid UTF-8, which is advanced. */
uint32_t text_next(const char **p);

/* Append the text in another encoding; 0 or ERR_NOMEM. Latin-1 cannot hold every text: its
 * function returns ERR_ARG and appends nothing then. Halves of surrogate pairs become U+FFFD. */
WARN_UNUSED_RESULT int text_to_latin1(struct buf *out, const char *utf8);
WARN_UNUSED_RESULT int text_from_latin1(struct buf *out, const char *p, size_t n);
WARN_UNUSED_RESULT int text_to_utf16(struct buf *out, const char *utf8, bool big_endian);
WARN_UNUSED_RESULT int text_from_utf16(struct buf *out, const unsigned char *p, size_t n,
                                       bool big_endian);
WARN_UNUSED_RESULT int text_add_rune(struct buf *out, uint32_t c);

#endif
