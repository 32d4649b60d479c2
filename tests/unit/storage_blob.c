#include "test.h"

#include "storage/blob.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

struct store {
    char folder[64], url[96];
    struct blobs *b;
    struct arena a;
    struct err e;
};

#define ok(call)                                                                                   \
    do {                                                                                           \
        if ((call) != 0)                                                                           \
            fail_msg("%s: %s", #call, s->e.message);                                               \
    } while (0)

static int set_up(void **state)
{
    struct store *s = calloc(1, sizeof *s);

    *state = s;
    snprintf(s->folder, sizeof s->folder, "/tmp/blobs-XXXXXX");
    if (!mkdtemp(s->folder))
        return -1;
    snprintf(s->url, sizeof s->url, "file://%s/store", s->folder);
    return blobs_open(s->url, NULL, &s->b, &s->e);
}

static int remove_one(void *user, char kind, const char *name, int64_t size, double age)
{
    struct store *s = user;

    (void)size;
    (void)age;
    return kind == 'b' ? blob_remove(s->b, name, &s->e) : blobs_discard(s->b, kind, name, &s->e);
}

static int tear_down(void **state)
{
    struct store *s = *state;
    char command[128];

    if (blobs_walk(s->b, remove_one, s, &s->e))
        return -1;
    blobs_close(s->b);
    arena_release(&s->a);
    snprintf(command, sizeof command, "rm -r '%s'", s->folder);
    int rc = system(command);
    free(s);
    return rc;
}

static void path_of(const struct store *s, const char *sha256, char out[256])
{
    snprintf(out, 256, "%s/store/%.2s/%.2s/%s", s->folder, sha256, sha256 + 2, sha256);
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
    assert_string_equal(sha, again);
    ok(blob_get(s->b, sha, 3, &s->a, &out, &s->e));
    assert_int_equal(out.n, 3);
    assert_memory_equal(out.p, "abc", 4);
    assert_int_equal(blob_get(s->b, sha, 2, &s->a, &out, &s->e), ERR_FORMAT);
    ok(blob_open(s->b, sha, &fd, &size, &s->e));
    assert_int_equal(size, 3);
    close(fd);
    assert_true(blob_exists(s->b, sha));
    ok(blob_remove(s->b, sha, &s->e));
    assert_false(blob_exists(s->b, sha));
    assert_int_equal(blob_remove(s->b, sha, &s->e), ERR_NOT_FOUND);
    assert_int_equal(blob_open(s->b, sha, &fd, &size, &s->e), ERR_NOT_FOUND);
    ok(blob_put(s->b, "", 0, sha, &s->e));
    ok(blob_get(s->b, sha, 0, &s->a, &out, &s->e));
    assert_int_equal(out.n, 0);
}

static void damage_is_seen_and_healed(void **state)
{
    struct store *s = *state;
    char sha[65], path[256];
    struct str out;

    ok(blob_put(s->b, "abc", 3, sha, &s->e));
    path_of(s, sha, path);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "x", 1, 1), 1);
    close(fd);
    assert_int_equal(blob_get(s->b, sha, 100, &s->a, &out, &s->e), ERR_FORMAT);
    ok(blob_put(s->b, "abc", 3, sha, &s->e));
    ok(blob_get(s->b, sha, 100, &s->a, &out, &s->e));
    assert_int_equal(truncate(path, 1), 0);
    assert_int_equal(blob_get(s->b, sha, 100, &s->a, &out, &s->e), ERR_FORMAT);
}

static void names_stay_in_the_folder(void **state)
{
    struct store *s = *state;
    static const char *const bad[] = {"", ".hidden", "../up", "a/b", "a b", "a\nb", "ä"};
    char upper[65];
    int64_t size;
    int fd;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(cache_put(s->b, bad[i], "x", 1, &s->e), ERR_ARG);
        assert_int_equal(cache_open(s->b, bad[i], &fd, &size, &s->e), ERR_ARG);
        assert_int_equal(blob_open(s->b, bad[i], &fd, &size, &s->e), ERR_ARG);
        assert_int_equal(blobs_discard(s->b, 't', bad[i], &s->e), ERR_ARG);
    }
    memset(upper, 'A', 64);
    upper[64] = 0;
    assert_int_equal(blob_open(s->b, upper, &fd, &size, &s->e), ERR_ARG);
    assert_int_equal(blobs_discard(s->b, 'b', "x", &s->e), ERR_ARG);
}

static void the_cache_replaces(void **state)
{
    struct store *s = *state;
    char text[8] = "";
    int64_t size;
    int fd;

    assert_int_equal(cache_open(s->b, "a-256.webp", &fd, &size, &s->e), ERR_NOT_FOUND);
    ok(cache_put(s->b, "a-256.webp", "one", 3, &s->e));
    ok(cache_put(s->b, "a-256.webp", "three", 5, &s->e));
    ok(cache_open(s->b, "a-256.webp", &fd, &size, &s->e));
    assert_int_equal(size, 5);
    assert_int_equal(read(fd, text, sizeof text), 5);
    assert_string_equal(text, "three");
    close(fd);
}

