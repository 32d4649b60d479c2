#include "recipe/recipe.h"

#include "base/json.h"
#include "base/sha256.h"
#include "cauldron.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECIPE_VERSION = 1 };

enum kind { TEXT, INTEGER, NUMBER, SEED };

/* One row a field: writing, reading and checking walk the same table. */
static const struct field {
    const char *key;
    enum kind kind;
    size_t offset;
    bool needed;
} fields[] = {
    {"model", TEXT, offsetof(struct recipe, model), true},
    {"model_digest", TEXT, offsetof(struct recipe, digest), false},
    {"architecture", TEXT, offsetof(struct recipe, architecture), false},
    {"prompt", TEXT, offsetof(struct recipe, prompt), true},
    {"negative_prompt", TEXT, offsetof(struct recipe, negative), false},
    {"seed", SEED, offsetof(struct recipe, seed), true},
    {"steps", INTEGER, offsetof(struct recipe, steps), true},
    {"cfg_scale", NUMBER, offsetof(struct recipe, guidance), true},
    {"guidance_rescale", NUMBER, offsetof(struct recipe, guidance_rescale), true},
    {"width", INTEGER, offsetof(struct recipe, width), true},
    {"height", INTEGER, offsetof(struct recipe, height), true},
    {"sampler", TEXT, offsetof(struct recipe, sampler), true},
    {"schedule", TEXT, offsetof(struct recipe, schedule), true},
    {"spacing", TEXT, offsetof(struct recipe, spacing), false},
    {"eta", NUMBER, offsetof(struct recipe, eta), true},
    {"rng", TEXT, offsetof(struct recipe, rng), true},
    {"clip_skip", INTEGER, offsetof(struct recipe, clip_skip), true},
    {"dtype", TEXT, offsetof(struct recipe, dtype), true},
    {"isa", TEXT, offsetof(struct recipe, isa), false},
    {"original_width", INTEGER, offsetof(struct recipe, original_width), true},
    {"original_height", INTEGER, offsetof(struct recipe, original_height), true},
    {"crop_left", INTEGER, offsetof(struct recipe, crop_left), true},
    {"crop_top", INTEGER, offsetof(struct recipe, crop_top), true},
    {"target_width", INTEGER, offsetof(struct recipe, target_width), true},
    {"target_height", INTEGER, offsetof(struct recipe, target_height), true},
    {"init_sha256", TEXT, offsetof(struct recipe, init), false},
    {"mask_sha256", TEXT, offsetof(struct recipe, mask), false},
    {"strength", NUMBER, offsetof(struct recipe, strength), true},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static json_t *get(const struct recipe *r, const struct field *f)
{
    const char *at = (const char *)r + f->offset;
    char digits[24];

    switch (f->kind) {
    case TEXT:
        return *(const char *const *)at ? json_string(*(const char *const *)at) : json_null();
    case INTEGER:
        return json_integer(*(const int *)at);
    case NUMBER:
        return json_real(*(const double *)at);
    case SEED: /* as text: JSON readers round integers above 2^53 */
        snprintf(digits, sizeof digits, "%llu", *(const unsigned long long *)at);
        return json_string(digits);
    }
    return NULL;
}

static void add_fields(const struct recipe *r, json_t *object)
{
    for (int i = 0; i < FIELDS; i++)
        json_object_set_new(object, fields[i].key, get(r, &fields[i]));
}

json_t *recipe_to_json(const struct recipe *r)
{
    json_t *object = json_object();

    add_fields(r, object);
    return object;
}

void recipe_key(const struct recipe *r, const char *provider, const char *version, char out[65])
{
    json_t *object = recipe_to_json(r);
    struct arena arena = {0};

    json_object_del(object, "isa");
    if (r->digest)
        json_object_del(object, "model");
    json_object_set_new(object, "provider", json_string(provider));
    json_object_set_new(object, "provider_version", json_string(version));
    const char *text = json_canonical(object, &arena);
    sha256_hex(text, strlen(text), out);
    json_decref(object);
    arena_release(&arena);
}

char *recipe_json(const struct recipe *r, struct arena *a)
{
    json_t *root = json_object();

    json_object_set_new(root, "recipe", json_integer(RECIPE_VERSION));
    json_object_set_new(root, "program", json_string("cauldron " CAULDRON_VERSION));
    add_fields(r, root);
    char *text = json_compact(root, a);
    json_decref(root);
    return text;
}

static bool set(struct recipe *r, const struct field *f, const json_t *v, struct arena *a)
{
    char *at = (char *)r + f->offset;
    char *end;

    switch (f->kind) {
    case TEXT:
        if (json_is_null(v) && !f->needed)
            return true;
        if (!json_is_string(v))
            return false;
        *(const char **)at = arena_strdup(a, json_string_value(v));
        return true;
    case INTEGER:
        if (!json_is_integer(v) || json_integer_value(v) < -(1 << 30) ||
            json_integer_value(v) > 1 << 30)
            return false;
        *(int *)at = (int)json_integer_value(v);
        return true;
    case NUMBER:
        if (!json_is_number(v))
            return false;
        *(double *)at = json_number_value(v);
        return true;
    case SEED:
        if (!json_is_string(v) || !json_string_value(v)[0] || strlen(json_string_value(v)) > 20 ||
            strspn(json_string_value(v), "0123456789") != strlen(json_string_value(v)))
            return false;
        *(uint64_t *)at = strtoull(json_string_value(v), &end, 10);
        return true;
    }
    return false;
}

int recipe_from_json(const json_t *object, struct arena *a, struct recipe *out, struct err *e)
{
    struct recipe r = {0};

    for (int i = 0; i < FIELDS; i++) {
        const json_t *v = json_object_get(object, fields[i].key);
        if (v ? !set(&r, &fields[i], v, a) : fields[i].needed)
            return ERR(e, ERR_FORMAT, "the recipe's '%s' is %s", fields[i].key,
                       v ? "not what it should be" : "missing");
    }
    *out = r;
    return 0;
}

int recipe_parse(struct str json, struct arena *a, struct recipe *out, struct err *e)
{
    json_error_t error;
    int rc = 0;
    json_t *root = json_loadb(json.p ? json.p : "", json.n, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        return ERR(e, ERR_FORMAT, "the recipe is not JSON: %s", error.text);
    json_int_t version = json_integer_value(json_object_get(root, "recipe"));
    if (version != RECIPE_VERSION) {
        rc = ERR(e, ERR_FORMAT, "the recipe has version %lld; this program reads version %d",
                 (long long)version, RECIPE_VERSION);
        goto out;
    }
    rc = recipe_from_json(root, a, out, e);
out:
    json_decref(root);
    return rc;
}

const char *recipe_sampler_label(const char *name)
{
    static const char *const labels[][2] = {
        {"euler", "Euler"},
        {"euler_ancestral", "Euler a"},
        {"heun", "Heun"},
        {"dpm_2", "DPM2"},
        {"dpm_2_ancestral", "DPM2 a"},
        {"lms", "LMS"},
        {"dpmpp_2m", "DPM++ 2M"},
        {"dpmpp_2m_sde", "DPM++ 2M SDE"},
        {"dpmpp_2s", "DPM++ 2S"},
        {"dpmpp_sde", "DPM++ SDE"},
        {"uni_pc", "UniPC"},
        {"deis", "DEIS"},
        {"ddim", "DDIM"},
        {"ddpm", "DDPM"},
        {"pndm", "PLMS"},
        {"lcm", "LCM"},
        {"tcd", "TCD"},
    };

    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strcmp(labels[i][0], name) == 0)
            return labels[i][1];
    return name;
}

const char *recipe_schedule_label(const char *name)
{
    static const char *const labels[][2] = {{"model", "Automatic"}, {"uniform", "Uniform"},
                                            {"karras", "Karras"},   {"exponential", "Exponential"},
                                            {"beta", "Beta"},       {"sgm_uniform", "SGM Uniform"}};

    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strcmp(labels[i][0], name) == 0)
            return labels[i][1];
    return name;
}

