/*
 * map.h: a hash map from text to pointers. Keys are copied into the map; values are borrowed.
 *
 *   struct map m = {0};
 *   map_put(&m, STR("key"), value);
 *   value = map_get(&m, STR("key"));          (NULL when absent)
 *   map_release(&m);
 *
 * Threads: lookups may run together; a put excludes everything else.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"
#include "base/str.h"

struct map_slot {
    struct str key;
    void *value;
};
struct map {
    struct map_slot *slots; /* open addressing; a power of two of them; key.p NULL means free */
    size_t room, count;
    struct arena keys;
};

/* Replace or insert; returns the former value or NULL. value must not be NULL. */
void *map_put(struct map *m, struct str key, void *value);
void *map_get(const struct map *m, struct str key);
void map_release(struct map *m);

#endif
