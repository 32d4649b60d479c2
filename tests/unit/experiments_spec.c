#include "test.h"

#include "base/file.h"
#include "base/json.h"
#include "experiments/spec.h"
#include "experiments/spec_diff.h"

#include <dirent.h>

#define HEAD "\"version\":1,\"type\":\"parameter_sweep\",\"base\":{\"prompt\":\"a cat\"}"

static json_t *parse(const char *text)
{
    json_t *out = NULL;
    struct err e;

    if (json_read(str_from(text), &out, &e))
        fail_msg("%s in %s", e.message, text);
    return out;
}

static struct spec *read_text(const char *text)
{
    struct spec_problems problems = {0};
    struct spec *spec = NULL;
    json_t *document = parse(text);

    if (spec_read(document, NULL, &spec, &problems))
        fail_msg("%s in %s", spec_problems_line(&problems), text);
    json_decref(document);
    spec_problems_release(&problems);
    return spec;
}

/* Refused, with a problem at that place whose text contains these words. */
static void refused(const char *text, const char *pointer, const char *words)
{
    struct spec_problems problems = {0};
    struct spec *spec = NULL;
    json_t *document = parse(text);
    bool found = false;

    assert_int_equal(spec_read(document, NULL, &spec, &problems), ERR_ARG);
    assert_null(spec);
    for (size_t i = 0; i < problems.count; i++)
        found |= strcmp(problems.at[i].pointer, pointer) == 0 &&
                 strstr(problems.at[i].expected, words) != NULL;
    if (!found)
        fail_msg("no '%s' at '%s' but %s", words, pointer, spec_problems_line(&problems));
    json_decref(document);
    spec_problems_release(&problems);
}

/* The labels of an axis, joined by blanks. */
static void expect_labels(const char *text, size_t axis, const char *expected)
{
    struct spec *s = read_text(text);
    struct arena a = {0};
    const char *all = "";

    for (size_t i = 0; i < s->axes[axis].point_count; i++)
        all = arena_printf(&a, "%s%s%s", all, i ? " " : "", s->axes[axis].points[i].label);
    assert_string_equal(all, expected);
    arena_release(&a);
    spec_free(s);
}

static void expect_steps(const char *values, const char *expected)
{
    char text[600];

    snprintf(text, sizeof text, "{" HEAD ",\"steps\":%s}", values);
    expect_labels(text, 0, expected);
}

static void test_values(void **state)
{
    (void)state;
    expect_steps("[10, 20, 30]", "10 20 30");
    expect_steps("{\"from\":10,\"to\":30,\"step\":10}", "10 20 30");
    expect_steps("{\"from\":10,\"to\":34,\"step\":10}", "10 20 30");
    expect_steps("{\"from\":30,\"to\":10,\"step\":-10}", "30 20 10");
    expect_steps("\"10..50 by 5\"", "10 15 20 25 30 35 40 45 50");
    expect_steps("\"1..5\"", "1 2 3 4 5");
    expect_steps("\"5..1\"", "5 4 3 2 1");
    expect_steps("\"4, 8, 10..30 by 10\"", "4 8 10 20 30");
    expect_steps("\" 1..100 in 3 \"", "1 51 100");
    expect_steps("{\"from\":1,\"to\":100,\"count\":3,\"scale\":\"log\"}", "1 10 100");
    expect_steps("{\"from\":1,\"to\":3,\"count\":7}", "1 2 3"); /* rounding meets itself */
    expect_steps("[{\"value\":8,\"label\":\"few\"}, 20]", "few 20");
    expect_labels("{" HEAD ",\"cfg_scales\":\"0.1..0.5 by 0.1\"}", 0, "0.1 0.2 0.3 0.4 0.5");
    expect_labels("{" HEAD ",\"cfg_scales\":\"1..16 in 5 log\"}", 0, "1 2 4 8 16");
    expect_labels("{" HEAD ",\"cfg_scales\":\"1..16 in 3 log\"}", 0, "1 4 16");
    expect_labels("{" HEAD ",\"samplers\":\"euler, heun\"}", 0, "euler heun");
    expect_labels("{" HEAD ",\"seeds\":[1,\"18446744073709551615\"]}", 0, "1 18446744073709551615");
}

