/* convert.c: grey, RGB, and alpha drawn over white. */
#include "image/image.h"

#include <string.h>

int image_to_grey(const struct image *im, struct image *out, struct err *e)
{
    size_t count = (size_t)im->width * (size_t)im->height;
    struct image grey;
    int rc = image_new(im->width, im->height, 1, &grey, e);

    if (rc)
        return rc;
    const unsigned char *p = im->pixels;
    if (im->channels == 1)
        memcpy(grey.pixels, p, count);
    else
        for (size_t i = 0; i < count; i++, p += im->channels)
            grey.pixels[i] =
                (unsigned char)((p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16);
    *out = grey;
    return 0;
}

/* over: draw what is transparent over white. */
static int to_rgb(const struct image *im, bool over, struct image *out, struct err *e)
{
    size_t count = (size_t)im->width * (size_t)im->height;
    struct image rgb;
    int rc = image_new(im->width, im->height, 3, &rgb, e);

    if (rc)
        return rc;
    const unsigned char *p = im->pixels;
    unsigned char *q = rgb.pixels;
    for (size_t i = 0; i < count; i++, p += im->channels, q += 3)
        for (int c = 0; c < 3; c++) {
            int value = im->channels == 1 ? p[0] : p[c];
            int alpha = over && im->channels == 4 ? p[3] : 255;
            q[c] = (unsigned char)((value * alpha + 255 * (255 - alpha) + 127) / 255);
        }
    *out = rgb;
    return 0;
}

int image_to_rgb(const struct image *im, struct image *out, struct err *e)
{
    return to_rgb(im, false, out, e);
}

int image_flatten(const struct image *im, struct image *out, struct err *e)
{
    return to_rgb(im, true, out, e);
}
