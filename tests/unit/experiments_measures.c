#include "test.h"

#include "experiments/compare.h"
#include "experiments_fixture.h"
#include "image/quality.h"

#include <math.h>

/* Draws cells on demand and counts how often each is asked for. */
struct gallery {
    const struct plan *plan;
    int side, loads[64], asked;
    size_t missing, broken, twisted; /* cells; SIZE_MAX: none */
};

static int load(void *user, size_t cell, struct image *out, struct err *e)
{
    struct gallery *g = user;

    g->loads[cell]++;
    if (cell == g->missing)
        return ERR(e, ERR_NOT_FOUND, "no picture");
    if (cell == g->broken)
        return ERR(e, ERR_FORMAT, "a broken picture");
    if (fixture_picture(g->plan, cell, g->side, out, e))
        return e->code;
    if (cell == g->twisted)
        out->pixels[5] ^= 64;
    return 0;
}

static struct spec *spec;
static struct plan *plan;
static struct results *results;
static struct gallery gallery;
static const struct measure_loader loader = {&gallery, load};

/* Two samplers, four step counts (not in order), two seeds; steps 40 is the reference. */
static int set_up(void **state)
{
    (void)state;
    spec = fixture_spec("{\"version\":1,\"type\":\"convergence\",\"base\":{\"prompt\":\"x\"},"
                        "\"samplers\":[\"a\",\"b\"],\"steps\":[10,40,5,20],"
                        "\"replicates\":{\"count\":2}}");
    plan = fixture_plan(spec);
    results = results_new(plan->count);
    for (size_t i = 0; i < plan->count; i++)
        results->at[i].state = RESULT_DONE;
    gallery = (struct gallery){plan, 32, {0}, 0, SIZE_MAX, SIZE_MAX, SIZE_MAX};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    results_free(results);
    plan_free(plan);
    spec_free(spec);
    return 0;
}

static size_t cell_at(size_t sampler, size_t steps, size_t replicate)
{
    return plan_index(plan, (size_t[]){sampler, steps}, replicate);
}

static void test_partners(void **state)
{
    (void)state;
    for (size_t s = 0; s < 2; s++)
        for (size_t r = 0; r < 2; r++) {
            for (size_t k = 0; k < 4; k++)
                assert_int_equal(measure_reference(plan, cell_at(s, k, r)), cell_at(s, 1, r));
            assert_int_equal(measure_neighbour(plan, cell_at(s, 1, r)), cell_at(s, 3, r));
            assert_int_equal(measure_neighbour(plan, cell_at(s, 3, r)), cell_at(s, 0, r));
            assert_int_equal(measure_neighbour(plan, cell_at(s, 0, r)), cell_at(s, 2, r));
            assert_true(measure_neighbour(plan, cell_at(s, 2, r)) == SIZE_MAX);
        }
}

static double ssim_of(size_t a, size_t b)
{
    struct image x, y;
    double value;
    struct err e;

    assert_int_equal(fixture_picture(plan, a, gallery.side, &x, &e), 0);
    assert_int_equal(fixture_picture(plan, b, gallery.side, &y, &e), 0);
    assert_int_equal(quality_ssim(&x, &y, &value, &e), 0);
    image_release(&x);
    image_release(&y);
    return value;
}

static void test_run(void **state)
{
    struct err e;

    (void)state;
    results->at[0].values[MEASURE_SECONDS] = 2;
    assert_int_equal(measures_run(plan, &loader, NULL, results, &e), 0);
    for (size_t i = 0; i < plan->count; i++) {
        const double *v = results->at[i].values;
        size_t reference = measure_reference(plan, i), neighbour = measure_neighbour(plan, i);
        assert_true(i == reference ? isnan(v[MEASURE_SSIM])
                                   : v[MEASURE_SSIM] == ssim_of(i, reference));
        assert_true(neighbour == SIZE_MAX ? isnan(v[MEASURE_SSIM_NEIGHBOUR])
                                          : v[MEASURE_SSIM_NEIGHBOUR] == ssim_of(i, neighbour));
        assert_true(isnan(v[MEASURE_MS_SSIM])); /* too small */
        assert_true(v[MEASURE_SHARPNESS] > 0 && v[MEASURE_CONTRAST] > 0);
        /* Once each, the references once more. */
        assert_true(gallery.loads[i] <= (i == reference ? 2 : 1));
    }
    assert_true(results->at[0].values[MEASURE_STEPS_PER_SECOND] == 5);
    assert_true(isnan(results->at[1].values[MEASURE_STEPS_PER_SECOND]));
}

