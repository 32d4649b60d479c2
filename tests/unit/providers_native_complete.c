/* From what is asked for to a whole recipe: defaults, aliases, and everything that may be wrong. */
#include "providers_fixture.h"

#include <unistd.h>

static void defaults_are_the_models(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct recipe r = complete(p, &a, "{'prompt': 'x', 'seed': 3, 'negative_prompt': null}");
    (void)state;

    assert_string_equal(r.model, "sd1");
    assert_string_equal(r.architecture, "sd1");
    assert_int_equal(strlen(r.digest), 64);
    assert_string_equal(r.sampler, "pndm");
    assert_string_equal(r.schedule, "model");
    assert_null(r.spacing);
    assert_null(r.negative);
    assert_null(r.init);
    assert_string_equal(r.rng, "cpu");
    assert_string_equal(r.dtype, "f32");
    assert_int_equal(r.steps, 20);
    assert_int_equal(r.width, 64);
    assert_int_equal(r.height, 64);
    assert_true(r.guidance == 7.5 && r.strength == 0.8 && r.eta == 0);
    r = complete(p, &a, "{'prompt': 'x', 'model': 'sdxl'}");
    assert_true(r.guidance == 5);
    assert_string_equal(r.sampler, "euler");
    arena_release(&a);
    provider_close(p);
}

static void names_of_other_programs_are_understood(void **state)
{
    static const char *const cases[][4] = {
        {"'sampler': 'Euler a'", "euler_ancestral", "model"},
        {"'sampler': 'DPM++ 2M Karras'", "dpmpp_2m", "karras"},
        {"'sampler': 'DPM++ 2M Karras', 'schedule': 'uniform'", "dpmpp_2m", "uniform"},
        {"'sampler': 'k_dpmpp_2m_ka'", "dpmpp_2m", "karras"},
        {"'sampler': 'uni_pc_bh2', 'schedule': 'normal'", "uni_pc", "uniform"},
        {"'sampler': 'DPM++ 2M', 'schedule': 'Automatic'", "dpmpp_2m", "model"},
        {"'sampler': 'euler', 'schedule': 'SGM Uniform', 'spacing': 'trailing'", "euler",
         "sgm_uniform", "trailing"},
        {"'sampler': 'euler', 'spacing': 'model'", "euler", "model"},
    };
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recipe r = complete(p, &a, arena_printf(&a, "{'prompt': 'x', %s}", cases[i][0]));
        assert_string_equal(r.sampler, cases[i][1]);
        assert_string_equal(r.schedule, cases[i][2]);
        if (cases[i][3])
            assert_string_equal(r.spacing, cases[i][3]);
        else
            assert_null(r.spacing);
    }
    arena_release(&a);
    provider_close(p);
}

static void seeds_are_numbers_or_text(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    (void)state;

    assert_true(complete(p, &a, "{'prompt': 'x', 'seed': 0}").seed == 0);
    assert_true(complete(p, &a, "{'prompt': 'x', 'seed': 9223372036854775807}").seed == INT64_MAX);
    assert_true(complete(p, &a, "{'prompt': 'x', 'seed': '18446744073709551615'}").seed ==
                UINT64_MAX);
    const char *const random[] = {"", ", 'seed': -1", ", 'seed': '-1'", ", 'seed': null"};
    uint64_t seeds[4];
    for (int i = 0; i < 4; i++) {
        seeds[i] = complete(p, &a, arena_printf(&a, "{'prompt': 'x'%s}", random[i])).seed;
        assert_true(seeds[i] <= UINT32_MAX);
        for (int k = 0; k < i; k++)
            assert_true(seeds[i] != seeds[k]);
    }
    arena_release(&a);
    provider_close(p);
}

