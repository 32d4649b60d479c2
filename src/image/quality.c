#include "image/quality.h"

#include <math.h>
#include <stdlib.h>

enum { WINDOW = 11, SCALES = 5 };

/* A picture's channels one after the other, as doubles. */
struct planes {
    int width, height, channels;
    double *p; /* [channels][height][width] */
};

static int planes_new(int width, int height, int channels, struct planes *out, struct err *e)
{
    double *p = calloc((size_t)width * (size_t)height, (size_t)channels * sizeof *p);

    if (!p) {
        ERR(e, ERR_NOMEM, "no memory to measure a picture of %d x %d pixels", width, height);
        return ERR_NOMEM;
    }
    *out = (struct planes){width, height, channels, p};
    return 0;
}

static int planes_of(const struct image *im, struct planes *out, struct err *e)
{
    size_t count = (size_t)im->width * (size_t)im->height;

    int rc = planes_new(im->width, im->height, im->channels, out, e);

    if (rc)
        return rc;
    for (int c = 0; c < im->channels; c++)
        for (size_t i = 0; i < count; i++)
            out->p[(size_t)c * count + i] = im->pixels[i * (size_t)im->channels + (size_t)c];
    return 0;
}

static void planes_release(struct planes *s)
{
    free(s->p);
    *s = (struct planes){0};
}

static int check_pair(const struct image *a, const struct image *b, int least, struct err *e)
{
    if (a->width != b->width || a->height != b->height || a->channels != b->channels)
        return ERR(e, ERR_ARG, "cannot compare %d x %d x %d with %d x %d x %d", a->width, a->height,
                   a->channels, b->width, b->height, b->channels);
    if (a->width < least || a->height < least)
        return ERR(e, ERR_ARG, "%d x %d pixels are too few to compare, %d x %d are needed",
                   a->width, a->height, least, least);
    return 0;
}

int quality_psnr(const struct image *a, const struct image *b, double *out, struct err *e)
{
    int rc = check_pair(a, b, 1, e);
    size_t count = (size_t)a->width * (size_t)a->height * (size_t)a->channels;
    double sum = 0;

    if (rc)
        return rc;
    for (size_t i = 0; i < count; i++)
        sum += (double)(a->pixels[i] - b->pixels[i]) * (a->pixels[i] - b->pixels[i]);
    *out = sum > 0 ? 10 * log10(255.0 * 255.0 * (double)count / sum) : INFINITY;
    return 0;
}

static void gaussian(double w[WINDOW])
{
    double sum = 0;

    for (int i = 0; i < WINDOW; i++) {
        int off = i - WINDOW / 2;
        sum += w[i] = exp(-off * off / (2 * 1.5 * 1.5));
    }
    for (int i = 0; i < WINDOW; i++)
        w[i] /= sum;
}

/* What the window sees at one place: the two means, variances and the covariance. */
struct moments {
    double a, b, aa, bb, ab;
};

static void accumulate(struct moments *m, const struct moments *x, double w)
{
    m->a += w * x->a;
    m->b += w * x->b;
    m->aa += w * x->aa;
    m->bb += w * x->bb;
    m->ab += w * x->ab;
}

/* Sum over a row of places of SSIM and of its contrast-structure part. `columns` holds the moments
 * after the vertical pass of the window. */
static void sum_row(const struct moments *columns, int places, const double w[WINDOW], double *ssim,
                    double *structure)
{
    const double c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;

    for (int x = 0; x < places; x++) {
        struct moments m = {0};
        for (int i = 0; i < WINDOW; i++)
            accumulate(&m, &columns[x + i], w[i]);
        double luminance = (2 * m.a * m.b + c1) / (m.a * m.a + m.b * m.b + c1);
        double cs = (2 * (m.ab - m.a * m.b) + c2) / (m.aa - m.a * m.a + m.bb - m.b * m.b + c2);
        *ssim += luminance * cs;
        *structure += cs;
    }
}

/* Mean SSIM and mean contrast-structure term of one channel over all windows inside the picture. */
static int measure(const struct planes *a, const struct planes *b, int channel, double *ssim,
                   double *structure, struct err *e)
{
    int width = a->width, places = width - WINDOW + 1, rows = a->height - WINDOW + 1;
    size_t plane = (size_t)channel * (size_t)width * (size_t)a->height;
    struct moments *columns = calloc((size_t)width, sizeof *columns);
    double w[WINDOW], total = 0, part = 0;

    if (!columns) {
        ERR(e, ERR_NOMEM, "no memory to measure a picture %d pixels wide", width);
        return ERR_NOMEM;
    }
    gaussian(w);
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < width; x++) {
            columns[x] = (struct moments){0};
            for (int i = 0; i < WINDOW; i++) {
                size_t at = plane + (size_t)(y + i) * (size_t)width + (size_t)x;
                double p = a->p[at], q = b->p[at];
                accumulate(&columns[x], &(struct moments){p, q, p * p, q * q, p * q}, w[i]);
            }
        }
        sum_row(columns, places, w, &total, &part);
    }
    free(columns);
    *ssim = total / ((double)places * rows);
    *structure = part / ((double)places * rows);
    return 0;
}

