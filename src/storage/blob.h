/*
 * blob.h: byte strings kept outside the database (pictures, thumbnails), named by their content or
 * by a key.
 *
 *   struct blobs *b;
 *   if (blobs_open("file:///data/blobs", NULL, &b, &e)) ...
 *   char sha[65];
 *   if (blob_put(b, bytes, n, sha, &e)) ...         durable and complete, or not there at all
 *   if (blob_open(b, sha, &fd, &size, &e)) ...
 *
 * Disk: ab/cd/<sha256>, written under a temporary name, fsynced with its folder, renamed; a second
 * put of the same bytes writes nothing, but makes the blob young again. So who removes what nobody
 * wants looks for blobs that are an hour old at least, and removes them with blob_remove_old: a put
 * that comes between is not lost. Errors: ERR_NOT_FOUND, ERR_IO, ERR_FORMAT when the content
 * is not what its name says. Threads: any.
 *
 * Object storage (gs://BUCKET/PREFIX, s3://BUCKET/PREFIX): the same names as objects, which every
 * process of a fleet reads; a folder of this machine keeps what was read last. Errors: also
 * ERR_NETWORK.
 */
#ifndef STORAGE_BLOB_H
#define STORAGE_BLOB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blobs;

struct net;
struct objects_settings;

/* What object storage needs; borrowed for the call, but for the net, which outlives the blobs. */
struct blobs_options {
    struct net *net;
    const struct objects_settings *settings;
    const char *cache;   /* folder; NULL: nothing is kept */
    int64_t cache_bytes; /* that it may hold; 0: 4 GiB; negative: nothing is kept */
};
/* "file:///absolute", "file:relative", "gs://BUCKET[/PREFIX]", "s3://BUCKET[/PREFIX]". `o` may be
 * NULL for a folder. */
WARN_UNUSED_RESULT int blobs_open(const char *url, const struct blobs_options *o,
                                  struct blobs **out, struct err *e);
void blobs_close(struct blobs *b);

WARN_UNUSED_RESULT int blob_put(struct blobs *b, const void *bytes, size_t n, char sha256[65],
                                struct err *e);
/* For sending: not verified. *fd belongs to the caller. */
WARN_UNUSED_RESULT int blob_open(struct blobs *b, const char *sha256, int *fd, int64_t *size,
                                 struct err *e);
/* For using: read and verified, at most `max` bytes. */
WARN_UNUSED_RESULT int blob_get(struct blobs *b, const char *sha256, size_t max, struct arena *a,
                                struct str *out, struct err *e);
WARN_UNUSED_RESULT int blob_remove(struct blobs *b, const char *sha256, struct err *e);
/* The same unless it was put within that many seconds: ERR_CONFLICT. */
WARN_UNUSED_RESULT int blob_remove_old(struct blobs *b, const char *sha256, double seconds,
                                       struct err *e);
bool blob_exists(struct blobs *b, const char *sha256);

/* Things that can be made again, under a name of letters, digits, '-', '_', '.' (thumbnails:
 * "<sha256>-256.webp"); put replaces. */
WARN_UNUSED_RESULT int cache_put(struct blobs *b, const char *name, const void *bytes, size_t n,
                                 struct err *e);
WARN_UNUSED_RESULT int cache_open(struct blobs *b, const char *name, int *fd, int64_t *size,
                                  struct err *e);

/* Call `each` for every blob (kind 'b'), cache entry ('c') and left-over temporary file ('t'), with
 * its age in seconds; stop when it returns non-zero, and return that. */
WARN_UNUSED_RESULT int blobs_walk(struct blobs *b,
                                  int (*each)(void *user, char kind, const char *name, int64_t size,
                                              double age),
                                  void *user, struct err *e);
/* Remove something that blobs_walk named: a cache entry or a left-over temporary file. */
WARN_UNUSED_RESULT int blobs_discard(struct blobs *b, char kind, const char *name, struct err *e);
/* Free space where the blobs lie, bytes; -1 when unknown. */
int64_t blobs_free_space(struct blobs *b);
/* A write and a read back, or such a success of the last seconds. */
WARN_UNUSED_RESULT int blobs_check(struct blobs *b, struct err *e);

/* What a backend must have: disk.c, blob_objects.c; listed in blob.c. Names were checked before. */
struct blob_backend {
    const char *scheme;
    int (*open)(struct blobs *b, const char *url, const struct blobs_options *o, struct err *e);
    void (*close)(struct blobs *b);
    int (*put)(struct blobs *b, const void *bytes, size_t n, char sha256[65], struct err *e);
    int (*open_blob)(struct blobs *b, const char *sha256, int *fd, int64_t *size, struct err *e);
    bool (*exists)(struct blobs *b, const char *sha256); /* NULL: it can be opened */
    /* The copy here is damaged; NULL: there are no copies. */
    void (*forget)(struct blobs *b, const char *sha256);
    int (*remove)(struct blobs *b, const char *sha256, double seconds, struct err *e);
    int (*discard)(struct blobs *b, char kind, const char *name, struct err *e);
    int (*cache_put)(struct blobs *b, const char *name, const void *bytes, size_t n, struct err *e);
    int (*cache_open)(struct blobs *b, const char *name, int *fd, int64_t *size, struct err *e);
    int (*walk)(struct blobs *b,
                int (*each)(void *user, char kind, const char *name, int64_t size, double age),
                void *user, struct err *e);
    int64_t (*free_space)(struct blobs *b);
    int (*check)(struct blobs *b, struct err *e); /* NULL: a write and a read back */
};

#endif
