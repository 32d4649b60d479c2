#include "test.h"

#include "base/json.h"
#include "experiments/order.h"
#include "experiments/plan.h"
#include "experiments/recipes.h"

#include <math.h>

#define HEAD "\"version\":1,\"type\":\"parameter_sweep\",\"base\":{\"prompt\":\"a cat\"}"

/* A world in which every model takes 64 x 64 pixels and 20 steps unless told otherwise. */
struct world {
    size_t asked, drawn_below; /* keys that begin with a digit below this are drawn */
    int broken_at;             /* the call of complete that fails for good; 0: none */
};

static int complete(void *user, const json_t *p, struct arena *a, struct recipe *out, char key[65],
                    struct err *e)
{
    struct world *w = user;
    struct recipe r = {.model = arena_strdup(a, json_text(p, "model", "demo")),
                       .prompt = arena_strdup(a, json_text(p, "prompt", "")),
                       .sampler = arena_strdup(a, json_text(p, "sampler", "euler")),
                       .schedule = arena_strdup(a, json_text(p, "schedule", "model")),
                       .rng = "cpu",
                       .dtype = "f32",
                       .seed = (uint64_t)json_int(p, "seed", 0),
                       .steps = (int)json_int(p, "steps", 20),
                       .width = (int)json_int(p, "width", 64),
                       .height = (int)json_int(p, "height", 64),
                       .guidance = json_num(p, "cfg_scale", 7.5)};

    if (++w->asked == (size_t)w->broken_at)
        return ERR(e, ERR_IO, "the disk is gone");
    if (strcmp(r.model, "absent") == 0)
        return ERR(e, ERR_NOT_FOUND, "no model 'absent'");
    recipe_key(&r, "test", "1", key);
    *out = r;
    return 0;
}

static int drawn(void *user, const char (*keys)[65], size_t n, bool *out, struct err *e)
{
    const struct world *w = user;

    (void)e;
    for (size_t i = 0; i < n; i++)
        out[i] = keys[i][0] < (char)('0' + w->drawn_below) && keys[i][0] >= '0';
    return 0;
}

static bool estimate(void *user, const struct recipe *r, struct plan_cost *out)
{
    (void)user;
    *out = (struct plan_cost){r->steps, 1000, 5, 7};
    return strcmp(r->sampler, "unknown") != 0;
}

static struct world world;
static const struct plan_world in_world = {&world, complete, drawn, estimate};

static struct spec *spec_of(const char *text)
{
    struct spec_problems problems = {0};
    struct spec *spec = NULL;
    json_t *document;
    struct err e;

    assert_int_equal(json_read(str_from(text), &document, &e), 0);
    if (spec_read(document, NULL, &spec, &problems))
        fail_msg("%s in %s", spec_problems_line(&problems), text);
    json_decref(document);
    spec_problems_release(&problems);
    return spec;
}

static struct plan *plan_of(const struct spec *spec, const struct plan_world *w)
{
    struct plan *p;
    struct err e;

    world = (struct world){0};
    if (plan_new(spec, w, &p, &e))
        fail_msg("%s", e.message);
    return p;
}

static const char *prompt_of(const struct plan *p, size_t cell, struct arena *a)
{
    json_t *parameters = plan_parameters(p, cell);
    const char *prompt = arena_strdup(a, json_text(parameters, "prompt", ""));

    json_decref(parameters);
    return prompt;
}

static int64_t int_of(const struct plan *p, size_t cell, const char *name)
{
    json_t *parameters = plan_parameters(p, cell);
    int64_t value = json_int(parameters, name, -1);

    json_decref(parameters);
    return value;
}

