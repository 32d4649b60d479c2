/* openai.c: POST /v1/images/generations and GET /v1/models, as OpenAI's clients speak them. */
#include "api/openai.h"

#include "base/clock.h"
#include "base/json.h"

#include "api/api_routes.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* OpenAI's own client gives up after ten minutes. */
static const double PATIENCE = 600;

/* ==== what is asked for ==== */

/* Names of OpenAI's models mean the default one here, so that programs which know no others work.
 */
static bool is_openai_model(const char *name)
{
    return strncmp(name, "dall-e", 6) == 0 || strncmp(name, "gpt-image", 9) == 0 ||
           strncmp(name, "chatgpt-image", 13) == 0;
}

static void read_form(const json_t *body, struct openai *out)
{
    int64_t compression = json_int(body, "output_compression", 100);

    out->output_format = json_text(body, "output_format", "png");
    picture_format_by_name(out->output_format, &out->form.format);
    if (out->form.format == IMAGE_PNG)
        out->form.format = IMAGE_UNKNOWN; /* as stored */
    out->form.quality = compression < 1 ? 1 : (int)compression;
}

static void read_request(const json_t *body, struct openai *out)
{
    const char *as = json_text(body, "response_format", NULL);
    /* These models of OpenAI's answer with bytes only, and programs written for them expect that.
     */
    bool bytes = strncmp(json_text(body, "model", ""), "gpt-image", 9) == 0;

    *out = (struct openai){.n = (int)json_int(body, "n", 1),
                           .partial_images = (int)json_int(body, "partial_images", 0),
                           .stream = json_flag(body, "stream", false),
                           .urls = as ? strcmp(as, "url") == 0 : !bytes};
    read_form(body, out);
}

/* "512x768"; "auto" or nothing leaves it to the model. */
static bool read_size(const char *size, json_t *parameters)
{
    struct str s = str_from(size), width;
    int64_t w, h;

    if (!size || strcmp(size, "auto") == 0)
        return true;
    if (!str_cut(&s, 'x', &width) || !str_to_i64(width, &w) || !str_to_i64(s, &h) || w < 1 ||
        h < 1 || w > 2048 || h > 2048)
        return false;
    json_object_set_new(parameters, "width", json_integer(w));
    json_object_set_new(parameters, "height", json_integer(h));
    return true;
}

static int place(struct request *r, struct response *w, const struct openai *want,
                 struct order **out, struct err *e)
{
    static const char *const ours[] = {"prompt",    "negative_prompt", "steps",   "seed",
                                       "cfg_scale", "sampler",         "schedule"};
    static const char *const names[][2] = {{"width", "size"}, {"height", "size"}, {NULL, NULL}};
    const json_t *body = request_json(r);
    const char *model = json_text(body, "model", NULL);
    json_t *parameters = json_object();
    struct order_wishes what = {.parameters = parameters,
                                .count = want->n,
                                .priority = PRIORITY_INTERACTIVE,
                                .names = names};
    int rc = 1;

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (json_object_get(body, ours[i]))
            json_object_set(parameters, ours[i], json_object_get(body, ours[i]));
    if (model && !is_openai_model(model))
        json_object_set_new(parameters, "model", json_string(model));
    if (read_size(json_text(body, "size", NULL), parameters)) {
        rc = order_place(r, w, &what, out, e);
    } else {
        respond_problem(w, 422, "invalid", "size must be like 512x512, or auto");
        problem_field(w, "/size", "WIDTHxHEIGHT, at most 2048 each, or auto");
    }
    json_decref(parameters);
    return rc;
}

/* ==== what is answered ==== */

json_t *openai_facts(const struct openai *want, const struct generation *g)
{
    char size[32];

    snprintf(size, sizeof size, "%dx%d", g->width, g->height);
    return json_pack("{s:s, s:s, s:s, s:s}", "size", size, "quality", "auto", "background",
                     "opaque", "output_format", want->output_format);
}

