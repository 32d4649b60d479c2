/* ref/norm.c: group and layer normalisation, in two passes: the mean, then the deviations. */
#include "ref.h"

#include <math.h>

size_t ref_group_norm_scratch(const struct group_norm_args *a)
{
    (void)a;
    return 0;
}

/* The number of channel c of a pixel: channels of x2 follow those of x. */
static double input(const struct group_norm_args *a, size_t pixel, int c)
{
    return c < a->channels ? (double)a->x[pixel * a->channels + c]
                           : (double)a->x2[pixel * a->channels2 + (c - a->channels)];
}

/* Normalise channels from..to-1 of one picture, whose first pixel is `first`. */
static void normalise_group(const struct group_norm_args *a, size_t first, int from, int to)
{
    int channels = a->channels + a->channels2;
    double count = (double)a->pixels * (to - from), sum = 0, squares = 0;

    for (int p = 0; p < a->pixels; p++)
        for (int c = from; c < to; c++)
            sum += input(a, first + p, c);
    double mean = sum / count;
    for (int p = 0; p < a->pixels; p++)
        for (int c = from; c < to; c++) {
            double d = input(a, first + p, c) - mean;
            squares += d * d;
        }
    double inverse = 1 / sqrt(squares / count + (double)a->eps);

    for (int p = 0; p < a->pixels; p++)
        for (int c = from; c < to; c++) {
            double v = (input(a, first + p, c) - mean) * inverse;
            v = v * (double)a->scale[c] + (double)a->shift[c];
            a->y[(first + p) * channels + c] = (float)ref_activation(v, a->act);
        }
}

void ref_group_norm(const struct group_norm_args *a)
{
    int width = (a->channels + a->channels2) / a->groups;

#pragma omp parallel for num_threads(a->threads)
    for (int i = 0; i < a->pictures * a->groups; i++) {
        int n = i / a->groups, g = i % a->groups;
        normalise_group(a, (size_t)n * a->pixels, g * width, (g + 1) * width);
    }
}

void ref_layer_norm(const struct layer_norm_args *a)
{
#pragma omp parallel for num_threads(a->threads)
    for (int r = 0; r < a->rows; r++) {
        const float *x = a->x + (size_t)r * a->channels;
        float *y = a->y + (size_t)r * a->channels;
        double sum = 0, squares = 0;

        for (int c = 0; c < a->channels; c++)
            sum += (double)x[c];
        double mean = sum / a->channels;
        for (int c = 0; c < a->channels; c++)
            squares += ((double)x[c] - mean) * ((double)x[c] - mean);
        double inverse = 1 / sqrt(squares / a->channels + (double)a->eps);

        for (int c = 0; c < a->channels; c++) {
            double scale = a->scale ? (double)a->scale[c] : 1;
            double shift = a->shift ? (double)a->shift[c] : 0;
            y[c] = (float)(((double)x[c] - mean) * inverse * scale + shift);
        }
    }
}
