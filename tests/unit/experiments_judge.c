/* Scores from votes, against numbers of tools/experiments/judge.py; pairs that are asked about. */
#include "test.h"

#include "experiments/judge.h"
#include "experiments_fixture.h"

#include <math.h>

static struct err e;

#define near(x, y, most) assert_true(fabs((x) - (y)) <= (most))

static const char spec_text[] =
    "{\"version\":1,\"type\":\"parameter_sweep\",\"prompts\":[\"a\",\"b\"],"
    "\"samplers\":[\"euler\",\"ddim\",\"heun\",\"lms\"],\"steps\":[10,20,40],"
    "\"replicates\":{\"count\":2}}";
enum {
    SAMPLERS = 4,
    STEPS = 3,
    SEEDS = 2,
    PROMPTS = 2,
    CELLS = PROMPTS * SAMPLERS * STEPS * SEEDS
};

struct verdict {
    const char *left;
    int left_steps;
    const char *right;
    int right_steps;
    double won;
};
static const struct verdict votes[] = {
    {"euler", 10, "ddim", 10, 1},  {"euler", 10, "ddim", 10, 1},   {"euler", 20, "ddim", 20, 0},
    {"euler", 10, "heun", 10, 0},  {"euler", 20, "heun", 20, 0.5}, {"ddim", 20, "heun", 20, 0},
    {"ddim", 10, "heun", 20, 0},   {"euler", 20, "euler", 10, 1},  {"heun", 20, "heun", 10, 1},
    {"ddim", 10, "ddim", 20, 0.5}, {"heun", 10, "euler", 20, 1},   {"euler", 40, "euler", 10, 1},
    {"ddim", 40, "heun", 10, 1},
};
enum { VOTES = sizeof votes / sizeof *votes };

static void add(struct judge *j, const struct verdict *v)
{
    char left[64], right[64], left_axes[96], right_axes[96];

    snprintf(left, sizeof left, "%s %d", v->left, v->left_steps);
    snprintf(right, sizeof right, "%s %d", v->right, v->right_steps);
    snprintf(left_axes, sizeof left_axes, "{\"prompt\":\"a\",\"sampler\":\"%s\",\"steps\":%d}",
             v->left, v->left_steps);
    snprintf(right_axes, sizeof right_axes, "{\"prompt\":\"a\",\"sampler\":\"%s\",\"steps\":%d}",
             v->right, v->right_steps);
    judge_add(j, &(struct judge_vote){left, left_axes, right, right_axes, v->won});
}

static const struct judge_value *value(const struct judge *j, size_t axis, const char *label)
{
    for (size_t i = 0; i < j->axes[axis].count; i++)
        if (strcmp(j->axes[axis].values[i].label, label) == 0)
            return &j->axes[axis].values[i];
    fail_msg("no value %s", label);
    return NULL;
}

static void scores_are_those_of_the_reference(void **state)
{
    static const struct {
        size_t axis;
        const char *label;
        double strength, spread;
    } wanted[] = {{0, "ddim", -0.684730, 1.22341}, {0, "euler", -0.335222, 1.10762},
                  {0, "heun", 1.019952, 1.32486},  {1, "10", -1.210499, 1.34468},
                  {1, "20", -0.201708, 1.55592},   {1, "40", 1.412208, 2.13112}};
    struct spec *spec = fixture_spec(spec_text);
    struct judge *j = judge_new(spec);
    (void)state;

    assert_int_equal(j->axis_count, 2); /* not the prompts */
    assert_string_equal(j->axes[0].name, "sampler");
    for (size_t i = 0; i < VOTES; i++)
        add(j, &votes[i]);
    assert_int_equal(judge_fit(j, &e), 0);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const struct judge_value *v = value(j, wanted[i].axis, wanted[i].label);
        near(v->strength, wanted[i].strength, 2e-6);
        near(v->high - v->strength, wanted[i].spread, 2e-5);
        near(v->strength - v->low, wanted[i].spread, 2e-5);
        near(v->win_rate, 1 / (1 + exp(-wanted[i].strength)), 1e-6);
    }
    assert_true(isnan(value(j, 0, "lms")->strength)); /* never compared */
    const struct judge_value *euler = value(j, 0, "euler"), *ten = value(j, 1, "10");
    assert_int_equal(j->axes[0].votes, 9);
    assert_int_equal(euler->votes, 6);
    assert_int_equal(euler->wins, 2);
    assert_int_equal(euler->losses, 3);
    assert_int_equal(euler->ties, 1);
    assert_int_equal(ten->votes, 7);
    assert_int_equal(ten->wins, 1);
    judge_free(j);
    spec_free(spec);
}

