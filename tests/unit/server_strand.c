/* Strands: one at a time and in order, whatever threads there are; fullness and its end. */
#include "test.h"

#include "server/strand.h"

#include <stdatomic.h>

enum { THREADS = 4, STRANDS = 8, TASKS = 2000 };

struct numbered {
    struct task task;
    struct counted *owner;
    int number;
};

struct counted {
    struct strand strand;
    int next;       /* the number that must come; without a lock: the strand is the lock */
    atomic_int due; /* strand_run is wanted by some thread */
};

static struct counted all[STRANDS];
static atomic_int drains, left;

static void drained(struct strand *s)
{
    (void)s;
    atomic_fetch_add(&drains, 1);
}

static void run(struct task *t)
{
    struct numbered *n = (struct numbered *)t;

    if (n->number != n->owner->next)
        abort();
    n->owner->next++;
    atomic_fetch_sub(&left, 1);
    free(n);
}

static bool push(struct counted *c, int number, size_t cost, bool *filled)
{
    struct numbered *n = calloc(1, sizeof(*n));

    assert_non_null(n);
    n->task = (struct task){NULL, cost, run};
    n->owner = c;
    n->number = number;
    atomic_fetch_add(&left, 1);
    return strand_push(&c->strand, &n->task, filled);
}

static void *worker(void *user)
{
    (void)user;
    while (atomic_load(&left) > 0)
        for (int i = 0; i < STRANDS; i++) {
            int one = 1;
            if (atomic_compare_exchange_strong(&all[i].due, &one, 0) && strand_run(&all[i].strand))
                atomic_store(&all[i].due, 1);
        }
    return NULL;
}

static void tasks_run_in_order_on_any_thread(void **state)
{
    pthread_t threads[THREADS];
    bool filled;

    (void)state;
    for (int i = 0; i < STRANDS; i++)
        strand_init(&all[i].strand, 1 << 30, drained);
    atomic_store(&left, 1); /* the workers stay until all is pushed */
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, worker, NULL), 0);
    for (int number = 0; number < TASKS; number++)
        for (int i = 0; i < STRANDS; i++)
            if (push(&all[i], number, 1, &filled))
                atomic_store(&all[i].due, 1);
    atomic_fetch_sub(&left, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < STRANDS; i++) {
        assert_int_equal(all[i].next, TASKS);
        strand_release(&all[i].strand);
    }
    assert_int_equal(atomic_load(&drains), 0);
}

static void fullness_is_told_once_each_way(void **state)
{
    struct counted c = {0};
    bool filled;

    (void)state;
    strand_init(&c.strand, 100, drained);
    atomic_store(&drains, 0);
    assert_true(push(&c, 0, 60, &filled));
    assert_false(filled);
    assert_false(push(&c, 1, 40, &filled));
    assert_false(filled);
    assert_false(push(&c, 2, 1, &filled));
    assert_true(filled);
    assert_false(push(&c, 3, 1, &filled));
    assert_false(filled);
    while (strand_run(&c.strand))
        ;
    assert_int_equal(c.next, 4);
    assert_int_equal(atomic_load(&drains), 1);
    assert_true(push(&c, 4, 200, &filled));
    assert_true(filled);
    while (strand_run(&c.strand))
        ;
    assert_int_equal(atomic_load(&drains), 2);
    strand_release(&c.strand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_run_in_order_on_any_thread),
        cmocka_unit_test(fullness_is_told_once_each_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
