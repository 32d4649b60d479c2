/*
 * images.h: the table of drawn pictures: one row per recipe key, which points at a blob.
 *
 * The row exists if and only if the picture was drawn and its blob is durable: it is written in the
 * transaction that ends the job. Threads: as its transaction.
 */
#ifndef STORAGE_IMAGES_H
#define STORAGE_IMAGES_H

#include "storage/db.h"

struct picture_row {
    const char *key;    /* recipe_key: primary key */
    const char *sha256; /* the blob */
    const char *format; /* "png" */
    int width, height;
    int64_t bytes;
    double seconds;      /* to draw, without waiting */
    double step_seconds; /* mean of one evaluation of the network */
    int64_t memory_used; /* bytes, of the process at its peak while drawing */
    const char *provider, *device, *dtype, *isa;
    const char *measures; /* JSON: sharpness, contrast, colourfulness; or NULL */
    int64_t created_at;
};

/* ERR_NOT_FOUND. */
WARN_UNUSED_RESULT int images_get(struct tx *tx, const char *key, struct arena *a,
                                  struct picture_row *out, struct err *e);
/* Leaves an existing row alone and says so: *existed. */
WARN_UNUSED_RESULT int images_insert(struct tx *tx, const struct picture_row *row, bool *existed,
                                     struct err *e);
/* Drawn anew: the row of that key is this one from now on. */
WARN_UNUSED_RESULT int images_replace(struct tx *tx, const struct picture_row *row, struct err *e);
WARN_UNUSED_RESULT int images_set_measures(struct tx *tx, const char *key, const char *measures,
                                           struct err *e);
/* Whether any picture is that blob, or any recipe begins with it (init, mask). */
WARN_UNUSED_RESULT int images_uses_blob(struct tx *tx, const char *sha256, bool *out,
                                        struct err *e);
/* Rows that no generation wants, older than that; at most `limit`. For gc. */
WARN_UNUSED_RESULT int images_orphans(struct tx *tx, int64_t before_ms, int limit, struct arena *a,
                                      struct picture_row **out, size_t *count, struct err *e);
/* ERR_CONFLICT when a generation wants it after all. */
WARN_UNUSED_RESULT int images_delete(struct tx *tx, const char *key, struct err *e);

#endif
