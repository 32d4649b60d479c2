#include "experiments/normalise.h"

#include "base/json.h"
#include "base/uuid.h"
#include "experiments/condition.h"
#include "experiments/parameters.h"

#include <math.h>
#include <string.h>

enum { LONGEST_TITLE = 200, LONGEST_NOTES = 10000, LONGEST_REASON = 1000 };

/* What the functions below share. */
struct normaliser {
    const json_t *document;
    struct spec_problems *problems;
    struct at root;
    struct axes axes;
    json_t *out;
};

static const char *const members[] = {
    "version", "type",      "name",       "notes",       "base",       "base_generation",
    "prompts", "models",    "samplers",   "steps",       "schedules",  "spacings",
    "seeds",   "axes",      "cfg_scales", "order",       "parameters", "negative_prompts",
    "budget",  "reference", "replicates", "constraints", NULL};

static const json_t *get(const struct normaliser *n, const char *member)
{
    return json_object_get(n->document, member);
}

/* One of a list of words. NULL with the problem noted. */
static const char *word_of(struct normaliser *n, const char *member, const char *const *words,
                           const char *fallback, const char *expected)
{
    const json_t *v = get(n, member);
    const char *text = json_string_value(v);

    if (!v && fallback)
        return fallback;
    for (; text && *words; words++)
        if (strcmp(*words, text) == 0)
            return text;
    problem(n->problems, &(struct at){&n->root, member, 0}, "%s", expected);
    return NULL;
}

static void read_head(struct normaliser *n)
{
    static const char *const types[] = {"convergence", "cfg", "parameter_sweep", NULL};
    static const char *const orders[] = {"coarse", "interleaved", "listed", NULL};
    static const struct {
        const char *member;
        size_t longest;
    } texts[] = {{"name", LONGEST_TITLE}, {"notes", LONGEST_NOTES}};
    const char *type = word_of(n, "type", types, NULL, "convergence, cfg or parameter_sweep");
    const char *order = word_of(n, "order", orders, "coarse", "coarse, interleaved or listed");

    if (!json_is_integer(get(n, "version")) ||
        json_integer_value(get(n, "version")) != SPEC_VERSION)
        problem(n->problems, &(struct at){&n->root, "version", 0}, "%d", SPEC_VERSION);
    json_object_set_new(n->out, "version", json_integer(SPEC_VERSION));
    json_object_set_new(n->out, "type", json_string(type ? type : ""));
    for (size_t i = 0; i < 2; i++) {
        const json_t *v = get(n, texts[i].member);
        const char *text = v ? json_string_value(v) : "";
        if (v && !parameter_text(v, 0, texts[i].longest))
            problem(n->problems, &(struct at){&n->root, texts[i].member, 0},
                    "a text of at most %zu characters", texts[i].longest);
        json_object_set_new(n->out, texts[i].member, json_string(text ? text : ""));
    }
    json_object_set_new(n->out, "order", json_string(order ? order : ""));
}

/* The parameters of another picture that an experiment may take over. */
static void take_over(json_t *base, const json_t *from)
{
    struct spec_problems ignored = {0};
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)from, key, v)
    {
        const struct parameter *p = parameter_by_name(key);
        json_t *value = p ? parameter_value(p, v, &ignored, NULL) : NULL;
        if (value)
            json_object_set_new(base, key, value);
    }
    spec_problems_release(&ignored);
}

/* False: some of the base's parameters are not known here. */
static bool read_base(struct normaliser *n, const struct spec_lookup *lookup)
{
    struct at at = {&n->root, "base", 0}, from = {&n->root, "base_generation", 0};
    const json_t *written = get(n, "base"), *id = get(n, "base_generation");
    json_t *base = json_object(), *found;
    bool known = true;
    struct err e;

    if (id && (!json_is_string(id) ||
               !uuid_valid((struct str){json_string_value(id), json_string_length(id)}))) {
        problem(n->problems, &from, "the identifier of a generation");
    } else if (id) {
        json_object_set(n->out, "base_generation", (json_t *)id);
        known = lookup != NULL;
        found = lookup ? lookup->base(lookup->user, json_string_value(id), &e) : NULL;
        if (lookup && !found)
            problem(n->problems, &from, "a generation that exists: %s", e.message);
        take_over(base, found);
        json_decref(found);
    }
    if (written) {
        json_t *own = parameter_object(written, true, n->problems, &at);
        json_object_update(base, own);
        json_decref(own);
    }
    json_object_set_new(n->out, "base", base);
    return known;
}

