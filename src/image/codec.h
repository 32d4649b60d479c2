/*
 * codec.h: one file format as image.c sees it; private to image/.
 *
 *   const struct codec *c = ...;
 *   if (c->decode(bytes, n, &im, &meta, &e)) ...
 *
 * Threads: a codec has no state.
 */
#ifndef IMAGE_CODEC_H
#define IMAGE_CODEC_H

#include "image/image.h"

struct codec {
    enum image_format format;
    const char *name, *extensions[3];
    bool (*recognises)(const unsigned char *bytes, size_t n);
    /* `im` or `meta` may be NULL: that part is not wanted. Both come empty and are filled only on
     * success. */
    int (*decode)(const unsigned char *bytes, size_t n, struct image *im, struct image_meta *meta,
                  struct err *e);
    int (*encode)(const struct image *im, struct image_encoding how, const struct image_meta *meta,
                  struct buf *out, struct err *e);
};

extern const struct codec codec_png, codec_jpeg, codec_webp;

/* Sizes as a file declares them, against IMAGE_MAX_*; says the format's name. */
WARN_UNUSED_RESULT int codec_check_size(const char *name, unsigned long width, unsigned long height,
                                        struct err *e);

#endif
