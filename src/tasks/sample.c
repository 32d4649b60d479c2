#include "tasks/sample.h"

#include "base/map.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

struct ticket {
    char place[65]; /* in the lottery: the smallest win */
    char key[65];
    json_t *value;
};
struct stratum {
    int64_t size;
    struct ticket *tickets; /* the smallest so far, in order */
    int count;
};
struct sample {
    int most;
    uint64_t seed;
    struct map names; /* stratum by name */
    struct stratum strata[SAMPLE_STRATA];
    size_t stratum_count;
    struct ticket *offered; /* that sample_keep fills */
    struct arena arena;
};

struct sample *sample_new(int count, uint64_t seed)
{
    struct sample *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->most = count < 1 ? 1 : count > SAMPLE_MOST ? SAMPLE_MOST : count;
    s->seed = seed;
    return s;
}

void sample_free(struct sample *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->stratum_count; i++)
        for (int k = 0; k < s->strata[i].count; k++)
            json_decref(s->strata[i].tickets[k].value);
    map_release(&s->names);
    arena_release(&s->arena);
    free(s);
}

static struct stratum *find(struct sample *s, const char *name)
{
    struct stratum *found = map_get(&s->names, str_from(name));

    if (found)
        return found;
    if (s->stratum_count == SAMPLE_STRATA)
        return &s->strata[SAMPLE_STRATA - 1];
    found = &s->strata[s->stratum_count++];
    found->tickets = arena_alloc(&s->arena, (size_t)s->most * sizeof *found->tickets);
    map_put(&s->names, str_from(name), found);
    return found;
}

static void draw_place(const struct sample *s, const char *record_id, const char *key, char out[65])
{
    struct arena a = {0};
    const char *text =
        arena_printf(&a, "%llu\n%s\n%s", (unsigned long long)s->seed, record_id, key);

    sha256_hex(text, strlen(text), out);
    arena_release(&a);
}

bool sample_offer(struct sample *s, const char *stratum, const char *record_id, const char *key)
{
    struct stratum *in = find(s, stratum ? stratum : "");
    struct ticket t = {.value = NULL};
    int at;

    in->size++;
    draw_place(s, record_id, key, t.place);
    memcpy(t.key, key, strnlen(key, 64) + 1);
    for (int i = 0; i < in->count; i++)
        if (strcmp(in->tickets[i].key, t.key) == 0)
            return false;
    for (at = in->count; at > 0 && strcmp(t.place, in->tickets[at - 1].place) < 0;)
        at--;
    if (at == s->most)
        return false;
    if (in->count == s->most)
        json_decref(in->tickets[--in->count].value);
    memmove(&in->tickets[at + 1], &in->tickets[at], (size_t)(in->count - at) * sizeof t);
    in->tickets[at] = t;
    in->count++;
    s->offered = &in->tickets[at];
    return true;
}

void sample_keep(struct sample *s, json_t *value)
{
    s->offered->value = value;
}

/* The next one goes to whom most is owed. */
static size_t most_owed(const int64_t *sizes, size_t strata, int64_t total, int count,
                        const int *out)
{
    size_t best = strata;
    double owed = 0;

    for (size_t i = 0; i < strata; i++) {
        double mine = (double)sizes[i] * count / (double)total - out[i];
        if (out[i] >= sizes[i])
            continue;
        if (best == strata || (out[i] == 0) > (out[best] == 0) ||
            ((out[i] == 0) == (out[best] == 0) && mine > owed)) {
            best = i;
            owed = mine;
        }
    }
    return best;
}

void sample_allocate(const int64_t *sizes, size_t strata, int count, int *out)
{
    int64_t total = 0;

    for (size_t i = 0; i < strata; i++) {
        total += sizes[i];
        out[i] = 0;
    }
    for (int given = 0; given < count && given < total; given++)
        out[most_owed(sizes, strata, total, count, out)]++;
}

json_t *sample_take(const struct sample *s)
{
    int64_t sizes[SAMPLE_STRATA] = {0};
    int wanted[SAMPLE_STRATA] = {0};
    json_t *out = json_array();
    struct map keys = {0};

    for (size_t i = 0; i < s->stratum_count; i++)
        sizes[i] = s->strata[i].count < s->most ? s->strata[i].count : s->strata[i].size;
    sample_allocate(sizes, s->stratum_count, s->most, wanted);
    for (size_t i = 0; i < s->stratum_count; i++)
        for (int k = 0; k < wanted[i]; k++) {
            struct ticket *t = &s->strata[i].tickets[k];
            if (t->value && !map_put(&keys, str_from(t->key), t))
                json_array_append(out, t->value);
        }
    map_release(&keys);
    return out;
}
