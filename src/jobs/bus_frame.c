/* bus_frame.c: see bus_frame.h for the layout. */
#include "jobs/bus_frame.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS = 4, HEAD = 4 + 4 + BUS_ORIGIN + PARTS * 4 };
enum { EVENT = 'e', TOLD = 't' };
enum { FLAG_EVERYONE = 1, FLAG_MAY_DROP = 2 };

static void put_u32(unsigned char *p, size_t n)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(n >> 8 * i);
}

static size_t get_u32(const unsigned char *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

static struct bus_frame *frame_new(size_t n)
{
    struct bus_frame *f = malloc(sizeof *f + n);

    if (f) {
        atomic_init(&f->keepers, 1);
        f->next = NULL;
        f->n = n;
    }
    return f;
}

static struct bus_frame *frame_make(int kind, int flags, const char origin[BUS_ORIGIN],
                                    const struct str parts[PARTS])
{
    size_t n = HEAD;

    for (int i = 0; i < PARTS; i++) {
        if (parts[i].n >= BUS_FRAME_MAX)
            return NULL;
        n += parts[i].n + 1;
    }
    struct bus_frame *f = n <= BUS_FRAME_MAX ? frame_new(n) : NULL;
    if (!f)
        return NULL;
    memcpy(f->bytes, "SCb1", 4);
    f->bytes[4] = (unsigned char)kind;
    f->bytes[5] = (unsigned char)flags;
    f->bytes[6] = f->bytes[7] = 0;
    memcpy(f->bytes + 8, origin, BUS_ORIGIN);
    unsigned char *to = f->bytes + HEAD;
    for (int i = 0; i < PARTS; i++) {
        put_u32(f->bytes + 8 + BUS_ORIGIN + i * 4, parts[i].n);
        if (parts[i].n)
            memcpy(to, parts[i].p, parts[i].n);
        to[parts[i].n] = 0;
        to += parts[i].n + 1;
    }
    return f;
}

struct bus_frame *bus_frame_event(const char origin[BUS_ORIGIN], const struct bus_event *event)
{
    int flags = (event->room ? 0 : FLAG_EVERYONE) | (event->may_drop ? FLAG_MAY_DROP : 0);

    return frame_make(EVENT, flags, origin,
                      (const struct str[PARTS]){str_from(event->room), str_from(event->name),
                                                str_from(event->data), event->attachment});
}

struct bus_frame *bus_frame_tell(const char origin[BUS_ORIGIN], const char *topic, const char *text)
{
    return frame_make(TOLD, 0, origin,
                      (const struct str[PARTS]){str_from(topic), str_from(text), {0}, {0}});
}

struct bus_frame *bus_frame_read(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    size_t at = HEAD;

    if (n < HEAD || n > BUS_FRAME_MAX || memcmp(p, "SCb1", 4) != 0 ||
        (p[4] != EVENT && p[4] != TOLD))
        return NULL;
    for (int i = 0; i < PARTS; i++) {
        size_t part = get_u32(p + 8 + BUS_ORIGIN + i * 4);
        if (part >= n - at || p[at + part] != 0) /* the NUL lies inside, too */
            return NULL;
        if (i < 3 && memchr(p + at, 0, part))
            return NULL;
        at += part + 1;
        if (at >= n && i < PARTS - 1)
            return NULL;
    }
    struct bus_frame *f = at == n ? frame_new(n) : NULL;
    if (f)
        memcpy(f->bytes, bytes, n);
    return f;
}

struct bus_frame *bus_frame_keep(struct bus_frame *f)
{
    atomic_fetch_add(&f->keepers, 1);
    return f;
}

void bus_frame_drop(struct bus_frame *f)
{
    if (f && atomic_fetch_sub(&f->keepers, 1) == 1)
        free(f);
}

bool bus_frame_from(const struct bus_frame *f, const char origin[BUS_ORIGIN])
{
    return memcmp(f->bytes + 8, origin, BUS_ORIGIN) == 0;
}

bool bus_frame_for_screens(const struct bus_frame *f)
{
    return f->bytes[4] == EVENT || strcmp((const char *)f->bytes + HEAD, "worker") == 0;
}

bool bus_frame_may_drop(const struct bus_frame *f)
{
    return f->bytes[5] & FLAG_MAY_DROP;
}

bool bus_frame_open(const struct bus_frame *f, struct bus_event *event, const char **topic,
                    const char **text)
{
    const unsigned char *p = f->bytes + HEAD;
    struct str part[PARTS];

    for (int i = 0; i < PARTS; i++) {
        part[i].n = get_u32(f->bytes + 8 + BUS_ORIGIN + i * 4);
        part[i].p = (const char *)p;
        p += part[i].n + 1;
    }
    if (f->bytes[4] == TOLD) {
        *topic = part[0].p;
        *text = part[1].p;
        return false;
    }
    *event = (struct bus_event){.room = f->bytes[5] & FLAG_EVERYONE ? NULL : part[0].p,
                                .name = part[1].p,
                                .data = part[2].p,
                                .attachment = part[3],
                                .may_drop = bus_frame_may_drop(f)};
    return true;
}
