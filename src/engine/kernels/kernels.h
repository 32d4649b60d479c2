/*
 * kernels.h: the arithmetic of the engine, one table of functions per executor.
 *
 *   const struct kernels *k;
 *   kernels_pick("cpu", NULL, &k, &e);
 *   struct packed w;
 *   kernels_pack(k, &source, &hint, threads, &w, &e);     once, when a plan is made
 *   k->linear(&(struct linear_args){.y = y, .x = x, .w = &w, .m = 4096, .bias = bias, ...});
 *   packed_release(&w);
 *
 * Layout: activations are f32, channels last, densely packed: [picture][pixel][channel], which is
 * [picture][token][channel] as well. "Picture" is one row of the batch. Threads: a kernel runs on
 * `threads` OpenMP threads, keeps no state and may run concurrently with others. Its result is the
 * same bits for any number of threads, for a picture alone or in a batch, and from run to run: no
 * sum is split between threads, and the way of computing is chosen from the size of one picture.
 * Memory: a kernel allocates nothing; what it needs it asks for ahead (`scratch`), aligned to 64
 * bytes. Aliasing: an output may not overlap an input unless the function says so. Padding: every
 * activation buffer may be read (never written) up to 64 bytes past its end.
 */
#ifndef ENGINE_KERNELS_H
#define ENGINE_KERNELS_H

#include "base/err.h"
#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

enum { MAX_CHANNELS = 16384 }; /* the graph refuses wider tensors */

enum act {
    ACT_NONE,
    ACT_SILU,
    ACT_GELU /* erf */,
    ACT_QUICK_GELU /* x * sigmoid(1.702 x) */,
    ACT_RELU,
    ACT_GEGLU
};

/* How products are computed. Sums are f32 in both. */
enum compute {
    COMPUTE_F32,
    COMPUTE_BF16 /* both factors rounded to bf16 where the CPU multiplies them natively; as F32
                    elsewhere */
};

/*
 * The weights of one linear layer or convolution as they stand in the file: rows (output channels)
 * of one to three tensors one below the other (q, k, v become one product). Each row: [in] for a
 * linear, [in][kh][kw] for a convolution.
 */
struct weight_source {
    int parts;
    const struct tensor *part[3];
    int rows;   /* sum over the parts */
    int in;     /* input channels */
    int kh, kw; /* 1, 1 for a linear */
    bool geglu; /* the first half of the rows is the value, the second the gate; the product yields
                   rows/2 columns */
};

/* What the plan knows when weights are packed. */
struct pack_hint {
    enum compute compute;
    bool low_memory; /* keep no copy: read the file's numbers tile by tile in every call */
    int pixels;      /* output pixels (or tokens) of one picture; 0: unknown */
    int width;       /* output width of one picture; 1 for tokens */
    int stride;      /* of the convolution; 1 otherwise */
};

/* Weights in the form that an executor reads. The form is its own business. */
struct packed {
    struct weight_source source; /* borrowed: lives as long as the model */
    int form;                    /* executor's own enum */
    enum compute compute;
    void *data; /* 64-byte aligned, `bytes` long; NULL when the source is read as it stands */
    size_t bytes;
};

/* y[r][o] = act(sum_i x[r][i] * w[o][i] + bias[o] + shift[r / rows_per_picture][o]) +
 * residual[r][o] torch.nn.functional.linear; with ACT_GEGLU: y[r][o] = (value) * gelu_erf(gate),
 * diffusers GEGLU. */
struct linear_args {
    float *y;       /* [m][n], n = w->source.rows (half of it with geglu) */
    const float *x; /* [m][in]; rows ldx apart */
    int ldx;
    int m;                /* rows in all pictures */
    int rows_per_picture; /* divides m */
    const struct packed *w;
    const float *bias;     /* [source.rows] or NULL */
    const float *shift;    /* [pictures][n], rows n apart, or NULL */
    const float *residual; /* [m][n] or NULL; may be y itself */
    enum act act;
    int threads;
    void *scratch;
};

/* The same over a kh x kw window: torch.nn.functional.conv2d, zero padding, dilation 1, groups 1.
 */
struct conv_args {
    float *y;       /* [pictures][oh][ow][rows] */
    const float *x; /* [pictures][h][w][in] */
    int pictures, h, w, oh, ow;
    int stride;            /* 1 or 2 */
    int pad_top, pad_left; /* what falls outside on any side is zero */
    bool upsample; /* x is enlarged twice (nearest) before the convolution: oh = 2h, ow = 2w at
                      stride 1 */
    const struct packed *weight;
    const float *bias;     /* [rows] or NULL */
    const float *shift;    /* [pictures][rows] or NULL: the time embedding */
    const float *residual; /* [pictures][oh][ow][rows] or NULL; may be y itself */
    enum act act;          /* before the residual is added */
    int threads;
    void *scratch;
};

