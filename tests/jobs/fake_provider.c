/* fake_provider.c: see fake_provider.h. */
#include "fake_provider.h"

#include "base/json.h"
#include "base/sha256.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SIDE = 16 };

static struct fake *fake_of(struct provider *p)
{
    return provider_state(p);
}

static void digest_of(const char *model, char out[65])
{
    sha256_hex(model, strlen(model), out);
}

/* ==== completing ==== */

static int bad(struct parameter_problem **problems, struct arena *a, const char *name,
               const char *expected, struct err *e)
{
    if (problems) {
        *problems = arena_alloc(a, 2 * sizeof **problems);
        **problems = (struct parameter_problem){name, expected};
    }
    return ERR(e, ERR_ARG, "%s: expected %s", name, expected);
}

static int complete(struct provider *p, const json_t *parameters, struct arena *a,
                    struct recipe *out, struct parameter_problem **problems, struct err *e)
{
    const char *model = json_text(parameters, "model", "fake");
    char *digest = arena_alloc(a, 65);
    int64_t steps = json_int(parameters, "steps", 4);

    (void)p;
    if (strcmp(model, "fake") != 0 && strcmp(model, "other") != 0)
        return ERR(e, ERR_NOT_FOUND, "no model '%s'", model);
    if (steps < 1 || steps > 1000)
        return bad(problems, a, "steps", "1 to 1000", e);
    digest_of(model, digest);
    *out = (struct recipe){.model = arena_strdup(a, model),
                           .digest = digest,
                           .architecture = "fake",
                           .prompt = arena_strdup(a, json_text(parameters, "prompt", "")),
                           .sampler = "euler",
                           .schedule = "model",
                           .rng = "cpu",
                           .dtype = "f32",
                           .isa = "none",
                           .seed = (uint64_t)json_int(parameters, "seed", 1),
                           .steps = (int)steps,
                           .width = (int)json_int(parameters, "width", SIDE),
                           .height = (int)json_int(parameters, "height", SIDE),
                           .guidance = json_num(parameters, "cfg_scale", 1)};
    const char *init = json_text(parameters, "init_image", NULL);
    out->init = init ? arena_strdup(a, init) : NULL;
    return 0;
}

/* ==== drawing ==== */

struct active {
    struct draw *draw;
    int step;
};

static int paint(const struct recipe *r, struct image *out, struct err *e)
{
    char text[512], sum[65];
    int rc = image_new(r->width, r->height, 3, out, e);

    if (rc)
        return rc;
    snprintf(text, sizeof text, "%s %llu", r->prompt, (unsigned long long)r->seed);
    sha256_hex(text, strlen(text), sum);
    for (int i = 0; i < r->width * r->height * 3; i++)
        out->pixels[i] = (unsigned char)(sum[i % 64] * 7 + i / 48);
    return 0;
}

/* What the prompt wants to go wrong: an error code or 0. */
static int failure(struct fake *f, const struct recipe *r)
{
    struct str rest = str_from(r->prompt);
    int64_t times;

    if (strcmp(r->prompt, "format") == 0)
        return ERR_FORMAT;
    if (str_skip(&rest, "io ") && str_to_i64(rest, &times) &&
        atomic_fetch_add(&f->failures[r->seed % FAKE_SEEDS], 1) < times)
        return ERR_IO;
    return 0;
}

static void end(struct fake *f, const struct draw_source *s, struct draw *d, int code)
{
    struct draw_result r = {.code = code,
                            .message = "made to fail",
                            .seconds = 0.001,
                            .step_seconds = 0.0001,
                            .memory_used = 1000,
                            .device = "cpu",
                            .dtype = "f32",
                            .isa = "none"};
    struct err e;

    if (!code)
        r.code = failure(f, &d->recipe);
    if (!r.code)
        r.code = paint(&d->recipe, &r.image, &e);
    if (!r.code)
        atomic_fetch_add(&f->pictures, 1);
    s->done(s->user, d, &r);
}

