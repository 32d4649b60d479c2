/* image_fixture.h: what the tests of src/image share. */
#ifndef TESTS_UNIT_IMAGE_FIXTURE_H
#define TESTS_UNIT_IMAGE_FIXTURE_H

#include "base/file.h"
#include "image/image.h"

#include "test.h"

/* A file under tests/parity/image. */
static inline const char *golden(struct arena *a, const char *name)
{
    const char *root = getenv("CAULDRON_SOURCE");
    return arena_printf(a, "%s/tests/parity/image/%s", root ? root : ".", name);
}

/* The next of the pictures in `text`: "width height channels\n" and the pixels, which stay there.
 */
static inline struct image next_raw(struct str *text)
{
    struct image im;
    int used;

    assert_int_equal(sscanf(text->p, "%d %d %d%n", &im.width, &im.height, &im.channels, &used), 3);
    im.pixels = (unsigned char *)(uintptr_t)text->p + used + 1;
    size_t n = (size_t)used + 1 + (size_t)(im.width * im.height * im.channels);
    assert_true(n <= text->n);
    text->p += n;
    text->n -= n;
    return im;
}

/* Equal sizes, and no sample further off than `tolerance`. */
static inline void assert_alike(const char *what, const struct image *got, const struct image *want,
                                int tolerance)
{
    if (got->width != want->width || got->height != want->height || got->channels != want->channels)
        fail_msg("%s: %d x %d x %d instead of %d x %d x %d", what, got->width, got->height,
                 got->channels, want->width, want->height, want->channels);
    for (int i = 0; i < want->width * want->height * want->channels; i++)
        if (abs(got->pixels[i] - want->pixels[i]) > tolerance)
            fail_msg("%s: sample %d is %d, not %d", what, i, got->pixels[i], want->pixels[i]);
}

/* A picture with smooth parts, edges and noise. */
static inline struct image drawn(int width, int height, int channels)
{
    struct image im = {0};
    struct err e;

    assert_int_equal(image_new(width, height, channels, &im, &e), 0);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                im.pixels[(y * width + x) * channels + c] =
                    (unsigned char)(x * 5 + y * 3 + c * 50 + (x > y ? 90 : 0));
    return im;
}

#endif
