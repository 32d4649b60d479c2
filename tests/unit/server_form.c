#include "server/form.h"

#include "test.h"

static struct form_part *parts;
static size_t count;
static struct err e;

static int multipart(struct arena *a, const char *type, struct str body)
{
    struct str boundary;
    int rc = form_boundary(a, type, &boundary, &e);

    return rc ? rc : form_multipart(a, body, boundary, &parts, &count, &e);
}

static void reads(void **state)
{
    struct arena a = {0};

    (void)state;
    assert_int_equal(
        multipart(
            &a, "multipart/form-data; charset=x; boundary=\"B B\"",
            STR("preamble\r\n--B B  \r\n"
                "content-disposition: form-data; filename=\"C:\\x\\\"y\\\\.png\"; name=file\r\n"
                "X-Other: 1\r\nContent-Type: image/png\r\n\r\n"
                "\0\r\n--B\r\n\r\n--B B\r\n"
                "Content-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--B B--\r\nepilogue")),
        0);
    assert_int_equal(count, 2);
    assert_string_equal(parts[0].name, "file");
    assert_string_equal(parts[0].filename, "C:\\x\"y\\.png");
    assert_string_equal(parts[0].type, "image/png");
    assert_int_equal(parts[0].value.n, 8);
    assert_memory_equal(parts[0].value.p, "\0\r\n--B\r\n", 8);
    assert_string_equal(parts[1].name, "empty");
    assert_null(parts[1].filename);
    assert_null(parts[1].type);
    assert_int_equal(parts[1].value.n, 0);
    arena_release(&a);
}

static void nothing_in_it(void **state)
{
    struct arena a = {0};

    (void)state;
    assert_int_equal(multipart(&a, "multipart/form-data; boundary=x", STR("--x--")), 0);
    assert_int_equal(count, 0);
    arena_release(&a);
}

static void refuses(void **state)
{
    struct arena a = {0};
    static const char *const types[] = {
        "multipart/form-data",
        "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary",
        "multipart/form-data; "
        "boundary=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaa"};
    static const char *const bodies[] = {
        "",
        "--y--",
        "--x",
        "--x\r\n",
        "--x\r\n\r\nvalue\r\n--x--",                                  /* no name */
        "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nvalue", /* no end */
        "--x\r\nContent-Disposition: form-data; name=a\r\n--x--",     /* no empty line */
        "--x\r\nContent-Disposition form-data; name=a\r\n\r\nv\r\n--x--",
        "--x\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nv\r\n--x--",
        "--xx\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n--x--",
    };

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        assert_int_equal(multipart(&a, types[i], STR("--x--")), ERR_FORMAT);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_int_equal(multipart(&a, "multipart/form-data; boundary=x", str_from(bodies[i])),
                         ERR_FORMAT);
    arena_release(&a);
}

static void too_many(void **state)
{
    struct arena a = {0};
    static const char part[] = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n";
    size_t n = sizeof part - 1;
    char *body = malloc(1001 * n + 5);

    (void)state;
    for (size_t i = 0; i < 1001; i++)
        memcpy(body + i * n, part, n);
    memcpy(body + 1001 * n, "--x--", 5);
    assert_int_equal(
        multipart(&a, "multipart/form-data; boundary=x", (struct str){body, 1001 * n + 5}),
        ERR_FORMAT);
    assert_int_equal(
        multipart(&a, "multipart/form-data; boundary=x", (struct str){body + n, 1000 * n + 5}), 0);
    assert_int_equal(count, 1000);
    free(body);
    arena_release(&a);
}

static void urlencoded(void **state)
{
    struct arena a = {0};

    (void)state;
    assert_int_equal(form_urlencoded(&a, STR("a=1+2&&b=%41%2b&c&=d&e==f"), &parts, &count, &e), 0);
    static const char *const want[][2] = {
        {"a", "1 2"}, {"b", "A+"}, {"c", ""}, {"", "d"}, {"e", "=f"}};
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(parts[i].name, want[i][0]);
        assert_int_equal(parts[i].value.n, strlen(want[i][1]));
        assert_string_equal(parts[i].value.p, want[i][1]);
    }
    assert_int_equal(form_urlencoded(&a, STR("a=%"), &parts, &count, &e), ERR_FORMAT);
    assert_int_equal(form_urlencoded(&a, (struct str){NULL, 0}, &parts, &count, &e), 0);
    assert_int_equal(count, 0);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),    cmocka_unit_test(nothing_in_it), cmocka_unit_test(refuses),
        cmocka_unit_test(too_many), cmocka_unit_test(urlencoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
