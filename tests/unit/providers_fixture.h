/* providers_fixture.h: a native provider over the tiny models of the parity tests, and a source of
 * pictures that follows a script. */
#ifndef TESTS_UNIT_PROVIDERS_FIXTURE_H
#define TESTS_UNIT_PROVIDERS_FIXTURE_H

#include "base/json.h"
#include "providers/provider.h"

#include "test.h"

#include <pthread.h>

static inline const char *tiny_models(struct arena *a)
{
    return arena_printf(a, "%s/tests/parity/models", getenv("CAULDRON_SOURCE"));
}

/* `o` without folders: those of the tiny models. */
static inline struct provider *open_native(struct provider_options o)
{
    struct arena a = {0};
    const char *folders[] = {tiny_models(&a), NULL};
    struct provider *p = NULL;
    struct err e = {0};

    if (!o.model_folders)
        o.model_folders = folders;
    if (!o.threads)
        o.threads = 1;
    if (!o.default_model)
        o.default_model = "sd1";
    if (provider_open("native", &o, &p, &e))
        fail_msg("%s", e.message);
    arena_release(&a);
    return p;
}

/* JSON with ' for ". */
static inline json_t *parameters(const char *text)
{
    struct arena a = {0};
    char *copy = arena_strdup(&a, text);
    struct err e = {0};
    json_t *value = NULL;

    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    if (json_read(str_from(copy), &value, &e))
        fail_msg("%s: %s", text, e.message);
    arena_release(&a);
    return value;
}

static inline struct recipe complete(struct provider *p, struct arena *a, const char *text)
{
    json_t *given = parameters(text);
    struct recipe r = {0};
    struct err e = {0};
    char key[65];

    if (provider_complete(p, given, a, &r, key, NULL, &e))
        fail_msg("%s: %s", text, e.message);
    json_decref(given);
    return r;
}

/* ==== a scripted source ==== */

enum { SCRIPT_MOST = 16 };

struct scripted {
    struct draw draw;
    int after;     /* joins once so many progress calls came in all */
    int cancel_at; /* its own step; 0: never */
    /* what happened */
    bool given, ended;
    int calls, last, of, previews, code;
    struct image preview;
    char message[256], warning[256], dtype[8];
    struct image image;
    double seconds, step_seconds;
    int64_t memory;
};
struct script {
    struct scripted items[SCRIPT_MOST];
    int count, progress, asked_to_join, phases[4];
    bool strict; /* only what fits a running batch is given to it */
};

static struct draw *script_next(void *user, const char *model, int width, int height)
{
    struct script *s = user;

    s->asked_to_join += model != NULL;
    for (int i = 0; i < s->count; i++) {
        struct scripted *it = &s->items[i];
        if (it->given || it->after > s->progress)
            continue;
        if (model && s->strict &&
            (strcmp(it->draw.recipe.digest, model) != 0 || it->draw.recipe.width != width ||
             it->draw.recipe.height != height))
            continue;
        it->given = true;
        it->draw.user = it;
        return &it->draw;
    }
    return NULL;
}

static enum draw_answer script_progress(void *user, struct draw *d, int step, int steps,
                                        const struct image *preview)
{
    struct script *s = user;
    struct scripted *it = d->user;

    s->progress++;
    it->calls++;
    it->last = step;
    it->of = steps;
    if (preview) {
        it->previews++;
        it->preview = (struct image){preview->width, preview->height, preview->channels, NULL};
    }
    return it->cancel_at && step == it->cancel_at ? DRAW_CANCEL : DRAW_GO_ON;
}

static void script_done(void *user, struct draw *d, struct draw_result *r)
{
    struct scripted *it = d->user;
    (void)user;

    assert_false(it->ended);
    it->ended = true;
    it->code = r->code;
    snprintf(it->message, sizeof it->message, "%s", r->message);
    snprintf(it->warning, sizeof it->warning, "%s", r->warning ? r->warning : "");
    snprintf(it->dtype, sizeof it->dtype, "%s", r->dtype ? r->dtype : "");
    it->image = r->image;
    r->image = (struct image){0};
    it->seconds = r->seconds;
    it->step_seconds = r->step_seconds;
    it->memory = r->memory_used;
}

static void script_phase(void *user, const char *phase, double seconds)
{
    static const char *const names[] = {"load", "encode", "step", "decode"};
    struct script *s = user;

    assert_true(seconds > 0);
    for (int i = 0; i < 4; i++)
        s->phases[i] += strcmp(names[i], phase) == 0;
}

static inline struct scripted *script_add(struct script *s, const struct recipe *r)
{
    struct scripted *it = &s->items[s->count++];

    it->draw.recipe = *r;
    return it;
}

static inline void script_run(struct provider *p, struct script *s)
{
    struct draw_source source = {.user = s,
                                 .next = script_next,
                                 .progress = script_progress,
                                 .done = script_done,
                                 .phase = script_phase,
                                 .preview_seconds = 1e-9};
    struct err e = {0};

    if (provider_draw(p, "auto", &source, &e))
        fail_msg("%s", e.message);
    for (int i = 0; i < s->count; i++)
        assert_true(s->items[i].ended);
}

static inline void script_release(struct script *s)
{
    for (int i = 0; i < s->count; i++)
        image_release(&s->items[i].image);
}

static inline void assert_same_image(const struct image *a, const struct image *b)
{
    assert_non_null(a->pixels);
    assert_non_null(b->pixels);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_memory_equal(a->pixels, b->pixels, (size_t)(3 * a->width * a->height));
}

#endif
