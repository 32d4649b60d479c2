/* What is installed and what there is to choose from; the table of providers. */
#include "base/file.h"
#include "providers_fixture.h"

#include <unistd.h>

static const struct provider_model *find(const struct provider_model *models, size_t count,
                                         const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    fail_msg("%s is not listed", name);
    return NULL;
}

static bool has(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

static void models_are_described(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct arena a = {0};
    struct provider_model *models;
    size_t count;
    struct err e = {0};
    (void)state;

    assert_int_equal(provider_models(p, &a, &models, &count, &e), 0);
    assert_int_equal(count, 6);
    const struct provider_model *m = find(models, count, "sd1");
    assert_string_equal(m->architecture, "sd1");
    assert_null(m->digest); /* nobody needed it yet */
    assert_true(m->bytes > 100000);
    assert_int_equal(m->width, 64);
    assert_int_equal(m->multiple, 8);
    assert_string_equal(m->sampler, "pndm");
    assert_true(has(m->samplers, "dpmpp_2m") && has(m->samplers, "tcd"));
    assert_int_equal(m->steps, 20);
    assert_true(m->cfg_scale == 7.5);
    assert_false(m->inpainting || m->loaded);
    assert_null(m->error);
    assert_true(find(models, count, "inpainting")->inpainting);
    assert_string_equal(find(models, count, "single-xl")->architecture, "sdxl");
    arena_release(&a);
    provider_close(p);
}

/* The demo's pndm begins with Runge-Kutta steps: it needs four steps, and has twenty. */
static void samplers_are_those_of_the_default_steps(void **state)
{
    struct arena a = {0};
    const char *folders[] = {arena_printf(&a, "%s/models", getenv("CAULDRON_SOURCE")), NULL};
    struct provider *p = open_native((struct provider_options){.model_folders = folders});
    struct provider_model *models;
    size_t count;
    struct err e = {0};
    (void)state;

    assert_int_equal(provider_models(p, &a, &models, &count, &e), 0);
    assert_true(has(find(models, count, "demo")->samplers, "pndm"));
    arena_release(&a);
    provider_close(p);
}

static void digests_are_remembered(void **state)
{
    struct arena a = {0};
    char folder[] = "/tmp/cauldron-digests-XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *file = arena_printf(&a, "%s/digests.json", folder);
    struct provider *p = open_native((struct provider_options){.data_folder = folder});
    struct provider_model m, *models;
    size_t count;
    struct err e = {0};
    (void)state;

    assert_int_equal(provider_model(p, "sd1", &a, &m, &e), 0);
    assert_int_equal(strlen(m.digest), 64);
    assert_true(file_exists(file));
    assert_int_equal(provider_models(p, &a, &models, &count, &e), 0);
    assert_string_equal(find(models, count, "sd1")->digest, m.digest);
    provider_close(p);

    p = open_native((struct provider_options){.data_folder = folder});
    assert_int_equal(provider_models(p, &a, &models, &count, &e), 0);
    assert_string_equal(find(models, count, "sd1")->digest, m.digest);
    assert_null(find(models, count, "sdxl")->digest);
    provider_close(p);
    unlink(file);
    rmdir(folder);
    arena_release(&a);
}

/* A copy of a tiny model in a folder of its own. */
static void copy_model(const char *from, const char *to)
{
    struct arena a = {0};
    assert_int_equal(system(arena_printf(&a, "cp -r '%s' '%s'", from, to)), 0);
    arena_release(&a);
}

/* Folders come in order, broken models say why, changed weights are another model. */
static void folders_may_change(void **state)
{
    struct arena a = {0};
    char folder[] = "/tmp/cauldron-models-XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *tiny = tiny_models(&a), *folders[] = {folder, tiny, NULL};
    struct provider *p = open_native((struct provider_options){.model_folders = folders});
    struct provider_model m, changed, *models;
    size_t count;
    struct err e = {0};
    (void)state;

    assert_int_equal(provider_model(p, "sd1", &a, &m, &e), 0);
    assert_non_null(strstr(m.path, tiny));
    copy_model(arena_printf(&a, "%s/sdxl", tiny), arena_printf(&a, "%s/sd1", folder));
    assert_int_equal(provider_model(p, "sd1", &a, &changed, &e), 0);
    assert_non_null(strstr(changed.path, folder));
    assert_string_equal(changed.architecture, "sdxl");
    assert_string_not_equal(changed.digest, m.digest);

    assert_int_equal(file_write(arena_printf(&a, "%s/sd1/unet/config.json", folder), "{}", 2, &e),
                     0);
    provider_refresh(p);
    assert_int_equal(provider_models(p, &a, &models, &count, &e), 0);
    assert_non_null(find(models, count, "sd1")->error);
    assert_int_equal(count, 6); /* the one behind it is hidden */
    assert_true(provider_model(p, "sd1", &a, &m, &e) < 0);
    assert_non_null(strstr(e.message, folder));
    provider_close(p);
    assert_int_equal(system(arena_printf(&a, "rm -r '%s'", folder)), 0);
    arena_release(&a);
}

/* Other weights under the same name are noticed without being told. */
static void files_may_be_replaced(void **state)
{
    struct arena a = {0};
    char folder[] = "/tmp/cauldron-models-XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *tiny = tiny_models(&a), *folders[] = {folder, NULL};
    const char *weights = arena_printf(&a, "%s/one.safetensors", folder);
    const char *configs = arena_printf(&a, "%s/one.config", folder);
    struct provider *p = open_native((struct provider_options){.model_folders = folders});
    struct provider_model before, after;
    struct err e = {0};
    (void)state;

    copy_model(arena_printf(&a, "%s/single-sd1.safetensors", tiny), weights);
    copy_model(arena_printf(&a, "%s/single-sd1.config", tiny), configs);
    assert_int_equal(provider_model(p, "one", &a, &before, &e), 0);
    assert_string_equal(before.architecture, "sd1");
    assert_int_equal(system(arena_printf(&a, "rm -r '%s' '%s'", weights, configs)), 0);
    copy_model(arena_printf(&a, "%s/single-xl.safetensors", tiny), weights);
    copy_model(arena_printf(&a, "%s/single-xl.config", tiny), configs);
    assert_int_equal(provider_model(p, "one", &a, &after, &e), 0);
    assert_string_equal(after.architecture, "sdxl");
    assert_string_not_equal(after.digest, before.digest);
    provider_close(p);
    assert_int_equal(system(arena_printf(&a, "rm -r '%s'", folder)), 0);
    arena_release(&a);
}

static void catalogues_are_the_engines(void **state)
{
    struct arena a = {0};
    size_t count, schedules;
    const struct sampler_entry *s = provider_samplers(&a, &count);
    const struct schedule_entry *c = provider_schedules(&a, &schedules);
    (void)state;

    assert_int_equal(count, 17);
    assert_int_equal(schedules, 6);
    for (size_t i = 0; i < count; i++) {
        assert_true(s[i].name[0] && s[i].label[0] && s[i].schedules[0]);
        if (strcmp(s[i].name, "dpmpp_2m") == 0) {
            assert_string_equal(s[i].label, "DPM++ 2M");
            assert_true(has(s[i].aliases, "k_dpmpp_2m"));
            assert_true(has(s[i].schedules, "karras") && has(s[i].schedules, "model"));
            assert_false(s[i].second_order || s[i].stochastic || s[i].uses_eta);
        }
        if (strcmp(s[i].name, "ddim") == 0)
            assert_true(s[i].uses_eta && !has(s[i].schedules, "karras"));
        if (strcmp(s[i].name, "dpm_2_ancestral") == 0)
            assert_true(s[i].second_order && s[i].stochastic);
    }
    assert_string_equal(c[5].name, "sgm_uniform");
    assert_string_equal(c[5].label, "SGM Uniform");
    arena_release(&a);
}

static void hardware_and_settings(void **state)
{
    struct provider *p =
        open_native((struct provider_options){.slots = 2, .threads = 3, .memory_budget = 1 << 30});
    struct arena a = {0};
    struct hardware_info hw;
    struct err e = {0};
    json_t *chosen = NULL;
    (void)state;

    assert_int_equal(provider_hardware(p, &a, &hw, &e), 0);
    assert_true(hw.device_count >= 1);
    assert_string_equal(hw.devices[0].id, "cpu");
    assert_int_equal(hw.devices[0].slots, 2);
    assert_int_equal(hw.devices[0].threads, 3);
    assert_true(hw.memory > 0 && hw.memory_free > 0 && hw.memory_free <= hw.memory);
    assert_true(hw.devices[0].isa[0]);
    assert_int_equal(provider_optimize(p, "auto", &chosen, &e), 0);
    assert_int_equal(json_int(chosen, "threads", 0), 3);
    assert_int_equal(json_int(chosen, "slots", 0), 2);
    assert_int_equal(json_int(chosen, "memory_budget", 0), 1 << 30);
    assert_string_equal(json_text(chosen, "dtype", ""), "f32");
    json_decref(chosen);
    assert_int_equal(provider_optimize(p, "mps", &chosen, &e), ERR_UNSUPPORTED);
    arena_release(&a);
    provider_close(p);
}

static void refuse(struct provider_options o, const char *because)
{
    struct provider *p = NULL;
    struct err e = {0};

    assert_true(provider_open("native", &o, &p, &e) < 0);
    assert_null(p);
    if (!strstr(e.message, because))
        fail_msg("'%s' does not say '%s'", e.message, because);
}

static void bad_options_are_refused(void **state)
{
    struct provider *p = NULL;
    struct err e = {0};
    (void)state;

    refuse((struct provider_options){.dtype = "f8"}, "f8");
    refuse((struct provider_options){.isa = "mmx"}, "mmx");
    refuse((struct provider_options){.threads = -1}, "threads");
    refuse((struct provider_options){.slots = 1000}, "slots");
    refuse((struct provider_options){.max_rows = 1000}, "max_rows");
    refuse((struct provider_options){.memory_budget = -1}, "budget");
    assert_int_equal(provider_open("comfyui", &(struct provider_options){0}, &p, &e),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(e.message, "'comfyui'; there is native"));
    provider_close(NULL);
}

/* ==== a table of the caller's own ==== */

static int opens(struct provider *p, const struct provider_options *o, struct err *e)
{
    if (o->slots)
        return ERR(e, ERR_ARG, "no slots here");
    provider_set_state(p, (void *)(uintptr_t)o);
    return 0;
}

static int completes(struct provider *p, const json_t *given, struct arena *a, struct recipe *out,
                     struct parameter_problem **problems, struct err *e)
{
    (void)p, (void)a, (void)problems, (void)e;
    *out = (struct recipe){.prompt = json_text(given, "prompt", "")};
    return 0;
}

static void other_tables_work_alike(void **state)
{
    const struct provider_backend backend = {
        .name = "other", .version = "7", .open = opens, .complete = completes};
    struct provider_options o = {0};
    struct provider *p = NULL;
    struct arena a = {0};
    struct recipe r;
    struct err e = {0};
    char key[65], wanted[65];
    (void)state;

    assert_int_equal(provider_from_backend(&backend, &o, &p, &e), 0);
    assert_ptr_equal(provider_state(p), &o);
    assert_string_equal(provider_name(p), "other");
    json_t *given = parameters("{'prompt': 'x'}");
    assert_int_equal(provider_complete(p, given, &a, &r, key, NULL, &e), 0);
    recipe_key(&r, "other", "7", wanted);
    assert_string_equal(key, wanted);
    json_decref(given);
    provider_close(p);
    p = NULL;
    o.slots = 1;
    assert_int_equal(provider_from_backend(&backend, &o, &p, &e), ERR_ARG);
    assert_null(p);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_described),
        cmocka_unit_test(samplers_are_those_of_the_default_steps),
        cmocka_unit_test(digests_are_remembered),
        cmocka_unit_test(folders_may_change),
        cmocka_unit_test(files_may_be_replaced),
        cmocka_unit_test(catalogues_are_the_engines),
        cmocka_unit_test(hardware_and_settings),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(other_tables_work_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