static void test_skip(void **state)
{
    bool skip[16];
    int loads = 0;
    struct err e;

    (void)state;
    for (size_t i = 0; i < 16; i++)
        skip[i] = i != cell_at(1, 3, 0);
    assert_int_equal(measures_run(plan, &loader, skip, results, &e), 0);
    for (size_t i = 0; i < 16; i++)
        loads += gallery.loads[i];
    assert_int_equal(loads, 3); /* the cell, its reference, its neighbour */
    assert_true(isnan(results->at[0].values[MEASURE_SSIM]));
    assert_true(results->at[cell_at(1, 3, 0)].values[MEASURE_SSIM] ==
                ssim_of(cell_at(1, 3, 0), cell_at(1, 1, 0)));
}

/* Cut off after two cells, again and again: each is measured once, as if nothing had happened. */
static bool two_more(void *user)
{
    struct gallery *g = user;

    return ++g->asked % 2 == 0;
}

static void test_in_pieces(void **state)
{
    const struct measure_loader pieces = {&gallery, load, two_more};
    struct results *whole = results_new(plan->count);
    bool known[16] = {false};
    size_t done = 0, before;
    int times = 0;
    struct err e;

    (void)state;
    for (size_t i = 0; i < 16; i++)
        whole->at[i].state = results->at[i].state;
    assert_int_equal(measures_run(plan, &loader, NULL, whole, &e), 0);
    do {
        before = done;
        assert_int_equal(measures_run(plan, &pieces, known, results, &e), 0);
        done = 0;
        for (size_t i = 0; i < 16; i++)
            done += known[i];
        assert_true(done - before <= 2);
        times++;
    } while (done > before);
    assert_int_equal(done, 16);
    assert_int_equal(times, 9);
    for (size_t i = 0; i < 16; i++)
        for (int m = 0; m <= MEASURE_COLOURFULNESS; m++)
            assert_true(results->at[i].values[m] == whole->at[i].values[m] ||
                        (isnan(results->at[i].values[m]) && isnan(whole->at[i].values[m])));
    results_free(whole);
}

static void test_missing_pictures(void **state)
{
    struct err e;

    (void)state;
    gallery.missing = cell_at(0, 1, 0); /* a reference */
    results->at[cell_at(1, 0, 0)].state = RESULT_FAILED;
    assert_int_equal(measures_run(plan, &loader, NULL, results, &e), 0);
    assert_true(isnan(results->at[cell_at(0, 0, 0)].values[MEASURE_SSIM]));
    assert_false(isnan(results->at[cell_at(0, 0, 0)].values[MEASURE_SHARPNESS]));
    assert_false(isnan(results->at[cell_at(0, 0, 1)].values[MEASURE_SSIM]));
    /* Its neighbour has failed: it is compared with the reference alone. */
    assert_true(isnan(results->at[cell_at(1, 3, 0)].values[MEASURE_SSIM_NEIGHBOUR]));
    assert_false(isnan(results->at[cell_at(1, 3, 0)].values[MEASURE_SSIM]));
    gallery.broken = 3;
    assert_int_equal(measures_run(plan, &loader, NULL, results, &e), ERR_FORMAT);
}

