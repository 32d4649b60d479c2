/*
 * cpu/attention.c: softmax(q k^T) v in tiles, with an online softmax (Milakov & Gimelshein 2018,
 * Rabe & Staats 2021, Dao et al. 2022).
 *
 * Everything is transposed: the lanes of a vector are queries. Then scores, their maxima and their
 * sums are plain vector arithmetic without a horizontal step, the head's size is never padded to
 * the vector's (40 channels cost 40), and both products are the same loop: a few numbers of k or v,
 * each broadcast, times a vector of queries or weights:
 *
 *   scores [key][query]    = sum over channels  k[key][channel]    q[channel][query]
 *   output [channel][query] += sum over keys    v[key][channel]    weight[key][query]
 *
 * k and v of a head are copied once into the order in which these loops read them, and shared by
 * all its query tiles; threads share the query tiles. In bf16 a word of the copies is a pair of
 * channels of k, or of v at two keys, and one instruction multiplies both; all else is the same.
 */
#include "engine/kernels/cpu/table.h"
#include "engine/kernels/cpu/vmath.h"

#include <omp.h>
#include <string.h>

enum {
    VECTORS = 2,                 /* of queries in a tile: with ROWS they fill the registers */
    TILE = VECTORS * LANES,      /* queries */
    ROWS = LANES == 16 ? 12 : 6, /* keys or channels multiplied at a time */
    KEYS = 96,                   /* in a tile: a multiple of 2 and of ROWS; their scores stay in the
                                    first-level cache */
    MAX_DIM = 512
};

/* Below every score, and small enough for 2^(x - maximum) to be 0. */
#define MASKED -1e30f

/* Sizes that follow from the arguments. A word is a float or a pair of bf16. */
struct shape {
    bool bf16;
    int steps;            /* words of a key: dim, or half of it rounded up */
    size_t k_words;       /* of a head's keys: panels of [step][ROWS] */
    int blocks;           /* of at most ROWS channels */
    int v_rows;           /* keys or pairs of keys */
    size_t v_words;       /* of a head's values: blocks of [v_rows][channels] */
    size_t thread_floats; /* what a thread needs for itself */
    int tiles;            /* of queries in a head */
};

static int round_up(int n, int unit)
{
    return (n + unit - 1) / unit * unit;
}

static struct shape shape_of(const struct attention_args *a)
{
    struct shape s = {.bf16 = NATIVE_BF16 && a->compute == COMPUTE_BF16};

    s.steps = s.bf16 ? (a->dim + 1) / 2 : a->dim;
    s.blocks = (a->dim + ROWS - 1) / ROWS;
    s.v_rows = s.bf16 ? (a->nk + 1) / 2 : a->nk;
    s.k_words = ((size_t)round_up(a->nk, ROWS) * s.steps + 15) / 16 * 16;
    s.v_words = ((size_t)s.v_rows * a->dim + 15) / 16 * 16;
    s.thread_floats = (size_t)(2 * round_up(a->dim, LANES) + KEYS) * TILE;
    s.tiles = (a->nq + TILE - 1) / TILE;
    return s;
}

/* Channels of block b: as equal as can be. */
static int block_size(const struct attention_args *a, const struct shape *s, int b)
{
    return a->dim / s->blocks + (b < a->dim % s->blocks);
}

size_t cpu_attention_scratch(const struct attention_args *a)
{
    struct shape s = shape_of(a);
    size_t heads = (size_t)a->pictures * a->heads;
    return (heads * (s.k_words + s.v_words) + a->threads * s.thread_floats) * sizeof(float);
}

/* dim numbers as pairs of bf16, the last one with 0 if it is alone. */
static void pairs_of_row(float *words, const float *row, int dim)
{
    for (int d = 0; d < dim; d += LANES) {
        int n = dim - d < LANES ? dim - d : LANES;
        vec_store_bf16((uint16_t *)words + d, vec_load_part(row + d, n));
    }
}

