/* document_model.c: what records are drawn with: a configuration that lies elsewhere, or one that
 * is written in the document. */
#include "base/json.h"
#include "base/nearest.h"
#include "datasets/model_configs.h"
#include "experiments/parameters.h"
#include "tasks/document_parts.h"
#include "tasks/kind.h"

#include <string.h>

enum { MODEL_MOST = 400, CONFIG_MOST = 200 };

void document_check_parameters(const struct part *p, bool seed)
{
    static const char *const names[] = {"prompt",
                                        "negative_prompt",
                                        "model",
                                        "sampler",
                                        "schedule",
                                        "spacing",
                                        "steps",
                                        "cfg_scale",
                                        "seed",
                                        "width",
                                        "height",
                                        "eta",
                                        "rng",
                                        "clip_skip",
                                        "guidance_rescale",
                                        "strength",
                                        "init_image",
                                        "mask",
                                        "original_width",
                                        "original_height",
                                        "crop_left",
                                        "crop_top",
                                        "target_width",
                                        "target_height"};
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)p->object, key, value)
    {
        const char *near = nearest_name(key, names, sizeof names / sizeof *names);
        if (!parameter_by_name(key) && near)
            part_problem(p, key, "a parameter of generations; did you mean '%s'?", near);
        else if (!parameter_by_name(key))
            part_problem(p, key, "a parameter of generations, such as steps or cfg_scale");
        else if (!seed && strcmp(key, "seed") == 0)
            part_problem(p, key, "no seed here");
        else if (json_is_object(value) || json_is_array(value))
            part_problem(p, key, "a text, a number or null");
    }
}

static void check_digest(const struct part *model)
{
    const char *text = part_text(model, "digest", 1, 71, NULL);
    struct str digest = str_from(text);

    if (!text)
        return;
    str_skip(&digest, "sha256:");
    if (digest.n < 6 || digest.n > 64 || strspn(digest.p, "0123456789abcdef") != digest.n)
        part_problem(model, "digest",
                     "the first 6 to 64 hex digits of the model's SHA-256, in "
                     "lower case");
}

static void read_from(struct document_reading *r, const struct part *model, bool needed)
{
    struct task_document *d = r->document;
    struct part from = part_object(model, "from", needed);
    struct dataset_problem problem = {0};
    struct err e;

    d->from = from.object;
    if (d->from && model_config_check(d->from, &d->access, r->arena, &problem, &e))
        task_problem(
            r->problems, r->arena,
            arena_printf(r->arena, "%s%s", from.at, problem.pointer ? problem.pointer : ""), "%s",
            problem.expected ? problem.expected : "something else");
}

void document_read_model(struct document_reading *r, const struct part *root)
{
    static const char *const named[] = {"config", "version", "from", "resolved", NULL};
    static const char *const here[] = {"model", "digest", "parameters", "from", "config", NULL};
    struct task_document *d = r->document;
    bool draws = d->kind && d->kind->draws;
    struct part model = part_object(root, "model", draws);

    if (d->kind && !draws && model.object)
        part_problem(root, "model", "none: tasks of kind %s draw nothing", d->kind->name);
    if (!draws || !model.object)
        return;
    if (json_object_get(model.object, "config")) {
        part_members(&model, named);
        part_text(&model, "config", 1, CONFIG_MOST, NULL);
        part_integer(&model, "version", 1, INT64_MAX, 0);
        read_from(r, &model, true);
        d->model = json_object_get(model.object, "resolved");
        return;
    }
    part_members(&model, here);
    if (!part_text(&model, "model", 1, MODEL_MOST, NULL) && !json_object_get(model.object, "model"))
        part_problem(&model, "model",
                     "the name of a model (or \"config\": that of a configuration)");
    check_digest(&model);
    struct part parameters = part_object(&model, "parameters", false);
    document_check_parameters(&parameters, true);
    read_from(r, &model, false);
    d->model = model.object;
}

int task_document_resolve(const struct tasks *t, struct task_document *d, struct err *e)
{
    json_t *model = json_object_get(d->written, "model"), *config;
    const char *name = json_text(model, "config", NULL);

    (void)t;
    if (d->model || !name)
        return 0;
    int rc =
        model_config_find(d->from, name, json_int(model, "version", 0), &d->access, &config, e);
    if (rc)
        return rc;
    if (json_object_set_new(model, "resolved", config))
        return ERR(e, ERR_NOMEM, "no memory for a model configuration");
    d->model = config;
    return 0;
}
