/* kind_image.c: pictures: a record and a model configuration become recipes, which jobs draw. */
#include "tasks/kind_image.h"
#include "base/json.h"
#include "base/sha256.h"
#include "storage/images.h"
#include "tasks/document_parts.h"
#include "tasks/kind_names.h"

#include <stdlib.h>
#include <string.h>

enum { PICTURE_MOST = 256 << 20 };

/* ==== the document ==== */

static int check(const struct tasks *t, const struct task_document *d, struct arena *a,
                 struct task_problems *problems)
{
    static const char *const known[] = {"prompt",       "negative_prompt", "seed", "overrides",
                                        "model_config", "parameters",      NULL};
    struct document_reading r = {t, NULL, a, problems};
    struct part fields = {&r, d->fields, "/fields"};
    size_t before = problems->count;
    const char *key;
    json_t *value;

    if (!d->fields)
        return 0;
    part_members(&fields, known);
    for (size_t i = 0; strcmp(known[i], "parameters") != 0; i++)
        document_check_field(&fields, known[i]);
    struct part parameters = part_object(&fields, "parameters", false), names = parameters;
    names.object = json_object();
    json_object_foreach((json_t *)(uintptr_t)parameters.object, key, value)
    {
        document_check_field(&parameters, key);
        json_object_set_new((json_t *)(uintptr_t)names.object, key, json_null());
    }
    document_check_parameters(&names, false);
    json_decref((json_t *)(uintptr_t)names.object);
    if (json_object_get(d->fields, "model_config") && !d->from)
        part_problem(&fields, "model_config",
                     "none: the document's model has no \"from\", where configurations lie");
    return problems->count > before ? ERR_ARG : 0;
}

/* ==== a task on its way ==== */

static struct provider *usual_provider(const struct tasks *t)
{
    return t->submitter && t->submitter->providers ? t->submitter->providers[0] : NULL;
}

static void close_image(struct kind_context *c)
{
    struct image_kind *k = c->own;

    if (!k)
        return;
    map_release(&k->others);
    json_decref(k->kept);
    arena_release(&k->arena);
    free(k);
    c->own = NULL;
}

static int open_image(struct kind_context *c, struct err *e)
{
    const json_t *model = c->document->model;
    struct image_kind *k = calloc(1, sizeof *k);
    struct provider_model found;
    int rc;

    if (!k || !(k->kept = json_array())) {
        free(k);
        return ERR(e, ERR_NOMEM, "no memory for a kind of task");
    }
    c->own = k;
    k->provider = usual_provider(c->tasks);
    const char *name = json_text(model, "model", "");
    k->usual = (struct configuration){.json = model, .name = json_text(model, "name", name)};
    if (!model)
        rc = ERR(e, ERR_ARG, "the task's model configuration was not looked up");
    else if (!k->provider)
        rc = ERR(e, ERR_UNSUPPORTED, "nobody draws here");
    else
        rc = provider_model(k->provider, name, &k->arena, &found, e);
    if (!rc && found.error)
        rc = ERR(e, ERR_UNSUPPORTED, "model '%.200s' cannot be used: %s", name, found.error);
    if (!rc)
        rc = image_check_digest(&k->usual, found.digest, e);
    if (rc)
        close_image(c);
    return rc;
}

/* ==== works ==== */

static const char *ending(const struct task_document *d)
{
    return d->format && strcmp(d->format, "jpeg") == 0 ? "jpg" : d->format ? d->format : "png";
}

static int fill_work(struct planning *p, const struct recipe *r, struct work *w, struct err *e)
{
    struct image_kind *k = p->c->own;
    json_t *request;

    recipe_key(r, provider_name(k->provider), provider_version(k->provider), w->key);
    struct naming n = {.context = p->c,
                       .record = p->record,
                       .key = w->key,
                       .seed = arena_printf(p->a, "%llu", (unsigned long long)r->seed),
                       .model = r->model,
                       .config = p->configuration->name,
                       .extension = ending(p->c->document)};
    if (naming_object(&n, p->a, &w->object, p->problem, e) ||
        naming_request(&n, p->a, &request, p->problem, e))
        return e->code;
    json_object_set_new(request, "config", json_string(p->configuration->name));
    json_object_set_new(request, "parameters", recipe_to_json(r));
    w->request = json_compact(request, p->a);
    json_decref(request);
    w->stratum = naming_stratum(&n, r->prompt, p->a);
    w->wish = (struct wish){.recipe = r,
                            .key = w->key,
                            .user_id = p->c->task->user_id,
                            .task_id = p->c->task->id,
                            .priority = p->c->document->priority,
                            .position = p->record->number,
                            .cell = -1};
    return 0;
}

static int plan(struct kind_context *c, const struct record *record, struct arena *a,
                struct work **out, size_t *count, struct mapping_problem *problem, struct err *e)
{
    struct planning p = {
        .c = c, .record = record, .a = a, .parameters = json_object(), .problem = problem};
    size_t n = (size_t)c->document->count;
    struct work *works = arena_alloc(a, n * sizeof *works);
    struct recipe *recipes = arena_alloc(a, n * sizeof *recipes);
    int rc = image_configuration(&p, e);

    if (!rc)
        rc = image_parameters(&p, e);
    if (!rc)
        rc = image_recipe(&p, &recipes[0], e);
    for (size_t i = 0; i < n && !rc; i++) {
        recipes[i] = recipes[0];
        recipes[i].seed = p.seed + i;
        rc = fill_work(&p, &recipes[i], &works[i], e);
    }
    json_decref(p.parameters);
    if (rc)
        return rc;
    *out = works;
    *count = n;
    return 0;
}