static void test_merge(void **state)
{
    struct spec *s = spec_of(
        "{\"version\":1,\"type\":\"parameter_sweep\",\"base\":{\"prompt\":\"{x} a {y}, {z} cat\","
        "\"steps\":7},\"axes\":[{\"parameter\":\"steps\",\"values\":[10,{\"value\":20,\"set\":"
        "{\"width\":96,\"clip_skip\":1}}]},{\"parameter\":\"width\",\"values\":[64,80]},"
        "{\"variable\":\"y\",\"values\":[\"cat\",5]},{\"replace\":\"cat\",\"values\":[\"dog\","
        "\"cat\"]},{\"variable\":\"x\",\"values\":[\"{y}\"]}],\"constraints\":[{\"where\":"
        "{\"width\":96},\"set\":{\"height\":96}}],\"replicates\":{\"seeds\":[3,4]}}");
    struct plan *p = plan_of(s, &in_world);
    struct arena a = {0};
    size_t points[5] = {1, 1, 0, 0, 0}, cell = plan_index(p, points, 1);

    (void)state;
    assert_int_equal(p->count, 32);
    assert_int_equal(int_of(p, cell, "steps"), 20);
    assert_int_equal(int_of(p, cell, "width"), 96); /* a value's settings go over the other axes */
    assert_int_equal(int_of(p, cell, "clip_skip"), 1);
    assert_int_equal(int_of(p, cell, "height"), 96); /* and constraints see them */
    assert_int_equal(int_of(p, cell, "seed"), 4);
    /* One pass: what a variable brings is not looked into; unknown words stay. */
    assert_string_equal(prompt_of(p, cell, &a), "{y} a dog, {z} dog");
    points[2] = 1;
    assert_string_equal(prompt_of(p, plan_index(p, points, 0), &a), "{y} a 5, {z} dog");
    points[3] = 1;
    assert_string_equal(prompt_of(p, plan_index(p, points, 0), &a), "{y} a 5, {z} cat");
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(plan_point(p, cell, i), i < 2 ? 1 : 0);
    assert_int_equal(plan_replicate(p, cell), 1);
    arena_release(&a);
    plan_free(p);
    spec_free(s);
}

/* Two words can change places. */
static void test_swap(void **state)
{
    struct spec *s =
        spec_of("{\"version\":1,\"type\":\"parameter_sweep\",\"base\":{\"prompt\":\"cat and dog\"},"
                "\"axes\":[{\"name\":\"swap\",\"zip\":[{\"replace\":\"cat\",\"values\":[\"cat\","
                "\"dog\"]},{\"replace\":\"dog\",\"values\":[\"dog\",\"cat\"]}]}]}");
    struct plan *p = plan_of(s, &in_world);
    struct arena a = {0};

    (void)state;
    assert_string_equal(prompt_of(p, 0, &a), "cat and dog");
    assert_string_equal(prompt_of(p, 1, &a), "dog and cat");
    arena_release(&a);
    plan_free(p);
    spec_free(s);
}

static void test_long_prompts(void **state)
{
    struct arena a = {0};
    char *long_text = arena_alloc(&a, 9001);
    struct spec *s;
    struct plan *p;

    (void)state;
    memset(long_text, 'x', 9000);
    s = spec_of(
        arena_printf(&a,
                     "{\"version\":1,\"type\":\"parameter_sweep\",\"base\":{\"prompt\":"
                     "\"{v} {v}\"},\"axes\":[{\"variable\":\"v\",\"values\":[\"a\",\"%s\"]}]}",
                     long_text));
    p = plan_of(s, &in_world);
    assert_int_equal(p->cells[0].state, PLAN_DRAW);
    assert_int_equal(p->cells[1].state, PLAN_IMPOSSIBLE);
    assert_non_null(strstr(p->cells[1].reason, "10000 bytes"));
    plan_free(p);
    spec_free(s);
    arena_release(&a);
}

static const struct plan_reason *reason_with(const struct plan *p, const char *words)
{
    for (size_t i = 0; i < p->reason_count; i++)
        if (strstr(p->reasons[i].text, words))
            return &p->reasons[i];
    return NULL;
}

static void test_constraints(void **state)
{
    struct spec *s =
        spec_of("{" HEAD
                ",\"models\":[\"demo\",\"absent\"],\"samplers\":[\"euler\",\"lcm\"],\"steps\":[4,8,"
                "20],\"constraints\":[{\"where\":{\"sampler\":\"lcm\"},\"require\":{\"steps\":{"
                "\"max\":8}}},"
                "{\"where\":{\"sampler\":{\"not\":\"lcm\"},\"steps\":{\"in\":[4]}},\"drop\":true,"
                "\"reason\":"
                "\"too few\"},{\"require\":{\"width\":{\"max\":32}},\"where\":{\"steps\":8}}]}");
    struct plan *p = plan_of(s, &in_world);

    (void)state;
    assert_int_equal(p->totals.product, 12);
    assert_int_equal(p->totals.dropped, 2);
    assert_int_equal(p->totals.cells, 10);
    assert_int_equal(reason_with(p, "too few")->cells, 2);
    assert_int_equal(reason_with(p, "needs steps at most 8 where sampler lcm")->cells, 2);
    /* The width is known only after defaults; where the model is absent, that is the reason. */
    assert_int_equal(reason_with(p, "needs width at most 32")->cells, 2);
    assert_int_equal(reason_with(p, "no model 'absent'")->cells, 4);
    assert_int_equal(p->totals.impossible, 8);
    assert_int_equal(p->drawable, 2);
    plan_free(p);
    spec_free(s);
}