/* ROWS keys from `first` on, of one head: out[step][ROWS]; keys past the end are 0. */
static void pack_keys(const struct attention_args *a, const struct shape *s, float *out,
                      const float *k, int first)
{
    float words[MAX_DIM] = {0};

    for (int r = 0; r < ROWS; r++) {
        const float *row = k + (size_t)(first + r) * a->ldk;
        if (first + r >= a->nk)
            memset(words, 0, (size_t)s->steps * sizeof *words);
        else if (s->bf16)
            pairs_of_row(words, row, a->dim);
        else
            memcpy(words, row, (size_t)a->dim * sizeof *words);
        for (int t = 0; t < s->steps; t++)
            out[t * ROWS + r] = words[t];
    }
}

/* One row of words of v: key `row`, or keys 2 row and 2 row + 1. out: blocks of channels, each
 * [v_rows][channels of the block]. */
static void pack_values(const struct attention_args *a, const struct shape *s, float *out,
                        const float *v, int row)
{
    const float *low = v + (size_t)(s->bf16 ? 2 * row : row) * a->ldv;
    float words[MAX_DIM];

    if (s->bf16) {
        bool two = 2 * row + 1 < a->nk;
        for (int d = 0; d < a->dim; d += LANES) {
            int n = a->dim - d < LANES ? a->dim - d : LANES;
            vec high = two ? vec_load_part(low + a->ldv + d, n) : vec_set(0);
            pairs_store(words + d, vec_load_part(low + d, n), high);
        }
        low = words;
    }
    for (int b = 0, d = 0; b < s->blocks; b++) {
        int n = block_size(a, s, b);
        memcpy(out + (size_t)d * s->v_rows + (size_t)row * n, low + d, (size_t)n * sizeof *out);
        d += n;
    }
}

/* LANES numbers of channel d on of queries first .. first + LANES - 1; absent ones are 0. */
static inline void load_block(vec block[LANES], const float *x, int ld, int d, int dim, int first,
                              int count)
{
    int n = dim - d < LANES ? dim - d : LANES, rows = count - first < LANES ? count - first : LANES;
    for (int i = 0; i < LANES; i++) {
        block[i] = vec_set(0);
        if (i >= rows)
            continue;
        const float *row = x + (size_t)(first + i) * ld + d;
        block[i] = n == LANES ? vec_load(row) : vec_load_part(row, n);
    }
}

/* A tile of queries from `first` on, times factor: out[step][TILE]. */
static void pack_queries(const struct attention_args *a, const struct shape *s, float *out,
                         const float *q, int first)
{
    vec factor = vec_set(a->scale * 1.44269504f); /* exp(x) = 2^(x log2 e) */

    for (int v = 0; v < VECTORS; v++)
        for (int d = 0; d < a->dim; d += LANES) {
            vec block[LANES];
            load_block(block, q, a->ldq, d, a->dim, first + v * LANES, a->nq);
            vec_transpose(block);
            for (int i = 0; i < LANES; i++)
                vec_store(out + (size_t)(d + i) * TILE + v * LANES, block[i] * factor);
        }
    if (!s->bf16)
        return;
    for (int t = 0; t < s->steps; t++) /* two rows become one, in place; past an odd dim lies 0 */
        for (int l = 0; l < TILE; l += LANES) {
            const float *low = out + (size_t)2 * t * TILE + l;
            pairs_store(out + (size_t)t * TILE + l, vec_load(low), vec_load(low + TILE));
        }
}

/* c + a[0] * b, of one float and floats, or of one pair and pairs. */
INLINE vec multiply_add(vec c, const float *a, vec b, bool bf16)
{
    return bf16 ? pairs_dot(c, pairs_set(a), (pairs)b) : vec_fma(vec_set(*a), b, c);
}

/* c[r][TILE] = factor c[r] + sum_t a[t * step + r] b[t][TILE] for r < rows; without factor, c is
 * not read. `rows` and `bf16` are constants where this is called. */
