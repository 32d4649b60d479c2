#include "image/quality.h"

#include "image_fixture.h"

#include <unistd.h>

static struct err e;

static const char PARAMETERS[] = "a cat\nSteps: 20, Sampler: Euler";
static const char LATIN[] = "caf\xc3\xa9";
static const char UNICODE[] = "\xe7\x8c\xab \xf0\x9f\x99\x82 \xc3\xa9";
static const char RECIPE[] = "{\"prompt\": \"<a> & 'b' \xe7\x8c\xab\\n\"}";

static struct image round_trip(const struct image *im, struct image_encoding how,
                               struct image_meta *meta)
{
    struct image back = {0};
    struct image_meta read = {0};
    struct buf b;

    buf_init(&b, 1 << 22);
    if (image_encode(im, how, meta, &b, &e))
        fail_msg("%s", e.message);
    assert_int_equal(image_format_of_bytes(b.p, b.n), how.format);
    assert_int_equal(image_decode(b.p, b.n, &back, &read, &e), 0);
    assert_true(!meta->parameters == !read.parameters && !meta->recipe == !read.recipe);
    if (read.parameters)
        assert_string_equal(read.parameters, meta->parameters);
    if (read.recipe)
        assert_string_equal(read.recipe, meta->recipe);
    image_meta_release(&read);
    buf_release(&b);
    return back;
}

static void keeps_pixels_and_text(void **state)
{
    static const char *const texts[] = {NULL, "", PARAMETERS, LATIN, UNICODE};
    (void)state;

    for (int channels = 1; channels <= 4; channels++)
        for (size_t i = 0; i < 2 * sizeof texts / sizeof texts[0] && channels != 2; i++) {
            struct image im = drawn(19, 14, channels), back;
            struct image_meta meta = {(char *)(uintptr_t)texts[i / 2],
                                      i % 2 ? (char *)(uintptr_t)RECIPE : NULL};
            back = round_trip(&im, image_encoding_default(IMAGE_PNG), &meta);
            assert_alike("png", &back, &im, 0);
            image_release(&back);
            back = round_trip(&im, image_encoding_default(IMAGE_WEBP), &meta);
            if (channels == 3)
                assert_alike("webp", &back, &im, 0);
            image_release(&back);
            back = round_trip(&im, image_encoding_default(IMAGE_JPEG), &meta);
            assert_int_equal(back.channels, channels == 1 ? 1 : 3);
            image_release(&back);
            image_release(&im);
        }
}

static bool file_has(enum image_format format, const char *parameters, struct str wanted)
{
    struct image im = drawn(8, 8, 3);
    struct image_meta meta = {(char *)(uintptr_t)parameters, (char *)(uintptr_t)RECIPE};
    struct buf b;

    buf_init(&b, 1 << 20);
    assert_int_equal(image_encode(&im, image_encoding_default(format), &meta, &b, &e), 0);
    bool found = memmem(b.p, b.n, wanted.p, wanted.n);
    buf_release(&b);
    image_release(&im);
    return found;
}

/* Where A1111's web UI and other programs look. */
static void text_lies_where_others_look(void **state)
{
    (void)state;

    assert_true(file_has(IMAGE_PNG, LATIN, STR("tEXtparameters\0caf\xe9")));
    assert_true(file_has(IMAGE_PNG, UNICODE, STR("iTXtparameters\0\0\0\0\0\xe7\x8c\xab")));
    assert_true(file_has(IMAGE_PNG, LATIN, STR("iTXtcauldron\0\0\0\0\0{\"prompt")));
    assert_true(file_has(IMAGE_JPEG, LATIN, STR("\xff\xe1")));
    assert_true(file_has(IMAGE_JPEG, LATIN, STR("Exif\0\0MM\0*")));
    assert_true(file_has(IMAGE_JPEG, LATIN, STR("UNICODE\0\0c\0a\0f\0\xe9")));
    assert_true(file_has(IMAGE_JPEG, LATIN, STR("http://ns.adobe.com/xap/1.0/\0<?xpacket")));
    assert_true(
        file_has(IMAGE_JPEG, LATIN, STR("<cauldron:recipe>{\"prompt\": \"&lt;a&gt; &amp; 'b'")));
    assert_true(file_has(IMAGE_WEBP, LATIN, STR("UNICODE\0\0c\0a\0f\0\xe9")));
    assert_true(file_has(IMAGE_WEBP, LATIN, STR("&lt;a&gt; &amp; 'b'")));
}

static void lossless_webp_keeps_colours_under_transparency(void **state)
{
    struct image im = drawn(20, 20, 4), back;
    struct image_meta none = {0};
    (void)state;

    for (int i = 0; i < 200; i++)
        im.pixels[4 * i + 3] = 0;
    back = round_trip(&im, image_encoding_default(IMAGE_WEBP), &none);
    assert_alike("webp", &back, &im, 0);
    image_release(&back);
    image_release(&im);
}

/* Peak signal to noise, dB, after a round trip. */
static double fidelity(const struct image *im, enum image_format format, int quality)
{
    struct image_meta none = {0};
    struct image back = round_trip(im, (struct image_encoding){format, quality, false}, &none);
    double psnr;

    assert_int_equal(quality_psnr(im, &back, &psnr, &e), 0);
    image_release(&back);
    return psnr;
}

