#include "experiments/normalise.h"

#include "base/json.h"
#include "experiments/parameters.h"
#include "experiments/values.h"

#include <string.h>

enum { LONGEST_WORD = 64, LONGEST_SEARCH = 200, LONGEST_NAME = 200 };

static const struct {
    const char *member, *parameter;
    bool last; /* after the axes of the long form, so that it becomes the columns */
} shorts[] = {
    {"prompts", "prompt", false},     {"negative_prompts", "negative_prompt", false},
    {"models", "model", false},       {"samplers", "sampler", false},
    {"schedules", "schedule", false}, {"spacings", "spacing", false},
    {"seeds", "seed", false},         {"cfg_scales", "cfg_scale", true},
    {"steps", "steps", true},
};

const char *axes_label(const json_t *point, struct arena *a)
{
    const json_t *value = json_object_get(point, "value");
    const char *label = json_text(point, "label", NULL);

    if (label)
        return label;
    if (!value || json_is_null(value))
        return "none";
    if (json_is_real(value))
        return arena_printf(a, "%.12g", json_real_value(value));
    if (!json_is_string(value))
        return json_compact(value, a);
    const char *text = json_string_value(value);
    return text[0] ? text : "(empty)";
}

/* Longer texts, such as prompts, are their own labels. */
static void add_labels(json_t *values)
{
    struct arena a = {0};
    json_t *label;
    json_t *point;
    size_t i;

    json_array_foreach(values, i, point)
    {
        if (json_object_get(point, "label"))
            continue;
        label = json_string(axes_label(point, &a));
        if (parameter_text(label, 1, VALUES_LABEL))
            json_object_set(point, "label", label);
        json_decref(label);
    }
    arena_release(&a);
}

