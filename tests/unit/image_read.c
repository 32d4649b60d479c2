/* What PIL reads from the files under tests/parity/image/read (tools/parity/images.py), we read. */
#include "image/exif.h"

#include "image_fixture.h"

static struct err e;

static void read_one(const char *name, int tolerance, const char *parameters, const char *recipe)
{
    struct arena a = {0};
    struct image im = {0}, want;
    struct image_meta meta = {0};
    struct str text;
    const char *path = golden(&a, arena_printf(&a, "read/%s", name));

    assert_int_equal(file_read(&a, arena_printf(&a, "%s.raw", path), 1 << 20, &text, &e), 0);
    want = next_raw(&text);
    if (image_read(path, &im, &meta, &e))
        fail_msg("%s", e.message);
    assert_alike(name, &im, &want, tolerance);
    for (int only_meta = 0; only_meta < 2; only_meta++) {
        if (only_meta) {
            image_meta_release(&meta);
            if (image_read_meta(path, &meta, &e))
                fail_msg("%s", e.message);
        }
        assert_true(!parameters == !meta.parameters && !recipe == !meta.recipe);
        if (parameters)
            assert_string_equal(meta.parameters, parameters);
        if (recipe)
            assert_string_equal(meta.recipe, recipe);
    }
    image_meta_release(&meta);
    image_release(&im);
    arena_release(&a);
}

static void reads_png(void **state)
{
    static const char *const names[] = {"rgb",  "rgba",          "grey", "grey-alpha", "palette",
                                        "bits", "palette-alpha", "deep", "interlaced"};
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.png", names[i]);
        read_one(name, 0, NULL, NULL);
    }
}

static void reads_jpeg(void **state)
{
    static const char *const names[] = {"rgb", "subsampled", "progressive", "grey", "cmyk"};
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.jpg", names[i]);
        read_one(name, 2, NULL, NULL);
    }
}

static void turns_jpeg_upright(void **state)
{
    (void)state;

    for (int i = 1; i <= 8; i++) {
        char name[64];
        snprintf(name, sizeof name, "turned-%d.jpg", i);
        read_one(name, 2, NULL, NULL);
    }
}

static void reads_webp(void **state)
{
    (void)state;

    read_one("lossless.webp", 0, NULL, NULL);
    read_one("alpha.webp", 0, NULL, NULL);
    read_one("lossy.webp", 2, NULL, NULL);
}

static void reads_the_text_of_other_programs(void **state)
{
    static const char latin[] =
        "a cat, na\xc3\xafve\nNegative prompt: dog\nSteps: 20, Sampler: Euler";
    static const char unicode[] = "\xe7\x8c\xab \xf0\x9f\x99\x82, a cat\nSteps: 20";
    (void)state;

    read_one("a1111.png", 0, latin, NULL);
    read_one("a1111-unicode.png", 0, unicode, NULL);
    read_one("zipped.png", 0, latin, "{\"seed\": 7}");
    read_one("a1111.jpg", 2, unicode, NULL);
    read_one("a1111.webp", 2, unicode, NULL);
}

/* UTF-16 in the order of a little-endian TIFF, as cameras write it, and text without a declared
 * encoding; piexif's is big-endian. */
static void reads_comments_of_cameras(void **state)
{
    static const char head[] = "II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x1a\0\0\0\0\0\0\0"
                               "\1\0\x86\x92\7\0\x0c\0\0\0\x2c\0\0\0\0\0\0\0";
    static const struct {
        const char *bytes, *text; /* 12 bytes */
    } comments[] = {
        {"UNICODE\0a\0b\0", "ab"},
        {"UNICODE\0\0a\0b", "ab"},
        {"UNICODE\0\xff\xfe\x2b\x73", "\xe7\x8c\xab"},
        {"ASCII\0\0\0abc\0", "abc"},
        {"\0\0\0\0\0\0\0\0a\xe9z\0", "a\xc3\xa9z"},
    };
    unsigned char bytes[sizeof head - 1 + 12];
    struct exif exif;
    (void)state;

    for (size_t i = 0; i < sizeof comments / sizeof comments[0]; i++) {
        memcpy(bytes, head, sizeof head - 1);
        memcpy(bytes + sizeof head - 1, comments[i].bytes, 12);
        exif_read(bytes, sizeof bytes, &exif);
        assert_non_null(exif.comment);
        assert_string_equal(exif.comment, comments[i].text);
        free(exif.comment);
    }
}

static void refuses_cut_off_pictures(void **state)
{
    static const char *const names[] = {"rgb.png", "rgb.jpg", "progressive.jpg", "lossless.webp"};
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct arena a = {0};
        struct image im = {0};
        struct str file;
        const char *path = golden(&a, arena_printf(&a, "read/%s", names[i]));
        assert_int_equal(file_read(&a, path, 1 << 20, &file, &e), 0);
        assert_int_equal(image_decode(file.p, file.n - 30, &im, NULL, &e), ERR_FORMAT);
        assert_null(im.pixels);
        arena_release(&a);
    }
}

