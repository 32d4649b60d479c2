#include "engine/sampling/noise.h"

#include <math.h>
#include <string.h>

/* ---- mt19937 (Matsumoto & Nishimura 1998), seeded by init_genrand as torch does ---- */

enum { MT_SIZE = 624, MT_SHIFT = 397 };

static void mt_init(uint32_t *mt, uint32_t seed)
{
    mt[0] = seed;
    for (uint32_t i = 1; i < MT_SIZE; i++)
        mt[i] = 1812433253u * (mt[i - 1] ^ (mt[i - 1] >> 30)) + i;
}

static void mt_twist(uint32_t *mt)
{
    for (int i = 0; i < MT_SIZE; i++) {
        uint32_t y = (mt[i] & 0x80000000u) | (mt[(i + 1) % MT_SIZE] & 0x7fffffffu);
        mt[i] = mt[(i + MT_SHIFT) % MT_SIZE] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
    }
}

static uint32_t mt_next(struct noise *n)
{
    if (n->at == MT_SIZE) {
        mt_twist(n->mt);
        n->at = 0;
    }
    uint32_t y = n->mt[n->at++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

static float uniform24(struct noise *n)
{
    return (float)(mt_next(n) & 0xffffffu) * 0x1p-24f;
}

static double uniform53(struct noise *n)
{
    uint64_t high = mt_next(n), low = mt_next(n); /* the first word drawn is the high one */
    return (double)(((high << 32) | low) & ((1ull << 53) - 1)) * 0x1p-53;
}

/* ---- log, sin and cos as torch's AVX2 code evaluates them ----
 *
 * On x86 torch fills in blocks of 16 with the float polynomials of Cephes (logf.c, sinf.c by S. L.
 * Moshier) in eight lanes, which its compiler contracts to fused multiply-adds. The same operations
 * one number at a time give the same bits on every machine, which libm does not: it differs from
 * torch in one value of twelve. */

static float from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* x in (0, 1], not denormal: 2^-24 is the least that comes. */
static float cephes_log(float x)
{
    static const float p[] = {7.0376836292E-2f,  -1.1514610310E-1f, 1.1676998740E-1f,
                              -1.2420140846E-1f, 1.4249322787E-1f,  -1.6668057665E-1f,
                              2.0000714765E-1f,  -2.4999993993E-1f, 3.3333331174E-1f};
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    float e = (float)((int)(bits >> 23) - 126); /* x = m * 2^e, m in [0.5, 1) */
    float m = from_bits((bits & 0x007fffffu) | 0x3f000000u);

    if (m < 0.707106781186547524f) {
        e -= 1;
        m = (m - 1) + m;
    } else {
        m -= 1;
    }
    float z = m * m, y = p[0];
    for (int i = 1; i < 9; i++)
        y = fmaf(y, m, p[i]);
    y = fmaf(y * m, z, e * -2.12194440e-4f);
    y -= z * 0.5f;
    return fmaf(e, 0.693359375f, m + y); /* ln 2 in two parts */
}

/* x in [0, 2 pi). */
static void cephes_sincos(float x, float *sine, float *cosine)
{
    int octant = ((int)(x * 1.27323954473516f) + 1) & ~1;
    float y = (float)octant;

    x = fmaf(y, -0.78515625f, x); /* x - y pi/4 in three parts */
    x = fmaf(y, -2.4187564849853515625e-4f, x);
    x = fmaf(y, -3.77489497744594108e-8f, x);
    float z = x * x;
    float c = fmaf(2.443315711809948E-005f, z, -1.388731625493765E-003f);
    c = fmaf(c, z, 4.166664568298827E-002f);
    c = fmaf(c * z, z, -(z * 0.5f)) + 1;
    float s = fmaf(-1.9515295891E-4f, z, 8.3321608736E-3f);
    s = fmaf(s, z, -1.6666654611E-1f);
    s = fmaf(s * z, x, x);

    float a = octant & 2 ? c : s, b = octant & 2 ? s : c;
    *sine = octant & 4 ? -a : a;
    *cosine = (octant - 2) & 4 ? b : -b;
}

/* Box and Muller on sixteen uniform numbers: x[j] with x[j + 8]. */
static void box_muller(float *x)
{
    for (int j = 0; j < 8; j++) {
        float r = sqrtf(-2 * cephes_log(1 - x[j])), sine, cosine;
        cephes_sincos(6.283185307179586f * x[j + 8], &sine, &cosine);
        x[j] = r * cosine;
        x[j + 8] = r * sine;
    }
}

static void fill_blocks(struct noise *n, float *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = uniform24(n);
    for (size_t i = 0; i + 16 <= count; i += 16)
        box_muller(out + i);
    if (count % 16) { /* the last sixteen are drawn afresh and overlap the block before */
        out += count - 16;
        for (int i = 0; i < 16; i++)
            out[i] = uniform24(n);
        box_muller(out);
    }
}

static float one_by_one(struct noise *n)
{
    if (n->have_next) {
        n->have_next = false;
        return (float)n->next;
    }
    double u1 = uniform53(n), u2 = uniform53(n);
    double r = sqrt(-2 * log1p(-u2)), theta = 2 * 3.14159265358979323846 * u1;
    n->next = r * sin(theta);
    n->have_next = true;
    return (float)(r * cos(theta));
}

/* ---- Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) ---- */

static void philox(uint32_t c[4], uint64_t key)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t a = 0xd2511f53ull * c[0], b = 0xcd9e8d57ull * c[2];
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b,
                            (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a};
        memcpy(c, next, sizeof next);
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
}

/* curand_normal4's first value, for element `index`: a latent has fewer elements than a card has
 * threads, so each element is the first draw of its own thread. */
static float cuda_normal(const struct noise *n, uint64_t index)
{
    uint32_t c[4] = {(uint32_t)n->offset, (uint32_t)(n->offset >> 32), (uint32_t)index,
                     (uint32_t)(index >> 32)};
    philox(c, n->key);
    float u = fmaf((float)c[0], 0x1p-32f, 0x1p-33f);
    float v = fmaf((float)c[1], 0x1p-32f * 6.2831855f, 0x1p-33f * 6.2831855f);
    return sqrtf(-2.0f * logf(u)) * sinf(v);
}

void noise_init(struct noise *n, enum noise_kind kind, uint64_t seed)
{
    memset(n, 0, sizeof *n);
    n->kind = kind;
    n->key = seed;
    n->at = MT_SIZE;
    mt_init(n->mt, (uint32_t)seed);
}

void noise_normal(struct noise *n, float *out, size_t count)
{
    if (n->kind == NOISE_CUDA) {
        for (size_t i = 0; i < count; i++)
            out[i] = cuda_normal(n, i);
        n->offset++;
    } else if (count >= 16) {
        fill_blocks(n, out, count);
    } else {
        for (size_t i = 0; i < count; i++)
            out[i] = one_by_one(n);
    }
}