/* Left and right say nothing by themselves, and what always wins stays finite. */
static void mirrored_and_one_sided(void **state)
{
    struct spec *spec = fixture_spec(spec_text);
    struct judge *a = judge_new(spec), *b = judge_new(spec);
    (void)state;

    for (size_t i = 0; i < VOTES; i++) {
        struct verdict v = votes[i], w = {v.right, v.right_steps, v.left, v.left_steps, 1 - v.won};
        add(a, &v);
        add(b, &w);
    }
    assert_int_equal(judge_fit(a, &e), 0);
    assert_int_equal(judge_fit(b, &e), 0);
    near(value(a, 0, "heun")->strength, value(b, 0, "heun")->strength, 1e-9);
    judge_free(b);
    b = judge_new(spec);
    for (int i = 0; i < 5000; i++)
        add(b, &(struct verdict){"euler", 10, "ddim", 10, 1});
    assert_int_equal(judge_fit(b, &e), 0);
    double last = value(b, 0, "euler")->strength;
    assert_true(last > 3 && last < 10 && value(b, 0, "euler")->low < last);
    near(last, -value(b, 0, "ddim")->strength, 1e-9);
    judge_free(a);
    judge_free(b);
    spec_free(spec);
}

static void no_votes_and_strange_ones(void **state)
{
    struct spec *spec = fixture_spec(spec_text);
    struct judge *j = judge_new(spec);
    (void)state;

    assert_int_equal(judge_fit(j, &e), 0);
    assert_true(isnan(value(j, 0, "euler")->strength));
    judge_add(j, &(struct judge_vote){"x", "no json", "y", "{}", 1});
    judge_add(j, &(struct judge_vote){"p", "{\"sampler\":\"euler\"}", "q", "{\"steps\":10}", 1});
    judge_add(j, &(struct judge_vote){"r", "{\"sampler\":\"own\"}", "s", "{\"sampler\":7}", 1});
    assert_int_equal(judge_fit(j, &e), 0);
    assert_true(value(j, 0, "own")->strength > 0); /* of a run whose values are gone */
    assert_true(value(j, 0, "7")->strength < 0);
    judge_free(j);
    spec_free(spec);
}

static void more_values_than_are_fitted(void **state)
{
    struct spec *spec = fixture_spec(spec_text);
    struct judge *j = judge_new(spec);
    struct arena a = {0};
    (void)state;

    for (int i = 0; i < JUDGE_PARAMETERS; i++) {
        const char *left = arena_printf(&a, "l%d", i), *right = arena_printf(&a, "r%d", i);
        judge_add(j,
                  &(struct judge_vote){left, arena_printf(&a, "{\"sampler\":\"%s\"}", left), right,
                                       arena_printf(&a, "{\"sampler\":\"%s\"}", right), 1});
    }
    assert_int_equal(judge_fit(j, &e), 0);
    assert_false(isnan(value(j, 0, "r0")->strength));
    assert_true(isnan(value(j, 0, arena_printf(&a, "r%d", JUDGE_PARAMETERS - 1))->strength));
    arena_release(&a);
    judge_free(j);
    spec_free(spec);
}

/* ============================== Pairs ============================== */

struct pool {
    struct arena a;
    struct spec *spec;
    struct judge *j;
    struct judge_picture *pictures;
    bool may_differ[SPEC_MAX_AXES];
    struct judge_wanted w;
    struct judge_pair *pairs;
    size_t found;
    int64_t remaining;
};

