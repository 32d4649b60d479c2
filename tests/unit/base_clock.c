#include "base/clock.h"

#include "test.h"

/* Reference: Python's datetime. */
static const struct {
    const char *text;
    int64_t ms;
} known[] = {
    {"1970-01-01T00:00:00.000Z", 0},
    {"2026-11-21T17:26:44.123Z", 1795282004123},
    {"2000-02-29T23:59:59.999Z", 951868799999},
    {"1969-12-31T23:59:59.999Z", -1},
    {"9999-12-31T23:59:59.000Z", 253402300799000},
};

static void times_go_there_and_back(void **state)
{
    char text[CLOCK_TEXT];
    int64_t ms;
    (void)state;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        clock_format(known[i].ms, text);
        assert_string_equal(text, known[i].text);
        assert_true(clock_parse(str_from(known[i].text), &ms));
        assert_int_equal(ms, known[i].ms);
    }
}

static void other_forms_are_read(void **state)
{
    int64_t ms;
    (void)state;

    assert_true(clock_parse(STR("2026-11-21"), &ms));
    assert_int_equal(ms, 1795219200000);
    assert_true(clock_parse(STR("2026-11-21t17:26:44z"), &ms));
    assert_int_equal(ms, 1795282004000);
    assert_true(clock_parse(STR("2026-11-21T18:56:44.1234567+01:30"), &ms));
    assert_int_equal(ms, 1795282004123);
    assert_true(clock_parse(STR("2026-11-21 12:26:44.1-05:00"), &ms));
    assert_int_equal(ms, 1795282004100);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-13-01",
                                      "2026-02-29",
                                      "2026-11-21T",
                                      "2026-11-21T17:26:44",
                                      "2026-11-21T24:00:00Z",
                                      "2026-11-21T17:60:00Z",
                                      "2026-11-21T17:26:44.Z",
                                      "2026-11-21T17:26:44Zx",
                                      "2026-11-21T17:26:44+1:00",
                                      "26-11-21"};
    int64_t ms = 7;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(clock_parse(str_from(bad[i]), &ms));
    assert_int_equal(ms, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_go_there_and_back),
        cmocka_unit_test(other_forms_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
