#include "models/hub.h"

#include "models/hub_cache.h"
#include "models/hub_http.h"
#include "test.h"

#include <unistd.h>

static struct err e;

static void names_of_models(void **state)
{
    static const char *const good[] = {"gpt2", "a/b", "stabilityai/stable-diffusion-xl-base-1.0",
                                       "x_y/z.1"};
    static const char *const bad[] = {"",     "/",    "a/",   "/a",  "a/b/c",    "..",  "a/..",
                                      "a--b", "a b",  "a\\b", "a?b", ".a",       "a.",  "-a",
                                      "a-",   "a/.b", "a%b",  "a#b", "\xc3\xa9", "a..b"};
    char longest[98];
    (void)state;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(hub_name_ok(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(hub_name_ok(bad[i]));
    memset(longest, 'a', sizeof longest);
    longest[97] = 0;
    assert_false(hub_name_ok(longest));
    longest[96] = 0;
    assert_true(hub_name_ok(longest));
}

static void paths_stay_in_their_folder(void **state)
{
    static const char *const good[] = {"a",  "unet/config.json", "a/b/c", "..a", "a..", "...",
                                       "a b"};
    static const char *const bad[] = {"",     "/a",   "a/",    "a//b", ".",    "..",
                                      "../a", "a/..", "a/./b", "a\\b", "a\nb", "a\x7f"};
    (void)state;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(hub_path_ok(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(hub_path_ok(bad[i]));
}

static void origins_are_scheme_host_and_port(void **state)
{
    (void)state;
    assert_true(hub_same_origin("https://hub.example/a", "https://HUB.example:443/b"));
    assert_true(hub_same_origin("http://user:word@x/a", "http://x"));
    assert_false(hub_same_origin("https://hub.example", "http://hub.example"));
    assert_false(hub_same_origin("https://hub.example", "https://hub.example:8443"));
    assert_false(hub_same_origin("https://hub.example", "https://hub.example.evil"));
    assert_false(hub_same_origin("https://hub.example@evil", "https://hub.example"));
    assert_false(hub_same_origin("nonsense", "nonsense"));
}

static void folders_are_named_as_huggingface_hub_names_them(void **state)
{
    struct arena a = {0};
    (void)state;

    assert_string_equal(hub_folder("/c", "org/name", &a), "/c/models--org--name");
    assert_string_equal(hub_folder("/c", "gpt2", &a), "/c/models--gpt2");
    arena_release(&a);
}

/* ============================== Which files ============================== */

static const char index_json[] =
    "{\"_class_name\": \"P\", \"unet\": [\"d\", \"U\"], \"scheduler\": [\"d\", \"S\"],"
    " \"image_encoder\": [null, null], \"../x\": [\"a\", \"b\"]}";

/* Choose and join with blanks. */
static const char *choose(struct arena *a, const char *variant, const char *const *files,
                          size_t count)
{
    const char **chosen, *text = "";
    size_t n;

    if (hub_choose(str_from(index_json), files, count, variant, a, &chosen, &n, &e))
        return "error";
    for (size_t i = 0; i < n; i++)
        text = arena_printf(a, "%s%s%s", text, i ? " " : "", chosen[i]);
    return text;
}

#define CHOOSE(variant, ...)                                                                       \
    choose(&a, variant, (const char *const[]){__VA_ARGS__},                                        \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
#define W "unet/diffusion_pytorch_model"

static void one_set_of_weights_is_chosen(void **state)
{
    struct arena a = {0};
    (void)state;

    assert_string_equal(CHOOSE(NULL, W ".safetensors", W ".fp16.safetensors", W ".bin", W ".ckpt"),
                        "model_index.json " W ".safetensors");
    assert_string_equal(CHOOSE("fp16", W ".safetensors", W ".fp16.safetensors"),
                        "model_index.json " W ".fp16.safetensors");
    assert_string_equal(CHOOSE("bf16", W ".safetensors", W ".fp16.safetensors"),
                        "model_index.json " W ".safetensors");
    assert_string_equal(CHOOSE(NULL, W ".fp16.safetensors"),
                        "model_index.json " W ".fp16.safetensors");
    assert_string_equal(CHOOSE(NULL, W ".fp16.safetensors", W ".bf16.safetensors"), "error");
    assert_string_equal(CHOOSE(NULL, W ".bin"), "error");
    assert_string_equal(CHOOSE(NULL, "unet/deeper/model.safetensors", "model.safetensors"),
                        "error");
    arena_release(&a);
}

static void shards_go_with_their_index(void **state)
{
    struct arena a = {0};
    (void)state;

    assert_string_equal(CHOOSE(NULL, W "-00001-of-00002.safetensors",
                               W "-00002-of-00002.safetensors", W ".safetensors.index.json",
                               W ".safetensors.index.fp16.json",
                               W ".fp16-00001-of-00001.safetensors"),
                        "model_index.json " W "-00001-of-00002.safetensors " W
                        "-00002-of-00002.safetensors " W ".safetensors.index.json");
    assert_string_equal(CHOOSE("fp16", W "-00001-of-00001.fp16.safetensors",
                               W ".safetensors.index.fp16.json", W ".safetensors.index.json"),
                        "model_index.json " W "-00001-of-00001.fp16.safetensors " W
                        ".safetensors.index.fp16.json");
    /* A whole file makes shards of the same numbers superfluous. */
    assert_string_equal(CHOOSE(NULL, W ".safetensors", W "-00001-of-00002.safetensors",
                               W ".safetensors.index.json"),
                        "model_index.json " W ".safetensors");
    arena_release(&a);
}

static void settings_of_named_components_come_too(void **state)
{
    struct arena a = {0};
    (void)state;

    assert_string_equal(
        CHOOSE(NULL, W ".safetensors", "unet/config.json", "scheduler/scheduler_config.json",
               "image_encoder/config.json", "feature/config.json", "README.md", "../x/config.json",
               "unet/a/b.json"),
        "model_index.json unet/config.json " W ".safetensors scheduler/scheduler_config.json");
    arena_release(&a);
}

static void a_broken_index_is_an_error(void **state)
{
    static const char *const broken[] = {"", "[]", "{", "3", "{\"a\": 1, \"a\": 2}", "null"};
    struct arena a = {0};
    const char **chosen;
    size_t n;
    (void)state;

    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_int_equal(hub_choose(str_from(broken[i]), NULL, 0, NULL, &a, &chosen, &n, &e),
                         ERR_FORMAT);
    arena_release(&a);
}

/* ============================== Hashes ============================== */

static bool hash_is(const char *content, const char *etag)
{
    char path[] = "/tmp/cli-hub-XXXXXX";
    int fd = mkstemp(path);
    bool right = false;

    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    assert_int_equal(hub_check_hash(fd, etag, NULL, &right, &e), 0);
    close(fd);
    unlink(path);
    return right;
}

static void etags_are_hashes(void **state)
{
    (void)state;
    /* printf hello | sha256sum; printf hello | git hash-object --stdin */
    assert_true(
        hash_is("hello", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"));
    assert_true(
        hash_is("hello", "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824"));
    assert_true(hash_is("hello", "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"));
    assert_false(
        hash_is("hellp", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"));
    assert_false(hash_is("hellp", "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"));
    assert_true(hash_is("hello", "not-a-hash")); /* says nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_models),
        cmocka_unit_test(paths_stay_in_their_folder),
        cmocka_unit_test(origins_are_scheme_host_and_port),
        cmocka_unit_test(folders_are_named_as_huggingface_hub_names_them),
        cmocka_unit_test(one_set_of_weights_is_chosen),
        cmocka_unit_test(shards_go_with_their_index),
        cmocka_unit_test(settings_of_named_components_come_too),
        cmocka_unit_test(a_broken_index_is_an_error),
        cmocka_unit_test(etags_are_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
