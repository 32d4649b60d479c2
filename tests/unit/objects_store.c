#include "objects/store.h"

#include "test.h"

static struct arena arena;
static struct err e;

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void buckets(void **state)
{
    static const char *const bad[] = {"",         "ab",      "/x",       "Upper",
                                      "-abc",     ".abc",    "a..b",     "a b c",
                                      "abc/../x", "abc/./x", "abc/a//b", "abc/a\nb"};
    struct objects o = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (store_bucket(&o, bad[i], &e) != ERR_ARG)
            fail_msg("'%s' was taken", bad[i]);
    assert_int_equal(store_bucket(&o, "my-bucket_7.example", &e), 0);
    assert_string_equal(o.bucket, "my-bucket_7.example");
    assert_string_equal(o.prefix, "");
    assert_int_equal(store_bucket(&o, "abc/", &e), 0);
    assert_string_equal(o.prefix, "");
    assert_int_equal(store_bucket(&o, "abc/some/prefix//", &e), 0);
    assert_string_equal(o.bucket, "abc");
    assert_string_equal(o.prefix, "some/prefix/");
    arena_release(&o.arena);
}

static void lengths_count_the_prefix(void **state)
{
    char name[1025];

    (void)state;
    for (int i = 0; i < 1024; i++)
        name[i] = i % 100 == 99 ? '/' : 'n';
    name[1024] = 0;
    assert_int_equal(store_check_name("", name, &e), 0);
    assert_int_equal(store_check_name("p/", name, &e), ERR_ARG);
    assert_int_equal(store_check_name("p/", name + 2, &e), 0);
}

static void percent(void **state)
{
    (void)state;
    assert_string_equal(store_percent(&arena, "a/B-9._~ %+?#&\xc3\xbc", ""),
                        "a%2FB-9._~%20%25%2B%3F%23%26%C3%BC");
    assert_string_equal(store_percent(&arena, "a/b c", "/"), "a/b%20c");
    assert_string_equal(store_percent(&arena, "", ""), "");
}

static void codes_of_statuses(void **state)
{
    static const struct {
        int status, code;
    } cases[] = {
        {400, ERR_FORMAT},  {401, ERR_DENIED},   {403, ERR_DENIED},  {404, ERR_NOT_FOUND},
        {408, ERR_NETWORK}, {409, ERR_CONFLICT}, {411, ERR_FORMAT},  {412, ERR_CONFLICT},
        {429, ERR_NETWORK}, {500, ERR_NETWORK},  {503, ERR_NETWORK}, {302, ERR_FORMAT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(store_refused(&e, "store", "x", cases[i].status, "why"), cases[i].code);
    assert_string_equal(e.message, "cannot store 'x': the service answered 302: why");
    assert_int_equal(store_refused(&e, "read", "x", 500, NULL), ERR_NETWORK);
    assert_string_equal(e.message, "cannot read 'x': the service answered 500");
}

static void sameness(void **state)
{
    struct object_info there = {.size = 9};
    struct sums ours;

    (void)state;
    sums_of("123456789", 9, &ours);
    assert_int_equal(store_same(&there, 9, &ours), -1);
    assert_int_equal(store_same(&there, 8, &ours), 0);
    memcpy(there.crc32c, ours.crc32c, sizeof there.crc32c);
    assert_int_equal(store_same(&there, 9, &ours), 1);
    memcpy(there.md5, "AAAAAAAAAAAAAAAAAAAAAA==", sizeof there.md5);
    assert_int_equal(store_same(&there, 9, &ours), 0);
    assert_int_equal(store_verify(&e, "x", &there, STR("123456789")), ERR_FORMAT);
    memcpy(there.md5, ours.md5, sizeof there.md5);
    assert_int_equal(store_same(&there, 9, &ours), 1);
    assert_int_equal(store_verify(&e, "x", &there, STR("123456789")), 0);
    assert_int_equal(store_verify(&e, "x", &there, STR("12345678")), ERR_FORMAT);
    assert_int_equal(store_verify(&e, "x", &there, STR("123456780")), ERR_FORMAT);
    assert_int_equal(store_conflict(&e, "x", &there, 3, &ours), ERR_CONFLICT);
    assert_non_null(strstr(e.message, "9 bytes"));
    assert_non_null(strstr(e.message, "3 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets),  cmocka_unit_test(lengths_count_the_prefix),
        cmocka_unit_test(percent),  cmocka_unit_test(codes_of_statuses),
        cmocka_unit_test(sameness),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
