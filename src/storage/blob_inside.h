/* blob_inside.h: what blob.c and its backends share. */
#ifndef STORAGE_BLOB_INSIDE_H
#define STORAGE_BLOB_INSIDE_H

#include "storage/blob.h"

struct blobs {
    const struct blob_backend *backend;
    void *state; /* of the backend; it frees it in close() */
};

extern const struct blob_backend blob_disk, blob_gs, blob_s3;

/* A cache entry is written, read back and removed. */
WARN_UNUSED_RESULT int blobs_write_and_read(struct blobs *b, struct err *e);

#endif