static bool word_good(const char *word)
{
    size_t n = word ? strlen(word) : 0;

    if (!n || n > LONGEST_WORD || (word[0] >= '0' && word[0] <= '9'))
        return false;
    return strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

/* Which kind an axis is; fills what its values must be. NULL with the problem noted. */
static const char *axis_kind(const json_t *axis, json_t *variables, const struct parameter **p,
                             struct spec_problems *problems, const struct at *at)
{
    static const char *const kinds[] = {"parameter", "variable", "replace", NULL};
    const char *kind = NULL, *word;

    for (int i = 0; kinds[i]; i++) {
        if (!json_object_get(axis, kinds[i]))
            continue;
        if (kind) {
            problem(problems, at, "only one of parameter, variable, replace, zip");
            return NULL;
        }
        kind = kinds[i];
    }
    if (!kind)
        return "settings";
    word = json_text(axis, kind, NULL);
    struct at here = {at, kind, 0};
    if (strcmp(kind, "parameter") == 0) {
        *p = word ? parameter_by_name(word) : NULL;
        if (*p)
            return kind;
        problem(problems, &here, "a parameter of generations, such as steps or cfg_scale");
    } else if (strcmp(kind, "variable") == 0) {
        if (word_good(word) && !parameter_by_name(word)) {
            json_object_set_new(variables, word, json_true());
            return kind;
        }
        problem(problems, &here, "a word of letters, digits and _ that is no parameter's name");
    } else {
        if (parameter_text(json_object_get(axis, kind), 1, LONGEST_SEARCH))
            return kind;
        problem(problems, &here, "a text of 1 to %d characters to look for in the prompts",
                LONGEST_SEARCH);
    }
    return NULL;
}

static const char *axis_name(const json_t *axis, const char *fallback,
                             struct spec_problems *problems, const struct at *at)
{
    const json_t *name = json_object_get(axis, "name");

    if (!name)
        return fallback;
    if (parameter_text(name, 1, LONGEST_NAME))
        return json_string_value(name);
    problem(problems, &(struct at){at, "name", 0}, "a text of 1 to %d characters", LONGEST_NAME);
    return NULL;
}

static json_t *read_axis(const json_t *axis, json_t *variables, bool inner,
                         struct spec_problems *problems, const struct at *at);

/* {"zip": [AXIS, ...]}: parts of equal length. */
static json_t *read_zip(const json_t *axis, json_t *variables, struct spec_problems *problems,
                        const struct at *at)
{
    static const char *const known[] = {"zip", "name", NULL};
    const json_t *zip = json_object_get(axis, "zip");
    struct at here = {at, "zip", 0};
    size_t n = json_array_size(zip), i, length = 0;
    json_t *parts = json_array(), *result = NULL, *item;
    const char *name = "", *chosen = NULL;
    struct arena a = {0};

    problem_members(problems, at, axis, known);
    if (n < 2 || n > SPEC_MAX_ZIP) {
        problem(problems, &here, "2 to %d axes", SPEC_MAX_ZIP);
        goto out;
    }
    json_array_foreach((json_t *)zip, i, item)
    {
        struct at one = {&here, NULL, i};
        json_t *part = read_axis(item, variables, true, problems, &one);
        if (!part)
            continue;
        size_t count = json_array_size(json_object_get(part, "values"));
        name = arena_printf(&a, "%s%s%s", name, name[0] ? "+" : "", json_text(part, "name", ""));
        if (length && count != length)
            problem(problems, &one, "%zu values, as many as the axis before it", length);
        length = count;
        json_array_append_new(parts, part);
    }
    chosen = axis_name(axis, name, problems, at);
    if (chosen && strlen(chosen) > LONGEST_NAME) {
        problem(problems, at, "a name for these axes, since theirs are long");
        chosen = NULL;
    }
    if (json_array_size(parts) < n)
        chosen = NULL;
out:
    if (chosen)
        result = json_pack("{sssO}", "name", chosen, "zip", parts);
    json_decref(parts);
    arena_release(&a);
    return result;
}

static json_t *read_axis(const json_t *axis, json_t *variables, bool inner,
                         struct spec_problems *problems, const struct at *at)
{
    static const char *const known[] = {"parameter", "variable", "replace", "name", "values", NULL};
    const struct parameter *p = NULL;

    if (!json_is_object(axis)) {
        problem(problems, at, "an object with parameter, variable, replace or zip, and values");
        return NULL;
    }
    if (json_object_get(axis, "zip")) {
        if (!inner)
            return read_zip(axis, variables, problems, at);
        problem(problems, at, "an axis that is no zip itself");
        return NULL;
    }
    problem_members(problems, at, axis, known);
    const char *kind = axis_kind(axis, variables, &p, problems, at);
    if (!kind)
        return NULL;
    bool settings = strcmp(kind, "settings") == 0;
    if (settings && (inner || !json_object_get(axis, "name"))) {
        problem(problems, at, "%s",
                inner ? "a parameter, variable or replace"
                      : "one of parameter, variable, replace, zip, or a name for named settings");
        return NULL;
    }
    const json_t *written = json_object_get(axis, "values");
    const char *name = axis_name(axis, json_text(axis, kind, ""), problems, at);
    json_t *values = values_read(p, settings, written, problems, &(struct at){at, "values", 0});
    if (!name || !values) {
        json_decref(values);
        return NULL;
    }
    add_labels(values);
    json_t *out = json_pack("{ssso}", "name", name, "values", values);
    if (!settings)
        json_object_set(out, kind, json_object_get(axis, kind));
    return out;
}

static void append(struct axes *axes, json_t *axis, const struct at *at)
{
    if (json_array_size(axes->list) < SPEC_MAX_AXES)
        axes->at[json_array_size(axes->list)] = *at;
    json_array_append_new(axes->list, axis);
}

/* An axis of the short forms. */
static void add_short(struct axes *axes, const char *parameter, const json_t *values,
                      struct spec_problems *problems, const struct at *at)
{
    const struct parameter *p = parameter_by_name(parameter);

    if (!p) {
        problem(problems, at, "a parameter of generations, such as steps or cfg_scale");
        return;
    }
    json_t *list = values_read(p, false, values, problems, at);
    if (!list)
        return;
    add_labels(list);
    append(axes, json_pack("{ssssso}", "parameter", parameter, "name", parameter, "values", list),
           at);
}

static void add_shorts(const json_t *document, bool last, struct axes *axes,
                       struct spec_problems *problems)
{
    for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++) {
        const json_t *values = json_object_get(document, shorts[i].member);
        if (values && shorts[i].last == last)
            add_short(axes, shorts[i].parameter, values, problems,
                      &(struct at){&axes->root, shorts[i].member, 0});
    }
}

void axes_read(const json_t *document, struct axes *out, struct spec_problems *problems)
{
    const json_t *parameters = json_object_get(document, "parameters"),
                 *written = json_object_get(document, "axes");
    const char *key;
    json_t *v;
    size_t i;

    *out = (struct axes){.list = json_array(), .variables = json_object()};
    out->parameters_at = (struct at){&out->root, "parameters", 0};
    out->axes_at = (struct at){&out->root, "axes", 0};
    add_shorts(document, false, out, problems);
    if (parameters && !json_is_object(parameters))
        problem(problems, &out->parameters_at, "an object of parameters and their values");
    json_object_foreach((json_t *)parameters, key, v)
    {
        add_short(out, key, v, problems, &(struct at){&out->parameters_at, key, 0});
    }
    if (written && (!json_is_array(written) || json_array_size(written) > SPEC_MAX_AXES)) {
        problem(problems, &out->axes_at, "a list of at most %d axes", SPEC_MAX_AXES);
    } else if (written) {
        json_array_foreach((json_t *)written, i, v)
        {
            struct at here = {&out->axes_at, NULL, i};
            json_t *axis = read_axis(v, out->variables, false, problems, &here);
            if (axis)
                append(out, axis, &here);
        }
    }
    add_shorts(document, true, out, problems);
    if (json_array_size(out->list) > SPEC_MAX_AXES)
        problem(problems, &out->axes_at, "at most %d axes together with the short forms",
                SPEC_MAX_AXES);
}

void axes_release(struct axes *axes)
{
    json_decref(axes->list);
    json_decref(axes->variables);
}