/* A whole recipe given back is that recipe, with that key. */
static void recipes_come_back(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct recipe r = complete(p, &a,
                               "{'prompt': 'x', 'seed': '18446744073709551615', 'steps': 5, "
                               "'sampler': 'Euler a', 'cfg_scale': 0.1}"),
                  again;
    json_t *object = recipe_to_json(&r);
    struct err e = {0};
    char key[65], wanted[65];
    (void)state;

    if (provider_complete(p, object, &a, &again, key, NULL, &e))
        fail_msg("%s", e.message);
    recipe_key(&r, provider_name(p), provider_version(p), wanted);
    assert_string_equal(key, wanted);
    assert_string_equal(recipe_json(&again, &a), recipe_json(&r, &a));
    json_object_set_new(object, "model_digest", json_string("0123"));
    assert_int_equal(provider_complete(p, object, &a, &again, key, NULL, &e), ERR_ARG);
    json_decref(object);
    arena_release(&a);
    provider_close(p);
}

/* The problems that these parameters have, as "name name"; the code must be ERR_ARG. */
static const char *problems_of(struct provider *p, struct arena *a, const char *text)
{
    json_t *given = parameters(text);
    struct parameter_problem *problems = NULL;
    struct recipe r = {.steps = -7};
    struct err e = {0};
    char key[65] = "untouched";
    const char *list = "";
    int rc = provider_complete(p, given, a, &r, key, &problems, &e);

    if (rc != ERR_ARG)
        fail_msg("%s: %d %s", text, rc, e.message);
    assert_int_equal(r.steps, -7);
    assert_string_equal(key, "untouched");
    for (; problems->name; problems++) {
        assert_true(problems->expected[0]);
        if (!strstr(e.message, problems->name) && strlen(e.message) < 700)
            fail_msg("'%s' does not name %s", e.message, problems->name);
        list = arena_printf(a, "%s%s%s", list, list[0] ? " " : "", problems->name);
    }
    json_decref(given);
    return list;
}

/* bf16 is asked for by name, of the provider or of a request, and only where the CPU has it. */
static void dtypes_are_chosen(void **state)
{
    struct provider *p = open_native((struct provider_options){0}), *fast = NULL;
    struct arena a = {0};
    struct hardware_info hw;
    struct err e = {0};
    (void)state;

    assert_string_equal(complete(p, &a, "{'prompt': 'x', 'dtype': 'auto'}").dtype, "f32");
    assert_int_equal(provider_hardware(p, &a, &hw, &e), 0);
    if (strcmp(hw.devices[0].isa, "avx512bf16") == 0) {
        assert_string_equal(complete(p, &a, "{'prompt': 'x', 'dtype': 'bf16'}").dtype, "bf16");
        fast = open_native((struct provider_options){.dtype = "bf16"});
        assert_string_equal(complete(fast, &a, "{'prompt': 'x'}").dtype, "bf16");
        assert_string_equal(complete(fast, &a, "{'prompt': 'x', 'dtype': 'f32'}").dtype, "f32");
        provider_close(fast);
    }
    provider_close(p);
    p = open_native((struct provider_options){.isa = "avx2"});
    assert_string_equal(complete(p, &a, "{'prompt': 'x'}").isa, "avx2");
    assert_string_equal(problems_of(p, &a, "{'prompt': 'x', 'dtype': 'bf16'}"), "dtype");
    provider_close(p);
    arena_release(&a);
}

static void pictures_give_the_size(void **state)
{
    const char *hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    (void)state;

    struct recipe r = complete(p, &a,
                               arena_printf(&a,
                                            "{'prompt': 'x', 'init_image': '%s', 'init_width': 95, "
                                            "'init_height': 120, 'height': 80, 'strength': 0.5}",
                                            hash));
    assert_string_equal(r.init, hash);
    assert_int_equal(r.width, 88);
    assert_int_equal(r.height, 80);
    assert_true(r.strength == 0.5);
    arena_release(&a);
    provider_close(p);
}

/* ==== what is wrong ==== */