static void test_twins_and_drawn(void **state)
{
    struct spec *s = spec_of(
        "{" HEAD ",\"samplers\":[\"euler\",{\"value\":\"lcm\",\"set\":{\"steps\":8}}],\"steps\":"
        "\"10..25\"}");
    struct plan *p = plan_of(s, &in_world);
    size_t lcm[2] = {1, 3}, first = SIZE_MAX;

    (void)state;
    assert_int_equal(p->totals.pictures, 17);
    assert_int_equal(p->totals.to_draw, 17);
    for (size_t i = 0; i < p->drawable && first == SIZE_MAX; i++)
        if (plan_point(p, p->order[i], 0) == 1)
            first = p->order[i];
    assert_int_equal(p->cells[plan_index(p, lcm, 0)].twin, first);
    assert_true(p->totals.seconds == (10 + 25) * 16 / 2.0 + 8 + 5); /* and one load */
    assert_int_equal(p->totals.estimated, 17);
    plan_free(p);

    struct err e;
    size_t exist = 0;
    world = (struct world){.drawn_below = 6};
    assert_int_equal(plan_new(s, &in_world, &p, &e), 0);
    for (size_t i = 0; i < p->count; i++) {
        bool there = p->cells[i].key[0] >= '0' && p->cells[i].key[0] < '6';
        assert_int_equal(p->cells[i].state, there ? PLAN_DRAWN : PLAN_DRAW);
        bool costs = !there && p->cells[i].twin == i;
        assert_true(p->cells[i].seconds == (costs ? p->cells[i].steps : 0));
        assert_true(p->cells[i].bytes == (costs ? 1000 : 0));
        exist += there && p->cells[i].twin == i;
    }
    assert_true(exist > 0);
    assert_int_equal(p->totals.drawn, exist);
    assert_int_equal(p->totals.to_draw, 17 - exist);
    plan_free(p);

    world = (struct world){.broken_at = 5};
    assert_int_equal(plan_new(s, &in_world, &p, &e), ERR_IO);
    spec_free(s);
}

static void test_budget(void **state)
{
    struct spec *s = spec_of("{" HEAD ",\"steps\":\"10..25\",\"budget\":{\"seconds\":100}}");
    struct plan *p = plan_of(s, &in_world);
    double seconds = 5; /* for the model */
    size_t n = 0;
    bool cut = false;

    (void)state;
    for (size_t i = 0; i < p->drawable; i++) {
        const struct plan_cell *c = &p->cells[p->order[i]];
        cut |= c->state == PLAN_CUT;
        assert_int_equal(c->state, cut ? PLAN_CUT : PLAN_DRAW); /* a beginning of the order */
        seconds += cut ? 0 : c->steps;
        n += !cut;
    }
    assert_true(cut);
    assert_true(seconds <= 100);
    assert_true(seconds + p->cells[p->order[n]].steps > 100);
    assert_true(p->totals.seconds == seconds);
    assert_int_equal(p->totals.to_draw, n);
    assert_int_equal(p->totals.cut, 16 - n);
    plan_free(p);
    spec_free(s);
    s = spec_of("{" HEAD ",\"steps\":\"10..25\",\"budget\":{\"cells\":3}}");
    p = plan_of(s, &in_world);
    assert_int_equal(p->totals.to_draw, 3);
    plan_free(p);
    spec_free(s);
}

static void test_unknown_costs(void **state)
{
    struct spec *s = spec_of("{" HEAD ",\"samplers\":[\"euler\",\"unknown\"]}");
    struct plan *p = plan_of(s, &in_world);
    json_t *json = plan_to_json(p, 10);

    (void)state;
    assert_int_equal(p->totals.to_draw, 2);
    assert_int_equal(p->totals.estimated, 1);
    assert_true(isnan(p->cells[1].seconds));
    assert_non_null(
        strstr(json_text(json_object_get(json, "estimate"), "basis", ""), "1 of the 2"));
    assert_int_equal(json_array_size(json_object_get(json, "cells")), 2);
    json_decref(json);
    plan_free(p);
    spec_free(s);
}

