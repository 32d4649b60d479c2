#include "cli/options.h"

#include <unistd.h>

#include "test.h"

struct want {
    const char *model;
    uint64_t seed;
    int steps, rng;
    int64_t big;
    double cfg;
    bool json;
    struct strings loras;
    int size;
};

static int parse_size(const char *text, void *field, struct err *e)
{
    if (strcmp(text, "large"))
        return ERR(e, ERR_ARG, "no size '%s'", text);
    *(int *)field = 1024;
    return 0;
}

static const char *const rngs[] = {"cpu", "cuda", NULL};
static const struct opt table[] = {
    {.name = "model",
     .letter = 'm',
     .type = OPT_STRING,
     OPT_INTO(struct want, model),
     .initial = "demo"},
    {.name = "seed", .letter = 's', .type = OPT_SEED, OPT_INTO(struct want, seed)},
    {.heading = "Numbers"},
    {.name = "steps",
     .letter = 't',
     .type = OPT_INT,
     OPT_INTO(struct want, steps),
     .min = 1,
     .max = 1000,
     .initial = "20"},
    {.name = "big", .type = OPT_I64, OPT_INTO(struct want, big)},
    {.name = "cfg",
     .letter = 'g',
     .type = OPT_F64,
     OPT_INTO(struct want, cfg),
     .min = 0,
     .max = 100},
    {.name = "rng", .type = OPT_CHOICE, OPT_INTO(struct want, rng), .choices = rngs},
    {.name = "json", .letter = 'j', .type = OPT_FLAG, OPT_INTO(struct want, json)},
    {.name = "lora", .type = OPT_STRINGS, OPT_INTO(struct want, loras), .help = "a file"},
    {.name = "size", .type = OPT_PARSED, OPT_INTO(struct want, size), .parse = parse_size},
    {0},
};
static const struct opt_spec spec = {.command = "draw",
                                     .usage = "[options] PROMPT",
                                     .summary = "Draw.",
                                     .table = table,
                                     .min_rest = 1,
                                     .max_rest = 1,
                                     .rest = "a prompt"};

static struct want want;
static struct options got;
static struct err e;

static int read_words(const char *words)
{
    static char text[256];
    static char *argv[32];
    char *at = text;
    int argc = 0;

    snprintf(text, sizeof text, "draw %s", words);
    for (char *word; (word = strsep(&at, " "));)
        argv[argc++] = word;
    argv[argc] = NULL;
    want = (struct want){.steps = -1};
    return options_read(&spec, argc, argv, &want, &got, &e);
}

static void refuses(const char *words, const char *message)
{
    assert_int_equal(read_words(words), ERR_ARG);
    assert_string_equal(e.message, message);
}

static void every_type_arrives(void **state)
{
    (void)state;
    assert_int_equal(
        read_words("-m x --seed=7 -t5 cat --big -9223372036854775808 -g 7.5 --rng cuda -j "
                   "--lora a --lora b --lora c --size large"),
        0);
    assert_string_equal(want.model, "x");
    assert_int_equal(want.seed, 7);
    assert_int_equal(want.steps, 5);
    assert_true(want.big == INT64_MIN && want.cfg == 7.5 && want.rng == 1 && want.json);
    assert_int_equal(want.loras.count, 3);
    assert_string_equal(want.loras.items[0], "a");
    assert_string_equal(want.loras.items[2], "c");
    assert_int_equal(want.size, 1024);
    assert_int_equal(got.rest_count, 1);
    assert_string_equal(got.rest[0], "cat");
    assert_true(options_given(&got, "seed") && !options_given(&got, "nothing"));
    options_release(&got);
}

static void defaults_fill_what_was_not_given(void **state)
{
    (void)state;
    assert_int_equal(read_words("cat"), 0);
    assert_string_equal(want.model, "demo");
    assert_int_equal(want.steps, 20);
    assert_false(options_given(&got, "steps") || want.json || want.loras.count);
    options_release(&got);
}

static void seeds_span_both_signs(void **state)
{
    (void)state;
    assert_int_equal(read_words("-s 18446744073709551615 x"), 0);
    assert_true(want.seed == UINT64_MAX);
    options_release(&got);
    assert_int_equal(read_words("-s -9223372036854775808 x"), 0);
    assert_true(want.seed == (uint64_t)1 << 63);
    options_release(&got);
    assert_int_equal(read_words("-s -1 x"), 0);
    assert_true(want.seed == UINT64_MAX);
    options_release(&got);
    refuses("-s 18446744073709551616 x",
            "-s/--seed takes a whole number from -2^63 to 2^64-1, not '18446744073709551616'");
    refuses("-s 1.5 x", "-s/--seed takes a whole number from -2^63 to 2^64-1, not '1.5'");
    refuses("--seed= x", "-s/--seed takes a whole number from -2^63 to 2^64-1, not ''");
}

