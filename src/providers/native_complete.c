/* native_complete.c: from what was asked for to a whole recipe, as `cauldron generate` fills it, so
 * that the same wishes are the same picture however they arrive. Every bad parameter is found, not
 * only the first. */
#include "base/uuid.h"
#include "image/image.h"
#include "providers/native.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum {
    MAX_PROBLEMS = 64,
    MAX_PROMPT = 1 << 16, /* bytes; the text encoders read far less */
    MAX_NAME = 400,
    MAX_SIDE = 8192,
    MAX_PIXELS = 4096 * 4096,
    MAX_CROP = 65536,
};

/* One request on its way to a recipe. */
struct form {
    struct native *native;
    const json_t *parameters;
    struct arena *arena;
    struct facts facts;
    struct parameter_problem *problems; /* one more than MAX_PROBLEMS: the end */
    size_t count;
};

static void bad(struct form *f, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
static void bad(struct form *f, const char *name, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (f->count == MAX_PROBLEMS)
        return;
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->problems[i].name, name) == 0)
            return; /* the first thing wrong with it */
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    f->problems[f->count++] = (struct parameter_problem){name, arena_strdup(f->arena, text)};
}

static bool is_bad(const struct form *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->problems[i].name, name) == 0)
            return true;
    return false;
}

/* ==== values ==== */

/* Null is as good as absent. */
static const json_t *get(const struct form *f, const char *name)
{
    const json_t *value = json_object_get(f->parameters, name);
    return json_is_null(value) ? NULL : value;
}

static const char *text(struct form *f, const char *name, size_t most, const char *fallback)
{
    const json_t *v = get(f, name);

    if (!v)
        return fallback;
    if (!json_is_string(v) || json_string_length(v) > most ||
        strlen(json_string_value(v)) != json_string_length(v)) {
        bad(f, name, "a text of at most %zu bytes, without NUL", most);
        return fallback;
    }
    return arena_strdup(f->arena, json_string_value(v));
}

static double number(struct form *f, const char *name, double low, double high, double fallback)
{
    const json_t *v = get(f, name);
    double x = json_number_value(v);

    if (!v)
        return fallback;
    if (json_is_number(v) && x >= low && x <= high)
        return x;
    bad(f, name, "a number from %g to %g", low, high);
    return fallback;
}

static int integer(struct form *f, const char *name, int low, int high, int fallback)
{
    const json_t *v = get(f, name);
    double x = json_number_value(v);

    if (!v)
        return fallback;
    if (json_is_number(v) && x >= low && x <= high && x == floor(x))
        return (int)x;
    bad(f, name, "an integer from %d to %d", low, high);
    return fallback;
}

/* One of a few words; NULL when absent. */
static const char *word(struct form *f, const char *name, const char *const *words)
{
    const char *given = text(f, name, MAX_NAME, NULL), *list = words[0];

    for (int i = 0; given && words[i]; i++)
        if (strcmp(given, words[i]) == 0)
            return words[i];
    for (int i = 1; words[i]; i++)
        list = arena_printf(f->arena, "%s, %s", list, words[i]);
    if (given)
        bad(f, name, "one of %s", list);
    return NULL;
}

static bool decimal(const char *digits, uint64_t *out)
{
    uint64_t x = 0;

    if (!digits[0] || strlen(digits) > 20)
        return false;
    for (; *digits; digits++) {
        unsigned digit = (unsigned)(*digits - '0');
        if (digit > 9 || x > (UINT64_MAX - digit) / 10)
            return false;
        x = 10 * x + digit;
    }
    *out = x;
    return true;
}

/* A random one stays below 2^32, so that every program can read and repeat it. */
static uint64_t seed(struct form *f)
{
    const json_t *v = get(f, "seed");
    const char *digits = json_string_value(v);
    bool random = !v || (json_is_integer(v) && json_integer_value(v) == -1) ||
                  (digits && strcmp(digits, "-1") == 0);
    uint64_t x = 0;
    uint32_t bits = 0;

    if (random) {
        random_bytes(&bits, sizeof bits);
        return bits;
    }
    if (json_is_integer(v) && json_integer_value(v) >= 0)
        return (uint64_t)json_integer_value(v);
    if (!digits || !decimal(digits, &x))
        bad(f, "seed", "an integer from 0 to 2^64 - 1, as a number or as decimal text; -1: random");
    return x;
}

/* SHA-256 of a picture's bytes, under the name of the request or of a recipe. */
static const char *hash(struct form *f, const char *name, const char *other)
{
    const char *key = get(f, name) ? name : other;
    const char *hex = text(f, key, 64, NULL);

    if (get(f, name) && get(f, other))
        bad(f, other, "only one of %s and %s", name, other);
    if (hex && (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)) {
        bad(f, key, "the SHA-256 of a picture: 64 hex digits");
        return NULL;
    }
    return hex;
}

/* ==== the parts of a recipe ==== */

