/* The queues: order, no loss, no doubles; Redis where CAULDRON_TEST_REDIS names one. */
#include "test.h"

#include "base/clock.h"
#include "base/uuid.h"
#include "jobs/queue.h"
#include "jobs/redis.h"

#include <pthread.h>
#include <unistd.h>

static struct err e;

static void push(struct queue *q, char id[UUID_TEXT], int priority)
{
    uuid_v7(id);
    assert_int_equal(queue_push(q, id, priority, &e), 0);
}

static void expect(struct queue *q, const char *id)
{
    struct ticket t;

    assert_int_equal(queue_take(q, "worker", 1, &t, &e), 1);
    assert_string_equal(t.job, id);
    assert_int_equal(queue_done(q, &t, &e), 0);
}

static void expect_none(struct queue *q)
{
    struct ticket t;

    assert_int_equal(queue_take(q, "worker", 0.01, &t, &e), 0);
}

static struct queue *open_memory(void)
{
    struct queue *q;

    assert_int_equal(queue_open("memory:", &q, &e), 0);
    return q;
}

static void test_urls(void **state)
{
    struct queue *q = NULL;

    (void)state;
    assert_int_equal(queue_open("kafka://x", &q, &e), ERR_ARG);
    assert_int_equal(queue_open("memory", &q, &e), ERR_ARG);
    assert_null(q);
}

/* It may come: the queue goes on trying, and says meanwhile that it is away. */
static void test_redis_away(void **state)
{
    struct queue *q = NULL;

    (void)state;
    assert_int_equal(queue_open("redis://127.0.0.1:1/0", &q, &e), 0);
    assert_int_equal(queue_push(q, "0192f0c1-7b7a-7c1e-9a53-5d0c7f4f2b11", 0, &e), ERR_NETWORK);
    queue_close(q);
}

