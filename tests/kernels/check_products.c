/* check_products.c: linear layers and convolutions with everything that can be fused into them. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One tensor of random numbers in a file's dtype, anywhere in memory as in a file, exactly as long
 * as it is. */
static struct tensor *random_tensor(struct check *c, enum dtype dtype, int64_t rows, int64_t row,
                                    float spread)
{
    struct tensor *t = check_exact(c, sizeof *t);
    int64_t n = rows * row, skip = (int64_t)pick(c, 4);
    char *data = check_exact(c, (size_t)(n + skip) * (size_t)dtype_size(dtype));

    data += skip * dtype_size(dtype);
    *t = (struct tensor){.dtype = dtype, .dims = 2, .shape = {rows, row}, .data = data};
    for (int64_t i = 0; i < n; i++) {
        float f = spread * ((float)pick(c, 1 << 20) / (1 << 19) - 1);
        if (dtype == DTYPE_F32)
            memcpy(data + i * 4, &f, sizeof f);
        else
            ((uint16_t *)data)[i] = dtype == DTYPE_F16 ? f16_from_f32(f) : bf16_from_f32(f);
    }
    return t;
}

/* Fills parts; rows, in, kh, kw and geglu are set. Weights are scaled so that outputs are near 1.
 */
static void random_source(struct check *c, struct weight_source *s)
{
    int64_t row = (int64_t)s->in * s->kh * s->kw;
    enum dtype dtype = (enum dtype)PICK_OF(c, DTYPE_F32, DTYPE_F16, DTYPE_BF16);
    int left = s->rows, most = s->rows < 3 ? s->rows : 3;

    s->parts = pick(c, 2) ? 1 : 1 + (int)pick(c, (uint32_t)most);
    for (int i = 0; i < s->parts; i++) {
        int more = s->parts - 1 - i; /* each of them needs a row */
        int rows = more ? 1 + (int)pick(c, (uint32_t)(left - more)) : left;
        s->part[i] = random_tensor(c, dtype, rows, row, 1.7f / sqrtf((float)row));
        left -= rows;
        if (pick(c, 8) == 0)
            dtype = DTYPE_F32;
    }
}

static bool rounds_to_bf16(const struct check *c, enum compute compute)
{
    return compute == COMPUTE_BF16 && strcmp(c->k->isa, "avx512bf16") == 0;
}

/*
 * Sums of `terms` products of numbers near 1 that add up to about 1. f32: each addition errs by
 * 2^-24 of the sum so far, at random: sqrt(terms) of them. bf16: each factor errs by up to 2^-9 of
 * itself; 2^-8 of the whole in RMS. Winograd F(4x4, 3x3) multiplies the f32 error by about ten
 * (Lavin & Gray 2016). geglu multiplies two such sums.
 */
static void compare(struct check *c, const float *got, const float *want, size_t n, int terms,
                    bool bf16, bool winograd, bool geglu)
{
    double unit = 0x1p-24 * (4 + sqrt(terms));
    if (winograd)
        unit = fmax(10 * unit, 2e-5);
    if (bf16)
        unit = 0x1p-8;
    check_close(c, got, want, n, unit * (geglu ? 20 : 5), unit * (geglu ? 2 : 1));
}

static struct packed *packed(struct check *c, const struct kernels *k,
                             const struct weight_source *s, const struct pack_hint *hint)
{
    struct packed *p = check_exact(c, sizeof *p);
    *p = (struct packed){.source = *s, .bytes = k->pack_size(s, hint)};
    p->data = p->bytes ? check_scratch(c, p->bytes) : NULL;
    k->pack(p, hint, 1 + (int)pick(c, CHECK_THREADS));
    return p;
}

/* y holds the residual first where it may alias. */
static float *run_linear(struct check *c, const struct kernels *k, struct linear_args a,
                         int threads, bool alias)
{
    size_t n = (size_t)a.m * weight_columns(&a.w->source);

    a.y = check_output(c, n);
    if (alias)
        a.residual = memcpy(a.y, a.residual, n * sizeof *a.y);
    a.threads = threads;
    a.scratch = check_scratch(c, k->linear_scratch(&a));
    k->linear(&a);
    return a.y;
}

