#include "base/arena.h"

#include "test.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    struct arena a = {0};
    (void)state;

    for (size_t n = 0; n < 300; n++) {
        unsigned char *p = arena_alloc(&a, n);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xaa, n);
    }
    arena_release(&a);
    assert_null(a.blocks);
}

static void pieces_do_not_overlap(void **state)
{
    enum { COUNT = 200 };
    struct arena a = {0};
    unsigned char *pieces[COUNT];
    size_t sizes[COUNT];
    (void)state;

    for (int i = 0; i < COUNT; i++) {
        sizes[i] = (size_t)(i * 977 % 9000); /* small ones and ones with a block of their own */
        pieces[i] = arena_alloc(&a, sizes[i]);
        memset(pieces[i], i, sizes[i]);
    }
    for (int i = 0; i < COUNT; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(pieces[i][k], i);
    arena_release(&a);
}

static void sizes_of_users_may_fail(void **state)
{
    struct arena a = {0};
    (void)state;

    assert_null(arena_try(&a, SIZE_MAX, 2));
    assert_null(arena_try(&a, SIZE_MAX / 2 + 1, 1));
    assert_null(arena_try(&a, SIZE_MAX / 3, 4));
    assert_non_null(arena_try(&a, 0, 0));
    assert_non_null(arena_try(&a, 1 << 20, 4));
    arena_release(&a);
}

static void texts_are_copies(void **state)
{
    struct arena a = {0};
    char text[] = "hello world";
    (void)state;

    char *whole = arena_strdup(&a, text), *part = arena_str(&a, (struct str){text, 5});
    text[0] = 'j';
    assert_string_equal(whole, "hello world");
    assert_string_equal(part, "hello");
    assert_string_equal(arena_str(&a, (struct str){NULL, 0}), "");
    assert_string_equal(arena_printf(&a, "%s-%d", "x", 42), "x-42");
    char *long_text = arena_printf(&a, "%0100000d", 7);
    assert_int_equal(strlen(long_text), 100000);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(sizes_of_users_may_fail),
        cmocka_unit_test(texts_are_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
