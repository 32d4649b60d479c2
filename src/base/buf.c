#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_release(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

static int reserve(struct buf *b, size_t n)
{
    if (n > b->max - b->n)
        return ERR_NOMEM;
    if (b->n + n + 1 <= b->room)
        return 0;
    size_t room = b->room ? b->room : 64;
    while (room < b->n + n + 1)
        room *= 2;
    char *p = realloc(b->p, room);
    if (!p)
        return ERR_NOMEM;
    b->p = p;
    b->room = room;
    return 0;
}

int buf_add(struct buf *b, const void *bytes, size_t n)
{
    if (reserve(b, n))
        return ERR_NOMEM;
    if (n)
        memcpy(b->p + b->n, bytes, n);
    b->n += n;
    b->p[b->n] = 0;
    return 0;
}

int buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || reserve(b, (size_t)n))
        return ERR_NOMEM;
    va_start(args, format);
    vsnprintf(b->p + b->n, (size_t)n + 1, format, args);
    va_end(args);
    b->n += (size_t)n;
    return 0;
}

char *buf_take(struct buf *b)
{
    char *p = b->p ? b->p : calloc(1, 1);
    *b = (struct buf){.max = b->max};
    return p;
}
