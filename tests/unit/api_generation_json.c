/* Rows as text: every value that a row can have must come out as JSON that reads back the same. */
#include "api/generation_json.h"

#include "base/json.h"
#include "test.h"

#include <math.h>

static json_t *written(const struct generation *g)
{
    struct buf b;
    struct err e = {0};
    json_t *tree;

    buf_init(&b, 1 << 20);
    assert_int_equal(generation_write(g, NULL, &b), 0);
    assert_int_equal(json_read((struct str){b.p, b.n}, &tree, &e), 0);
    buf_release(&b);
    return tree;
}

static void expect(const json_t *tree, const char *name, const char *want)
{
    struct arena a = {0};
    const json_t *value = json_object_get(tree, name);

    assert_non_null(value);
    assert_string_equal(json_compact(value, &a), want);
    arena_release(&a);
}

static void an_empty_row(void **state)
{
    static const char *const want[][2] = {
        {"prompt", "\"\""},
        {"negative_prompt", "null"},
        {"parameters", "{}"},
        {"seed", "0"},
        {"cell", "null"},
        {"replicate", "null"},
        {"axes", "null"},
        {"image", "null"},
        {"generation_time", "null"},
        {"memory_used", "null"},
        {"measures", "null"},
        {"error", "null"},
        {"rating", "null"},
        {"favourite", "false"},
        {"tags", "[]"},
        {"metadata", "{}"},
        {"progress", "null"},
        {"generated_at", "null"},
        {"cfg_scale", "0.0"},
        {"user_id", "null"},
        {"url", "\"/api/v1/generations/x\""},
    };
    json_t *tree = written(&(struct generation){.id = "x", .cell = -1, .cfg_scale = NAN});
    (void)state;

    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        expect(tree, want[i][0], want[i][1]);
    json_decref(tree);
}

static void a_full_row(void **state)
{
    static const char *const tags[] = {"a\"b", "\xc3\xbc", NULL};
    struct generation g = {
        .id = "x",
        .prompt = "line\n\"two\" \\ \x01",
        .negative_prompt = "",
        .cell = 3,
        .replicate = 1,
        .axes = "{\"steps\":4}",
        .parameters = "{\"prompt\":\"\\\"seed\\\":\\\"9\\\"\",\"seed\":\"5\",\"steps\":4}",
        .seed = 5,
        .cfg_scale = 7.1,
        .sha256 = "ab",
        .bytes = 12,
        .seconds = 0.1,
        .memory_used = 5,
        .measures = "{\"contrast\":0.25}",
        .error_code = "x",
        .rating = 4,
        .favourite = true,
        .tags = tags,
        .created_at = 1,
        .status = GENERATION_SUCCEEDED,
    };
    static const char *const want[][2] = {
        {"status", "\"succeeded\""},
        {"prompt", "\"line\\n\\\"two\\\" \\\\ \\u0001\""},
        {"negative_prompt", "\"\""},
        {"parameters", "{\"prompt\":\"\\\"seed\\\":\\\"9\\\"\",\"seed\":5,\"steps\":4}"},
        {"cell", "3"},
        {"axes", "{\"steps\":4}"},
        {"cfg_scale", "7.1"},
        {"generation_time", "0.1"},
        {"image",
         "{\"url\":\"/api/v1/generations/x/image\",\"thumbnail_url\":\"/api/v1/generations/x/"
         "thumbnail\",\"sha256\":\"ab\",\"format\":\"png\",\"bytes\":12,\"width\":0,\"height\":0}"},
        {"measures", "{\"contrast\":0.25}"},
        {"error", "{\"code\":\"x\",\"message\":\"\"}"},
        {"rating", "4"},
        {"favourite", "true"},
        {"tags", "[\"a\\\"b\",\"\xc3\xbc\"]"},
        {"created_at", "\"1970-01-01T00:00:00.001Z\""},
    };
    json_t *tree = written(&g);
    (void)state;

    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        expect(tree, want[i][0], want[i][1]);
    json_decref(tree);
}

static void large_seeds_are_texts(void **state)
{
    static const struct {
        uint64_t seed;
        const char *stored, *want;
    } cases[] = {
        {0, "\"0\"", "0"},
        {9007199254740991u, "\"9007199254740991\"", "9007199254740991"},
        {9007199254740992u, "\"9007199254740992\"", "\"9007199254740992\""},
        {UINT64_MAX, "\"18446744073709551615\"", "\"18446744073709551615\""},
    };
    struct arena a = {0};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *stored = arena_printf(&a, "{\"seed\":%s}", cases[i].stored);
        json_t *tree =
            written(&(struct generation){.id = "x", .seed = cases[i].seed, .parameters = stored});
        json_t *recipe = recipe_answer(stored), *seed = seed_json(cases[i].seed);
        expect(tree, "seed", cases[i].want);
        assert_string_equal(json_compact(seed, &a), cases[i].want);
        assert_true(json_equal(recipe, json_object_get(tree, "parameters")));
        json_decref(seed);
        json_decref(recipe);
        json_decref(tree);
    }
    json_t *none = recipe_answer("not JSON");
    assert_int_equal(json_object_size(none), 0);
    json_decref(none);
    arena_release(&a);
}

static void a_page(void **state)
{
    struct generation rows[] = {{.id = "x"}, {.id = "y"}};
    struct buf b;
    struct err e = {0};
    json_t *tree;
    (void)state;

    buf_init(&b, 1 << 20);
    assert_int_equal(generations_write(rows, 2, "more", NULL, &b, &e), 0);
    assert_int_equal(json_read((struct str){b.p, b.n}, &tree, &e), 0);
    assert_int_equal(json_array_size(json_object_get(tree, "items")), 2);
    expect(tree, "next_cursor", "\"more\"");
    json_decref(tree);
    buf_release(&b);
    buf_init(&b, 100);
    assert_int_equal(generations_write(rows, 2, NULL, NULL, &b, &e), ERR_NOMEM);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_row),
        cmocka_unit_test(a_full_row),
        cmocka_unit_test(large_seeds_are_texts),
        cmocka_unit_test(a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
