/* judge_pairs.c: which two pictures to show next, without looking at all pairs there are. */
#include "experiments/judge.h"

#include <stdlib.h>
#include <string.h>

enum {
    ALL = 4096,     /* so many pairs are all looked at */
    DRAWS = 20,     /* else so many candidates for each pair that is wanted */
    MOST_SHOWN = 2, /* times that one picture comes, while there are others */
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t chance(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* 0 .. n - 1; the bias of 2^-64 n does no harm here. */
static uint64_t chance_of(uint64_t *state, uint64_t n)
{
    return (uint64_t)((unsigned __int128)chance(state) * n >> 64);
}

/* Pictures that may be paired with each other stand together; equal ones are there once. */
struct place {
    const struct judge_picture *picture;
    uint64_t group; /* points on the axes that may not differ, and the replicate */
    size_t index;   /* of the picture */
    size_t kept;    /* its place among those that are kept, or that of its equal */
};
struct pairing {
    const struct judge *j;
    const struct spec *spec;
    const struct judge_wanted *w;
    struct arena *a;
    uint64_t state;
    struct place *places;
    size_t *kept;           /* places */
    size_t *start, buckets; /* of buckets in `kept`; buckets + 1 */
    uint64_t *before;       /* pairs in the buckets before each one; buckets + 1 */
    uint64_t *judged;       /* pairs, ascending */
    size_t judged_count;
};

static size_t point_of(const struct spec *s, size_t cell, size_t axis)
{
    size_t left = cell / s->seed_count;

    for (size_t i = s->axis_count - 1; i > axis; i--)
        left /= s->axes[i].point_count;
    return left % s->axes[axis].point_count;
}

static uint64_t group_of(const struct spec *s, const bool *may_differ, size_t cell)
{
    uint64_t group = cell % s->seed_count;

    for (size_t i = 0; i < s->axis_count; i++)
        if (!may_differ[i])
            group = group * s->axes[i].point_count + point_of(s, cell, i);
    return group;
}

static int by_bucket(const struct place *x, const struct place *y)
{
    int prompt = strcmp(x->picture->prompt, y->picture->prompt);

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return prompt ? prompt : strcmp(x->picture->seed, y->picture->seed);
}

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int bucket = by_bucket(x, y), same = strcmp(x->picture->picture, y->picture->picture);

    return bucket ? bucket : same ? same : strcmp(x->picture->id, y->picture->id);
}

static uint64_t pairs_of(uint64_t n)
{
    return n * (n - 1) / 2;
}

static void close_bucket(struct pairing *p, size_t kept)
{
    uint64_t n = kept - p->start[p->buckets];

    if (n < 2)
        return; /* the next one begins in its place */
    p->before[p->buckets + 1] = p->before[p->buckets] + pairs_of(n);
    p->start[++p->buckets] = kept;
}

static void make_buckets(struct pairing *p)
{
    size_t n = p->w->count, kept = 0;

    for (size_t i = 0; i < n; i++) {
        const struct judge_picture *picture = &p->w->pictures[i];
        p->places[i] = (struct place){picture, group_of(p->spec, p->w->may_differ, picture->cell),
                                      i, SIZE_MAX};
    }
    qsort(p->places, n, sizeof *p->places, by_place);
    for (size_t i = 0; i < n; i++) {
        bool another = i && by_bucket(&p->places[i - 1], &p->places[i]) != 0;
        if (another) {
            close_bucket(p, kept);
            kept = p->start[p->buckets];
        }
        bool equal = i && !another &&
                     strcmp(p->places[i - 1].picture->picture, p->places[i].picture->picture) == 0;
        if (!equal)
            p->kept[kept++] = i;
        p->places[i].kept = kept - 1;
    }
    close_bucket(p, kept);
}

static uint64_t key_of(size_t a, size_t b)
{
    return a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static size_t sort_unique(uint64_t *list, size_t n)
{
    size_t kept = 0;

    qsort(list, n, sizeof *list, by_key);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || list[i] != list[kept - 1])
            list[kept++] = list[i];
    return kept;
}

/* A place whose bucket was closed with less than two has been overwritten. */
static bool is_kept(const struct pairing *p, const struct place *x)
{
    return x->kept < p->start[p->buckets] && by_bucket(&p->places[p->kept[x->kept]], x) == 0;
}

static void find_judged(struct pairing *p)
{
    struct map by_id = {0};

    for (size_t i = 0; i < p->w->count; i++)
        map_put(&by_id, str_from(p->places[i].picture->id), &p->places[i]);
    for (size_t i = 0; i < p->w->judged_count; i++) {
        const struct place *x = map_get(&by_id, str_from(p->w->judged[i][0])),
                           *y = map_get(&by_id, str_from(p->w->judged[i][1]));
        if (x && y && by_bucket(x, y) == 0 && x->kept != y->kept && is_kept(p, x) && is_kept(p, y))
            p->judged[p->judged_count++] = key_of(x->kept, y->kept);
    }
    p->judged_count = sort_unique(p->judged, p->judged_count);
    map_release(&by_id);
}

static bool is_judged(const struct pairing *p, uint64_t key)
{
    return bsearch(&key, p->judged, p->judged_count, sizeof key, by_key) != NULL;
}

/* ==== candidates ==== */

static uint64_t any_pair(struct pairing *p)
{
    uint64_t at = chance_of(&p->state, p->before[p->buckets]);
    size_t low = 0, high = p->buckets - 1;

    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (p->before[middle] <= at)
            low = middle;
        else
            high = middle - 1;
    }
    size_t n = p->start[low + 1] - p->start[low];
    size_t first = (size_t)chance_of(&p->state, n), second = (size_t)chance_of(&p->state, n - 1);
    second += second >= first;
    return key_of(p->start[low] + first, p->start[low] + second);
}