static void test_large_pictures(void **state)
{
    struct err e;

    (void)state;
    gallery.side = 176;
    for (size_t i = 0; i < plan->count; i++)
        results->at[i].state = i < 8 && i % 2 == 0 ? RESULT_DONE : RESULT_WAITING;
    assert_int_equal(measures_run(plan, &loader, NULL, results, &e), 0);
    assert_false(isnan(results->at[cell_at(0, 0, 0)].values[MEASURE_MS_SSIM]));
    assert_int_equal(gallery.loads[9], 0);
}

static void test_json(void **state)
{
    double values[MEASURE_COUNT], again[MEASURE_COUNT];

    (void)state;
    for (int i = 0; i < MEASURE_COUNT; i++)
        values[i] = again[i] = NAN;
    values[MEASURE_SSIM] = 0.5;
    values[MEASURE_PSNR] = INFINITY;
    json_t *json = measures_to_json(values);
    assert_int_equal(json_object_size(json), 2);
    measures_from_json(json, again);
    assert_true(again[MEASURE_SSIM] == 0.5 && isinf(again[MEASURE_PSNR]));
    assert_true(isnan(again[MEASURE_CONTRAST]));
    json_decref(json);
    assert_int_equal(measure_by_name("ms_ssim"), MEASURE_MS_SSIM);
    assert_int_equal(measure_by_name("beauty"), MEASURE_COUNT);
}

static void test_compare(void **state)
{
    struct spec *longer =
        fixture_spec("{\"version\":1,\"type\":\"convergence\",\"base\":{\"prompt\":\"x\"},"
                     "\"samplers\":[\"a\",\"b\"],\"steps\":[10,40,5,20,30],"
                     "\"replicates\":{\"count\":2}}");
    struct plan *other = fixture_plan(longer);
    struct results *after = results_new(other->count);
    struct gallery rooms = {other, 32, {0}, 0, SIZE_MAX, SIZE_MAX, SIZE_MAX};
    struct measure_loader other_loader = {&rooms, load};
    struct compare_side a = {plan, results, &loader}, b = {other, after, &other_loader};
    struct arena arena = {0};
    struct compare c;
    struct err e;

    (void)state;
    for (size_t i = 0; i < other->count; i++)
        after->at[i].state = RESULT_DONE;
    snprintf(results->at[1].sha256, 65, "same");
    snprintf(after->at[plan_find(other, plan->cells[1].id)].sha256, 65, "same");
    rooms.twisted = plan_find(other, plan->cells[2].id);
    rooms.missing = plan_find(other, plan->cells[3].id);
    after->at[plan_find(other, plan->cells[4].id)].state = RESULT_FAILED;
    assert_int_equal(compare_runs(&a, &b, &arena, &c, &e), 0);
    assert_int_equal(c.count, 20);
    assert_int_equal(c.cells[0].state, COMPARE_SAME);
    assert_int_equal(c.cells[1].state, COMPARE_SAME);
    assert_int_equal(gallery.loads[1], 0); /* the files' hashes say it */
    assert_int_equal(c.cells[2].state, COMPARE_DIFFERENT);
    assert_true(c.cells[2].psnr > 10 && c.cells[2].ssim < 1);
    assert_int_equal(c.cells[3].state, COMPARE_UNKNOWN);
    assert_int_equal(c.cells[4].state, COMPARE_ONLY_A);
    assert_int_equal(c.states[COMPARE_ONLY_B], 4);
    assert_int_equal(c.states[COMPARE_SAME], 13);
    json_t *json = compare_to_json(&c, &a, &b, false);
    assert_int_equal(json_array_size(json_object_get(json, "cells")), 7);
    assert_int_equal(json_int(json_object_get(json, "totals"), "different", 0), 1);
    json_decref(json);
    a.loader = NULL;
    assert_int_equal(compare_runs(&a, &b, &arena, &c, &e), 0);
    assert_int_equal(c.states[COMPARE_UNKNOWN], 14);
    arena_release(&arena);
    results_free(after);
    plan_free(other);
    spec_free(longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_partners, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_skip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_pictures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_pictures, set_up, tear_down),
        cmocka_unit_test(test_json),
        cmocka_unit_test_setup_teardown(test_compare, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
