/* Blobs as objects, over a folder of objects.h: what a real service adds is tested in
 * tests/api/test_bucket.py. */
#include "test.h"

#include "base/sha256.h"
#include "objects/objects.h"
#include "storage/blob_inside.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

struct store {
    char folder[64], url[96], cache[96];
    struct net *net;
    struct blobs *b;
    struct arena a;
    struct err e;
};

#define ok(call)                                                                                   \
    do {                                                                                           \
        if ((call) != 0)                                                                           \
            fail_msg("%s: %s", #call, s->e.message);                                               \
    } while (0)

/* blobs_open would take a folder for itself. */
static struct blobs *open_with(struct store *s, const char *cache, int64_t bytes)
{
    static const struct objects_settings none;
    const struct blobs_options o = {
        .net = s->net, .settings = &none, .cache = cache, .cache_bytes = bytes};
    struct blobs *b = calloc(1, sizeof *b);

    b->backend = &blob_s3;
    ok(blob_s3.open(b, s->url, &o, &s->e));
    return b;
}

static int set_up(void **state)
{
    struct store *s = calloc(1, sizeof *s);

    *state = s;
    snprintf(s->folder, sizeof s->folder, "/tmp/blobs-XXXXXX");
    if (!mkdtemp(s->folder))
        return -1;
    snprintf(s->url, sizeof s->url, "file://%s/bucket", s->folder);
    snprintf(s->cache, sizeof s->cache, "%s/cache", s->folder);
    ok(net_open(&(struct net_options){0}, &s->net, &s->e));
    s->b = open_with(s, s->cache, 0);
    return 0;
}

static int tear_down(void **state)
{
    struct store *s = *state;
    char command[128];

    blobs_close(s->b);
    net_close(s->net);
    arena_release(&s->a);
    snprintf(command, sizeof command, "rm -r '%s'", s->folder);
    int rc = system(command);
    free(s);
    return rc;
}

static char *path_of(const struct store *s, const char *where, const char *sha)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s/%.2s/%.2s/%s", s->folder, where, sha, sha + 2, sha);
    return path;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_TRUNC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void age_file(const char *path, int64_t seconds)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    const struct timespec then[2] = {{now.tv_sec - seconds, 0}, {now.tv_sec - seconds, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
}

static void goes_in_and_out(void **state)
{
    struct store *s = *state;
    char sha[65], again[65];
    struct str out;
    int64_t size;
    int fd;

    ok(blob_put(s->b, "abc", 3, sha, &s->e));
    assert_string_equal(sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ok(blob_put(s->b, "abc", 3, again, &s->e));
    assert_int_equal(access(path_of(s, "bucket", sha), F_OK), 0);
    assert_int_equal(access(path_of(s, "cache", sha), F_OK), 0);
    ok(blob_get(s->b, sha, 3, &s->a, &out, &s->e));
    assert_memory_equal(out.p, "abc", 4);
    assert_int_equal(blob_get(s->b, sha, 2, &s->a, &out, &s->e), ERR_FORMAT);
    ok(blob_open(s->b, sha, &fd, &size, &s->e));
    assert_int_equal(size, 3);
    close(fd);
    assert_true(blob_exists(s->b, sha));
    ok(blob_remove(s->b, sha, &s->e));
    assert_false(blob_exists(s->b, sha));
    assert_int_equal(blob_open(s->b, sha, &fd, &size, &s->e), ERR_NOT_FOUND);
    assert_int_equal(blob_remove(s->b, sha, &s->e), ERR_NOT_FOUND);
    ok(blob_put(s->b, "", 0, sha, &s->e));
    ok(blob_get(s->b, sha, 0, &s->a, &out, &s->e));
    assert_int_equal(out.n, 0);
}

/* Another process, with a folder of its own or none, sees what this one put. */
static void others_see_it(void **state)
{
    struct store *s = *state;
    char sha[65], cache[128];
    struct str out;
    int64_t size;
    int fd;

    snprintf(cache, sizeof cache, "%s/other", s->folder);
    struct blobs *other = open_with(s, cache, 0), *bare = open_with(s, NULL, 0);
    ok(blob_put(s->b, "abc", 3, sha, &s->e));
    ok(blob_get(other, sha, 3, &s->a, &out, &s->e));
    assert_memory_equal(out.p, "abc", 4);
    assert_int_equal(access(path_of(s, "other", sha), F_OK), 0);
    ok(blob_get(bare, sha, 3, &s->a, &out, &s->e));
    /* What is here is not asked for again; who asks sees that it is gone. */
    ok(blob_remove(s->b, sha, &s->e));
    ok(blob_open(other, sha, &fd, &size, &s->e));
    close(fd);
    assert_int_equal(blob_open(bare, sha, &fd, &size, &s->e), ERR_NOT_FOUND);
    assert_false(blob_exists(other, sha));
    blobs_close(other);
    blobs_close(bare);
}

static void entries_that_change(void **state)
{
    struct store *s = *state;
    struct blobs *other = open_with(s, NULL, 0);
    char thumb[80], text[8] = "";
    int64_t size;
    int fd;

    ok(cache_put(s->b, "run.json", "one", 3, &s->e));
    ok(cache_open(s->b, "run.json", &fd, &size, &s->e));
    close(fd);
    ok(cache_put(other, "run.json", "three", 5, &s->e));
    ok(cache_open(s->b, "run.json", &fd, &size, &s->e));
    assert_int_equal(size, 5);
    assert_int_equal(read(fd, text, sizeof text), 5);
    assert_string_equal(text, "three");
    close(fd);
    ok(blobs_discard(s->b, 'c', "run.json", &s->e));
    assert_int_equal(cache_open(other, "run.json", &fd, &size, &s->e), ERR_NOT_FOUND);
    snprintf(thumb, sizeof thumb, "%064d-256.webp", 7);
    ok(cache_put(s->b, thumb, "thumb", 5, &s->e));
    ok(blobs_discard(other, 'c', thumb, &s->e));
    ok(cache_open(s->b, thumb, &fd, &size, &s->e)); /* kept here */
    close(fd);
    ok(blobs_discard(s->b, 'c', thumb, &s->e));
    assert_int_equal(cache_open(s->b, thumb, &fd, &size, &s->e), ERR_NOT_FOUND);
    blobs_close(other);
}

static void damage_is_seen_and_healed(void **state)
{
    struct store *s = *state;
    char sha[65];
    struct str out;
    int64_t size;
    int fd;

    ok(blob_put(s->b, "abc", 3, sha, &s->e));
    write_file(path_of(s, "cache", sha), "axc");
    ok(blob_get(s->b, sha, 3, &s->a, &out, &s->e)); /* fetched again */
    assert_memory_equal(out.p, "abc", 4);
    write_file(path_of(s, "bucket", sha), "axc");
    unlink(path_of(s, "cache", sha));
    assert_int_equal(blob_get(s->b, sha, 3, &s->a, &out, &s->e), ERR_FORMAT);
    assert_int_equal(blob_open(s->b, sha, &fd, &size, &s->e), ERR_FORMAT);
    ok(blob_put(s->b, "abc", 3, sha, &s->e));
    ok(blob_get(s->b, sha, 3, &s->a, &out, &s->e));
    unlink(path_of(s, "cache", sha));
    ok(blob_get(s->b, sha, 3, &s->a, &out, &s->e));
}

static void young_blobs_stay(void **state)
{
    struct store *s = *state;
    char sha[65];

    ok(blob_put(s->b, "abc", 3, sha, &s->e));
    assert_int_equal(blob_remove_old(s->b, sha, 3600, &s->e), ERR_CONFLICT);
    age_file(path_of(s, "bucket", sha), 100000);
    ok(blob_put(s->b, "abc", 3, sha, &s->e)); /* young again */
    assert_int_equal(blob_remove_old(s->b, sha, 3600, &s->e), ERR_CONFLICT);
    age_file(path_of(s, "bucket", sha), 100000);
    ok(blob_remove_old(s->b, sha, 3600, &s->e));
    assert_int_equal(access(path_of(s, "bucket", sha), F_OK), -1);
    assert_int_equal(access(path_of(s, "cache", sha), F_OK), -1);
}

struct seen {
    int blobs, cached, temporary;
    char name[160];
};

static int count(void *user, char kind, const char *name, int64_t size, double age)
{
    struct seen *seen = user;

    assert_true(age > -5 && age < 60);
    assert_true(size > 0);
    seen->blobs += kind == 'b';
    seen->cached += kind == 'c';
    seen->temporary += kind == 't';
    if (kind == 'c')
        snprintf(seen->name, sizeof seen->name, "%s", name);
    return 0;
}

static int stop(void *user, char kind, const char *name, int64_t size, double age)
{
    (void)kind, (void)name, (void)size, (void)age;
    ++*(int *)user;
    return 42;
}

static void walks_over_what_is_ours(void **state)
{
    struct store *s = *state;
    struct seen seen = {0};
    struct objects *o;
    struct object_info info;
    char sha[65];
    int calls = 0;

    static const char *const others[] = {"notes.txt",      "ab/cd/ef", "cache/x",
                                         "cache/ab/cd/ef", "tmp/x",    "ab/notes"};
    ok(objects_open(s->url, &(struct objects_options){0}, &o, &s->e));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ok(object_put(o, &(struct object_put){.name = others[i], .bytes = STR("x")}, &s->a, &info,
                      &s->e));
    objects_close(o);
    for (int i = 0; i < 5; i++)
        ok(blob_put(s->b, &i, sizeof i, sha, &s->e));
    ok(cache_put(s->b, "thumb.webp", "xy", 2, &s->e));
    ok(blobs_walk(s->b, count, &seen, &s->e));
    assert_int_equal(seen.blobs, 5);
    assert_int_equal(seen.cached, 1);
    assert_int_equal(seen.temporary, 0);
    assert_string_equal(seen.name, "thumb.webp");
    assert_int_equal(blobs_walk(s->b, stop, &calls, &s->e), 42);
    assert_int_equal(calls, 1);
}

static void walks_over_many_pages(void **state)
{
    enum { COUNT = 2300 };
    struct store *s = *state;
    struct seen seen = {0};
    char sha[65], folder[128];

    ok(blob_put(s->b, "abc", 3, sha, &s->e)); /* the bucket is there */
    for (int i = 0; i < COUNT; i++) {
        sha256_hex(&i, sizeof i, sha);
        snprintf(folder, sizeof folder, "%s/bucket/%.2s", s->folder, sha);
        mkdir(folder, 0700);
        snprintf(folder, sizeof folder, "%s/bucket/%.2s/%.2s", s->folder, sha, sha + 2);
        mkdir(folder, 0700);
        int fd = open(path_of(s, "bucket", sha), O_WRONLY | O_CREAT, 0600);
        assert_int_equal(write(fd, "x", 1), 1);
        close(fd);
    }
    ok(blobs_walk(s->b, count, &seen, &s->e));
    assert_int_equal(seen.blobs, COUNT + 1);
}

static void checks_itself(void **state)
{
    struct store *s = *state;
    struct seen seen = {0};

    ok(blobs_check(s->b, &s->e));
    ok(blobs_walk(s->b, count, &seen, &s->e));
    assert_int_equal(seen.cached, 0);
    assert_int_equal(blobs_free_space(s->b), -1);
}

static int add_size(void *user, char kind, const char *name, int64_t size, double age)
{
    (void)kind, (void)name, (void)age;
    *(int64_t *)user += size;
    return 0;
}

/* The folder's size, looked at as a store of its own. */
static int64_t cached_bytes(struct store *s, const char *cache)
{
    char url[160];
    struct blobs *b;
    int64_t sum = 0;

    snprintf(url, sizeof url, "file:%s", cache);
    ok(blobs_open(url, NULL, &b, &s->e));
    ok(blobs_walk(b, add_size, &sum, &s->e));
    blobs_close(b);
    return sum;
}

static void the_folder_is_bounded(void **state)
{
    struct store *s = *state;
    char cache[128], bytes[1000], first[65], sha[65];
    int64_t size;
    int fd, held = -1;

    snprintf(cache, sizeof cache, "%s/small", s->folder);
    struct blobs *b = open_with(s, cache, 10000);
    for (int i = 0; i < 40; i++) {
        memset(bytes, i, sizeof bytes);
        ok(blob_put(b, bytes, sizeof bytes, sha, &s->e));
        if (i == 0) {
            memcpy(first, sha, sizeof first);
            ok(blob_open(b, first, &held, &size, &s->e));
        }
        age_file(path_of(s, "small", sha), 1000 - i); /* in this order */
        ok(blob_open(b, first, &fd, &size, &s->e));   /* wanted all the time */
        close(fd);
        assert_true(cached_bytes(s, cache) <= 10000);
    }
    assert_int_equal(access(path_of(s, "small", first), F_OK), 0);
    assert_int_equal(access(path_of(s, "small", sha), F_OK), 0);
    assert_int_equal(pread(held, bytes, sizeof bytes, 0), 1000);
    close(held);
    blobs_close(b);
    /* What a former process left counts. */
    b = open_with(s, cache, 3000);
    assert_true(cached_bytes(s, cache) <= 3000);
    /* And what is larger than everything is read all the same. */
    char *large = calloc(1, 50000);
    ok(blob_put(b, large, 50000, sha, &s->e));
    ok(blob_open(b, sha, &fd, &size, &s->e));
    assert_int_equal(size, 50000);
    close(fd);
    free(large);
    blobs_close(b);
}

enum { ROUNDS = 150, THREADS = 4 };

static void *use_often(void *user)
{
    struct blobs *b = user;
    char sha[65], text[4096];
    struct err e;
    intptr_t failures = 0;
    int64_t size;
    int fd;

    for (int i = 0; i < ROUNDS; i++) {
        memset(text, 'a' + i % 7, sizeof text);
        failures += blob_put(b, text, sizeof text, sha, &e) != 0;
        if (i % 3 == 0)
            b->backend->forget(b, sha);
        if (blob_open(b, sha, &fd, &size, &e)) {
            failures++;
            continue;
        }
        failures += size != sizeof text;
        close(fd);
    }
    return (void *)failures;
}

static void many_at_once(void **state)
{
    struct store *s = *state;
    char cache[128];
    pthread_t threads[THREADS];
    void *failures;

    snprintf(cache, sizeof cache, "%s/small", s->folder);
    struct blobs *b = open_with(s, cache, 20000);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, use_often, b);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &failures);
        assert_null(failures);
    }
    blobs_close(b);
}

static void what_cannot_be_opened(void **state)
{
    struct store *s = *state;
    const struct objects_settings none = {0};
    struct blobs_options o = {.net = s->net, .settings = &none};
    struct blobs *b = NULL;

    assert_int_equal(blobs_open("s3://bucket", NULL, &b, &s->e), ERR_ARG);
    assert_int_equal(blobs_open("s3://bucket", &o, &b, &s->e), ERR_DENIED);
    assert_non_null(strstr(s->e.message, "AWS_ACCESS_KEY_ID"));
    assert_int_equal(blobs_open("s3://X", &o, &b, &s->e), ERR_ARG);
    assert_null(b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(goes_in_and_out),       TEST(others_see_it),
        TEST(entries_that_change),   TEST(damage_is_seen_and_healed),
        TEST(young_blobs_stay),      TEST(walks_over_what_is_ours),
        TEST(walks_over_many_pages), TEST(checks_itself),
        TEST(the_folder_is_bounded), TEST(many_at_once),
        TEST(what_cannot_be_opened),
    };
    return cmocka_run_group_tests_name("storage_blob_objects", tests, NULL, NULL);
}