static int fill(struct fake *f, const struct draw_source *s, struct active *all, int n)
{
    while (n < FAKE_BATCH) {
        const struct recipe *r = n ? &all[0].draw->recipe : NULL;
        struct draw *d =
            s->next(s->user, r ? r->digest : NULL, r ? r->width : 0, r ? r->height : 0);
        if (!d)
            break;
        if (!n)
            atomic_fetch_add(&f->loads, 1);
        else if (strcmp(r->digest, d->recipe.digest) != 0 || r->width != d->recipe.width)
            atomic_fetch_add(&f->strangers, 1);
        atomic_fetch_add(&f->begun, 1);
        all[n++] = (struct active){d, 0};
    }
    return n;
}

static void nap(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* One step of one picture; false when it has ended. */
static bool advance(struct fake *f, const struct draw_source *s, struct active *x)
{
    struct image preview = {0};
    struct err e;
    int steps = x->draw->recipe.steps;

    x->step++;
    if (x->draw->preview && paint(&x->draw->recipe, &preview, &e))
        preview.pixels = NULL;
    enum draw_answer answer =
        s->progress(s->user, x->draw, x->step, steps, preview.pixels ? &preview : NULL);
    image_release(&preview);
    if (answer != DRAW_GO_ON)
        end(f, s, x->draw, ERR_CANCELLED);
    else if (x->step == steps)
        end(f, s, x->draw, 0);
    else
        return true;
    return false;
}

static int draw(struct provider *p, const char *device, const struct draw_source *s, struct err *e)
{
    struct fake *f = fake_of(p);
    struct active all[FAKE_BATCH];
    int n = 0;

    (void)device;
    (void)e;
    while ((n = fill(f, s, all, n)) > 0) {
        nap(f->step_ms);
        if (atomic_load(&f->hold)) { /* steps stand still, answers are still heard */
            for (int i = 0; i < n; i++)
                all[i].step--;
        }
        atomic_fetch_add(&f->passes, 1);
        if (n > atomic_load(&f->most))
            atomic_store(&f->most, n);
        int kept = 0;
        for (int i = 0; i < n; i++)
            if (advance(f, s, &all[i]))
                all[kept++] = all[i];
        n = kept;
    }
    return 0;
}

/* ==== the rest ==== */

static int open(struct provider *p, const struct provider_options *o, struct err *e)
{
    (void)p;
    (void)o;
    (void)e;
    return 0;
}

static void close(struct provider *p)
{
    (void)p;
}

static int hardware(struct provider *p, struct arena *a, struct hardware_info *out, struct err *e)
{
    struct hardware_device *d = ARENA_NEW(a, struct hardware_device);

    (void)e;
    *d = (struct hardware_device){.id = "cpu",
                                  .name = "fake",
                                  .kind = "cpu",
                                  .slots = fake_of(p)->slots ? fake_of(p)->slots : FAKE_SLOTS};
    *out = (struct hardware_info){.devices = d, .device_count = 1};
    return 0;
}

static int model(struct provider *p, const char *name, struct arena *a, struct provider_model *out,
                 struct err *e)
{
    char *digest = arena_alloc(a, 65);

    (void)p;
    if (strcmp(name, "fake") != 0 && strcmp(name, "other") != 0)
        return ERR(e, ERR_NOT_FOUND, "no model '%s'", name);
    digest_of(name, digest);
    *out = (struct provider_model){
        .name = arena_strdup(a, name), .digest = digest, .width = SIDE, .height = SIDE};
    return 0;
}

static const struct provider_backend backend = {
    .name = "fake",
    .version = "1",
    .open = open,
    .close = close,
    .model = model,
    .hardware = hardware,
    .complete = complete,
    .draw = draw,
};

int fake_open(struct fake *f, struct provider **out, struct err *e)
{
    int rc = provider_from_backend(&backend, NULL, out, e);

    if (!rc)
        provider_set_state(*out, f);
    return rc;
}