static void every_bad_parameter_is_named(void **state)
{
    const char *hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static const char *const cases[][2] = {
        {"", "prompt"},
        {"'prompt': 3", "prompt"},
        {"'prompt': 'x', 'steps': 0", "steps"},
        {"'prompt': 'x', 'steps': 1001", "steps"},
        {"'prompt': 'x', 'steps': 2.5", "steps"},
        {"'prompt': 'x', 'steps': '20'", "steps"},
        {"'prompt': 'x', 'steps': 1e300", "steps"},
        {"'prompt': 'x', 'width': 50", "width"},
        {"'prompt': 'x', 'width': 0, 'height': 10000", "width height"},
        {"'prompt': 'x', 'width': 8192, 'height': 8192", "height"},
        {"'prompt': 'x', 'cfg_scale': 'high'", "cfg_scale"},
        {"'prompt': 'x', 'seed': -2", "seed"},
        {"'prompt': 'x', 'seed': 1.5", "seed"},
        {"'prompt': 'x', 'seed': '18446744073709551616'", "seed"},
        {"'prompt': 'x', 'seed': '0x10'", "seed"},
        {"'prompt': 'x', 'seed': ''", "seed"},
        {"'prompt': 'x', 'sampler': 'eular'", "sampler"},
        {"'prompt': 'x', 'sampler': ''", "sampler"},
        {"'prompt': 'x', 'sampler': 'euler', 'schedule': 'carras'", "schedule"},
        {"'prompt': 'x', 'sampler': 'ddim', 'schedule': 'karras'", "schedule"},
        {"'prompt': 'x', 'sampler': 'DDIM Karras'", "sampler"},
        {"'prompt': 'x', 'spacing': 'tailing'", "spacing"},
        {"'prompt': 'x', 'sampler': 'lcm', 'spacing': 'leading'", "spacing"},
        {"'prompt': 'x', 'sampler': 'euler', 'schedule': 'sgm_uniform', 'spacing': 'leading'",
         "spacing"},
        {"'prompt': 'x', 'sampler': 'euler', 'eta': 0.5", "eta"},
        {"'prompt': 'x', 'sampler': 'ddim', 'eta': 2", "eta"},
        {"'prompt': 'x', 'rng': 'gpu'", "rng"},
        {"'prompt': 'x', 'clip_skip': 9", "clip_skip"},
        {"'prompt': 'x', 'dtype': 'f8'", "dtype"},
        {"'prompt': 'x', 'strength': 0.5", "strength"},
        {"'prompt': 'x', 'mask': 'HASH'", "mask"},
        {"'prompt': 'x', 'mask': 'nonsense'", "mask"},
        {"'prompt': 'x', 'init_width': 64", "init_width"},
        {"'prompt': 'x', 'init_image': 'HASH', 'strength': 0", "strength"},
        {"'prompt': 'x', 'init_image': 'HASH', 'strength': 0.01, 'steps': 5", "strength"},
        {"'prompt': 'x', 'model': 'inpainting'", "mask"},
        {"'prompt': 'x', 'model': 7", "model"},
        {"'prompt': 'x', 'prompts': [], 'scheduler': 1", "prompts scheduler"},
        {"'steps': 0, 'width': 7, 'sampler': 'z', 'seed': [], 'colour': 'red'",
         "colour prompt width sampler steps seed"},
    };
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = arena_printf(&a, "{%s}", cases[i][0]), *at = strstr(text, "HASH");
        if (at)
            text = arena_printf(&a, "%.*s%s%s", (int)(at - text), text, hash, at + 4);
        const char *got = problems_of(p, &a, text);
        struct str names = str_from(cases[i][1]), name;
        size_t length = 0;
        while (str_cut(&names, ' ', &name)) {
            if (!strstr(arena_printf(&a, " %s ", got),
                        arena_printf(&a, " %.*s ", (int)name.n, name.p)))
                fail_msg("%s: got '%s', wanted %s", text, got, cases[i][1]);
            length += name.n + 1;
        }
        if (strlen(got) + 1 != length)
            fail_msg("%s: got '%s', wanted %s", text, got, cases[i][1]);
    }
    arena_release(&a);
    provider_close(p);
}

