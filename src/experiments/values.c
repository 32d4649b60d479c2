#include "experiments/values.h"

#include "base/str.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the functions below share. */
struct reading {
    const struct parameter *p; /* NULL: of a variable or a replacement */
    bool whole;                /* only whole numbers */
    struct spec_problems *problems;
    json_t *out;
};

enum scale { SCALE_STEP, SCALE_LINEAR, SCALE_LOG };
struct range {
    double from, to, step;
    size_t count;
    enum scale scale;
};

double values_tidy(double x, int digits)
{
    char text[40];
    double tidy = x;

    snprintf(text, sizeof text, "%.*g", digits, x);
    (void)str_to_f64(str_from(text), &tidy);
    return tidy;
}

static bool room(struct reading *r, size_t more, const struct at *at)
{
    if (json_array_size(r->out) + more <= SPEC_MAX_VALUES)
        return true;
    problem(r->problems, at, "at most %d values on an axis", SPEC_MAX_VALUES);
    return false;
}

/* Ranges may come to the same whole number twice. */
static bool has(const json_t *list, const json_t *value)
{
    size_t n = json_array_size(list);

    return n && json_equal(json_object_get(json_array_get(list, n - 1), "value"), value);
}

static bool add_number(struct reading *r, double x, const struct at *at)
{
    if (r->whole)
        x = round(x);
    json_t *number = json_real(x);
    json_t *value = parameter_value(r->p, number, r->problems, at);

    json_decref(number);
    if (!value)
        return false;
    if (has(r->out, value))
        json_decref(value);
    else
        json_array_append_new(r->out, json_pack("{so}", "value", value));
    return true;
}

static bool whole(double x)
{
    return x == floor(x) && fabs(x) <= 9007199254740992.0;
}

/* How many values a range has; 0 with a problem noted when it is none. */
static size_t range_count(struct reading *r, struct range *g, const struct at *at)
{
    if (!isfinite(g->from) || !isfinite(g->to)) {
        problem(r->problems, at, "finite ends of a range");
        return 0;
    }
    if (g->scale != SCALE_STEP) {
        if (g->scale == SCALE_LOG && (g->from <= 0 || g->to <= 0)) {
            problem(r->problems, at, "ends above 0 on a logarithmic scale");
            return 0;
        }
        if (g->count < 2 || g->count > SPEC_MAX_VALUES) {
            problem(r->problems, at, "a count from 2 to %d", SPEC_MAX_VALUES);
            return 0;
        }
        return g->count;
    }
    if (r->whole && (!whole(g->from) || !whole(g->to) || !whole(g->step))) {
        problem(r->problems, at, "whole numbers: %s takes no fractions", r->p->name);
        return 0;
    }
    if (g->step == 0 || !isfinite(g->step) || (g->step < 0 && g->to > g->from)) {
        problem(r->problems, at, "a step above 0");
        return 0;
    }
    g->step = g->to < g->from ? -fabs(g->step) : fabs(g->step);
    /* The end counts although 0.1 + 0.1 + 0.1 is not 0.3. */
    double n = floor((g->to - g->from) / g->step * (1 + 1e-12) + 1e-9) + 1;
    if (!(n <= (double)SPEC_MAX_VALUES)) {
        problem(r->problems, at, "a range of at most %d values", SPEC_MAX_VALUES);
        return 0;
    }
    return (size_t)n;
}

static bool add_range(struct reading *r, struct range g, const struct at *at)
{
    size_t n = range_count(r, &g, at);

    if (!n || !room(r, n, at))
        return false;
    for (size_t i = 0; i < n; i++) {
        double t = g.scale == SCALE_STEP ? 0 : (double)i / (double)(n - 1), x;
        if (g.scale == SCALE_STEP)
            x = g.from + (double)i * g.step;
        else if (g.scale == SCALE_LINEAR)
            x = g.from + (g.to - g.from) * t;
        else
            x = g.from * pow(g.to / g.from, t);
        if (g.scale != SCALE_STEP && i > 0 && i + 1 < n)
            x = values_tidy(x, 5);
        else if (i)
            x = i + 1 < n || g.scale == SCALE_STEP ? values_tidy(x, 12) : g.to;
        if (!add_number(r, x, at))
            return false;
    }
    return true;
}

