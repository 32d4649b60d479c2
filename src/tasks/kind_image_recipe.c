/* kind_image_recipe.c: a record and a configuration become a recipe. */
#include "base/json.h"
#include "base/sha256.h"
#include "datasets/model_configs.h"
#include "tasks/kind_image.h"
#include "tasks/mapping.h"

#include <stdlib.h>
#include <string.h>

enum { PROMPT_MOST = 1 << 16, CONFIG_MOST = 200 };

/* ==== configurations ==== */

int image_check_digest(const struct configuration *c, const char *digest, struct err *e)
{
    struct str wanted = str_from(json_text(c->json, "digest", ""));

    str_skip(&wanted, "sha256:");
    if (!digest || strncmp(digest, wanted.p ? wanted.p : "", wanted.n) == 0)
        return 0;
    return ERR(e, ERR_UNSUPPORTED,
               "model '%.200s' has the digest %.16s... here, not %.16s... as "
               "configuration '%.100s' says",
               json_text(c->json, "model", ""), digest, wanted.p, c->name);
}

/* "name", or "name@version"; what was found stays, so that one reading draws with one version. */
static int look_up(struct kind_context *c, const char *wanted, struct configuration **out,
                   struct err *e)
{
    struct image_kind *k = c->own;
    struct configuration *found = ARENA_NEW(&k->arena, struct configuration);
    const char *at = strrchr(wanted, '@');
    int64_t version = 0;
    json_t *json = NULL;
    struct str name = str_from(wanted);

    if (at && str_to_i64(str_from(at + 1), &version) && version > 0)
        name.n = (size_t)(at - wanted);
    int rc = model_config_find(c->document->from, arena_str(&k->arena, name), version,
                               &c->document->access, &json, e);
    if (rc && rc != ERR_NOT_FOUND)
        return rc == ERR_ARG ? ERR(e, ERR_FORMAT, "configuration '%s' cannot be read", wanted) : rc;
    found->name = arena_strdup(&k->arena, wanted);
    found->json = json;
    found->missing = rc ? arena_strdup(&k->arena, e->message) : NULL;
    if (json)
        json_array_append_new(k->kept, json);
    map_put(&k->others, str_from(found->name), found);
    *out = found;
    return 0;
}

int image_configuration(struct planning *p, struct err *e)
{
    struct image_kind *k = p->c->own;
    const json_t *field = json_object_get(p->c->document->fields, "model_config");
    struct configuration *found;
    const char *name = NULL;
    struct mapped m;

    p->configuration = &k->usual;
    if (!field)
        return 0;
    if (mapping_field(field, p->record->fields, p->a, &m, p->problem, e) ||
        mapping_text(&m, 0, CONFIG_MOST, p->a, &name, p->problem, e))
        return e->code;
    if (!name || !name[0])
        return 0;
    found = map_get(&k->others, str_from(name));
    if (!found && look_up(p->c, name, &found, e))
        return e->code;
    if (!found->json)
        return mapping_wrong(p->problem, p->a, m.name, e, "%s", found->missing);
    p->configuration = found;
    return 0;
}

/* ==== parameters ==== */

static int text_parameter(struct planning *p, const char *name, size_t least, struct err *e)
{
    const json_t *fields = p->c->document->fields;
    struct mapped m;
    const char *text = NULL;

    if (mapping_get(fields, name, p->record->fields, p->a, &m, p->problem, e) ||
        mapping_text(&m, least, PROMPT_MOST, p->a, &text, p->problem, e))
        return e->code;
    if (text && text[0])
        json_object_set_new(p->parameters, name, json_string(text));
    return 0;
}

static int add_overrides(struct planning *p, struct err *e)
{
    struct mapped m;
    json_t *overrides = NULL;

    if (mapping_get(p->c->document->fields, "overrides", p->record->fields, p->a, &m, p->problem,
                    e) ||
        mapping_object(&m, p->a, &overrides, p->problem, e))
        return e->code;
    if (overrides)
        json_object_update(p->parameters, overrides);
    json_decref(overrides);
    return 0;
}

static int add_fields(struct planning *p, struct err *e)
{
    const json_t *list = json_object_get(p->c->document->fields, "parameters");
    const char *name;
    json_t *field;

    json_object_foreach((json_t *)(uintptr_t)list, name, field)
    {
        struct mapped m;
        json_t *value = NULL;
        if (mapping_field(field, p->record->fields, p->a, &m, p->problem, e) ||
            mapping_parameter(&m, name, p->a, &value, p->problem, e))
            return e->code;
        if (value)
            json_object_set_new(p->parameters, name, value);
    }
    return 0;
}

/* From the record's field, else its overrides, else what the document says, else the
 * configuration's, else from the names of task and record. 32 bits, so that every program can read
 * and repeat the latter. */
