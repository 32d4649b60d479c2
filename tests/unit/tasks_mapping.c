#include "tasks/mapping.h"

#include "test.h"

static struct arena arena;
static struct mapping_problem problem;
static struct err e;

static int done(void **unused)
{
    (void)unused;
    arena_release(&arena);
    return 0;
}

static json_t *json(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);

    assert_non_null(value);
    return value;
}

static void test_paths(void **unused)
{
    json_t *r = json("{\"a\": {\"b\": [1, {\"c\": \"x\"}]}, \"a.b\": \"whole\", \"n\": null}");

    (void)unused;
    assert_string_equal(json_string_value(mapping_find(r, "a.b")), "whole");
    assert_string_equal(json_string_value(mapping_find(r, "a.b.1.c")), "x");
    assert_int_equal(json_integer_value(mapping_find(r, "a.b.0")), 1);
    assert_null(mapping_find(r, "a.b.2"));
    assert_null(mapping_find(r, "a.b.-1"));
    assert_null(mapping_find(r, "n"));
    assert_null(mapping_find(r, "a.c.d"));
    assert_true(mapping_is_path("a.0.b"));
    assert_false(mapping_is_path(""));
    assert_false(mapping_is_path(".a"));
    assert_false(mapping_is_path("a."));
    json_decref(r);
}

/* What a field of the document gives for the record, as a text, or what is wrong. */
static const char *text(const char *field, const char *record)
{
    json_t *f = json(field), *r = json(record);
    struct mapped m;
    const char *out = NULL, *got = "?";

    problem = (struct mapping_problem){0};
    int rc = mapping_field(f, r, &arena, &m, &problem, &e);
    if (!rc)
        rc = mapping_text(&m, 1, 100, &arena, &out, &problem, &e);
    got = rc ? problem.message : out ? arena_strdup(&arena, out) : NULL;
    json_decref(f);
    json_decref(r);
    return got;
}

static void test_texts(void **unused)
{
    (void)unused;
    assert_string_equal(text("\"p\"", "{\"p\": \"cat\"}"), "cat");
    assert_string_equal(text("\"p\"", "{\"p\": 7}"), "expected a text, got a number (7)");
    assert_string_equal(text("\"p\"", "{\"p\": {\"$numberLong\": \"7\"}}"),
                        "expected a text, got a number (7)");
    assert_string_equal(text("\"p\"", "{\"p\": [1, 2]}"), "expected a text, got a list of 2");
    assert_string_equal(text("\"p\"", "{\"p\": true}"), "expected a text, got true");
    assert_string_equal(text("\"p\"", "{\"p\": {\"x\": 1}}"), "expected a text, got an object");
    assert_string_equal(text("\"p\"", "{\"p\": \"\"}"), "expected a text, got an empty one");
    assert_string_equal(text("\"p\"", "{}"), "the record has none");
    assert_string_equal(problem.field, "p");
    assert_string_equal(text("\"p\"", "{\"p\": {\"$oid\": \"65ab\"}}"), "65ab");
    assert_null(text("{\"field\": \"p\", \"optional\": true}", "{}"));
    assert_string_equal(text("{\"value\": \"fixed\"}", "{}"), "fixed");
    assert_string_equal(text("{\"template\": \"a {x.y}\"}", "{\"x\": {\"y\": 3}}"), "a 3");
    assert_string_equal(text("{\"template\": \"a {x}\"}", "{}"),
                        "expected a text or a number for a template, got nothing");
}

static void seed_is(const char *value, const char *expected)
{
    json_t *v = json(value);
    struct mapped m = {.name = "seed", .value = v, .text = json_string_value(v)};
    uint64_t seed = 0;
    bool given = false;
    int rc = mapping_seed(&m, &arena, &given, &seed, &problem, &e);

    if (expected) {
        assert_int_equal(rc, 0);
        assert_true(given);
        assert_string_equal(arena_printf(&arena, "%llu", (unsigned long long)seed), expected);
    } else {
        assert_int_equal(rc, ERR_ARG);
        assert_non_null(strstr(problem.message, "expected a seed"));
    }
    json_decref(v);
}

static void test_seeds(void **unused)
{
    (void)unused;
    seed_is("42", "42");
    seed_is("42.0", "42");
    seed_is("\"18446744073709551615\"", "18446744073709551615");
    seed_is("{\"$numberLong\": \"9007199254740993\"}", "9007199254740993");
    seed_is("-1", NULL);
    seed_is("1.5", NULL);
    seed_is("1e300", NULL);
    seed_is("\"18446744073709551616\"", NULL);
    seed_is("\"0x10\"", NULL);
    seed_is("true", NULL);
    seed_is("[1]", NULL);

    struct mapped none = {.name = "seed"}, empty = {.name = "seed", .text = ""};
    uint64_t seed;
    bool given = true;
    assert_int_equal(mapping_seed(&none, &arena, &given, &seed, &problem, &e), 0);
    assert_false(given);
    assert_int_equal(mapping_seed(&empty, &arena, &given, &seed, &problem, &e), 0);
    assert_false(given);
}

static void test_objects_and_parameters(void **unused)
{
    json_t *o = json("\"{\\\"steps\\\": 4}\""), *out = NULL;
    struct mapped m = {.name = "overrides", .value = o, .text = json_string_value(o)};

    (void)unused;
    assert_int_equal(mapping_object(&m, &arena, &out, &problem, &e), 0);
    assert_int_equal(json_integer_value(json_object_get(out, "steps")), 4);
    json_decref(out);
    json_decref(o);
    o = json("\"steps=4\"");
    m = (struct mapped){.name = "overrides", .value = o, .text = json_string_value(o)};
    assert_int_equal(mapping_object(&m, &arena, &out, &problem, &e), ERR_ARG);
    assert_string_equal(problem.message,
                        "expected an object of parameters, got the text 'steps=4'");
    json_decref(o);
    o = json("\"6.5\""); /* as a CSV file has it */
    m = (struct mapped){.name = "cfg", .value = o, .text = json_string_value(o)};
    assert_int_equal(mapping_parameter(&m, "cfg_scale", &arena, &out, &problem, &e), 0);
    assert_true(json_is_real(out) && json_real_value(out) == 6.5);
    json_decref(out);
    assert_int_equal(mapping_parameter(&m, "sampler", &arena, &out, &problem, &e), 0);
    assert_string_equal(json_string_value(out), "6.5");
    json_decref(out);
    json_decref(o);
    o = json("\"many\"");
    m = (struct mapped){.name = "n", .value = o, .text = json_string_value(o)};
    assert_int_equal(mapping_parameter(&m, "steps", &arena, &out, &problem, &e), ERR_ARG);
    assert_string_equal(problem.message, "expected a number for 'steps', got the text 'many'");
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_objects_and_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