static void quality_means_fidelity(void **state)
{
    struct image im = drawn(64, 64, 3);
    (void)state;

    for (int i = 0; i < 64 * 64 * 3; i++) /* no hard edges */
        im.pixels[i] = (unsigned char)(i / 3 % 64 * 2 + i / 192 + i % 3 * 20);
    for (enum image_format format = IMAGE_JPEG; format <= IMAGE_WEBP; format++) {
        assert_true(fidelity(&im, format, 95) > 35);
        assert_true(fidelity(&im, format, 95) > fidelity(&im, format, 10) + 3);
    }
    image_release(&im);
}

/* One red and one blue column: subsampled chroma would mix them. */
static void jpeg_keeps_full_chroma(void **state)
{
    struct image im = {0}, back;
    struct image_meta none = {0};
    (void)state;

    assert_int_equal(image_new(16, 16, 3, &im, &e), 0);
    for (int i = 0; i < 256; i++)
        im.pixels[3 * i + (i % 2 ? 2 : 0)] = 255;
    back = round_trip(&im, image_encoding_default(IMAGE_JPEG), &none);
    assert_alike("jpeg", &back, &im, 40);
    image_release(&back);
    image_release(&im);
}

static void transparency_becomes_white_in_jpeg(void **state)
{
    struct image im = {0}, back;
    struct image_meta none = {0};
    (void)state;

    assert_int_equal(image_new(16, 16, 4, &im, &e), 0);
    back = round_trip(&im, image_encoding_default(IMAGE_JPEG), &none);
    for (int i = 0; i < 16 * 16 * 3; i++)
        assert_int_equal(back.pixels[i], 255);
    image_release(&back);
    image_release(&im);
}

static void refuses_what_cannot_be_written(void **state)
{
    static char text[1 << 17];
    struct image im = drawn(4, 4, 3);
    struct image_meta meta = {text, NULL};
    struct buf b;
    (void)state;

    buf_init(&b, 1 << 20);
    assert_int_equal(buf_add(&b, "x", 1), 0);
    memset(text, 'a', sizeof text - 1);
    assert_int_equal(image_encode(&im, image_encoding_default(IMAGE_JPEG), &meta, &b, &e), ERR_ARG);
    assert_non_null(strstr(e.message, "too many"));
    memcpy(text, "a\xff", 3);
    assert_int_equal(image_encode(&im, image_encoding_default(IMAGE_PNG), &meta, &b, &e), ERR_ARG);
    assert_non_null(strstr(e.message, "UTF-8"));
    assert_int_equal(image_encode(&im, (struct image_encoding){IMAGE_PNG, 0, false}, NULL, &b, &e),
                     ERR_ARG);
    b.max = 40; /* the picture does not fit: nothing is left behind */
    assert_true(image_encode(&im, image_encoding_default(IMAGE_PNG), NULL, &b, &e) < 0);
    assert_int_equal(b.n, 1);
    assert_string_equal(b.p, "x");
    assert_int_equal(image_write("picture.gif", &im, NULL, NULL, &e), ERR_ARG);
    assert_int_equal(image_write("no/such/folder.png", &im, NULL, NULL, &e), ERR_IO);
    buf_release(&b);
    image_release(&im);
}

static void writes_by_extension(void **state)
{
    static const struct {
        const char *name;
        enum image_format format;
    } files[] = {{"a.png", IMAGE_PNG},
                 {"b.JPG", IMAGE_JPEG},
                 {"c.jpeg", IMAGE_JPEG},
                 {"d.webp", IMAGE_WEBP}};
    char folder[] = "/tmp/image_write.XXXXXX";
    struct image im = drawn(8, 8, 3), back = {0};
    struct arena a = {0};
    (void)state;

    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *path = arena_printf(&a, "%s/%s", folder, files[i].name);
        struct str bytes;
        assert_int_equal(image_write(path, &im, NULL, NULL, &e), 0);
        assert_int_equal(file_read(&a, path, 1 << 20, &bytes, &e), 0);
        assert_int_equal(image_format_of_bytes(bytes.p, bytes.n), files[i].format);
        assert_int_equal(image_read(path, &back, NULL, &e), 0);
        assert_alike(path, &back, &im, files[i].format == IMAGE_JPEG ? 30 : 0);
        image_release(&back);
        unlink(path);
    }
    rmdir(folder);
    image_release(&im);
    arena_release(&a);
}

static void converts(void **state)
{
    unsigned char pixels[] = {255, 0, 0, 128, 10, 20, 30, 255, 9, 9, 9, 0};
    struct image im = {3, 1, 4, pixels}, out = {0}, rgb = {0};
    (void)state;

    assert_int_equal(image_to_grey(&im, &out, &e), 0);
    assert_true(out.channels == 1 && out.pixels[0] == 76 && out.pixels[1] == 18 &&
                out.pixels[2] == 9);
    assert_int_equal(image_to_rgb(&out, &rgb, &e), 0);
    assert_true(rgb.channels == 3 && rgb.pixels[0] == 76 && rgb.pixels[2] == 76);
    image_release(&out);
    image_release(&rgb);
    assert_int_equal(image_flatten(&im, &out, &e), 0);
    assert_memory_equal(out.pixels, ((unsigned char[]){255, 127, 127, 10, 20, 30, 255, 255, 255}),
                        9);
    image_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_pixels_and_text),
        cmocka_unit_test(text_lies_where_others_look),
        cmocka_unit_test(lossless_webp_keeps_colours_under_transparency),
        cmocka_unit_test(quality_means_fidelity),
        cmocka_unit_test(jpeg_keeps_full_chroma),
        cmocka_unit_test(transparency_becomes_white_in_jpeg),
        cmocka_unit_test(refuses_what_cannot_be_written),
        cmocka_unit_test(writes_by_extension),
        cmocka_unit_test(converts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
