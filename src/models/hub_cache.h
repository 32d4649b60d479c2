/*
 * hub_cache.h: the folder of one model in the Hugging Face cache: blobs, snapshots, refs.
 *
 *   struct hub_cache c = {.folder = hub_folder(cache, name, a), .arena = a};
 *   int fd;
 *   rc = hub_cache_open(&c, meta.etag, &fd, &have, e);    blobs/<etag>.incomplete, locked
 *   ... the missing bytes are written ...
 *   rc = hub_cache_finish(&c, fd, &meta, e);              checked, renamed to blobs/<etag>
 *   rc = hub_cache_link(&c, commit, "unet/config.json", meta.etag, e);
 *
 * Threads: one at a time per struct. Two processes are kept apart by a lock on the incomplete file.
 */
#ifndef MODELS_HUB_CACHE_H
#define MODELS_HUB_CACHE_H

#include "base/reading.h"
#include "models/hub_http.h"

struct hub_cache {
    const char *folder;
    struct arena *arena;
    struct reading reading; /* while contents are hashed */
};

/* The blob is there, whole. */
bool hub_cache_has(const struct hub_cache *c, const struct hub_meta *meta);
WARN_UNUSED_RESULT int hub_cache_open(const struct hub_cache *c, const char *etag, int *fd,
                                      int64_t *have, struct err *e);
/* Check size and hash and give the blob its name. A blob that is not what was announced is removed:
 * ERR_FORMAT. Closes fd in any case. */
WARN_UNUSED_RESULT int hub_cache_finish(const struct hub_cache *c, int fd,
                                        const struct hub_meta *meta, struct err *e);
WARN_UNUSED_RESULT int hub_cache_link(const struct hub_cache *c, const char *commit,
                                      const char *path, const char *etag, struct err *e);
WARN_UNUSED_RESULT int hub_cache_write_ref(const struct hub_cache *c, const char *revision,
                                           const char *commit, struct err *e);

/* Whether the content of fd has the hash that an ETag names: 64 hex digits are a SHA-256, 40 are
 * git's SHA-1 of a blob; anything else says nothing and is true. */
WARN_UNUSED_RESULT int hub_check_hash(int fd, const char *etag, const struct reading *reading,
                                      bool *right, struct err *e);

#endif
