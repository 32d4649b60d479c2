#include "base/map.h"

#include "test.h"

static void finds_what_was_put(void **state)
{
    enum { COUNT = 5000 };
    static int values[COUNT];
    struct map m = {0};
    char key[32];
    (void)state;

    assert_null(map_get(&m, STR("anything")));
    for (int i = 0; i < COUNT; i++) {
        int n = snprintf(key, sizeof key, "key %d", i);
        assert_null(map_put(&m, (struct str){key, (size_t)n}, &values[i]));
    }
    assert_int_equal(m.count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        int n = snprintf(key, sizeof key, "key %d", i);
        assert_ptr_equal(map_get(&m, (struct str){key, (size_t)n}), &values[i]);
    }
    assert_null(map_get(&m, STR("key 5000")));
    map_release(&m);
    assert_null(map_get(&m, STR("key 1")));
}

static void put_replaces(void **state)
{
    struct map m = {0};
    int a, b;
    (void)state;

    assert_null(map_put(&m, STR("x"), &a));
    assert_ptr_equal(map_put(&m, STR("x"), &b), &a);
    assert_ptr_equal(map_get(&m, STR("x")), &b);
    assert_int_equal(m.count, 1);
    map_release(&m);
}

static void keys_are_bytes_and_copied(void **state)
{
    struct map m = {0};
    char key[] = "a\0b";
    int a, b, c;
    (void)state;

    map_put(&m, (struct str){key, 3}, &a);
    map_put(&m, (struct str){key, 1}, &b);
    map_put(&m, STR(""), &c);
    key[0] = 'z';
    assert_ptr_equal(map_get(&m, (struct str){"a\0b", 3}), &a);
    assert_ptr_equal(map_get(&m, STR("a")), &b);
    assert_ptr_equal(map_get(&m, STR("")), &c);
    assert_null(map_get(&m, (struct str){key, 3}));
    map_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(put_replaces),
        cmocka_unit_test(keys_are_bytes_and_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
