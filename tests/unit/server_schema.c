#include "server/schema.h"

#include "test.h"

#include <math.h>

static const struct schema any = {.types = SCHEMA_ANY};
static const struct schema text = {.types = SCHEMA_STRING, .min_length = 1, .max_length = 4};
static const struct schema uuid = {.types = SCHEMA_STRING, .format = "uuid"};
static const struct schema moment = {.types = SCHEMA_STRING, .format = "date-time"};
static const struct schema hash = {.types = SCHEMA_STRING, .format = "sha256"};
static const struct schema bytes = {.types = SCHEMA_STRING, .format = "base64"};
static const struct schema address = {.types = SCHEMA_STRING, .format = "uri"};
static const struct schema digits = {.types = SCHEMA_STRING, .format = "seed"};
static const struct schema steps = {
    .types = SCHEMA_INTEGER, .minimum = 1, .maximum = 1000, .initial = "20"};
static const struct schema side = {
    .types = SCHEMA_INTEGER, .minimum = 64, .maximum = 2048, .multiple_of = 8};
static const struct schema whole = {.types = SCHEMA_INTEGER, .minimum = -1, .maximum = 0x1p63};
static const struct schema strength = {
    .types = SCHEMA_NUMBER, .minimum = 0, .maximum = 1, .exclusive_minimum = true};
static const struct schema positive = {
    .types = SCHEMA_NUMBER, .minimum = 0, .maximum = INFINITY, .exclusive_minimum = true};
static const struct schema at_most = {.types = SCHEMA_NUMBER, .minimum = -INFINITY, .maximum = 0.5};
static const struct schema number = {.types = SCHEMA_NUMBER};
static const struct schema flag = {.types = SCHEMA_BOOLEAN};
static const char *const sampler_names[] = {"euler", "heun", "dpmpp_2m", NULL};
static const struct schema sampler = {.types = SCHEMA_STRING, .choices = sampler_names};
static const char *const sizes[] = {"128", "256", NULL};
static const struct schema size = {.types = SCHEMA_INTEGER, .choices = sizes};
static const char *const only_true[] = {"true", NULL};
static const struct schema yes = {.types = SCHEMA_BOOLEAN, .choices = only_true};
static const struct schema maybe = {.types = SCHEMA_STRING | SCHEMA_NULL, .choices = sampler_names};
static const struct schema rating = {
    .types = SCHEMA_INTEGER | SCHEMA_NULL, .minimum = 0, .maximum = 5};
static const struct schema tags = {
    .types = SCHEMA_ARRAY, .items = &text, .max_items = 3, .unique_items = true};
static const struct schema pair = {
    .types = SCHEMA_ARRAY, .items = &steps, .min_items = 2, .max_items = 2};
static const struct schema *const seed_any[] = {&whole, &digits, NULL};
static const struct schema seed = {.any = seed_any};

static const struct schema_member inner_members[] = {{"sampler", &sampler, true},
                                                     {"steps", &steps, false}};
static const struct schema inner = {
    .types = SCHEMA_OBJECT, .members = inner_members, .member_count = 2};
static const struct schema *const either_any[] = {&inner, &tags, NULL};
static const struct schema either = {.any = either_any};
static const struct schema_member small_members[] = {{"width", &side, true}};
static const struct schema small = {
    .types = SCHEMA_OBJECT, .members = small_members, .member_count = 1};
static const struct schema *const objects_any[] = {&inner, &small, NULL};
static const struct schema objects = {.any = objects_any};

static const struct schema_member members[] = {
    {"prompt", &text, true},
    {"steps", &steps, false},
    {"width", &side, false},
    {"cfg_scale", &number, false},
    {"negative_prompt", &text, false},
    {"inner", &inner, false},
    {"tags", &tags, false},
    {"seed", &seed, false},
    {"either", &either, false},
};
static const struct schema request = {
    .types = SCHEMA_OBJECT, .members = members, .member_count = 9};
static const struct schema_member loose_members[] = {{"steps", &steps, false}};
static const struct schema loose = {
    .types = SCHEMA_OBJECT, .members = loose_members, .member_count = 1, .others = &any};
static const struct schema counted = {
    .types = SCHEMA_OBJECT, .others = &steps, .min_members = 1, .max_members = 2};

static const struct schema tree;
static const struct schema_member tree_members[] = {{"not", &tree, false}};
static const struct schema tree = {
    .types = SCHEMA_OBJECT, .members = tree_members, .member_count = 1};