static void test_spread(void **state)
{
    static const size_t five[] = {0, 4, 2, 1, 3}, from_end[] = {3, 0, 1, 2};
    size_t out[5];

    (void)state;
    order_spread(5, 0, out);
    assert_memory_equal(out, five, sizeof five);
    order_spread(4, 3, out);
    assert_memory_equal(out, from_end, sizeof from_end);
}

static void test_models_in_one_piece(void **state)
{
    struct spec *s = spec_of("{" HEAD ",\"models\":[\"a\",\"b\",\"c\"],\"steps\":\"1..9\","
                             "\"parameters\":{\"width\":[64,96]},\"replicates\":{\"count\":2}}");
    struct plan *p = plan_of(s, &in_world);

    (void)state;
    assert_int_equal(p->totals.model_loads, 3);
    for (size_t i = 0; i < p->drawable; i++) {
        const struct plan_cell *c = &p->cells[p->order[i]];
        assert_int_equal(c->model[0], 'a' + (int)(i / 36));
        assert_int_equal(c->width, i / 18 % 2 ? 96 : 64);
        assert_int_equal(plan_replicate(p, p->order[i]), i / 9 % 2); /* replicates last */
    }
    /* The reference first: everything is compared with it. */
    assert_int_equal(p->cells[p->order[0]].steps, 9);
    plan_free(p);
    spec_free(s);
}

static void test_listed(void **state)
{
    struct spec *s = spec_of("{" HEAD ",\"models\":[\"a\",\"b\"],\"steps\":\"1..9\",\"order\":"
                             "\"listed\",\"replicates\":{\"count\":2}}");
    struct plan *p = plan_of(s, &in_world);

    (void)state;
    for (size_t i = 0; i < p->count; i++)
        assert_int_equal(p->order[i], i);
    plan_free(p);
    spec_free(s);
    s = spec_of("{" HEAD ",\"models\":[\"a\",\"b\"],\"steps\":\"1..9\",\"order\":\"interleaved\"}");
    p = plan_of(s, &in_world);
    assert_true(p->totals.model_loads > 2);
    plan_free(p);
    spec_free(s);
}

/* ---- properties over random specs ---- */

static uint64_t random_state;
static size_t below(size_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random_state >> 33) % n;
}

/* Up to four axes, some zipped, with drops and requirements. */
static const char *random_spec(struct arena *a, size_t *product)
{
    static const char *const names[] = {"steps", "clip_skip", "width", "crop_top"};
    const char *axes = "", *constraints = "";
    size_t count = 1 + below(4), seeds = 1 + below(3);

    *product = seeds;
    for (size_t i = 0; i < count; i++) {
        size_t n = 1 + below(7);
        *product *= n;
        if (below(4))
            axes = arena_printf(a, "%s%s{\"parameter\":\"%s\",\"values\":\"1..%zu\"}", axes,
                                i ? "," : "", names[i], n);
        else
            axes = arena_printf(a,
                                "%s%s{\"zip\":[{\"parameter\":\"%s\",\"values\":\"1..%zu\"},{"
                                "\"variable\":\"v%zu\",\"values\":[%s]}]}",
                                axes, i ? "," : "", names[i], n, i,
                                &",\"g\",\"f\",\"e\",\"d\",\"c\",\"b\",\"a\""[4 * (7 - n) + 1]);
    }
    for (size_t i = below(3); i > 0; i--)
        constraints =
            arena_printf(a, "%s%s{\"where\":{\"%s\":{\"min\":%zu}},%s}", constraints,
                         constraints[0] ? "," : "", names[below(count)], 1 + below(7),
                         below(2) ? "\"drop\":true" : "\"require\":{\"steps\":{\"max\":3}}");
    return arena_printf(a,
                        "{\"version\":1,\"type\":\"parameter_sweep\",\"base\":{\"prompt\":"
                        "\"{v0} {v1} {v2} {v3}\"},\"axes\":[%s],\"constraints\":[%s],"
                        "\"replicates\":{\"count\":%zu}}",
                        axes, constraints, seeds);
}

static void check_permutation(const struct plan *p)
{
    bool *seen = calloc(p->count, sizeof *seen);

    for (size_t i = 0; i < p->count; i++) {
        assert_true(p->order[i] < p->count && !seen[p->order[i]]);
        seen[p->order[i]] = true;
        assert_int_equal(p->cells[p->order[i]].state >= PLAN_IMPOSSIBLE, i >= p->drawable);
    }
    free(seen);
}

