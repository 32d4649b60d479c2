/* Pictures drawn by the native provider: alone, in batches that others join, cancelled, faulty. */
#include "cauldron.h"
#include "providers_fixture.h"

/* What the engine's public function makes of the same wishes. */
static struct cauldron_picture engine_draws(const struct recipe *r)
{
    struct cauldron_options o = cauldron_options();
    struct cauldron_model *m = NULL;
    struct cauldron_picture picture = {0};
    struct cauldron_error e;
    char path[512];

    snprintf(path, sizeof path, "%s/tests/parity/models/%s", getenv("CAULDRON_SOURCE"), r->model);
    o.threads = 1;
    if (cauldron_open(path, &o, &m, &e))
        fail_msg("%s", e.message);
    struct cauldron_request q = cauldron_request(m);
    q.prompt = r->prompt;
    q.negative = r->negative;
    q.seed = r->seed;
    q.steps = r->steps;
    q.sampler = r->sampler;
    q.guidance = r->guidance;
    q.width = r->width;
    q.height = r->height;
    if (cauldron_generate(m, &q, 1, &picture, &e))
        fail_msg("%s", e.message);
    cauldron_close(m);
    return picture;
}

static void a_picture_is_the_engines(void **state)
{
    const char *const wishes[] = {
        "{'prompt': 'a red circle', 'steps': 3, 'seed': 7}",
        "{'prompt': 'a red circle', 'steps': 2, 'seed': 8, 'model': 'sdxl', 'negative_prompt': ''}",
        "{'prompt': 'a star', 'steps': 2, 'seed': 9, 'sampler': 'Euler a', 'cfg_scale': 1}"};
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct script s = {0};
    (void)state;

    for (int i = 0; i < 3; i++) {
        struct recipe r = complete(p, &a, wishes[i]);
        script_add(&s, &r);
    }
    script_run(p, &s);
    for (int i = 0; i < 3; i++) {
        struct scripted *it = &s.items[i];
        struct cauldron_picture wanted = engine_draws(&it->draw.recipe);
        struct image image = {wanted.width, wanted.height, 3, wanted.pixels};
        assert_int_equal(it->code, 0);
        assert_same_image(&it->image, &image);
        assert_true(it->seconds > 0 && it->step_seconds > 0 && it->memory > 0);
        assert_string_equal(it->dtype, "f32");
        assert_int_equal(it->last, it->of);
        assert_string_equal(it->warning, "");
        cauldron_picture_free(&wanted);
    }
    assert_int_equal(s.phases[0], 2); /* two models */
    assert_int_equal(s.phases[1], 3);
    assert_int_equal(s.phases[3], 3);
    script_release(&s);
    arena_release(&a);
    provider_close(p);
}

/* Pictures with other prompts, samplers and steps that come while others are under way. */
static void joiners_change_nothing(void **state)
{
    struct provider *p = open_native((struct provider_options){.max_rows = 8});
    struct arena a = {0};
    struct script together = {.strict = true};
    struct provider_stats before, stats;
    (void)state;

    for (int i = 0; i < 6; i++) {
        const char *text = arena_printf(
            &a,
            "{'prompt': 'picture %d', 'seed': %d, 'steps': %d, 'sampler': '%s', 'cfg_scale': %d}",
            i, i, 3 + i % 3, i % 2 ? "dpmpp_2m" : "euler_ancestral", i == 2 ? 1 : 6);
        struct recipe r = complete(p, &a, text);
        script_add(&together, &r)->after = i;
    }
    script_run(p, &together);
    provider_stats(p, &before);
    assert_true(before.rows > before.steps * 2); /* batches there were */
    for (int i = 0; i < 6; i++) {
        struct script alone = {0};
        script_add(&alone, &together.items[i].draw.recipe);
        script_run(p, &alone);
        assert_int_equal(together.items[i].code, 0);
        assert_same_image(&alone.items[0].image, &together.items[i].image);
        script_release(&alone);
    }
    provider_stats(p, &stats);
    assert_int_equal(stats.pictures, 12);
    assert_int_equal(stats.loads, 1);
    assert_true(stats.hits >= 6);
    script_release(&together);
    arena_release(&a);
    provider_close(p);
}

