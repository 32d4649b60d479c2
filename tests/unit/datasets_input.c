#include "datasets/input.h"

#include "test.h"

#include <fcntl.h>
#include <unistd.h>

static struct err e;
static char path[] = "/tmp/cauldron-input-XXXXXX";

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void put_file(const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void put_text(const char *text)
{
    put_file(text, strlen(text));
}

static void check_line(struct input *in, const char *text, int64_t line)
{
    struct scan scan = scan_line;
    struct piece piece;

    assert_int_equal(input_next(in, &scan, &piece, &e), 0);
    assert_false(piece.end);
    assert_int_equal(piece.text.n, strlen(text));
    assert_memory_equal(piece.text.p, text, piece.text.n);
    assert_int_equal(in->line, line);
}

static void check_end(struct input *in)
{
    struct scan scan = scan_line;
    struct piece piece;

    assert_int_equal(input_next(in, &scan, &piece, &e), 0);
    assert_true(piece.end);
}

static void lines_come_one_by_one(void **state)
{
    struct input in;
    (void)state;

    put_text("\xef\xbb\xbf"
             "a\n\r\n\nlast");
    assert_int_equal(input_open(&in, path, NULL, &e), 0);
    check_line(&in, "a\n", 1);
    check_line(&in, "\r\n", 2);
    check_line(&in, "\n", 3);
    check_line(&in, "last", 4);
    check_end(&in);
    check_end(&in);
    input_close(&in);
    put_text("");
    assert_int_equal(input_open(&in, path, NULL, &e), 0);
    check_end(&in);
    input_close(&in);
}

static void positions_lead_back(void **state)
{
    struct arena a = {0};
    struct input in, other;
    (void)state;

    put_text("a\nbb\nccc\n");
    assert_int_equal(input_open(&in, path, NULL, &e), 0);
    assert_int_equal(input_open(&other, path, NULL, &e), 0);
    check_line(&in, "a\n", 1);
    check_line(&in, "bb\n", 2);
    in.number = 7;
    assert_int_equal(input_seek(&other, input_position(&in, &a), &e), 0);
    assert_int_equal(other.number, 7);
    check_line(&other, "ccc\n", 3);
    assert_int_equal(input_seek(&other, NULL, &e), 0);
    check_line(&other, "a\n", 1);
    /* A failure moves nothing. */
    assert_int_equal(input_seek(&other, "1:5:1:1:9:", &e), ERR_ARG);
    check_line(&other, "bb\n", 2);
    input_close(&in);
    input_close(&other);
    arena_release(&a);
}

static void a_position_must_be_where_a_line_begins(void **state)
{
    struct arena a = {0};
    struct input in;
    (void)state;

    put_text("a\nbb\nccc\n");
    assert_int_equal(input_open(&in, path, NULL, &e), 0);
    in.offset = 3;
    assert_int_equal(input_seek(&in, input_position(&in, &a), &e), ERR_CONFLICT);
    in.offset = 10;
    assert_int_equal(input_seek(&in, input_position(&in, &a), &e), ERR_CONFLICT);
    in.offset = 9;
    assert_int_equal(input_seek(&in, input_position(&in, &a), &e), 0);
    input_close(&in);
    arena_release(&a);
}

/* A line of exactly the most, and one of a byte more, between others. */
static void the_most_is_exact(void **state)
{
    struct input in;
    struct scan scan = scan_line;
    struct piece piece;
    size_t most = DATASET_RECORD_MOST, n = 2 * most + 5;
    char *bytes = malloc(n);
    (void)state;

    assert_non_null(bytes);
    memset(bytes, 'x', n);
    bytes[1] = bytes[1 + most] = bytes[2 + 2 * most] = bytes[4 + 2 * most] = '\n';
    put_file(bytes, n);
    assert_int_equal(input_open(&in, path, NULL, &e), 0);
    check_line(&in, "x\n", 1);
    assert_int_equal(input_next(&in, &scan, &piece, &e), 0);
    assert_false(piece.too_large);
    assert_int_equal(piece.text.n, most);
    assert_int_equal(input_next(&in, &scan, &piece, &e), 0);
    assert_true(piece.too_large);
    assert_int_equal(piece.bytes, most + 1);
    assert_int_equal(in.offset, 3 + 2 * (int64_t)most);
    check_line(&in, "x\n", 4);
    check_end(&in);
    input_close(&in);
    free(bytes);
}

static void what_is_no_file_is_refused(void **state)
{
    struct input in;
    (void)state;

    assert_int_equal(input_open(&in, "/dev/zero", NULL, &e), ERR_ARG);
    assert_int_equal(input_open(&in, "/tmp", NULL, &e), ERR_ARG);
    assert_int_equal(input_open(&in, "/nowhere/at/all", NULL, &e), ERR_NOT_FOUND);
    assert_int_equal(input_open(&in, path, &(struct dataset_access){.inside = true}, &e), ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_one_by_one),
        cmocka_unit_test(positions_lead_back),
        cmocka_unit_test(a_position_must_be_where_a_line_begins),
        cmocka_unit_test(the_most_is_exact),
        cmocka_unit_test(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
