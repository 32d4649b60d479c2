/* The public functions: requests drawn together, cancelling, previews, and what is refused. */
#include "cauldron.h"

#include "test.h"

static struct cauldron_model *open_tiny(const char *name, int max_rows)
{
    struct cauldron_options o = cauldron_options();
    struct cauldron_model *m = NULL;
    struct cauldron_error e;
    char path[512];

    snprintf(path, sizeof path, "%s/tests/parity/models/%s", getenv("CAULDRON_SOURCE"), name);
    o.threads = 2;
    o.max_rows = max_rows;
    if (cauldron_open(path, &o, &m, &e))
        fail_msg("%s", e.message);
    return m;
}

static struct cauldron_request small(const struct cauldron_model *m)
{
    struct cauldron_request r = cauldron_request(m);

    r.prompt = "a red circle";
    r.sampler = "euler";
    r.steps = 3;
    r.width = 48;
    r.height = 64;
    return r;
}

/* Different prompts, samplers, numbers of steps, guidance and sizes in one call: each picture is
 * the one drawn alone. */
static void together_as_alone(void **state)
{
    const char *const models[] = {"sd1", "sdxl"};
    (void)state;

    for (int k = 0; k < 2; k++) {
        struct cauldron_model *m = open_tiny(models[k], 6);
        struct cauldron_request r[5];
        struct cauldron_picture together[5], alone;
        struct cauldron_error e;

        for (int i = 0; i < 5; i++) {
            r[i] = small(m);
            r[i].seed = (uint64_t)i;
        }
        r[1].prompt = "three green stars";
        r[1].sampler = "euler_ancestral";
        r[1].steps = 5;
        r[2].guidance = 1;
        r[2].sampler = "heun";
        r[3].width = 64;
        r[4].negative = "a blue square";
        r[4].crop_left = 16;
        if (cauldron_generate(m, r, 5, together, &e))
            fail_msg("%s", e.message);
        for (int i = 0; i < 5; i++) {
            if (cauldron_generate(m, &r[i], 1, &alone, &e))
                fail_msg("%s", e.message);
            assert_int_equal(together[i].width, r[i].width);
            assert_memory_equal(together[i].pixels, alone.pixels,
                                (size_t)(3 * alone.width * alone.height));
            cauldron_picture_free(&alone);
            cauldron_picture_free(&together[i]);
        }
        cauldron_close(m);
    }
}

struct watcher {
    struct cauldron_model *model;
    int calls, last, of, stop_at, cancel_at;
    struct cauldron_picture preview;
    char warning[256];
};

static int watch(void *user, const struct cauldron_progress *p)
{
    struct watcher *w = user;
    struct cauldron_error e;

    w->calls++;
    w->last = p->step;
    w->of = p->steps;
    if (p->step == 2 && !w->preview.pixels)
        assert_int_equal(cauldron_preview(w->model, p, &w->preview, &e), 0);
    if (p->step == w->cancel_at)
        cauldron_cancel(w->model);
    return p->step == w->stop_at;
}

static void warn(void *user, const char *text)
{
    struct watcher *w = user;
    snprintf(w->warning, sizeof w->warning, "%s", text);
}

static void progress_previews_and_cancelling(void **state)
{
    struct cauldron_model *m = open_tiny("sd1", 4);
    struct watcher a = {.model = m}, b = {.model = m, .stop_at = 1},
                   c = {.model = m, .cancel_at = 2};
    struct cauldron_request r[2] = {small(m), small(m)};
    struct cauldron_picture p[2], plain;
    struct cauldron_error e;
    (void)state;

    assert_int_equal(cauldron_generate(m, r, 1, &plain, &e), 0);
    r[0].user = &a;
    r[1].user = &b;
    r[0].on_progress = r[1].on_progress = watch;
    assert_int_equal(cauldron_generate(m, r, 2, p, &e), 0);
    assert_int_equal(a.last, 3);
    assert_int_equal(a.of, 3);
    assert_int_equal(a.calls, 3);
    assert_int_equal(b.calls, 1);
    assert_int_equal(p[1].status, CAULDRON_CANCELLED);
    assert_null(p[1].pixels);
    /* Looking at previews changes nothing. */
    assert_int_equal(a.preview.width, 48 / 8);
    assert_int_equal(a.preview.height, 64 / 8);
    assert_memory_equal(p[0].pixels, plain.pixels, 3 * 48 * 64);
    cauldron_picture_free(&p[0]);
    cauldron_picture_free(&a.preview);

    r[0].user = &c;
    assert_int_equal(cauldron_generate(m, r, 1, p, &e), CAULDRON_CANCELLED);
    assert_int_equal(c.last, 2);
    cauldron_picture_free(&c.preview);
    /* A cancelled run is forgotten. */
    r[0].on_progress = NULL;
    assert_int_equal(cauldron_generate(m, r, 1, p, &e), 0);
    assert_memory_equal(p[0].pixels, plain.pixels, 3 * 48 * 64);
    cauldron_picture_free(&p[0]);
    cauldron_picture_free(&plain);
    cauldron_close(m);
}

