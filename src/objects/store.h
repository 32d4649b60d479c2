/*
 * store.h: what the backends of objects.h share: an open store, and small helps for services that
 * are asked over HTTP.
 *
 *   static int open_s3(struct objects *o, const char *place, struct err *e)
 *   {
 *       if (store_bucket(o, place, e))
 *           return e->code;                       o->bucket and o->prefix are set
 *       o->state = ...;
 *
 * Threads: constant once open, but for the counters and what `state` guards itself.
 */
#ifndef OBJECTS_STORE_H
#define OBJECTS_STORE_H

#include "objects/checksum.h"
#include "objects/objects.h"

struct objects {
    const struct objects_backend *backend;
    struct arena arena;               /* texts of the options; `open` may add, nobody later */
    struct net *net;                  /* borrowed; NULL is possible */
    struct objects_settings settings; /* copies; an empty text is NULL */
    size_t resumable_from, part;      /* part 0: the service's advice */
    const char *bucket;               /* of services; folders have none */
    const char *prefix;               /* "" or a path with '/' at its end */
    void *state;                      /* the backend's own */
    atomic_llong puts, existed, gets, failures, bytes_sent;
    atomic_llong resumed; /* uploads that went on where a former try stopped: backends count it */
};

extern const struct objects_backend objects_gcs, objects_s3, objects_folder;

/* "BUCKET[/PREFIX]" -> o->bucket, o->prefix. ERR_ARG: not a name that buckets have. */
WARN_UNUSED_RESULT int store_bucket(struct objects *o, const char *place, struct err *e);

/* ERR_ARG for a name that objects.h does not allow; `prefix` counts for the length. */
WARN_UNUSED_RESULT int store_check_name(const char *prefix, const char *name, struct err *e);

/* Every byte but RFC 3986's unreserved characters and those of `keep` as %XX. */
char *store_percent(struct arena *a, const char *text, const char *keep);

/* An answer that is no success: 401, 403 ERR_DENIED; 404 ERR_NOT_FOUND; 409, 412 ERR_CONFLICT; 408,
 * 429, 5xx ERR_NETWORK; else ERR_FORMAT. The message reads "cannot WHAT 'NAME': the service
 * answered 403: DETAIL"; `detail` NULL or "": nothing more. */
WARN_UNUSED_RESULT int store_refused(struct err *e, const char *what, const char *name, int status,
                                     const char *detail);

/* 1: the object that is there has these bytes, as far as its sums tell; 0: it has others; -1: it
 * has their size, but no sum that could be compared. */
int store_same(const struct object_info *there, size_t n, const struct sums *ours);
/* ERR_CONFLICT that shows both sizes and sums. */
WARN_UNUSED_RESULT int store_conflict(struct err *e, const char *name,
                                      const struct object_info *there, size_t n,
                                      const struct sums *ours);

/* What arrived against what the service says of it (info's size and sums, unknown ones not
 * counted): ERR_FORMAT. */
WARN_UNUSED_RESULT int store_verify(struct err *e, const char *name, const struct object_info *info,
                                    struct str bytes);

#endif
