#include "base/uuid.h"

#include "base/clock.h"

#include "test.h"

static void they_sort_by_time_and_differ(void **state)
{
    enum { COUNT = 20000 };
    char before[UUID_TEXT] = "", id[UUID_TEXT];
    (void)state;

    for (int i = 0; i < COUNT; i++) {
        uuid_v7(id);
        assert_true(strcmp(before, id) < 0);
        memcpy(before, id, sizeof id);
    }
}

static void they_have_the_form_of_the_rfc(void **state)
{
    char id[UUID_TEXT], floor[UUID_TEXT];
    int64_t now = clock_unix_ms();
    (void)state;

    uuid_v7(id);
    assert_true(uuid_valid(str_from(id)));
    assert_int_equal(id[14], '7');
    assert_non_null(strchr("89ab", id[19]));
    uuid_v7_floor(now, floor);
    assert_true(uuid_valid(str_from(floor)));
    assert_true(strcmp(floor, id) <= 0);
    uuid_v7_floor(now + 60000, floor);
    assert_true(strcmp(floor, id) > 0);
    /* the example of RFC 9562, appendix A.6: 2022-02-22T19:22:22Z */
    uuid_v7_floor(1645557742000, floor);
    assert_memory_equal(floor, "017f22e2-79b0-7", 15);
}

static void other_texts_are_none(void **state)
{
    (void)state;
    assert_true(uuid_valid(STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")));
    assert_false(uuid_valid(STR("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")));
    assert_false(uuid_valid(STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398")));
    assert_false(uuid_valid(STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398f0")));
    assert_false(uuid_valid(STR("017f22e2+79b0-7cc3-98c4-dc0c0c07398f")));
    assert_false(uuid_valid(STR("g17f22e2-79b0-7cc3-98c4-dc0c0c07398f")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_sort_by_time_and_differ),
        cmocka_unit_test(they_have_the_form_of_the_rfc),
        cmocka_unit_test(other_texts_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
