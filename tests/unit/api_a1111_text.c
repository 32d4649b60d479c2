#include "api/a1111_text.h"

#include "base/json.h"
#include "test.h"

/* The texts and what becomes of them are those of Forge's parse_generation_parameters. */
static void expect(const char *text, const char *key, const char *value)
{
    json_t *o = a1111_text_parse(str_from(text));
    const char *found = json_text(o, key, NULL);

    if (value && (!found || strcmp(found, value) != 0))
        print_message("# %s of <%s>: %s\n", key, text, found ? found : "absent");
    if (value) {
        assert_non_null(found);
        assert_string_equal(found, value);
    } else {
        assert_null(found);
    }
    json_decref(o);
}

static void one_of_the_web_ui(void **state)
{
    static const char text[] =
        "girl with an artist's beret,\n computer monitors \nNegative prompt: ugly, fat\nblurry\n"
        "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 965400086, Size: "
        "512x768, Model hash: 45dee52b, Model: \"a, \\\"b\\\": c\", Clip skip: 2, Version: v1.10.1";
    static const char *const want[][2] = {
        {"Prompt", "girl with an artist's beret,\ncomputer monitors"},
        {"Negative prompt", "ugly, fat\nblurry"},
        {"Steps", "20"},
        {"Sampler", "DPM++ 2M"},
        {"Schedule type", "Karras"},
        {"CFG scale", "7"},
        {"Seed", "965400086"},
        {"Size-1", "512"},
        {"Size-2", "768"},
        {"Model hash", "45dee52b"},
        {"Model", "a, \"b\": c"},
        {"Clip skip", "2"},
        {"RNG", "GPU"},
        {"Version", "v1.10.1"},
        {"Size", NULL},
    };
    (void)state;

    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        expect(text, want[i][0], want[i][1]);
}

static void too_few_pairs_are_prompt(void **state)
{
    (void)state;
    expect("time: 12:30, place: here", "Prompt", "time: 12:30, place: here");
    expect("time: 12:30, place: here", "time", NULL);
    expect("Steps: 1, Sampler: a, CFG scale: 1", "Prompt", "");
    expect("Steps: 1, Sampler: a, CFG scale: 1", "Steps", "1");
    expect("", "Prompt", "");
    expect("", "Schedule type", "Automatic");
    expect("\n\n x \n\n", "Prompt", "x");
}

static void odd_pairs(void **state)
{
    (void)state;
    expect("p\nSteps: , Seed: 1, CFG scale: 2", "Steps", NULL);
    expect("p\nSteps: \"open, Seed: 1, CFG scale: 2", "Steps", "\"open");
    expect("p\nSteps: \"a\" b, Seed: 1, CFG scale: 2", "Steps", "\"a\" b");
    expect("p\nA: 1, Seed: 1, CFG scale: 2", "Prompt", "p\nA: 1, Seed: 1, CFG scale: 2");
    expect("p\n(Steps: 4, Seed: 1, CFG scale: 2", "Steps", "4");
    expect("p\nSteps: 4, Seed: 1, Seed: 2", "Seed", "2");
    expect("p\nSteps: \"\\q\", Seed: 1, Seed: 2", "Steps", "\"\\q\"");
    expect("p\nSteps: 4, Tiling, Seed: 1, Seed: 2", "Tiling", NULL);
    expect("p\nSteps: \"\\", "Prompt", "p\nSteps: \"\\");
}

static void long_lines_take_linear_time(void **state)
{
    size_t n = 1 << 20;
    char *text = malloc(n + 1);
    (void)state;

    memset(text, 'a', n);
    text[n] = '\0';
    expect(text, "Steps", NULL);
    memset(text, '"', n);
    expect(text, "Steps", NULL);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_the_web_ui),
        cmocka_unit_test(too_few_pairs_are_prompt),
        cmocka_unit_test(odd_pairs),
        cmocka_unit_test(long_lines_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
