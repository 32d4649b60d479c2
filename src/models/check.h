/*
 * check.h: are the bytes of a model still those they should be? Three witnesses, whichever there
 * are: the digest remembered from earlier (digests.h), a SHA256SUMS file beside or inside the
 * folder, and the names of the blobs in the Hugging Face cache.
 *
 *   struct model_check found;
 *   if (model_check(&arena, path, "data", &watch, &found, &e)) ...      e says what is broken
 *   printf("%s: ok, %s\n", name, model_check_text(&found, &arena));
 *
 * Every byte is read; the weights twice where checksums are recorded: once as files, once as
 * tensors, whose names, shapes and numbers make the digest. Threads: any. Ownership: nothing.
 */
#ifndef MODELS_CHECK_H
#define MODELS_CHECK_H

#include "models/watch.h"

struct model_check {
    char digest[65];
    int sums, blobs; /* files compared with SHA256SUMS; with their blob's name */
    bool remembered; /* the digest is the one that was known; false: it is known from now on */
};

/* ERR_FORMAT: it is not what it was, and what to do; ERR_CANCELLED as `watch` (may be empty) says;
 * others: it cannot be read. data_folder: of the remembered digests, NULL for none. */
WARN_UNUSED_RESULT int model_check(struct arena *a, const char *path, const char *data_folder,
                                   const struct model_watch *watch, struct model_check *out,
                                   struct err *e);
/* "digest 3fb1..., 9 files as in SHA256SUMS, as remembered". */
const char *model_check_text(const struct model_check *c, struct arena *a);

#endif
