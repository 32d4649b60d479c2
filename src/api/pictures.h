/*
 * pictures.h: a stored picture in another format or size, made once.
 *
 *   struct picture_form form = {.format = IMAGE_WEBP, .width = 512, .quality = 90};
 *   int fd;
 *   if (picture_open(app, sha256, &form, &fd, e)) ...
 *   return respond_file(w, fd, picture_type(form.format), picture_etag(...), YEAR);
 *
 * Forms that are asked for often (the web app's widths at the usual quality) are kept in the blob
 * store's cache under "<sha256>-<form>.<format>"; others are made anew each time, so that nobody
 * can fill the disk with widths. Converted files carry the recipe of the stored one. Threads: any;
 * converting runs on the caller's.
 */
#ifndef API_PICTURES_H
#define API_PICTURES_H

#include "api/app.h"
#include "image/image.h"

enum { PICTURE_QUALITY = 90, PICTURE_AGE = 365 * 24 * 3600 };

struct picture_form {
    enum image_format format; /* IMAGE_UNKNOWN: as stored */
    int width;                /* 0: as stored */
    int longest;              /* at most so long on the longer side; 0: any; never made larger */
    int quality;              /* of JPEG and WebP */
};
enum { PICTURE_NAME = 128 };

/* "<sha256>", or "<sha256>-w512-q90.webp": names bytes that never change. */
void picture_name(const char *sha256, const struct picture_form *form, char out[PICTURE_NAME]);
/* *fd belongs to the caller. ERR_IO when the stored file is gone or broken. */
WARN_UNUSED_RESULT int picture_open(struct app *app, const char *sha256,
                                    const struct picture_form *form, int *fd, struct err *e);
/* The file's bytes, to be released by the caller. */
WARN_UNUSED_RESULT int picture_bytes_of(struct app *app, const char *sha256,
                                        const struct picture_form *form, struct buf *out,
                                        struct err *e);
const char *picture_type(enum image_format format);                       /* "image/png" */
bool picture_format_by_name(const char *name, enum image_format *format); /* png jpeg webp */

/* The file as base64: a new reference. NULL with e filled. */
json_t *picture_base64(struct app *app, const char *sha256, const struct picture_form *form,
                       struct err *e);
json_t *bytes_base64(struct str bytes);

/* "a-red-circle-42.png": of the prompt's letters and digits, and the seed. */
struct generation;
void picture_file_name(const struct generation *g, enum image_format format, char *out, size_t n);

#endif
