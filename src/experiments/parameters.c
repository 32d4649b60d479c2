#include "experiments/parameters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 400, PROMPT_BYTES = PARAMETER_PROMPT_BYTES, PICTURE_BYTES = 16 << 20 };

static const char *const spacings[] = {"model", "leading", "linspace", "trailing", NULL};
static const char *const rngs[] = {"cpu", "cuda", NULL};

static const struct parameter parameters[] = {
    {"prompt", PARAMETER_PROMPT, 0, PROMPT_BYTES},
    {"negative_prompt", PARAMETER_PROMPT, 0, PROMPT_BYTES, .optional = true},
    {"model", PARAMETER_NAME, 1, NAME_BYTES},
    {"sampler", PARAMETER_NAME, 1, NAME_BYTES},
    {"schedule", PARAMETER_NAME, 1, NAME_BYTES},
    {"spacing", PARAMETER_NAME, 1, NAME_BYTES, .optional = true, .choices = spacings},
    {"steps", PARAMETER_INTEGER, 1, 1000},
    {"cfg_scale", PARAMETER_NUMBER, -100, 1000},
    {"seed", PARAMETER_SEED, 0, 0},
    {"width", PARAMETER_INTEGER, 1, 8192},
    {"height", PARAMETER_INTEGER, 1, 8192},
    {"eta", PARAMETER_NUMBER, 0, 1},
    {"rng", PARAMETER_NAME, 1, NAME_BYTES, .choices = rngs},
    {"clip_skip", PARAMETER_INTEGER, 0, 100},
    {"guidance_rescale", PARAMETER_NUMBER, 0, 1},
    {"strength", PARAMETER_NUMBER, 0, 1},
    {"init_image", PARAMETER_TEXT, 1, PICTURE_BYTES, .optional = true},
    {"mask", PARAMETER_TEXT, 1, PICTURE_BYTES, .optional = true},
    {"original_width", PARAMETER_INTEGER, 0, 65536},
    {"original_height", PARAMETER_INTEGER, 0, 65536},
    {"crop_left", PARAMETER_INTEGER, 0, 65536},
    {"crop_top", PARAMETER_INTEGER, 0, 65536},
    {"target_width", PARAMETER_INTEGER, 0, 65536},
    {"target_height", PARAMETER_INTEGER, 0, 65536},
};
/* What a variable or a replacement takes. */
static const struct parameter any = {"value", PARAMETER_PROMPT, 0, PROMPT_BYTES};

const struct parameter *parameter_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        if (strcmp(parameters[i].name, name) == 0)
            return &parameters[i];
    return NULL;
}

bool parameter_is_numeric(const struct parameter *p)
{
    return p && p->kind >= PARAMETER_INTEGER;
}

const char *parameter_expected(const struct parameter *p, char out[128])
{
    if (!p)
        p = &any;
    switch (p->kind) {
    case PARAMETER_INTEGER:
        snprintf(out, 128, "an integer from %.0f to %.0f", p->min, p->max);
        break;
    case PARAMETER_NUMBER:
        snprintf(out, 128, "a number from %g to %g", p->min, p->max);
        break;
    case PARAMETER_SEED:
        snprintf(out, 128, "a fixed seed: an integer, or decimal text, from 0 to 2^64 - 1");
        break;
    case PARAMETER_PROMPT:
    case PARAMETER_NAME:
    case PARAMETER_TEXT:
        if (p->choices == spacings)
            snprintf(out, 128, "model, leading, linspace or trailing");
        else if (p->choices)
            snprintf(out, 128, "cpu or cuda");
        else
            snprintf(out, 128, "a text of %.0f to %.0f bytes", p->min, p->max);
        break;
    }
    return out;
}

bool parameter_text(const json_t *v, size_t least, size_t most)
{
    const char *text = json_string_value(v);
    size_t n = 0;

    /* jansson can hold a NUL inside a text; C would cut it there. */
    if (!text || strlen(text) != json_string_length(v))
        return false;
    for (; *text; text++)
        n += (*text & 0xC0) != 0x80;
    return n >= least && n <= most;
}

