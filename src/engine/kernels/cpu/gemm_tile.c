#include "engine/kernels/cpu/gemm_tile.h"

/* Pointers to every third row: the others are reached by index, so that all fit into registers. */
enum { ROW_POINTERS = (TILE + 2) / 3 };

/* A line of each row of the next tile: rows are too many and too short for the hardware's guess. */
INLINE void fetch_rows(int rows, const void *at, size_t step)
{
    const char *line = at;
    UNROLL for (int i = 0; i < rows; i++, line += step) _mm_prefetch(line, _MM_HINT_T0);
}

INLINE void multiply_f32(int rows, int vectors, long k, const void *a_, size_t lda, const void *b_,
                         float *c, bool add, const void *next)
{
    const float *a[ROW_POINTERS], *b = b_;
    vec s[TILE][2];

    UNROLL for (int i = 0; i < rows; i += 3) a[i / 3] = (const float *)a_ + i * lda;
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++)
        s[i][j] = add ? vec_load(c + i * PANEL + j * LANES) : vec_set(0);
    for (long l = 0; l < k; l++) {
        if (l % 16 == 0)
            fetch_rows(rows, (const float *)next + l, lda * sizeof(float));
        vec w[2];
        UNROLL for (int j = 0; j < vectors; j++) w[j] = vec_load(b + l * PANEL + j * LANES);
        UNROLL for (int i = 0; i < rows; i++)
        {
            vec x = vec_set(a[i / 3][i % 3 * lda]);
            UNROLL for (int j = 0; j < vectors; j++) s[i][j] = vec_fma(x, w[j], s[i][j]);
        }
        UNROLL for (int i = 0; i < rows; i += 3)
        {
            a[i / 3]++;
            __asm__("" : "+r"(a[i / 3])); /* or the compiler makes a pointer for every row */
        }
    }
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++)
        vec_store(c + i * PANEL + j * LANES, s[i][j]);
}

#ifdef __AVX512BF16__
INLINE void multiply_bf16(int rows, int vectors, long k, const void *a_, size_t lda, const void *b_,
                          float *c, bool add, const void *next)
{
    const uint16_t *a[ROW_POINTERS], *b = b_;
    vec s[TILE][2];

    UNROLL for (int i = 0; i < rows; i += 3) a[i / 3] = (const uint16_t *)a_ + i * lda;
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++)
        s[i][j] = add ? vec_load(c + i * PANEL + j * LANES) : vec_set(0);
    for (long l = 0; l < k; l += 2) {
        if (l % 32 == 0)
            fetch_rows(rows, (const uint16_t *)next + l, lda * sizeof(uint16_t));
        pairs w[2];
        UNROLL for (int j = 0; j < vectors; j++) w[j] = pairs_load(b + l * PANEL + j * 2 * LANES);
        UNROLL for (int i = 0; i < rows; i++)
        {
            pairs x = pairs_set(a[i / 3] + i % 3 * lda);
            UNROLL for (int j = 0; j < vectors; j++) s[i][j] = pairs_dot(s[i][j], x, w[j]);
        }
        UNROLL for (int i = 0; i < rows; i += 3)
        {
            a[i / 3] += 2;
            __asm__("" : "+r"(a[i / 3]));
        }
    }
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++)
        vec_store(c + i * PANEL + j * LANES, s[i][j]);
}
#endif

/* One body for each number of rows: the last tile costs what it has. */
#ifdef __AVX512F__
#define EACH_ROWS(one)                                                                             \
    one(1) one(2) one(3) one(4) one(5) one(6) one(7) one(8) one(9) one(10) one(11) one(12)
#else
#define EACH_ROWS(one) one(1) one(2) one(3) one(4) one(5) one(6)
#endif

void tile_f32(int rows, int vectors, long k, const float *a, size_t lda, const float *b, float *c,
              bool add, const float *next)
{
#define CASE_1(n)                                                                                  \
    case n:                                                                                        \
        multiply_f32(n, 1, k, a, lda, b, c, add, next);                                            \
        break;
#define CASE_2(n)                                                                                  \
    case n:                                                                                        \
        multiply_f32(n, 2, k, a, lda, b, c, add, next);                                            \
        break;
    if (vectors == 1)
        switch (rows) {
            EACH_ROWS(CASE_1)
        default:
            break;
        }
    else
        switch (rows) {
            EACH_ROWS(CASE_2)
        default:
            break;
        }
}

#ifdef __AVX512BF16__
void tile_bf16(int rows, long k, const uint16_t *a, size_t lda, const uint16_t *b, float *c,
               bool add, const uint16_t *next)
{
#define CASE_BF16(n)                                                                               \
    case n:                                                                                        \
        multiply_bf16(n, 2, k, a, lda, b, c, add, next);                                           \
        break;
    switch (rows) {
        EACH_ROWS(CASE_BF16)
    default:
        break;
    }
}
#endif