static void one_may_stop_in_the_middle(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct script s = {.strict = true}, alone = {0};
    (void)state;

    for (int i = 0; i < 3; i++) {
        struct recipe r =
            complete(p, &a, arena_printf(&a, "{'prompt': 'x', 'seed': %d, 'steps': 4}", i));
        script_add(&s, &r);
    }
    s.items[1].cancel_at = 2;
    script_run(p, &s);
    assert_int_equal(s.items[1].code, ERR_CANCELLED);
    assert_int_equal(s.items[1].last, 2);
    assert_null(s.items[1].image.pixels);
    script_add(&alone, &s.items[2].draw.recipe);
    script_run(p, &alone);
    assert_int_equal(s.items[0].code, 0);
    assert_same_image(&alone.items[0].image, &s.items[2].image);
    script_release(&s);
    script_release(&alone);
    arena_release(&a);
    provider_close(p);
}

/* What only the engine finds wrong with one picture is not the others' fault. */
static void a_faulty_one_spoils_no_other(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct script s = {.strict = true};
    struct recipe good = complete(p, &a, "{'prompt': 'x', 'seed': 1, 'steps': 3}");
    struct recipe bad[] = {good, good, good, good, good};
    const char *const says[] = {"UTF-8", "eular", "init picture", "digest", "no model 'gone'"};
    const int codes[] = {ERR_FORMAT, ERR_ARG, ERR_ARG, ERR_CONFLICT, ERR_NOT_FOUND};
    (void)state;

    bad[0].prompt = "\xff";
    bad[1].sampler = "eular";
    bad[2].init = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    bad[3].digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    bad[4].model = "gone";
    bad[4].digest = NULL;
    script_add(&s, &good);
    for (int i = 0; i < 5; i++)
        script_add(&s, &bad[i]);
    script_add(&s, &good)->after = 1;
    s.strict = false; /* those of another model come to join as well: drawn next */
    script_run(p, &s);
    assert_int_equal(s.items[0].code, 0);
    for (int i = 0; i < 5; i++) {
        if (!strstr(s.items[i + 1].message, says[i]))
            fail_msg("'%s' does not say '%s'", s.items[i + 1].message, says[i]);
        if (i)
            assert_int_equal(s.items[i + 1].code, codes[i]);
    }
    assert_int_equal(s.items[6].code, 0);
    assert_same_image(&s.items[0].image, &s.items[6].image);
    script_release(&s);
    arena_release(&a);
    provider_close(p);
}

/* Interrupted before its first pass ends: the one that is not wanted comes back without a step, the
 * other one is what it would have been. */
struct interrupted {
    struct script script;
    struct provider *provider;
    bool done;
};

static struct draw *interrupt_when_asked_to_join(void *user, const char *model, int width,
                                                 int height)
{
    struct interrupted *i = user;
    struct draw stranger = {0}, *next = script_next(&i->script, model, width, height);

    if (model && !next && !i->done) {
        provider_interrupt(i->provider, &stranger);
        provider_interrupt(i->provider, &i->script.items[0].draw);
        i->done = true;
    }
    return next;
}

static enum draw_answer unwanted_before_its_first_step(void *user, struct draw *d, int step,
                                                       int steps, const struct image *preview)
{
    struct interrupted *i = user;

    script_progress(&i->script, d, step, steps, preview);
    return step == 0 && d == &i->script.items[0].draw ? DRAW_CANCEL : DRAW_GO_ON;
}

static void interrupted_done(void *user, struct draw *d, struct draw_result *r)
{
    struct interrupted *i = user;
    script_done(&i->script, d, r);
}

static void nobody_waits_for_the_end_of_a_pass(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct script quiet = {0};
    struct interrupted i = {.provider = p};
    struct draw_source source = {.user = &i,
                                 .next = interrupt_when_asked_to_join,
                                 .progress = unwanted_before_its_first_step,
                                 .done = interrupted_done};
    struct recipe r = complete(p, &a, "{'prompt': 'x', 'seed': 1, 'steps': 3, 'sampler': 'euler'}");
    struct provider_stats before, after;
    struct err e = {0};
    (void)state;

    script_add(&quiet, &r);
    script_run(p, &quiet);
    script_add(&i.script, &r);
    script_add(&i.script, &r);
    provider_stats(p, &before);
    assert_int_equal(provider_draw(p, "cpu", &source, &e), 0);
    provider_stats(p, &after);
    assert_int_equal(i.script.items[0].code, ERR_CANCELLED);
    assert_int_equal(i.script.items[0].calls, 1);
    assert_int_equal(i.script.items[1].calls, 4); /* asked once, then its three steps */
    assert_int_equal(i.script.items[1].of, 3);
    assert_int_equal(after.steps - before.steps, 3);
    assert_same_image(&i.script.items[1].image, &quiet.items[0].image);
    script_release(&quiet);
    script_release(&i.script);
    arena_release(&a);
    provider_close(p);
}