json_t *openai_usage(void)
{
    return json_pack("{s:i, s:i, s:i, s:{s:i, s:i}}", "total_tokens", 0, "input_tokens", 0,
                     "output_tokens", 0, "input_tokens_details", "text_tokens", 0, "image_tokens",
                     0);
}

const char *openai_failure(const struct generation *g)
{
    if (g->status == GENERATION_CANCELLED)
        return "the image was cancelled before it was drawn";
    return g->error ? g->error : "the image could not be drawn";
}

static json_t *image_url(const struct request *r, const struct openai *want,
                         const struct generation *g)
{
    char url[512];

    if (want->form.format == IMAGE_UNKNOWN)
        snprintf(url, sizeof url, "%.300s/api/v1/generations/%s/image", request_base_url(r), g->id);
    else
        snprintf(url, sizeof url, "%.300s/api/v1/generations/%s/image?format=%s&quality=%d",
                 request_base_url(r), g->id, want->output_format, want->form.quality);
    return json_string(url);
}

/* NULL with e filled. */
static json_t *image_json(struct request *r, const struct openai *want, const struct generation *g,
                          struct err *e)
{
    json_t *value = want->urls ? image_url(r, want, g)
                               : picture_base64(app_of(r), g->sha256, &want->form, e);

    if (!value)
        return NULL;
    return json_pack("{s:o, s:s}", want->urls ? "url" : "b64_json", value, "revised_prompt",
                     g->prompt);
}

/* Those that were drawn; an error when none was. */
static int answer(struct request *r, struct response *w, struct order *o, struct err *e)
{
    const struct openai *want = o->user;
    const struct generation *first = NULL;
    json_t *data = json_array();

    for (size_t i = 0; i < o->count && !o->timed_out; i++) {
        const struct generation *g = &o->generations[i];
        if (!g->sha256)
            continue;
        json_t *image = image_json(r, want, g, e);
        if (!image) {
            json_decref(data);
            return e->code;
        }
        json_array_append_new(data, image);
        first = first ? first : g;
    }
    if (!first) {
        json_decref(data);
        if (o->timed_out)
            return respond_problem(w, 503, "unavailable",
                                   "the image is still being drawn; it will be at "
                                   "/api/v1/generations/%s",
                                   o->generations[0].id);
        return respond_problem(w, 500, "image_failed", "%s", openai_failure(&o->generations[0]));
    }
    json_t *body = openai_facts(want, first);
    json_object_set_new(body, "created", json_integer(clock_unix_ms() / 1000));
    json_object_set_new(body, "data", data);
    json_object_set_new(body, "usage", openai_usage());
    return respond_json(w, 200, body);
}

int api_openai_images(struct request *r, struct response *w, struct err *e)
{
    struct openai *want = ARENA_NEW(request_arena(r), struct openai);
    struct order *o;
    int rc;

    read_request(request_json(r), want);
    if ((rc = place(r, w, want, &o, e)))
        return rc < 0 ? rc : 0;
    return want->stream ? openai_stream(r, w, o, want, e)
                        : order_wait(o, r, w, PATIENCE, answer, want, e);
}

/* ==== models ==== */

static int64_t installed_at(const char *path)
{
    struct stat st;

    return path && stat(path, &st) == 0 ? (int64_t)st.st_mtime : 0;
}

int api_openai_models(struct request *r, struct response *w, struct err *e)
{
    struct provider_model *models;
    size_t count;
    int rc = provider_models(app_of(r)->provider, request_arena(r), &models, &count, e);

    if (rc)
        return rc;
    json_t *data = json_array();
    for (size_t i = 0; i < count; i++)
        if (!models[i].error)
            json_array_append_new(data, json_pack("{s:s, s:s, s:I, s:s}", "id", models[i].name,
                                                  "object", "model", "created",
                                                  (json_int_t)installed_at(models[i].path),
                                                  "owned_by", "cauldron"));
    return respond_json(w, 200, json_pack("{s:s, s:o}", "object", "list", "data", data));
}