/* {"from", "to", "step"} or {"from", "to", "count", "scale"}. */
static bool read_range(struct reading *r, const json_t *object, const struct at *at)
{
    static const char *const known[] = {"from", "to", "step", "count", "scale", NULL};
    const json_t *from = json_object_get(object, "from"), *to = json_object_get(object, "to"),
                 *step = json_object_get(object, "step"), *count = json_object_get(object, "count"),
                 *scale = json_object_get(object, "scale");
    const char *how = scale ? json_string_value(scale) : "linear";
    bool log_scale = how && strcmp(how, "log") == 0;
    size_t before = r->problems->count;

    problem_members(r->problems, at, object, known);
    if (!json_is_number(from))
        problem(r->problems, &(struct at){at, "from", 0}, "a number");
    if (!json_is_number(to))
        problem(r->problems, &(struct at){at, "to", 0}, "a number");
    if (!step == !count)
        problem(r->problems, at, "either a step or a count");
    if (step && !json_is_number(step))
        problem(r->problems, &(struct at){at, "step", 0}, "a number above 0");
    if (count && (!json_is_integer(count) || json_integer_value(count) < 2 ||
                  json_integer_value(count) > SPEC_MAX_VALUES))
        problem(r->problems, &(struct at){at, "count", 0}, "an integer from 2 to %d",
                SPEC_MAX_VALUES);
    if (!log_scale && (!how || strcmp(how, "linear") != 0))
        problem(r->problems, &(struct at){at, "scale", 0}, "linear or log");
    else if (scale && step)
        problem(r->problems, &(struct at){at, "scale", 0}, "a scale only together with a count");
    if (r->problems->count > before)
        return false;
    return add_range(r,
                     (struct range){json_number_value(from), json_number_value(to),
                                    json_number_value(step), (size_t)json_integer_value(count),
                                    step        ? SCALE_STEP
                                    : log_scale ? SCALE_LOG
                                                : SCALE_LINEAR},
                     at);
}

