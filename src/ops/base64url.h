/*
 * base64url.h: bytes as text that fits into URLs and headers (RFC 4648, section 5), unpadded.
 *
 *   char text[BASE64URL_TEXT(32)];
 *   base64url_write(key, 32, text);
 *   if (!base64url_read(str_from(text), key, 32)) ...
 *
 * Threads: pure.
 */
#ifndef OPS_BASE64URL_H
#define OPS_BASE64URL_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Characters for n bytes, and a NUL. */
#define BASE64URL_TEXT(n) (((n) * 4 + 2) / 3 + 1)

void base64url_write(const unsigned char *bytes, size_t n, char *out);
/* Exactly n bytes, in their one canonical form; "=" at the end may be there. False leaves out
 * undefined. */
bool base64url_read(struct str text, unsigned char *out, size_t n);

#endif
