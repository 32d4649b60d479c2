#include "base/json.h"

#include "test.h"

static const char *canonical(const char *text, struct arena *a)
{
    struct err e = {0};
    json_t *value;

    if (json_read(str_from(text), &value, &e))
        fail_msg("%s: %s", text, e.message);
    const char *out = json_canonical(value, a);
    json_decref(value);
    return out;
}

static void equal_values_have_equal_texts(void **state)
{
    struct arena a = {0};
    (void)state;

    assert_string_equal(canonical("{\"b\": 7.0, \"a\": [1, -0.0, 1e3, 0.1]}", &a),
                        "{\"a\":[1,0,1000,0.1],\"b\":7}");
    assert_string_equal(canonical("{\"a\":{\"y\":null,\"x\":true}}", &a),
                        canonical("{ \"a\" : { \"x\":true, \"y\":null } }", &a));
    assert_string_not_equal(canonical("[0.1]", &a), canonical("[0.10000000000000002]", &a));
    assert_string_not_equal(canonical("[\"1\"]", &a), canonical("[1]", &a));
    arena_release(&a);
}

static void numbers_and_texts_come_back(void **state)
{
    static const double reals[] = {0.1, 0.30000000000000004, 1e300, 5e-324, 1.0 / 3, -2.5, 1e22, 3};
    struct arena a = {0};
    struct err e = {0};
    (void)state;

    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        json_t *there = json_real(reals[i]), *back;
        assert_int_equal(json_read(str_from(json_compact(there, &a)), &back, &e), ERR_FORMAT);
        json_t *list = json_pack("[o]", there);
        assert_int_equal(json_read(str_from(json_compact(list, &a)), &back, &e), 0);
        assert_true(json_is_real(json_array_get(back, 0)));
        assert_true(json_real_value(json_array_get(back, 0)) == reals[i]);
        json_decref(list);
        json_decref(back);
    }
    json_t *text = json_pack("[s, s]", "0.8 is \"short\"\\\n\x01/\xc3\xa9", "");
    assert_string_equal(json_compact(text, &a),
                        "[\"0.8 is \\\"short\\\"\\\\\\n\\u0001/\xc3\xa9\",\"\"]");
    json_decref(text);
    arena_release(&a);
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
    static const char *const bad[] = {"",     "{",        "[1,]",       "{\"a\":1,\"a\":2}",
                                      "[01]", "[1] junk", "[\"\x80\"]", "[1e999]"};
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        json_t *value = NULL;
        assert_int_equal(json_read(str_from(bad[i]), &value, &e), ERR_FORMAT);
        assert_null(value);
        assert_non_null(strstr(e.message, "line"));
    }
}

static void members_have_defaults(void **state)
{
    struct err e = {0};
    json_t *o;
    (void)state;

    assert_int_equal(
        json_read(STR("{\"t\":\"x\",\"i\":3,\"n\":2.5,\"f\":true,\"z\":null}"), &o, &e), 0);
    assert_string_equal(json_text(o, "t", "no"), "x");
    assert_string_equal(json_text(o, "i", "no"), "no");
    assert_string_equal(json_text(o, "z", "no"), "no");
    assert_int_equal(json_int(o, "i", 9), 3);
    assert_int_equal(json_int(o, "n", 9), 9);
    assert_true(json_num(o, "n", 0) == 2.5 && json_num(o, "i", 0) == 3);
    assert_true(json_flag(o, "f", false) && json_flag(o, "t", true));
    assert_string_equal(json_text(NULL, "t", "none"), "none");
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_values_have_equal_texts),
        cmocka_unit_test(numbers_and_texts_come_back),
        cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
        cmocka_unit_test(members_have_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
