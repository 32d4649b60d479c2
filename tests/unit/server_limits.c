#include "server/limits.h"

#include "test.h"

static struct address at(const char *text)
{
    struct address a = {0};

    assert_true(address_parse(str_from(text), &a));
    return a;
}

static void a_bucket_holds_two_seconds(void **state)
{
    struct limits *l = limits_new(0, 10);
    struct address a = at("192.0.2.1"), b = at("192.0.2.2");

    (void)state;
    for (int i = 0; i < 20; i++)
        assert_true(limits_request(l, &a, 100) == 0);
    assert_true(limits_request(l, &a, 100) > 0.09 && limits_request(l, &a, 100) < 0.11);
    assert_true(limits_request(l, &b, 100) == 0); /* another's is full */
    assert_true(limits_request(l, &a, 100.05) > 0.04);
    assert_true(limits_request(l, &a, 100.11) == 0);
    assert_true(limits_request(l, &a, 100.11) > 0);
    for (int i = 0; i < 20; i++)
        assert_true(limits_request(l, &a, 1000) == 0);
    assert_true(limits_request(l, &a, 1000) > 0);
    assert_true(limits_request(l, &a, 10) > 0); /* time never runs backwards, but if it does */
    limits_free(l);
}

static void less_than_one_a_second(void **state)
{
    struct limits *l = limits_new(0, 0.1);
    struct address a = at("192.0.2.1");

    (void)state;
    assert_true(limits_request(l, &a, 0) == 0);
    assert_true(limits_request(l, &a, 0) == 10);
    assert_true(limits_request(l, &a, 10.01) == 0);
    limits_free(l);
}

static void connections(void **state)
{
    struct limits *l = limits_new(2, 0);
    struct address a = at("2001:db8::1"), same = at("2001:db8::ffff:2"), b = at("2001:db8:0:1::1");
    struct address v4 = at("192.0.2.1"), v4b = at("192.0.2.2");

    (void)state;
    struct account *first = limits_connect(l, &a), *second = limits_connect(l, &same);
    assert_non_null(first);
    assert_ptr_equal(first, second); /* one /64 */
    assert_null(limits_connect(l, &a));
    struct account *other = limits_connect(l, &b);
    assert_non_null(other);
    limits_sweep(l, 1e9); /* forgets nobody who is connected */
    assert_null(limits_connect(l, &a));
    limits_disconnect(l, first);
    assert_ptr_equal(limits_connect(l, &a), first);
    limits_disconnect(l, first);
    limits_disconnect(l, second);
    limits_disconnect(l, other);
    struct account *x = limits_connect(l, &v4), *y = limits_connect(l, &v4b);
    assert_ptr_not_equal(x, y); /* IPv4 addresses are told apart */
    limits_disconnect(l, x);
    limits_disconnect(l, y);
    limits_free(l);
}

static void forgetting_is_no_refill(void **state)
{
    struct limits *l = limits_new(0, 1);
    struct address a = at("192.0.2.1");

    (void)state;
    assert_true(limits_request(l, &a, 5) == 0);
    assert_true(limits_request(l, &a, 5) == 0);
    limits_sweep(l, 6);
    assert_true(limits_request(l, &a, 6) == 0);
    assert_true(limits_request(l, &a, 6) > 0);
    limits_free(l);
}

static void more_addresses_than_are_remembered(void **state)
{
    struct limits *l = limits_new(0, 1);
    int refused = 0;

    (void)state;
    for (uint32_t i = 0; i < 70000; i++) {
        struct address a = at("10.0.0.0");
        a.bytes[13] = (unsigned char)(i >> 16);
        a.bytes[14] = (unsigned char)(i >> 8);
        a.bytes[15] = (unsigned char)i;
        refused += limits_request(l, &a, 1) > 0;
    }
    assert_int_equal(refused, 70000 - 65536 - 2); /* those beyond share one bucket of two */
    limits_sweep(l, 10);
    struct address late = at("10.9.9.9");
    assert_true(limits_request(l, &late, 10) == 0);
    limits_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_two_seconds),
        cmocka_unit_test(less_than_one_a_second),
        cmocka_unit_test(connections),
        cmocka_unit_test(forgetting_is_no_refill),
        cmocka_unit_test(more_addresses_than_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
