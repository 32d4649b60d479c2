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
#include <string.h>

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

#define INLINE static inline __attribute__((always_inline))

/* Stands before a loop over registers: the loop has to vanish, or the registers become memory. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 36")
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

static inline vec vec_load_f16(const uint16_t *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

static inline vec vec_load_bf16(const uint16_t *p)
{
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

/* Rows become columns: lane j of v[i] and lane i of v[j] change places. */
INLINE void vec_transpose(vec v[LANES])
{
    vec t[LANES];

    UNROLL for (int i = 0; i < LANES; i += 2)
    {
        t[i] = _mm512_unpacklo_ps(v[i], v[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
    }
    UNROLL for (int i = 0; i < LANES; i += 4) UNROLL for (int j = 0; j < 2; j++)
    {
        __m512d low = _mm512_castps_pd(t[i + j]), high = _mm512_castps_pd(t[i + j + 2]);
        v[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
        v[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
    /* v[4 i + j] now has column 4 l + j of rows 4 i to 4 i + 3 in its quarter l. */
    UNROLL for (int j = 0; j < 4; j++)
    {
        vec a = _mm512_shuffle_f32x4(v[j], v[4 + j], 0x88);
        vec b = _mm512_shuffle_f32x4(v[j], v[4 + j], 0xdd);
        vec c = _mm512_shuffle_f32x4(v[8 + j], v[12 + j], 0x88);
        vec d = _mm512_shuffle_f32x4(v[8 + j], v[12 + j], 0xdd);
        v[j] = _mm512_shuffle_f32x4(a, c, 0x88);
        v[4 + j] = _mm512_shuffle_f32x4(b, d, 0x88);
        v[8 + j] = _mm512_shuffle_f32x4(a, c, 0xdd);
        v[12 + j] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
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

static inline vec vec_load_f16(const uint16_t *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

static inline vec vec_load_bf16(const uint16_t *p)
{
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

/* Rows become columns: lane j of v[i] and lane i of v[j] change places. */
INLINE void vec_transpose(vec v[LANES])
{
    vec t[LANES];

    UNROLL for (int i = 0; i < LANES; i += 2)
    {
        t[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
    }
    UNROLL for (int i = 0; i < LANES; i += 4) UNROLL for (int j = 0; j < 2; j++)
    {
        __m256d low = _mm256_castps_pd(t[i + j]), high = _mm256_castps_pd(t[i + j + 2]);
        v[i + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(low, high));
        v[i + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low, high));
    }
    UNROLL for (int j = 0; j < 4; j++)
    {
        vec low = v[j], high = v[4 + j];
        v[j] = _mm256_permute2f128_ps(low, high, 0x20);
        v[4 + j] = _mm256_permute2f128_ps(low, high, 0x31);
    }
}
#endif

#ifdef __AVX512BF16__
enum { NATIVE_BF16 = 1 };
typedef __m512bh pairs; /* LANES pairs of bf16 numbers */

/* c + a * b of both halves of each pair; the sums are f32, denormals count as zero. */
static inline vec pairs_dot(vec c, pairs a, pairs b)
{
    return _mm512_dpbf16_ps(c, a, b);
}

static inline pairs pairs_load(const void *p)
{
    return (pairs)_mm512_loadu_si512(p);
}

/* The one pair at p in every lane. */
static inline pairs pairs_set(const void *p)
{
    int pair;
    memcpy(&pair, p, sizeof pair);
    return (pairs)_mm512_set1_epi32(pair);
}

/* Lane i of low and high rounded to bf16 (nearest even) and put side by side. */
static inline void pairs_store(void *p, vec low, vec high)
{
    static const uint16_t order[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                       21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                       11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh(high, low);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi16(_mm512_loadu_si512(order), both));
}

/* LANES numbers rounded to bf16. */
static inline void vec_store_bf16(uint16_t *p, vec v)
{
    _mm256_storeu_si256((__m256i *)p, (__m256i)_mm512_cvtneps_pbh(v));
}
#else
/* What compiles in branches on NATIVE_BF16, and is never called. */
enum { NATIVE_BF16 = 0 };
typedef vec pairs;

static inline vec pairs_dot(vec c, pairs a, pairs b)
{
    return a * b + c;
}

static inline pairs pairs_set(const void *p)
{
    (void)p;
    return vec_set(0);
}

static inline void pairs_store(void *p, vec low, vec high)
{
    vec_store(p, low + high);
}

static inline void vec_store_bf16(uint16_t *p, vec v)
{
    (void)p, (void)v;
}
#endif

#endif