/* The file goes on, but the scan's data ends early. */
static void refuses_short_scans(void **state)
{
    struct arena a = {0};
    struct image im = {0};
    struct str file;
    (void)state;

    assert_int_equal(file_read(&a, golden(&a, "read/rgb.jpg"), 1 << 20, &file, &e), 0);
    char *bytes = (char *)(uintptr_t)file.p;
    memcpy(bytes + file.n - 32, bytes + file.n - 2, 2); /* the end marker */
    assert_int_equal(image_decode(bytes, file.n - 30, &im, NULL, &e), ERR_FORMAT);
    assert_null(im.pixels);
    arena_release(&a);
}

/* A progressive JPEG that ends between two scans lacks detail everywhere, but no marker is broken.
 */
static void refuses_missing_scans(void **state)
{
    struct arena a = {0};
    struct image im = {0};
    struct str file;
    size_t last = 0;
    (void)state;

    assert_int_equal(file_read(&a, golden(&a, "read/progressive.jpg"), 1 << 20, &file, &e), 0);
    for (size_t i = 0; i + 1 < file.n; i++)
        if (!memcmp(file.p + i, "\xff\xc4", 2)) /* the tables before a scan */
            last = i;
    assert_int_equal(image_decode(file.p, last, &im, NULL, &e), ERR_FORMAT);
    assert_null(im.pixels);
    arena_release(&a);
}

/* Every file cut off at every length, and with every byte changed: an error or a picture, and no
 * harm that a sanitizer would see. */
static void survives_damage(void **state)
{
    static const char *const names[] = {
        "rgba.png",        "palette-alpha.png", "interlaced.png", "zipped.png", "a1111.jpg",
        "progressive.jpg", "cmyk.jpg",          "a1111.webp",     "alpha.webp", "turned-6.jpg"};
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct arena a = {0};
        struct str file;
        const char *path = golden(&a, arena_printf(&a, "read/%s", names[i]));
        assert_int_equal(file_read(&a, path, 1 << 20, &file, &e), 0);
        unsigned char *bytes = malloc(file.n);
        for (size_t k = 0; k < 2 * file.n; k++) {
            struct image im = {0};
            struct image_meta meta = {0};
            size_t n = k < file.n ? k : file.n;
            memcpy(bytes, file.p, file.n);
            if (k >= file.n)
                bytes[k - file.n] ^= (unsigned char)(1 + k * 37 % 255);
            /* a changed size may be legal and large */
            if (k >= file.n && (size_t)(k - file.n) >= 16 && (size_t)(k - file.n) < 24)
                continue;
            if (image_decode(bytes, n, &im, &meta, &e) == 0) {
                assert_non_null(im.pixels);
                image_release(&im);
                image_meta_release(&meta);
            } else {
                assert_null(im.pixels);
                assert_null(meta.parameters);
                assert_true(e.message[0]);
            }
        }
        free(bytes);
        arena_release(&a);
    }
}

static void refuses_with_reason(void **state)
{
    static const struct {
        struct str bytes;
        int code;
        const char *says;
    } bad[] = {
        {STR(""), ERR_UNSUPPORTED, "not a PNG"},
        {STR("GIF89a"), ERR_UNSUPPORTED, "not a PNG"},
        {STR("\x89PNG\r\n\x1a\n"), ERR_FORMAT, "too early"},
        {STR("\xff\xd8\xff\xd9"), ERR_FORMAT, "jpeg: "},
        {STR("RIFF\x04\0\0\0WEBP"), ERR_FORMAT, "webp: "},
        {STR("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x7f\xff\0\0\x7f\xff\x08\x02\0\0\0\x82\xcc\xeb\xf5"),
         ERR_FORMAT, "png: "},
    };
    struct image im = {0};
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(image_decode(bad[i].bytes.p, bad[i].bytes.n, &im, NULL, &e), bad[i].code);
        if (!strstr(e.message, bad[i].says))
            fail_msg("case %zu: '%s' does not say '%s'", i, e.message, bad[i].says);
        assert_null(im.pixels);
    }
    assert_int_equal(image_read("no such file.png", &im, NULL, &e), ERR_NOT_FOUND);
}

/* A header that promises more pixels than are accepted is refused before anything is allocated. */
static void refuses_huge_pictures(void **state)
{
    struct image im = drawn(16, 16, 3), out = {0};
    struct buf b;
    (void)state;

    buf_init(&b, 1 << 20);
    assert_int_equal(image_encode(&im, image_encoding_default(IMAGE_JPEG), NULL, &b, &e), 0);
    unsigned char *size = memmem(b.p, b.n, "\xff\xc0", 2);
    assert_non_null(size);
    memcpy(size + 5, "\x7f\xff\x7f\xff", 4);
    assert_int_equal(image_decode(b.p, b.n, &out, NULL, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.message, "32767 x 32767"));
    buf_release(&b);
    image_release(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_png),
        cmocka_unit_test(reads_jpeg),
        cmocka_unit_test(turns_jpeg_upright),
        cmocka_unit_test(reads_webp),
        cmocka_unit_test(reads_the_text_of_other_programs),
        cmocka_unit_test(reads_comments_of_cameras),
        cmocka_unit_test(refuses_cut_off_pictures),
        cmocka_unit_test(refuses_short_scans),
        cmocka_unit_test(refuses_missing_scans),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(refuses_with_reason),
        cmocka_unit_test(refuses_huge_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
