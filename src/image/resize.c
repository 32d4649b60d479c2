/*
 * resize.c: PIL's resampling (Pillow's Resample.c): two separable passes, horizontal first, with
 * the filter widened when shrinking so that it does not alias, weights in fixed point, and 8 bits
 * between the passes.
 */
#include "image/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bits of a weight's fraction: 32 less 8 of the pixel less 2 of sign and overshoot. */
enum { FRACTION = 32 - 8 - 2 };

/* For every output position: the first input it looks at, how many, and their weights. */
struct kernel {
    int *first, *count;
    int32_t *weights; /* [size][most] */
    int most;
};

static double box(double x)
{
    return x > -0.5 && x <= 0.5 ? 1 : 0;
}

static double sinc(double x)
{
    const double pi = 3.14159265358979323846;
    return x == 0 ? 1 : sin(x * pi) / (x * pi);
}

static double lanczos(double x)
{
    return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static const struct {
    double (*at)(double x);
    double support;
} filters[] = {[IMAGE_BOX] = {box, 0.5}, [IMAGE_LANCZOS] = {lanczos, 3}};

static void kernel_release(struct kernel *k)
{
    free(k->first);
    free(k->weights);
    *k = (struct kernel){0};
}

static int kernel_init(struct kernel *k, enum image_filter filter, int in, int out, struct err *e)
{
    double scale = (double)in / out, wide = scale > 1 ? scale : 1;
    double support = filters[filter].support * wide;
    int most = (int)ceil(support) * 2 + 1;
    double *w = malloc((size_t)most * sizeof *w);

    k->most = most;
    k->first = calloc(2 * (size_t)out, sizeof *k->first);
    k->weights = calloc((size_t)out * (size_t)most, sizeof *k->weights);
    if (!w || !k->first || !k->weights) {
        free(w);
        kernel_release(k);
        ERR(e, ERR_NOMEM, "no memory to resize to %d pixels", out);
        return ERR_NOMEM;
    }
    k->count = k->first + out;
    for (int i = 0; i < out; i++) {
        double centre = (i + 0.5) * scale, sum = 0;
        int first = (int)fmax(centre - support + 0.5, 0);
        int count = (int)fmin(centre + support + 0.5, in) - first;
        for (int x = 0; x < count; x++)
            sum += w[x] = filters[filter].at((x + first - centre + 0.5) / wide);
        for (int x = 0; x < count; x++)
            k->weights[(size_t)i * (size_t)most + (size_t)x] =
                (int32_t)floor(w[x] / (sum != 0 ? sum : 1) * (1 << FRACTION) + 0.5);
        k->first[i] = first;
        k->count[i] = count;
    }
    free(w);
    return 0;
}

static unsigned char clip(int sum)
{
    sum >>= FRACTION;
    return (unsigned char)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static void pass_rows(const struct image *in, const struct kernel *k, struct image *out)
{
    size_t channels = (size_t)in->channels;

    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++) {
            const int32_t *w = k->weights + (size_t)x * (size_t)k->most;
            const unsigned char *row = in->pixels + (size_t)y * (size_t)in->width * channels;
            unsigned char *to = out->pixels +
                                ((size_t)y * (size_t)out->width + (size_t)x) * channels;
            for (size_t c = 0; c < channels; c++) {
                int sum = 1 << (FRACTION - 1);
                for (int i = 0; i < k->count[x]; i++)
                    sum += row[(size_t)(k->first[x] + i) * channels + c] * w[i];
                to[c] = clip(sum);
            }
        }
}

static void pass_columns(const struct image *in, const struct kernel *k, struct image *out)
{
    size_t line = (size_t)in->width * (size_t)in->channels;

    for (int y = 0; y < out->height; y++) {
        const int32_t *w = k->weights + (size_t)y * (size_t)k->most;
        const unsigned char *from = in->pixels + (size_t)k->first[y] * line;
        for (size_t x = 0; x < line; x++) {
            int sum = 1 << (FRACTION - 1);
            for (int i = 0; i < k->count[y]; i++)
                sum += from[(size_t)i * line + x] * w[i];
            out->pixels[(size_t)y * line + x] = clip(sum);
        }
    }
}

static int resample(const struct image *im, int width, int height, enum image_filter filter,
                    struct image *out, struct err *e)
{
    struct kernel across = {0}, down = {0};
    struct image wide = {0}, result = {0};
    int rc;

    if ((rc = kernel_init(&across, filter, im->width, width, e)) ||
        (rc = kernel_init(&down, filter, im->height, height, e)) ||
        (rc = image_new(width, im->height, im->channels, &wide, e)) ||
        (rc = image_new(width, height, im->channels, &result, e)))
        goto out;
    if (width == im->width)
        memcpy(wide.pixels, im->pixels, (size_t)width * (size_t)im->height * (size_t)im->channels);
    else
        pass_rows(im, &across, &wide);
    if (height == im->height)
        memcpy(result.pixels, wide.pixels, (size_t)width * (size_t)height * (size_t)im->channels);
    else
        pass_columns(&wide, &down, &result);
    *out = result;
    result = (struct image){0};
out:
    kernel_release(&across);
    kernel_release(&down);
    image_release(&wide);
    image_release(&result);
    return rc;
}

static int nearest(const struct image *im, int width, int height, struct image *out, struct err *e)
{
    size_t channels = (size_t)im->channels;
    struct image result;
    int rc = image_new(width, height, im->channels, &result, e);

    if (rc)
        return rc;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int from_x = (int)((x + 0.5) * im->width / width);
            int from_y = (int)((y + 0.5) * im->height / height);
            memcpy(result.pixels + ((size_t)y * (size_t)width + (size_t)x) * channels,
                   im->pixels + ((size_t)from_y * (size_t)im->width + (size_t)from_x) * channels,
                   channels);
        }
    *out = result;
    return 0;
}

/* x * y / 255, rounded, for bytes (Pillow's MULDIV255). */
static unsigned char times(int x, int y)
{
    int t = x * y + 128;
    return (unsigned char)(((t >> 8) + t) >> 8);
}

/* To colours weighted by alpha, and back; as PIL's modes RGBa and RGBA. */
static void weigh(struct image *im)
{
    size_t count = (size_t)im->width * (size_t)im->height;

    for (unsigned char *p = im->pixels; count--; p += 4)
        for (int c = 0; c < 3; c++)
            p[c] = times(p[c], p[3]);
}

static void unweigh(struct image *im)
{
    size_t count = (size_t)im->width * (size_t)im->height;

    for (unsigned char *p = im->pixels; count--; p += 4)
        for (int c = 0; c < 3 && p[3]; c++) {
            int value = 255 * p[c] / p[3];
            p[c] = (unsigned char)(value > 255 ? 255 : value);
        }
}

int image_resize(const struct image *im, int width, int height, enum image_filter filter,
                 struct image *out, struct err *e)
{
    struct image weighed;
    int rc;

    if (filter == IMAGE_NEAREST)
        return nearest(im, width, height, out, e);
    if (width < 1 || height < 1 || width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE)
        return ERR(e, ERR_ARG, "cannot resize to %d x %d pixels: both must be in 1..%d", width,
                   height, IMAGE_MAX_SIDE);
    if (im->channels != 4)
        return resample(im, width, height, filter, out, e);
    if ((rc = image_new(im->width, im->height, 4, &weighed, e)))
        return rc;
    memcpy(weighed.pixels, im->pixels, (size_t)im->width * (size_t)im->height * 4);
    weigh(&weighed);
    if (!(rc = resample(&weighed, width, height, filter, out, e)))
        unweigh(out);
    image_release(&weighed);
    return rc;
}
