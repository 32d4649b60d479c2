#include "tasks/recipe_text.h"

#include "test.h"

#include <string.h>

static void test_names(void **state)
{
    struct arena a = {0};

    (void)state;
    assert_string_equal(recipe_name("set/7.png", &a), "set/7.json");
    assert_string_equal(recipe_name("set.v2/seven", &a), "set.v2/seven.json");
    assert_string_equal(recipe_name("7.tar.gz", &a), "7.tar.json");
    /* A caption is JSON itself: its recipe has another name. */
    assert_string_equal(recipe_name("set/7.json", &a), "set/7.json.json");
    arena_release(&a);
}

static struct str text_of(json_t *outcome, struct arena *a)
{
    struct task task = {.name = "prompts", .id = "1"};
    struct task_record row = {.record_id = "r1", .key = "k", .object = "o.png"};
    struct made made = {.type = "image/png", .sha256 = "s", .outcome = outcome};
    struct str out = recipe_text(&task, &row, &made, a);

    json_decref(outcome);
    return out;
}

static void test_equal_for_equal_works(void **state)
{
    struct arena a = {0};
    struct str one = text_of(json_pack("{s:{s:i}, s:{s:f}, s:s}", "recipe", "seed", 7, "timings",
                                       "drawn_seconds", 1.5, "generation_id", "g1"),
                             &a);
    struct str two = text_of(json_pack("{s:s, s:{s:i}, s:{s:f}}", "generation_id", "g2", "recipe",
                                       "seed", 7, "timings", "drawn_seconds", 2.5),
                             &a);

    (void)state;
    assert_true(str_eq(one, two));
    assert_non_null(strstr(one.p, "\"recipe\":{\"seed\":7}"));
    assert_null(strstr(one.p, "drawn_seconds"));
    arena_release(&a);
}

static void test_headers(void **state)
{
    struct arena a = {0};

    (void)state;
    assert_null(header_text(NULL, &a));
    assert_string_equal(header_text("plain text-1.0", &a), "plain text-1.0");
    assert_string_equal(header_text("50% \xc3\xa4\r\nX: y", &a), "50%25 %C3%A4%0D%0AX: y");
    assert_string_equal(header_text(" end ", &a), "%20end%20");
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_equal_for_equal_works),
        cmocka_unit_test(test_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
