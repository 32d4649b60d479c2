/* Against PIL's own results (tools/parity/images.py). */
#include "image_fixture.h"

#include <zlib.h>

static struct err e;

static void equals_pil(void **state)
{
    static const int sizes[][2] = {{16, 16}, {50, 31}, {37, 11}, {80, 23}, {5, 3}, {1, 1}};
    static const char *const names[] = {"nearest", "box", "lanczos"};
    static char bytes[1 << 20];
    struct arena a = {0};
    gzFile in = gzopen(golden(&a, "resize.raw.gz"), "rb");
    (void)state;

    assert_non_null(in);
    struct str text = {bytes, (size_t)gzread(in, bytes, sizeof bytes - 1)};
    gzclose(in);
    while (text.n) {
        struct image source = next_raw(&text);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            for (enum image_filter filter = IMAGE_NEAREST; filter <= IMAGE_LANCZOS; filter++) {
                struct image want = next_raw(&text), got = {0};
                const char *what = arena_printf(&a, "%s, %d channels to %d x %d", names[filter],
                                                source.channels, sizes[i][0], sizes[i][1]);
                assert_int_equal(image_resize(&source, sizes[i][0], sizes[i][1], filter, &got, &e),
                                 0);
                assert_alike(what, &got, &want, 0);
                image_release(&got);
            }
    }
    arena_release(&a);
}

static void refuses_impossible_sizes(void **state)
{
    struct image im = drawn(4, 4, 3), out = {0};
    (void)state;

    for (enum image_filter filter = IMAGE_NEAREST; filter <= IMAGE_LANCZOS; filter++) {
        assert_int_equal(image_resize(&im, 0, 4, filter, &out, &e), ERR_ARG);
        assert_int_equal(image_resize(&im, 4, -1, filter, &out, &e), ERR_ARG);
        assert_int_equal(image_resize(&im, IMAGE_MAX_SIDE + 1, 4, filter, &out, &e), ERR_ARG);
        assert_null(out.pixels);
    }
    image_release(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_pil),
        cmocka_unit_test(refuses_impossible_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