static void long_prompts_say_what_was_cut(void **state)
{
    struct cauldron_model *m = open_tiny("sd1", 4);
    struct watcher w = {.model = m};
    struct cauldron_request r = small(m);
    struct cauldron_picture p;
    struct cauldron_error e;
    char prompt[1024] = "";
    (void)state;

    for (int i = 0; i < 80; i++)
        snprintf(prompt + 2 * i, sizeof prompt - (size_t)(2 * i), "%d ", i % 10);
    r.prompt = prompt;
    r.user = &w;
    r.on_warning = warn;
    assert_int_equal(cauldron_generate(m, &r, 1, &p, &e), 0);
    assert_non_null(strstr(w.warning, "cut off: '5 6 7 8 9'"));
    cauldron_picture_free(&p);
    cauldron_close(m);
}

static void refuse(struct cauldron_model *m, struct cauldron_request r, const char *because)
{
    struct cauldron_picture p;
    struct cauldron_error e = {0};
    int rc = cauldron_generate(m, &r, 1, &p, &e);

    if (rc == 0)
        fail_msg("drawn, though: %s", because);
    assert_int_equal(rc, e.code);
    if (!strstr(e.message, because))
        fail_msg("'%s' does not say '%s'", e.message, because);
}

#define REFUSE(change, because)                                                                    \
    do {                                                                                           \
        struct cauldron_request r = small(m);                                                      \
        r.change;                                                                                  \
        refuse(m, r, because);                                                                     \
    } while (0)

static void bad_requests_are_refused(void **state)
{
    struct cauldron_model *m = open_tiny("sd1", 4), *nine = open_tiny("inpainting", 4);
    const unsigned char pixels[3 * 16 * 16] = {0};
    (void)state;

    REFUSE(prompt = NULL, "no prompt");
    REFUSE(prompt = "\xff", "UTF-8");
    REFUSE(width = 50, "the nearest are 48 and 56");
    REFUSE(height = 0, "height 0");
    REFUSE(width = 1 << 20, "must be 8 to 8192");
    REFUSE(steps = 0, "0");
    REFUSE(steps = 1001, "1001");
    REFUSE(guidance = 0.0 / 0.0, "finite");
    REFUSE(guidance_rescale = 2, "rescale");
    REFUSE(sampler = "eular", "'eular'");
    REFUSE(schedule = "carras", "'carras'");
    REFUSE(spacing = "tailing", "'tailing'");
    REFUSE(rng = "gpu", "'gpu'");
    REFUSE(clip_skip = 50, "clip skip 50");
    REFUSE(clip_skip = -1, "clip skip -1");
    REFUSE(mask = ((struct cauldron_pixels){16, 16, pixels}), "init image");

    struct cauldron_request r = small(m);
    r.init = (struct cauldron_pixels){16, 16, pixels};
    r.strength = 0;
    refuse(m, r, "strength");
    r.strength = 0.1; /* of three steps nothing is left */
    refuse(m, r, "strength");
    r = small(nine);
    refuse(nine, r, "mask");
    cauldron_close(m);
    cauldron_close(nine);
}

static void bad_options_are_refused(void **state)
{
    struct cauldron_options o = cauldron_options();
    struct cauldron_model *m = NULL;
    struct cauldron_error e = {0};
    (void)state;

    assert_int_equal(cauldron_open("/nowhere", &o, &m, &e), CAULDRON_NOT_FOUND);
    o.dtype = "f8";
    assert_int_equal(cauldron_open("/nowhere", &o, &m, &e), CAULDRON_BAD_REQUEST);
    o = cauldron_options();
    o.executor = "npu";
    assert_true(cauldron_open("/nowhere", &o, &m, &e) < 0);
    assert_non_null(strstr(e.message, "npu"));
    o = cauldron_options();
    o.threads = -1;
    assert_int_equal(cauldron_open("/nowhere", &o, &m, &e), CAULDRON_BAD_REQUEST);
    o = cauldron_options();
    o.max_rows = 1000;
    assert_int_equal(cauldron_open("/nowhere", &o, &m, &e), CAULDRON_BAD_REQUEST);
    assert_null(m);
    cauldron_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(together_as_alone),
        cmocka_unit_test(progress_previews_and_cancelling),
        cmocka_unit_test(long_prompts_say_what_was_cut),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(bad_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