/* "pointer expected" lines of all problems; "" when there are none. The value as it is afterwards
 * goes to `after` when given. */
static char *problems_after(const struct schema *s, const char *json, char **after)
{
    struct arena a = {0};
    struct schema_problem *p = NULL;
    size_t count = 0;
    static char lines[65536];
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);

    assert_non_null(value);
    lines[0] = 0;
    int result = schema_check(s, value, &a, &p, &count);
    assert_int_equal(result, count ? -1 : 0);
    for (size_t i = 0; i < count; i++)
        snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s%s %s", i ? "\n" : "",
                 p[i].pointer, p[i].expected);
    if (after)
        *after = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);
    arena_release(&a);
    return lines;
}

static char *problems_of(const struct schema *s, const char *json)
{
    return problems_after(s, json, NULL);
}

static void fits(const struct schema *s, const char *json)
{
    assert_string_equal(problems_of(s, json), "");
}

static void words_are(const struct schema *s, const char *words)
{
    struct arena a = {0};

    assert_string_equal(schema_words(s, &a), words);
    arena_release(&a);
}

static void what_is_wanted_is_said_in_words(void **state)
{
    (void)state;
    words_are(&any, "any value");
    words_are(&text, "a text of 1 to 4 characters");
    words_are(&uuid, "a UUID");
    words_are(&digits, "a decimal number from 0 to 18446744073709551615 as a text");
    words_are(&steps, "an integer from 1 to 1000");
    words_are(&side, "an integer from 64 to 2048, a multiple of 8");
    words_are(&strength, "a number above 0, at most 1");
    words_are(&positive, "a number above 0");
    words_are(&at_most, "a number of at most 0.5");
    words_are(&number, "a number");
    words_are(&flag, "true or false");
    words_are(&sampler, "one of euler, heun, dpmpp_2m");
    words_are(&size, "one of 128, 256");
    words_are(&yes, "true");
    words_are(&maybe, "one of euler, heun, dpmpp_2m or null");
    words_are(&rating, "an integer from 0 to 5 or null");
    words_are(&tags, "a list of at most 3 items");
    words_are(&pair, "a list of 2 items");
    words_are(&inner, "an object");
    words_are(&counted, "an object of 1 to 2 members");
    words_are(&seed, "an integer from -1 to 9223372036854775807, or a decimal number from 0 to "
                     "18446744073709551615 as a text");
}

static void scalars_are_checked(void **state)
{
    (void)state;
    fits(&steps, "1");
    fits(&steps, "1000");
    fits(&steps, "1e3");
    assert_string_equal(problems_of(&steps, "0"), " an integer from 1 to 1000");
    assert_string_equal(problems_of(&steps, "1001"), " an integer from 1 to 1000");
    assert_string_equal(problems_of(&steps, "1.5"), " an integer from 1 to 1000");
    assert_string_equal(problems_of(&steps, "\"20\""), " an integer from 1 to 1000");
    assert_string_equal(problems_of(&steps, "null"), " an integer from 1 to 1000");
    assert_string_equal(problems_of(&steps, "true"), " an integer from 1 to 1000");
    fits(&side, "64");
    assert_string_not_equal(problems_of(&side, "65"), "");
    fits(&strength, "1");
    fits(&strength, "1e-9");
    assert_string_not_equal(problems_of(&strength, "0"), "");
    assert_string_not_equal(problems_of(&strength, "1.0001"), "");
    fits(&positive, "1e300");
    assert_string_not_equal(problems_of(&positive, "0"), "");
    fits(&at_most, "-1e300");
    assert_string_not_equal(problems_of(&at_most, "0.6"), "");
    fits(&number, "-7");
    fits(&flag, "false");
    assert_string_not_equal(problems_of(&flag, "0"), "");
    fits(&whole, "9223372036854775807");
    fits(&rating, "null");
    assert_string_not_equal(problems_of(&rating, "6"), "");
    fits(&any, "[{\"a\": null}]");
}

