#include "base/file.h"
#include "objects/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

static struct arena arena;
static struct err e;
static char root[64];
static struct objects *store;

/* File systems differ: some have no files without names (NFS, FUSE). */
static atomic_bool no_nameless;

int openat(int at, const char *name, int flags, ...)
{
    va_list rest;

    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (no_nameless && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_openat, at, name, flags, mode);
}

static const char *path(const char *below)
{
    return arena_printf(&arena, "%s/%s", root, below);
}

static void open_store(void)
{
    struct objects_options o = {0};
    const char *url = arena_printf(&arena, "file://%s", path("out"));

    assert_int_equal(objects_open(url, &o, &store, &e), 0);
}

static int begin(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/objects-XXXXXX");
    assert_non_null(mkdtemp(root));
    open_store();
    return 0;
}

static int end(void **state)
{
    char command[200];

    (void)state;
    objects_close(store);
    arena_release(&arena);
    snprintf(command, sizeof command, "chmod -R u+rwx %s && rm -r %s", root, root);
    return system(command);
}

static int put(const char *name, const char *text, bool replace, struct object_info *info)
{
    struct object_put p = {.name = name, .bytes = str_from(text), .replace = replace};
    return object_put(store, &p, &arena, info, &e);
}

static void holds(const char *name, const char *text)
{
    struct object_info info;
    struct str bytes;

    assert_int_equal(object_get(store, name, 1000, &arena, &bytes, &info, &e), 0);
    assert_string_equal(bytes.p, text);
    assert_int_equal(bytes.n, strlen(text));
    assert_int_equal(info.size, strlen(text));
}

/* Files and folders below, hidden ones too. */
static int count_entries(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int n = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return n;
}

/* ============================== Cases ============================== */

static void put_and_get(void **state)
{
    struct object_info info, head;
    struct objects_stats stats;

    (void)state;
    assert_int_equal(objects_check(store, &e), 0);
    assert_false(file_is_dir(path("out"))); /* nothing was touched */
    assert_int_equal(put("set/7/4 2.png", "123456789", false, &info), 0);
    assert_false(info.existed);
    assert_int_equal(info.sent, 9);
    assert_string_equal(info.crc32c, "4waSgw==");
    assert_string_equal(info.url, arena_printf(&arena, "file://%s/out/set/7/4%%202.png", root));
    assert_string_equal(info.https, info.url);
    holds("set/7/4 2.png", "123456789");
    assert_int_equal(object_head(store, "set/7/4 2.png", &arena, &head, &e), 0);
    assert_int_equal(head.size, 9);
    assert_string_equal(head.crc32c, info.crc32c);
    assert_int_equal(put("empty", "", false, &info), 0);
    holds("empty", "");
    assert_int_equal(count_entries(path("out/set/7")), 1); /* no temporary file */
    objects_stats(store, &stats);
    assert_int_equal(stats.puts, 2);
    assert_int_equal(stats.bytes_sent, 9);
}

static void nothing_is_overwritten_silently(void **state)
{
    struct object_info info;

    (void)state;
    assert_int_equal(put("x", "first", false, &info), 0);
    assert_int_equal(put("x", "first", false, &info), 0);
    assert_true(info.existed);
    assert_int_equal(info.sent, 0);
    assert_int_equal(put("x", "other", false, &info), ERR_CONFLICT);
    assert_non_null(strstr(e.message, "5 bytes"));
    assert_int_equal(put("x", "longer than it", false, &info), ERR_CONFLICT);
    assert_int_equal(put("x", "firs", false, &info), ERR_CONFLICT);
    holds("x", "first");
    assert_int_equal(put("x", "other", true, &info), 0);
    assert_false(info.existed);
    holds("x", "other");
    assert_int_equal(count_entries(path("out")), 1);
}

static void where_every_file_has_a_name(void **state)
{
    no_nameless = true;
    nothing_is_overwritten_silently(state);
    no_nameless = false;
}

static void what_is_not_there(void **state)
{
    struct object_info info;
    struct str bytes;

    (void)state;
    assert_int_equal(object_head(store, "x", &arena, &info, &e), ERR_NOT_FOUND);
    assert_int_equal(object_get(store, "a/b/x", 10, &arena, &bytes, &info, &e), ERR_NOT_FOUND);
    assert_int_equal(object_delete(store, "a/b/x", &e), 0);
    assert_int_equal(put("a/b/x", "text", false, &info), 0);
    assert_int_equal(object_get(store, "a/b/x", 3, &arena, &bytes, &info, &e), ERR_FORMAT);
    assert_int_equal(object_get(store, "a/b", 99, &arena, &bytes, &info, &e), ERR_IO);
    assert_int_equal(object_delete(store, "a/b/x", &e), 0);
    assert_int_equal(object_delete(store, "a/b/x", &e), 0);
    assert_int_equal(object_head(store, "a/b/x", &arena, &info, &e), ERR_NOT_FOUND);
}