static void refuse_unknown(struct form *f)
{
    static const char *const known[] = {
        "prompt", "negative_prompt", "model", "seed", "steps", "cfg_scale", "guidance_rescale",
        "width", "height", "sampler", "schedule", "spacing", "eta", "rng", "clip_skip", "dtype",
        "original_width", "original_height", "crop_left", "crop_top", "target_width",
        "target_height", "strength", "init_image", "mask", "init_width", "init_height",
        /* a recipe given back */
        "model_digest", "architecture", "isa", "init_sha256", "mask_sha256"};
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)f->parameters, key, value)
    {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known && !found; i++)
            found = strcmp(key, known[i]) == 0;
        if (!found)
            bad(f, arena_str(f->arena, (struct str){key, strnlen(key, 100)}),
                "unknown: there is no parameter of that name");
    }
}

static void set_text(struct form *f, struct recipe *r)
{
    r->prompt = text(f, "prompt", MAX_PROMPT, NULL);
    if (!r->prompt)
        bad(f, "prompt", "a text: what to draw");
    r->negative = text(f, "negative_prompt", MAX_PROMPT, NULL);
    r->clip_skip = integer(f, "clip_skip", 0, f->facts.clip_layers, 0);
}

static int picture_side(struct form *f, const char *name)
{
    int side = integer(f, name, f->facts.multiple, IMAGE_MAX_SIDE, 0);

    if (get(f, name) && !get(f, "init_image") && !get(f, "init_sha256"))
        bad(f, name, "only together with init_image");
    return side / f->facts.multiple * f->facts.multiple;
}

static int side(struct form *f, const char *name, int fallback)
{
    int multiple = f->facts.multiple, x = integer(f, name, multiple, MAX_SIDE, fallback);
    int low = x / multiple * multiple;

    if (x % multiple)
        bad(f, name, "a multiple of %d; the nearest are %d and %d", multiple, low, low + multiple);
    return x;
}

static void set_size(struct form *f, struct recipe *r)
{
    int width = picture_side(f, "init_width"), height = picture_side(f, "init_height");

    r->width = side(f, "width", width ? width : f->facts.width);
    r->height = side(f, "height", height ? height : f->facts.height);
    if ((int64_t)r->width * r->height > MAX_PIXELS)
        bad(f, "height", "at most %d pixels at a width of %d", MAX_PIXELS / r->width, r->width);
    r->original_width = integer(f, "original_width", 0, MAX_CROP, 0);
    r->original_height = integer(f, "original_height", 0, MAX_CROP, 0);
    r->crop_left = integer(f, "crop_left", 0, MAX_CROP, 0);
    r->crop_top = integer(f, "crop_top", 0, MAX_CROP, 0);
    r->target_width = integer(f, "target_width", 0, MAX_CROP, 0);
    r->target_height = integer(f, "target_height", 0, MAX_CROP, 0);
}

static void set_pictures(struct form *f, struct recipe *r)
{
    r->init = hash(f, "init_image", "init_sha256");
    r->mask = hash(f, "mask", "mask_sha256");
    r->strength = number(f, "strength", 0, 1, NATIVE_STRENGTH);
    if (r->mask && !r->init)
        bad(f, "mask", "only together with init_image: the picture to be filled in");
    if (f->facts.inpainting && !r->mask)
        bad(f, "mask", "needed: this model fills in masks");
    if (!r->init && r->strength != NATIVE_STRENGTH)
        bad(f, "strength", "only together with init_image");
    if (r->init && r->strength == 0)
        bad(f, "strength", "a number above 0");
}

static const char *schedules_of(struct form *f, enum sampler_kind k)
{
    const char *list = "";

    for (enum schedule_kind s = 0; s < SCHEDULE_COUNT; s++)
        if (sampler_has_schedule(k, s))
            list = arena_printf(f->arena, "%s%s%s", list, list[0] ? ", " : "", schedule_name(s));
    return list;
}

static const char *samplers(struct form *f)
{
    const char *list = sampler_name(0);

    for (enum sampler_kind k = 1; k < SAMPLER_COUNT; k++)
        list = arena_printf(f->arena, "%s, %s", list, sampler_name(k));
    return list;
}

static void read_names(struct form *f, struct sampler_spec *spec)
{
    const char *sampler = text(f, "sampler", MAX_NAME, NULL);
    const char *schedule = text(f, "schedule", MAX_NAME, NULL);
    const char *spacing = text(f, "spacing", MAX_NAME, NULL);

    if (sampler && !sampler_by_name(str_from(sampler), &spec->kind, &spec->schedule))
        bad(f, "sampler", "one of %s", samplers(f));
    if (schedule && !schedule_by_name(str_from(schedule), &spec->schedule))
        bad(f, "schedule", "one of model, uniform, karras, exponential, beta, sgm_uniform");
    if (spacing && !spacing_by_name(str_from(spacing), &spec->spacing))
        bad(f, "spacing", "one of leading, linspace, trailing");
}