struct seen {
    int blobs, cached, temporary;
    char sha[65];
};

static int count(void *user, char kind, const char *name, int64_t size, double age)
{
    struct seen *seen = user;

    assert_true(age >= -1 && age < 60);
    seen->blobs += kind == 'b';
    seen->cached += kind == 'c';
    seen->temporary += kind == 't';
    if (kind == 'b') {
        assert_int_equal(size, 3);
        snprintf(seen->sha, sizeof seen->sha, "%s", name);
    }
    return 0;
}

static int stop(void *user, char kind, const char *name, int64_t size, double age)
{
    (void)kind;
    (void)name;
    (void)size;
    (void)age;
    ++*(int *)user;
    return 42;
}

static void walks_over_all(void **state)
{
    struct store *s = *state;
    struct seen seen = {0};
    char sha[65], path[128];
    int calls = 0;

    ok(blob_put(s->b, "abc", 3, sha, &s->e));
    ok(cache_put(s->b, "thumb", "xy", 2, &s->e));
    snprintf(path, sizeof path, "%s/store/tmp/leftover", s->folder);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    ok(blobs_walk(s->b, count, &seen, &s->e));
    assert_int_equal(seen.blobs, 1);
    assert_int_equal(seen.cached, 1);
    assert_int_equal(seen.temporary, 1);
    assert_string_equal(seen.sha, sha);
    assert_int_equal(blobs_walk(s->b, stop, &calls, &s->e), 42);
    assert_int_equal(calls, 1);
    ok(blobs_discard(s->b, 't', "leftover", &s->e));
    assert_int_equal(access(path, F_OK), -1);
}

static void young_blobs_stay(void **state)
{
    struct store *s = *state;
    const struct timespec old[2] = {{1000000, 0}, {1000000, 0}};
    char sha[65], path[256];

    ok(blob_put(s->b, "abc", 3, sha, &s->e));
    assert_int_equal(blob_remove_old(s->b, sha, 3600, &s->e), ERR_CONFLICT);
    path_of(s, sha, path);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    ok(blob_put(s->b, "abc", 3, sha, &s->e)); /* young again */
    assert_int_equal(blob_remove_old(s->b, sha, 3600, &s->e), ERR_CONFLICT);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    ok(blob_remove_old(s->b, sha, 3600, &s->e));
}

static void checks_itself(void **state)
{
    struct store *s = *state;
    struct seen seen = {0};

    ok(blobs_check(s->b, &s->e));
    ok(blobs_walk(s->b, count, &seen, &s->e));
    assert_int_equal(seen.cached, 0);
    assert_true(blobs_free_space(s->b) > 0);
}

static void opens_folders_only(void **state)
{
    struct store *s = *state;
    struct blobs *b = NULL;
    char url[160], path[128];

    assert_int_equal(blobs_open("gopher://x", NULL, &b, &s->e), ERR_ARG);
    assert_int_equal(blobs_open("file:", NULL, &b, &s->e), ERR_ARG);
    snprintf(path, sizeof path, "%s/file", s->folder);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    snprintf(url, sizeof url, "file://%s", path);
    assert_int_equal(blobs_open(url, NULL, &b, &s->e), ERR_IO);
    assert_null(b);
}

enum { ROUNDS = 200 };

static void *put_often(void *user)
{
    struct store *s = user;
    char sha[65];
    struct err e;
    intptr_t failures = 0;

    for (int i = 0; i < ROUNDS; i++) {
        char text[4];
        snprintf(text, sizeof text, "%03d", i % 10);
        failures += blob_put(s->b, text, 3, sha, &e) != 0;
        failures += !blob_exists(s->b, sha);
    }
    return (void *)failures;
}

static void many_put_at_once(void **state)
{
    struct store *s = *state;
    struct seen seen = {0};
    pthread_t threads[4];
    void *failures;

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, put_often, s);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &failures);
        assert_null(failures);
    }
    ok(blobs_walk(s->b, count, &seen, &s->e));
    assert_int_equal(seen.blobs, 10);
    assert_int_equal(seen.temporary, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(goes_in_and_out),
        TEST(damage_is_seen_and_healed),
        TEST(names_stay_in_the_folder),
        TEST(the_cache_replaces),
        TEST(walks_over_all),
        TEST(young_blobs_stay),
        TEST(checks_itself),
        TEST(opens_folders_only),
        TEST(many_put_at_once),
    };
    return cmocka_run_group_tests_name("storage_blob", tests, NULL, NULL);
}
