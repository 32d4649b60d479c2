/*
 * image.h: pictures in memory; PNG, JPEG and WebP in and out, with the text that says how a
 * picture was made.
 *
 *   struct image im = {0};
 *   struct image_meta meta = {0};
 *   if (image_read("in.webp", &im, &meta, &e)) ...          by content, whatever the name says
 *   if (image_write("out.png", &im, NULL, &meta, &e)) ...   by extension; never half a file
 *   image_meta_release(&meta);
 *   image_release(&im);
 *
 * Pixels are 8 bits a channel, rows from the top, packed: pixels[(y * width + x) * channels + c],
 * with channels 1 (grey), 3 (RGB) or 4 (RGB and straight alpha).
 * Ownership: the caller releases what a function filled in. A failed call leaves its outputs alone.
 * Threads: nothing is shared between calls.
 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { IMAGE_MAX_SIDE = 16384, IMAGE_MAX_PIXELS = 1 << 26 };

struct image {
    int width, height, channels;
    unsigned char *pixels;
};

/* What travels inside the file beside the pixels; UTF-8, NULL when absent. */
struct image_meta {
    char *parameters; /* the text that A1111's web UI writes */
    char *recipe;     /* our own JSON */
};

enum image_format { IMAGE_UNKNOWN, IMAGE_PNG, IMAGE_JPEG, IMAGE_WEBP };

struct image_encoding {
    enum image_format format;
    int quality;   /* JPEG and lossy WebP, 1..100 */
    bool lossless; /* WebP */
};

/* All zero bytes. ERR_ARG for sizes out of range, ERR_NOMEM. */
WARN_UNUSED_RESULT int image_new(int width, int height, int channels, struct image *out,
                                 struct err *e);
void image_release(struct image *im);
void image_meta_release(struct image_meta *meta);

enum image_format image_format_of_path(const char *path); /* by extension, any case */
enum image_format image_format_of_bytes(const void *bytes, size_t n);
/* PNG; JPEG quality 95 without chroma subsampling; WebP lossless. */
struct image_encoding image_encoding_default(enum image_format format);

/* Decode to 1, 3 or 4 channels. JPEGs are turned upright by their EXIF orientation, CMYK ones
 * become RGB; 16-bit and palette PNGs become 8-bit. `meta` may be NULL. ERR_FORMAT for broken
 * files, ERR_UNSUPPORTED for other formats and for pictures beyond IMAGE_MAX_*. */
WARN_UNUSED_RESULT int image_decode(const void *bytes, size_t n, struct image *out,
                                    struct image_meta *meta, struct err *e);
WARN_UNUSED_RESULT int image_read(const char *path, struct image *out, struct image_meta *meta,
                                  struct err *e);
/* Only the text. Absent text is no error. */
WARN_UNUSED_RESULT int image_read_meta(const char *path, struct image_meta *out, struct err *e);

/* Append the file's bytes to `out` (its maximum is the caller's). `meta` may be NULL. JPEG drops
 * alpha by drawing over white. */
WARN_UNUSED_RESULT int image_encode(const struct image *im, struct image_encoding how,
                                    const struct image_meta *meta, struct buf *out, struct err *e);
/* `how` NULL: the defaults of the extension's format. */
WARN_UNUSED_RESULT int image_write(const char *path, const struct image *im,
                                   const struct image_encoding *how, const struct image_meta *meta,
                                   struct err *e);

/* Conversions as PIL's convert: grey is (19595 R + 38470 G + 7471 B + 32768) / 65536, alpha is
 * dropped unless it was drawn over white by image_flatten before. */
WARN_UNUSED_RESULT int image_to_grey(const struct image *im, struct image *out, struct err *e);
WARN_UNUSED_RESULT int image_to_rgb(const struct image *im, struct image *out, struct err *e);
/* RGB of the picture over white; pictures without alpha are copied. */
WARN_UNUSED_RESULT int image_flatten(const struct image *im, struct image *out, struct err *e);

enum image_filter { IMAGE_NEAREST, IMAGE_BOX, IMAGE_LANCZOS };

/* PIL.Image.resize with this filter, byte for byte; with alpha as PIL does it: colours are weighted
 * by it except with nearest. */
WARN_UNUSED_RESULT int image_resize(const struct image *im, int width, int height,
                                    enum image_filter filter, struct image *out, struct err *e);

#endif
