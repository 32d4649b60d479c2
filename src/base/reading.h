/*
 * reading.h: who looks on while many bytes are read, and may stop it.
 *
 *   static bool go_on(void *user, int64_t bytes) { ... return !stop; }
 *   rc = model_digest(m, &(struct reading){go_on, task}, digest, &e);
 *
 * Told after every piece, on the thread that reads: how many bytes it had, not how many there were
 * so far. When it says no, the reader ends with ERR_CANCELLED. Threads: the caller's.
 */
#ifndef BASE_READING_H
#define BASE_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { READING_PIECE = 4 << 20 }; /* bytes: some milliseconds of hashing */

struct reading {
    bool (*go_on)(void *user, int64_t bytes); /* NULL: nobody looks */
    void *user;
};

/* `r` may be NULL. */
static inline bool reading_tell(const struct reading *r, size_t bytes)
{
    return !r || !r->go_on || r->go_on(r->user, (int64_t)bytes);
}

#endif
