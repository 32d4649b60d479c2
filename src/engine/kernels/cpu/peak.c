/* cpu/peak.c: how fast this CPU multiplies when nothing else stands in the way: registers only,
 * enough independent sums to hide the latency of an addition. What the other kernels are measured
 * against. */
#include "base/clock.h"
#include "engine/kernels/cpu/table.h"

#include <omp.h>

enum { SUMS = 12, ROUNDS = 2000000 };

/* Keep v in a register and let the compiler believe that it was changed. */
#define TOUCH(v) __asm__ volatile("" : "+x"(v))

static float multiply_f32(void)
{
    vec a = vec_set(1.0001f), b = vec_set(0.9999f), sums[SUMS];

    UNROLL for (int i = 0; i < SUMS; i++) sums[i] = vec_set((float)i);
    for (int r = 0; r < ROUNDS; r++) {
        UNROLL for (int i = 0; i < SUMS; i++) sums[i] = vec_fma(a, b, sums[i]);
        TOUCH(a);
    }
    UNROLL for (int i = 1; i < SUMS; i++) sums[0] += sums[i];
    return vec_sum(sums[0]);
}

#ifdef __AVX512BF16__
static float multiply_bf16(void)
{
    __m512i a = _mm512_set1_epi32(0x3f803f80);
    vec sums[SUMS];

    UNROLL for (int i = 0; i < SUMS; i++) sums[i] = vec_set((float)i);
    for (int r = 0; r < ROUNDS; r++) {
        UNROLL for (int i = 0; i < SUMS; i++)
            sums[i] = _mm512_dpbf16_ps(sums[i], (__m512bh)a, (__m512bh)a);
        TOUCH(a);
    }
    UNROLL for (int i = 1; i < SUMS; i++) sums[0] += sums[i];
    return vec_sum(sums[0]);
}
enum { BF16_PAIR = 2 };
#else
#define multiply_bf16 multiply_f32
enum { BF16_PAIR = 1 };
#endif

double cpu_peak(enum compute compute, int threads)
{
    double best = 0;
    volatile float keep = 0;

    for (int run = 0; run < 5; run++) {
        double start = clock_seconds();
        float sum = 0;
#pragma omp parallel num_threads(threads) reduction(+ : sum)
        sum += compute == COMPUTE_BF16 ? multiply_bf16() : multiply_f32();
        keep = keep + sum;
        int factor = compute == COMPUTE_BF16 ? BF16_PAIR : 1;
        double flops = 2.0 * factor * threads * (int)LANES * (int)SUMS * (int)ROUNDS;
        double rate = flops / (clock_seconds() - start);
        best = rate > best ? rate : best;
    }
    return best;
}
