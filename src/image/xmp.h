/*
 * xmp.h: our recipe as one property of an XMP packet (ISO 16684-1), for JPEG and WebP; private to
 * image/.
 *
 *   if (xmp_write(&buf, json)) ...
 *   char *json = xmp_read(bytes, n);      NULL when there is none; the caller frees it
 */
#ifndef IMAGE_XMP_H
#define IMAGE_XMP_H

#include "base/buf.h"

WARN_UNUSED_RESULT int xmp_write(struct buf *out, const char *recipe);
char *xmp_read(const unsigned char *bytes, size_t n);

#endif
