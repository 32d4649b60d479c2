/* ref/elementwise.c: activations and everything else that looks at one number at a time. */
#include "ref.h"

#include <math.h>
#include <string.h>

double ref_activation(double x, enum act act)
{
    switch (act) {
    case ACT_SILU:
        return x / (1 + exp(-x));
    case ACT_GELU:
        return 0.5 * x * erfc(-x * M_SQRT1_2); /* 1 + erf(t) = erfc(-t), without cancellation */
    case ACT_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case ACT_RELU:
        return fmax(x, 0);
    case ACT_NONE:
    case ACT_GEGLU:
        break;
    }
    return x;
}

void ref_activate(float *y, const float *x, size_t n, enum act act, int threads)
{
#pragma omp parallel for num_threads(threads)
    for (size_t i = 0; i < n; i++)
        y[i] = (float)ref_activation((double)x[i], act);
}

void ref_add(float *y, const float *a, const float *b, size_t n, int threads)
{
#pragma omp parallel for num_threads(threads)
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

void ref_concat(float *y, const float *a, int ca, const float *b, int cb, size_t pixels,
                int threads)
{
    size_t width = (size_t)ca + (size_t)cb;

#pragma omp parallel for num_threads(threads)
    for (size_t p = 0; p < pixels; p++) {
        memcpy(y + p * width, a + p * (size_t)ca, (size_t)ca * sizeof *y);
        memcpy(y + p * width + ca, b + p * (size_t)cb, (size_t)cb * sizeof *y);
    }
}

/* torch computes the source index in f32 (nearest_neighbor_compute_source_index), which for odd
 * ratios is not always the exact floor. */
static int source_index(int target, int in, int out)
{
    int i = (int)floorf((float)target * ((float)in / (float)out));
    return i < in ? i : in - 1;
}

void ref_resize_nearest(float *y, const float *x, int pictures, int h, int w, int oh, int ow,
                        int channels, int threads)
{
#pragma omp parallel for num_threads(threads)
    for (int row = 0; row < pictures * oh; row++)
        for (int ox = 0; ox < ow; ox++) {
            size_t from = (size_t)(row / oh * h + source_index(row % oh, h, oh)) * w;
            size_t to = (size_t)row * ow + ox;
            memcpy(y + to * channels, x + (from + source_index(ox, w, ow)) * channels,
                   (size_t)channels * sizeof *y);
        }
}
