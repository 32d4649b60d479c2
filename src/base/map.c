#include "base/map.h"

#include <stdint.h>
#include <stdlib.h>

/* FNV-1a, 64 bit. */
static uint64_t hash(struct str s)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
    return h ^ h >> 32;
}

static struct map_slot *find(const struct map *m, struct str key)
{
    size_t i = hash(key) & (m->room - 1);
    while (m->slots[i].key.p && !str_eq(m->slots[i].key, key))
        i = (i + 1) & (m->room - 1);
    return &m->slots[i];
}

static void grow(struct map *m)
{
    struct map old = *m;

    m->room = old.room ? old.room * 2 : 64;
    m->slots = calloc(m->room, sizeof *m->slots);
    if (!m->slots)
        abort();
    for (size_t i = 0; i < old.room; i++)
        if (old.slots[i].key.p)
            *find(m, old.slots[i].key) = old.slots[i];
    free(old.slots);
}

void *map_put(struct map *m, struct str key, void *value)
{
    if ((m->count + 1) * 4 > m->room * 3)
        grow(m);
    struct map_slot *s = find(m, key);
    void *former = s->value;
    if (!s->key.p) {
        s->key = (struct str){arena_str(&m->keys, key), key.n};
        m->count++;
    }
    s->value = value;
    return former;
}

void *map_get(const struct map *m, struct str key)
{
    return m->room ? find(m, key)->value : NULL;
}

void map_release(struct map *m)
{
    free(m->slots);
    arena_release(&m->keys);
    *m = (struct map){0};
}