static void links_are_not_followed(void **state)
{
    struct object_info info;
    struct str bytes;

    (void)state;
    assert_int_equal(put("inside", "x", false, &info), 0);
    assert_int_equal(mkdir(path("elsewhere"), 0777), 0);
    assert_int_equal(file_write(path("elsewhere/secret"), "s", 1, &e), 0);
    assert_int_equal(symlink("../elsewhere", path("out/folder")), 0);
    assert_int_equal(symlink("../elsewhere/secret", path("out/file")), 0);
    assert_int_equal(symlink("../elsewhere/new", path("out/dangling")), 0);
    assert_int_equal(object_get(store, "folder/secret", 9, &arena, &bytes, &info, &e), ERR_IO);
    assert_non_null(strstr(e.message, "link"));
    assert_int_equal(object_get(store, "file", 9, &arena, &bytes, &info, &e), ERR_IO);
    assert_int_equal(put("folder/new", "x", false, &info), ERR_IO);
    assert_int_equal(put("folder/secret", "x", true, &info), ERR_IO);
    assert_int_equal(put("dangling", "x", false, &info), ERR_IO);
    assert_int_equal(put("file", "x", true, &info), 0); /* the link is replaced, not its target */
    assert_int_equal(object_delete(store, "folder/secret", &e), ERR_IO);
    assert_int_equal(count_entries(path("elsewhere")), 1);
    assert_int_equal(file_read(&arena, path("elsewhere/secret"), 9, &bytes, &e), 0);
    assert_string_equal(bytes.p, "s");
}

static void names(void **state)
{
    static const char *const bad[] = {
        "",
        "/x",
        "x/",
        "a//b",
        ".",
        "..",
        "../x",
        "a/..",
        "a/./b",
        "a\\b",
        "a\nb",
        "a\x7f"
        "b",
        "\xff",
        "a/\xc0\xaf/b",
        "a\xc2\x85"
        "b",
        "\xed\xa0\x80",
        "tab\t",
    };
    char longest[1025], part[257];
    struct object_info info;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (put(bad[i], "x", false, &info) != ERR_ARG)
            fail_msg("'%s' was stored", bad[i]);
    memset(part, 'p', sizeof part);
    part[256] = 0;
    assert_int_equal(put(part, "x", false, &info), ERR_ARG);
    part[255] = 0;
    assert_int_equal(put(part, "x", false, &info), 0);
    for (int i = 0; i < 1024; i++)
        longest[i] = i % 128 == 127 ? '/' : 'n';
    longest[1023] = 'n';
    longest[1024] = 0;
    assert_int_equal(put(longest, "x", false, &info), 0);
    holds(longest, "x");
    assert_int_equal(put("\xe6\x97\xa5\xe6\x9c\xac/ ~%?#*", "x", false, &info), 0);
    assert_int_equal(put("..x/.y/z..", "x", false, &info), 0);
}

static void a_file_is_no_folder(void **state)
{
    struct object_info info;

    (void)state;
    assert_int_equal(put("a", "x", false, &info), 0);
    assert_int_equal(put("a/b", "x", false, &info), ERR_IO);
    assert_int_equal(put("d/e", "x", false, &info), 0);
    assert_int_equal(put("d", "x", false, &info), ERR_IO);
    assert_int_equal(put("d", "x", true, &info), ERR_IO);
    assert_int_equal(count_entries(path("out")), 2);
}

static void lists_in_the_order_of_names(void **state)
{
    /* '-' < '.' < '/' < '0': a folder's names do not follow its own. */
    static const char *const all[] = {"a-b", "a.b", "a/1", "a/2/x", "a/20", "a0", "b"};
    struct object_entry *entries;
    struct object_info info;
    const char *next, *cursor = NULL;
    size_t count, seen = 0;

    (void)state;
    assert_int_equal(objects_list(store, "", 10, NULL, &arena, &entries, &count, &next, &e), 0);
    assert_int_equal(count, 0);
    for (size_t i = 7; i-- > 0;)
        assert_int_equal(put(all[i], "xyz", false, &info), 0);
    assert_int_equal(file_write(path("out/.cauldron-put-1"), "x", 1, &e), 0);
    assert_int_equal(symlink("a-b", path("out/link")), 0);
    for (size_t limit = 1; limit <= 8; limit++, seen = 0) {
        do {
            assert_int_equal(
                objects_list(store, "", limit, cursor, &arena, &entries, &count, &next, &e), 0);
            assert_true(count <= limit);
            for (size_t i = 0; i < count; i++)
                assert_string_equal(entries[i].name, all[seen + i]);
            seen += count;
            cursor = next;
        } while (next);
        assert_int_equal(seen, 7);
    }
    assert_int_equal(entries[0].size, 3);
    assert_true(entries[0].updated_at > 1700000000000);
    assert_int_equal(objects_list(store, "a/2", 10, NULL, &arena, &entries, &count, &next, &e), 0);
    assert_int_equal(count, 2);
    assert_string_equal(entries[0].name, "a/2/x");
    assert_int_equal(objects_list(store, "a/", 10, "a/1", &arena, &entries, &count, &next, &e), 0);
    assert_int_equal(count, 2);
    assert_int_equal(objects_list(store, "../", 10, NULL, &arena, &entries, &count, &next, &e),
                     ERR_ARG);
}

