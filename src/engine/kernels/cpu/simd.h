/*
 * simd.h: one vector type for every instruction set.
 *
 * The files of this folder are compiled once per instruction set (see meson.build); the compiler's
 * flags decide what a `vec` is. Written for:
 *
 *   for (size_t i = 0; i + LANES <= n; i += LANES)
 *       vec_store(y + i, vec_fma(vec_load(x + i), vec_load(a + i), b));
 *   vec_store_part(y + i, vec_load_part(x + i, n - i), n - i);
 *
 * + - * / work on vectors as they stand (gcc and clang vector types). Loads and stores need no
 * alignment. Names that leave a file carry the set's name: ISA(linear) is linear_avx2.
 */
#ifndef ENGINE_KERNELS_CPU_SIMD_H
#define ENGINE_KERNELS_CPU_SIMD_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define ISA_JOIN_(name, isa) name##_##isa
#define ISA_JOIN(name, isa)  ISA_JOIN_(name, isa)

#if defined(__AVX512BF16__)
#define ISA(name) ISA_JOIN(name, avx512bf16)
#define ISA_TEXT  "avx512bf16"
#elif defined(__AVX512F__)
#define ISA(name) ISA_JOIN(name, avx512)
#define ISA_TEXT  "avx512"
#else
#define ISA(name) ISA_JOIN(name, avx2)
#define ISA_TEXT  "avx2"
#endif

#ifdef __AVX512F__
typedef __m512 vec;
enum { LANES = 16 };

static inline vec vec_set(float x)
{
    return _mm512_set1_ps(x);
}

static inline vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline void vec_store(float *p, vec v)
{
    _mm512_storeu_ps(p, v);
}

/* The first n lanes (n <= LANES); the others are 0 and their memory is not touched. */
static inline vec vec_load_part(const float *p, int n)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

static inline void vec_store_part(float *p, vec v, int n)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), v);
}

static inline vec vec_fma(vec a, vec b, vec c) /* a * b + c */
{
    return _mm512_fmadd_ps(a, b, c);
}

static inline vec vec_fnma(vec a, vec b, vec c) /* c - a * b */
{
    return _mm512_fnmadd_ps(a, b, c);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}

static inline vec vec_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}

static inline vec vec_round(vec a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* a * 2^n, n a whole number */
static inline vec vec_ldexp(vec a, vec n)
{
    return _mm512_scalef_ps(a, n);
}

static inline float vec_sum(vec a)
{
    return _mm512_reduce_add_ps(a);
}

static inline float vec_top(vec a)
{
    return _mm512_reduce_max_ps(a);
}
#else
typedef __m256 vec;
enum { LANES = 8 };

static inline vec vec_set(float x)
{
    return _mm256_set1_ps(x);
}

static inline vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

static inline void vec_store(float *p, vec v)
{
    _mm256_storeu_ps(p, v);
}

/* All ones in the first n lanes. */
static inline __m256i vec_mask(int n)
{
    static const int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(ones + 8 - n));
}

/* The first n lanes (n <= LANES); the others are 0 and their memory is not touched. */
static inline vec vec_load_part(const float *p, int n)
{
    return _mm256_maskload_ps(p, vec_mask(n));
}

static inline void vec_store_part(float *p, vec v, int n)
{
    _mm256_maskstore_ps(p, vec_mask(n), v);
}

static inline vec vec_fma(vec a, vec b, vec c) /* a * b + c */
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline vec vec_fnma(vec a, vec b, vec c) /* c - a * b */
{
    return _mm256_fnmadd_ps(a, b, c);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}

static inline vec vec_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}

static inline vec vec_round(vec a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* a * 2^n, n a whole number from -126 to 127 */
static inline vec vec_ldexp(vec a, vec n)
{
    __m256i e = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(a, _mm256_castsi256_ps(_mm256_slli_epi32(e, 23)));
}

static inline float vec_sum(vec a)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static inline float vec_top(vec a)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
#endif

#endif