static void read_constraint(struct normaliser *n, const json_t *c, const struct at *at)
{
    static const char *const known[] = {"where", "set", "require", "drop", "reason", NULL};
    const json_t *where = json_object_get(c, "where"), *set = json_object_get(c, "set"),
                 *require = json_object_get(c, "require"), *drop = json_object_get(c, "drop"),
                 *reason = json_object_get(c, "reason");
    json_t *out = json_object();

    json_array_append_new(json_object_get(n->out, "constraints"), out);
    if (!json_is_object(c)) {
        problem(n->problems, at, "an object with where, and set, require or drop");
        return;
    }
    problem_members(n->problems, at, c, known);
    if (!!set + !!require + !!drop != 1)
        problem(n->problems, at, "exactly one of set, require, drop");
    if (where) {
        condition_check(where, n->axes.variables, n->problems, &(struct at){at, "where", 0});
        json_object_set(out, "where", (json_t *)where);
    }
    if (set)
        json_object_set_new(out, "set",
                            parameter_object(set, false, n->problems, &(struct at){at, "set", 0}));
    if (require) {
        condition_check(require, n->axes.variables, n->problems, &(struct at){at, "require", 0});
        json_object_set(out, "require", (json_t *)require);
    }
    if (drop) {
        if (!json_is_true(drop))
            problem(n->problems, &(struct at){at, "drop", 0}, "true");
        json_object_set(out, "drop", (json_t *)drop);
    }
    if (!reason)
        return;
    if (set || !parameter_text(reason, 1, LONGEST_REASON))
        problem(n->problems, &(struct at){at, "reason", 0},
                "with require or drop, a text of 1 to %d characters", LONGEST_REASON);
    else
        json_object_set(out, "reason", (json_t *)reason);
}

static void read_constraints(struct normaliser *n)
{
    struct at at = {&n->root, "constraints", 0};
    const json_t *written = get(n, "constraints");
    json_t *c;
    size_t i;

    json_object_set_new(n->out, "constraints", json_array());
    if (!written)
        return;
    if (!json_is_array(written) || json_array_size(written) > SPEC_MAX_CONSTRAINTS) {
        problem(n->problems, &at, "a list of at most %d constraints", SPEC_MAX_CONSTRAINTS);
        return;
    }
    json_array_foreach((json_t *)written, i, c)
    {
        read_constraint(n, c, &(struct at){&at, NULL, i});
    }
}

static void read_budget(struct normaliser *n)
{
    static const char *const known[] = {"seconds", "cells", NULL};
    struct at at = {&n->root, "budget", 0};
    const json_t *written = get(n, "budget"), *seconds = json_object_get(written, "seconds"),
                 *cells = json_object_get(written, "cells");
    json_t *out;

    if (!written || json_is_null(written))
        return;
    out = json_object();
    json_object_set_new(n->out, "budget", out);
    if (!json_is_object(written)) {
        problem(n->problems, &at, "an object with seconds, cells, or both");
        return;
    }
    problem_members(n->problems, &at, written, known);
    if (seconds && (!json_is_number(seconds) || !(json_number_value(seconds) > 0) ||
                    json_number_value(seconds) > 1e9))
        problem(n->problems, &(struct at){&at, "seconds", 0}, "a number above 0, at most 1e9");
    if (cells && (!json_is_integer(cells) || json_integer_value(cells) < 1 ||
                  json_integer_value(cells) > SPEC_MAX_CELLS))
        problem(n->problems, &(struct at){&at, "cells", 0}, "an integer from 1 to %d",
                SPEC_MAX_CELLS);
    if (seconds)
        json_object_set(out, "seconds", (json_t *)seconds);
    if (cells)
        json_object_set(out, "cells", (json_t *)cells);
}

