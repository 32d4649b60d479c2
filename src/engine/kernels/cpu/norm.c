/*
 * cpu/norm.c: group and layer normalisation.
 *
 * Channels last puts the members of a group next to each other only a few at a time, so a pass per
 * group would read the picture once per group with a stride. Instead one pass sums every channel
 * (rows are contiguous), the sums are folded into groups, and mean and scale become one
 * multiply-add per channel: y = act(x a[c] + b[c]). Memory traffic: in twice, out once; the limit
 * of the operation.
 *
 * The pixels are summed in strips whose number follows from the picture alone, and the strips are
 * added in order: the bits do not depend on the number of threads.
 */
#include "engine/kernels/cpu/table.h"
#include "engine/kernels/cpu/vmath.h"

#include <math.h>

enum {
    STRIPS = 32, /* at most, of one picture: what threads share */
    ROWS = 8,    /* pixels summed in registers at a time */
    RUN = 256,   /* pixels summed in f32 before doubles take over: a multiple of ROWS */
    BLOCK = 256  /* channels summed at a time */
};

/* How a picture is cut, and where the parts of the scratch memory lie; `all` channels in all. */
struct group_plan {
    int all, strip /* pixels */, strips;
    size_t sums, affine;   /* numbers in each of the arrays below */
    double *sum, *squares; /* [pictures][strips][all] */
    float *a, *b;          /* [pictures][all] */
};

static struct group_plan plan(const struct group_norm_args *g)
{
    struct group_plan p = {.all = g->channels + g->channels2};
    int strip = (g->pixels + STRIPS - 1) / STRIPS;

    p.strip = (strip + ROWS - 1) / ROWS * ROWS;
    p.strips = (g->pixels + p.strip - 1) / p.strip;
    p.affine = (size_t)g->pictures * p.all;
    p.sums = p.affine * p.strips;
    return p;
}

size_t cpu_group_norm_scratch(const struct group_norm_args *g)
{
    struct group_plan p = plan(g);
    return 2 * p.sums * sizeof *p.sum + 2 * p.affine * sizeof *p.a;
}

/* Add d and d * d, d = x - first, of one vector of channels in `rows` pixels to sums in memory. */
static inline void sum_rows(float *sum, float *squares, const float *x, size_t stride, vec first,
                            int rows)
{
    vec s = vec_load(sum), q = vec_load(squares);
    for (int r = 0; r < rows; r++) {
        vec d = vec_load(x + r * stride) - first;
        s = s + d;
        q = vec_fma(d, d, q);
    }
    vec_store(sum, s);
    vec_store(squares, q);
}

/*
 * sum[], squares[] = the sums over `pixels` pixels of `channels` (at most BLOCK) channels relative
 * to first[], so that a large common offset does not eat the digits of the variance. Lanes beyond
 * the last channel add up whatever follows; nobody looks at them.
 */
static void sum_strip(double *sum, double *squares, const float *x, size_t stride,
                      const float *first, int pixels, int channels)
{
    for (int c = 0; c < channels; c++)
        sum[c] = squares[c] = 0;
    for (int from = 0; from < pixels; from += RUN) {
        float s[BLOCK] = {0}, q[BLOCK] = {0};
        int run = pixels - from < RUN ? pixels - from : RUN;
        for (int p = 0; p < run; p += ROWS) {
            const float *row = x + (size_t)(from + p) * stride;
            int rows = run - p;
            for (int c = 0; c < channels; c += LANES) {
                vec f = vec_load(first + c);
                if (rows >= ROWS)
                    sum_rows(s + c, q + c, row + c, stride, f, ROWS);
                else
                    sum_rows(s + c, q + c, row + c, stride, f, rows);
            }
        }
        for (int c = 0; c < channels; c++) {
            sum[c] += (double)s[c];
            squares[c] += (double)q[c];
        }
    }
}

/* The sums of one input of one strip of one picture; `channel` is its first among all. */
static void sum_input(const struct group_norm_args *g, const struct group_plan *p, const float *x,
                      int channels, int channel, int picture, int strip)
{
    const float *first = x + (size_t)picture * g->pixels * channels;
    int from = strip * p->strip;
    int pixels = g->pixels - from < p->strip ? g->pixels - from : p->strip;
    size_t at = ((size_t)picture * p->strips + strip) * p->all + channel;

    for (int c = 0; c < channels; c += BLOCK) {
        int block = channels - c < BLOCK ? channels - c : BLOCK;
        sum_strip(p->sum + at + c, p->squares + at + c, first + (size_t)from * channels + c,
                  (size_t)channels, first + c, pixels, block);
    }
}

static float first_of(const struct group_norm_args *g, int picture, int c)
{
    size_t pixel = (size_t)picture * g->pixels;
    return c < g->channels ? g->x[pixel * g->channels + c]
                           : g->x2[pixel * g->channels2 + (c - g->channels)];
}

/* a[c], b[c] such that group_norm(x)[c] * scale[c] + shift[c] == x[c] * a[c] + b[c]. */
static void fold(const struct group_norm_args *g, const struct group_plan *p, int picture,
                 int group)
{
    int width = p->all / g->groups, from = group * width, to = from + width;
    double count = (double)g->pixels * width, mean = 0, square = 0;
    /* Deviations are measured from one number for the whole group, which is near all of them. */
    double origin = (double)first_of(g, picture, from);

    for (int c = from; c < to; c++) {
        double sum = 0, squares = 0, step = (double)first_of(g, picture, c) - origin;
        for (int strip = 0; strip < p->strips; strip++) {
            size_t at = ((size_t)picture * p->strips + strip) * p->all + c;
            sum += p->sum[at];
            squares += p->squares[at];
        }
        mean += sum + step * g->pixels;
        square += squares + 2 * step * sum + step * step * g->pixels;
    }
    mean /= count;
    double inverse = 1 / sqrt(fmax(square / count - mean * mean, 0) + (double)g->eps);
    mean += origin;
    for (int c = from; c < to; c++) {
        double a = inverse * (double)g->scale[c];
        p->a[(size_t)picture * p->all + c] = (float)a;
        p->b[(size_t)picture * p->all + c] = (float)((double)g->shift[c] - mean * a);
    }
}

