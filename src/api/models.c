/* models.c: the models that can be drawn with. */
#include "api/models.h"
#include "api/app.h"
#include "api/order.h"
#include "base/file.h"
#include "base/json.h"

#include "api/api_routes.h"

#include <string.h>
#include <strings.h>

static json_t *positive(int64_t n)
{
    return n > 0 ? json_integer(n) : json_null();
}

static json_t *defaults_json(const struct provider_model *m)
{
    if (m->error)
        return json_null();
    json_t *o = json_pack("{s:s*, s:i, s:f}", "sampler", m->sampler, "steps", m->steps, "cfg_scale",
                          m->cfg_scale);
    json_t *samplers = json_array();
    for (size_t i = 0; m->samplers && m->samplers[i]; i++)
        json_array_append_new(samplers, json_string(m->samplers[i]));
    json_object_set_new(o, "samplers", samplers);
    return o;
}

static json_t *model_json(const struct provider *p, const struct provider_model *m)
{
    json_t *o = json_object();

    json_object_set_new(o, "name", json_string(m->name));
    json_object_set_new(o, "provider", json_string(provider_name(p)));
    json_object_set_new(o, "architecture", json_text_or_null(m->architecture));
    json_object_set_new(o, "digest", json_text_or_null(m->digest));
    json_object_set_new(
        o, "format", m->path ? json_string(file_is_dir(m->path) ? "folder" : "file") : json_null());
    json_object_set_new(o, "bytes", positive(m->bytes));
    json_object_set_new(o, "width", positive(m->width));
    json_object_set_new(o, "height", positive(m->height));
    json_object_set_new(o, "multiple", positive(m->multiple));
    json_object_set_new(o, "inpainting", json_boolean(m->inpainting));
    json_object_set_new(o, "loaded", json_boolean(m->loaded));
    json_object_set_new(o, "defaults", defaults_json(m));
    json_object_set_new(o, "problem", json_text_or_null(m->error));
    return o;
}

static bool wanted(const struct provider_model *m, const json_t *query)
{
    const char *architecture = json_text(query, "architecture", NULL);
    const char *part = json_text(query, "q", NULL);

    if (architecture && (!m->architecture || strcasecmp(m->architecture, architecture) != 0))
        return false;
    return !part || strcasestr(m->name, part);
}

static int list(struct request *r, struct response *w, const json_t *query, struct err *e)
{
    struct provider *const *providers = app_of(r)->submitter->providers;
    json_t *items = json_array();

    for (size_t i = 0; providers[i]; i++) {
        struct provider_model *models;
        size_t count;
        int rc = provider_models(providers[i], request_arena(r), &models, &count, e);
        if (rc) {
            json_decref(items);
            return rc;
        }
        for (size_t k = 0; k < count; k++)
            if (wanted(&models[k], query))
                json_array_append_new(items, model_json(providers[i], &models[k]));
    }
    return respond_json(w, 200, json_pack("{s:o}", "items", items));
}

int api_list_models(struct request *r, struct response *w, struct err *e)
{
    return list(r, w, request_query(r), e);
}

int api_refresh_models(struct request *r, struct response *w, struct err *e)
{
    struct provider *const *providers = app_of(r)->submitter->providers;

    for (size_t i = 0; providers[i]; i++)
        provider_refresh(providers[i]);
    return list(r, w, NULL, e);
}

int api_get_model(struct request *r, struct response *w, struct err *e)
{
    struct provider *p = app_of(r)->provider;
    struct provider_model *models;
    struct err missing;
    size_t count;
    int rc;

    /* provider_model would read the whole model for its digest. */
    if ((rc = provider_models(p, request_arena(r), &models, &count, e)))
        return rc;
    for (size_t i = 0; i < count; i++)
        if (strcmp(models[i].name, request_param(r, "name")) == 0)
            return respond_json(w, 200, model_json(p, &models[i]));
    ERR(&missing, ERR_NOT_FOUND, "there is no model '%.200s'; GET /api/v1/models lists them",
        request_param(r, "name"));
    answer_model_missing(r, w, &missing);
    return 0;
}

int api_get_model_digest(struct request *r, struct response *w, struct err *e)
{
    struct provider_model m;
    int rc = provider_model(app_of(r)->provider, request_param(r, "name"), request_arena(r), &m, e);

    if (rc == ERR_NOT_FOUND) {
        answer_model_missing(r, w, e);
        return 0;
    }
    if (rc)
        return rc;
    if (!m.digest)
        return ERR(e, ERR_UNSUPPORTED, "model '%.200s' cannot be used: %s", m.name,
                   m.error ? m.error : "its digest is not known");
    return respond_json(w, 200, json_pack("{s:s, s:s}", "name", m.name, "digest", m.digest));
}

/* ==== for the other doors ==== */

const struct provider_model *default_model(const struct provider_model *models, size_t count)
{
    const struct provider_model *first = NULL;

    for (size_t i = 0; i < count; i++) {
        if (models[i].error)
            continue;
        if (strcmp(models[i].name, "demo") == 0)
            return &models[i];
        if (!first)
            first = &models[i];
    }
    return first;
}
