/* Any bytes as EXIF, as XMP and as UTF-16; and text that was read survives being written again. */
#include "fuzz.h"

#include "image/exif.h"
#include "image/text.h"
#include "image/xmp.h"

#include <stdlib.h>
#include <string.h>

static void check_exif(const uint8_t *bytes, size_t n)
{
    struct exif exif, again;
    struct buf b;

    exif_read(bytes, n, &exif);
    if (exif.orientation < 1 || exif.orientation > 8)
        abort();
    buf_init(&b, 1 << 24);
    if (exif.comment && !exif_write(&b, exif.comment)) {
        exif_read((const unsigned char *)b.p, b.n, &again);
        if (!again.comment || !text_is_utf8(again.comment, strlen(again.comment)))
            abort();
        free(again.comment);
    }
    buf_release(&b);
    free(exif.comment);
}

static void check_xmp(const uint8_t *bytes, size_t n)
{
    char *recipe = xmp_read(bytes, n), *again = NULL;
    struct buf b;

    buf_init(&b, 1 << 24);
    if (recipe && !xmp_write(&b, recipe)) {
        again = xmp_read((const unsigned char *)b.p, b.n);
        if (!again || strcmp(again, recipe) != 0)
            abort();
    }
    buf_release(&b);
    free(recipe);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    if (text_from_utf16(&b, bytes, n, n & 2) == 0 && b.p && !text_is_utf8(b.p, b.n))
        abort();
    buf_release(&b);
    check_exif(bytes, n);
    check_xmp(bytes, n);
    return 0;
}
