/* Any bytes as a WebP file. */
#include "fuzz.h"

#include "image/image.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct image im = {0};
    struct image_meta meta = {0};
    struct err e;

    if (image_format_of_bytes(bytes, n) != IMAGE_WEBP)
        return 0;
    if (image_decode(bytes, n, &im, &meta, &e) == 0) {
        if (!im.pixels || im.width > IMAGE_MAX_SIDE || im.height > IMAGE_MAX_SIDE)
            abort();
        image_release(&im);
        image_meta_release(&meta);
    }
    return 0;
}
