#include "server/router.h"

#include "test.h"

static int nothing(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    (void)e;
    return 0;
}

#define ROUTE(m, p) {.method = (m), .path = (p), .operation = (p), .handle = nothing}

static const struct route routes[] = {
    ROUTE("GET", "/"),
    ROUTE("GET", "/a"),
    ROUTE("POST", "/a"),
    ROUTE("GET", "/a/{id}"),
    ROUTE("DELETE", "/a/{id}"),
    ROUTE("GET", "/a/mine"),
    ROUTE("GET", "/a/{id}/b/{other}"),
    ROUTE("GET", "/a/mine/c"),
    ROUTE("PATCH", "/{any}/d"),
};

struct fixture {
    struct router *router;
    struct arena arena;
    struct route_match match;
    struct err e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    *state = f;
    return router_new(routes, sizeof routes / sizeof *routes, &f->router, &f->e);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    router_free(f->router);
    arena_release(&f->arena);
    free(f);
    return 0;
}

static int match(struct fixture *f, const char *method, const char *path)
{
    f->match = (struct route_match){0};
    return router_match(f->router, method, str_from(path), &f->arena, &f->match, &f->e);
}

static const char *param(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->match.param_count; i++)
        if (strcmp(f->match.params[i].name, name) == 0)
            return f->match.params[i].value;
    return NULL;
}

static void finds(void **state)
{
    struct fixture *f = *state;
    static const char *const good[][3] = {
        {"GET", "/", "/"},
        {"GET", "/a", "/a"},
        {"HEAD", "/a", "/a"},
        {"POST", "/a", "/a"},
        {"GET", "/a/7", "/a/{id}"},
        {"DELETE", "/a/7", "/a/{id}"},
        {"GET", "/a/mine", "/a/mine"},
        {"GET", "/a/%6dine", "/a/mine"},
        {"GET", "/a/mine/c", "/a/mine/c"},
        {"GET", "/a/mine/b/x", "/a/{id}/b/{other}"}, /* back out of the text */
        {"PATCH", "/z/d", "/{any}/d"},
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(match(f, good[i][0], good[i][1]), 0);
        assert_string_equal(f->match.route->path, good[i][2]);
    }
}

static void params_are_decoded(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(match(f, "GET", "/a/x%2Fy%20z/b/%C3%A9"), 0);
    assert_string_equal(param(f, "id"), "x/y z");
    assert_string_equal(param(f, "other"), "\xc3\xa9");
    assert_null(param(f, "any"));
    assert_int_equal(match(f, "GET", "/a/../b/x"), 0); /* dots are letters here */
    assert_string_equal(param(f, "id"), "..");
}

static void not_found(void **state)
{
    struct fixture *f = *state;
    char deep[400];

    for (size_t i = 0; i < sizeof deep - 1; i++)
        deep[i] = i % 2 ? 'a' : '/';
    deep[sizeof deep - 1] = 0;
    const char *const bad[] = {"",        "a",      "*",       "/b", "/a/",
                               "/a//b/x", "/a/7/b", "/a/7/b/", "/A", deep};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(match(f, "GET", bad[i]), ERR_NOT_FOUND);
}

static void other_methods(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(match(f, "DELETE", "/a"), ERR_UNSUPPORTED);
    assert_string_equal(f->match.allow, "GET, HEAD, POST, OPTIONS");
    assert_null(f->match.route);
    assert_int_equal(match(f, "BREW", "/a/7"), ERR_UNSUPPORTED);
    assert_string_equal(f->match.allow, "GET, HEAD, DELETE, OPTIONS");
    assert_int_equal(match(f, "HEAD", "/a/d"), 0);
    assert_string_equal(f->match.route->path, "/a/{id}");
    assert_int_equal(match(f, "PATCH", "/a/d"), ERR_UNSUPPORTED); /* the path decides first */
    assert_int_equal(match(f, "OPTIONS", "/z/d"), ERR_UNSUPPORTED);
    assert_string_equal(f->match.allow, "PATCH, OPTIONS");
}

static void malformed(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(match(f, "GET", "/a/%"), ERR_FORMAT);
    assert_int_equal(match(f, "GET", "/a/%00"), ERR_FORMAT);
    assert_int_equal(match(f, "GET", "/a/%ff"), ERR_FORMAT);
}

static void bad_tables(void **state)
{
    struct router *router = NULL;
    struct err e;
    const struct route bad[][2] = {
        {ROUTE("GET", "/a"), ROUTE("GET", "/a")},
        {ROUTE("GET", "/{x}"), ROUTE("GET", "/{y}")},
        {ROUTE("GET", "/a"), ROUTE("get", "/b")},
        {ROUTE("GET", "/a"), ROUTE("GET", "b")},
        {ROUTE("GET", "/a"), ROUTE("GET", "/x{y}")},
        {ROUTE("GET", "/a"), ROUTE("GET", "/{}")},
        {ROUTE("GET", "/a"), {.method = "GET", .path = "/b"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(router_new(bad[i], 2, &router, &e), ERR_ARG);
    assert_null(router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds, setup, teardown),
        cmocka_unit_test_setup_teardown(params_are_decoded, setup, teardown),
        cmocka_unit_test_setup_teardown(not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(other_methods, setup, teardown),
        cmocka_unit_test_setup_teardown(malformed, setup, teardown),
        cmocka_unit_test(bad_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