INLINE void product_rows(float *c, const float *a, size_t step, const float *b, int steps,
                         const vec *factor, int rows, bool bf16)
{
    vec sum[ROWS][VECTORS], x[VECTORS];

    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < VECTORS; v++)
    {
        sum[r][v] = vec_set(0);
        if (factor)
            sum[r][v] = vec_load(c + r * TILE + v * LANES) * factor[v];
    }
    for (int t = 0; t < steps; t++) {
        UNROLL for (int v = 0; v < VECTORS; v++) x[v] = vec_load(b + (size_t)t * TILE + v * LANES);
        UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < VECTORS; v++)
            sum[r][v] = multiply_add(sum[r][v], a + r, x[v], bf16);
        a += step;
    }
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < VECTORS; v++)
        vec_store(c + r * TILE + v * LANES, sum[r][v]);
}

#define PRODUCT_OF(n)                                                                              \
    case n:                                                                                        \
        if (n <= ROWS && bf16)                                                                     \
            product_rows(c, a, step, b, steps, factor, n <= ROWS ? n : 0, true);                   \
        else if (n <= ROWS)                                                                        \
            product_rows(c, a, step, b, steps, factor, n <= ROWS ? n : 0, false);                  \
        break

static void product(float *c, const float *a, size_t step, const float *b, int steps,
                    const vec *factor, int rows, bool bf16)
{
    bf16 = bf16 && NATIVE_BF16;
    switch (rows) {
        PRODUCT_OF(1);
        PRODUCT_OF(2);
        PRODUCT_OF(3);
        PRODUCT_OF(4);
        PRODUCT_OF(5);
        PRODUCT_OF(6);
        PRODUCT_OF(7);
        PRODUCT_OF(8);
        PRODUCT_OF(9);
        PRODUCT_OF(10);
        PRODUCT_OF(11);
        PRODUCT_OF(12);
    default:
        break;
    }
}

/* The running softmax of a tile of queries. */
struct running {
    vec top[VECTORS];    /* the greatest score so far, in base 2 */
    vec total[VECTORS];  /* of the weights so far */
    vec factor[VECTORS]; /* by which what was summed under the former maximum has shrunk */
};

/* Scores of keys that come after their query do not count. */
static void mask_future(float *score, int keys, int first_key, int first_query)
{
    for (int j = 0; j < keys; j++)
        for (int i = 0; i < TILE && first_query + i < first_key + j; i++)
            score[j * TILE + i] = MASKED;
}

/* score[keys][TILE] become weights; in bf16, pairs of keys in half as many rows. */
INLINE void softmax_tile(struct running *run, float *score, int keys, bool bf16)
{
    for (int v = 0; v < VECTORS; v++) {
        float *s = score + v * LANES;
        vec top = run->top[v], other = top, total = vec_set(0);
        for (int j = 0; j + 1 < keys; j += 2) {
            top = vec_max(top, vec_load(s + j * TILE));
            other = vec_max(other, vec_load(s + (j + 1) * TILE));
        }
        top = vec_max(top, other);
        if (keys % 2)
            top = vec_max(top, vec_load(s + (keys - 1) * TILE));

        for (int j = 0; j < keys; j += 2) {
            vec low = vec_exp2_below_zero(vec_load(s + j * TILE) - top, bf16), high = vec_set(0);
            total = total + low;
            if (j + 1 < keys) {
                high = vec_exp2_below_zero(vec_load(s + (j + 1) * TILE) - top, bf16);
                total = total + high;
            }
            if (bf16) {
                pairs_store(s + j / 2 * TILE, low, high);
            } else {
                vec_store(s + j * TILE, low);
                if (j + 1 < keys)
                    vec_store(s + (j + 1) * TILE, high);
            }
        }
        run->factor[v] = vec_exp2_below_zero(run->top[v] - top, false);
        run->total[v] = vec_fma(run->total[v], run->factor[v], total);
        run->top[v] = top;
    }
}

