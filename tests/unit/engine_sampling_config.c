/* scheduler_config.json: what is honoured, refused, broken; names; what does not go together. */
#include "test.h"

#include "engine/sampling/sampler.h"

#include <math.h>

static struct scheduler_config parsed(const char *json)
{
    struct scheduler_config c;
    struct err e;

    if (scheduler_config_parse(str_from(json), &c, &e))
        fail_msg("%s", e.message);
    return c;
}

static void refused(const char *json, int code, const char *name)
{
    struct scheduler_config c = {.steps_offset = 77};
    struct err e;

    assert_int_equal(scheduler_config_parse(str_from(json), &c, &e), code);
    if (!strstr(e.message, name))
        fail_msg("'%s' does not name %s", e.message, name);
    assert_int_equal(c.steps_offset, 77); /* the output is untouched */
}

static void test_sd1(void **state)
{
    struct scheduler_config c = parsed(
        "{\"_class_name\": \"PNDMScheduler\", \"_diffusers_version\": \"0.6.0\","
        "\"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", \"beta_start\": 0.00085,"
        "\"num_train_timesteps\": 1000, \"set_alpha_to_one\": false, \"skip_prk_steps\": true,"
        "\"steps_offset\": 1, \"trained_betas\": null, \"clip_sample\": false}");

    (void)state;
    assert_int_equal(c.kind, SAMPLER_PNDM);
    assert_int_equal(c.num_train_timesteps, 1000);
    assert_true(c.beta_start == 0.00085 && c.beta_end == 0.012);
    assert_int_equal(c.beta_schedule, BETA_SCALED_LINEAR);
    assert_true(c.prediction_absent && !c.beta_schedule_absent);
    assert_int_equal(c.spacing, SPACING_MODEL);
    assert_int_equal(c.steps_offset, 1);
    assert_int_equal(c.skip_prk_steps, OPTION_TRUE);
    assert_int_equal(c.clip_sample, OPTION_FALSE);
    assert_int_equal(c.use_karras_sigmas, OPTION_ABSENT);
}

/* A config that Python wrote: -Infinity is no JSON, and means the default. */
static void test_dpm(void **state)
{
    struct scheduler_config c =
        parsed("{\"_class_name\": \"DPMSolverMultistepScheduler\", \"algorithm_type\": "
               "\"sde-dpmsolver++\", \"solver_type\": \"heun\", \"solver_order\": 3, "
               "\"final_sigmas_type\": \"sigma_min\", \"lambda_min_clipped\": -Infinity, "
               "\"euler_at_final\": true, \"thresholding\": false, \"variance_type\": null, "
               "\"use_karras_sigmas\": true, \"prediction_type\": \"v_prediction\", "
               "\"timestep_spacing\": \"trailing\", \"rescale_betas_zero_snr\": true}");

    (void)state;
    assert_int_equal(c.kind, SAMPLER_DPMPP_2M_SDE);
    assert_int_equal(c.solver_heun, OPTION_TRUE);
    assert_int_equal(c.solver_order, 3);
    assert_int_equal(c.final_sigma_min, OPTION_TRUE);
    assert_int_equal(c.euler_at_final, OPTION_TRUE);
    assert_int_equal(c.use_karras_sigmas, OPTION_TRUE);
    assert_int_equal(c.prediction, PREDICT_V);
    assert_int_equal(c.spacing, SPACING_TRAILING);
    assert_int_equal(c.rescale_betas_zero_snr, OPTION_TRUE);
    c = parsed("{\"_class_name\": \"UniPCMultistepScheduler\", \"solver_type\": \"bh1\"}");
    assert_int_equal(c.uni_bh1, OPTION_TRUE);
    assert_int_equal(c.solver_heun, OPTION_ABSENT);
}

#define WITH(rest) "{\"_class_name\": \"DDIMScheduler\", " rest "}"