static void test_ends_are_exact(void **state)
{
    struct spec *s = read_text(
        "{" HEAD
        ",\"parameters\":{\"eta\":{\"from\":0.123456789,\"to\":0.987654321,\"count\":4}}}");

    (void)state;
    assert_true(json_number_value(s->axes[0].points[0].values[0]) == 0.123456789);
    assert_true(json_number_value(s->axes[0].points[3].values[0]) == 0.987654321);
    spec_free(s);
}

static void test_bad_values(void **state)
{
    static const struct {
        const char *values, *place, *words;
    } cases[] = {
        {"[]", "/steps", "at least one"},
        {"[10, 0]", "/steps/1", "from 1 to 1000"},
        {"[10.5]", "/steps/0", "an integer"},
        {"[10, 10]", "/steps", "once"},
        {"[{\"value\":10,\"label\":\"x\"},{\"value\":20,\"label\":\"x\"}]", "/steps", "once"},
        {"[{\"label\":\"x\"}]", "/steps/0", "a value"},
        {"[{\"value\":10,\"set\":{\"seed\":1}}]", "/steps/0/set/seed", "no seed here"},
        {"[{\"value\":10,\"set\":{\"nothing\":1}}]", "/steps/0/set/nothing", "a parameter"},
        {"[{\"value\":10,\"more\":1}]", "/steps/0/more", "no such member"},
        {"{\"from\":1,\"to\":10}", "/steps", "either a step or a count"},
        {"{\"from\":1,\"to\":10,\"step\":0}", "/steps", "above 0"},
        {"{\"from\":1,\"to\":10,\"step\":-1}", "/steps", "above 0"},
        {"{\"from\":1,\"to\":10,\"step\":0.5}", "/steps", "whole numbers"},
        {"{\"from\":1,\"to\":10,\"count\":1}", "/steps/count", "from 2"},
        {"{\"from\":0,\"to\":10,\"count\":3,\"scale\":\"log\"}", "/steps", "logarithmic"},
        {"{\"from\":1,\"to\":10,\"count\":3,\"scale\":\"cubic\"}", "/steps/scale", "linear or log"},
        {"{\"from\":1,\"to\":1e300,\"step\":1}", "/steps", ""},
        {"\"10..\"", "/steps", "ranges like"},
        {"\"..10\"", "/steps", "ranges like"},
        {"\"1..9 by x\"", "/steps", "ranges like"},
        {"\"many\"", "/steps", "ranges like"},
        {"\"1..9 in 3 loga\"", "/steps", "ranges like"},
        {"\"1..9 in -3\"", "/steps", "ranges like"},
        {"7", "/steps", "a list of values"},
        {"null", "/steps", "a list of values"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[600];
        snprintf(text, sizeof text, "{" HEAD ",\"steps\":%s}", cases[i].values);
        refused(text, cases[i].place, cases[i].words);
    }
    refused("{" HEAD ",\"cfg_scales\":\"0..1 by 0.00000001\"}", "/cfg_scales", "at most 10000");
    refused("{" HEAD ",\"cfg_scales\":\"1..9\"}", "/cfg_scales", "ranges like");
}

static void test_problems(void **state)
{
    (void)state;
    refused("[]", "", "an object");
    refused("{}", "/version", "1");
    refused("{}", "/type", "convergence");
    refused("{" HEAD ",\"mystery\":1}", "/mystery", "no such member");
    refused("{" HEAD ",\"a/b~c\":1}", "/a~1b~0c", "no such member");
    refused("{\"version\":2,\"type\":\"cfg\"}", "/version", "1");
    refused("{\"version\":1,\"type\":\"parameter_sweep\"}", "/base", "a prompt");
    refused("{\"version\":1,\"type\":\"convergence\",\"base\":{\"prompt\":\"x\"}}", "/steps",
            "varies");
    refused("{\"version\":1,\"type\":\"cfg\",\"base\":{\"prompt\":\"x\"}}", "/cfg_scales",
            "varies");
    refused("{" HEAD ",\"base_generation\":\"7\"}", "/base_generation", "identifier");
    refused("{" HEAD ",\"order\":\"wild\"}", "/order", "coarse");
    refused("{" HEAD ",\"axes\":{}}", "/axes", "a list");
    refused("{" HEAD ",\"axes\":[1]}", "/axes/0", "an object");
    refused("{" HEAD ",\"axes\":[{\"values\":[1]}]}", "/axes/0", "one of parameter");
    refused("{" HEAD ",\"axes\":[{\"parameter\":\"x\",\"values\":[1]}]}", "/axes/0/parameter",
            "a parameter");
    refused("{" HEAD ",\"axes\":[{\"variable\":\"steps\",\"values\":[1]}]}", "/axes/0/variable",
            "a word");
    refused("{" HEAD ",\"axes\":[{\"variable\":\"animal\",\"values\":[\"x\"]}]}", "/axes/0",
            "{animal} in a prompt");
    refused("{" HEAD ",\"axes\":[{\"replace\":\"dog\",\"values\":[\"x\"]}]}", "/axes/0",
            "'dog' in a prompt");
    refused("{" HEAD ",\"steps\":[1],\"axes\":[{\"parameter\":\"steps\",\"name\":\"more\","
            "\"values\":[2]}]}",
            "/steps", "on one axis only");
    refused("{" HEAD ",\"axes\":[{\"zip\":[{\"parameter\":\"width\",\"values\":[64,96]}]}]}",
            "/axes/0/zip", "2 to 8");
    refused("{" HEAD ",\"axes\":[{\"zip\":[{\"parameter\":\"width\",\"values\":[64,96]},"
            "{\"parameter\":\"height\",\"values\":[64]}]}]}",
            "/axes/0/zip/1", "2 values");
    refused("{" HEAD ",\"seeds\":[1],\"replicates\":{\"count\":2}}", "/replicates", "either");
    refused("{" HEAD ",\"replicates\":{\"count\":0}}", "/replicates/count", "from 1");
    refused("{" HEAD ",\"replicates\":{\"count\":2,\"seed\":\"18446744073709551615\"}}",
            "/replicates/seed", "room");
    refused("{" HEAD ",\"replicates\":{\"seeds\":[1,1]}}", "/replicates/seeds/1", "once");
    refused("{" HEAD ",\"replicates\":{\"seeds\":[-1]}}", "/replicates/seeds/0", "a fixed seed");
    refused("{" HEAD ",\"budget\":{\"seconds\":0}}", "/budget/seconds", "above 0");
    refused("{" HEAD ",\"reference\":{\"axis\":\"steps\"}}", "/reference/axis", "an axis");
    refused("{" HEAD ",\"steps\":[1,2],\"reference\":{\"axis\":\"steps\",\"value\":3}}",
            "/reference/value", "a value");
    refused("{" HEAD ",\"constraints\":[{\"drop\":true,\"set\":{}}]}", "/constraints/0", "exactly");
    refused("{" HEAD ",\"constraints\":[{\"where\":{\"x\":1},\"drop\":true}]}",
            "/constraints/0/where/x", "a parameter or a variable");
    refused("{" HEAD ",\"constraints\":[{\"where\":{\"model\":{\"min\":1}},\"drop\":true}]}",
            "/constraints/0/where/model/min", "a text");
    refused("{" HEAD ",\"constraints\":[{\"drop\":false}]}", "/constraints/0/drop", "true");
}

static void test_all_problems_at_once(void **state)
{
    struct spec_problems problems = {0};
    struct spec *spec = NULL;
    json_t *document = parse("{\"version\":1,\"type\":\"x\",\"base\":{\"steps\":0,\"width\":\"a\"},"
                             "\"samplers\":[1],\"budget\":7}");

    (void)state;
    assert_int_equal(spec_read(document, NULL, &spec, &problems), ERR_ARG);
    assert_int_equal(problems.count, 5);
    assert_non_null(strstr(spec_problems_line(&problems), "and 4 more"));
    json_decref(document);
    spec_problems_release(&problems);
}

/* Cells are counted, not made. */
static void test_too_many_cells(void **state)
{
    (void)state;
    refused("{" HEAD ",\"steps\":\"1..1000\",\"cfg_scales\":\"1..101 by 1\"}", "/axes",
            "these axes and replicates make 101000");
    refused("{" HEAD ",\"steps\":\"1..1000\",\"replicates\":{\"count\":1000}}", "/axes",
            "at most 100000");
    refused("{" HEAD ",\"parameters\":{\"original_width\":\"1..10000\",\"original_height\":"
            "\"1..10000\",\"crop_top\":\"1..10000\",\"crop_left\":\"1..10000\",\"target_width\":"
            "\"1..10000\"},\"replicates\":{\"count\":1000}}",
            "/axes", "at most 100000");
    /* 2^65 cells are not none. */
    refused("{" HEAD ",\"parameters\":{\"original_width\":\"1..8192\",\"original_height\":"
            "\"1..8192\",\"crop_top\":\"1..8192\",\"crop_left\":\"1..8192\",\"target_width\":"
            "\"1..8192\"}}",
            "/axes", "at most 100000");
    spec_free(read_text("{" HEAD ",\"steps\":\"1..1000\",\"replicates\":{\"count\":100}}"));
}

static void test_axes_of_the_short_forms(void **state)
{
    static const char *const names[] = {"prompt", "model",     "sampler", "eta",
                                        "extra",  "cfg_scale", "steps"};
    struct spec *s = read_text(
        "{\"version\":1,\"type\":\"convergence\",\"steps\":[1,2],\"cfg_scales\":[1],\"samplers\":"
        "[\"euler\"],\"models\":[\"demo\"],\"prompts\":[\"a\",\"b\"],\"parameters\":{\"eta\":[0,1]}"
        ","
        "\"axes\":[{\"name\":\"extra\",\"values\":[{\"label\":\"x\",\"set\":{}}]}],"
        "\"replicates\":{\"count\":3}}");

    (void)state;
    assert_int_equal(s->axis_count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(s->axes[i].name, names[i]);
    assert_int_equal(s->cells, 2 * 2 * 2 * 3);
    assert_int_equal(s->reference_axis, 6);
    assert_int_equal(s->reference_point, 1);
    spec_free(s);
}

static void test_seeds(void **state)
{
    struct spec *s = read_text(
        "{\"version\":1,\"type\":\"parameter_sweep\",\"base\":{\"prompt\":\"x\",\"seed\":40},"
        "\"replicates\":{\"count\":3}}");

    (void)state;
    assert_int_equal(s->seed_count, 3);
    assert_int_equal(s->seeds[2], 42);
    spec_free(s);
    s = read_text("{" HEAD ",\"replicates\":{\"seeds\":[\"18446744073709551615\",5]}}");
    assert_true(s->seeds[0] == UINT64_MAX);
    assert_true(s->seeds[1] == 5);
    spec_free(s);
}

static json_t *lookup_base(void *user, const char *generation, struct err *e)
{
    (void)user;
    if (generation[0] != '0') {
        (void)ERR(e, ERR_NOT_FOUND, "gone");
        return NULL;
    }
    return json_pack("{sssisssssf}", "prompt", "old", "steps", 30, "seed", "99", "model_digest",
                     "x", "cfg_scale", 2.5);
}

static void test_base_generation(void **state)
{
    static const struct spec_lookup lookup = {NULL, lookup_base};
    struct spec_problems problems = {0};
    struct spec *s;
    json_t *d = parse("{\"version\":1,\"type\":\"cfg\",\"cfg_scales\":[1,2],\"base\":{\"steps\":5},"
                      "\"base_generation\":\"01890000-0000-7000-8000-000000000000\"}");

    (void)state;
    assert_int_equal(spec_read(d, &lookup, &s, &problems), 0);
    assert_string_equal(json_text(s->base, "prompt", ""), "old");
    assert_int_equal(json_int(s->base, "steps", 0), 5);
    assert_null(json_object_get(s->base, "model_digest"));
    assert_true(s->seeds[0] == 99);
    spec_free(s);
    json_object_set_new(d, "base_generation", json_string("11890000-0000-7000-8000-000000000000"));
    assert_int_equal(spec_read(d, &lookup, &s, &problems), ERR_ARG);
    assert_string_equal(problems.at[0].pointer, "/base_generation");
    spec_problems_release(&problems);
    json_decref(d);
}

/* The general form means what was written: it reads as itself. */
static void check_fixed_point(const struct spec *s)
{
    struct spec_problems problems = {0};
    struct arena a = {0};
    struct spec *again;
    json_t *changes;

    if (spec_read(s->normalised, NULL, &again, &problems))
        fail_msg("%s", spec_problems_line(&problems));
    assert_string_equal(json_canonical(s->normalised, &a), json_canonical(again->normalised, &a));
    changes = spec_diff(s, again);
    assert_int_equal(json_array_size(changes), 0);
    json_decref(changes);
    spec_free(again);
    arena_release(&a);
    spec_problems_release(&problems);
}

static void test_examples(void **state)
{
    struct arena a = {0};
    const char *folder = arena_printf(&a, "%s/examples/experiments", getenv("CAULDRON_SOURCE"));
    DIR *d = opendir(folder);
    struct dirent *entry;
    int count = 0;

    (void)state;
    assert_non_null(d);
    while ((entry = readdir(d))) {
        struct str text;
        struct err e;
        if (entry->d_name[0] == '.')
            continue;
        assert_int_equal(
            file_read(&a, arena_printf(&a, "%s/%s", folder, entry->d_name), 1 << 20, &text, &e), 0);
        struct spec *s = read_text(text.p);
        check_fixed_point(s);
        spec_free(s);
        count++;
    }
    closedir(d);
    assert_true(count >= 5);
    arena_release(&a);
}

static bool has_change(const json_t *changes, const char *kind, const char *text)
{
    json_t *c;
    size_t i;

    json_array_foreach((json_t *)changes, i,
                       c) if (strcmp(json_text(c, "kind", ""), kind) == 0 &&
                              strstr(json_text(c, "text", ""), text)) return true;
    return false;
}

static void test_diff(void **state)
{
    struct spec *a = read_text("{" HEAD ",\"steps\":[10,20],\"samplers\":[\"euler\",\"heun\"],"
                               "\"replicates\":{\"count\":2}}");
    struct spec *b =
        read_text("{\"version\":1,\"type\":\"parameter_sweep\",\"base\":{\"prompt\":\"a dog\"},"
                  "\"steps\":\"10..30 by 10\",\"samplers\":[\"heun\"],\"schedules\":[\"karras\"],"
                  "\"replicates\":{\"count\":3}}");
    json_t *changes = spec_diff(a, b);

    (void)state;
    assert_true(has_change(changes, "changed", "base prompt: a cat became a dog"));
    assert_true(has_change(changes, "added", "axes steps values: 30 added"));
    assert_true(has_change(changes, "removed", "axes sampler values: euler removed"));
    assert_true(has_change(changes, "added", "axes: schedule added"));
    assert_true(has_change(changes, "added", "replicates seeds: 2 added"));
    assert_true(has_change(changes, "changed", "reference value: 20 became 30"));
    assert_int_equal(json_array_size(changes), 6);
    json_decref(changes);
    spec_free(a);
    spec_free(b);
}

static void test_extend(void **state)
{
    struct spec_problems problems = {0};
    struct spec *a = read_text(
        "{" HEAD ",\"steps\":[10,20],\"replicates\":{\"seeds\":[7,9]},\"axes\":[{\"name\":"
        "\"size\",\"zip\":[{\"parameter\":\"width\",\"values\":[64,96]},{\"parameter\":"
        "\"height\",\"values\":[64,64]}]}]}");
    json_t *more = parse("{\"axes\":{\"steps\":\"20..40 by 10\",\"size\":{\"width\":[64,64],"
                         "\"height\":[64,96]}},\"replicates\":{\"count\":4}}"),
           *document;
    struct spec *b;

    (void)state;
    assert_int_equal(spec_extend(a, more, &document, &problems), 0);
    assert_int_equal(spec_read(document, NULL, &b, &problems), 0);
    assert_int_equal(b->axes[spec_axis_by_name(b, "steps")].point_count, 4);
    assert_int_equal(b->axes[spec_axis_by_name(b, "size")].point_count, 3);
    assert_int_equal(b->seed_count, 4);
    assert_true(b->seeds[3] == 11);
    assert_int_equal(b->reference_point, 3); /* it was the largest, and is again */
    json_decref(document);
    json_decref(more);
    more = parse("{\"axes\":{\"nothing\":[1],\"size\":{\"width\":[1]},\"steps\":[0]},\"x\":1}");
    assert_int_equal(spec_extend(a, more, &document, &problems), ERR_ARG);
    assert_int_equal(problems.count, 4);
    json_decref(more);
    spec_problems_release(&problems);
    spec_free(a);
    spec_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_ends_are_exact),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_all_problems_at_once),
        cmocka_unit_test(test_too_many_cells),
        cmocka_unit_test(test_axes_of_the_short_forms),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_base_generation),
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_extend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