static void choices_are_checked(void **state)
{
    (void)state;
    fits(&sampler, "\"heun\"");
    assert_string_equal(problems_of(&sampler, "\"hein\""),
                        " one of euler, heun, dpmpp_2m; did you mean 'heun'?");
    assert_string_equal(problems_of(&sampler, "\"zzzzzz\""), " one of euler, heun, dpmpp_2m");
    assert_string_equal(problems_of(&sampler, "7"), " one of euler, heun, dpmpp_2m");
    fits(&size, "256");
    fits(&size, "256.0");
    assert_string_equal(problems_of(&size, "512"), " one of 128, 256");
    assert_string_not_equal(problems_of(&size, "128.4"), "");
    fits(&yes, "true");
    assert_string_equal(problems_of(&yes, "false"), " true");
    fits(&maybe, "null");
    assert_string_not_equal(problems_of(&maybe, "\"null\""), "");
}

static void lengths_are_in_code_points(void **state)
{
    (void)state;
    fits(&text, "\"\xc3\xa4\xc3\xb6\xc3\xbc\xf0\x9f\x8c\x8d\"");
    fits(&text, "\"\\u00e4\\u00f6\\u00fc\\ud83c\\udf0d\"");
    assert_string_equal(problems_of(&text, "\"abcde\""), " a text of 1 to 4 characters");
    assert_string_equal(problems_of(&text, "\"\""), " a text of 1 to 4 characters");
}

