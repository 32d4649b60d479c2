#include "server/pool.h"
#include "server/watch.h"

#include "base/clock.h"
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

/* ==== the pool ==== */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int done;

static void count(void *user)
{
    (void)user;
    done++;
}

static void wait_at_gate(void *user)
{
    (void)user;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    done++;
}

static void every_job_runs_once(void **state)
{
    enum { JOBS = 20000 };
    struct job *jobs = calloc(JOBS, sizeof *jobs);
    struct pool *p;
    struct err e;

    (void)state;
    done = 0;
    assert_int_equal(pool_start(4, 10, &p, &e), 0);
    for (int i = 0; i < JOBS; i++) {
        jobs[i].run = count;
        assert_true(pool_add(p, &jobs[i], true));
    }
    pool_stop(p);
    assert_int_equal(done, JOBS);
    free(jobs);
}

static void a_full_queue_refuses(void **state)
{
    struct job jobs[5] = {
        {.run = wait_at_gate}, {.run = count}, {.run = count}, {.run = count}, {.run = count}};
    struct pool *p;
    struct err e;

    (void)state;
    done = 0;
    assert_int_equal(pool_start(1, 2, &p, &e), 0);
    pthread_mutex_lock(&gate);
    assert_true(pool_add(p, &jobs[0], false));
    while (pool_waiting(p))
        usleep(1000);
    assert_true(pool_add(p, &jobs[1], false));
    assert_true(pool_add(p, &jobs[2], false));
    assert_false(pool_add(p, &jobs[3], false));
    assert_true(pool_add(p, &jobs[4], true));
    assert_int_equal(pool_waiting(p), 3);
    pthread_mutex_unlock(&gate);
    pool_stop(p);
    assert_int_equal(done, 4);
}

static atomic_int together;

/* Until four of these run at the same time. */
static void meet(void *user)
{
    double end = clock_seconds() + 10;

    (void)user;
    together++;
    while (together < 4 && clock_seconds() < end)
        usleep(1000);
    if (together == 4)
        done++;
}

static void all_threads_come_when_jobs_are_long(void **state)
{
    struct job jobs[4];
    struct pool *p;
    struct err e;

    (void)state;
    for (int round = 0; round < 20; round++) {
        done = together = 0;
        assert_int_equal(pool_start(4, 10, &p, &e), 0);
        for (int i = 0; i < 4; i++) {
            jobs[i] = (struct job){.run = meet};
            assert_true(pool_add(p, &jobs[i], false));
        }
        double end = clock_seconds() + 20;
        while (done < 4 && clock_seconds() < end) /* pool_stop would wake them all */
            usleep(1000);
        assert_int_equal(done, 4);
        pool_stop(p);
    }
}

static void impossible_pools(void **state)
{
    struct pool *p = NULL;
    struct err e;

    (void)state;
    assert_int_equal(pool_start(0, 1, &p, &e), ERR_ARG);
    assert_int_equal(pool_start(1, 0, &p, &e), ERR_ARG);
    assert_int_equal(pool_start(100000, 1, &p, &e), ERR_ARG);
    assert_null(p);
}

/* ==== the watch ==== */

static atomic_int woken[3], order_count;
static int order[1000];
static pthread_mutex_t order_lock = PTHREAD_MUTEX_INITIALIZER;

static void woke(void *user, enum wake why)
{
    pthread_mutex_lock(&order_lock);
    if (order_count < 1000)
        order[order_count++] = (int)(intptr_t)user;
    pthread_mutex_unlock(&order_lock);
    woken[why]++;
}

static atomic_int ticks;

static void tick(void *user)
{
    (void)user;
    ticks++;
}

static struct watch *start(void)
{
    struct watch *w;
    struct err e;

    woken[0] = woken[1] = woken[2] = order_count = ticks = 0;
    assert_int_equal(watch_start(tick, NULL, &w, &e), 0);
    return w;
}

static void wait_for(atomic_int *counter, int value)
{
    double end = clock_seconds() + 20;

    while (*counter < value && clock_seconds() < end)
        usleep(1000);
    assert_int_equal(*counter, value);
}

static void times_in_order(void **state)
{
    struct watch *w = start();

    (void)state;
    for (int i = 0; i < 200; i++) /* 0, 7, 14, ... mod 200: every number once, mixed */
        watch_add(w, -1, 0.5 + 0.001 * (i * 7 % 200), woke, (void *)(intptr_t)(i * 7 % 200));
    wait_for(&woken[WAKE_TIME], 200);
    for (int i = 0; i < 200; i++)
        assert_int_equal(order[i], i);
    while (ticks < 2)
        usleep(1000);
    watch_stop(w);
}

static void taken_is_not_woken(void **state)
{
    struct watch *w = start();

    (void)state;
    uint64_t a = watch_add(w, -1, 0.05, woke, NULL), b = watch_add(w, -1, -1, woke, NULL);
    assert_true(a && b && a != b);
    assert_true(watch_take(w, a));
    assert_false(watch_take(w, a));
    watch_wake(w, a, WAKE_FINISHED);
    assert_int_equal(woken[WAKE_FINISHED], 0);
    watch_wake(w, b, WAKE_FINISHED);
    watch_wake(w, b, WAKE_FINISHED);
    assert_int_equal(woken[WAKE_FINISHED], 1);
    uint64_t again = watch_add(w, -1, -1, woke, NULL); /* the same place, another ticket */
    assert_true(again != a && again != b);
    watch_wake(w, b, WAKE_FINISHED);
    watch_wake(w, 0, WAKE_FINISHED);
    watch_wake(w, UINT64_MAX, WAKE_FINISHED);
    assert_int_equal(woken[WAKE_FINISHED], 1);
    usleep(100 * 1000);
    assert_int_equal(woken[WAKE_TIME], 0);
    watch_end(w);
    assert_int_equal(woken[WAKE_GONE], 1);
    watch_add(w, -1, 100, woke, NULL); /* after the end */
    assert_int_equal(woken[WAKE_GONE], 2);
    watch_stop(w);
}

static void peers_that_go_away(void **state)
{
    struct watch *w = start();
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    watch_add(w, pair[0], 100, woke, NULL);
    assert_int_equal(write(pair[1], "x", 1), 1); /* bytes are not its business */
    usleep(50 * 1000);
    assert_int_equal(woken[WAKE_GONE], 0);
    close(pair[1]);
    wait_for(&woken[WAKE_GONE], 1);
    close(pair[0]);
    watch_stop(w);
}

static void *add_and_end(void *user)
{
    struct watch *w = user;

    for (int i = 0; i < 2000; i++) {
        uint64_t t = watch_add(w, -1, i % 3 ? 0.0005 * (i % 5) : -1, woke, NULL);
        if (i % 2)
            watch_wake(w, t, WAKE_FINISHED);
        else if (watch_take(w, t))
            done++;
    }
    return NULL;
}

static void many_threads(void **state)
{
    struct watch *w = start();
    pthread_t threads[4];

    (void)state;
    done = 0;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_and_end, w), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    watch_end(w);
    watch_stop(w);
    assert_int_equal(done + woken[0] + woken[1] + woken[2], 8000); /* each of them exactly once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_once),
        cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(all_threads_come_when_jobs_are_long),
        cmocka_unit_test(impossible_pools),
        cmocka_unit_test(times_in_order),
        cmocka_unit_test(taken_is_not_woken),
        cmocka_unit_test(peers_that_go_away),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
