#include "recipe/recipe.h"

#include "test.h"

static const struct recipe sample = {
    .model = "demo",
    .digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    .architecture = "sd1",
    .prompt = "a \"red\" circle,\nline two \xc3\xbc",
    .negative = "",
    .sampler = "dpmpp_2m",
    .schedule = "karras",
    .rng = "cpu",
    .dtype = "f32",
    .isa = "avx2",
    .seed = UINT64_MAX,
    .steps = 20,
    .width = 128,
    .height = 64,
    .clip_skip = 1,
    .guidance = 0.1,
    .strength = 0.8,
};

static void json_brings_everything_back(void **state)
{
    struct arena a = {0};
    struct recipe r;
    struct err e = {0};
    (void)state;

    char *json = recipe_json(&sample, &a);
    assert_int_equal(recipe_parse(str_from(json), &a, &r, &e), 0);
    assert_string_equal(r.prompt, sample.prompt);
    assert_string_equal(r.negative, "");
    assert_null(r.spacing);
    assert_null(r.init);
    assert_true(r.seed == UINT64_MAX && r.guidance == 0.1 && r.strength == 0.8 && r.width == 128 &&
                r.clip_skip == 1);
    assert_string_equal(recipe_json(&r, &a), json);
    arena_release(&a);
}

static void parameters_are_those_of_a1111(void **state)
{
    struct arena a = {0};
    struct recipe r = sample;
    (void)state;

    r.prompt = "a cat";
    r.negative = "a dog";
    assert_string_equal(recipe_parameters(&r, &a),
                        "a cat\nNegative prompt: a dog\nSteps: 20, Sampler: DPM++ 2M, Schedule "
                        "type: Karras, CFG scale: "
                        "0.1, Seed: 18446744073709551615, Size: 128x64, Model hash: 0123456789, "
                        "Model: demo, Clip skip: "
                        "2, RNG: CPU, Version: cauldron 0.1.0");
    arena_release(&a);
}

/* Order, quotes and what is left out as in create_infotext of Forge's modules/processing.py. */
static void parameters_quoted_stripped_in_order(void **state)
{
    struct arena a = {0};
    struct recipe r = sample;
    (void)state;

    r.prompt = "  a cat";
    r.negative = NULL;
    r.model = "cats: \"all\", 1";
    r.init = sample.digest;
    r.strength = 0.123456789;
    r.guidance = 7;
    r.sampler = "ddim";
    r.eta = 0.5;
    assert_string_equal(recipe_parameters(&r, &a),
                        "a cat\nSteps: 20, Sampler: DDIM, Schedule type: Karras, CFG scale: 7, "
                        "Seed: 18446744073709551615, Size: 128x64, Model hash: 0123456789, Model: "
                        "\"cats: \\\"all\\\", 1\", Denoising strength: 0.123456789, Clip skip: 2, "
                        "RNG: CPU, Eta DDIM: 0.5, Version: cauldron 0.1.0");
    r.rng = "cuda"; /* A1111's default, so not written */
    assert_null(strstr(recipe_parameters(&r, &a), "RNG"));
    arena_release(&a);
}

static void others_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "{}",
                                      "[1]",
                                      "{\"recipe\": 2}",
                                      "{\"recipe\": 1}",
                                      "{\"recipe\": 1, \"model\": 5}",
                                      "{\"recipe\": 1, \"recipe\": 1}"};
    struct arena a = {0};
    struct recipe r;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        assert_int_equal(recipe_parse(str_from(bad[i]), &a, &r, &e), ERR_FORMAT);
    }
    char *json = recipe_json(&sample, &a);
    struct err e = {0};
    char *seed = strstr(json, "18446744073709551615");
    seed[0] = '-';
    assert_int_equal(recipe_parse(str_from(json), &a, &r, &e), ERR_FORMAT);
    assert_string_equal(e.message, "the recipe's 'seed' is not what it should be");
    arena_release(&a);
}

static void the_key_is_what_decides_the_pixels(void **state)
{
    struct recipe r = sample;
    char key[65], other[65];
    (void)state;

    recipe_key(&r, "native", "1", key);
    assert_int_equal(strlen(key), 64);
    r.isa = "another";
    r.model = "the same weights under another name";
    recipe_key(&r, "native", "1", other);
    assert_string_equal(key, other);
    r.seed++;
    recipe_key(&r, "native", "1", other);
    assert_string_not_equal(key, other);
    r.seed--;
    recipe_key(&r, "native", "2", other);
    assert_string_not_equal(key, other);
    r.digest = NULL; /* without a digest the name must do */
    recipe_key(&r, "native", "1", key);
    r.model = "yet another";
    recipe_key(&r, "native", "1", other);
    assert_string_not_equal(key, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_brings_everything_back),
        cmocka_unit_test(parameters_are_those_of_a1111),
        cmocka_unit_test(parameters_quoted_stripped_in_order),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(the_key_is_what_decides_the_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