static void previews_are_for_who_watches(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct script s = {.strict = true};
    struct recipe r = complete(p, &a, "{'prompt': 'x', 'seed': 1, 'steps': 4, 'width': 48}");
    (void)state;

    script_add(&s, &r)->draw.preview = true;
    script_add(&s, &r);
    script_run(p, &s);
    assert_int_equal(s.items[0].previews, s.items[0].of - 1);
    assert_int_equal(s.items[0].preview.width, 48 / 8);
    assert_int_equal(s.items[0].preview.height, 64 / 8);
    assert_int_equal(s.items[1].previews, 0);
    assert_same_image(&s.items[0].image, &s.items[1].image);
    script_release(&s);
    arena_release(&a);
    provider_close(p);
}

static void cut_prompts_are_warned_of(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct script s = {0};
    char prompt[400] = "";
    (void)state;

    for (int i = 0; i < 100; i++)
        snprintf(prompt + 2 * i, sizeof prompt - (size_t)(2 * i), "%d ", i % 10);
    struct recipe r =
        complete(p, &a, arena_printf(&a, "{'prompt': '%s', 'seed': 1, 'steps': 1}", prompt));
    script_add(&s, &r);
    script_run(p, &s);
    assert_int_equal(s.items[0].code, 0);
    assert_non_null(strstr(s.items[0].warning, "cut off"));
    script_release(&s);
    arena_release(&a);
    provider_close(p);
}

/* The same whichever form the pictures have that come in. */
static void pictures_come_in(void **state)
{
    static unsigned char rgba[4 * 32 * 32], rgb[3 * 32 * 32], grey[32 * 32], wide[3 * 32 * 32];
    const char *hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct script s = {0};
    (void)state;

    for (int i = 0; i < 32 * 32; i++) {
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = rgba[4 * i + c] = (unsigned char)(i * (c + 1));
        rgba[4 * i + 3] = 255;
        grey[i] = wide[3 * i] = wide[3 * i + 1] = wide[3 * i + 2] = i % 32 < 16 ? 255 : 0;
    }
    struct recipe r = complete(
        p, &a,
        arena_printf(&a, "{'prompt': 'x', 'seed': 1, 'steps': 3, 'init_image': '%s', 'mask': '%s'}",
                     hash, hash));
    struct scripted *one = script_add(&s, &r), *two = script_add(&s, &r);
    one->draw.init = (struct image){32, 32, 4, rgba};
    one->draw.mask = (struct image){32, 32, 3, wide};
    two->draw.init = (struct image){32, 32, 3, rgb};
    two->draw.mask = (struct image){32, 32, 1, grey};
    script_run(p, &s);
    assert_int_equal(one->code, 0);
    assert_int_equal(one->image.width, 64);
    assert_same_image(&one->image, &two->image);
    script_release(&s);
    arena_release(&a);
    provider_close(p);
}

/* Both in one call: a handle each, and each says what it is. */
static void dtypes_do_not_mix(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct script s = {0};
    struct hardware_info hw;
    struct provider_stats stats;
    struct err e = {0};
    struct recipe r = complete(p, &a, "{'prompt': 'x', 'seed': 1, 'steps': 2}");
    (void)state;

    assert_int_equal(provider_hardware(p, &a, &hw, &e), 0);
    if (strcmp(hw.devices[0].isa, "avx512bf16") == 0) {
        script_add(&s, &r);
        r.dtype = "bf16";
        script_add(&s, &r);
        script_run(p, &s);
        assert_string_equal(s.items[0].dtype, "f32");
        assert_string_equal(s.items[1].dtype, "bf16");
        provider_stats(p, &stats);
        assert_int_equal(stats.loads, 2);
        script_release(&s);
    }
    arena_release(&a);
    provider_close(p);
}

static void a_device_must_be_there(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct script s = {0};
    struct draw_source source = {.user = &s, .next = script_next};
    struct err e = {0};
    (void)state;

    assert_int_equal(provider_draw(p, "cuda:0", &source, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.message, "cuda:0"));
    provider_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_the_engines),
        cmocka_unit_test(joiners_change_nothing),
        cmocka_unit_test(one_may_stop_in_the_middle),
        cmocka_unit_test(a_faulty_one_spoils_no_other),
        cmocka_unit_test(nobody_waits_for_the_end_of_a_pass),
        cmocka_unit_test(previews_are_for_who_watches),
        cmocka_unit_test(cut_prompts_are_warned_of),
        cmocka_unit_test(pictures_come_in),
        cmocka_unit_test(dtypes_do_not_mix),
        cmocka_unit_test(a_device_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
