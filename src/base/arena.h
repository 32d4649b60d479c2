/*
 * arena.h: many small allocations, freed together.
 *
 *   struct arena a = {0};
 *   char *s = arena_printf(&a, "%s/%s", dir, file);
 *   arena_release(&a);
 *
 * One arena per request, job or run. Memory is zeroed. A small allocation that fails aborts the
 * program; sizes that come from users go through arena_try, which may return NULL. Threads: an
 * arena belongs to one thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *blocks; /* the newest first */
};

/* Zeroed memory, aligned to 16 bytes, valid until arena_release. */
void *arena_alloc(struct arena *a, size_t bytes);
/* The same for count * size bytes; NULL when that overflows or cannot be had. */
void *arena_try(struct arena *a, size_t count, size_t size);
/* A NUL-terminated copy. */
char *arena_str(struct arena *a, struct str s);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);
void arena_release(struct arena *a);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
