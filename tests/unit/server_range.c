#include "server/range.h"

#include "test.h"

static void parts(void **state)
{
    static const struct {
        const char *header;
        uint64_t first, length;
    } good[] = {
        {"bytes=0-9", 0, 10},     {"bytes=0-0", 0, 1},     {"bytes=5-", 5, 95},
        {"bytes=-7", 93, 7},      {"bytes=-1000", 0, 100}, {"bytes=99-99", 99, 1},
        {"bytes=99-1000", 99, 1}, {"Bytes = 1-2", 1, 2},   {"bytes=0-99999999999999999999", 0, 100},
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t first = 1234, length = 1234;
        assert_int_equal(range_parse(good[i].header, 100, &first, &length), RANGE_PART);
        assert_int_equal(first, good[i].first);
        assert_int_equal(length, good[i].length);
    }
}

static void others(void **state)
{
    static const char *const whole[] = {"",          "bytes",      "bytes=",     "bytes=-",
                                        "bytes=a-b", "bytes=3",    "bytes=9-3",  "bytes=0-1,3-4",
                                        "items=0-1", "bytes=1-2x", "bytes=--1",  "bytes=0x1-2",
                                        "bytes 0-1", "bytes=+1-2", "bytes=1-2-3"};
    static const char *const beyond[] = {"bytes=100-", "bytes=100-200", "bytes=-0",
                                         "bytes=99999999999999999999-"};
    uint64_t first = 7, length = 8;

    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        assert_int_equal(range_parse(whole[i], 100, &first, &length), RANGE_WHOLE);
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++)
        assert_int_equal(range_parse(beyond[i], 100, &first, &length), RANGE_BEYOND);
    assert_int_equal(range_parse("bytes=0-", 0, &first, &length), RANGE_BEYOND);
    assert_int_equal(range_parse("bytes=-5", 0, &first, &length), RANGE_BEYOND);
    assert_int_equal(first, 7);
    assert_int_equal(length, 8);
}

static void tags(void **state)
{
    static const char *const yes[] = {"\"a\"", "W/\"a\"",      "*",
                                      " * ",   "\"b\", \"a\"", "\"b\",W/\"c,d\" , \"a\""};
    static const char *const no[] = {"",    "a",       "\"a",      "\"aa\"",     "\"b\"",
                                     "a\"", "\"b\" a", "*, \"b\"", "W/a, \"a\"", "w/\"a\""};

    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        assert_true(etag_listed(yes[i], "\"a\""));
        assert_true(etag_listed(yes[i], "W/\"a\""));
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(etag_listed(no[i], "\"a\""));
    assert_true(etag_is("\"a\"", "\"a\""));
    assert_false(etag_is("\"a\"", "\"b\""));
    assert_false(etag_is("W/\"a\"", "\"a\""));
    assert_false(etag_is("W/\"a\"", "W/\"a\"")); /* weak ones say nothing about bytes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(others),
        cmocka_unit_test(tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