void check_linear(struct check *c)
{
    bool big = pick(c, 10) == 0;
    struct weight_source s = {.in = 1 + (int)pick(c, big ? 1500 : 130),
                              .rows = 1 + (int)pick(c, big ? 700 : 150),
                              .kh = 1,
                              .kw = 1,
                              .geglu = pick(c, 4) == 0};
    if (pick(c, 2))
        s.in = PICK_OF(c, 32, 64, 320, 77, 768);
    if (s.geglu)
        s.rows *= 2;
    random_source(c, &s);

    int pictures = 1 + (int)pick(c, 3), rows = 1 + (int)pick(c, pick(c, 4) ? 40 : 300);
    int n = weight_columns(&s);
    struct pack_hint hint = {.compute = pick(c, 2) ? COMPUTE_BF16 : COMPUTE_F32,
                             .low_memory = pick(c, 2),
                             .pixels = rows,
                             .width = 1,
                             .stride = 1};
    struct linear_args a = {.ldx = s.in + (pick(c, 2) ? (int)pick(c, 40) : 0),
                            .m = pictures * rows,
                            .rows_per_picture = rows,
                            .act = s.geglu ? ACT_GEGLU : (enum act)pick(c, ACT_GEGLU)};
    a.x = check_input(c, (size_t)a.m * a.ldx, 0, 1);
    a.bias = pick(c, 2) ? check_input(c, (size_t)s.rows, 0, 1) : NULL;
    a.shift = pick(c, 3) == 0 ? check_input(c, (size_t)pictures * n, 0, 1) : NULL;
    a.residual = pick(c, 2) ? check_input(c, (size_t)a.m * n, 0, 1) : NULL;
    bool alias = a.residual && pick(c, 2);

    check_case(c,
               "m=%dx%d in=%d rows=%d parts=%d dtype=%s ldx=%d bf16=%d low_memory=%d geglu=%d "
               "act=%d bias=%d shift=%d residual=%d alias=%d",
               pictures, rows, s.in, s.rows, s.parts, dtype_name(s.part[0]->dtype), a.ldx,
               hint.compute == COMPUTE_BF16, hint.low_memory, s.geglu, (int)a.act, a.bias != NULL,
               a.shift != NULL, a.residual != NULL, alias);
    size_t all = (size_t)a.m * n, one = (size_t)rows * n;
    a.w = packed(c, &kernels_ref, &s, &hint);
    float *want = run_linear(c, &kernels_ref, a, 2, false);
    a.w = packed(c, c->k, &s, &hint);
    float *got = run_linear(c, c->k, a, 1, alias);
    compare(c, got, want, all, s.in, rounds_to_bf16(c, hint.compute), false, s.geglu);
    check_same(c, got, run_linear(c, c->k, a, 1 + (int)pick(c, CHECK_THREADS), false), all,
               "threads");

    int p = (int)pick(c, (uint32_t)pictures);
    a.m = rows;
    a.x += (size_t)p * rows * a.ldx;
    a.shift = a.shift ? a.shift + (size_t)p * n : NULL;
    a.residual = a.residual ? a.residual + p * one : NULL;
    check_same(c, got + p * one, run_linear(c, c->k, a, 2, false), one, "in a batch and alone");
}

static float *run_conv(struct check *c, const struct kernels *k, struct conv_args a, int threads,
                       bool alias)
{
    size_t n = (size_t)a.pictures * a.oh * a.ow * a.weight->source.rows;

    a.y = check_output(c, n);
    if (alias)
        a.residual = memcpy(a.y, a.residual, n * sizeof *a.y);
    a.threads = threads;
    a.scratch = check_scratch(c, k->conv_scratch(&a));
    k->conv(&a);
    return a.y;
}

