/*
 * vmath.h: exp, the sigmoid family and gelu on vectors.
 *
 *   vec_store(y, vec_activation(vec_load(x), act));
 *
 * Relative errors are at most 5e-7 (quick_gelu below -20, where the rounding of 1.702 x shows:
 * 5e-6); large arguments saturate, no value traps or becomes NaN unless it was one. Pure functions.
 * The name is not math.h: this folder may be on the compiler's path for <...>.
 */
#ifndef ENGINE_KERNELS_CPU_VMATH_H
#define ENGINE_KERNELS_CPU_VMATH_H

#include "engine/kernels/kernels.h"
#include "simd.h"

/* exp(x), clamped to [exp(-87), exp(88)]. Cody & Waite 1980: x = k ln 2 + r with ln 2 in two parts,
 * |r| <= ln 2 / 2, and a polynomial of degree 6 in r (Cephes expf). */
static inline vec vec_exp(vec x)
{
    x = vec_min(vec_max(x, vec_set(-87.0f)), vec_set(88.0f));
    vec k = vec_round(x * vec_set(1.44269504f));
    vec r = vec_fnma(k, vec_set(0.693359375f), x);
    r = vec_fnma(k, vec_set(-2.12194440e-4f), r);
    vec p = vec_set(1.98756915e-4f);
    p = vec_fma(p, r, vec_set(1.39819995e-3f));
    p = vec_fma(p, r, vec_set(8.33345190e-3f));
    p = vec_fma(p, r, vec_set(4.16657959e-2f));
    p = vec_fma(p, r, vec_set(1.66666655e-1f));
    p = vec_fma(p, r, vec_set(5.00000012e-1f));
    p = vec_fma(p, r * r, r + vec_set(1.0f));
    return vec_ldexp(p, k);
}

/* 2^x for x <= 0: relative error 2e-7, or 1e-4 where the result will be rounded to bf16 (`rough`).
 * Small results are 0 or at most 2^-126. Minimax polynomials in x - round(x). */
static inline vec vec_exp2_below_zero(vec x, bool rough)
{
    vec bounded = vec_max(x, vec_set(-126.0f));
    vec k = vec_round(bounded), r = bounded - k, p;
    if (rough) {
        p = vec_fma(vec_set(0.0551716685295105f), r, vec_set(0.2426111251115799f));
        p = vec_fma(p, r, vec_set(0.6932609677314758f));
        p = vec_fma(p, r, vec_set(0.9999280571937561f));
    } else {
        p = vec_fma(vec_set(0.0013276467797800f), r, vec_set(0.009675540961325169f));
        p = vec_fma(p, r, vec_set(0.05550713464617729f));
        p = vec_fma(p, r, vec_set(0.24022120237350464f));
        p = vec_fma(p, r, vec_set(0.6931469440460205f));
        p = vec_fma(p, r, vec_set(1.0f));
    }
    return vec_ldexp(p, k);
}

/* x * sigmoid(slope * x) */
static inline vec vec_swish(vec x, float slope)
{
    return x / (vec_set(1.0f) + vec_exp(vec_set(-slope) * x));
}

static inline vec vec_silu(vec x)
{
    return vec_swish(x, 1.0f);
}

/*
 * x * Phi(x), Phi the normal distribution function. Below zero 1 + erf cancels, so the tail
 * t(u) = Phi(-u), u = |x|, is computed itself: t(u) = exp(-u^2 / 2) g(q) / (u + 3) with
 * q = (u - 3) / (u + 3), where g is smooth (minimax polynomial of degree 8, relative error 5e-8).
 * The rounding error of u^2 / 2, which exp would magnify, is put back as the factor 1 - low.
 */
static inline vec vec_gelu(vec x)
{
    vec u = vec_min(vec_max(x, -x), vec_set(14.0f)); /* beyond, the tail is 0 in f32 */
    vec half = vec_set(0.5f) * u, high = half * u, low = vec_fma(half, u, -high);
    vec r = vec_set(1.0f) / (u + vec_set(3.0f));
    vec q = vec_fma(vec_set(-6.0f), r, vec_set(1.0f));
    vec g = vec_set(-2.667694352567196e-4f);
    g = vec_fma(g, q, vec_set(-9.032550151459873e-4f));
    g = vec_fma(g, q, vec_set(1.076039974577725e-3f));
    g = vec_fma(g, q, vec_set(6.923924200236797e-3f));
    g = vec_fma(g, q, vec_set(-1.0479936376214027e-2f));
    g = vec_fma(g, q, vec_set(-4.725610092282295e-2f));
    g = vec_fma(g, q, vec_set(2.3001934587955475e-1f));
    g = vec_fma(g, q, vec_set(-5.093322992324829e-1f));
    g = vec_fma(g, q, vec_set(7.290836572647095e-1f));
    vec e = vec_exp(-high);
    vec tail = vec_fnma(e, low, e) * r * g;
    return vec_max(x, vec_set(0.0f)) - vec_max(x, -x) * tail;
}

/* ACT_NONE and ACT_GEGLU (which takes two values) give x. */
static inline vec vec_activation(vec x, enum act act)
{
    switch (act) {
    case ACT_SILU:
        return vec_silu(x);
    case ACT_GELU:
        return vec_gelu(x);
    case ACT_QUICK_GELU:
        return vec_swish(x, 1.702f);
    case ACT_RELU:
        return vec_max(vec_set(0.0f), x); /* in this order a NaN stays */
    case ACT_NONE:
    case ACT_GEGLU:
        break;
    }
    return x;
}

#endif
