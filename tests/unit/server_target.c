#include "server/target.h"

#include "test.h"

static void utf8(void **state)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x90\xb1",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\xaf",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xe2\x82",
                                      "\xe2\x28\xa1",
                                      "a\xff",
                                      "\xf0\x9f\x90"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(utf8_valid(str_from(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(utf8_valid(str_from(bad[i])));
}

static void decoding(void **state)
{
    struct arena a = {0};
    struct err e;
    struct str out = STR("former");
    static const char *const bad[] = {"%", "%4", "%4g", "%g4", "%00", "%ff", "%-1", "% 1"};

    (void)state;
    assert_int_equal(target_decode(&a, STR("a%2fb%2FC+%c3%A9%25"), false, &out, &e), 0);
    assert_string_equal(out.p, "a/b/C+\xc3\xa9%");
    assert_int_equal(out.n, 9);
    assert_int_equal(target_decode(&a, STR("a+b"), true, &out, &e), 0);
    assert_string_equal(out.p, "a b");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(target_decode(&a, str_from(bad[i]), false, &out, &e), ERR_FORMAT);
    assert_string_equal(out.p, "a b");
    assert_int_equal(target_decode(&a, (struct str){"a\0b", 3}, false, &out, &e), ERR_FORMAT);
    assert_int_equal(target_decode(&a, (struct str){NULL, 0}, false, &out, &e), 0);
    assert_string_equal(out.p, "");
    arena_release(&a);
}

static void queries(void **state)
{
    struct arena a = {0};
    struct err e;
    struct query_pair *pairs;
    size_t count;
    char many[2001];

    (void)state;
    assert_int_equal(target_query(&a, STR("a=1&b=x%3Dy&c&&d=%26"), &pairs, &count, &e), 0);
    assert_int_equal(count, 4);
    assert_string_equal(pairs[1].value, "x=y");
    assert_string_equal(pairs[2].name, "c");
    assert_string_equal(pairs[2].value, "");
    assert_string_equal(pairs[3].value, "&");
    assert_int_equal(target_query(&a, STR("a=%zz"), &pairs, &count, &e), ERR_FORMAT);
    assert_int_equal(target_query(&a, STR("%zz=1"), &pairs, &count, &e), ERR_FORMAT);
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = i % 2 ? '&' : 'a';
    assert_int_equal(target_query(&a, (struct str){many, 1999}, &pairs, &count, &e), 0);
    assert_int_equal(count, 1000);
    assert_int_equal(target_query(&a, (struct str){many, 2001}, &pairs, &count, &e), ERR_FORMAT);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8),
        cmocka_unit_test(decoding),
        cmocka_unit_test(queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
