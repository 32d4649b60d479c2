/* The bus: order, attachments, hostile frames, watching; Redis where CAULDRON_TEST_REDIS is. */
#include "test.h"

#include "base/uuid.h"
#include "jobs/bus.h"
#include "jobs/bus_frame.h"

#include <pthread.h>
#include <unistd.h>

static struct err e;

struct heard {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int events, told;
    char room[64], name[64], data[64], topic[64], text[128];
    unsigned char attachment[64];
    size_t attached;
};

static void heard_init(struct heard *h)
{
    *h = (struct heard){0};
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
}

static void listen(void *user, const struct bus_event *event)
{
    struct heard *h = user;

    pthread_mutex_lock(&h->lock);
    snprintf(h->room, sizeof h->room, "%s", event->room ? event->room : "(all)");
    snprintf(h->name, sizeof h->name, "%s", event->name);
    snprintf(h->data, sizeof h->data, "%s", event->data);
    h->attached = event->attachment.n;
    if (event->attachment.n && event->attachment.n <= sizeof h->attachment)
        memcpy(h->attachment, event->attachment.p, event->attachment.n);
    h->events++;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static void hear(void *user, const char *topic, const char *text)
{
    struct heard *h = user;

    pthread_mutex_lock(&h->lock);
    snprintf(h->topic, sizeof h->topic, "%s", topic);
    snprintf(h->text, sizeof h->text, "%s", text);
    h->told++;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static void wait_for_counts(struct heard *h, int events, int told)
{
    pthread_mutex_lock(&h->lock);
    while (h->events < events || h->told < told)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

static const unsigned char bytes[] = {0, 1, 0xff, 0, '\n', 0x80};
static const struct bus_event event = {.room = "user:7",
                                       .name = "generation:1:progress",
                                       .data = "{\"step\":3}",
                                       .attachment = {(const char *)bytes, sizeof bytes}};

static void check_event(const struct heard *h)
{
    assert_string_equal(h->room, "user:7");
    assert_string_equal(h->name, "generation:1:progress");
    assert_string_equal(h->data, "{\"step\":3}");
    assert_int_equal(h->attached, sizeof bytes);
    assert_memory_equal(h->attachment, bytes, sizeof bytes);
}

static void test_memory(void **state)
{
    struct heard h;
    struct bus *b;
    struct bus_stats stats;

    (void)state;
    heard_init(&h);
    assert_int_equal(bus_open("nats://x", &b, &e), ERR_ARG);
    assert_int_equal(bus_open("memory:", &b, &e), 0);
    bus_listen(b, listen, &h);
    bus_hear(b, hear, &h);
    bus_publish(b, &event);
    wait_for_counts(&h, 1, 0);
    check_event(&h);
    bus_publish(b, &(struct bus_event){.name = "queue:changed", .data = "{}"});
    bus_tell(b, "cancel", "42");
    wait_for_counts(&h, 2, 1);
    assert_string_equal(h.room, "(all)");
    assert_int_equal(h.attached, 0);
    assert_string_equal(h.topic, "cancel");
    assert_string_equal(h.text, "42");
    bus_forget(b, &h);
    bus_tell(b, "cancel", "43");
    bus_stats(b, &stats);
    assert_int_equal(stats.published, 4);
    assert_int_equal(stats.dropped, 0);
    assert_true(stats.connected);
    bus_close(b);
    assert_int_equal(h.told, 1);
}

static void *publish_many(void *b)
{
    for (int i = 0; i < 1000; i++)
        bus_publish(b, &(struct bus_event){.room = "r", .name = "n", .data = "1"});
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[4];
    struct heard h;
    struct bus *b;

    (void)state;
    heard_init(&h);
    assert_int_equal(bus_open("memory:", &b, &e), 0);
    bus_listen(b, listen, &h);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, publish_many, b);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    wait_for_counts(&h, 4000, 0);
    bus_close(b);
}

static void test_watch(void **state)
{
    char id[UUID_TEXT], other[UUID_TEXT];
    struct bus *b;

    (void)state;
    uuid_v7(id);
    uuid_v7(other);
    assert_int_equal(bus_open("memory:", &b, &e), 0);
    assert_false(bus_watched(b, id));
    bus_watch(b, id, 100);
    assert_true(bus_watched(b, id));
    assert_false(bus_watched(b, other));
    assert_false(bus_watched(b, "no id at all, and a text that is longer than any id could be"));
    bus_watch(b, other, 0);
    usleep(2000);
    assert_false(bus_watched(b, other));
    /* Many that have expired do not stay. */
    for (int i = 0; i < 500; i++) {
        char more[UUID_TEXT];
        uuid_v7(more);
        bus_watch(b, more, 0);
    }
    assert_true(bus_watched(b, id));
    bus_close(b);
}

/* ==== frames ==== */

static const char origin[BUS_ORIGIN] = "0123456789abcde";

static void test_frames(void **state)
{
    struct bus_frame *f = bus_frame_event(origin, &event), *copy;
    struct bus_event out;
    const char *topic, *text;

    (void)state;
    copy = bus_frame_read(f->bytes, f->n);
    assert_non_null(copy);
    assert_true(bus_frame_open(copy, &out, &topic, &text));
    assert_string_equal(out.room, event.room);
    assert_string_equal(out.data, event.data);
    assert_int_equal(out.attachment.n, sizeof bytes);
    assert_memory_equal(out.attachment.p, bytes, sizeof bytes);
    assert_true(bus_frame_from(copy, origin));
    assert_false(bus_frame_from(copy, "ffffffffffffffff"));
    bus_frame_drop(copy);
    for (size_t n = 0; n < f->n; n++) /* cut anywhere: refused */
        assert_null(bus_frame_read(f->bytes, n));
    bus_frame_drop(f);
    f = bus_frame_tell(origin, "cancel", "x");
    assert_false(bus_frame_open(f, &out, &topic, &text));
    assert_string_equal(topic, "cancel");
    assert_string_equal(text, "x");
    bus_frame_drop(f);
    bus_frame_drop(NULL);
}

/* Any single byte changed: refused or whole, never read outside (the sanitizers look). */
static void test_hostile_frames(void **state)
{
    struct bus_frame *f = bus_frame_event(origin, &event);
    struct bus_event out;
    const char *topic, *text;

    (void)state;
    for (size_t i = 0; i < f->n; i++)
        for (int v = 0; v < 256; v += 5) {
            unsigned char *copy = malloc(f->n);
            memcpy(copy, f->bytes, f->n);
            copy[i] = (unsigned char)v;
            struct bus_frame *read = bus_frame_read(copy, f->n);
            if (read && bus_frame_open(read, &out, &topic, &text))
                assert_true(strlen(out.name) < f->n && strlen(out.data) < f->n);
            bus_frame_drop(read);
            free(copy);
        }
    /* A text that does not end where it says: 40 bytes of head, then "user:7". */
    assert_int_equal(f->bytes[46], 0);
    f->bytes[46] = 'x';
    assert_null(bus_frame_read(f->bytes, f->n));
    bus_frame_drop(f);
}

static void test_too_large(void **state)
{
    static char large[BUS_FRAME_MAX];
    struct bus_stats stats;
    struct bus *b;

    (void)state;
    memset(large, 'x', sizeof large - 1);
    assert_int_equal(bus_open("memory:", &b, &e), 0);
    bus_publish(b, &(struct bus_event){.room = "r", .name = "n", .data = large});
    bus_stats(b, &stats);
    assert_int_equal(stats.dropped, 1);
    bus_close(b);
}

/* ==== Redis ==== */

static void test_redis(void **state)
{
    const char *url = getenv("CAULDRON_TEST_REDIS");
    char own[512], random[17], id[UUID_TEXT];
    struct heard here, there;
    struct bus *a, *b;
    struct bus_stats stats;

    (void)state;
    if (!url || !url[0]) {
        print_message("# SKIP no CAULDRON_TEST_REDIS\n");
        skip();
    }
    random_hex(random, 8);
    snprintf(own, sizeof own, "%s?prefix=%s", url, random);
    heard_init(&here);
    heard_init(&there);
    assert_int_equal(bus_open(own, &a, &e), 0);
    assert_int_equal(bus_open(own, &b, &e), 0);
    bus_listen(a, listen, &here);
    bus_listen(b, listen, &there);
    bus_hear(b, hear, &there);
    do { /* until the other side has subscribed */
        bus_tell(a, "hello", "");
        usleep(10000);
        bus_stats(b, &stats);
    } while (!stats.received);
    bus_publish(a, &event);
    wait_for_counts(&there, 1, 0);
    check_event(&there);
    wait_for_counts(&here, 1, 0);
    uuid_v7(id);
    bus_watch(a, id, 100);
    bus_tell(a, "after", "the watch");
    pthread_mutex_lock(&there.lock);
    while (strcmp(there.topic, "after") != 0)
        pthread_cond_wait(&there.changed, &there.lock);
    pthread_mutex_unlock(&there.lock);
    assert_true(bus_watched(b, id));
    assert_int_equal(here.events, 1); /* what came back from Redis is not told twice */
    bus_close(a);
    bus_close(b);
}

static int64_t received(struct bus *b)
{
    struct bus_stats stats;

    bus_stats(b, &stats);
    return stats.received;
}

/* A worker: what it publishes is heard, what others publish is not sent to it, what is told is. */
static void test_without_events(void **state)
{
    const char *url = getenv("CAULDRON_TEST_REDIS");
    char own[512], random[17];
    struct heard screen, worker;
    struct bus *a, *b;
    int64_t before;

    (void)state;
    if (!url || !url[0]) {
        print_message("# SKIP no CAULDRON_TEST_REDIS\n");
        skip();
    }
    random_hex(random, 8);
    snprintf(own, sizeof own, "%s?prefix=%s", url, random);
    heard_init(&screen);
    heard_init(&worker);
    assert_int_equal(bus_open(own, &a, &e), 0);
    assert_int_equal(bus_open(own, &b, &e), 0);
    bus_listen(a, listen, &screen);
    bus_hear(b, hear, &worker);
    bus_without_events(b);
    do { /* until each hears the other, and the wish has reached Redis */
        before = received(b);
        bus_publish(a, &event);
        bus_tell(a, "mark", "");
        bus_tell(b, "mark", "");
        usleep(50000);
    } while (!received(a) || received(b) != before + 1);
    before = received(b);
    for (int i = 0; i < 50; i++)
        bus_publish(a, &event);
    bus_tell(a, "after", "the events");
    pthread_mutex_lock(&worker.lock);
    while (strcmp(worker.topic, "after") != 0)
        pthread_cond_wait(&worker.changed, &worker.lock);
    pthread_mutex_unlock(&worker.lock);
    assert_int_equal(received(b), before + 1);
    pthread_mutex_lock(&screen.lock);
    int shown = screen.events;
    pthread_mutex_unlock(&screen.lock);
    bus_publish(b, &event);
    wait_for_counts(&screen, shown + 1, 0);
    bus_close(a);
    bus_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),         cmocka_unit_test(test_threads),
        cmocka_unit_test(test_watch),          cmocka_unit_test(test_frames),
        cmocka_unit_test(test_hostile_frames), cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_redis),          cmocka_unit_test(test_without_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