int quality_ssim(const struct image *a, const struct image *b, double *out, struct err *e)
{
    struct planes pa = {0}, pb = {0};
    double sum = 0, ssim, structure;
    int rc = check_pair(a, b, WINDOW, e);

    if (rc || (rc = planes_of(a, &pa, e)) || (rc = planes_of(b, &pb, e)))
        goto out;
    for (int c = 0; c < a->channels; c++) {
        if ((rc = measure(&pa, &pb, c, &ssim, &structure, e)))
            goto out;
        sum += ssim;
    }
    *out = sum / a->channels;
out:
    planes_release(&pa);
    planes_release(&pb);
    return rc;
}

/* Replace by the means of 2 x 2 pixels; an odd last row or column is dropped. */
static void halve(struct planes *s)
{
    int width = s->width / 2, height = s->height / 2;
    double *to = s->p;

    for (int c = 0; c < s->channels; c++)
        for (int y = 0; y < height; y++) {
            const double *row = s->p +
                                ((size_t)c * (size_t)s->height + 2 * (size_t)y) * (size_t)s->width;
            for (int x = 0; x < width; x++, row += 2)
                *to++ = (row[0] + row[1] + row[s->width] + row[s->width + 1]) / 4;
        }
    s->width = width;
    s->height = height;
}

int quality_ms_ssim(const struct image *a, const struct image *b, double *out, struct err *e)
{
    static const double weights[SCALES] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
    struct planes pa = {0}, pb = {0};
    double product[] = {1, 1, 1, 1}, sum = 0;
    int rc = check_pair(a, b, WINDOW << (SCALES - 1), e);

    if (rc || (rc = planes_of(a, &pa, e)) || (rc = planes_of(b, &pb, e)))
        goto out;
    for (int scale = 0; scale < SCALES; scale++) {
        for (int c = 0; c < a->channels; c++) {
            double ssim, structure;
            if ((rc = measure(&pa, &pb, c, &ssim, &structure, e)))
                goto out;
            double term = scale == SCALES - 1 ? ssim : structure;
            product[c] *= pow(term > 0 ? term : 0, weights[scale]);
        }
        halve(&pa);
        halve(&pb);
    }
    for (int c = 0; c < a->channels; c++)
        sum += product[c];
    *out = sum / a->channels;
out:
    planes_release(&pa);
    planes_release(&pb);
    return rc;
}

static double luma(const struct image *im, int x, int y)
{
    const unsigned char *p = im->pixels +
                             ((size_t)y * (size_t)im->width + (size_t)x) * (size_t)im->channels;
    return im->channels == 1 ? p[0] : 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

/* Mean and variance of values as they come (Welford 1962). */
struct spread {
    double count, mean, squares;
};

static void spread_add(struct spread *s, double x)
{
    double off = x - s->mean;

    s->count++;
    s->mean += off / s->count;
    s->squares += off * (x - s->mean);
}

static double variance(const struct spread *s)
{
    return s->squares / s->count;
}

int quality_sharpness(const struct image *im, double *out, struct err *e)
{
    struct spread s = {0};

    if (im->width < 3 || im->height < 3)
        return ERR(e, ERR_ARG, "%d x %d pixels are too few to measure sharpness, 3 x 3 are needed",
                   im->width, im->height);
    for (int y = 1; y < im->height - 1; y++)
        for (int x = 1; x < im->width - 1; x++)
            spread_add(&s, luma(im, x - 1, y) + luma(im, x + 1, y) + luma(im, x, y - 1) +
                               luma(im, x, y + 1) - 4 * luma(im, x, y));
    *out = variance(&s);
    return 0;
}

int quality_contrast(const struct image *im, double *out, struct err *e)
{
    struct spread s = {0};
    (void)e;

    for (int y = 0; y < im->height; y++)
        for (int x = 0; x < im->width; x++)
            spread_add(&s, luma(im, x, y) / 255);
    *out = sqrt(variance(&s));
    return 0;
}

int quality_colourfulness(const struct image *im, double *out, struct err *e)
{
    struct spread rg = {0}, yb = {0};
    size_t count = (size_t)im->width * (size_t)im->height;
    (void)e;

    for (size_t i = 0; i < count && im->channels >= 3; i++) {
        const unsigned char *p = im->pixels + i * (size_t)im->channels;
        spread_add(&rg, p[0] - p[1]);
        spread_add(&yb, 0.5 * (p[0] + p[1]) - p[2]);
    }
    *out = im->channels < 3 ? 0
                            : sqrt(variance(&rg) + variance(&yb)) +
                                  0.3 * sqrt(rg.mean * rg.mean + yb.mean * yb.mean);
    return 0;
}