/* ==== what was drawn ==== */

static int find_drawn(struct kind_context *c, const struct task_record *row, struct arena *a,
                      struct picture_row *picture, struct generation *g, struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(c->tasks->submitter->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    *g = (struct generation){0};
    rc = row->generation_id ? generations_get(tx, row->generation_id, a, g, e) : 0;
    if (!rc || rc == ERR_NOT_FOUND) /* thrown away meanwhile: the picture may still be there */
        rc = images_get(tx, row->key, a, picture, e);
    tx_rollback(tx);
    return rc == ERR_NOT_FOUND ? ERR(e, rc, "the picture was removed after it was drawn") : rc;
}

/* The same picture in another format, with what is written in it about how it was made. The same
 * bytes each time. */
static int transcode(const struct task_document *d, struct str png, struct arena *a,
                     struct str *out, struct err *e)
{
    enum image_format format = strcmp(d->format, "jpeg") == 0 ? IMAGE_JPEG : IMAGE_WEBP;
    struct image_encoding how = image_encoding_default(format);
    struct image_meta meta = {0};
    struct image im = {0};
    struct buf b;

    if (d->quality) {
        how.quality = d->quality;
        how.lossless = false;
    }
    buf_init(&b, PICTURE_MOST);
    int rc = image_decode(png.p, png.n, &im, &meta, e);
    if (!rc)
        rc = image_encode(&im, how, &meta, &b, e);
    if (!rc) {
        char *bytes = arena_try(a, b.n, 1);
        if (bytes)
            *out = (struct str){memcpy(bytes, b.p, b.n), b.n};
        else
            rc = ERR(e, ERR_NOMEM, "no memory for a picture of %zu bytes", b.n);
    }
    buf_release(&b);
    image_meta_release(&meta);
    image_release(&im);
    return rc;
}

static json_t *outcome_of(const json_t *request, const struct picture_row *picture,
                          const struct generation *g)
{
    const json_t *recipe = json_object_get(request, "parameters");

    /* What may differ the next time is among the timings: the recipe beside an object has none. */
    return json_pack("{s:O?, s:O?, s:O?, s:o, s:O?, s:i, s:i, s:s?, s:{s:f, s:i}}", "recipe",
                     recipe, "model", json_object_get(recipe, "model"), "model_digest",
                     json_object_get(recipe, "model_digest"), "generation_id",
                     json_text_or_null(g->id), "seed", json_object_get(recipe, "seed"), "width",
                     picture->width, "height", picture->height, "provider", picture->provider,
                     "timings", "drawn_seconds", picture->seconds, "draw_attempts", g->attempts);
}

static int make(struct kind_context *c, const struct task_record *row, struct arena *a,
                struct made *out, struct err *e)
{
    const struct task_document *d = c->document;
    const char *format = d->format ? d->format : "png";
    struct made made = {0};
    struct picture_row picture;
    struct generation g;
    json_t *request;
    int rc = find_drawn(c, row, a, &picture, &g, e);

    if (!rc)
        rc = blob_get(c->tasks->submitter->blobs, picture.sha256, PICTURE_MOST, a, &made.bytes, e);
    if (!rc && strcmp(format, "png") != 0)
        rc = transcode(d, made.bytes, a, &made.bytes, e);
    if (!rc)
        rc = json_read(str_from(row->request), &request, e);
    if (rc)
        return rc;
    char *sha256 = arena_alloc(a, 65);
    sha256_hex(made.bytes.p, made.bytes.n, sha256);
    made.sha256 = sha256;
    made.type = arena_printf(a, "image/%s", format);
    made.reused = g.reused;
    made.seconds = g.reused ? 0 : picture.seconds;
    made.outcome = outcome_of(request, &picture, &g);
    json_decref(request);
    if (!made.outcome)
        return ERR(e, ERR_FORMAT, "the request of record '%.100s' is none", row->record_id);
    *out = made;
    return 0;
}

/* ==== the canary ==== */

/* What a spec may set (experiments/spec.h); the seed is an axis of its own. */
static json_t *sample(struct kind_context *c, const struct work *w, const struct record *record)
{
    static const char *const kept[] = {"prompt",
                                       "negative_prompt",
                                       "model",
                                       "sampler",
                                       "schedule",
                                       "spacing",
                                       "steps",
                                       "cfg_scale",
                                       "width",
                                       "height",
                                       "eta",
                                       "rng",
                                       "clip_skip",
                                       "guidance_rescale",
                                       "original_width",
                                       "original_height",
                                       "crop_left",
                                       "crop_top",
                                       "target_width",
                                       "target_height"};
    json_t *recipe = recipe_to_json(w->wish.recipe), *set = json_object();

    (void)c;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        json_object_set(set, kept[i], json_object_get(recipe, kept[i]));
    if (w->wish.recipe->init) {
        json_object_set_new(set, "init_image", json_string(w->wish.recipe->init));
        json_object_set(set, "strength", json_object_get(recipe, "strength"));
    }
    if (w->wish.recipe->mask)
        json_object_set_new(set, "mask", json_string(w->wish.recipe->mask));
    json_decref(recipe);
    return json_pack("{s:s, s:o}", "label", record->id, "set", set);
}

const struct task_kind task_kind_image = {.name = "image",
                                          .summary = "pictures drawn from prompts",
                                          .extension = "png",
                                          .media = "image",
                                          .draws = true,
                                          .has_canary = true,
                                          .check = check,
                                          .open = open_image,
                                          .close = close_image,
                                          .plan = plan,
                                          .make = make,
                                          .sample = sample};
