/* Products in bf16 against f32, on the demo models: at least 35 dB, where the CPU multiplies bf16.
 */
#include "cauldron.h"
#include "image/quality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const prompts[] = {"a red circle left of a blue square",
                                      "three green stars on white",
                                      "a big yellow heart on a navy background"};
enum { PROMPTS = sizeof prompts / sizeof *prompts };

static struct cauldron_model *open_demo(const char *name, const char *dtype)
{
    struct cauldron_options o = cauldron_options();
    struct cauldron_model *m = NULL;
    struct cauldron_error e;
    char path[512];

    snprintf(path, sizeof path, "%s/models/%s", getenv("CAULDRON_SOURCE"), name);
    o.dtype = dtype;
    int rc = cauldron_open(path, &o, &m, &e);
    if (rc && rc != CAULDRON_UNSUPPORTED)
        fail_msg("%s", e.message);
    return m;
}

static void draw(struct cauldron_model *m, const char *prompt, struct cauldron_picture *out)
{
    struct cauldron_request r = cauldron_request(m);
    struct cauldron_error e;

    r.prompt = prompt;
    r.seed = 7;
    if (cauldron_generate(m, &r, 1, out, &e))
        fail_msg("%s", e.message);
}

static void bf16_is_near_f32(void **state)
{
    const char *name = *state;
    struct cauldron_model *bf16 = open_demo(name, "bf16");

    if (!bf16)
        skip(); /* this CPU has no bf16 products */
    struct cauldron_model *f32 = open_demo(name, "f32");
    for (int i = 0; i < PROMPTS; i++) {
        struct cauldron_picture a, b;
        struct err e;
        double db = 0;

        draw(f32, prompts[i], &a);
        draw(bf16, prompts[i], &b);
        const struct image x = {a.width, a.height, 3, a.pixels},
                           y = {b.width, b.height, 3, b.pixels};
        assert_int_equal(quality_psnr(&x, &y, &db, &e), 0);
        if (!(db >= 35))
            fail_msg("%s, '%s': %.1f dB", name, prompts[i], db);
        cauldron_picture_free(&a);
        cauldron_picture_free(&b);
    }
    cauldron_close(f32);
    cauldron_close(bf16);
}

int main(void)
{
    static char demo[] = "demo", xl[] = "demo-xl";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(bf16_is_near_f32, demo),
        cmocka_unit_test_prestate(bf16_is_near_f32, xl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