/* A window, a stride and paddings that leave at least one output; sizes of one picture. */
static void random_window(struct check *c, struct weight_source *s, struct conv_args *a)
{
    s->kh = s->kw = PICK_OF(c, 1, 3, 3, 3);
    if (pick(c, 16) == 0)
        s->kh = 1 + (int)pick(c, 4), s->kw = 1 + (int)pick(c, 4);
    a->h = 1 + (int)pick(c, 24), a->w = 1 + (int)pick(c, 24);
    if (pick(c, 3) == 0)
        a->h = a->w = PICK_OF(c, 8, 16, 32);
    a->upsample = s->kh == 3 && s->kw == 3 && pick(c, 5) == 0;
    a->stride = !a->upsample && pick(c, 4) == 0 ? 2 : 1;
    a->pad_top = s->kh / 2, a->pad_left = s->kw / 2;
    if (a->stride == 2 && pick(c, 2)) /* the VAE's encoder pads below and on the right only */
        a->pad_top = a->pad_left = 0;

    int h = a->upsample ? 2 * a->h : a->h, w = a->upsample ? 2 * a->w : a->w;
    a->oh = (h + 2 * (s->kh / 2) - s->kh) / a->stride + 1;
    a->ow = (w + 2 * (s->kw / 2) - s->kw) / a->stride + 1;
    a->oh = a->oh < 1 ? 1 : a->oh;
    a->ow = a->ow < 1 ? 1 : a->ow;
}

void check_conv(struct check *c)
{
    bool big = pick(c, 10) == 0;
    struct weight_source s = {.in = 1 + (int)pick(c, big ? 400 : 80),
                              .rows = 1 + (int)pick(c, big ? 400 : 80)};
    struct conv_args a = {.pictures = 1 + (int)pick(c, 3), .act = (enum act)pick(c, ACT_GEGLU)};
    if (pick(c, 2))
        s.in = PICK_OF(c, 3, 4, 9, 32, 64, 128);
    if (pick(c, 3) == 0)
        s.rows = PICK_OF(c, 3, 4, 32, 64, 128);
    random_window(c, &s, &a);
    random_source(c, &s);

    struct pack_hint hint = {.compute = pick(c, 2) ? COMPUTE_BF16 : COMPUTE_F32,
                             .low_memory = pick(c, 2),
                             .pixels = a.oh * a.ow,
                             .width = a.ow,
                             .stride = a.stride};
    size_t one = (size_t)a.oh * a.ow * s.rows, all = one * a.pictures;
    size_t picture = (size_t)a.h * a.w * s.in;
    a.x = check_input(c, picture * a.pictures, 0, 1);
    a.bias = pick(c, 2) ? check_input(c, (size_t)s.rows, 0, 1) : NULL;
    a.shift = pick(c, 3) == 0 ? check_input(c, (size_t)a.pictures * s.rows, 0, 1) : NULL;
    a.residual = pick(c, 2) ? check_input(c, all, 0, 1) : NULL;
    bool alias = a.residual && pick(c, 2);

    check_case(c,
               "pictures=%d %dx%d -> %dx%d in=%d rows=%d parts=%d dtype=%s window=%dx%d "
               "stride=%d pad=%d,%d upsample=%d bf16=%d low_memory=%d act=%d bias=%d shift=%d "
               "residual=%d alias=%d",
               a.pictures, a.h, a.w, a.oh, a.ow, s.in, s.rows, s.parts,
               dtype_name(s.part[0]->dtype), s.kh, s.kw, a.stride, a.pad_top, a.pad_left,
               a.upsample, hint.compute == COMPUTE_BF16, hint.low_memory, (int)a.act,
               a.bias != NULL, a.shift != NULL, a.residual != NULL, alias);
    bool winograd = s.kh == 3 && s.kw == 3 && a.stride == 1;
    a.weight = packed(c, &kernels_ref, &s, &hint);
    float *want = run_conv(c, &kernels_ref, a, 2, false);
    a.weight = packed(c, c->k, &s, &hint);
    float *got = run_conv(c, c->k, a, 1, alias);
    compare(c, got, want, all, s.in * s.kh * s.kw, rounds_to_bf16(c, hint.compute), winograd,
            false);
    check_same(c, got, run_conv(c, c->k, a, 1 + (int)pick(c, CHECK_THREADS), false), all,
               "threads");

    int p = (int)pick(c, (uint32_t)a.pictures);
    a.pictures = 1;
    a.x += p * picture;
    a.shift = a.shift ? a.shift + (size_t)p * s.rows : NULL;
    a.residual = a.residual ? a.residual + p * one : NULL;
    check_same(c, got + p * one, run_conv(c, c->k, a, 2, false), one, "in a batch and alone");
}