static void formats_are_checked(void **state)
{
    char *after;
    (void)state;

    fits(&uuid, "\"0192f0c1-7b7a-7c1e-9a53-5d0c7f4f2b11\"");
    assert_string_equal(problems_after(&uuid, "\"0192F0C1-7B7A-7C1E-9A53-5D0C7F4F2B11\"", &after),
                        "");
    assert_string_equal(after, "\"0192f0c1-7b7a-7c1e-9a53-5d0c7f4f2b11\"");
    free(after);
    assert_string_equal(problems_of(&uuid, "\"0192f0c1\""), " a UUID");
    assert_string_not_equal(problems_of(&uuid, "\"0192f0c1-7b7a-7c1e-9a53-5d0c7f4f2b1g\""), "");
    assert_string_not_equal(problems_of(&uuid, "\"0192f0c1+7b7a-7c1e-9a53-5d0c7f4f2b11\""), "");
    fits(&moment, "\"2026-11-21T17:36:21Z\"");
    fits(&moment, "\"2026-11-21T17:36:21.123+01:00\"");
    assert_string_equal(problems_of(&moment, "\"yesterday\""),
                        " a time such as 2026-11-21T17:36:21Z");
    assert_string_not_equal(problems_of(&moment, "\"2026-13-21T17:36:21Z\""), "");
    fits(&hash, "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"");
    assert_string_not_equal(problems_of(&hash, "\"0123456789ABCDEF\""), "");
    fits(&bytes, "\"\"");
    fits(&bytes, "\"aGVsbG8=\"");
    fits(&bytes, "\"aGVsbA==\"");
    assert_string_equal(problems_of(&bytes, "\"aGVsbG8\""), " base64");
    assert_string_not_equal(problems_of(&bytes, "\"a===\""), "");
    assert_string_not_equal(problems_of(&bytes, "\"aG=sbG8=\""), "");
    fits(&address, "\"https://example.org/a?b#c\"");
    assert_string_not_equal(problems_of(&address, "\"example\""), "");
    assert_string_not_equal(problems_of(&address, "\"http:\\n//x\""), "");
    fits(&digits, "\"18446744073709551615\"");
    assert_string_not_equal(problems_of(&digits, "\"18446744073709551616\""), "");
    assert_string_not_equal(problems_of(&digits, "\"-1\""), "");
    assert_string_not_equal(problems_of(&digits, "\"\""), "");
}

static void all_problems_come_at_once(void **state)
{
    (void)state;
    assert_string_equal(problems_of(&request,
                                    "{\"widht\": 64, \"steps\": 0, \"tags\": [\"a\", \"\", \"a\"], "
                                    "\"inner\": {\"sampler\": \"x\", \"step\": 1}}"),
                        "/widht unknown member; did you mean 'width'?\n"
                        "/steps an integer from 1 to 1000\n"
                        "/tags/2 no item twice; this is item 0 again\n"
                        "/tags/1 a text of 1 to 4 characters\n"
                        "/inner/sampler one of euler, heun, dpmpp_2m\n"
                        "/inner/step unknown member; did you mean 'steps'?\n"
                        "/prompt required: a text of 1 to 4 characters");
    assert_string_equal(problems_of(&request, "[]"), " an object");
}

static void unknown_members_find_their_name(void **state)
{
    (void)state;
    assert_string_equal(problems_of(&request, "{\"prompt\": \"a\", \"Steps\": 1}"),
                        "/Steps unknown member; did you mean 'steps'?");
    assert_string_equal(problems_of(&request, "{\"prompt\": \"a\", \"negative\": \"b\"}"),
                        "/negative unknown member; did you mean 'negative_prompt'?");
    assert_string_equal(problems_of(&request, "{\"prompt\": \"a\", \"cfgScale\": 1}"),
                        "/cfgScale unknown member; did you mean 'cfg_scale'?");
    assert_string_equal(problems_of(&request, "{\"prompt\": \"a\", \"stage\": 1}"),
                        "/stage unknown member");
    assert_string_equal(problems_of(&request, "{\"prompt\": \"a\", \"zebra\": 1}"),
                        "/zebra unknown member");
    assert_string_equal(problems_of(&request, "{\"prompt\": \"a\", \"\": 1}"), "/ unknown member");
    assert_string_equal(problems_of(&request, "{\"prompt\": \"a\", \"a/b~c\": 1}"),
                        "/a~1b~0c unknown member");
    fits(&loose, "{\"zebra\": {\"deep\": [1]}, \"steps\": 3}");
    assert_string_not_equal(problems_of(&loose, "{\"zebra\": 1, \"steps\": 0}"), "");
}

static void long_keys_are_cut(void **state)
{
    (void)state;
    for (size_t before = 0; before < 3; before++) { /* in, between and inside of euro signs */
        char json[1000] = "{\"prompt\": \"a\", \"";
        static const char *const heads[] = {"", "x", "xy"};
        strcat(json, heads[before]);
        for (int i = 0; i < 60; i++)
            strcat(json, "\xe2\x82\xac");
        strcat(json, "\": 1}");
        const char *line = problems_of(&request, json);
        const size_t shown[] = {99, 97, 98};
        assert_memory_equal(line + 1 + shown[before], "... unknown member", 18);
        json_t *valid = json_string(line);
        assert_non_null(valid);
        json_decref(valid);
    }
}

static void defaults_are_filled_in(void **state)
{
    char *after;
    (void)state;

    assert_string_equal(
        problems_after(&request, "{\"prompt\": \"a\", \"inner\": {\"sampler\": \"heun\"}}", &after),
        "");
    assert_string_equal(after, "{\"prompt\":\"a\",\"inner\":{\"sampler\":\"heun\",\"steps\":20},"
                               "\"steps\":20}");
    free(after);
    /* what is there stays; an alternative fills nothing in */
    problems_after(
        &request, "{\"prompt\": \"a\", \"steps\": 5, \"either\": {\"sampler\": \"heun\"}}", &after);
    assert_string_equal(after, "{\"prompt\":\"a\",\"steps\":5,\"either\":{\"sampler\":\"heun\"}}");
    free(after);
}

static void whole_numbers_become_integers(void **state)
{
    char *after;
    (void)state;

    problems_after(&request,
                   "{\"prompt\": \"a\", \"steps\": 20.0, \"cfg_scale\": 7.0, \"seed\": 5e3}",
                   &after);
    assert_string_equal(after, "{\"prompt\":\"a\",\"steps\":20,\"cfg_scale\":7.0,\"seed\":5000}");
    free(after);
    problems_after(&pair, "[3.0, 4]", &after);
    assert_string_equal(after, "[3,4]");
    free(after);
    problems_after(&counted, "{\"a\": 3.0}", &after);
    assert_string_equal(after, "{\"a\":3}");
    free(after);
}

static void counts_are_checked(void **state)
{
    (void)state;
    assert_string_equal(problems_of(&tags, "[\"a\", \"b\", \"c\", \"d\"]"),
                        " a list of at most 3 items");
    assert_string_equal(problems_of(&pair, "[1]"), " a list of 2 items");
    assert_string_equal(problems_of(&pair, "[1, \"b\"]"), "/1 an integer from 1 to 1000");
    assert_string_equal(problems_of(&counted, "{}"), " an object of 1 to 2 members");
    assert_string_equal(problems_of(&counted, "{\"a\": 1, \"b\": 2, \"c\": 3}"),
                        " an object of 1 to 2 members");
    assert_string_equal(problems_of(&counted, "{\"a\": 0}"), "/a an integer from 1 to 1000");
}

static void alternatives_are_chosen_by_type(void **state)
{
    (void)state;
    fits(&seed, "-1");
    fits(&seed, "\"18446744073709551615\"");
    assert_string_equal(problems_of(&seed, "-2"), " an integer from -1 to 9223372036854775807");
    assert_string_equal(problems_of(&seed, "\"x\""),
                        " a decimal number from 0 to 18446744073709551615 as a text");
    assert_string_equal(problems_of(&seed, "true"),
                        " an integer from -1 to 9223372036854775807, or a decimal number from 0 to "
                        "18446744073709551615 as a text");
    assert_string_equal(problems_of(&either, "{\"sampler\": \"x\"}"),
                        "/sampler one of euler, heun, dpmpp_2m");
    assert_string_equal(problems_of(&either, "[\"\"]"), "/0 a text of 1 to 4 characters");
    assert_string_equal(problems_of(&either, "1"), " an object, or a list of at most 3 items");
}

static void of_equal_types_the_nearest_alternative_speaks(void **state)
{
    (void)state;
    fits(&objects, "{\"width\": 64}");
    fits(&objects, "{\"sampler\": \"heun\"}");
    assert_string_equal(problems_of(&objects, "{\"width\": 65}"),
                        "/width an integer from 64 to 2048, a multiple of 8");
    assert_string_equal(problems_of(&objects, "{\"sampler\": \"heun\", \"steps\": 0}"),
                        "/steps an integer from 1 to 1000");
}

static void hostile_values_end(void **state)
{
    size_t n = 100000;
    char *json = malloc(n * 24);
    size_t at = 0;
    (void)state;

    assert_non_null(json);
    for (int i = 0; i < 1000; i++)
        at += (size_t)sprintf(json + at, "{\"not\":");
    at += (size_t)sprintf(json + at, "1");
    for (int i = 0; i < 1000; i++)
        json[at++] = '}';
    json[at] = 0;
    const char *lines = problems_of(&tree, json);
    assert_non_null(strstr(lines, "/not/not at most 64 levels"));

    at = (size_t)sprintf(json, "{\"a0\":1");
    for (size_t i = 1; i < n; i++)
        at += (size_t)sprintf(json + at, ",\"a%zu\":1", i);
    strcpy(json + at, "}");
    lines = problems_of(&request, json);
    size_t count = 1;
    for (const char *p = lines; *p; p++)
        count += *p == '\n';
    assert_int_equal(count, SCHEMA_MAX_PROBLEMS);
    free(json);
}

static void converts(const struct schema *s, const char *from, const char *json)
{
    json_t *value = schema_convert(s, from);
    char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    assert_string_equal(dump, json);
    free(dump);
    json_decref(value);
}

static void texts_get_the_type_that_is_wanted(void **state)
{
    (void)state;
    converts(&steps, "20", "20");
    converts(&steps, "x", "\"x\"");
    converts(&steps, "", "\"\"");
    converts(&steps, "2.5", "\"2.5\"");
    converts(&number, "2.5", "2.5");
    converts(&number, "3", "3");
    converts(&number, "nan", "\"nan\"");
    converts(&flag, "true", "true");
    converts(&flag, "false", "false");
    converts(&flag, "yes", "\"yes\"");
    converts(&text, "20", "\"20\"");
    converts(&any, "20", "\"20\"");
    converts(&sampler, "heun", "\"heun\"");
    converts(&size, "256", "256");
    converts(&rating, "null", "null");
    converts(&seed, "7", "7");
    converts(&seed, "18446744073709551615", "\"18446744073709551615\"");
    converts(&tags, "a", "[\"a\"]");
    converts(&pair, "1", "[1]");
    converts(&text, "\xff", "null");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_is_said_in_words),
        cmocka_unit_test(scalars_are_checked),
        cmocka_unit_test(choices_are_checked),
        cmocka_unit_test(lengths_are_in_code_points),
        cmocka_unit_test(formats_are_checked),
        cmocka_unit_test(all_problems_come_at_once),
        cmocka_unit_test(unknown_members_find_their_name),
        cmocka_unit_test(long_keys_are_cut),
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(whole_numbers_become_integers),
        cmocka_unit_test(counts_are_checked),
        cmocka_unit_test(alternatives_are_chosen_by_type),
        cmocka_unit_test(of_equal_types_the_nearest_alternative_speaks),
        cmocka_unit_test(hostile_values_end),
        cmocka_unit_test(texts_get_the_type_that_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