/* y = output / total, back to one row per query. */
static void write_tile(const struct attention_args *a, float *y, const float *output,
                       const struct running *run, int first)
{
    for (int v = 0; v < VECTORS; v++) {
        vec inverse = vec_set(1) / run->total[v];
        for (int d = 0; d < a->dim; d += LANES) {
            int n = a->dim - d < LANES ? a->dim - d : LANES;
            vec block[LANES];
            for (int i = 0; i < LANES; i++)
                block[i] = vec_load(output + (size_t)(d + i) * TILE + v * LANES) * inverse;
            vec_transpose(block);
            for (int i = 0; i < LANES && first + v * LANES + i < a->nq; i++) {
                float *row = y + (size_t)(first + v * LANES + i) * a->ldy + d;
                if (n == LANES) /* a masked store is slow on some CPUs */
                    vec_store(row, block[i]);
                else
                    vec_store_part(row, block[i], n);
            }
        }
    }
}

/* One tile of queries of one head against all its keys; k, v: the head's copies. */
static void attend(const struct attention_args *a, const struct shape *s, float *y, const float *q,
                   const float *k, const float *v, float *mine, int first)
{
    float *query = mine, *output = query + (size_t)round_up(a->dim, LANES) * TILE;
    float *score = output + (size_t)round_up(a->dim, LANES) * TILE;
    int keys = a->causal && first + TILE < a->nk ? first + TILE : a->nk;
    struct running run;

    for (int l = 0; l < VECTORS; l++) {
        run.top[l] = vec_set(MASKED);
        run.total[l] = vec_set(0);
    }
    pack_queries(a, s, query, q, first);
    for (int j = 0; j < keys; j += KEYS) {
        int n = keys - j < KEYS ? keys - j : KEYS;
        for (int p = 0; p < n; p += ROWS)
            product(score + p * TILE, k + (size_t)(j + p) * s->steps, ROWS, query, s->steps, NULL,
                    n - p < ROWS ? n - p : ROWS, s->bf16);
        if (a->causal && j + n > first)
            mask_future(score, n, j, first);
        if (s->bf16)
            softmax_tile(&run, score, n, true);
        else
            softmax_tile(&run, score, n, false);

        int row = s->bf16 ? j / 2 : j, steps = s->bf16 ? (n + 1) / 2 : n;
        for (int b = 0, d = 0; b < s->blocks; b++) {
            int channels = block_size(a, s, b);
            product(output + (size_t)d * TILE, v + (size_t)d * s->v_rows + (size_t)row * channels,
                    (size_t)channels, score, steps, j ? run.factor : NULL, channels, s->bf16);
            d += channels;
        }
    }
    write_tile(a, y, output, &run, first);
}

/* Where head h of all pictures begins in a matrix of `rows` rows per picture. */
static size_t head_at(const struct attention_args *a, int h, int rows, int ld)
{
    return (size_t)(h / a->heads) * rows * ld + (size_t)(h % a->heads) * a->dim;
}

void cpu_attention(const struct attention_args *a)
{
    struct shape s = shape_of(a);
    int heads = a->pictures * a->heads, panels = (a->nk + ROWS - 1) / ROWS;
    float *k = a->scratch, *v = k + (size_t)heads * s.k_words;
    float *mine = v + (size_t)heads * s.v_words;

#pragma omp parallel num_threads(a->threads)
    {
#pragma omp for schedule(static) nowait
        for (int i = 0; i < heads * panels; i++) {
            int h = i / panels, j = i % panels * ROWS;
            pack_keys(a, &s, k + h * s.k_words + (size_t)j * s.steps,
                      a->k + head_at(a, h, a->nk, a->ldk), j);
        }
#pragma omp for schedule(static)
        for (int i = 0; i < heads * s.v_rows; i++) {
            int h = i / s.v_rows;
            pack_values(a, &s, v + h * s.v_words, a->v + head_at(a, h, a->nk, a->ldv),
                        i % s.v_rows);
        }
#pragma omp for schedule(dynamic)
        for (int i = 0; i < heads * s.tiles; i++) {
            int h = i / s.tiles;
            attend(a, &s, a->y + head_at(a, h, a->nq, a->ldy), a->q + head_at(a, h, a->nq, a->ldq),
                   k + h * s.k_words, v + h * s.v_words,
                   mine + (size_t)omp_get_thread_num() * s.thread_floats, i % s.tiles * TILE);
        }
    }
}