/* What a sampler was found to run is remembered, with all that the answer depends on. */
static void what_was_allowed_allows_nothing_else(void **state)
{
    static const char *const cases[][2] = {
        {"'steps': 5, 'init_image': 'HASH', 'strength': 0.9", ""},
        {"'steps': 5, 'init_image': 'HASH', 'strength': 0.01", " strength "},
        {"'steps': 5", ""},
        {"'steps': 2, 'sampler': 'dpmpp_2m', 'schedule': 'karras'", ""},
        {"'steps': 2, 'sampler': 'dpmpp_2m', 'schedule': 'karras', 'init_image': 'HASH', "
         "'strength': 0.4",
         " strength "},
    };
    const char *hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    (void)state;

    for (size_t i = 0; i < 3 * sizeof cases / sizeof *cases; i++) {
        const char *const *one = cases[i % (sizeof cases / sizeof *cases)];
        char *text = arena_printf(&a, "{'prompt': 'x', %s}", one[0]), *at = strstr(text, "HASH");
        if (at)
            text = arena_printf(&a, "%.*s%s%s", (int)(at - text), text, hash, at + 4);
        if (one[1][0])
            assert_string_equal(arena_printf(&a, " %s ", problems_of(p, &a, text)), one[1]);
        else
            assert_int_equal(complete(p, &a, text).steps > 0, 1);
    }
    arena_release(&a);
    provider_close(p);
}

static int code_of(struct provider *p, struct arena *a, const json_t *given, struct err *e)
{
    struct recipe r;
    char key[65];
    return provider_complete(p, given, a, &r, key, NULL, e);
}

static void hostile_parameters_end_in_an_error(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct err e = {0};
    json_t *object = json_object(), *text = json_string("x");
    (void)state;

    assert_int_equal(code_of(p, &a, text, &e), ERR_ARG);
    for (int i = 0; i < 1000; i++)
        json_object_set_new(object, arena_printf(&a, "%0200d", i), json_integer(i));
    assert_int_equal(code_of(p, &a, object, &e), ERR_ARG);
    json_object_clear(object);
    json_object_set_new(object, "prompt", json_stringn("a\0b", 3));
    assert_int_equal(code_of(p, &a, object, &e), ERR_ARG);
    assert_non_null(strstr(e.message, "NUL"));
    json_object_clear(object);
    char *huge = arena_alloc(&a, 1 << 20);
    memset(huge, 'a', (1 << 20) - 1);
    json_object_set_new(object, "prompt", json_string(huge));
    assert_int_equal(code_of(p, &a, object, &e), ERR_ARG);
    json_object_set_new(object, "prompt", json_string("x"));
    json_object_set_new(object, "model", json_string(huge));
    assert_int_equal(code_of(p, &a, object, &e), ERR_ARG);
    json_decref(object);
    json_decref(text);
    arena_release(&a);
    provider_close(p);
}

/* Names are names: nothing outside the folders of models can be asked for. */
static void models_are_named_not_pathed(void **state)
{
    static const char *const names[] = {"gone/model", "../models/sd1", "/etc/passwd",
                                        "./sd1",      "sd1/../sd1",    "sd1/unet/config.json\n"};
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct err e = {0};
    (void)state;

    assert_int_equal(chdir(tiny_models(&a)), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *given = json_pack("{s:s, s:s}", "prompt", "x", "model", names[i]);
        assert_int_equal(code_of(p, &a, given, &e), ERR_NOT_FOUND);
        json_decref(given);
    }
    json_t *given = json_pack("{s:s, s:s}", "prompt", "x", "model", "gone/model");
    assert_int_equal(code_of(p, &a, given, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.message, "no model 'gone/model' is installed; installed: "));
    assert_non_null(strstr(e.message, "sd1, sd2-v, sdxl"));
    assert_non_null(strstr(e.message, "; get it with 'cauldron models pull gone/model'"));
    json_decref(given);
    arena_release(&a);
    provider_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_models),
        cmocka_unit_test(names_of_other_programs_are_understood),
        cmocka_unit_test(seeds_are_numbers_or_text),
        cmocka_unit_test(recipes_come_back),
        cmocka_unit_test(pictures_give_the_size),
        cmocka_unit_test(dtypes_are_chosen),
        cmocka_unit_test(every_bad_parameter_is_named),
        cmocka_unit_test(what_was_allowed_allows_nothing_else),
        cmocka_unit_test(hostile_parameters_end_in_an_error),
        cmocka_unit_test(models_are_named_not_pathed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