static void open_pool(struct pool *p, const char *text)
{
    *p = (struct pool){.spec = fixture_spec(text)};
    p->j = judge_new(p->spec);
    p->pictures = arena_alloc(&p->a, p->spec->cells * sizeof *p->pictures);
    for (size_t i = 0; i < p->spec->cells; i++)
        p->pictures[i] = (struct judge_picture){
            .id = arena_printf(&p->a, "%05zu", i),
            .picture = arena_printf(&p->a, "picture %zu", i),
            .prompt = "",
            .seed = arena_printf(&p->a, "%zu", i % p->spec->seed_count),
            .cell = i,
        };
    for (size_t i = 0; i < p->j->axis_count; i++)
        p->may_differ[p->j->axes[i].of_spec] = true;
    p->w = (struct judge_wanted){.pictures = p->pictures,
                                 .count = p->spec->cells,
                                 .may_differ = p->may_differ,
                                 .limit = JUDGE_PAIRS,
                                 .chance = 1};
    assert_int_equal(judge_fit(p->j, &e), 0);
}

static void close_pool(struct pool *p)
{
    judge_free(p->j);
    spec_free(p->spec);
    arena_release(&p->a);
}

static void ask(struct pool *p)
{
    if (judge_pairs(p->j, p->spec, &p->w, &p->a, &p->pairs, &p->found, &p->remaining, &e))
        fail_msg("%s", e.message);
}

static void pairs_differ_where_they_may(void **state)
{
    struct pool p;
    (void)state;

    open_pool(&p, spec_text);
    ask(&p);
    /* Two prompts, two seeds: twelve pictures of each, all of which may meet. */
    assert_int_equal(p.remaining, 4 * 12 * 11 / 2);
    assert_int_equal(p.found, JUDGE_PAIRS);
    p.may_differ[1] = false; /* samplers */
    ask(&p);
    assert_int_equal(p.remaining, 4 * 4 * 3);
    assert_int_equal(p.found, 48);
    int left_first = 0;
    for (size_t i = 0; i < p.found; i++) {
        size_t x = p.pictures[p.pairs[i].left].cell, y = p.pictures[p.pairs[i].right].cell;
        assert_int_not_equal(x, y);
        assert_int_equal(x % SEEDS, y % SEEDS);
        assert_int_equal(x / SEEDS / STEPS, y / SEEDS / STEPS); /* sampler and prompt */
        left_first += x < y;
    }
    assert_true(left_first > 8 && left_first < 40); /* by chance: 48 coins */
    for (size_t i = 0; i < p.w.count; i++)
        p.pictures[i].prompt = i % 2 ? "x" : "y"; /* constraints may do that */
    p.w.count = 2;
    p.pictures[1].cell = STEPS;
    ask(&p);
    assert_int_equal(p.found, 0);
    assert_int_equal(p.remaining, 0);
    close_pool(&p);
}

static void equal_pictures_are_one(void **state)
{
    struct pool p;
    (void)state;

    open_pool(&p, spec_text);
    for (size_t i = 0; i < p.w.count; i++)
        p.pictures[i].picture = i < CELLS / 2 ? "same" : p.pictures[i].picture;
    ask(&p);
    assert_int_equal(p.remaining, 2 * 12 * 11 / 2); /* of the second prompt alone */
    close_pool(&p);
}

static void what_was_judged_does_not_come_again(void **state)
{
    static const char *judged[CELLS * CELLS][2];
    struct pool p;
    size_t n = 0;
    (void)state;

    open_pool(&p, spec_text);
    p.w.judged = judged;
    for (int rounds = 0; rounds < 20; rounds++) {
        p.w.chance = (uint64_t)rounds;
        p.w.judged_count = n;
        ask(&p);
        assert_int_equal(p.remaining, 264 - n);
        for (size_t i = 0; i < p.found; i++, n++) {
            const char *x = p.pictures[p.pairs[i].left].id, *y = p.pictures[p.pairs[i].right].id;
            for (size_t k = 0; k < n; k++)
                assert_false((judged[k][0] == x && judged[k][1] == y) ||
                             (judged[k][0] == y && judged[k][1] == x));
            judged[n][0] = x;
            judged[n][1] = y;
        }
        if (p.found == 0)
            break;
    }
    assert_int_equal(n, 264);
    judged[n][0] = judged[0][1]; /* again, the other way round; and one that is not there */
    judged[n++][1] = judged[0][0];
    judged[n][0] = "nobody";
    judged[n++][1] = judged[0][0];
    p.w.judged_count = n;
    ask(&p);
    assert_int_equal(p.remaining, 0);
    close_pool(&p);
}