static void *put_one(void *user)
{
    struct object_put p = {.name = "raced", .bytes = str_from(user)};
    struct object_info info;
    struct arena a = {0};
    struct err mine;
    int rc = object_put(store, &p, &a, &info, &mine);

    arena_release(&a);
    return (void *)(intptr_t)rc;
}

/* Of those that put other bytes at the same time, one kind wins and the others hear of it. */
static void races(void **state)
{
    static char one[] = "one", two[] = "two";
    pthread_t threads[8];
    struct str bytes;
    void *result;
    int good = 0;

    (void)state;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_one, i % 2 ? one : two), 0);
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], &result);
        good += result == NULL;
        assert_true(result == NULL || (intptr_t)result == ERR_CONFLICT);
    }
    assert_int_equal(good, 4);
    assert_int_equal(object_get(store, "raced", 9, &arena, &bytes, NULL, &e), 0);
    assert_int_equal(bytes.n, 3);
    assert_int_equal(count_entries(path("out")), 1);
}

static void races_where_every_file_has_a_name(void **state)
{
    no_nameless = true;
    races(state);
    no_nameless = false;
}

static void urls(void **state)
{
    static const char *const bad[] = {
        "", "file:", "file://host/dir", "gs:bucket", "gs://", "http://x", "/dir", "file"};
    struct objects_options o = {0};
    struct objects *other;
    char here[4096];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (objects_open(bad[i], &o, &other, &e) != ERR_ARG)
            fail_msg("'%s' was opened", bad[i]);
    assert_int_equal(objects_open("gs://bucket", &o, &other, &e), ERR_ARG); /* no network */
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(objects_open("file:some/dir/", &o, &other, &e), 0);
    struct object_info info;
    assert_int_equal(object_address(other, "x", &arena, &info, &e), 0);
    assert_non_null(strstr(info.url, "/some/dir/x"));
    assert_int_equal(object_address(other, "../x", &arena, &info, &e), ERR_ARG);
    objects_close(other);
    objects_close(NULL);
}

static void metadata_that_cannot_be_sent(void **state)
{
    static const struct object_pair bad[] = {{"", "x"},     {"a b", "x"},      {"a:", "x"},
                                             {"a", "x\ny"}, {"a", "\xc3\xbc"}, {"a", "\x7f"}};
    struct object_put p = {.name = "x", .bytes = STR("x"), .pair_count = 1};
    struct object_info info;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        p.pairs = &bad[i];
        assert_int_equal(object_put(store, &p, &arena, &info, &e), ERR_ARG);
    }
    p.pair_count = 0;
    p.type = "image/png\r\nX: y";
    assert_int_equal(object_put(store, &p, &arena, &info, &e), ERR_ARG);
    p.type = NULL;
    p.cache_control = "a\nb";
    assert_int_equal(object_put(store, &p, &arena, &info, &e), ERR_ARG);
    p.cache_control = NULL;
    p.session = "gs\r\n";
    assert_int_equal(object_put(store, &p, &arena, &info, &e), ERR_ARG);
    p.session = "of something else";
    assert_int_equal(object_put(store, &p, &arena, &info, &e), 0);
    assert_int_equal(object_abandon(store, "x", "any", &e), 0);
}

static void folders_that_cannot_be(void **state)
{
    struct objects_options o = {0};
    struct objects *other;
    struct object_info info;
    struct object_put p = {.name = "x", .bytes = STR("x")};

    (void)state;
    assert_int_equal(file_write(path("file"), "x", 1, &e), 0);
    assert_int_equal(
        objects_open(arena_printf(&arena, "file:%s", path("file/below")), &o, &other, &e), 0);
    assert_int_equal(objects_check(other, &e), ERR_IO);
    assert_int_equal(object_put(other, &p, &arena, &info, &e), ERR_IO);
    objects_close(other);
    assert_int_equal(objects_open("file:/proc/none", &o, &other, &e), 0);
    assert_int_equal(object_put(other, &p, &arena, &info, &e), ERR_IO);
    objects_close(other);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(put_and_get),
        CASE(nothing_is_overwritten_silently),
        CASE(where_every_file_has_a_name),
        CASE(what_is_not_there),
        CASE(links_are_not_followed),
        CASE(names),
        CASE(a_file_is_no_folder),
        CASE(lists_in_the_order_of_names),
        CASE(races),
        CASE(races_where_every_file_has_a_name),
        CASE(urls),
        CASE(metadata_that_cannot_be_sent),
        CASE(folders_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
