#include "test.h"

#include "experiments/analysis.h"
#include "experiments/statistics.h"
#include "experiments_fixture.h"
#include "experiments_goldens.h"

#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HEAD         "\"version\":1,\"type\":\"parameter_sweep\",\"base\":{\"prompt\":\"a cat\"}"

static void close_to(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance * (1 + fabs(b))))
        fail_msg("%.17g is not %.17g", a, b);
}

static void test_quantiles(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden_degrees); i++)
        close_to(student_975(golden_degrees[i]), golden_t975[i], 1e-10);
    for (size_t i = 0; i < COUNT(golden_beta); i += 4)
        close_to(incomplete_beta(golden_beta[i], golden_beta[i + 1], golden_beta[i + 2]),
                 golden_beta[i + 3], 1e-12);
    assert_true(incomplete_beta(0, 2, 2) == 0 && incomplete_beta(1, 2, 2) == 1);
}

static void test_means(void **state)
{
    struct mean m = mean_of(golden_values, COUNT(golden_values));

    (void)state;
    assert_int_equal(m.n, COUNT(golden_values));
    close_to(m.mean, golden_mean[0], 1e-12);
    close_to(m.low, golden_mean[1], 1e-12);
    close_to(m.high, golden_mean[2], 1e-12);
    m = mean_of(golden_values, 1);
    assert_true(m.mean == golden_values[0] && isnan(m.low) && isnan(m.high));
    m = mean_of(golden_values, 0);
    assert_true(m.n == 0 && isnan(m.mean));
}

static void test_knees(void **state)
{
    size_t at = 0, found = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(golden_knees); i++) {
        size_t knee =
            knee_of(golden_knee_x + at, golden_knee_y + at, (size_t)golden_knee_lengths[i]);
        assert_int_equal(golden_knees[i], knee == SIZE_MAX ? -1 : (int)knee);
        found += knee != SIZE_MAX;
        at += (size_t)golden_knee_lengths[i];
    }
    assert_true(found > 100);
    assert_true(knee_of(golden_knee_x, golden_knee_y, 2) == SIZE_MAX);
    assert_true(knee_of((double[]){1, 2, 3}, (double[]){4, 4, 4}, 3) == SIZE_MAX);
}

static struct results *done_results(const struct plan *p)
{
    struct results *r = results_new(p->count);

    for (size_t i = 0; i < p->count; i++)
        if (p->cells[i].state != PLAN_DROPPED)
            r->at[i].state = RESULT_DONE;
    return r;
}

static struct analysis *analyse(const struct plan *p, const struct results *r, const char *measure)
{
    struct analysis *a;
    struct err e;

    if (analysis_new(p, r, &(struct analysis_options){.measure = measure}, &a, &e))
        fail_msg("%s", e.message);
    return a;
}

static void test_variance(void **state)
{
    struct spec *s = fixture_spec("{" HEAD ",\"parameters\":{\"clip_skip\":[0,1,2],\"eta\":[0,0.1,"
                                  "0.2,0.3]},\"replicates\":{\"count\":5}}");
    struct plan *p = fixture_plan(s);
    struct results *r = done_results(p);
    double all = 0;

    (void)state;
    for (size_t i = 0; i < p->count; i++)
        r->at[i].values[MEASURE_SHARPNESS] = golden_response[i];
    struct analysis *a = analyse(p, r, NULL);
    assert_int_equal(a->measure, MEASURE_SHARPNESS);
    assert_int_equal(a->factor_count, 3);
    for (size_t i = 0; i < 3; i++) {
        close_to(a->factors[i].share, golden_shares[i], 1e-10);
        assert_int_equal(a->factors[i].n, 60);
        all += a->factors[i].share;
    }
    assert_int_equal(a->interaction_count, 3);
    for (size_t i = 0; i < 3; i++) {
        close_to(a->interactions[i].share, golden_pairs[i], 1e-10);
        all += a->interactions[i].share;
    }
    close_to(a->rest, golden_rest, 1e-10);
    close_to(all + a->rest, 1, 1e-12);
    for (size_t i = 0; i < 3; i++) {
        const struct mean *m = &a->factors[1].effects[i + 1].against;
        assert_int_equal(m->n, 15);
        close_to(m->mean, golden_effects[3 * i], 1e-10);
        close_to(m->low, golden_effects[3 * i + 1], 1e-10);
        close_to(m->high, golden_effects[3 * i + 2], 1e-10);
    }
    assert_int_equal(a->factors[1].effects[0].against.n, 0);
    analysis_free(a);

    /* A hole: shares without interactions, and pairs only where both are. */
    r->at[0].values[MEASURE_SHARPNESS] = NAN;
    a = analyse(p, r, "sharpness");
    assert_int_equal(a->interaction_count, 0);
    assert_true(isnan(a->rest));
    assert_int_equal(a->factors[1].effects[0].mean.n, 14);
    assert_int_equal(a->factors[1].effects[1].mean.n, 15);
    assert_int_equal(a->factors[1].effects[1].against.n, 14);
    analysis_free(a);
    results_free(r);
    plan_free(p);
    spec_free(s);
}