static size_t count_taken(const bool *taken)
{
    size_t n = 0;

    for (size_t k = 0; k < 16; k++)
        n += taken[k];
    return n;
}

/* The axis that grows is one of those with the smallest share of their values taken. */
static void check_balance(const struct spec *s, bool taken[][16], size_t grows)
{
    for (size_t a = 0; a < s->axis_count; a++) {
        size_t n = count_taken(taken[a]), all = s->axes[a].point_count;
        assert_true(n == all || count_taken(taken[grows]) * all <= n * s->axes[grows].point_count);
    }
}

/* Inside a group without holes the grid grows one value at a time, and only when all cells of the
 * values before are drawn: every beginning is a full grid and a part of the next row. */
static void check_coarse(const struct plan *p)
{
    bool taken[SPEC_MAX_AXES][16] = {{false}};
    size_t axes = p->spec->axis_count, n = p->count / p->spec->seed_count, product = 0;

    for (size_t i = 0; i < n; i++) {
        size_t fresh = 0, grows = 0;
        for (size_t a = 0; a < axes; a++)
            if (!taken[a][plan_point(p, p->order[i], a)]) {
                fresh++;
                grows = a;
            }
        assert_true(i == 0 || fresh <= 1);
        if (fresh)
            assert_int_equal(i, product);
        if (fresh && i)
            check_balance(p->spec, taken, grows);
        product = 1;
        for (size_t a = 0; a < axes; a++) {
            taken[a][plan_point(p, p->order[i], a)] = true;
            product *= count_taken(taken[a]);
        }
    }
}

static void test_properties(void **state)
{
    struct arena a = {0};

    (void)state;
    random_state = 42;
    for (int round = 0; round < 300; round++) {
        size_t product;
        const char *text = random_spec(&a, &product);
        struct spec *s = spec_of(text);
        struct plan *p = plan_of(s, &in_world), *again = plan_of(s, NULL);
        size_t dropped = 0;
        assert_int_equal(p->count, product);
        for (size_t i = 0; i < p->count; i++) {
            dropped += p->cells[i].state == PLAN_DROPPED;
            assert_int_equal(plan_find(p, p->cells[i].id), i);
            assert_string_equal(p->cells[i].id, again->cells[i].id);
        }
        assert_int_equal(p->totals.cells, product - dropped);
        assert_int_equal(p->totals.drawn + p->totals.to_draw + p->totals.cut, p->totals.pictures);
        check_permutation(p);
        plan_free(again);
        plan_free(p);
        spec_free(s);
    }
    arena_release(&a);
}

static void test_coarse_prefixes(void **state)
{
    struct arena a = {0};

    (void)state;
    random_state = 7;
    for (int round = 0; round < 60; round++) {
        struct spec *s = spec_of(arena_printf(
            &a,
            "{" HEAD ",\"steps\":\"1..%zu\",\"cfg_scales\":\"1..%zu in %zu\",\"parameters\":{"
            "\"clip_skip\":\"1..%zu\"},\"replicates\":{\"count\":%zu}}",
            1 + below(9), 2 + below(9), 2 + below(5), 1 + below(6), 1 + below(3)));
        struct plan *p = plan_of(s, &in_world);
        check_coarse(p);
        plan_free(p);
        spec_free(s);
    }
    arena_release(&a);
}

