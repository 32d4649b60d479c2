#include "api/throttle.h"

#include "test.h"

static void fail_often(struct throttle *t, const char *address, const char *name, int times,
                       double now)
{
    for (int i = 0; i < times; i++)
        throttle_failed(t, address, name, now);
}

static void guessing_gets_slower(void **state)
{
    struct throttle *t = throttle_new();
    (void)state;

    fail_often(t, "10.0.0.1", "anna", 4, 0);
    assert_true(throttle_wait(t, "10.0.0.1", "anna", 0) == 0);
    throttle_failed(t, "10.0.0.1", "anna", 0);
    assert_true(throttle_wait(t, "10.0.0.1", "anna", 0) == 1);
    fail_often(t, "10.0.0.1", "ANNA", 4, 0);
    assert_true(throttle_wait(t, "10.0.0.1", "anna", 0) == 16);
    fail_often(t, "10.0.0.1", "anna", 40, 0);
    assert_true(throttle_wait(t, "10.0.0.1", "anna", 0) == 900);
    assert_true(throttle_wait(t, "10.0.0.1", "anna", 900) == 0);
    throttle_free(t);
}

static void failures_fade(void **state)
{
    struct throttle *t = throttle_new();
    (void)state;

    fail_often(t, "10.0.0.1", "anna", 6, 0);
    assert_true(throttle_wait(t, "10.0.0.1", "anna", 0) > 0);
    throttle_failed(t, "10.0.0.1", "anna", 360); /* the six are forgotten */
    assert_true(throttle_wait(t, "10.0.0.1", "anna", 360) == 0);
    throttle_free(t);
}

static void an_address_guessing_many_names_waits(void **state)
{
    struct throttle *t = throttle_new();
    char name[32];
    (void)state;

    for (int i = 0; i < 31; i++) {
        snprintf(name, sizeof name, "user%d", i);
        throttle_failed(t, "2001:db8:1:2:aaaa::1", name, 0);
    }
    assert_true(throttle_wait(t, "2001:db8:1:2:bbbb::9", "somebody", 0) > 0); /* same /64 */
    assert_true(throttle_wait(t, "2001:db8:1:3:bbbb::9", "somebody", 0) == 0);
    throttle_free(t);
}

static void a_swarm_cannot_lock_the_user_out(void **state)
{
    struct throttle *t = throttle_new();
    char address[32];
    (void)state;

    throttle_passed(t, "192.168.1.5", "anna", 0);
    for (int i = 0; i < 150; i++) {
        snprintf(address, sizeof address, "10.1.%d.%d", i / 100, i % 100);
        throttle_failed(t, address, "anna", 1);
    }
    assert_true(throttle_wait(t, "10.9.9.9", "anna", 1) > 0);     /* a stranger */
    assert_true(throttle_wait(t, "192.168.1.5", "anna", 1) == 0); /* the usual place */
    assert_true(throttle_wait(t, "10.9.9.9", "ben", 1) == 0);
    throttle_free(t);
}

static void success_forgives_the_pair(void **state)
{
    struct throttle *t = throttle_new();
    (void)state;

    fail_often(t, "10.0.0.1", "anna", 7, 0);
    throttle_passed(t, "10.0.0.1", "anna", 4);
    assert_true(throttle_wait(t, "10.0.0.1", "anna", 4) == 0);
    throttle_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guessing_gets_slower),
        cmocka_unit_test(failures_fade),
        cmocka_unit_test(an_address_guessing_many_names_waits),
        cmocka_unit_test(a_swarm_cannot_lock_the_user_out),
        cmocka_unit_test(success_forgives_the_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
