/* What the provider draws is what `cauldron generate` draws: every pixel, and the recipe in the
 * file. CAULDRON names the program. */
#include "base/file.h"
#include "base/sha256.h"
#include "providers_fixture.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char folder[] = "/tmp/cauldron-generate-XXXXXX";

enum { WORDS = 16 };

/* `words` are the options; ended by NULL. */
static void run_program(struct arena *a, const char *const *words, const char *out)
{
    const char *argv[WORDS + 8] = {getenv("CAULDRON"), "generate", "a red circle", "-o", out, "-q"};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;

    for (int i = 0; words[i]; i++)
        argv[6 + i] = words[i];
    assert_int_equal(setenv("CAULDRON_MODELS", tiny_models(a), 1), 0);
    assert_int_equal(setenv("CAULDRON_DATA", folder, 1), 0);
    posix_spawn_file_actions_init(&actions);
    assert_int_equal(posix_spawn(&pid, argv[0], &actions, NULL, (char **)(uintptr_t)argv, environ),
                     0);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static const char *sha_of(struct arena *a, const char *path, struct image *out)
{
    struct str bytes;
    struct err e = {0};
    char *hex = arena_alloc(a, 65);

    if (file_read(a, path, 1 << 24, &bytes, &e) || image_decode(bytes.p, bytes.n, out, NULL, &e))
        fail_msg("%s", e.message);
    sha256_hex(bytes.p, bytes.n, hex);
    return hex;
}

/* A picture with alpha, and a mask, as files. */
static void make_pictures(struct arena *a)
{
    unsigned char rgba[4 * 75 * 50], grey[75 * 50];
    struct image picture = {75, 50, 4, rgba}, mask = {75, 50, 1, grey};
    struct err e = {0};

    for (int i = 0; i < 75 * 50; i++) {
        for (int c = 0; c < 4; c++)
            rgba[4 * i + c] = (unsigned char)(i * (c + 3) / 7);
        grey[i] = i % 75 > 30 ? 255 : 0;
    }
    if (image_write(arena_printf(a, "%s/init.png", folder), &picture, NULL, NULL, &e) ||
        image_write(arena_printf(a, "%s/mask.png", folder), &mask, NULL, NULL, &e))
        fail_msg("%s", e.message);
}

static void compare(struct provider *p, const char *const *words, const char *text)
{
    struct arena a = {0};
    const char *out = arena_printf(&a, "%s/out.png", folder);
    struct script s = {0};
    struct image image, init = {0}, mask = {0};
    struct image_meta meta = {0};
    struct err e = {0};
    json_t *given = parameters(text);
    struct recipe r;
    char key[65];

    run_program(&a, words, out);
    if (image_read(out, &image, &meta, &e))
        fail_msg("%s", e.message);
    json_object_set_new(given, "prompt", json_string("a red circle"));
    if (json_object_get(given, "init_image")) {
        const char *sha = sha_of(&a, arena_printf(&a, "%s/init.png", folder), &init);
        json_object_set_new(given, "init_image", json_string(sha));
        json_object_set_new(given, "init_width", json_integer(init.width));
        json_object_set_new(given, "init_height", json_integer(init.height));
    }
    if (json_object_get(given, "mask")) {
        const char *sha = sha_of(&a, arena_printf(&a, "%s/mask.png", folder), &mask);
        json_object_set_new(given, "mask", json_string(sha));
    }
    if (provider_complete(p, given, &a, &r, key, NULL, &e))
        fail_msg("%s: %s", text, e.message);
    assert_string_equal(recipe_json(&r, &a), meta.recipe);
    struct scripted *it = script_add(&s, &r);
    it->draw.init = init;
    it->draw.mask = mask;
    script_run(p, &s);
    assert_same_image(&it->image, &image);
    script_release(&s);
    image_release(&image);
    image_release(&init);
    image_release(&mask);
    image_meta_release(&meta);
    json_decref(given);
    arena_release(&a);
}

static void pictures_are_the_command_lines(void **state)
{
    struct arena a = {0};
    const char *init = arena_printf(&a, "--init=%s/init.png", folder);
    const char *mask = arena_printf(&a, "--mask=%s/mask.png", folder);
    const struct {
        const char *words[WORDS], *text;
    } cases[] = {
        {{"-m", "sd1"}, "{'seed': 0}"},
        {{"-m", "sd1", "-s", "18446744073709551615", "-t", "3", "-n", "blue"},
         "{'seed': '18446744073709551615', 'steps': 3, 'negative_prompt': 'blue'}"},
        {{"-m", "sd1", "-t", "3", "--sampler=DPM++ 2M Karras", "-g", "3.25", "-W", "48"},
         "{'seed': 0, 'steps': 3, 'sampler': 'DPM++ 2M Karras', 'cfg_scale': 3.25, 'width': 48}"},
        {{"-m", "sd1", "-t", "3", "--sampler=ddim", "--eta=0.7", "--rng=cuda", "--clip-skip=1",
          "--spacing=trailing"},
         "{'seed': 0, 'steps': 3, 'sampler': 'ddim', 'eta': 0.7, 'rng': 'cuda', 'clip_skip': 1, "
         "'spacing': 'trailing'}"},
        {{"-m", "sdxl", "-t", "2", "--sampler=euler_a", "--crop-left=16", "--original-width=640",
          "--guidance-rescale=0.5"},
         "{'model': 'sdxl', 'seed': 0, 'steps': 2, 'sampler': 'euler_a', 'crop_left': 16, "
         "'original_width': 640, 'guidance_rescale': 0.5}"},
        {{"-m", "sd2-v", "-t", "2", "--schedule=sgm_uniform", "--sampler=euler", "-g", "1"},
         "{'model': 'sd2-v', 'seed': 0, 'steps': 2, 'schedule': 'sgm_uniform', 'sampler': 'euler', "
         "'cfg_scale': 1}"},
        {{"-m", "sd1", "-t", "4", "--strength=0.6", init},
         "{'seed': 0, 'steps': 4, 'strength': 0.6, 'init_image': ''}"},
        {{"-m", "inpainting", "-t", "2", "-H", "64", init, mask},
         "{'model': 'inpainting', 'seed': 0, 'steps': 2, 'height': 64, 'init_image': '', 'mask': "
         "''}"},
    };
    struct provider *p = open_native((struct provider_options){0});
    (void)state;

    assert_non_null(getenv("CAULDRON"));
    make_pictures(&a);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        compare(p, cases[i].words, cases[i].text);
    provider_close(p);
    arena_release(&a);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    struct arena a = {0};
    int status = system(arena_printf(&a, "rm -r '%s'", folder));
    (void)state;

    arena_release(&a);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pictures_are_the_command_lines)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
