/*
 * exif.h: the two EXIF tags that matter here: UserComment, where A1111's web UI keeps a JPEG's or
 * WebP's `parameters`, and the orientation; private to image/.
 *
 *   struct exif x;
 *   exif_read(bytes, n, &x);          x.comment is the caller's to free
 *   if (exif_write(&buf, text)) ...
 *
 * Bytes are a TIFF structure, with or without the "Exif\0\0" in front that JPEG has.
 */
#ifndef IMAGE_EXIF_H
#define IMAGE_EXIF_H

#include "base/buf.h"

struct exif {
    int orientation; /* 1..8 as in EXIF; 1 when absent or broken */
    char *comment;   /* UTF-8, or NULL */
};

/* Broken structures are read as far as they make sense. */
void exif_read(const unsigned char *bytes, size_t n, struct exif *out);
/* As piexif writes it for A1111: big-endian TIFF, "UNICODE\0" and UTF-16. 0 or ERR_NOMEM. */
WARN_UNUSED_RESULT int exif_write(struct buf *out, const char *comment);

#endif
