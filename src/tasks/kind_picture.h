/*
 * kind_picture.h: pictures that records name, for kinds that look at them; private to tasks/.
 *
 *   struct named_pictures p = {.context = c};
 *   if (named_picture(&p, "gs://bucket/cat.png", &arena, &bytes, &problem, &e)) ...
 *   named_pictures_release(&p);
 *
 * A name is the id of a generation (the task's user's, unless the document is trusted), or a URL:
 * gs:// and s3:// objects (documents that are not trusted: of their own destination's bucket),
 * file: below the folder of the task's sources (trusted ones: anywhere), or https, from public
 * addresses alone and without following redirects. At most PICTURE_BYTES.
 * Errors: ERR_ARG with *problem for what will never be a picture; ERR_NETWORK for what may become
 * one. Threads: one at a time. Ownership: bytes live in the arena.
 */
#ifndef TASKS_KIND_PICTURE_H
#define TASKS_KIND_PICTURE_H

#include "tasks/kind.h"

enum { PICTURE_BYTES = 64 << 20 };

struct named_pictures {
    const struct kind_context *context;
    struct objects *store; /* the last one that was read from */
    char *store_url;
};
WARN_UNUSED_RESULT int named_picture(struct named_pictures *p, const char *name, struct arena *a,
                                     struct str *out, struct mapping_problem *problem,
                                     struct err *e);
void named_pictures_release(struct named_pictures *p);

#endif
