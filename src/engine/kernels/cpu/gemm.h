/*
 * cpu/gemm.h: the matrix product behind linear layers and convolutions.
 *
 *   struct product p = {.source = w, .m = rows, .window = {...}, .finish = {...}};
 *   scratch = product_scratch(&p, threads);
 *   product_run(&p, threads, scratch);
 *
 * y[r][o] = finish(sum over k of a[r][k] * w[o][k]). Row r of a is the window that output pixel r
 * sees; for a linear it is row r of x. The sum is a chain of fused multiply-adds in the order of k
 * (blocks of input channels, in them taps, in them channels), whatever the size of the tile that an
 * element falls into, so its bits do not depend on threads, batch or neighbours.
 *
 * Shape (Goto & van de Geijn 2008): a tile of TILE x PANEL sums stays in registers over a whole
 * block of k; panels of w stand in the second-level cache and are used by all rows; rows of x are
 * broadcast number by number from where they are, or from a copy where the window needs one.
 */
#ifndef ENGINE_KERNELS_CPU_GEMM_H
#define ENGINE_KERNELS_CPU_GEMM_H

#include "engine/kernels/cpu/gemm_tile.h"
#include "engine/kernels/cpu/pack.h"
#include "engine/kernels/cpu/vmath.h"

#define product_run     ISA(product_run)
#define product_scratch ISA(product_scratch)

/* What happens to a sum. Pointers as in linear_args and conv_args. */
struct finish {
    float *y; /* [rows][columns] */
    int columns;
    const float *bias, *shift, *residual;
    int rows_per_picture;
    enum act act;
};

/* Where the numbers of a row come from; conv_args has the meaning of the fields. */
struct window {
    const float *x;
    size_t ldx; /* from pixel to pixel */
    int h, w, oh, ow, stride, pad_top, pad_left, kh, kw;
    bool upsample;
};

struct product {
    const struct weight_source *source;
    bool bf16;
    int m;
    struct window window;
    struct finish finish;
};

void product_run(const struct product *p, int threads, void *scratch);
size_t product_scratch(const struct product *p, int threads);

/* Fetch what finish_store will touch in `rows` rows from r and `width` columns. */
INLINE void finish_fetch(const struct finish *f, size_t r, int rows, int column, int width)
{
    for (size_t at = r * f->columns + column; rows > 0; rows--, at += (size_t)f->columns)
        for (int line = 0; line < width; line += 16) {
            _mm_prefetch((const char *)(f->y + at + line), _MM_HINT_T0);
            if (f->residual)
                _mm_prefetch((const char *)(f->residual + at + line), _MM_HINT_T0);
        }
}

/* Columns column .. column + LANES - 1 of row r, given their sums. */
INLINE void finish_store(const struct finish *f, size_t r, int column, vec v)
{
    size_t at = r * f->columns + column;
    int n = f->columns - column < LANES ? f->columns - column : LANES;

    v = vec_activation(v, f->act);
    if (n == LANES) {
        if (f->residual)
            v += vec_load(f->residual + at);
        vec_store(f->y + at, v);
    } else {
        if (f->residual)
            v += vec_load_part(f->residual + at, n);
        vec_store_part(f->y + at, v, n);
    }
}

/* v plus columns column .. of a vector of per-column numbers (NULL: none). */
INLINE vec add_columns(vec v, const float *p, int column, int columns)
{
    if (!p)
        return v;
    if (columns - column >= LANES)
        return v + vec_load(p + column);
    return v + vec_load_part(p + column, columns - column);
}

#endif