static void test_refused(void **state)
{
    static const char *const unsupported[][2] = {
        {WITH("\"thresholding\": true"), "thresholding"},
        {WITH("\"trained_betas\": [0.1]"), "trained_betas"},
        {WITH("\"use_flow_sigmas\": true"), "use_flow_sigmas"},
        {WITH("\"use_lu_lambdas\": true"), "use_lu_lambdas"},
        {WITH("\"use_dynamic_shifting\": true"), "use_dynamic_shifting"},
        {WITH("\"variance_type\": \"learned_range\""), "variance_type"},
        {WITH("\"prediction_type\": \"flow_prediction\""), "prediction_type"},
        {WITH("\"beta_schedule\": \"sigmoid\""), "beta_schedule"},
        {WITH("\"interpolation_type\": \"log_linear\""), "interpolation_type"},
        {WITH("\"timestep_type\": \"continuous\""), "timestep_type"},
        {WITH("\"timestep_spacing\": \"random\""), "timestep_spacing"},
        {WITH("\"algorithm_type\": \"dpmsolver\""), "algorithm_type"},
        {WITH("\"solver_type\": \"rk4\""), "solver_type"},
        {WITH("\"sigma_min\": 0.1"), "sigma_min"},
        {WITH("\"lambda_min_clipped\": -5.1"), "lambda_min_clipped"},
        {WITH("\"noise_sampler_seed\": 3"), "noise_sampler_seed"},
        {WITH("\"predict_x0\": false"), "predict_x0"},
        {WITH("\"disable_corrector\": [0]"), "disable_corrector"},
        {"{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"}", "FlowMatchEuler"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
        refused(unsupported[i][0], ERR_UNSUPPORTED, unsupported[i][1]);
}

static void test_broken(void **state)
{
    static const char *const broken[][2] = {
        {"", "config"},
        {"[]", "object"},
        {"{}", "_class_name"},
        {"{\"_class_name\": 7}", "_class_name"},
        {"{\"_class_name\": \"DDIMScheduler\"", "line 1"},
        {WITH("\"beta_start\": 0.1, \"beta_start\": 0.2"), "duplicate"},
        {WITH("\"beta_start\": \"0.1\""), "beta_start"},
        {WITH("\"beta_start\": -1"), "beta_start"},
        {WITH("\"beta_end\": 1e300"), "beta_end"},
        {WITH("\"num_train_timesteps\": 0"), "num_train_timesteps"},
        {WITH("\"num_train_timesteps\": 1000000000"), "num_train_timesteps"},
        {WITH("\"num_train_timesteps\": 12.5"), "num_train_timesteps"},
        {WITH("\"steps_offset\": -3"), "steps_offset"},
        {WITH("\"solver_order\": 4"), "solver_order"},
        {WITH("\"clip_sample\": \"no\""), "clip_sample"},
        {WITH("\"prediction_type\": null"), "prediction_type"},
        {WITH("\"original_inference_steps\": 0"), "original_inference_steps"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        refused(broken[i][0], ERR_FORMAT, broken[i][1]);
}

/* Nothing that starts like a config and goes on as anything may crash or be slow. */
static void test_damaged(void **state)
{
    static const char good[] = WITH("\"beta_start\": 0.1, \"lambda_min_clipped\": -Infinity, "
                                    "\"x\": \"\\\"-Infinity\\\\\"");
    static const char marks[] = "{}[]\",:-0e9\\n \xff\x00tI";
    struct scheduler_config c;
    struct err e;
    uint32_t seed = 1;
    int parsed_some = 0;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[sizeof good];
        size_t n = sizeof good - 1;
        memcpy(text, good, n);
        for (int k = round % 4; k > 0; k--) {
            seed = seed * 1664525u + 1013904223u;
            text[(seed >> 8) % n] = marks[(seed >> 24) % (sizeof marks - 1)];
        }
        seed = seed * 1664525u + 1013904223u;
        if (round % 7 == 1)
            n = (seed >> 8) % n;
        parsed_some += !scheduler_config_parse((struct str){text, n}, &c, &e);
    }
    assert_true(parsed_some > 1000);
}

static void named(const char *name, enum sampler_kind kind, enum schedule_kind schedule)
{
    enum sampler_kind got = SAMPLER_COUNT;
    enum schedule_kind curve = SCHEDULE_MODEL;

    if (!sampler_by_name(str_from(name), &got, &curve))
        fail_msg("%s is unknown", name);
    assert_int_equal(got, kind);
    assert_int_equal(curve, schedule);
}

static void test_names(void **state)
{
    static const char *const unknown[] = {
        "",         " ",          "eul",           "DPM++ 2S a",
        "karras",   "Euler ",     "euler  karras", "dpmpp_2s_ancestral",
        "DPM fast", "DPM++ 2M x", "k_dpmpp_2s_a",  NULL};
    enum sampler_kind kind;
    enum schedule_kind schedule = SCHEDULE_MODEL;
    enum spacing_kind spacing;

    (void)state;
    for (int i = 0; i < SAMPLER_COUNT; i++)
        named(sampler_name((enum sampler_kind)i), (enum sampler_kind)i, SCHEDULE_MODEL);
    named("Euler a", SAMPLER_EULER_ANCESTRAL, SCHEDULE_MODEL);
    named("k_euler_a", SAMPLER_EULER_ANCESTRAL, SCHEDULE_MODEL);
    named("EULER_A", SAMPLER_EULER_ANCESTRAL, SCHEDULE_MODEL);
    named("DPM++ 2M Karras", SAMPLER_DPMPP_2M, SCHEDULE_KARRAS);
    named("k_dpmpp_2m_ka", SAMPLER_DPMPP_2M, SCHEDULE_KARRAS);
    named("dpm++ 2m sde exponential", SAMPLER_DPMPP_2M_SDE, SCHEDULE_EXPONENTIAL);
    named("Euler SGM Uniform", SAMPLER_EULER, SCHEDULE_SGM_UNIFORM);
    named("DPM++ SDE", SAMPLER_DPMPP_SDE, SCHEDULE_MODEL);
    named("PLMS", SAMPLER_PNDM, SCHEDULE_MODEL);
    for (int i = 0; unknown[i]; i++)
        if (sampler_by_name(str_from(unknown[i]), &kind, &schedule))
            fail_msg("'%s' is known", unknown[i]);
    assert_int_equal(schedule, SCHEDULE_MODEL);
    assert_string_equal(sampler_class(SAMPLER_UNI_PC), "UniPCMultistepScheduler");
    for (int i = 0; i < SCHEDULE_COUNT; i++) {
        assert_true(schedule_by_name(str_from(schedule_name((enum schedule_kind)i)), &schedule));
        assert_int_equal(schedule, i);
    }
    assert_false(schedule_by_name(STR("polyexponential"), &schedule));
    assert_true(spacing_by_name(STR("Trailing"), &spacing) && spacing == SPACING_TRAILING);
    assert_false(spacing_by_name(STR("wide"), &spacing));
    assert_string_equal(spacing_name(SPACING_LINSPACE), "linspace");
}

static void not_together(struct sampler_spec spec, const char *json, const char *why)
{
    struct scheduler_config c = parsed(json);
    struct sampler *s = NULL;
    struct noise noise;
    struct err e;
    float x[4] = {0};

    noise_init(&noise, NOISE_CPU, 1);
    spec.count = spec.count ? spec.count : 4;
    if (!sampler_new(&spec, &c, &noise, 1, x, x, &s, &e))
        fail_msg("%s did not fail", why);
    assert_null(s);
    if (!strstr(e.message, why))
        fail_msg("'%s' does not say '%s'", e.message, why);
}

static void test_not_together(void **state)
{
    static const char *const plain = "{\"_class_name\": \"EulerDiscreteScheduler\"}";
    struct sampler_spec ok = {.kind = SAMPLER_DDIM, .steps = 10, .strength = 1};
    struct sampler_spec s;

    (void)state;
    s = ok, s.schedule = SCHEDULE_KARRAS;
    not_together(s, plain, "ddim has no karras schedule; it has model, uniform, sgm_uniform");
    s = ok, s.kind = SAMPLER_DPMPP_2S, s.schedule = SCHEDULE_SGM_UNIFORM;
    not_together(s, plain, "model, uniform, karras, exponential, beta");
    s = ok, s.kind = SAMPLER_LCM, s.spacing = SPACING_LEADING;
    not_together(s, plain, "spacing");
    s = ok, s.schedule = SCHEDULE_SGM_UNIFORM, s.spacing = SPACING_LINSPACE;
    not_together(s, plain, "sgm_uniform");
    s = ok, s.steps = 0;
    not_together(s, plain, "1 to 1000");
    s = ok, s.steps = 1001;
    not_together(s, plain, "1 to 1000");
    s = ok, s.kind = SAMPLER_TCD, s.steps = 51;
    not_together(s, plain, "1 to 50");
    s = ok, s.strength = NAN;
    not_together(s, plain, "strength");
    s = ok, s.strength = 0.05;
    not_together(s, plain, "leaves nothing to do");
    s = ok, s.eta = 1.5;
    not_together(s, plain, "eta");
    s = ok, s.kind = SAMPLER_EULER, s.eta = 0.5;
    not_together(s, plain, "no eta");
    s = ok, s.count = SIZE_MAX / 4;
    not_together(s, plain, "no memory");
    s = ok, s.steps = 1000;
    not_together(s, "{\"_class_name\": \"DDIMScheduler\", \"steps_offset\": 1}", "timestep 1000");
    s = ok, s.kind = SAMPLER_PNDM;
    not_together(s, "{\"_class_name\": \"PNDMScheduler\", \"prediction_type\": \"sample\"}",
                 "sample prediction");
    s = ok, s.kind = SAMPLER_PNDM, s.steps = 3;
    not_together(s, "{\"_class_name\": \"PNDMScheduler\"}", "at least 4 steps");
    s = ok, s.kind = SAMPLER_DEIS;
    not_together(s,
                 "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"algorithm_type\": "
                 "\"sde-dpmsolver++\"}",
                 "algorithm_type");
    s = ok, s.kind = SAMPLER_EULER;
    not_together(s,
                 "{\"_class_name\": \"EulerDiscreteScheduler\", \"use_karras_sigmas\": true, "
                 "\"use_beta_sigmas\": true}",
                 "choose one");
    s = ok, s.kind = SAMPLER_UNI_PC;
    not_together(s, "{\"_class_name\": \"UniPCMultistepScheduler\", \"solver_type\": \"bh1\"}",
                 "sigma_min");
    s = ok, s.kind = SAMPLER_LCM;
    not_together(s,
                 "{\"_class_name\": \"LCMScheduler\", \"num_train_timesteps\": 40, "
                 "\"original_inference_steps\": 50}",
                 "original_inference_steps");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sd1),          cmocka_unit_test(test_dpm),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_broken),
        cmocka_unit_test(test_damaged),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_not_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
