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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_walks_pieces),
        cmocka_unit_test(integers_are_whole_and_in_range),
        cmocka_unit_test(decimals_are_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