static struct str trimmed(struct str s)
{
    while (s.n && isspace((unsigned char)s.p[0]))
        s.p++, s.n--;
    while (s.n && isspace((unsigned char)s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Everything before `word` into head; false when the word is not there. */
static bool cut_word(struct str *s, const char *word, struct str *head)
{
    const char *found = s->n ? memmem(s->p, s->n, word, strlen(word)) : NULL;

    if (!found)
        return false;
    *head = trimmed((struct str){s->p, (size_t)(found - s->p)});
    s->n -= (size_t)(found - s->p) + strlen(word);
    s->p = found + strlen(word);
    *s = trimmed(*s);
    return true;
}

/* "20", "10..50", "10..50 by 5", "1..16 in 5", "1..16 in 5 log". */
static bool add_text_item(struct reading *r, struct str s, const struct at *at)
{
    struct range g = {.step = 1};
    struct str from, to;
    int64_t count;
    bool good;

    s = trimmed(s);
    if (!cut_word(&s, "..", &from)) {
        if (str_to_f64(s, &g.from))
            return room(r, 1, at) && add_number(r, g.from, at);
        good = false;
    } else if (cut_word(&s, " by ", &to)) {
        good = str_to_f64(to, &g.to) && str_to_f64(s, &g.step) && g.step > 0;
    } else if (cut_word(&s, " in ", &to)) {
        struct str number = s;
        g.scale = cut_word(&s, " log", &number) && !s.n ? SCALE_LOG : SCALE_LINEAR;
        if (g.scale == SCALE_LINEAR)
            number = s;
        good = str_to_f64(to, &g.to) && str_to_i64(number, &count) && count > 0;
        g.count = good ? (size_t)count : 0;
    } else {
        good = str_to_f64(s, &g.to) && r->whole;
    }
    if (good && from.p)
        good = str_to_f64(from, &g.from);
    if (!good) {
        problem(r->problems, at,
                "numbers or ranges like \"10..50 by 5\" or \"1..16 in 5 log\", with commas between "
                "them");
        return false;
    }
    return add_range(r, g, at);
}

static bool read_text(struct reading *r, struct str text, const struct at *at)
{
    struct str item;
    bool good = true;

    while (good && str_cut(&text, ',', &item)) {
        item = trimmed(item);
        if (parameter_is_numeric(r->p)) {
            good = add_text_item(r, item, at);
            continue;
        }
        json_t *written = json_stringn(item.p ? item.p : "", item.n);
        json_t *value = parameter_value(r->p, written, r->problems, at);
        json_decref(written);
        good = value && room(r, 1, at);
        if (good)
            json_array_append_new(r->out, json_pack("{so}", "value", value));
        else
            json_decref(value);
    }
    return good;
}

/* A scalar, or {"value", "label", "set"}. */
static void read_item(struct reading *r, bool settings, const json_t *item, const struct at *at)
{
    static const char *const known[] = {"value", "label", "set", NULL};
    static const char *const known_settings[] = {"label", "set", NULL};
    json_t *point = json_object(), *value = NULL;
    const json_t *label = json_object_get(item, "label"), *set = json_object_get(item, "set");

    if (settings && !json_is_object(item)) {
        problem(r->problems, at, "an object with label and set");
    } else if (json_is_object(item)) {
        problem_members(r->problems, at, item, settings ? known_settings : known);
        if (!settings && !json_object_get(item, "value"))
            problem(r->problems, at, "an object with a value");
        else if (!settings)
            value = parameter_value(r->p, json_object_get(item, "value"), r->problems,
                                    &(struct at){at, "value", 0});
    } else {
        value = parameter_value(r->p, item, r->problems, at);
    }
    if (value)
        json_object_set_new(point, "value", value);
    if (label) {
        if (!parameter_text(label, 1, VALUES_LABEL))
            problem(r->problems, &(struct at){at, "label", 0}, "a text of 1 to %d characters",
                    VALUES_LABEL);
        else
            json_object_set(point, "label", (json_t *)label);
    } else if (settings && json_is_object(item)) {
        problem(r->problems, at, "a label for these settings");
    }
    if (set)
        json_object_set_new(point, "set",
                            parameter_object(set, false, r->problems, &(struct at){at, "set", 0}));
    else if (settings && json_is_object(item))
        problem(r->problems, at, "settings in set");
    json_array_append_new(r->out, point);
}

json_t *values_read(const struct parameter *p, bool settings, const json_t *written,
                    struct spec_problems *problems, const struct at *at)
{
    bool numeric = parameter_is_numeric(p);
    struct reading r = {p, numeric && p->kind != PARAMETER_NUMBER, problems, json_array()};
    size_t before = problems->count, i;
    bool lists = numeric || (p && p->kind == PARAMETER_NAME);
    json_t *item;

    if (json_is_array(written)) {
        if (room(&r, json_array_size(written), at))
            json_array_foreach((json_t *)written, i, item)
            {
                read_item(&r, settings, item, &(struct at){at, NULL, i});
            }
    } else if (json_is_object(written) && numeric) {
        (void)read_range(&r, written, at);
    } else if (json_is_string(written) && lists) {
        (void)read_text(&r, (struct str){json_string_value(written), json_string_length(written)},
                        at);
    } else {
        problem(problems, at, "a list of values%s",
                numeric ? ", a range {from, to, step or count} or a text such as "
                          "\"10..50 by 5\""
                        : "");
    }
    if (problems->count == before && !json_array_size(r.out))
        problem(problems, at, "at least one value");
    if (problems->count > before) {
        json_decref(r.out);
        return NULL;
    }
    return r.out;
}