/* More values, more replicates, axes in another order: cells that were there keep their ids. */
static void test_extension(void **state)
{
    struct spec *s = spec_of("{" HEAD ",\"steps\":[10,20],\"samplers\":[\"euler\",\"heun\"],"
                             "\"replicates\":{\"count\":2}}"),
                *t = spec_of(
                    "{" HEAD ",\"axes\":[{\"parameter\":\"steps\",\"values\":[5,{\"value\":10,"
                    "\"label\":\"ten\"},20]},{\"parameter\":\"sampler\",\"values\":[\"heun\","
                    "\"euler\"]}],\"replicates\":{\"seeds\":[7,1,0]}}");
    struct plan *p = plan_of(s, &in_world), *q = plan_of(t, &in_world);
    size_t added[18], n = plan_added(q, p, added);

    (void)state;
    assert_int_equal(n, 18 - 8);
    for (size_t i = 0; i < p->count; i++) {
        size_t at = plan_find(q, p->cells[i].id);
        assert_true(at != SIZE_MAX);
        assert_string_equal(q->cells[at].key, p->cells[i].key);
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(plan_find(p, q->cells[added[i]].id), SIZE_MAX);
    plan_free(p);
    plan_free(q);
    spec_free(s);
    spec_free(t);
}

static void test_coordinates(void **state)
{
    struct spec *s = spec_of(
        "{" HEAD ",\"axes\":[{\"name\":\"size\",\"zip\":[{\"parameter\":\"width\",\"values\":[64]},"
        "{\"parameter\":\"height\",\"values\":[96]}]},{\"name\":\"way\",\"values\":[{\"label\":"
        "\"fast\",\"set\":{\"steps\":4}}]}],\"cfg_scales\":[{\"value\":2.5,\"label\":\"weak\"}]}");
    struct plan *p = plan_of(s, &in_world);
    json_t *c = plan_coordinates(p, 0), *l = plan_labels(p, 0);
    struct arena a = {0};

    (void)state;
    assert_string_equal(
        json_canonical(c, &a),
        "{\"cfg_scale\":2.5,\"size\":{\"height\":96,\"width\":64},\"way\":\"fast\"}");
    assert_string_equal(json_canonical(l, &a),
                        "{\"cfg_scale\":\"weak\",\"size\":\"64, 96\",\"way\":\"fast\"}");
    json_decref(c);
    json_decref(l);
    arena_release(&a);
    plan_free(p);
    spec_free(s);
}

static void test_learn(void **state)
{
    struct spec *s = spec_of("{" HEAD ",\"cfg_scales\":[1,2]}");
    struct plan *p = plan_of(s, NULL);
    char why[] = "too small";

    (void)state;
    assert_int_equal(p->cells[0].width, 0);
    plan_learn(p, 0, &(struct plan_seen){"demo", NULL, 128, 64, 20});
    plan_learn(p, 1, &(struct plan_seen){.impossible = why});
    plan_learn(p, 1, &(struct plan_seen){.impossible = why});
    why[0] = 0;
    assert_true(p->cells[0].width == 128 && p->cells[0].height == 64 && p->cells[0].steps == 20);
    assert_string_equal(p->cells[0].model, "demo");
    assert_int_equal(p->cells[0].state, PLAN_DRAW);
    assert_int_equal(p->cells[1].state, PLAN_IMPOSSIBLE);
    assert_string_equal(p->cells[1].reason, "too small");
    assert_int_equal(p->totals.impossible, 1);
    plan_free(p);
    spec_free(s);
}

static struct cell_recipes recipes;

static void keep(void *user, size_t cell, const struct recipe *r)
{
    (void)user;
    recipes_keep(&recipes, cell, r);
}

static void test_recipes_are_kept(void **state)
{
    struct spec *s =
        spec_of("{" HEAD ",\"axes\":[{\"parameter\":\"model\",\"values\":[\"demo\",\"absent\"]},"
                "{\"parameter\":\"steps\",\"values\":\"1..50\"}],\"replicates\":{\"count\":30}}");
    struct plan_world keeping = in_world;
    size_t found = 0;
    char key[65];
    (void)state;

    keeping.keep = keep;
    struct plan *p = plan_of(s, &keeping);
    assert_int_equal(p->count, 3000);
    for (size_t i = 0; i < p->count; i++) {
        const struct recipe *r = recipes_get(&recipes, i);
        assert_int_equal(r != NULL, p->cells[i].key[0] != 0);
        if (!r)
            continue;
        recipe_key(r, "test", "1", key);
        assert_string_equal(key, p->cells[i].key);
        found++;
    }
    assert_int_equal(found, 1500);
    assert_null(recipes_get(&recipes, 1000000));
    assert_ptr_equal(recipes_get(&recipes, 0)->prompt, recipes_get(&recipes, 1)->prompt);
    recipes_release(&recipes);
    plan_free(p);
    spec_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_swap),
        cmocka_unit_test(test_long_prompts),
        cmocka_unit_test(test_constraints),
        cmocka_unit_test(test_twins_and_drawn),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_unknown_costs),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_models_in_one_piece),
        cmocka_unit_test(test_listed),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_coarse_prefixes),
        cmocka_unit_test(test_extension),
        cmocka_unit_test(test_coordinates),
        cmocka_unit_test(test_learn),
        cmocka_unit_test(test_recipes_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
