#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16384, ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(ALIGN) unsigned char bytes[];
};

void *arena_try(struct arena *a, size_t count, size_t size)
{
    if (size && count > (SIZE_MAX / 2) / size)
        return NULL;
    size_t bytes = (count * size + ALIGN - 1) / ALIGN * ALIGN;
    struct arena_block *b = a->blocks;

    if (!b || b->size - b->used < bytes) {
        size_t room = bytes > BLOCK / 4 ? bytes : BLOCK;
        struct arena_block *fresh = calloc(1, sizeof *fresh + room);
        if (!fresh)
            return NULL;
        fresh->size = room;
        if (b &&
            room ==
                bytes) { /* a large piece has a block to itself; the open block stays in front */
            fresh->used = bytes;
            fresh->next = b->next;
            b->next = fresh;
            return fresh->bytes;
        }
        fresh->next = b;
        a->blocks = b = fresh;
    }
    void *p = b->bytes + b->used;
    b->used += bytes;
    return p;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    void *p = arena_try(a, 1, bytes);
    if (!p)
        abort();
    return p;
}

char *arena_str(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_str(a, str_from(s));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        abort();
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p;
}

void arena_release(struct arena *a)
{
    for (struct arena_block *b = a->blocks; b;) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
    a->blocks = NULL;
}
