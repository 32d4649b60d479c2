/* Rooms: who is in them, limits, and many threads at once. */
#include "test.h"

#include "server/rooms.h"

#include <pthread.h>

static void count(void *user, struct member *m)
{
    (void)m;
    ++*(int *)user;
}

static int size_of(struct rooms *r, const char *name)
{
    int n = 0;

    rooms_each(r, name, count, &n);
    return n;
}

static void members_come_and_go(void **state)
{
    struct rooms *r = rooms_new();
    struct member a = {0}, b = {0};
    struct err e;

    (void)state;
    assert_int_equal(rooms_join(r, &a, "x", &e), 0);
    assert_int_equal(rooms_join(r, &a, "x", &e), 0);
    assert_int_equal(rooms_join(r, &a, "y", &e), 0);
    assert_int_equal(rooms_join(r, &b, "x", &e), 0);
    assert_int_equal(size_of(r, "x"), 2);
    assert_int_equal(size_of(r, "y"), 1);
    assert_int_equal(size_of(r, "z"), 0);
    assert_int_equal(size_of(r, "x y"), 2); /* a is in both */
    assert_int_equal(size_of(r, " y  z "), 1);
    assert_int_equal(rooms_join(r, &a, "x y", &e), ERR_ARG);
    assert_int_equal(rooms_join(r, &a, "", &e), ERR_ARG);
    rooms_leave(r, &a, "x");
    rooms_leave(r, &a, "x");
    rooms_leave(r, &a, "never");
    assert_int_equal(size_of(r, "x"), 1);
    rooms_leave_all(r, &a);
    rooms_leave_all(r, &b);
    assert_int_equal(size_of(r, "x"), 0);
    assert_int_equal(size_of(r, "y"), 0);
    assert_int_equal(a.count, 0);
    assert_int_equal(rooms_join(r, &a, "x", &e), ERR_CANCELLED);
    assert_int_equal(size_of(r, "x"), 0);
    rooms_free(r);
}

static void limits_hold(void **state)
{
    struct rooms *r = rooms_new();
    struct member a = {0}, b = {0};
    char name[ROOMS_NAME_BYTES + 2];
    struct err e;

    (void)state;
    for (int i = 0; i < ROOMS_EACH; i++) {
        snprintf(name, sizeof(name), "room-%d", i);
        assert_int_equal(rooms_join(r, &a, name, &e), 0);
    }
    assert_int_equal(rooms_join(r, &a, "one-more", &e), ERR_ARG);
    assert_int_equal(rooms_join(r, &a, "room-5", &e), 0);
    assert_int_equal(rooms_join(r, &b, "one-more", &e), 0);
    rooms_leave(r, &a, "room-999");
    assert_int_equal(rooms_join(r, &a, "one-more", &e), 0);
    for (int i = 0; i < ROOMS_EACH - 1; i++) {
        snprintf(name, sizeof(name), "room-%d", i);
        assert_int_equal(size_of(r, name), 1);
    }
    memset(name, 'a', ROOMS_NAME_BYTES + 1);
    name[ROOMS_NAME_BYTES + 1] = '\0';
    assert_int_equal(rooms_join(r, &b, name, &e), ERR_ARG);
    name[ROOMS_NAME_BYTES] = '\0';
    assert_int_equal(rooms_join(r, &b, name, &e), 0);
    rooms_leave_all(r, &a);
    rooms_leave_all(r, &b);
    rooms_free(r);
}

static void *come_and_go(void *user)
{
    struct rooms *r = user;
    struct member m = {0};
    struct err e;
    char name[16];

    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "%u", i * 7 % 13);
        if (i % 3)
            assert_int_equal(rooms_join(r, &m, name, &e), 0);
        else
            rooms_leave(r, &m, name);
        size_of(r, name);
    }
    rooms_leave_all(r, &m);
    return NULL;
}

static void threads_may_share_them(void **state)
{
    struct rooms *r = rooms_new();
    pthread_t threads[4];
    char name[16];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, r), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 13; i++) {
        snprintf(name, sizeof(name), "%d", i);
        assert_int_equal(size_of(r, name), 0);
    }
    rooms_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_and_go),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(threads_may_share_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