static void test_nothing_varies(void **state)
{
    struct spec *s = fixture_spec("{" HEAD ",\"cfg_scales\":[1,2,3]}");
    struct plan *p = fixture_plan(s);
    struct results *r = done_results(p);

    (void)state;
    for (size_t i = 0; i < p->count; i++)
        r->at[i].values[MEASURE_CONTRAST] = 0.1;
    struct analysis *a = analyse(p, r, "contrast");
    assert_true(isnan(a->factors[0].share));
    analysis_free(a);
    a = analyse(p, r, "memory"); /* of which nothing is known */
    assert_int_equal(a->measured, 0);
    assert_int_equal(a->rank_count, 3);
    json_t *json = analysis_to_json(a);
    assert_true(json_is_null(json_object_get(json, "unexplained")));
    json_decref(json);
    analysis_free(a);
    struct err e;
    assert_int_equal(analysis_new(p, r, &(struct analysis_options){.measure = "beauty"}, &a, &e),
                     ERR_ARG);
    assert_int_equal(analysis_new(p, r, &(struct analysis_options){.tolerance = 2}, &a, &e),
                     ERR_ARG);
    results_free(r);
    plan_free(p);
    spec_free(s);
}

/* SSIM of a sampler at so many steps: a fast one, a slow one, one that never settles. */
static double similarity(size_t sampler, double steps)
{
    return sampler == 0   ? 1 - exp(-steps / 4)
           : sampler == 1 ? 1 - exp(-steps / 15)
                          : 0.6 + 0.002 * steps;
}

static void test_convergence(void **state)
{
    struct spec *s = fixture_spec(
        "{\"version\":1,\"type\":\"convergence\",\"prompts\":[\"a\",\"b\"],\"samplers\":[\"fast\","
        "\"slow\",\"wild\"],\"steps\":[100,5,10,20,40,80],\"replicates\":{\"count\":2}}");
    struct plan *p = fixture_plan(s);
    struct results *r = done_results(p);

    (void)state;
    for (size_t i = 0; i < p->count; i++) {
        double steps = p->cells[i].steps, noise = plan_replicate(p, i) ? 0.004 : -0.004;
        r->at[i].values[MEASURE_SECONDS] = steps / 10 * (plan_point(p, i, 1) == 0 ? 3 : 1);
        if (p->cells[i].steps != 100)
            r->at[i].values[MEASURE_SSIM] = similarity(plan_point(p, i, 1), steps) + noise;
    }
    struct analysis *a = analyse(p, r, NULL);
    assert_string_equal(a->curve_axis, "steps");
    assert_int_equal(a->curve_count, 3);
    const struct curve *fast = &a->curves[0], *slow = &a->curves[1], *wild = &a->curves[2];
    assert_string_equal(fast->label, "sampler fast");
    assert_true(fast->points[0].x == 5 && fast->points[5].x == 100 && fast->points[5].reference);
    assert_int_equal(fast->points[0].y.n, 4);
    assert_int_equal(fast->points[5].y.n, 0);
    assert_true(fast->points[fast->converged].x == 20); /* 1 - e^-5 */
    assert_true(fast->points[fast->knee].x == 20);
    assert_true(slow->points[slow->converged].x == 80);
    assert_true(wild->converged == SIZE_MAX && wild->knee == SIZE_MAX);
    /* 20 steps of the fast sampler at 0.3 s beat 80 of the slow one at 0.1 s. */
    assert_int_equal(a->cheapest_curve, 0);
    assert_true(a->curves[0].points[a->cheapest_point].x == 20);
    json_t *json = analysis_to_json(a);
    const json_t *curve = json_array_get(json_object_get(json, "curves"), 0);
    assert_string_equal(json_text(curve, "summary", ""), "converged at 20 steps, 6 s (n = 4)");
    json_decref(json);
    analysis_free(a);
    struct err e;
    assert_int_equal(analysis_new(p, r, &(struct analysis_options){.tolerance = 0.5}, &a, &e), 0);
    assert_true(a->curves[0].points[a->curves[0].converged].x == 5); /* from the first on */
    analysis_free(a);
    results_free(r);
    plan_free(p);
    spec_free(s);
}

