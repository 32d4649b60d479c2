/* check_attention.c: attention against plain softmax(q k^T) v. */
#include "check.h"

#include <math.h>
#include <string.h>

static float *run(struct check *c, const struct kernels *k, struct attention_args a, int threads)
{
    size_t n = (size_t)a.pictures * a.nq * a.ldy;

    a.y = check_output(c, n);
    a.threads = threads;
    a.scratch = check_scratch(c, k->attention_scratch(&a));
    k->attention(&a);
    for (size_t i = 0; i < n; i++) { /* what lies between rows must be as it was */
        if (i % a.ldy < (size_t)a.heads * a.dim)
            continue;
        if (!isnan(a.y[i]))
            check_fail(c, "wrote between rows, at %zu", i);
        a.y[i] = 0;
    }
    return a.y;
}

/*
 * f32: a score of size s is wrong by about 1e-7 s sqrt(dim), and a weight by that, relatively.
 * bf16: every factor is wrong by up to 2^-9 of itself: the score by 2^-8 s, the product by 2^-8.
 */
static void compare(struct check *c, const struct attention_args *a, const float *got,
                    const float *want, size_t n, double sharpness)
{
    bool bf16 = a->compute == COMPUTE_BF16 && strcmp(c->k->isa, "avx512bf16") == 0;
    double unit = bf16 ? 0x1p-8 : 1e-6;
    double bound = unit * (1 + sharpness);
    check_close(c, got, want, n, 3 * bound, 2 * bound);
}

void check_attention(struct check *c)
{
    struct attention_args a = {
        .pictures = 1 + (int)pick(c, 2),
        .heads = 1 + (int)pick(c, 4),
        .dim = pick(c, 2) ? PICK_OF(c, 8, 32, 40, 64, 80, 160) : 1 + (int)pick(c, 100),
        .nq = 1 + (int)pick(c, 300),
        .nk = pick(c, 4) ? 1 + (int)pick(c, 400) : 77,
        .compute = pick(c, 2) ? COMPUTE_BF16 : COMPUTE_F32,
    };
    if (pick(c, 12) == 0)
        a.dim = PICK_OF(c, 511, 512);
    if (pick(c, 8) == 0)
        a.nk = 1000 + (int)pick(c, 2000);
    if (pick(c, 3) == 0) {
        a.causal = true;
        a.nk = a.nq;
    }
    int width = a.heads * a.dim, sharpness = PICK_OF(c, 1, 1, 6, 40);
    a.ldq = width + (int)pick(c, 3) * width; /* q, k, v may lie side by side in a row */
    a.ldk = width + (int)pick(c, 3) * 16;
    a.ldv = pick(c, 2) ? a.ldk : width;
    a.ldy = width + (int)pick(c, 2) * 8;
    a.scale = (float)sharpness * 1.7f / sqrtf((float)a.dim);
    a.q = check_input(c, (size_t)a.pictures * a.nq * a.ldq, 0, 1.7f);
    a.k = check_input(c, (size_t)a.pictures * a.nk * a.ldk, 0, 1);
    a.v = check_input(c, (size_t)a.pictures * a.nk * a.ldv, 0, 1);

    check_case(c,
               "pictures=%d heads=%d dim=%d nq=%d nk=%d causal=%d bf16=%d sharpness=%d ld=%d %d "
               "%d %d",
               a.pictures, a.heads, a.dim, a.nq, a.nk, a.causal, a.compute == COMPUTE_BF16,
               sharpness, a.ldq, a.ldk, a.ldv, a.ldy);
    float *want = run(c, &kernels_ref, a, 2), *got = run(c, c->k, a, 1);
    size_t one = (size_t)a.nq * a.ldy;
    compare(c, &a, got, want, one * a.pictures, sharpness);
    check_same(c, got, run(c, c->k, a, 1 + (int)pick(c, CHECK_THREADS)), one * a.pictures,
               "threads");

    int n = (int)pick(c, (uint32_t)a.pictures);
    a.q += (size_t)n * a.nq * a.ldq;
    a.k += (size_t)n * a.nk * a.ldk;
    a.v += (size_t)n * a.nk * a.ldv;
    a.pictures = 1;
    check_same(c, got + n * one, run(c, c->k, a, 2), one, "in a batch and alone");
}