static void errors_say_what_and_why(void **state)
{
    (void)state;
    refuses("-t 0 x", "-t/--steps takes a whole number from 1 to 1000, not '0'");
    refuses("-t 5x x", "-t/--steps takes a whole number from 1 to 1000, not '5x'");
    refuses("-g nan x", "-g/--cfg takes a number from 0 to 100, not 'nan'");
    refuses("--big 9223372036854775808 x", "--big takes a whole number, not '9223372036854775808'");
    refuses("--rng cudo x", "--rng has no choice 'cudo', did you mean 'cuda'? (cpu, cuda)");
    refuses("--rng 12345 x", "--rng has no choice '12345': it takes one of cpu, cuda");
    refuses("--size small x", "--size: no size 'small'");
    refuses("x -t", "-t/--steps needs a value");
    refuses("x --rng", "--rng needs a value");
    refuses("--json=1 x", "--json takes no value");
    refuses("--stesp 5 x", "unknown option '--stesp', did you mean '--steps'?");
    refuses("--stesp=5 x", "unknown option '--stesp', did you mean '--steps'?");
    refuses("--frobnicate x", "unknown option '--frobnicate': see 'cauldron draw --help'");
    refuses("-q x", "unknown option '-q': see 'cauldron draw --help'");
    refuses("-t 5", "a prompt is missing: see 'cauldron draw --help'");
    refuses("x y", "unexpected argument 'y': see 'cauldron draw --help'");
}

static void needed_options_must_come(void **state)
{
    static const struct opt rows[] = {
        {.name = "out", .letter = 'o', .type = OPT_STRING, .needed = true}, {0}};
    static const struct opt_spec s = {.command = "x", .table = rows};
    static char name[] = "x";
    char *argv[] = {name, NULL};
    const char *out = NULL;
    (void)state;

    assert_int_equal(options_read(&s, 1, argv, &out, &got, &e), ERR_ARG);
    assert_string_equal(e.message, "-o/--out is missing: see 'cauldron x --help'");
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    assert_int_equal(read_words("-- --seed"), 0);
    assert_string_equal(got.rest[0], "--seed");
    options_release(&got);
}

static void help_wins_over_missing_things(void **state)
{
    (void)state;
    assert_int_equal(read_words("--help"), 0);
    assert_true(got.help);
    options_release(&got);
}

static void help_lists_every_row(void **state)
{
    char text[4096] = "";
    FILE *f = fmemopen(text, sizeof text, "w");
    (void)state;

    options_print_help(&spec, f);
    fclose(f);
    assert_non_null(strstr(text, "usage: cauldron draw [options] PROMPT\n\nDraw.\n\n"));
    assert_non_null(strstr(text, "  -t, --steps VALUE           (default: 20)\n"));
    assert_non_null(strstr(text, "\nNumbers:\n"));
    assert_non_null(strstr(text, "      --rng cpu|cuda\n"));
    assert_non_null(strstr(text, "      --lora VALUE            a file (may be repeated)\n"));
    assert_non_null(strstr(text, "      --help                  print this and end\n"));
}

static void options_come_from_the_environment(void **state)
{
    static const struct opt rows[] = {
        {.name = "model", .type = OPT_STRING, OPT_INTO(struct want, model), .environment = "WHICH"},
        {.name = "steps",
         .type = OPT_INT,
         OPT_INTO(struct want, steps),
         .min = 1,
         .max = 50,
         .initial = "20"},
        {.name = "json", .type = OPT_FLAG, OPT_INTO(struct want, json)},
        {0},
    };
    static const struct opt_spec named = {.command = "serve", .table = rows, .environment = true};
    char *none[] = {"serve", NULL}, *given[] = {"serve", "--steps", "7", NULL};
    char path[] = "/tmp/secret-XXXXXX";
    struct want w = {0};
    struct options o;
    (void)state;

    int fd = mkstemp(path);
    assert_int_equal(write(fd, "hidden\n", 7), 7);
    close(fd);
    setenv("CAULDRON_STEPS", "31", 1);
    setenv("CAULDRON_JSON", "1", 1);
    setenv("WHICH_FILE", path, 1);
    assert_int_equal(options_read(&named, 1, none, &w, &o, &e), 0);
    assert_int_equal(w.steps, 31);
    assert_true(w.json);
    assert_string_equal(w.model, "hidden");
    options_release(&o);
    assert_int_equal(options_read(&named, 3, given, &w, &o, &e), 0);
    assert_int_equal(w.steps, 7);
    options_release(&o);
    setenv("CAULDRON_STEPS", "51", 1);
    assert_int_equal(options_read(&named, 1, none, &w, &o, &e), ERR_ARG);
    assert_string_equal(e.message,
                        "CAULDRON_STEPS in the environment: --steps takes a whole number "
                        "from 1 to 50, not '51'");
    unsetenv("CAULDRON_STEPS");
    unlink(path);
    assert_int_equal(options_read(&named, 1, none, &w, &o, &e), ERR_NOT_FOUND);
    unsetenv("CAULDRON_JSON");
    unsetenv("WHICH_FILE");
}

static void near_names_are_found(void **state)
{
    static const char *const names[] = {"generate", NULL, "doctor", "models"};
    (void)state;

    assert_string_equal(nearest_name("genreate", names, 4), "generate");
    assert_string_equal(nearest_name("model", names, 4), "models");
    assert_null(nearest_name("xyz", names, 4));
    assert_null(nearest_name("", names, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_arrives),
        cmocka_unit_test(defaults_fill_what_was_not_given),
        cmocka_unit_test(seeds_span_both_signs),
        cmocka_unit_test(errors_say_what_and_why),
        cmocka_unit_test(needed_options_must_come),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(help_wins_over_missing_things),
        cmocka_unit_test(help_lists_every_row),
        cmocka_unit_test(options_come_from_the_environment),
        cmocka_unit_test(near_names_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