static json_t *text_value(const struct parameter *p, const json_t *v)
{
    const char *text = json_string_value(v);
    size_t n = json_string_length(v);

    if (!text || strlen(text) != n || (double)n < p->min || (double)n > p->max)
        return NULL;
    if (p->choices) {
        const char *const *c = p->choices;
        while (*c && strcmp(*c, text) != 0)
            c++;
        if (!*c)
            return NULL;
    }
    return json_incref((json_t *)v);
}

static json_t *number_value(const struct parameter *p, const json_t *v)
{
    double x = json_number_value(v);

    if (!json_is_number(v) || !(x >= p->min && x <= p->max))
        return NULL;
    if (x == floor(x))
        return json_integer((json_int_t)x);
    return p->kind == PARAMETER_INTEGER ? NULL : json_real(x);
}

static bool seed_from_text(const char *text, uint64_t *out)
{
    uint64_t n = 0;

    if (!text || !*text)
        return false;
    for (; *text; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (*text < '0' || *text > '9' || n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

static json_t *seed_value(const json_t *v)
{
    uint64_t seed;

    if (json_is_real(v)) {
        double x = json_real_value(v);
        return x >= 0 && x <= 9007199254740992.0 && x == floor(x) ? json_integer((json_int_t)x)
                                                                  : NULL;
    }
    if (json_is_integer(v))
        return json_integer_value(v) < 0 ? NULL : json_incref((json_t *)v);
    return seed_from_text(json_string_value(v), &seed) ? parameter_seed_json(seed) : NULL;
}

uint64_t parameter_seed(const json_t *value)
{
    uint64_t seed = 0;

    if (json_is_integer(value))
        return (uint64_t)json_integer_value(value);
    (void)seed_from_text(json_string_value(value), &seed);
    return seed;
}

json_t *parameter_seed_json(uint64_t seed)
{
    char digits[24];

    if (seed <= INT64_MAX)
        return json_integer((json_int_t)seed);
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)seed);
    return json_string(digits);
}

json_t *parameter_value(const struct parameter *p, const json_t *written,
                        struct spec_problems *problems, const struct at *at)
{
    char words[128];
    json_t *value = NULL;

    if (!p)
        p = &any;
    if (p->optional && json_is_null(written))
        return json_null();
    switch (p->kind) {
    case PARAMETER_PROMPT:
    case PARAMETER_NAME:
    case PARAMETER_TEXT:
        if (p == &any && json_is_number(written))
            value = json_incref((json_t *)written);
        else
            value = text_value(p, written);
        break;
    case PARAMETER_INTEGER:
    case PARAMETER_NUMBER:
        value = number_value(p, written);
        break;
    case PARAMETER_SEED:
        value = seed_value(written);
        break;
    }
    if (!value)
        problem(problems, at, "%s%s", parameter_expected(p, words), p->optional ? ", or null" : "");
    return value;
}

json_t *parameter_object(const json_t *written, bool seeds, struct spec_problems *problems,
                         const struct at *at)
{
    json_t *out = json_object(), *v;
    const char *key;

    if (!json_is_object(written)) {
        problem(problems, at, "an object of parameters");
        return out;
    }
    json_object_foreach((json_t *)written, key, v)
    {
        struct at here = {at, key, 0};
        const struct parameter *p = parameter_by_name(key);
        json_t *value = NULL;
        if (!p)
            problem(problems, &here, "a parameter of generations, such as steps or cfg_scale");
        else if (p->kind == PARAMETER_SEED && !seeds)
            problem(problems, &here, "no seed here: use replicates or an axis of seeds");
        else
            value = parameter_value(p, v, problems, &here);
        if (value)
            json_object_set_new(out, key, value);
    }
    return out;
}
