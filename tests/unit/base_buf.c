#include "base/buf.h"

#include "test.h"

static void grows_and_ends_with_nul(void **state)
{
    struct buf b;
    (void)state;

    buf_init(&b, 100000);
    assert_null(b.p);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(buf_add(&b, "abc", 3), 0);
        assert_int_equal(b.p[b.n], 0);
    }
    assert_int_equal(b.n, 30000);
    assert_memory_equal(b.p + 29997, "abc", 4);
    buf_release(&b);
    assert_null(b.p);
    assert_int_equal(b.max, 100000);
}

static void stops_at_the_maximum(void **state)
{
    struct buf b;
    (void)state;

    buf_init(&b, 5);
    assert_int_equal(buf_add(&b, "abc", 3), 0);
    assert_int_equal(buf_add(&b, "def", 3), ERR_NOMEM);
    assert_int_equal(buf_addf(&b, "%d", 123), ERR_NOMEM);
    assert_int_equal(buf_add(&b, "x", SIZE_MAX), ERR_NOMEM);
    assert_int_equal(b.n, 3);
    assert_string_equal(b.p, "abc");
    assert_int_equal(buf_addf(&b, "%d", 45), 0);
    assert_string_equal(b.p, "abc45");
    buf_release(&b);
}

static void formats(void **state)
{
    struct buf b;
    (void)state;

    buf_init(&b, 10000);
    assert_int_equal(buf_addf(&b, "%s=%05d;", "key", 42), 0);
    assert_int_equal(buf_addf(&b, "%s", ""), 0);
    assert_string_equal(b.p, "key=00042;");
    assert_int_equal(buf_addf(&b, "%05000d", 1), 0);
    assert_int_equal(b.n, 5010);
    buf_release(&b);
}

static void take_hands_over(void **state)
{
    struct buf b;
    (void)state;

    buf_init(&b, 10);
    char *empty = buf_take(&b);
    assert_string_equal(empty, "");
    free(empty);
    assert_int_equal(buf_add(&b, "hi", 2), 0);
    char *text = buf_take(&b);
    assert_string_equal(text, "hi");
    assert_null(b.p);
    assert_int_equal(b.n, 0);
    free(text);
    assert_int_equal(buf_add(&b, "0123456789", 10), 0);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_ends_with_nul),
        cmocka_unit_test(stops_at_the_maximum),
        cmocka_unit_test(formats),
        cmocka_unit_test(take_hands_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
