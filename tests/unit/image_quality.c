/* Against scikit-image and the formulas in numpy (tools/parity/images.py). */
#include "image/quality.h"

#include "image_fixture.h"

#include <math.h>

static struct err e;

static struct image pattern(int width, int height, int channels, int seed)
{
    struct image im = {0};

    assert_int_equal(image_new(width, height, channels, &im, &e), 0);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                im.pixels[(y * width + x) * channels + c] =
                    (unsigned char)(x * 3 + y * 5 + c * 40 + (x / 8 * y / 8) % 97 +
                                    (x * y * (seed + 3) + seed * x) % 41);
    return im;
}

static double expected(const char *wanted)
{
    struct arena a = {0};
    struct str text, line, key;
    double value = NAN;

    assert_int_equal(file_read(&a, golden(&a, "quality.txt"), 1 << 16, &text, &e), 0);
    while (str_cut(&text, '\n', &line))
        if (str_cut(&line, ' ', &key) && str_is(key, wanted))
            assert_true(str_to_f64(line, &value));
    arena_release(&a);
    return value;
}

static void check(const char *name, double value)
{
    if (!(fabs(value / expected(name) - 1) < 1e-6))
        fail_msg("%s is %.12g, not %.12g", name, value, expected(name));
}

static void equals_the_references(void **state)
{
    struct image a = pattern(193, 180, 3, 1), b = pattern(193, 180, 3, 2);
    double value = 0;
    (void)state;

    assert_int_equal(quality_psnr(&a, &b, &value, &e), 0);
    check("psnr", value);
    assert_int_equal(quality_ssim(&a, &b, &value, &e), 0);
    check("ssim", value);
    assert_int_equal(quality_ms_ssim(&a, &b, &value, &e), 0);
    check("ms_ssim", value);
    assert_int_equal(quality_sharpness(&a, &value, &e), 0);
    check("sharpness", value);
    assert_int_equal(quality_contrast(&a, &value, &e), 0);
    check("contrast", value);
    assert_int_equal(quality_colourfulness(&a, &value, &e), 0);
    check("colourfulness", value);
    image_release(&a);
    image_release(&b);
}

static void equal_pictures_are_perfect(void **state)
{
    struct image a = pattern(180, 180, 3, 1), grey = {0};
    double value = 0;
    (void)state;

    assert_int_equal(quality_psnr(&a, &a, &value, &e), 0);
    assert_true(isinf(value));
    assert_int_equal(quality_ssim(&a, &a, &value, &e), 0);
    assert_true(fabs(value - 1) < 1e-12);
    assert_int_equal(quality_ms_ssim(&a, &a, &value, &e), 0);
    assert_true(fabs(value - 1) < 1e-12);
    assert_int_equal(image_to_grey(&a, &grey, &e), 0);
    assert_int_equal(quality_colourfulness(&grey, &value, &e), 0);
    assert_true(value == 0);
    image_release(&grey);
    image_release(&a);
}

static void refuses_unequal_and_small_pictures(void **state)
{
    struct image a = pattern(20, 20, 3, 1), b = pattern(20, 21, 3, 1), small = pattern(2, 10, 1, 1);
    double value = 7;
    (void)state;

    assert_int_equal(quality_psnr(&a, &b, &value, &e), ERR_ARG);
    assert_int_equal(quality_ssim(&a, &b, &value, &e), ERR_ARG);
    assert_int_equal(quality_ssim(&small, &small, &value, &e), ERR_ARG);
    assert_int_equal(quality_ms_ssim(&a, &a, &value, &e), ERR_ARG);
    assert_int_equal(quality_sharpness(&small, &value, &e), ERR_ARG);
    assert_true(value == 7);
    image_release(&a);
    image_release(&b);
    image_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_references),
        cmocka_unit_test(equal_pictures_are_perfect),
        cmocka_unit_test(refuses_unequal_and_small_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