/* As Python writes a float, but 7 for 7.0: that is what the web UI's sliders give. */
static const char *a1111_number(double v, struct arena *a)
{
    char text[32];

    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    return arena_strdup(a, text);
}

/* A value with one of these would be read as several (infotext_utils.quote). */
static const char *a1111_quote(const char *value, struct arena *a)
{
    if (!strpbrk(value, ",:\n"))
        return value;
    json_t *string = json_string(value);
    const char *quoted = string ? json_compact(string, a) : value;
    json_decref(string);
    return quoted;
}

static char *a1111_strip(char *text)
{
    static const char blanks[] = " \t\n\v\f\r";
    size_t n = strlen(text);

    while (n && strchr(blanks, text[n - 1]))
        text[--n] = '\0';
    return text + strspn(text, blanks);
}

char *recipe_parameters(const struct recipe *r, struct arena *a)
{
    const char *negative =
        r->negative && r->negative[0] ? arena_printf(a, "\nNegative prompt: %s", r->negative) : "";
    const char *hash = r->digest ? arena_printf(a, ", Model hash: %.10s", r->digest) : "";
    const char *strength =
        r->init ? arena_printf(a, ", Denoising strength: %s", a1111_number(r->strength, a)) : "";
    const char *skip = r->clip_skip ? arena_printf(a, ", Clip skip: %d", r->clip_skip + 1) : "";
    const char *eta = r->eta > 0 ? arena_printf(a, ", Eta%s: %s",
                                                strcmp(r->sampler, "ddim") == 0 ? " DDIM" : "",
                                                a1111_number(r->eta, a))
                                 : "";

    return a1111_strip(arena_printf(a,
                                    "%s%s\nSteps: %d, Sampler: %s, Schedule type: %s, CFG scale: "
                                    "%s, Seed: %llu, Size: %dx%d%s, "
                                    "Model: %s%s%s%s%s, Version: cauldron " CAULDRON_VERSION,
                                    r->prompt, negative, r->steps, recipe_sampler_label(r->sampler),
                                    recipe_schedule_label(r->schedule),
                                    a1111_number(r->guidance, a), (unsigned long long)r->seed,
                                    r->width, r->height, hash, a1111_quote(r->model, a), strength,
                                    skip, strcmp(r->rng, "cuda") == 0 ? "" : ", RNG: CPU", eta));
}
