/*
 * watch.h: who looks on while a model is downloaded or checked, and may stop it.
 *
 *   struct model_hub hub = {..., .watch = {.stop = wanted_no_more, .progress = draw, .user = bar}};
 *
 * Threads: both are called on the thread that works, `stop` several times a second (once when
 * nothing arrives), `progress` after every piece. Ownership: what is passed lives for the call.
 */
#ifndef MODELS_WATCH_H
#define MODELS_WATCH_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model_progress {
    const char *file;    /* that is worked on, as the model names it; NULL: none */
    int64_t done, total; /* bytes of the whole model */
    int64_t moved;       /* bytes that this call fetched or read: what a rate is made of */
};

struct model_watch {
    bool (*stop)(void *user); /* true ends it with ERR_CANCELLED; NULL: never */
    void (*progress)(void *user, const struct model_progress *p); /* NULL: nobody looks */
    void *user;
};

static inline bool model_watch_stopped(const struct model_watch *w)
{
    return w->stop && w->stop(w->user);
}

static inline void model_watch_tell(const struct model_watch *w, const struct model_progress *p)
{
    if (w->progress)
        w->progress(w->user, p);
}

#endif