/* What does not go together, with the parameter that is to blame. */
static void check_together(struct form *f, const struct sampler_spec *spec)
{
    struct sampler_traits traits = sampler_traits(spec->kind);
    const char *name = sampler_name(spec->kind);

    if (!sampler_has_schedule(spec->kind, spec->schedule))
        bad(f, get(f, "schedule") ? "schedule" : "sampler", "with sampler %s one of %s", name,
            schedules_of(f, spec->kind));
    if (spec->spacing != SPACING_MODEL && !traits.spacing)
        bad(f, "spacing", "none: sampler %s has its own", name);
    else if (spec->schedule == SCHEDULE_SGM_UNIFORM && spec->spacing != SPACING_MODEL &&
             spec->spacing != SPACING_TRAILING)
        bad(f, "spacing", "trailing or none: that is what schedule sgm_uniform means");
    if (spec->eta > 0 && !traits.eta)
        bad(f, "eta", "0: sampler %s takes no eta; ddim and tcd do", name);
}

static void set_sampling(struct form *f, struct recipe *r)
{
    static const char *const rngs[] = {"cpu", "cuda", NULL};
    int most = f->facts.train_steps;
    struct sampler_spec spec = {.kind = f->facts.sampler,
                                .schedule = SCHEDULE_MODEL,
                                .spacing = SPACING_MODEL,
                                .strength = r->init ? r->strength : 1};
    struct err error;

    r->steps = spec.steps = integer(f, "steps", 1, most, most < NATIVE_STEPS ? most : NATIVE_STEPS);
    r->eta = spec.eta = number(f, "eta", 0, 1, 0);
    r->guidance = number(f, "cfg_scale", -100, 1000, f->facts.guidance);
    r->guidance_rescale = number(f, "guidance_rescale", 0, 1, 0);
    r->seed = seed(f);
    r->rng = word(f, "rng", rngs);
    r->rng = r->rng ? r->rng : rngs[0];
    read_names(f, &spec);
    if (!is_bad(f, "sampler"))
        check_together(f, &spec);
    r->sampler = sampler_name(spec.kind);
    r->schedule = schedule_name(spec.schedule);
    r->spacing = spec.spacing == SPACING_MODEL ? NULL : spacing_name(spec.spacing);
    if (f->count == 0 &&
        native_allow(f->native, &f->facts, &spec, r->init != NULL, r->mask != NULL, &error))
        bad(f,
            error.code == ERR_UNSUPPORTED ? "sampler"
            : r->init                     ? "strength"
                                          : "steps",
            "%s", error.message);
}

static void set_machine(struct form *f, struct recipe *r)
{
    static const char *const dtypes[] = {"auto", "f32", "bf16", NULL};
    const struct native *n = f->native;
    const char *dtype = word(f, "dtype", dtypes);

    r->isa = n->kernels->isa;
    if (!dtype || strcmp(dtype, "auto") == 0)
        dtype = n->bf16 ? "bf16" : "f32";
    if (strcmp(dtype, "bf16") == 0 && strcmp(r->isa, "avx512bf16") != 0)
        bad(f, "dtype", "auto or f32: no CPU with AVX-512 BF16 draws here");
    r->dtype = dtype;
}

/* A recipe given back names the weights that it was drawn with. */
static void set_model(struct form *f, struct recipe *r)
{
    const char *digest = text(f, "model_digest", 64, NULL);

    r->digest = arena_strdup(f->arena, f->facts.digest);
    r->architecture = architecture_name(f->facts.architecture);
    if (digest && strcmp(digest, r->digest) != 0)
        bad(f, "model_digest", "%.12s..., as model '%.100s' is installed here", r->digest,
            r->model);
}

/* ==== the whole ==== */

static int report(const struct form *f, struct err *e)
{
    const char *list = "";

    for (size_t i = 0; i < f->count && strlen(list) < 800; i++)
        list = arena_printf(f->arena, "%s%s%s: %s", list, i ? "; " : "", f->problems[i].name,
                            f->problems[i].expected);
    return ERR(e, ERR_ARG, "%s", list);
}

int native_complete(struct provider *p, const json_t *parameters, struct arena *a,
                    struct recipe *out, struct parameter_problem **problems, struct err *e)
{
    struct native *n = provider_state(p);
    struct recipe r = {0};
    struct form f = {.native = n, .parameters = parameters, .arena = a};
    int rc;

    if (!json_is_object(parameters))
        return ERR(e, ERR_ARG, "the parameters are not a JSON object");
    f.problems = arena_alloc(a, (MAX_PROBLEMS + 1) * sizeof *f.problems);
    if (problems)
        *problems = f.problems;
    r.model = text(&f, "model", MAX_NAME, n->default_model);
    if (f.count)
        return report(&f, e);
    if ((rc = native_facts_recent(n, r.model, a, &f.facts, e)))
        return rc;
    refuse_unknown(&f);
    set_model(&f, &r);
    set_text(&f, &r);
    set_size(&f, &r);
    set_pictures(&f, &r);
    set_machine(&f, &r);
    set_sampling(&f, &r);
    if (f.count)
        return report(&f, e);
    *out = r;
    return 0;
}
