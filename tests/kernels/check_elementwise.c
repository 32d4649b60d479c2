/* check_elementwise.c: activations within their stated error; everything else exact. */
#include "check.h"

#include <math.h>
#include <string.h>

/* Small sizes often: they are where remainders and empty loops live. */
static size_t size(struct check *c)
{
    return 1 + pick(c, pick(c, 2) ? 70 : 20000);
}

void check_activate(struct check *c)
{
    enum act acts[] = {ACT_NONE, ACT_SILU, ACT_GELU, ACT_QUICK_GELU, ACT_RELU};
    enum act act = acts[pick(c, 5)];
    size_t n = size(c);
    float spread = (float)PICK_OF(c, 1, 20, 200);
    bool in_place = pick(c, 2);
    float *x = check_input(c, n, 0, spread), *want = check_output(c, n), *got = check_output(c, n);

    check_case(c, "n=%zu act=%d spread=%g in_place=%d", n, (int)act, (double)spread, in_place);
    kernels_ref.activate(want, x, n, act, 1);
    if (in_place)
        memcpy(got, x, n * sizeof *got);
    c->k->activate(got, in_place ? got : x, n, act, 1 + (int)pick(c, CHECK_THREADS));
    /* vmath.h: 5e-7 relative; the rounding of 1.702 x moves quick_gelu's tail by as much of x. */
    float slope = act == ACT_QUICK_GELU ? 1.3e-7f : 0;
    for (size_t i = 0; i < n; i++) {
        float relative = 5e-7f + slope * fabsf(x[i]);
        if (!(fabsf(got[i] - want[i]) <= relative * fabsf(want[i]) + 1e-30f)) {
            check_fail(c, "act(%.9g) = %.9g, ref %.9g", (double)x[i], (double)got[i],
                       (double)want[i]);
            break;
        }
    }
}

void check_add(struct check *c)
{
    size_t n = size(c);
    bool in_place = pick(c, 2);
    float *a = check_input(c, n, 0, 1), *b = check_input(c, n, 0, 1);
    float *want = check_output(c, n), *got = check_output(c, n);

    check_case(c, "n=%zu in_place=%d", n, in_place);
    kernels_ref.add(want, a, b, n, 1);
    if (in_place)
        memcpy(got, a, n * sizeof *got);
    c->k->add(got, in_place ? got : a, b, n, 1 + (int)pick(c, CHECK_THREADS));
    check_same(c, got, want, n, "ref and this");
}

void check_concat(struct check *c)
{
    int ca = 1 + (int)pick(c, 80), cb = 1 + (int)pick(c, 80);
    size_t pixels = 1 + pick(c, 200), n = pixels * (size_t)(ca + cb);
    float *a = check_input(c, pixels * ca, 0, 1), *b = check_input(c, pixels * cb, 0, 1);
    float *want = check_output(c, n), *got = check_output(c, n);

    check_case(c, "ca=%d cb=%d pixels=%zu", ca, cb, pixels);
    kernels_ref.concat(want, a, ca, b, cb, pixels, 1);
    c->k->concat(got, a, ca, b, cb, pixels, 1 + (int)pick(c, CHECK_THREADS));
    check_same(c, got, want, n, "ref and this");
}

void check_resize(struct check *c)
{
    int pictures = 1 + (int)pick(c, 3), channels = 1 + (int)pick(c, 40);
    int h = 1 + (int)pick(c, 20), w = 1 + (int)pick(c, 20);
    bool twice = pick(c, 2);
    int oh = twice ? 2 * h : 1 + (int)pick(c, 50), ow = twice ? 2 * w : 1 + (int)pick(c, 50);
    size_t n = (size_t)pictures * oh * ow * channels;
    float *x = check_input(c, (size_t)pictures * h * w * channels, 0, 1);
    float *want = check_output(c, n), *got = check_output(c, n);

    check_case(c, "pictures=%d %dx%d -> %dx%d channels=%d", pictures, h, w, oh, ow, channels);
    kernels_ref.resize_nearest(want, x, pictures, h, w, oh, ow, channels, 1);
    c->k->resize_nearest(got, x, pictures, h, w, oh, ow, channels, 1 + (int)pick(c, CHECK_THREADS));
    check_same(c, got, want, n, "ref and this");
}
