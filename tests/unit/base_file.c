#include "base/file.h"

#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static struct err e;

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/base-file-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static const char *in(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, 256, "%s/%s", folder, name);
    return path;
}

static int entries(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void written_files_are_read_and_mapped(void **state)
{
    struct arena a = {0};
    struct mapping m;
    struct str text;
    struct stat st;
    (void)state;

    mode_t former = umask(027);
    assert_int_equal(file_write(in("x"), "hello", 5, &e), 0);
    umask(former);
    assert_int_equal(stat(in("x"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(file_read(&a, in("x"), 5, &text, &e), 0);
    assert_int_equal(text.n, 5);
    assert_string_equal(text.p, "hello");
    assert_int_equal(file_map(in("x"), &m, &e), 0);
    assert_int_equal(m.n, 5);
    assert_memory_equal(m.p, "hello", 5);
    file_forget(&m);
    assert_memory_equal(m.p, "hello", 5);
    file_unmap(&m);
    assert_null(m.p);
    arena_release(&a);
}

static void a_file_over_the_limit_is_refused(void **state)
{
    struct arena a = {0};
    struct str text = STR("untouched");
    (void)state;

    assert_int_equal(file_write(in("x"), "hello", 5, &e), 0);
    assert_int_equal(file_read(&a, in("x"), 4, &text, &e), ERR_FORMAT);
    assert_string_equal(text.p, "untouched");
    arena_release(&a);
}

static void empty_files_are_files(void **state)
{
    struct arena a = {0};
    struct mapping m;
    struct str text;
    (void)state;

    assert_int_equal(file_write(in("x"), NULL, 0, &e), 0);
    assert_int_equal(file_map(in("x"), &m, &e), 0);
    assert_true(m.p == NULL && m.n == 0);
    file_forget(&m);
    file_unmap(&m);
    assert_int_equal(file_read(&a, in("x"), 0, &text, &e), 0);
    assert_int_equal(text.n, 0);
    assert_string_equal(text.p, "");
    arena_release(&a);
}

static void only_regular_files_are_opened(void **state)
{
    struct arena a = {0};
    struct mapping m;
    struct str text;
    (void)state;

    assert_int_equal(file_map(in("nowhere"), &m, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.message, "nowhere"));
    assert_int_equal(file_write(in("x"), "", 0, &e), 0);
    assert_int_equal(file_map(in("x/y"), &m, &e), ERR_NOT_FOUND);
    assert_int_equal(file_map(folder, &m, &e), ERR_IO);
    assert_int_equal(file_map("/dev/zero", &m, &e), ERR_IO);
    assert_int_equal(mkfifo(in("pipe"), 0600), 0); /* must not wait for a writer */
    assert_int_equal(file_read(&a, in("pipe"), 10, &text, &e), ERR_IO);
    assert_false(file_exists(in("pipe")) || file_exists(folder) || file_exists(in("nowhere")));
    assert_true(file_exists(in("x")) && file_is_dir(folder) && !file_is_dir(in("x")));
    arena_release(&a);
}

static void a_failed_write_leaves_nothing(void **state)
{
    (void)state;

    assert_int_equal(file_write(in("no/folder"), "x", 1, &e), ERR_IO);
    assert_int_equal(mkdir(in("taken"), 0700), 0);
    assert_int_equal(file_write(in("taken"), "x", 1, &e), ERR_IO);
    assert_int_equal(entries(), 1);
}

static void a_write_replaces(void **state)
{
    struct arena a = {0};
    struct str text;
    (void)state;

    assert_int_equal(file_write(in("x"), "a longer text", 13, &e), 0);
    assert_int_equal(file_write(in("x"), "new", 3, &e), 0);
    assert_int_equal(file_read(&a, in("x"), 100, &text, &e), 0);
    assert_string_equal(text.p, "new");
    assert_int_equal(entries(), 1);
    arena_release(&a);
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;

    assert_int_equal(file_make_dirs(in("a/b//c/"), &e), 0);
    assert_true(file_is_dir(in("a/b/c")));
    assert_int_equal(file_make_dirs(in("a/b/c"), &e), 0);
    assert_int_equal(file_write(in("a/file"), "", 0, &e), 0);
    assert_int_equal(file_make_dirs(in("a/file"), &e), ERR_IO);
    assert_int_equal(file_make_dirs(in("a/file/x"), &e), ERR_IO);
    assert_int_equal(file_make_dirs("/", &e), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(written_files_are_read_and_mapped),
        CASE(a_file_over_the_limit_is_refused),
        CASE(empty_files_are_files),
        CASE(only_regular_files_are_opened),
        CASE(a_failed_write_leaves_nothing),
        CASE(a_write_replaces),
        CASE(folders_are_made_with_their_parents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
