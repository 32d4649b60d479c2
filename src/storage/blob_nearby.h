/*
 * blob_nearby.h: a folder with what was read last of blobs that lie elsewhere, of a bounded size.
 *
 *   struct nearby n;
 *   if (nearby_open(&n, "data/blob-cache", most, &e)) ...
 *   if (nearby_find(&n, 'b', sha256, &fd, &size)) ...          it is here
 *   if (nearby_keep(&n, 'b', sha256, bytes)) nearby_count(&n, bytes.n);
 *   nearby_close(&n);
 *
 * Kinds are those of blobs_walk: 'b' blobs, 'c' cache entries. What was not used for the longest
 * goes first; a file that is removed while somebody reads it stays readable to them. Several
 * processes may share a folder. A folder that fails is as good as none: it keeps nobody from
 * reading or storing. Threads: any. Private to storage/.
 */
#ifndef STORAGE_BLOB_NEARBY_H
#define STORAGE_BLOB_NEARBY_H

#include "storage/blob.h"

#include <pthread.h>

struct nearby {
    struct blobs *blobs; /* NULL: nothing is kept */
    int64_t most;
    pthread_mutex_t lock;
    int64_t held;  /* bytes, as far as this process knows */
    bool sweeping; /* a thread makes room */
};

/* folder NULL: nothing is kept. `most` bytes. nearby_close also after an error. */
WARN_UNUSED_RESULT int nearby_open(struct nearby *n, const char *folder, int64_t most,
                                   struct err *e);
void nearby_close(struct nearby *n);
bool nearby_find(struct nearby *n, char kind, const char *name, int *fd, int64_t *size);
/* False: it is not kept. nearby_count follows once it was opened: that may remove it. */
bool nearby_keep(struct nearby *n, char kind, const char *name, struct str bytes);
void nearby_count(struct nearby *n, int64_t bytes);
void nearby_forget(struct nearby *n, char kind, const char *name);

#endif
