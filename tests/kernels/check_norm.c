/* check_norm.c: normalisation. The bounds are a few rounding errors of the data. */
#include "check.h"

#include <math.h>
#include <string.h>

/* x - mean cancels when the mean is large against the spread: its rounding error is magnified. */
static double tolerance(float mean, float spread)
{
    return 2e-6 * (1 + (double)fabsf(mean / spread));
}

static float *run_group_norm(struct check *c, const struct kernels *k, struct group_norm_args a,
                             int threads, bool in_place)
{
    size_t channels = (size_t)a.channels + (size_t)a.channels2;
    size_t n = (size_t)a.pictures * a.pixels * channels;

    a.y = check_output(c, n);
    a.threads = threads;
    a.scratch = check_scratch(c, k->group_norm_scratch(&a));
    if (in_place) {
        memcpy(a.y, a.x, n * sizeof *a.y);
        a.x = a.y;
    }
    k->group_norm(&a);
    return a.y;
}

void check_group_norm(struct check *c)
{
    int groups = 1 << pick(c, 6), width = 1 + (int)pick(c, 24), all = groups * width;
    bool two = all > 1 && pick(c, 3) == 0;
    struct group_norm_args a = {
        .pictures = 1 + (int)pick(c, 3),
        .pixels = 1 + (int)pick(c, pick(c, 8) ? 300 : 5000),
        .channels = two ? 1 + (int)pick(c, (uint32_t)all - 1) : all,
        .groups = groups,
        .eps = 1e-5f,
        .act = pick(c, 2) ? ACT_SILU : ACT_NONE,
    };
    a.channels2 = all - a.channels;
    bool in_place = !two && pick(c, 2);
    float mean = pick(c, 3) ? 0.0f : 50.0f, spread = pick(c, 5) ? 1.0f : 1e-3f;
    size_t pixels = (size_t)a.pictures * a.pixels, one = (size_t)a.pixels * all;
    a.x = check_input(c, pixels * a.channels, mean, spread);
    a.x2 = two ? check_input(c, pixels * a.channels2, mean, spread) : NULL;
    a.scale = check_input(c, (size_t)all, 1, 1);
    a.shift = check_input(c, (size_t)all, 0, 1);

    check_case(c,
               "pictures=%d pixels=%d channels=%d+%d groups=%d mean=%g spread=%g act=%d "
               "in_place=%d",
               a.pictures, a.pixels, a.channels, a.channels2, groups, (double)mean, (double)spread,
               (int)a.act, in_place);
    float *want = run_group_norm(c, &kernels_ref, a, 2, false);
    float *got = run_group_norm(c, c->k, a, 1, in_place);
    double bound = tolerance(mean, spread);
    if (pixels > 1 || width > 1) /* one number has no variance: 1/sqrt(eps) magnifies everything */
        check_close(c, got, want, one * a.pictures, 3 * bound, bound);
    check_same(c, got, run_group_norm(c, c->k, a, 1 + (int)pick(c, CHECK_THREADS), false),
               one * a.pictures, "threads");

    int n = (int)pick(c, (uint32_t)a.pictures);
    a.x += (size_t)n * a.pixels * a.channels;
    a.x2 = two ? a.x2 + (size_t)n * a.pixels * a.channels2 : NULL;
    a.pictures = 1;
    check_same(c, got + (size_t)n * one, run_group_norm(c, c->k, a, 2, false), one,
               "in a batch and alone");
}

void check_layer_norm(struct check *c)
{
    struct layer_norm_args a = {
        .rows = 1 + (int)pick(c, 40),
        .channels = 1 + (int)pick(c, pick(c, 2) ? 70 : 2000),
        .eps = 1e-5f,
    };
    size_t n = (size_t)a.rows * a.channels;
    float mean = pick(c, 3) ? 0.0f : 50.0f;
    bool in_place = pick(c, 2);
    float *want = check_output(c, n), *got = check_output(c, n), *again = check_output(c, n);
    const float *x = check_input(c, n, mean, 1);

    a.x = x;
    a.scale = pick(c, 4) ? check_input(c, (size_t)a.channels, 1, 1) : NULL;
    a.shift = pick(c, 4) ? check_input(c, (size_t)a.channels, 0, 1) : NULL;
    check_case(c, "rows=%d channels=%d mean=%g scale=%d shift=%d in_place=%d", a.rows, a.channels,
               (double)mean, a.scale != NULL, a.shift != NULL, in_place);
    a.threads = 1;
    a.y = want;
    kernels_ref.layer_norm(&a);
    a.y = again;
    c->k->layer_norm(&a);
    a.threads = 1 + (int)pick(c, CHECK_THREADS);
    a.y = got;
    if (in_place)
        a.x = memcpy(got, x, n * sizeof *got);
    c->k->layer_norm(&a);
    double bound = tolerance(mean, 1);
    if (a.channels > 2) /* two equal numbers have no variance either */
        check_close(c, got, want, n, 3 * bound, bound);
    check_same(c, got, again, n, "threads");
}