/* In their order from some bucket on, until `most` are found; what is passed over was judged. */
static size_t walk(struct pairing *p, uint64_t *list, size_t n, size_t most)
{
    size_t from = p->buckets ? (size_t)chance_of(&p->state, p->buckets) : 0;

    for (size_t k = 0; k < p->buckets && n < most; k++) {
        size_t b = (from + k) % p->buckets;
        for (size_t i = p->start[b]; i < p->start[b + 1] && n < most; i++)
            for (size_t m = i + 1; m < p->start[b + 1] && n < most; m++)
                if (!is_judged(p, key_of(i, m)))
                    list[n++] = key_of(i, m);
    }
    return n;
}

static size_t find_candidates(struct pairing *p, uint64_t *list)
{
    size_t wanted = p->w->limit * DRAWS, n = 0;

    if (p->before[p->buckets] <= ALL)
        return walk(p, list, 0, ALL);
    for (size_t i = 0; i < wanted; i++) {
        uint64_t key = any_pair(p);
        if (!is_judged(p, key))
            list[n++] = key;
    }
    n = sort_unique(list, n);
    /* Nearly all of many pairs were judged: chance meets none of the others. */
    return n < p->w->limit ? sort_unique(list, walk(p, list, n, n + 2 * p->w->limit)) : n;
}

/* ==== choice ==== */

struct candidate {
    uint64_t key;
    double gain;
};

static int by_gain(const void *a, const void *b)
{
    double x = ((const struct candidate *)a)->gain, y = ((const struct candidate *)b)->gain;

    return x > y ? -1 : x < y;
}

static void levels_of(const struct pairing *p, size_t kept, size_t *levels)
{
    size_t cell = p->places[p->kept[kept]].picture->cell;

    for (size_t i = 0; i < p->j->axis_count; i++) {
        const struct judge_axis *axis = &p->j->axes[i];
        levels[i] = axis->levels[point_of(p->spec, cell, axis->of_spec)];
    }
}

