#include "base/str.h"

#include "test.h"

static void cut_walks_pieces(void **state)
{
    struct str s = STR("a..bc"), head;
    (void)state;

    assert_true(str_cut(&s, '.', &head) && str_is(head, "a"));
    assert_true(str_cut(&s, '.', &head) && str_is(head, ""));
    assert_true(str_cut(&s, '.', &head) && str_is(head, "bc"));
    assert_false(str_cut(&s, '.', &head));
}

static void integers_are_whole_and_in_range(void **state)
{
    int64_t v = 5;
    (void)state;

    assert_true(str_to_i64(STR("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_true(str_to_i64(STR("9223372036854775807"), &v) && v == INT64_MAX);
    v = 5;
    assert_false(str_to_i64(STR("9223372036854775808"), &v));
    assert_false(str_to_i64(STR("12x"), &v));
    assert_false(str_to_i64(STR(" 1"), &v));
    assert_false(str_to_i64(STR(""), &v));
    assert_false(str_to_i64(STR("-"), &v));
    assert_int_equal(v, 5);
}

static void decimals_are_finite(void **state)
{
    double v = 5;
    (void)state;

    assert_true(str_to_f64(STR("-1.5e3"), &v) && v == -1500);
    v = 5;
    assert_false(str_to_f64(STR("nan"), &v));
    assert_false(str_to_f64(STR("1e999"), &v));
    assert_false(str_to_f64(STR("0x10"), &v));
    assert_false(str_to_f64(STR("1.5 "), &v));
    assert_true(v == 5);
}

static void prefixes_and_suffixes(void **state)
{
    struct str s = STR("model.fp16.safetensors");
    (void)state;

    assert_true(str_starts(s, "model.") && str_ends(s, ".safetensors") && str_starts(s, ""));
    assert_false(str_starts(s, "models") || str_ends(s, "model.fp16.safetensors.") ||
                 str_ends(STR("ab"), "abc"));
    assert_true(str_skip(&s, "model."));
    assert_false(str_skip(&s, "model."));
    assert_true(str_is(s, "fp16.safetensors"));
}

static void equality_is_of_bytes(void **state)
{
    (void)state;

    assert_true(str_eq((struct str){"a\0b", 3}, (struct str){"a\0b", 3}));
    assert_false(str_eq((struct str){"a\0b", 3}, (struct str){"a\0c", 3}));
    assert_false(str_is(STR("ab"), "abc"));
    assert_true(str_eq(str_from(NULL), STR("")));
    assert_true(str_is((struct str){NULL, 0}, ""));
}

static void nothing_can_be_cut_from_the_end(void **state)
{
    struct str s = STR("a/"), head;
    (void)state;

    assert_true(str_cut(&s, '/', &head) && str_is(head, "a"));
    assert_true(str_cut(&s, '/', &head) && str_is(head, ""));
    assert_false(str_cut(&s, '/', &head));
    s = STR("");
    assert_true(str_cut(&s, '/', &head) && str_is(head, ""));
    assert_false(str_cut(&s, '/', &head));
}

static void decimals_do_not_follow_the_locale(void **state)
{
    double v = 0;
    (void)state;

    assert_true(str_to_f64(STR("1.25"), &v) && v == 1.25);
    assert_false(str_to_f64(STR("1,25"), &v));
    assert_false(str_to_f64(STR("."), &v));
    assert_false(str_to_f64(STR("inf"), &v));
    assert_false(str_to_f64(STR(""), &v));
    assert_false(str_to_f64((struct str){"1\0002", 3}, &v));
    assert_false(str_to_f64(STR("0000000000000000000000000000000000000000000000000000000000000001"),
                            &v)); /* longer than any number needs to be */
    assert_true(v == 1.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_walks_pieces),
        cmocka_unit_test(integers_are_whole_and_in_range),
        cmocka_unit_test(decimals_are_finite),
        cmocka_unit_test(prefixes_and_suffixes),
        cmocka_unit_test(equality_is_of_bytes),
        cmocka_unit_test(nothing_can_be_cut_from_the_end),
        cmocka_unit_test(decimals_do_not_follow_the_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
