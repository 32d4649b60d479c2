#include "engine/sampling/brownian.h"

#include "engine/sampling/noise.h"

#include <math.h>
#include <string.h>

/* ---- numpy's SeedSequence (M. E. O'Neill's seed_seq_fe) ---- */

enum { POOL = 24 };

static uint32_t hash(uint32_t value, uint32_t *constant, uint32_t multiplier)
{
    value ^= *constant;
    *constant *= multiplier;
    value *= *constant;
    return value ^ (value >> 16);
}

static uint32_t mix(uint32_t x, uint32_t y)
{
    uint32_t z = 0xca01f9ddu * x - 0x4973f715u * y;
    return z ^ (z >> 16);
}

void seed_sequence(uint64_t entropy, bool spawned, uint32_t key, uint32_t depth, uint32_t *state,
                   int n)
{
    uint32_t pool[POOL] = {(uint32_t)entropy, (uint32_t)(entropy >> 32)};
    uint32_t spawn[2] = {key, depth}, constant = 0x43b0d7e5u;

    for (int i = 0; i < POOL; i++)
        pool[i] = hash(pool[i], &constant, 0x931e8875u);
    for (int i = 0; i < POOL; i++)
        for (int j = 0; j < POOL; j++)
            if (i != j)
                pool[j] = mix(pool[j], hash(pool[i], &constant, 0x931e8875u));
    for (int i = 0; i < 2 && spawned; i++)
        for (int j = 0; j < POOL; j++)
            pool[j] = mix(pool[j], hash(spawn[i], &constant, 0x931e8875u));
    constant = 0x8b51f9ddu;
    for (int i = 0; i < n; i++)
        state[i] = hash(pool[i], &constant, 0x58f38dedu);
}

/* ---- the tree ---- */

enum { DEPTH_MAX = 40 }; /* 2^40 millionths: far more than any schedule spans */

struct brownian {
    uint64_t seed;
    double start, end;
    size_t count;
    float *level[DEPTH_MAX]; /* [count] the increment over the node of that depth being visited */
    float *noise;            /* [count] */
};

/* Python's round(x, 6): to the nearest decimal, judging by the exact value of x; ties to even. */
static double round6(double x)
{
    double scaled = x * 1e6, rest = fma(x, 1e6, -scaled), whole = floor(scaled);
    double over = scaled - whole - 0.5;

    if (over == 0 && rest != 0)
        whole += rest > 0;
    else
        whole = rint(scaled);
    return whole / 1e6;
}

static void draw(uint32_t seed, float *out, size_t count)
{
    struct noise n;

    noise_init(&n, NOISE_CPU, seed);
    noise_normal(&n, out, count);
}

int brownian_new(struct arena *a, uint64_t seed, double start, double end, size_t count,
                 struct brownian **out, struct err *e)
{
    struct brownian *b = ARENA_NEW(a, struct brownian);
    uint32_t state[3];
    int depth = 3;

    if (!(end - start < 1e5))
        return ERR(e, ERR_ARG, "noise levels from %g to %g are too far apart for a Brownian path",
                   start, end);
    if (end - start > 1e-6)
        depth += (int)ceil(log2((end - start) / 1e-6));
    float *all = arena_try(a, count, (size_t)(depth + 1) * sizeof *all);
    if (!all)
        return ERR(e, ERR_NOMEM, "no memory for a Brownian path of %zu numbers", count);
    for (int i = 0; i < depth; i++)
        b->level[i] = all + (size_t)i * count;
    b->noise = all + (size_t)depth * count;
    b->seed = seed;
    b->start = round6(start);
    b->end = round6(end);
    b->count = count;
    seed_sequence(seed, false, 0, 0, state, 3);
    draw(state[0], b->level[0], count);
    float scale = (float)sqrt(end - start);
    for (size_t i = 0; i < count; i++)
        b->level[0][i] *= scale;
    *out = b;
    return 0;
}

struct node {
    double start, end;
    uint32_t key;
    int depth;
};

/* The left half's increment given the whole's: Brownian bridge, Levy's construction. */
static void halve(struct brownian *b, struct node n, double middle)
{
    double whole = 1 / (n.end - n.start), left = middle - n.start, right = n.end - middle;
    float share = (float)left, inverse = (float)whole, spread = (float)sqrt(left * right * whole);
    const float *w = b->level[n.depth];
    float *half = b->level[n.depth + 1];
    uint32_t state[1];

    seed_sequence(b->seed, true, n.key, (uint32_t)n.depth, state, 1);
    draw(state[0], b->noise, b->count);
    for (size_t i = 0; i < b->count; i++)
        half[i] = share * w[i] * inverse + spread * b->noise[i];
}

/* Add the part of [from, to] that lies within n, whose increment is level[n.depth]. */
static void visit(struct brownian *b, struct node n, double from, double to, float *out)
{
    double middle = round6(0.5 * (n.end + n.start));
    const float *w = b->level[n.depth];

    if (from <= n.start && n.end <= to) {
        for (size_t i = 0; i < b->count; i++)
            out[i] += w[i];
        return;
    }
    if (n.depth + 2 >= DEPTH_MAX || !b->level[n.depth + 1] || middle <= n.start || middle >= n.end)
        return;
    halve(b, n, middle);
    if (from < middle)
        visit(b, (struct node){n.start, middle, 2 * n.key, n.depth + 1}, from, to, out);
    if (to > middle) {
        float *half = b->level[n.depth + 1];
        for (size_t i = 0; i < b->count; i++)
            half[i] = w[i] - half[i];
        visit(b, (struct node){middle, n.end, 2 * n.key + 1, n.depth + 1}, from, to, out);
    }
}

void brownian_increment(struct brownian *b, double from, double to, float *out)
{
    from = round6(fmin(fmax(from, b->start), b->end));
    to = round6(fmin(fmax(to, b->start), b->end));
    memset(out, 0, b->count * sizeof *out);
    if (from < to)
        visit(b, (struct node){b->start, b->end, 0, 0}, from, to, out);
}
