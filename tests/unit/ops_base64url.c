#include "ops/base64url.h"

#include "test.h"

static void write_and_read(void **state)
{
    static const char *const pairs[][2] = {
        /* RFC 4648, section 10, unpadded */
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
    char text[32];
    unsigned char bytes[16];

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        size_t n = strlen(pairs[i][0]);
        base64url_write((const unsigned char *)pairs[i][0], n, text);
        assert_string_equal(text, pairs[i][1]);
        assert_int_equal(strlen(text) + 1, BASE64URL_TEXT(n));
        assert_true(base64url_read(str_from(text), bytes, n));
        assert_memory_equal(bytes, pairs[i][0], n);
    }
}

static void other_texts_are_refused(void **state)
{
    unsigned char bytes[16];

    (void)state;
    assert_true(base64url_read(STR("Zg=="), bytes, 1));
    assert_false(base64url_read(STR("Zh"), bytes, 1)); /* bits behind the end */
    assert_false(base64url_read(STR("Zg"), bytes, 2));
    assert_false(base64url_read(STR("Zg==="), bytes, 1));
    assert_false(base64url_read(STR("Z"), bytes, 1));
    assert_false(base64url_read(STR("Zm9+"), bytes, 3));
    assert_false(base64url_read(STR("Zm 9"), bytes, 3));
    assert_false(base64url_read(STR("="), bytes, 1));
    assert_false(base64url_read((struct str){"Z\0==", 4}, bytes, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_and_read),
        cmocka_unit_test(other_texts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