/* Softmax(q k^T * scale) v per head, heads side by side in a row; never holds the score matrix
 * (Rabe & Staats 2021, Dao et al. 2022). torch.nn.functional.scaled_dot_product_attention. */
struct attention_args {
    float *y;               /* [pictures][nq][heads * dim], rows ldy apart */
    const float *q, *k, *v; /* [pictures][nq or nk][heads * dim], rows ldq, ldk, ldv apart */
    int ldy, ldq, ldk, ldv; /* pictures are n * ld apart */
    int pictures, heads, dim, nq, nk; /* dim at most 512 */
    float scale;
    bool causal; /* key j only for queries i >= j */
    enum compute compute;
    int threads;
    void *scratch;
};

/* y = act((x - mean) / sqrt(variance + eps) * scale + shift), mean and variance over the pixels and
 * channels of a group of one picture (biased). Wu & He 2018; torch.nn.GroupNorm, then
 * torch.nn.SiLU. y may equal x when x2 is NULL. */
struct group_norm_args {
    float *y;        /* [pictures][pixels][channels + channels2] */
    const float *x;  /* [pictures][pixels][channels] */
    const float *x2; /* NULL, or [pictures][pixels][channels2]: channels that follow those of x (a
                        skip connection) */
    int pictures, pixels, channels, channels2, groups;
    const float *scale, *shift; /* [channels + channels2] */
    float eps;
    enum act act; /* ACT_NONE or ACT_SILU */
    int threads;
    void *scratch;
};

/* torch.nn.LayerNorm over the last dimension. y may equal x. */
struct layer_norm_args {
    float *y;       /* [rows][channels] */
    const float *x; /* [rows][channels] */
    int rows, channels;
    const float *scale, *shift; /* [channels]; either may be NULL (1, 0) */
    float eps;
    int threads;
};

struct kernels {
    const char *name;
    const char *isa; /* "c", "avx2", "avx512", "avx512bf16" */

    /* The size of the packed form (0: nothing is kept) and the packing itself: fills form, compute
     * and data. `out->source` is set by the caller, data is allocated by the caller. */
    size_t (*pack_size)(const struct weight_source *, const struct pack_hint *);
    void (*pack)(struct packed *out, const struct pack_hint *, int threads);

    void (*linear)(const struct linear_args *);
    size_t (*linear_scratch)(const struct linear_args *);
    void (*conv)(const struct conv_args *);
    size_t (*conv_scratch)(const struct conv_args *);
    void (*attention)(const struct attention_args *);
    size_t (*attention_scratch)(const struct attention_args *);
    void (*group_norm)(const struct group_norm_args *);
    size_t (*group_norm_scratch)(const struct group_norm_args *);
    void (*layer_norm)(const struct layer_norm_args *);

    /* Elementwise over n numbers; y may equal an input. activate: y = act(x). */
    void (*activate)(float *y, const float *x, size_t n, enum act act, int threads);
    void (*add)(float *y, const float *a, const float *b, size_t n, int threads);
    /* y[p] = [a[p] | b[p]] for every pixel. */
    void (*concat)(float *y, const float *a, int ca, const float *b, int cb, size_t pixels,
                   int threads);
    /* Nearest neighbour to any size: source = floor(target * (h / oh)), computed in f32 as
     * torch.nn.functional.interpolate(mode="nearest") does. */
    void (*resize_nearest)(float *y, const float *x, int pictures, int h, int w, int oh, int ow,
                           int channels, int threads);

    /* Floating-point operations a second of `threads` threads that do nothing but multiply and add
     * in registers; NULL for executors that have no such limit of their own. Takes a fraction of a
     * second. */
    double (*peak)(enum compute compute, int threads);
};

extern const struct kernels kernels_ref; /* plain C: the definition */
extern const struct kernels kernels_avx2, kernels_avx512, kernels_avx512bf16;

/* The table for "ref", "cpu" (the best this CPU runs; the environment's
 * CAULDRON_ISA=avx2|avx512|avx512bf16, passed in as `isa` or NULL, lowers it). ERR_UNSUPPORTED when
 * the CPU lacks what is asked for. */
WARN_UNUSED_RESULT int kernels_pick(const char *executor, const char *isa,
                                    const struct kernels **out, struct err *e);

/* Pack into memory of its own; `source` and `hint` may be gone afterwards, the tensors may not.
 * ERR_NOMEM. packed_release() frees it. */
WARN_UNUSED_RESULT int kernels_pack(const struct kernels *k, const struct weight_source *source,
                                    const struct pack_hint *hint, int threads, struct packed *out,
                                    struct err *e);
void packed_release(struct packed *p);

/* Row `row` of a source as f32: out[in * kh * kw], in the order of the file. */
void weight_row(float *out, const struct weight_source *s, int row);

/* How many rows (output channels) the product yields: source.rows, half of it with geglu. */
static inline int weight_columns(const struct weight_source *s)
{
    return s->geglu ? s->rows / 2 : s->rows;
}

#endif
