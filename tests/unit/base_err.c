#include "base/err.h"

#include "test.h"

static void fills_code_message_and_place(void **state)
{
    struct err e;
    (void)state;

    assert_int_equal(ERR(&e, ERR_FORMAT, "'%s' has %d legs", "table", 3), ERR_FORMAT);
    assert_int_equal(e.code, ERR_FORMAT);
    assert_string_equal(e.message, "'table' has 3 legs");
    assert_non_null(strstr(e.file, "base_err.c"));
    assert_true(e.line > 0);
}

static void is_one_line_of_plain_text(void **state)
{
    struct err e;
    (void)state;

    ERR(&e, ERR_IO, "a\nb\x1b[31mc\td\x7f \xc3\xa9");
    assert_string_equal(e.message, "a?b?[31mc?d? \xc3\xa9");
    err_prefix(&e, "in '%s'", "x\ny");
    assert_string_equal(e.message, "in 'x?y': a?b?[31mc?d? \xc3\xa9");
}

static void is_cut_at_its_room(void **state)
{
    struct err e;
    (void)state;

    ERR(&e, ERR_ARG, "%02000d", 5);
    assert_int_equal(strlen(e.message), sizeof e.message - 1);
    assert_int_equal(err_prefix(&e, "%0500d", 7), ERR_ARG);
    assert_int_equal(strlen(e.message), sizeof e.message - 1);
    assert_int_equal(e.message[499], '7');
    assert_memory_equal(e.message + 500, ": 0", 3);
    err_prefix(&e, "%03000d", 7);
    assert_int_equal(strlen(e.message), sizeof e.message - 1);
}

static void is_utf8(void **state)
{
    struct err e;
    (void)state;

    ERR(&e, ERR_ARG, "%.4s", "ab\xe2\x82\xac"); /* half a euro sign */
    assert_string_equal(e.message, "ab??");
    ERR(&e, ERR_ARG, "\xe2\x82\xac\xff\xc0\xaf\xed\xa0\x80\xf0\x9f\x8c\x8d\x80");
    assert_string_equal(e.message, "\xe2\x82\xac??????\xf0\x9f\x8c\x8d?");
}

static void prefix_goes_in_front(void **state)
{
    struct err e;
    (void)state;

    ERR(&e, ERR_NOT_FOUND, "no such thing");
    assert_int_equal(err_prefix(&e, "box %d", 4), ERR_NOT_FOUND);
    assert_string_equal(e.message, "box 4: no such thing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_code_message_and_place), cmocka_unit_test(is_one_line_of_plain_text),
        cmocka_unit_test(is_cut_at_its_room),           cmocka_unit_test(is_utf8),
        cmocka_unit_test(prefix_goes_in_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