static int find_seed(struct planning *p, bool overridden, struct err *e)
{
    const struct task_document *d = p->c->document;
    const json_t *written = json_object_get(p->parameters, "seed");
    struct mapped own, other = {.name = "seed", .value = json_is_null(written) ? NULL : written};
    bool given = false;
    char hash[65];

    other.text = json_string_value(other.value);
    if (mapping_get(d->fields, "seed", p->record->fields, p->a, &own, p->problem, e) ||
        mapping_seed(&own, p->a, &given, &p->seed, p->problem, e))
        return e->code;
    if (!given && (overridden || !d->seed_written) &&
        mapping_seed(&other, p->a, &given, &p->seed, p->problem, e))
        return e->code;
    if (given)
        return 0;
    if (d->seed_rule != TASK_SEED_RECORD) {
        p->seed = d->seed + (d->seed_rule == TASK_SEED_BASE ? (uint64_t)p->record->number : 0);
        return 0;
    }
    const char *text = arena_printf(p->a, "%s\n%s", d->name, p->record->id);
    sha256_hex(text, strlen(text), hash);
    hash[8] = 0;
    p->seed = strtoull(hash, NULL, 16);
    return 0;
}

/* Pictures to begin with are named by a generation or by their SHA-256. */
static int find_picture(struct planning *p, const char *name, struct err *e)
{
    const char *text = json_text(p->parameters, name, NULL);
    struct tasks *t = (struct tasks *)(uintptr_t)p->c->tasks;
    const char *owner = p->c->task->trusted ? NULL : p->c->task->user_id;

    if (!text || !json_object_get(p->parameters, name))
        return 0;
    if (strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64) {
        if (blob_exists(t->submitter->blobs, text))
            return 0;
        return mapping_wrong(p->problem, p->a, name, e, "there is no picture %.16s...", text);
    }
    if (!uuid_valid(str_from(text)))
        return mapping_wrong(p->problem, p->a, name, e,
                             "expected the id of a generation or the SHA-256 of a picture");
    int rc = submit_picture_parameter(t->submitter, p->parameters, name, owner, e);
    if (rc == ERR_NOT_FOUND || rc == ERR_ARG)
        return mapping_wrong(p->problem, p->a, name, e, "%s", arena_strdup(p->a, e->message));
    return rc;
}

static json_t *seed_json(uint64_t seed, struct arena *a)
{
    if (seed <= INT64_MAX)
        return json_integer((json_int_t)seed);
    return json_string(arena_printf(a, "%llu", (unsigned long long)seed));
}

int image_parameters(struct planning *p, struct err *e)
{
    const json_t *config = p->configuration->json;
    json_t *usual = json_object_get(config, "parameters");

    if (usual)
        json_object_update(p->parameters, usual);
    json_object_set(p->parameters, "model", json_object_get(config, "model"));
    const json_t *before = json_object_get(p->parameters, "seed");
    if (add_overrides(p, e) || add_fields(p, e) || text_parameter(p, "prompt", 1, e) ||
        text_parameter(p, "negative_prompt", 0, e))
        return e->code;
    if (!json_string_length(json_object_get(p->parameters, "prompt")))
        return mapping_wrong(p->problem, p->a, "prompt", e, "the record has none");
    bool overridden = json_object_get(p->parameters, "seed") != before;
    if (find_seed(p, overridden, e) || find_picture(p, "init_image", e) ||
        find_picture(p, "mask", e))
        return e->code;
    json_object_set_new(p->parameters, "seed", seed_json(p->seed, p->a));
    return 0;
}

int image_recipe(struct planning *p, struct recipe *out, struct err *e)
{
    struct image_kind *k = p->c->own;
    struct parameter_problem *problems = NULL;
    const char *usual = json_text(p->configuration->json, "model", "");
    bool own_model = strcmp(json_text(p->parameters, "model", ""), usual) != 0;
    char key[65];
    int rc = provider_complete(k->provider, p->parameters, p->a, out, key, &problems, e);

    if (rc == ERR_ARG && problems && problems[0].name) {
        bool unknown = str_starts(str_from(problems[0].expected), "unknown");
        return mapping_wrong(p->problem, p->a, problems[0].name, e, "%s%s",
                             unknown ? "" : "as a parameter, expected ", problems[0].expected);
    }
    if (rc == ERR_ARG || (rc == ERR_NOT_FOUND && own_model))
        return mapping_wrong(p->problem, p->a, rc == ERR_ARG ? "parameters" : "model", e, "%s",
                             arena_strdup(p->a, e->message));
    if (!rc && !own_model)
        rc = image_check_digest(p->configuration, out->digest, e);
    return rc;
}
