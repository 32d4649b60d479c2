#include "storage/connection.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const char *sql)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (; *sql; sql++)
        h = (h ^ (unsigned char)*sql) * 0x100000001b3u;
    return h;
}

void *statements_find(struct statements *s, const char *sql)
{
    uint64_t hash = hash_of(sql);

    for (size_t i = 0; i < STATEMENTS; i++)
        if (s->all[i].hash == hash && s->all[i].sql && strcmp(s->all[i].sql, sql) == 0) {
            s->all[i].used = ++s->clock;
            return s->all[i].handle;
        }
    return NULL;
}

static void drop(struct statements *s, struct statement *one)
{
    if (one->sql)
        s->forget(s->owner, one->handle);
    free(one->sql);
    *one = (struct statement){0};
}

void statements_keep(struct statements *s, const char *sql, void *handle)
{
    struct statement *place = &s->all[0];

    for (size_t i = 1; i < STATEMENTS; i++)
        if (s->all[i].used < place->used)
            place = &s->all[i];
    drop(s, place);
    place->sql = strdup(sql);
    if (!place->sql)
        abort(); /* a small allocation, as in arena.h */
    place->hash = hash_of(sql);
    place->handle = handle;
    place->used = ++s->clock;
}

void statements_release(struct statements *s)
{
    for (size_t i = 0; i < STATEMENTS; i++)
        drop(s, &s->all[i]);
}
