/*
 * ref/linear.c: linear layers and convolutions. Nothing is packed: each output channel reads its
 * row of the file once, as f32, into its thread's part of the scratch memory.
 */
#include "ref.h"

#include <omp.h>

size_t ref_pack_size(const struct weight_source *source, const struct pack_hint *hint)
{
    (void)source, (void)hint;
    return 0;
}

void ref_pack(struct packed *out, const struct pack_hint *hint, int threads)
{
    (void)threads;
    out->form = 0;
    out->compute = hint->compute;
    out->data = NULL;
    out->bytes = 0;
}

double ref_dot(const float *a, const float *b, int n)
{
    double sum[4] = {0}; /* four chains: one would wait for each addition */
    int i = 0;

    for (; i + 4 <= n; i += 4)
        for (int l = 0; l < 4; l++)
            sum[l] += (double)a[i + l] * (double)b[i + l];
    for (; i < n; i++)
        sum[0] += (double)a[i] * (double)b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

size_t ref_linear_scratch(const struct linear_args *a)
{
    return (size_t)a->threads * 2 * (size_t)a->w->source.in * sizeof(float);
}

void ref_linear(const struct linear_args *a)
{
    const struct weight_source *source = &a->w->source;
    int in = source->in, n = weight_columns(source);

#pragma omp parallel for num_threads(a->threads)
    for (int o = 0; o < n; o++) {
        float *row = (float *)a->scratch + (size_t)omp_get_thread_num() * 2 * (size_t)in;
        float *gate_row = row + in;
        weight_row(row, source, o);
        if (source->geglu)
            weight_row(gate_row, source, n + o);

        for (int r = 0; r < a->m; r++) {
            const float *x = a->x + (size_t)r * a->ldx;
            size_t at = (size_t)r * n + o;
            double v = ref_dot(x, row, in);
            if (a->bias)
                v += (double)a->bias[o];
            if (a->shift)
                v += (double)a->shift[(size_t)(r / a->rows_per_picture) * n + o];
            if (source->geglu) {
                double gate = ref_dot(x, gate_row, in) + (a->bias ? (double)a->bias[n + o] : 0);
                v *= ref_activation(gate, ACT_GELU);
            } else {
                v = ref_activation(v, a->act);
            }
            if (a->residual)
                v += (double)a->residual[at];
            a->y[at] = (float)v;
        }
    }
}

size_t ref_conv_scratch(const struct conv_args *a)
{
    const struct weight_source *s = &a->weight->source;
    return (size_t)a->threads * 2 * (size_t)s->in * (size_t)(s->kh * s->kw) * sizeof(float);
}

/* row: [in][taps] as in the file -> taps: [taps][in], so that a tap lies beside a pixel. */
static void channels_last(float *taps, const float *row, int in, int count)
{
    for (int t = 0; t < count; t++)
        for (int c = 0; c < in; c++)
            taps[(size_t)t * in + c] = row[(size_t)c * count + t];
}

/* The sum over the window whose top left corner is (top, left) of the (enlarged) picture x. */
static double window(const struct conv_args *a, const float *x, const float *taps, int top,
                     int left)
{
    const struct weight_source *s = &a->weight->source;
    int enlarge = a->upsample ? 2 : 1;
    double sum = 0;

    for (int ky = 0; ky < s->kh; ky++)
        for (int kx = 0; kx < s->kw; kx++) {
            int iy = top + ky, ix = left + kx;
            if (iy < 0 || iy >= a->h * enlarge || ix < 0 || ix >= a->w * enlarge)
                continue;
            const float *pixel = x + ((size_t)(iy / enlarge) * a->w + ix / enlarge) * s->in;
            sum += ref_dot(pixel, taps + (size_t)(ky * s->kw + kx) * s->in, s->in);
        }
    return sum;
}

void ref_conv(const struct conv_args *a)
{
    const struct weight_source *s = &a->weight->source;
    int count = s->kh * s->kw;
    size_t size = (size_t)s->in * count, pixels = (size_t)a->oh * a->ow;

#pragma omp parallel for num_threads(a->threads)
    for (int o = 0; o < s->rows; o++) {
        float *row = (float *)a->scratch + (size_t)omp_get_thread_num() * 2 * size;
        float *taps = row + size;
        weight_row(row, s, o);
        channels_last(taps, row, s->in, count);

        for (int n = 0; n < a->pictures; n++)
            for (size_t p = 0; p < pixels; p++) {
                const float *x = a->x + (size_t)n * a->h * a->w * s->in;
                int oy = (int)(p / a->ow), ox = (int)(p % a->ow);
                size_t at = (n * pixels + p) * s->rows + o;
                double v =
                    window(a, x, taps, oy * a->stride - a->pad_top, ox * a->stride - a->pad_left);
                if (a->bias)
                    v += (double)a->bias[o];
                if (a->shift)
                    v += (double)a->shift[(size_t)n * s->rows + o];
                v = ref_activation(v, a->act);
                if (a->residual)
                    v += (double)a->residual[at];
                a->y[at] = (float)v;
            }
    }
}
