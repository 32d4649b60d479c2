/* The loop: tasks of many threads, timers in order, and what happens at the end of a round. */
#include "test.h"

#include "server/loop.h"

#include "base/clock.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum { POSTERS = 4, POSTS = 3000, TIMERS = 500 };

static struct loop *loop;
static sem_t done;
static int posted; /* on the loop only */

static void count(struct loop_task *t)
{
    free(t);
    if (++posted == POSTERS * POSTS)
        sem_post(&done);
}

static void *poster(void *user)
{
    (void)user;
    for (int i = 0; i < POSTS; i++) {
        struct loop_task *t = calloc(1, sizeof(*t));
        if (!t)
            abort();
        t->run = count;
        loop_post(loop, t);
    }
    return NULL;
}

static void tasks_come_from_all_threads(void **state)
{
    pthread_t threads[POSTERS];

    (void)state;
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, poster, NULL), 0);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    sem_wait(&done);
    assert_int_equal(posted, POSTERS * POSTS);
}

static struct numbered {
    struct loop_timer timer;
    double at;
} timers[TIMERS];
static double last;
static int ran, wrong;

static void ring(struct loop_timer *t)
{
    struct numbered *n = LOOP_OWNER(t, struct numbered, timer);

    wrong += n->at < last || clock_seconds() < n->at || t->place != 0;
    last = n->at;
    if (++ran == TIMERS - TIMERS / 5 - (TIMERS % 5 != 0))
        sem_post(&done);
}

/* Set out of order, some moved, some cleared. */
static void set_timers(struct loop_task *t)
{
    double now = clock_seconds();
    unsigned seed = 1;

    (void)t;
    for (int i = 0; i < TIMERS; i++) {
        seed = seed * 1664525 + 1013904223;
        timers[i].timer.run = ring;
        timers[i].at = now + (double)(seed >> 8) / (1 << 24) * 0.05;
        loop_timer_set(loop, &timers[i].timer, i % 3 ? timers[i].at : now + 100);
    }
    for (int i = 0; i < TIMERS; i += 3)
        loop_timer_set(loop, &timers[i].timer, timers[i].at);
    for (int i = 0; i < TIMERS; i += 5)
        loop_timer_clear(loop, &timers[i].timer);
}

static void timers_run_in_order(void **state)
{
    struct loop_task start = {.run = set_timers};

    (void)state;
    loop_post(loop, &start);
    sem_wait(&done);
    assert_int_equal(wrong, 0);
}

static char order[8];
static size_t steps;
static struct loop_task grave, later;

static void at_grave(struct loop_task *t)
{
    (void)t;
    order[steps++] = 'g';
    sem_post(&done);
}

static void at_end(struct loop_task *t)
{
    (void)t;
    order[steps++] = 'l';
}

static void begin(struct loop_task *t)
{
    (void)t;
    loop_bury(loop, &grave);
    loop_later(loop, &later);
    loop_later(loop, &later);
    order[steps++] = 'b';
}

static void burials_come_last(void **state)
{
    struct loop_task start = {.run = begin};

    (void)state;
    grave.run = at_grave;
    later.run = at_end;
    loop_post(loop, &start);
    sem_wait(&done);
    assert_string_equal(order, "blg");
}

static int start(void **state)
{
    struct err e;

    (void)state;
    sem_init(&done, 0, 0);
    return loop_start(&loop, &e);
}

static int stop(void **state)
{
    (void)state;
    loop_stop(loop);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_come_from_all_threads),
        cmocka_unit_test(timers_run_in_order),
        cmocka_unit_test(burials_come_last),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
