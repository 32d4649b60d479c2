/* a1111_lists.c: what clients of A1111 ask about before they draw; and png-info. */
#include "api/a1111.h"

#include "api/a1111_text.h"
#include "api/order.h"
#include "base/json.h"
#include "image/image.h"
#include "recipe/recipe.h"

#include "api/api_routes.h"

#include <string.h>

static json_t *texts(const char *first, const char *const *rest)
{
    json_t *list = json_array();

    json_array_append_new(list, json_string(first));
    for (; rest && *rest; rest++)
        json_array_append_new(list, json_string(*rest));
    return list;
}

int api_a1111_samplers(struct request *r, struct response *w, struct err *e)
{
    size_t count;
    const struct sampler_entry *s = provider_samplers(request_arena(r), &count);
    json_t *list = json_array();
    (void)e;

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:{}}", "name", s[i].label, "aliases",
                                              texts(s[i].name, s[i].aliases), "options"));
    return respond_json(w, 200, list);
}

int api_a1111_schedulers(struct request *r, struct response *w, struct err *e)
{
    size_t count;
    const struct schedule_entry *s = provider_schedules(request_arena(r), &count);
    json_t *list = json_array();
    (void)e;

    for (size_t i = 0; i < count; i++) {
        bool automatic = strcmp(s[i].name, "model") == 0;
        json_array_append_new(list, json_pack("{s:s, s:s, s:n, s:f, s:b}", "name",
                                              automatic ? "automatic" : s[i].name, "label",
                                              s[i].label, "aliases", "default_rho",
                                              strcmp(s[i].name, "karras") == 0 ? 7.0 : -1.0,
                                              "need_inner_model", false));
    }
    return respond_json(w, 200, list);
}

int api_a1111_sd_models(struct request *r, struct response *w, struct err *e)
{
    struct provider_model *models;
    size_t count;
    int rc = provider_models(app_of(r)->provider, request_arena(r), &models, &count, e);

    if (rc)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct provider_model *m = &models[i];
        if (m->error)
            continue;
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:o, s:o, s:s, s:n}", "title", a1111_title(m, request_arena(r)),
                      "model_name", m->name, "hash",
                      m->digest ? json_stringn(m->digest, strnlen(m->digest, 10)) : json_null(),
                      "sha256", json_text_or_null(m->digest), "filename", m->name, "config"));
    }
    return respond_json(w, 200, list);
}

/* The one that does nothing: clients look for it. */
int api_a1111_upscalers(struct request *r, struct response *w, struct err *e)
{
    (void)r, (void)e;
    return respond_json(w, 200,
                        json_pack("[{s:s, s:n, s:n, s:n, s:i}]", "name", "None", "model_name",
                                  "model_path", "model_url", "scale", 1));
}

int api_a1111_latent_upscale_modes(struct request *r, struct response *w, struct err *e)
{
    (void)r, (void)e;
    return respond_json(w, 200, json_array());
}

int api_a1111_loras(struct request *r, struct response *w, struct err *e)
{
    (void)r, (void)e;
    return respond_json(w, 200, json_array());
}

int api_a1111_memory(struct request *r, struct response *w, struct err *e)
{
    struct hardware_info info;
    int rc = provider_hardware(app_of(r)->provider, request_arena(r), &info, e);

    if (rc)
        return rc;
    json_t *cuda = json_pack("{s:s}", "error", "unavailable");
    for (size_t i = 0; i < info.device_count; i++) {
        const struct hardware_device *d = &info.devices[i];
        if (!d->kind || strcmp(d->kind, "cuda") != 0)
            continue;
        json_decref(cuda);
        cuda = json_pack("{s:{s:I, s:I, s:I}}", "system", "free", (json_int_t)d->memory_free,
                         "used", (json_int_t)(d->memory - d->memory_free), "total",
                         (json_int_t)d->memory);
        break;
    }
    return respond_json(w, 200,
                        json_pack("{s:{s:I, s:I, s:I}, s:o}", "ram", "free",
                                  (json_int_t)info.memory_free, "used",
                                  (json_int_t)(info.memory - info.memory_free), "total",
                                  (json_int_t)info.memory, "cuda", cuda));
}

int api_a1111_cmd_flags(struct request *r, struct response *w, struct err *e)
{
    (void)r, (void)e;
    return respond_json(w, 200,
                        json_pack("{s:b, s:b, s:b, s:b, s:b, s:b}", "api", true, "nowebui", true,
                                  "api_log", false, "lowvram", false, "medvram", false, "no_half",
                                  true));
}

/* ==== png-info ==== */

/* The text that A1111 writes; for a file that carries only our recipe, what it would have been. */
static const char *text_in(const struct image_meta *meta, struct arena *a)
{
    struct recipe recipe;
    struct err ignored;

    if (meta->parameters)
        return arena_strdup(a, meta->parameters);
    if (meta->recipe && recipe_parse(str_from(meta->recipe), a, &recipe, &ignored) == 0)
        return recipe_parameters(&recipe, a);
    return "";
}

/* SwarmUI keeps JSON under the same key. */
static bool is_swarm(const char *text)
{
    return text[0] == '{' && strstr(text, "\"sui_image_params\"");
}

int api_a1111_png_info(struct request *r, struct response *w, struct err *e)
{
    struct arena *a = request_arena(r);
    struct image_meta meta = {0};
    struct str bytes;
    int rc;

    if (!(rc = picture_bytes(a, json_text(request_json(r), "image", ""), &bytes, e)))
        rc = image_decode(bytes.p, bytes.n, NULL, &meta, e);
    if (rc == ERR_ARG || rc == ERR_FORMAT || rc == ERR_UNSUPPORTED) {
        respond_problem(w, 422, "invalid", "image: %s", e->message);
        problem_field(w, "/image", "a PNG, JPEG or WebP file as base64 or data URL");
        return 0;
    }
    if (rc)
        return rc;
    const char *text = text_in(&meta, a);
    json_t *items = json_object(), *parameters;
    if (text[0])
        json_object_set_new(items, "parameters", json_string(text));
    if (meta.recipe)
        json_object_set_new(items, "cauldron", json_string(meta.recipe));
    parameters = text[0] && !is_swarm(text) ? a1111_text_parse(str_from(text)) : json_object();
    image_meta_release(&meta);
    return respond_json(
        w, 200,
        json_pack("{s:s, s:o, s:o}", "info", text, "items", items, "parameters", parameters));
}