static void test_addresses(void **state)
{
    struct redis_address to;
    char name[REDIS_NAME];

    (void)state;
    assert_int_equal(redis_parse("redis://ann:p%40ss%3A@[::1]:7000/3?prefix=t1", &to, &e), 0);
    assert_string_equal(to.host, "::1");
    assert_int_equal(to.port, 7000);
    assert_int_equal(to.database, 3);
    assert_string_equal(to.user, "ann");
    assert_string_equal(to.password, "p@ss:");
    redis_name(&to, "bus", name);
    assert_string_equal(name, "cauldron:{t1}:bus");
    assert_int_equal(redis_parse("redis://:secret@host", &to, &e), 0);
    assert_string_equal(to.user, "");
    assert_string_equal(to.password, "secret");
    assert_string_equal(to.host, "host");
    assert_int_equal(to.port, 6379);
    assert_string_equal(to.prefix, "main");
    assert_int_equal(redis_parse("unix://:p@/run/redis.sock?db=2&prefix=x", &to, &e), 0);
    assert_true(to.local);
    assert_string_equal(to.host, "/run/redis.sock");
    assert_string_equal(to.password, "p");
    assert_int_equal(to.database, 2);
    assert_string_equal(to.prefix, "x");
    assert_int_equal(redis_parse("redis://", &to, &e), 0);
    assert_string_equal(to.host, "localhost");
    static const char *const wrong[] = {
        "http://x",           "redis://h:99999", "redis://h/x", "redis://h?what=1",
        "redis://h:1%zz",     "redis://%00",     "redis://a@h", "redis://h?prefix=",
        "redis://h?prefix={", "unix://run/x",    "unix://"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(redis_parse(wrong[i], &to, &e), ERR_ARG);
    assert_int_equal(redis_parse("rediss://h", &to, &e), ERR_UNSUPPORTED);
}

static void check_order(struct queue *q)
{
    char batch[2][UUID_TEXT], interactive[2][UUID_TEXT];
    int64_t n;

    push(q, batch[0], 10);
    push(q, interactive[0], 0);
    push(q, batch[1], 10);
    push(q, interactive[1], 0);
    assert_int_equal(queue_length(q, &n, &e), 0);
    assert_int_equal(n, 4);
    for (int i = 0; i < 2; i++)
        expect(q, interactive[i]);
    for (int i = 0; i < 2; i++)
        expect(q, batch[i]);
    expect_none(q);
    assert_int_equal(queue_length(q, &n, &e), 0);
    assert_int_equal(n, 0);
}

static void test_order(void **state)
{
    struct queue *q = open_memory();

    (void)state;
    check_order(q);
    assert_false(queue_shared(q));
    assert_int_equal(queue_push(q, "not an id", 0, &e), ERR_ARG);
    queue_close(q);
}

static void test_again(void **state)
{
    struct queue *q = open_memory();
    char first[UUID_TEXT], second[UUID_TEXT];

    (void)state;
    push(q, first, 10);
    push(q, second, 10);
    assert_int_equal(queue_push(q, second, 10, &e), 0); /* known already */
    assert_int_equal(queue_push(q, second, 0, &e), 0);  /* and more urgent */
    expect(q, second);
    expect(q, first);
    expect_none(q);
    assert_int_equal(queue_push(q, second, 10, &e), 0); /* forgotten since it was taken */
    expect(q, second);
    queue_close(q);
}

static void test_heap(void **state)
{
    enum { COUNT = 1000 };
    struct queue *q = open_memory();
    static int priority[COUNT];
    static char ids[COUNT][UUID_TEXT];
    int last = -1;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        push(q, ids[i], priority[i] = i * 7919 % 31);
    for (int i = 0; i < COUNT; i++) {
        struct ticket t;
        assert_int_equal(queue_take(q, "w", 0, &t, &e), 1);
        int k = 0;
        while (strcmp(ids[k], t.job) != 0)
            k++;
        assert_true(priority[k] >= last);
        last = priority[k];
    }
    expect_none(q);
    queue_close(q);
}

struct taker {
    struct queue *q;
    int got, rc;
};

static void *take_all(void *argument)
{
    struct taker *x = argument;
    struct ticket t;
    struct err mine;

    while ((x->rc = queue_take(x->q, "w", 0.5, &t, &mine)) == 1) {
        x->got++;
        x->rc = queue_done(x->q, &t, &mine);
    }
    return NULL;
}

static void check_threads(struct queue *q, int count)
{
    struct taker takers[4];
    pthread_t threads[4];
    char id[UUID_TEXT];
    int got = 0;

    for (int i = 0; i < 4; i++) {
        takers[i] = (struct taker){.q = q};
        pthread_create(&threads[i], NULL, take_all, &takers[i]);
    }
    for (int i = 0; i < count; i++)
        push(q, id, i % 2 * 10);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(takers[i].rc, 0);
        got += takers[i].got;
    }
    assert_int_equal(got, count);
}

static void test_threads(void **state)
{
    struct queue *q = open_memory();

    (void)state;
    check_threads(q, 4000);
    queue_close(q);
}

static void *wake_soon(void *argument)
{
    usleep(50000);
    queue_wake(argument);
    return NULL;
}

static void test_wake(void **state)
{
    struct queue *q = open_memory();
    pthread_t thread;
    struct ticket t;
    double start = clock_seconds();

    (void)state;
    pthread_create(&thread, NULL, wake_soon, q);
    assert_int_equal(queue_take(q, "w", 300, &t, &e), 0);
    assert_true(clock_seconds() - start < 100);
    pthread_join(thread, NULL);
    queue_close(q);
}

/* ==== Redis ==== */

/* A queue with a name of its own in the Redis of the test set-up, or NULL. */
static struct queue *open_redis(redisContext **c, char names[2][REDIS_NAME])
{
    const char *url = getenv("CAULDRON_TEST_REDIS");
    char own[512], random[17];
    struct redis_address to;
    struct queue *q;

