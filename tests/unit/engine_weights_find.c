/* src/engine/weights/find.c: models by name, in folders and in the Hugging Face cache. */
#include "weights_files.h"

#include "engine/weights/find.h"

static char *dir, *one, *two, *hub;
static struct model_paths paths;
static const char *folders[2];

static void model(const char *name, const char *class, bool linear)
{
    char file[256], index[256];

    snprintf(file, sizeof file, "%s/model_index.json", name);
    snprintf(index, sizeof index, "{\"_class_name\": \"%s\"}", class);
    folder_text(dir, file, index);
    snprintf(file, sizeof file, "%s/unet/config.json", name);
    folder_text(dir, file, linear ? "{\"use_linear_projection\": true}" : "{}");
    snprintf(file, sizeof file, "%s/unet/w.safetensors", name);
    folder_text(dir, file, "12345");
}

static int setup(void **state)
{
    (void)state;
    dir = folder_new();
    model("one/demo", "StableDiffusionPipeline", false);
    model("two/demo", "StableDiffusionXLPipeline", false);
    model("two/org/deep", "StableDiffusionPipeline", true);
    model("two/odd", "FluxPipeline", false);
    model("two/file.config", "StableDiffusionPipeline", false);
    folder_text(dir, "two/notes.txt", "");
    folder_text(dir, "two/taesd_decoder.safetensors", "");
    folder_tensors(dir, "two/file.safetensors",
                   "cond_stage_model.model.ln_final.bias 4\nmodel.diffusion_model.x 1\n");
    folder_text(dir, "two/broken.safetensors", "?");
    model("hub/models--org--name/snapshots/abc123", "StableDiffusionXLPipeline", false);
    folder_text(dir, "hub/models--org--name/refs/main", "abc123\n");
    model("hub/models--org--name/snapshots/old", "StableDiffusionPipeline", false);
    folder_text(dir, "hub/models--org--name/refs/fp16", "old");
    folder_text(dir, "hub/models--org--bad/refs/main", "../../models--org--name/snapshots/old");
    folder_text(dir, "hub/models--org--bad/snapshots/x/y", "");
    folder_text(dir, "hub/models--org--half/refs/main", "gone");
    folder_text(dir, "hub/models--org--ckpt/refs/main", "c0");
    folder_text(dir, "hub/models--org--ckpt/snapshots/c0/v1.safetensors", "?");
    folder_text(dir, "hub/datasets--org--name/x", "");
    one = strdup(folder_path(dir, "one"));
    two = strdup(folder_path(dir, "two"));
    hub = strdup(folder_path(dir, "hub"));
    folders[0] = one;
    folders[1] = two;
    paths = (struct model_paths){folders, 2, hub};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_free(dir);
    free(one), free(two), free(hub);
    return 0;
}

static void names_are_found_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *name, *path; /* below the test's folder; NULL: not found */
    } cases[] = {
        {"demo", "one/demo"},
        {"org/deep", "two/org/deep"},
        {"file", "two/file.safetensors"},
        {"file.safetensors", "two/file.safetensors"},
        {"org/name", "hub/models--org--name/snapshots/abc123"},
        {"org/name@fp16", "hub/models--org--name/snapshots/old"},
        {"org/name@old", "hub/models--org--name/snapshots/old"},
        {"org/ckpt/v1.safetensors", "hub/models--org--ckpt/snapshots/c0/v1.safetensors"},
        {"org/ckpt/v1", "hub/models--org--ckpt/snapshots/c0/v1.safetensors"},
        {"org/ckpt", NULL},
        {"org/name@none", NULL},
        {"org/half", NULL},
        {"org/bad", NULL}, /* a ref must not lead out of the model's folder */
        {"../one/demo", NULL},
        {"org/../demo", NULL},
        {"nothing", NULL},
        {"org", NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a = {0};
        struct err e = {0};
        char *path = NULL;
        int rc = model_find(&a, cases[i].name, &paths, &path, &e);
        if (!cases[i].path) {
            if (rc != ERR_NOT_FOUND)
                fail_msg("%s: %s", cases[i].name, rc ? e.message : path);
            assert_null(path);
        } else {
            if (rc)
                fail_msg("%s", e.message);
            assert_string_equal(path, folder_path(dir, cases[i].path));
        }
        arena_release(&a);
    }
}

static void paths_come_first(void **state)
{
    (void)state;
    struct arena a = {0};
    struct err e;
    char *path, before[512];

    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(two), 0);
    assert_int_equal(model_find(&a, "demo", &paths, &path, &e), 0);
    assert_string_equal(path, "demo");
    assert_int_equal(model_find(&a, "./org", &paths, &path, &e), ERR_NOT_FOUND);
    assert_mentions(e.message, "'./org' is no model");
    assert_int_equal(model_find(&a, "", &paths, &path, &e), ERR_ARG);
    assert_int_equal(model_find(&a, folder_path(dir, "two/odd"), &paths, &path, &e), 0);
    assert_int_equal(chdir(before), 0);
    arena_release(&a);
}

static void what_is_missing_comes_with_advice(void **state)
{
    (void)state;
    struct arena a = {0};
    struct err e;
    char *path;
    const struct model_paths nowhere = {folders, 0, NULL};

    assert_int_equal(model_find(&a, "x/y", &paths, &path, &e), ERR_NOT_FOUND);
    assert_mentions(e.message, "no model 'x/y'");
    assert_mentions(e.message, "installed: demo");
    assert_mentions(e.message, "org/name");
    assert_mentions(e.message, "'cauldron models pull x/y'");
    assert_int_equal(model_find(&a, "x", &nowhere, &path, &e), ERR_NOT_FOUND);
    assert_mentions(e.message, "none is installed");
    arena_release(&a);
}

static void everything_installed_is_listed(void **state)
{
    (void)state;
    static const struct model_entry want[] = {
        {"demo", "one/demo", "sd1", 5, 0},
        {"broken", "two/broken.safetensors", "?", 1, 1},
        {"demo", "two/demo", "sdxl", 5, 1},
        {"file", "two/file.safetensors", "sd2", 0, 1},
        {"odd", "two/odd", "?", 5, 1},
        {"org/deep", "two/org/deep", "sd2", 5, 1},
        {"org/ckpt/v1", "hub/models--org--ckpt/snapshots/c0/v1.safetensors", "?", 1, 2},
        {"org/name", "hub/models--org--name/snapshots/abc123", "sdxl", 5, 2},
    };
    struct arena a = {0};
    struct model_entry *list;
    int count;

    model_list(&a, &paths, &list, &count);
    assert_int_equal(count, (int)(sizeof want / sizeof *want));
    for (int i = 0; i < count; i++) {
        assert_string_equal(list[i].name, want[i].name);
        assert_string_equal(list[i].path, folder_path(dir, want[i].path));
        assert_string_equal(list[i].architecture, want[i].architecture);
        assert_int_equal(list[i].where, want[i].where);
        if (want[i].bytes)
            assert_int_equal(list[i].bytes, want[i].bytes);
    }
    model_list(&a, &(struct model_paths){0}, &list, &count);
    assert_int_equal(count, 0);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_order),
        cmocka_unit_test(paths_come_first),
        cmocka_unit_test(what_is_missing_comes_with_advice),
        cmocka_unit_test(everything_installed_is_listed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
