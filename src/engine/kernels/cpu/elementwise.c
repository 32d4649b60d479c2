/* cpu/elementwise.c: activations, sums and copies; all of them wait for memory. */
#include "engine/kernels/cpu/table.h"
#include "engine/kernels/cpu/vmath.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 4096 }; /* numbers a thread takes at once: a few pages */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Specialised per activation by the caller's constant, so that no loop holds a switch. */
static inline void activate_block(float *y, const float *x, size_t n, enum act act)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store(y + i, vec_activation(vec_load(x + i), act));
    if (i < n)
        vec_store_part(y + i, vec_activation(vec_load_part(x + i, (int)(n - i)), act),
                       (int)(n - i));
}

void cpu_activate(float *y, const float *x, size_t n, enum act act, int threads)
{
#pragma omp parallel for schedule(static) num_threads(threads)
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t some = smaller(n - i, BLOCK);
        switch (act) {
        case ACT_SILU:
            activate_block(y + i, x + i, some, ACT_SILU);
            break;
        case ACT_GELU:
            activate_block(y + i, x + i, some, ACT_GELU);
            break;
        case ACT_QUICK_GELU:
            activate_block(y + i, x + i, some, ACT_QUICK_GELU);
            break;
        case ACT_RELU:
            activate_block(y + i, x + i, some, ACT_RELU);
            break;
        case ACT_NONE:
        case ACT_GEGLU:
            if (y != x)
                memcpy(y + i, x + i, some * sizeof *y);
            break;
        }
    }
}

void cpu_add(float *y, const float *a, const float *b, size_t n, int threads)
{
#pragma omp parallel for schedule(static) num_threads(threads)
    for (size_t from = 0; from < n; from += BLOCK) {
        size_t i = from, to = from + smaller(n - from, BLOCK);
        for (; i + LANES <= to; i += LANES)
            vec_store(y + i, vec_load(a + i) + vec_load(b + i));
        for (; i < to; i++)
            y[i] = a[i] + b[i];
    }
}

void cpu_concat(float *y, const float *a, int ca, const float *b, int cb, size_t pixels,
                int threads)
{
    size_t width = (size_t)ca + (size_t)cb;

#pragma omp parallel for schedule(static) num_threads(threads)
    for (size_t p = 0; p < pixels; p++) {
        memcpy(y + p * width, a + p * (size_t)ca, (size_t)ca * sizeof *y);
        memcpy(y + p * width + ca, b + p * (size_t)cb, (size_t)cb * sizeof *y);
    }
}

/* The exact f32 steps of torch; see ref/elementwise.c. */
static int source_index(int target, float ratio, int in)
{
    int i = (int)floorf((float)target * ratio);
    return i < in ? i : in - 1;
}

void cpu_resize_nearest(float *y, const float *x, int pictures, int h, int w, int oh, int ow,
                        int channels, int threads)
{
    float down = (float)h / (float)oh, across = (float)w / (float)ow;
    size_t pixel = (size_t)channels * sizeof *y;

#pragma omp parallel for schedule(static) num_threads(threads)
    for (int row = 0; row < pictures * oh; row++) {
        int source = row / oh * h + source_index(row % oh, down, h);
        const float *from = x + (size_t)source * w * channels;
        float *to = y + (size_t)row * ow * channels;
        for (int ox = 0; ox < ow; ox++)
            memcpy(to + (size_t)ox * channels,
                   from + (size_t)source_index(ox, across, w) * channels, pixel);
    }
}
