/* src/engine/weights/model.c, digest.c: whole models of the repository. */
#include "weights_files.h"

#include "base/sha256.h"
#include "engine/weights/model.h"

static const char *source(const char *name)
{
    static char path[512];
    const char *root = getenv("CAULDRON_SOURCE");

    snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
    return path;
}

static struct model *open_model(const char *path)
{
    struct model *m;
    struct err e;

    if (model_open(path, NULL, &m, &e))
        fail_msg("%s", e.message);
    return m;
}

static void models_of_the_repository_open(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum architecture architecture;
        bool inpainting;
        enum prediction_kind prediction;
    } cases[] = {
        {"models/demo", ARCH_SD1, false, PREDICT_V},
        {"models/demo-xl", ARCH_SDXL, false, PREDICT_V},
        {"tests/parity/models/sd1", ARCH_SD1, false, PREDICT_EPSILON},
        {"tests/parity/models/sd2-v", ARCH_SD2, false, PREDICT_V},
        {"tests/parity/models/sdxl", ARCH_SDXL, false, PREDICT_EPSILON},
        {"tests/parity/models/inpainting", ARCH_SD1, true, PREDICT_EPSILON},
        {"tests/parity/models/single-sd1.safetensors", ARCH_SD1, false, PREDICT_EPSILON},
        {"tests/parity/models/single-xl.safetensors", ARCH_SDXL, false, PREDICT_EPSILON},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char digest[65];
        struct err e;
        struct model *m = open_model(source(cases[i].path));
        assert_int_equal(m->architecture, cases[i].architecture);
        assert_int_equal(m->inpainting, cases[i].inpainting);
        assert_int_equal(m->scheduler.prediction, cases[i].prediction);
        assert_int_equal(m->encoders, cases[i].architecture == ARCH_SDXL ? 2 : 1);
        assert_non_null(weights_get(&m->unet_weights, "out.2.weight"));
        assert_non_null(weights_get(&m->vae_weights, "decoder.mid.attn_1.q.weight"));
        for (int t = 0; t < m->encoders; t++)
            assert_non_null(
                weights_get(&m->clip_weights[t], "text_model.embeddings.token_embedding.weight"));
        assert_true(model_bytes(m) > 100000);
        assert_int_equal(model_digest(m, NULL, digest, &e), 0);
        assert_int_equal(strlen(digest), 64);
        model_close(m);
    }
}

/* Copy a weight file, tensors reversed; `change` adds one to the first number of a tensor. */
static void copy_weights(struct arena *a, const char *from, const char *to, const char *change)
{
    struct safetensors file;
    struct err e;

    assert_int_equal(safetensors_open(a, from, &file, &e), 0);
    struct tensor *list = arena_alloc(a, sizeof *list * (size_t)file.count);
    for (int i = 0; i < file.count; i++) {
        struct tensor *t = &list[file.count - 1 - i];
        *t = file.tensors[i];
        if (change && str_is(t->name, change)) {
            size_t n = (size_t)tensor_count(t) * (size_t)dtype_size(t->dtype);
            unsigned char *data = arena_alloc(a, n);
            memcpy(data, t->data, n);
            data[0] ^= 1;
            t->data = data;
        }
    }
    assert_int_equal(safetensors_write(to, list, file.count, NULL, 0, &e), 0);
    safetensors_close(&file);
}

static void copy_text(struct arena *a, const char *from, const char *to)
{
    struct str text;
    struct err e;

    assert_int_equal(file_read(a, from, 1 << 22, &text, &e), 0);
    assert_int_equal(file_write(to, text.p, text.n, &e), 0);
}

/* The same numbers in another order, with other metadata, have the same digest; one bit changes
 * it. */
static void digests_are_of_the_numbers(void **state)
{
    (void)state;
    static const char *const texts[] = {"model_index.json",
                                        "unet/config.json",
                                        "vae/config.json",
                                        "text_encoder/config.json",
                                        "tokenizer/vocab.json",
                                        "tokenizer/merges.txt",
                                        "scheduler/scheduler_config.json"};
    static const char *const weights[] = {"unet/diffusion_pytorch_model.safetensors",
                                          "vae/diffusion_pytorch_model.safetensors",
                                          "text_encoder/model.safetensors"};
    struct arena a = {0};
    struct err e;
    char *dir = folder_new();
    char before[65], after[65], changed[65];
    const char *demo = arena_strdup(&a, source("models/demo"));

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        copy_text(&a, arena_printf(&a, "%s/%s", demo, texts[i]), folder_path(dir, texts[i]));
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
        const char *fp16 = arena_printf(&a, "%s/%.*s.fp16.safetensors", demo,
                                        (int)(strlen(weights[i]) - 12), weights[i]);
        const char *plain = arena_printf(&a, "%s/%s", demo, weights[i]);
        copy_weights(&a, file_exists(plain) ? plain : fp16, folder_path(dir, weights[i]), NULL);
    }
    struct model *m = open_model(demo);
    assert_int_equal(model_digest(m, NULL, before, &e), 0);
    model_close(m);
    m = open_model(dir);
    assert_int_equal(model_digest(m, NULL, after, &e), 0);
    assert_string_equal(before, after);
    model_forget(m, COMPONENT_UNET);
    model_forget(m, COMPONENT_VAE);
    model_forget(m, COMPONENT_TEXT_1);
    model_forget(m, COMPONENT_TEXT_2);
    assert_int_equal(model_digest(m, NULL, after, &e), 0);
    assert_string_equal(before, after);
    model_close(m);

    copy_weights(&a, folder_path(dir, weights[1]), folder_path(dir, weights[1]),
                 "post_quant_conv.bias");
    m = open_model(dir);
    assert_int_equal(model_digest(m, NULL, changed, &e), 0);
    assert_string_not_equal(before, changed);
    model_close(m);
    arena_release(&a);
    folder_free(dir);
}

static void sha256_is_the_standard_one(void **state)
{
    (void)state;
    /* FIPS 180-2, appendix B; and of nothing. */
    char hex[65];
    struct sha256 s;
    struct err e;

    sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_hex(NULL, 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(sha256_init(&s, &e), 0);
    sha256_add(&s, "a", 1);
    sha256_add(&s, NULL, 0);
    sha256_add(&s, "bc", 2);
    assert_int_equal(sha256_finish(&s, hex, &e), 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void what_is_no_model_is_refused(void **state)
{
    (void)state;
    struct model *m = NULL;
    struct err e;

    assert_int_equal(model_open("/nowhere/model", NULL, &m, &e), ERR_NOT_FOUND);
    assert_mentions(e.message, "/nowhere/model");
    assert_int_equal(model_open("/tmp", NULL, &m, &e), ERR_NOT_FOUND);
    assert_mentions(e.message, "model_index.json");
    assert_int_equal(model_open("/dev/null", NULL, &m, &e), ERR_IO);
    assert_null(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_of_the_repository_open),
        cmocka_unit_test(digests_are_of_the_numbers),
        cmocka_unit_test(sha256_is_the_standard_one),
        cmocka_unit_test(what_is_no_model_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
