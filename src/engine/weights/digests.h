/*
 * digests.h: the digest of a model on disk, remembered as long as its files do not change.
 *
 *   char digest[65];
 *   if (model_digest_cached(&arena, "data", path, NULL, digest, &e)) ...
 *
 * Reading all weights of a large model takes seconds, so FOLDER/digests.json keeps digests by path,
 * variant, size and time of change (no folder: nothing is kept). Losing that file costs only
 * time; one that cannot be read or written is as good as none. Threads: any; processes may
 * overwrite each other's newest entry, never a part of the file.
 */
#ifndef ENGINE_DIGESTS_H
#define ENGINE_DIGESTS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/reading.h"

#include <stdbool.h>
#include <stdint.h>

/* What tells that the weights under a path are the ones they were. */
struct model_stamp {
    int64_t size; /* of all .safetensors files together */
    int64_t time; /* of the newest one, nanoseconds since 1970 */
    int files;
};

/* `variant` as for model_open. The path is a Diffusers folder or a .safetensors file. */
WARN_UNUSED_RESULT int model_digest_cached(struct arena *a, const char *folder, const char *path,
                                           const char *variant, char out[65], struct err *e);
/* Only what is remembered for that state of the files. */
bool model_digest_known(struct arena *a, const char *folder, const char *path, const char *variant,
                        const struct model_stamp *stamp, char out[65]);
/* The same, computed from the bytes whatever is remembered; *known says whether a digest was
 * remembered for this very state of the files, and `former` which. What is computed is remembered,
 * unless it contradicts. `reading` may be NULL. */
WARN_UNUSED_RESULT int model_digest_fresh(struct arena *a, const char *folder, const char *path,
                                          const char *variant, const struct reading *reading,
                                          char out[65], bool *known, char former[65],
                                          struct err *e);
WARN_UNUSED_RESULT int model_stamp_read(const char *path, struct model_stamp *out, struct err *e);

#endif