/* A type promises an axis. */
static void check_type(struct normaliser *n)
{
    const char *type = json_text(n->out, "type", ""), *needed = NULL;
    json_t *axis;
    size_t i;

    if (strcmp(type, "convergence") == 0)
        needed = "steps";
    else if (strcmp(type, "cfg") == 0)
        needed = "cfg_scale";
    json_array_foreach(n->axes.list, i, axis)
    {
        for (size_t p = 0; p < axis_parts(axis); p++)
            if (needed && strcmp(json_text(axis_part(axis, p), "parameter", ""), needed) == 0)
                return;
    }
    if (needed)
        problem(n->problems,
                &(struct at){&n->root, strcmp(needed, "steps") ? "cfg_scales" : needed, 0},
                "values of %s: what a %s experiment varies", needed, type);
}

static const json_t *axis_named(const struct normaliser *n, const char *name)
{
    json_t *axis;
    size_t i;

    json_array_foreach(n->axes.list, i, axis)
    {
        if (strcmp(json_text(axis, "name", ""), name) == 0)
            return axis;
    }
    return NULL;
}

/* Only texts too long for labels are without one. */
static const char *label_text(const json_t *point)
{
    return json_text(point, "label", json_text(point, "value", ""));
}

/* The label of the reference on its axis: the largest number, or the last value. */
static const char *default_reference(const json_t *axis)
{
    const json_t *values = json_object_get(axis_part(axis, 0), "values");
    size_t n = json_array_size(values), best = n - 1;
    bool numbers = axis_parts(axis) == 1;

    for (size_t i = 0; i < n; i++)
        numbers &= json_is_number(json_object_get(json_array_get(values, i), "value"));
    for (size_t i = 0; numbers && i < n; i++)
        if (json_num(json_array_get(values, i), "value", 0) >
            json_num(json_array_get(values, best), "value", 0))
            best = i;
    return label_text(json_array_get(values, best));
}

static bool scalar_is(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    return json_equal(a, b);
}

/* The label of the point with this value (or label) on its first part; NULL. */
static const char *label_of(const json_t *axis, const json_t *value)
{
    json_t *point;
    size_t i;

    json_array_foreach(json_object_get(axis_part(axis, 0), "values"), i, point)
    {
        if (scalar_is(json_object_get(point, "value"), value) ||
            scalar_is(json_object_get(point, "label"), value))
            return label_text(point);
    }
    return NULL;
}

static void read_reference(struct normaliser *n)
{
    static const char *const known[] = {"axis", "value", NULL};
    struct at at = {&n->root, "reference", 0};
    const json_t *written = get(n, "reference"), *value = json_object_get(written, "value");
    const char *name = json_text(written, "axis", written ? "" : "steps"), *label;
    const json_t *axis = axis_named(n, name);

    if (json_is_null(written))
        json_object_set_new(n->out, "reference", json_null());
    if (json_is_null(written) || (!written && !axis))
        return;
    if (!json_is_object(written) && written) {
        problem(n->problems, &at, "an object with an axis, or null");
        return;
    }
    problem_members(n->problems, &at, written, known);
    if (!axis) {
        problem(n->problems, &(struct at){&at, "axis", 0}, "the name of an axis");
        return;
    }
    label = value ? label_of(axis, value) : default_reference(axis);
    if (!label)
        problem(n->problems, &(struct at){&at, "value", 0}, "a value of the axis '%.100s'", name);
    else
        json_object_set_new(n->out, "reference", json_pack("{ssss}", "axis", name, "value", label));
}

json_t *spec_normalise(const json_t *document, const struct spec_lookup *lookup,
                       struct spec_problems *problems)
{
    struct normaliser n = {.document = document, .problems = problems, .out = json_object()};
    size_t before = problems->count;

    if (json_is_object(document)) {
        problem_members(problems, &n.root, document, members);
        read_head(&n);
        bool known = read_base(&n, lookup);
        axes_read(document, &n.axes, problems);
        read_constraints(&n);
        size_t seeds = replicates_read(document, &n.axes, n.out, problems);
        read_budget(&n);
        if (problems->count == before) {
            axes_check(&n.axes, json_object_get(n.out, "base"), seeds, known, problems);
            check_type(&n);
            read_reference(&n);
        }
        json_object_set(n.out, "axes", n.axes.list);
        axes_release(&n.axes);
    } else {
        problem(problems, &n.root, "an object");
    }
    if (problems->count > before) {
        json_decref(n.out);
        return NULL;
    }
    return n.out;
}