static void test_ranking(void **state)
{
    struct spec *s = fixture_spec("{" HEAD ",\"samplers\":[\"a\",\"b\",\"c\",\"d\"],\"steps\":[9],"
                                  "\"replicates\":{\"count\":2}}");
    struct plan *p = fixture_plan(s);
    struct results *r = done_results(p);
    static const double quality[] = {0.9, 0.95, 0.8, NAN}, seconds[] = {1, 3, 2, 1};

    (void)state;
    for (size_t i = 0; i < p->count; i++) {
        r->at[i].values[MEASURE_SSIM] = quality[plan_point(p, i, 0)];
        r->at[i].values[MEASURE_SECONDS] = seconds[plan_point(p, i, 0)];
    }
    struct analysis *a = analyse(p, r, "ssim");
    assert_int_equal(a->rank_count, 4);
    assert_string_equal(a->ranking[0].label, "sampler b, steps 9");
    assert_string_equal(a->ranking[1].label, "sampler a, steps 9");
    assert_string_equal(a->ranking[3].label, "sampler d, steps 9");
    assert_true(a->ranking[0].frontier && a->ranking[1].frontier && !a->ranking[2].frontier);
    assert_int_equal(a->ranking[0].y.n, 2);
    analysis_free(a);
    a = analyse(p, r, "seconds"); /* less is better */
    assert_string_equal(a->ranking[3].label, "sampler b, steps 9");
    analysis_free(a);
    results_free(r);
    plan_free(p);
    spec_free(s);
}

/* Equal pictures do not spoil a mean of PSNR; cells that failed do not count. */
static void test_odd_numbers(void **state)
{
    struct spec *s = fixture_spec("{" HEAD ",\"cfg_scales\":[1,2,3]}");
    struct plan *p = fixture_plan(s);
    struct results *r = done_results(p);

    (void)state;
    r->at[0].values[MEASURE_PSNR] = INFINITY;
    r->at[1].values[MEASURE_PSNR] = 20;
    r->at[2].values[MEASURE_PSNR] = 90;
    r->at[2].state = RESULT_FAILED;
    struct analysis *a = analyse(p, r, "psnr");
    assert_int_equal(a->measured, 2);
    assert_int_equal(a->failed, 1);
    assert_true(a->factors[0].effects[0].mean.mean == 100);
    analysis_free(a);
    results_free(r);
    plan_free(p);
    spec_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles),      cmocka_unit_test(test_means),
        cmocka_unit_test(test_knees),          cmocka_unit_test(test_variance),
        cmocka_unit_test(test_nothing_varies), cmocka_unit_test(test_convergence),
        cmocka_unit_test(test_ranking),        cmocka_unit_test(test_odd_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