static inline void apply_row(float *y, const float *x, const float *a, const float *b, int n,
                             enum act act)
{
    int c = 0;
    for (; c + LANES <= n; c += LANES)
        vec_store(y + c,
                  vec_activation(vec_fma(vec_load(x + c), vec_load(a + c), vec_load(b + c)), act));
    if (c < n) {
        int rest = n - c;
        vec v = vec_fma(vec_load_part(x + c, rest), vec_load_part(a + c, rest),
                        vec_load_part(b + c, rest));
        vec_store_part(y + c, vec_activation(v, act), rest);
    }
}

static void apply(const struct group_norm_args *g, const struct group_plan *p, int picture,
                  int pixel)
{
    const float *a = p->a + (size_t)picture * p->all, *b = p->b + (size_t)picture * p->all;
    size_t at = (size_t)picture * g->pixels + pixel;
    float *y = g->y + at * p->all;
    int n = g->channels, n2 = g->channels2;

    if (g->act == ACT_SILU) {
        apply_row(y, g->x + at * n, a, b, n, ACT_SILU);
        if (g->x2)
            apply_row(y + n, g->x2 + at * n2, a + n, b + n, n2, ACT_SILU);
    } else {
        apply_row(y, g->x + at * n, a, b, n, ACT_NONE);
        if (g->x2)
            apply_row(y + n, g->x2 + at * n2, a + n, b + n, n2, ACT_NONE);
    }
}

void cpu_group_norm(const struct group_norm_args *g)
{
    struct group_plan p = plan(g);

    p.sum = g->scratch;
    p.squares = p.sum + p.sums;
    p.a = (float *)(p.squares + p.sums);
    p.b = p.a + p.affine;
#pragma omp parallel num_threads(g->threads)
    {
#pragma omp for collapse(2) schedule(static)
        for (int n = 0; n < g->pictures; n++)
            for (int strip = 0; strip < p.strips; strip++) {
                sum_input(g, &p, g->x, g->channels, 0, n, strip);
                if (g->x2)
                    sum_input(g, &p, g->x2, g->channels2, g->channels, n, strip);
            }
#pragma omp for collapse(2) schedule(static)
        for (int n = 0; n < g->pictures; n++)
            for (int group = 0; group < g->groups; group++)
                fold(g, &p, n, group);
#pragma omp for collapse(2) schedule(static)
        for (int n = 0; n < g->pictures; n++)
            for (int pixel = 0; pixel < g->pixels; pixel++)
                apply(g, &p, n, pixel);
    }
}

/* The sum of (x - origin)^power over one row, power 1 or 2; four chains hide the adder's latency.
 */
static inline float sum_row(const float *x, int n, float from, int power)
{
    vec origin = vec_set(from), zero = vec_set(0), one = vec_set(1);
    vec s[4] = {zero, zero, zero, zero};
    int c = 0;
    for (; c + 4 * LANES <= n; c += 4 * LANES)
        for (int l = 0; l < 4; l++) {
            vec d = vec_load(x + c + l * LANES) - origin;
            s[l] = vec_fma(d, power == 2 ? d : one, s[l]);
        }
    for (; c + LANES <= n; c += LANES) {
        vec d = vec_load(x + c) - origin;
        s[0] = vec_fma(d, power == 2 ? d : one, s[0]);
    }
    float sum = vec_sum((s[0] + s[1]) + (s[2] + s[3]));
    for (; c < n; c++)
        sum += power == 2 ? (x[c] - from) * (x[c] - from) : x[c] - from;
    return sum;
}

static void normalise_row(const struct layer_norm_args *l, int row)
{
    int n = l->channels, c = 0;
    const float *x = l->x + (size_t)row * n;
    float *y = l->y + (size_t)row * n;
    float mean = x[0] + sum_row(x, n, x[0], 1) / (float)n;
    float variance = sum_row(x, n, mean, 2) / (float)n;
    vec m = vec_set(mean), inverse = vec_set(1 / sqrtf(variance + l->eps));
    vec one = vec_set(1), zero = vec_set(0);

    for (; c + LANES <= n; c += LANES) {
        vec scale = l->scale ? vec_load(l->scale + c) : one;
        vec shift = l->shift ? vec_load(l->shift + c) : zero;
        vec_store(y + c, vec_fma((vec_load(x + c) - m) * inverse, scale, shift));
    }
    if (c < n) {
        int rest = n - c;
        vec scale = l->scale ? vec_load_part(l->scale + c, rest) : one;
        vec shift = l->shift ? vec_load_part(l->shift + c, rest) : zero;
        vec v = vec_fma((vec_load_part(x + c, rest) - m) * inverse, scale, shift);
        vec_store_part(y + c, v, rest);
    }
}

void cpu_layer_norm(const struct layer_norm_args *l)
{
#pragma omp parallel for schedule(static) num_threads(l->threads)
    for (int r = 0; r < l->rows; r++)
        normalise_row(l, r);
}
