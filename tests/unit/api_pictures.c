/* Names of converted pictures and of files to save, and the pictures that come inside requests. */
#include "api/order.h"
#include "api/pictures.h"

#include "test.h"

static const char sha[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void forms_have_names(void **state)
{
    static const struct {
        struct picture_form form;
        const char *suffix;
    } cases[] = {
        {{IMAGE_UNKNOWN, 0, 0, 90}, ""},
        {{IMAGE_WEBP, 512, 0, 80}, "-w512-q80.webp"},
        {{IMAGE_PNG, 512, 0, 80}, "-w512.png"},
        {{IMAGE_JPEG, 0, 0, 90}, "-q90.jpeg"},
        {{IMAGE_WEBP, 0, 256, 90}, "-t256-q90.webp"},
    };
    char name[PICTURE_NAME];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        picture_name(sha, &cases[i].form, name);
        assert_memory_equal(name, sha, 64);
        assert_string_equal(name + 64, cases[i].suffix);
    }
}

static void formats_by_name(void **state)
{
    enum image_format format = IMAGE_UNKNOWN;
    (void)state;

    assert_true(picture_format_by_name("jpeg", &format) && format == IMAGE_JPEG);
    assert_false(picture_format_by_name("gif", &format));
    assert_false(picture_format_by_name(NULL, &format));
    assert_int_equal(format, IMAGE_JPEG);
    assert_string_equal(picture_type(IMAGE_WEBP), "image/webp");
}

static void files_are_called_after_the_prompt(void **state)
{
    static const char *const cases[][2] = {
        {"A red circle, left of a blue square!", "A-red-circle-left-of-a-blue-square-7.png"},
        {"", "cauldron-7.png"},
        {"\"../../etc/passwd\"\r\nX: y", "etc-passwd-X-y-7.png"},
        {"\xc3\xbc\xe2\x82\xac", "cauldron-7.png"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-7.png"},
    };
    char name[96];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct generation g = {.prompt = cases[i][0], .seed = 7};
        picture_file_name(&g, IMAGE_PNG, name, sizeof name);
        assert_string_equal(name, cases[i][1]);
    }
    picture_file_name(&(struct generation){.seed = UINT64_MAX}, IMAGE_JPEG, name, sizeof name);
    assert_string_equal(name, "cauldron-18446744073709551615.jpg");
}

static void expect_bytes(const char *text, const char *want)
{
    struct arena a = {0};
    struct str got;
    struct err e;

    if (want) {
        assert_int_equal(picture_bytes(&a, text, &got, &e), 0);
        assert_true(str_is(got, want));
    } else {
        assert_int_equal(picture_bytes(&a, text, &got, &e), ERR_ARG);
    }
    arena_release(&a);
}

static void base64_and_data_urls(void **state)
{
    (void)state;
    expect_bytes("aGVsbG8=", "hello");
    expect_bytes("aGVsbG8", "hello");
    expect_bytes("aGVs\r\nbG8=\n", "hello");
    expect_bytes("data:image/png;base64,aGVsbG8=", "hello");
    expect_bytes("data:;base64,aGVsbG8=", "hello");
    expect_bytes("", "");
    expect_bytes("aGVsbG8!", NULL);
    expect_bytes("aGVsbG8=x", NULL);
    expect_bytes("a", NULL);
    expect_bytes("data:image/png,hello", NULL);
    expect_bytes("data:image/png;base64", NULL);
    expect_bytes("http://example.org/a.png", NULL);
}

static void tags_are_kept_once(void **state)
{
    struct arena a = {0};
    json_t *tags = json_pack("[s, s, s]", "a", "b", "a");
    const char **list = tag_list(tags, &a);
    (void)state;

    assert_string_equal(list[0], "a");
    assert_string_equal(list[1], "b");
    assert_null(list[2]);
    assert_null(tag_list(NULL, &a)[0]);
    json_decref(tags);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_have_names),
        cmocka_unit_test(formats_by_name),
        cmocka_unit_test(base64_and_data_urls),
        cmocka_unit_test(tags_are_kept_once),
        cmocka_unit_test(files_are_called_after_the_prompt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