    if (!url || !url[0]) {
        print_message("# SKIP no CAULDRON_TEST_REDIS\n");
        return NULL;
    }
    random_hex(random, 8);
    snprintf(own, sizeof own, "%s?prefix=%s", url, random);
    assert_int_equal(queue_open(own, &q, &e), 0);
    assert_int_equal(redis_parse(own, &to, &e), 0);
    assert_int_equal(redis_connect(&to, c, &e), 0);
    redis_name(&to, "jobs:interactive", names[0]);
    redis_name(&to, "jobs:batch", names[1]);
    return q;
}

static void close_redis(struct queue *q, redisContext *c, char names[2][REDIS_NAME])
{
    redisReply *r;

    assert_int_equal(redis_ask(c, &r, &e, "DEL %s %s", names[0], names[1]), 0);
    freeReplyObject(r);
    redisFree(c);
    queue_close(q);
}

static void test_redis_order(void **state)
{
    char names[2][REDIS_NAME];
    redisContext *c;
    struct queue *q = open_redis(&c, names);

    (void)state;
    if (!q)
        skip();
    assert_true(queue_shared(q));
    check_order(q);
    check_threads(q, 400);
    close_redis(q, c, names);
}

static void test_redis_flushed(void **state)
{
    char names[2][REDIS_NAME], id[UUID_TEXT];
    redisContext *c;
    redisReply *r;
    struct queue *q = open_redis(&c, names);
    struct ticket t;
    int64_t n;

    (void)state;
    if (!q)
        skip();
    push(q, id, 0);
    push(q, id, 10);
    assert_int_equal(queue_take(q, "w", 1, &t, &e), 1);
    assert_int_equal(redis_ask(c, &r, &e, "DEL %s %s", names[0], names[1]), 0);
    freeReplyObject(r);
    assert_int_equal(queue_done(q, &t, &e), 0);
    assert_int_equal(queue_length(q, &n, &e), 0);
    assert_int_equal(n, 0);
    assert_int_equal(queue_reclaim(q, "w", 0, &t, &e), 0);
    push(q, id, 10);
    expect(q, id);
    expect_none(q);
    close_redis(q, c, names);
}

static void test_redis_reclaim(void **state)
{
    char names[2][REDIS_NAME], id[UUID_TEXT];
    redisContext *c;
    redisReply *r;
    struct queue *q = open_redis(&c, names);
    struct ticket t, again;
    int64_t n;

    (void)state;
    if (!q)
        skip();
    push(q, id, 10);
    assert_int_equal(queue_take(q, "dead", 1, &t, &e), 1);
    expect_none(q); /* it is the dead worker's */
    assert_int_equal(queue_length(q, &n, &e), 0);
    assert_int_equal(n, 0);
    assert_int_equal(queue_reclaim(q, "alive", 60, &again, &e), 0); /* not idle long enough */
    assert_int_equal(queue_reclaim(q, "alive", 0, &again, &e), 1);
    assert_string_equal(again.job, id);
    assert_string_equal(again.entry, t.entry);
    assert_int_equal(queue_done(q, &again, &e), 0);
    assert_int_equal(queue_done(q, &t, &e), 0); /* twice does no harm */
    assert_int_equal(queue_reclaim(q, "alive", 0, &again, &e), 0);
    /* What somebody else wrote into the stream is thrown away. */
    assert_int_equal(redis_ask(c, &r, &e, "XADD %s * job nonsense", names[1]), 0);
    freeReplyObject(r);
    push(q, id, 10);
    while (queue_take(q, "w", 0.05, &t, &e) == 0)
        ;
    assert_string_equal(t.job, id);
    assert_int_equal(queue_done(q, &t, &e), 0);
    close_redis(q, c, names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),          cmocka_unit_test(test_redis_away),
        cmocka_unit_test(test_addresses),     cmocka_unit_test(test_order),
        cmocka_unit_test(test_again),         cmocka_unit_test(test_heap),
        cmocka_unit_test(test_threads),       cmocka_unit_test(test_wake),
        cmocka_unit_test(test_redis_order),   cmocka_unit_test(test_redis_flushed),
        cmocka_unit_test(test_redis_reclaim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
