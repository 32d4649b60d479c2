/* The tables made from api/openapi.yaml: its own examples fit, and some values that must not pass
 * do not. */
#include "api/api_schemas.h"
#include "api/api_examples.h"

#include "test.h"

static json_t *parse(const char *json)
{
    json_t *value = json_loads(json, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(value);
    return value;
}

static void examples_fit(void **state)
{
    (void)state;
    assert_true(api_example_count > 10);
    for (size_t i = 0; i < api_example_count; i++) {
        const struct api_example *x = &api_examples[i];
        struct arena a = {0};
        struct schema_problem *p = NULL;
        size_t count = 0;
        json_t *value = parse(x->json);
        if (schema_check(x->schema, value, &a, &p, &count))
            fail_msg("example of %s: %s %s", x->operation, p[0].pointer, p[0].expected);
        json_decref(value);
        arena_release(&a);
    }
}

/* The first problem, as "pointer expected". */
static void refused(const struct schema *s, const char *json, const char *line)
{
    struct arena a = {0};
    struct schema_problem *p = NULL;
    size_t count = 0;
    json_t *value = parse(json);

    assert_int_equal(schema_check(s, value, &a, &p, &count), -1);
    assert_string_equal(arena_printf(&a, "%s %s", p[0].pointer, p[0].expected), line);
    json_decref(value);
    arena_release(&a);
}

static void generate_requests_are_checked(void **state)
{
    const struct schema *s = &schema_generate_request;
    (void)state;

    refused(s, "{}", "/prompt required: a text of 1 to 10000 characters");
    refused(s, "{\"prompt\": \"a\", \"steps\": 1001}", "/steps an integer from 1 to 1000");
    refused(s, "{\"prompt\": \"a\", \"width\": 100}",
            "/width an integer from 64 to 2048, a multiple of 8");
    refused(s, "{\"prompt\": \"a\", \"cfg\": 7}", "/cfg unknown member; did you mean 'cfg_scale'?");
    refused(s, "{\"prompt\": \"a\", \"seed\": -2}",
            "/seed an integer from -1 to 9223372036854775807");
    refused(s, "{\"prompt\": \"a\", \"count\": 65}", "/count an integer from 1 to 64");
}

static void generate_requests_get_their_constant_defaults(void **state)
{
    struct arena a = {0};
    struct schema_problem *p = NULL;
    size_t count = 0;
    json_t *value = parse("{\"prompt\": \"a\"}");
    (void)state;

    assert_int_equal(schema_check(&schema_generate_request, value, &a, &p, &count), 0);
    assert_int_equal(json_integer_value(json_object_get(value, "count")), 1);
    assert_string_equal(json_string_value(json_object_get(value, "priority")), "interactive");
    assert_int_equal(json_object_size(value), 3); /* what depends on the model stays absent */
    json_decref(value);
    arena_release(&a);
}

static void specs_are_checked_and_stay_as_written(void **state)
{
    static const char text[] =
        "{\"version\":1,\"type\":\"parameter_sweep\",\"axes\":[{\"zip\":[{\"parameter\":\"width\","
        "\"values\":[512]},{\"parameter\":\"height\",\"values\":\"64..128 by 8\"}]}],"
        "\"constraints\":[{\"where\":{\"model\":\"demo\",\"steps\":{\"not\":{\"max\":8}}},"
        "\"drop\":true}]}";
    struct arena a = {0};
    struct schema_problem *p = NULL;
    size_t count = 0;
    json_t *value = parse(text);
    (void)state;

    assert_int_equal(schema_check(&schema_experiment_spec, value, &a, &p, &count), 0);
    char *after = json_dumps(value, JSON_COMPACT);
    assert_string_equal(after, text);
    free(after);
    json_decref(value);
    arena_release(&a);
    refused(&schema_experiment_spec, "{\"version\": 2, \"type\": \"cfg\"}", "/version 1");
    refused(&schema_experiment_spec,
            "{\"version\": 1, \"type\": \"cfg\", \"axes\": [{\"parameter\": \"stepz\"}]}",
            "/axes/0/parameter one of prompt, negative_prompt, model, sampler, schedule, spacing, "
            "steps, cfg_scale, seed, width, height, eta, rng, clip_skip, guidance_rescale, "
            "strength, init_image, mask, original_width, original_height, crop_left, crop_top, "
            "target_width, target_height; did you mean 'steps'?");
    refused(&schema_experiment_spec,
            "{\"version\": 1, \"type\": \"cfg\", \"axes\": [{\"zip\": [{\"values\": [1]}, "
            "{\"values\": [{\"set\": {\"steps\": 0}}]}]}]}",
            "/axes/0/zip/1/values/0/set/steps an integer from 1 to 1000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_fit),
        cmocka_unit_test(generate_requests_are_checked),
        cmocka_unit_test(generate_requests_get_their_constant_defaults),
        cmocka_unit_test(specs_are_checked_and_stay_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
