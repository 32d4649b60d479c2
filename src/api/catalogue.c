/* catalogue.c: samplers, schedules, providers, hardware. */
#include "api/app.h"
#include "base/json.h"

#include "api/api_routes.h"

#include <string.h>

static json_t *texts(const char *const *list)
{
    json_t *array = json_array();

    for (; list && *list; list++)
        json_array_append_new(array, json_string(*list));
    return array;
}

static json_t *sampler_json(const struct sampler_entry *s)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:b, s:b, s:i, s:{s:s}}", "name", s->name, "label",
                     s->label, "schedules", texts(s->schedules), "aliases", texts(s->aliases),
                     "stochastic", s->stochastic, "uses_eta", s->uses_eta, "evaluations_per_step",
                     s->second_order ? 2 : 1, "defaults", "schedule", "model");
}

int api_list_samplers(struct request *r, struct response *w, struct err *e)
{
    struct arena *a = request_arena(r);
    size_t count;
    const struct sampler_entry *samplers = provider_samplers(a, &count);
    json_t *items = json_array();
    (void)e;

    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, sampler_json(&samplers[i]));
    return respond_json(w, 200, json_pack("{s:o}", "items", items));
}

static json_t *takers(const char *schedule, struct arena *a)
{
    size_t count;
    const struct sampler_entry *samplers = provider_samplers(a, &count);
    json_t *names = json_array();

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; samplers[i].schedules && samplers[i].schedules[k]; k++)
            if (strcmp(samplers[i].schedules[k], schedule) == 0)
                json_array_append_new(names, json_string(samplers[i].name));
    return names;
}

int api_list_schedules(struct request *r, struct response *w, struct err *e)
{
    static const char *const spacings[] = {"model", "leading", "linspace", "trailing", NULL};
    struct arena *a = request_arena(r);
    size_t count;
    const struct schedule_entry *schedules = provider_schedules(a, &count);
    json_t *items = json_array();
    (void)e;

    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, json_pack("{s:s, s:s, s:o, s:o}", "name", schedules[i].name,
                                               "label", schedules[i].label, "samplers",
                                               takers(schedules[i].name, a), "aliases",
                                               texts(schedules[i].aliases)));
    return respond_json(w, 200,
                        json_pack("{s:o, s:o}", "items", items, "spacings", texts(spacings)));
}

int api_list_providers(struct request *r, struct response *w, struct err *e)
{
    struct provider *const *providers = app_of(r)->submitter->providers;
    json_t *items = json_array();
    (void)e;

    for (size_t i = 0; providers[i]; i++) {
        struct provider_model *models;
        struct err why;
        size_t count = 0;
        bool available = provider_models(providers[i], request_arena(r), &models, &count, &why) ==
                         0;
        json_array_append_new(items, json_pack("{s:s, s:s, s:b, s:o, s:[s, s, s], s:I}", "name",
                                               provider_name(providers[i]), "version",
                                               provider_version(providers[i]), "available",
                                               available, "detail",
                                               available ? json_null() : json_string(why.message),
                                               "capabilities", "text-to-image", "image-to-image",
                                               "inpainting", "models", (json_int_t)count));
    }
    return respond_json(w, 200, json_pack("{s:o}", "items", items));
}

/* "avx2 avx512f" as an array. */
static json_t *words(const char *text)
{
    struct str s = str_from(text), word;
    json_t *array = json_array();

    while (str_cut(&s, ' ', &word))
        if (word.n)
            json_array_append_new(array, json_stringn(word.p, word.n));
    return array;
}

static json_t *device_json(const struct hardware_device *d)
{
    return json_pack("{s:s, s:s?, s:s?, s:I, s:I, s:i, s:i, s:I, s:I}", "name", d->id, "kind",
                     d->kind, "description", d->name, "memory_total", (json_int_t)d->memory,
                     "memory_free", (json_int_t)d->memory_free, "slots", d->slots, "threads",
                     d->threads, "models", (json_int_t)d->models, "models_bytes",
                     (json_int_t)d->models_bytes);
}

static const struct hardware_device *find_cpu(const struct hardware_info *info)
{
    for (size_t i = 0; i < info->device_count; i++)
        if (info->devices[i].kind && strcmp(info->devices[i].kind, "cpu") == 0)
            return &info->devices[i];
    return NULL;
}

int api_get_hardware(struct request *r, struct response *w, struct err *e)
{
    struct hardware_info info;
    int rc = provider_hardware(app_of(r)->provider, request_arena(r), &info, e);

    if (rc)
        return rc;
    json_t *devices = json_array(), *cpu = json_object();
    for (size_t i = 0; i < info.device_count; i++)
        json_array_append_new(devices, device_json(&info.devices[i]));
    const struct hardware_device *d = find_cpu(&info);
    if (d) {
        json_object_set_new(cpu, "model", json_string(d->name ? d->name : ""));
        json_object_set_new(cpu, "cores", json_integer(d->cores));
        json_object_set_new(cpu, "features", words(d->features));
        json_object_set_new(cpu, "isa", json_string(d->isa ? d->isa : ""));
    }
    return respond_json(w, 200,
                        json_pack("{s:s?, s:s?, s:o, s:{s:I, s:I}, s:o}", "os", info.os, "machine",
                                  info.machine, "cpu", cpu, "memory", "total",
                                  (json_int_t)info.memory, "available",
                                  (json_int_t)info.memory_free, "devices", devices));
}