/* What a vote would tell, a quarter more or less by chance, so that equals take turns. */
static void weigh(struct pairing *p, const uint64_t *list, size_t n, struct candidate *out)
{
    size_t left[SPEC_MAX_AXES], right[SPEC_MAX_AXES];

    for (size_t i = 0; i < n; i++) {
        double luck = 0.75 + 0.5 * (double)(chance(&p->state) >> 11) * 0x1p-53;
        levels_of(p, (size_t)(list[i] >> 32), left);
        levels_of(p, (size_t)(list[i] & UINT32_MAX), right);
        out[i] = (struct candidate){list[i], judge_gain(p->j, left, right) * luck};
    }
    qsort(out, n, sizeof *out, by_gain);
}

static size_t choose(struct pairing *p, const struct candidate *list, size_t n,
                     struct judge_pair *out)
{
    size_t *shown = arena_alloc(p->a, (p->w->count + 1) * sizeof *shown);
    bool *taken = arena_alloc(p->a, n + 1);
    size_t found = 0;

    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < n && found < p->w->limit; i++) {
            size_t x = (size_t)(list[i].key >> 32), y = (size_t)(list[i].key & UINT32_MAX);
            if (taken[i] || (!again && (shown[x] >= MOST_SHOWN || shown[y] >= MOST_SHOWN)))
                continue;
            taken[i] = true;
            shown[x]++;
            shown[y]++;
            out[found++] =
                (struct judge_pair){p->places[p->kept[x]].index, p->places[p->kept[y]].index};
        }
    return found;
}

static void shuffle(struct pairing *p, struct judge_pair *list, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)chance_of(&p->state, i);
        struct judge_pair one = list[i - 1];
        list[i - 1] = list[k];
        list[k] = one;
    }
    for (size_t i = 0; i < n; i++)
        if (chance(&p->state) >> 63)
            list[i] = (struct judge_pair){list[i].right, list[i].left};
}

int judge_pairs(const struct judge *j, const struct spec *spec, const struct judge_wanted *w,
                struct arena *a, struct judge_pair **out, size_t *found, int64_t *remaining,
                struct err *e)
{
    struct pairing p = {.j = j, .spec = spec, .w = w, .a = a, .state = w->chance};
    size_t room = w->count + 2, most = ALL + JUDGE_PAIRS * (DRAWS + 2);

    if (w->limit < 1 || w->limit > JUDGE_PAIRS || w->count > SPEC_MAX_CELLS)
        return ERR(e, ERR_ARG, "%zu pairs of %zu pictures", w->limit, w->count);
    for (size_t i = 0; i < w->count; i++)
        if (w->pictures[i].cell >= spec->cells)
            return ERR(e, ERR_ARG, "cell %zu is not one of the plan", w->pictures[i].cell);
    p.places = arena_try(a, room, sizeof *p.places);
    p.kept = arena_try(a, room, sizeof *p.kept);
    p.start = arena_try(a, room, sizeof *p.start);
    p.before = arena_try(a, room, sizeof *p.before);
    p.judged = arena_try(a, w->judged_count + 1, sizeof *p.judged);
    uint64_t *list = arena_try(a, most, sizeof *list);
    struct candidate *candidates = arena_try(a, most, sizeof *candidates);
    struct judge_pair *pairs = arena_try(a, JUDGE_PAIRS, sizeof *pairs);
    if (!p.places || !p.kept || !p.start || !p.before || !p.judged || !list || !candidates ||
        !pairs)
        return ERR(e, ERR_NOMEM, "no memory for the pairs of %zu pictures", w->count);
    make_buckets(&p);
    find_judged(&p);
    size_t n = find_candidates(&p, list);
    weigh(&p, list, n, candidates);
    *found = choose(&p, candidates, n, pairs);
    shuffle(&p, pairs, *found);
    *remaining = (int64_t)(p.before[p.buckets] - p.judged_count);
    *out = pairs;
    return 0;
}