/* Two that were compared a thousand times tell less than two that never were. */
static void the_most_telling_come_first(void **state)
{
    struct pool p;
    (void)state;

    open_pool(&p, "{\"version\":1,\"type\":\"parameter_sweep\",\"prompts\":[\"a\"],\"seeds\":[1],"
                  "\"samplers\":[\"euler\",\"ddim\",\"heun\"],\"steps\":[10]}");
    for (int i = 0; i < 1000; i++)
        add(p.j, &(struct verdict){"euler", 10, "ddim", 10, i % 10 ? 1 : 0});
    assert_int_equal(judge_fit(p.j, &e), 0);
    const size_t euler[] = {0, 0}, ddim[] = {1, 0}, heun[] = {2, 0};
    assert_true(judge_gain(p.j, euler, ddim) < 0.1 * judge_gain(p.j, ddim, heun));
    p.w.limit = 1;
    for (uint64_t i = 0; i < 20; i++) {
        p.w.chance = i;
        ask(&p);
        assert_int_equal(p.remaining, 3);
        assert_true(p.pictures[p.pairs[0].left].cell == 2 ||
                    p.pictures[p.pairs[0].right].cell == 2);
    }
    close_pool(&p);
}

static void many_cells(void **state)
{
    static const char *judged[6000][2];
    struct pool p;
    (void)state;

    open_pool(&p, "{\"version\":1,\"type\":\"parameter_sweep\",\"prompts\":[\"a\"],"
                  "\"steps\":\"1..100 by 1\",\"cfg_scales\":\"1..100 by 1\"}");
    assert_int_equal(p.w.count, 10000);
    ask(&p);
    assert_int_equal(p.remaining, 10000LL * 9999 / 2);
    assert_int_equal(p.found, JUDGE_PAIRS);
    /* All but one of 4950 pairs were judged. */
    size_t n = 0;
    for (size_t x = 0; x < 100; x++)
        for (size_t y = x + 1; y < 100; y++)
            if (x != 7 || y != 77) {
                judged[n][0] = p.pictures[x].id;
                judged[n++][1] = p.pictures[y].id;
            }
    p.w.count = 100;
    p.w.judged = judged;
    p.w.judged_count = n;
    ask(&p);
    assert_int_equal(p.remaining, 1);
    assert_int_equal(p.found, 1);
    assert_int_equal(p.pairs[0].left + p.pairs[0].right, 84);
    close_pool(&p);
}

static void what_is_no_question(void **state)
{
    struct pool p;
    (void)state;

    open_pool(&p, spec_text);
    p.w.limit = JUDGE_PAIRS + 1;
    assert_int_equal(judge_pairs(p.j, p.spec, &p.w, &p.a, &p.pairs, &p.found, &p.remaining, &e),
                     ERR_ARG);
    p.w.limit = 1;
    p.pictures[3].cell = CELLS;
    assert_int_equal(judge_pairs(p.j, p.spec, &p.w, &p.a, &p.pairs, &p.found, &p.remaining, &e),
                     ERR_ARG);
    p.w.count = 0;
    ask(&p);
    assert_int_equal(p.found, 0);
    close_pool(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_the_reference),
        cmocka_unit_test(mirrored_and_one_sided),
        cmocka_unit_test(no_votes_and_strange_ones),
        cmocka_unit_test(more_values_than_are_fitted),
        cmocka_unit_test(pairs_differ_where_they_may),
        cmocka_unit_test(equal_pictures_are_one),
        cmocka_unit_test(what_was_judged_does_not_come_again),
        cmocka_unit_test(the_most_telling_come_first),
        cmocka_unit_test(many_cells),
        cmocka_unit_test(what_is_no_question),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
