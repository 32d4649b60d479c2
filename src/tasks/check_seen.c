#include "tasks/check_seen.h"

#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const char *text)
{
    char hex[65];
    uint64_t hash;

    sha256_hex(text, strlen(text), hex);
    hex[16] = 0;
    hash = strtoull(hex, NULL, 16);
    return hash ? hash : 1;
}

static size_t place_of(const struct seen *s, uint64_t hash)
{
    size_t i = (size_t)hash & (s->room - 1);

    while (s->slots[i] && s->slots[i] != hash)
        i = (i + 1) & (s->room - 1);
    return i;
}

static int grow(struct seen *s)
{
    struct seen larger = {.room = s->room ? 2 * s->room : 1024, .count = s->count};

    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (!larger.slots)
        return -1;
    for (size_t i = 0; i < s->room; i++)
        if (s->slots[i])
            larger.slots[place_of(&larger, s->slots[i])] = s->slots[i];
    free(s->slots);
    *s = larger;
    return 0;
}

enum seen_answer seen_add(struct seen *s, const char *text)
{
    uint64_t hash = hash_of(text);
    size_t i;

    if (s->count >= SEEN_MOST || (2 * s->count >= s->room && grow(s)))
        return SEEN_FULL;
    i = place_of(s, hash);
    if (s->slots[i])
        return SEEN_BEFORE;
    s->slots[i] = hash;
    s->count++;
    return SEEN_NEW;
}

void seen_release(struct seen *s)
{
    free(s->slots);
    *s = (struct seen){0};
}
