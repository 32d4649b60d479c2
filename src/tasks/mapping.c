#include "tasks/mapping.h"

#include "base/json.h"
#include "experiments/parameters.h"
#include "tasks/template.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PATH_MOST = 400, TEXT_MOST = 1 << 20, SHOWN = 40 };

int mapping_wrong(struct mapping_problem *problem, struct arena *a, const char *field,
                  struct err *e, const char *format, ...)
{
    char text[700];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_clean(text);
    problem->field = arena_strdup(a, field);
    problem->message = arena_strdup(a, text);
    return ERR(e, ERR_ARG, "field '%.100s': %s", field, text);
}

/* ==== paths ==== */

bool mapping_is_path(const char *path)
{
    struct str rest = str_from(path), part;

    if (!rest.n || rest.n > PATH_MOST || path[rest.n - 1] == '.')
        return false;
    while (str_cut(&rest, '.', &part))
        if (!part.n)
            return false;
    return true;
}

static const json_t *step(const json_t *at, struct str part)
{
    int64_t index;

    if (json_is_object(at))
        return json_object_getn(at, part.p, part.n);
    if (json_is_array(at) && str_to_i64(part, &index) && index >= 0)
        return json_array_get(at, (size_t)index);
    return NULL;
}

const json_t *mapping_find(const json_t *record, const char *path)
{
    const json_t *at = json_object_get(record, path);
    struct str rest = str_from(path), part;

    if (!at)
        for (at = record; at && str_cut(&rest, '.', &part);)
            at = step(at, part);
    return json_is_null(at) ? NULL : at;
}

/* ==== scalars ==== */

/* What extended JSON wraps: the text inside {"$oid": "..."} and the like, {"$date": {"$numberLong":
 * "..."}} too; `value` itself for everything else. */
static const json_t *plain(const json_t *value)
{
    static const char *const wrappers[] = {"$oid",          "$numberLong",    "$numberInt",
                                           "$numberDouble", "$numberDecimal", "$date",
                                           "$symbol",       "$uuid"};

    if (json_object_size(value) != 1)
        return value;
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++) {
        const json_t *inside = json_object_get(value, wrappers[i]);
        if (json_is_string(inside) || json_is_number(inside))
            return inside;
        if (inside && json_object_size(inside) == 1)
            return plain(inside);
    }
    return value;
}

static bool is_number_in_disguise(const json_t *value)
{
    return json_is_object(value) && plain(value) != value &&
           (json_object_get(value, "$numberLong") || json_object_get(value, "$numberInt") ||
            json_object_get(value, "$numberDouble") || json_object_get(value, "$numberDecimal"));
}

const char *mapping_scalar(const json_t *value, struct arena *a)
{
    value = plain(value);
    if (json_is_string(value))
        return strlen(json_string_value(value)) == json_string_length(value)
                   ? json_string_value(value)
                   : NULL;
    if (json_is_number(value) || json_is_boolean(value))
        return json_compact(value, a);
    return NULL;
}

static size_t whole_characters(const char *text, size_t most)
{
    struct str s = str_from(text);
    size_t n = 0, one;

    while (s.n && (one = str_character(s)) && n + one <= most) {
        n += one;
        s.p += one;
        s.n -= one;
    }
    return n;
}

const char *mapping_found(const json_t *value, struct arena *a)
{
    const char *text = mapping_scalar(value, a);

    if (!value || json_is_null(value))
        return "nothing";
    if (json_is_array(value))
        return arena_printf(a, "a list of %zu", json_array_size(value));
    if (is_number_in_disguise(value) || json_is_number(value))
        return arena_printf(a, "a number (%.*s)", SHOWN, text ? text : "");
    if (json_is_boolean(value))
        return text;
    if (!text)
        return json_is_object(value) ? "an object" : "a text with a NUL in it";
    size_t shown = whole_characters(text, SHOWN);
    return arena_printf(a, "the text '%.*s%s'", (int)shown, text, text[shown] ? "..." : "");
}

bool mapping_decimal(const char *digits, uint64_t *out)
{
    uint64_t x = 0;

    if (!digits[0] || strnlen(digits, 21) > 20)
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

/* ==== fields ==== */

static void found(const char *name, const json_t *value, struct mapped *out)
{
    *out = (struct mapped){.name = name, .value = value, .text = json_string_value(value)};
}

int mapping_field(const json_t *field, const json_t *record, struct arena *a, struct mapped *out,
                  struct mapping_problem *problem, struct err *e)
{
    const char *path = json_string_value(field);
    const char *template = json_text(field, "template", NULL);
    const json_t *constant = json_object_get(field, "value");
    bool optional = json_flag(field, "optional", false);

    if (constant) {
        found("value", json_is_null(constant) ? NULL : constant, out);
        return 0;
    }
    if (template) {
        *out = (struct mapped){.name = "template"};
        return template_text(template, NULL, record, TEXT_MOST, a, &out->text, problem, e);
    }
    path = path ? path : json_text(field, "field", "");
    found(path, mapping_find(record, path), out);
    if (!out->value && !optional)
        return mapping_wrong(problem, a, path, e, "the record has none");
    return 0;
}

int mapping_get(const json_t *fields, const char *name, const json_t *record, struct arena *a,
                struct mapped *out, struct mapping_problem *problem, struct err *e)
{
    const json_t *field = json_object_get(fields, name);

    if (field)
        return mapping_field(field, record, a, out, problem, e);
    found(name, mapping_find(record, name), out);
    return 0;
}

/* NULL for everything but a text without a NUL in it. */
static const char *text_of(const struct mapped *m)
{
    const json_t *value = plain(m->value);
    const char *text = json_string_value(value);

    if (!m->value)
        return m->text;
    if (!text || is_number_in_disguise(m->value) || strlen(text) != json_string_length(value))
        return NULL;
    return text;
}

int mapping_text(const struct mapped *m, size_t least, size_t most, struct arena *a,
                 const char **out, struct mapping_problem *problem, struct err *e)
{
    const char *text = text_of(m);

    if (!m->value && !m->text) {
        *out = NULL;
        return 0;
    }
    if (!text)
        return mapping_wrong(problem, a, m->name, e, "expected a text, got %s",
                             mapping_found(m->value, a));
    size_t n = strlen(text);
    if (n < least)
        return mapping_wrong(problem, a, m->name, e, "expected a text, got an empty one");
    if (n > most)
        return mapping_wrong(problem, a, m->name, e,
                             "expected a text of at most %zu bytes, got one of %zu", most, n);
    *out = text;
    return 0;
}

int mapping_seed(const struct mapped *m, struct arena *a, bool *given, uint64_t *out,
                 struct mapping_problem *problem, struct err *e)
{
    const json_t *value = plain(m->value);
    const char *text = m->text ? m->text : json_string_value(value);
    uint64_t x = 0;

    *given = false;
    if ((!m->value && !m->text) || (text && !text[0]))
        return 0;
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        x = (uint64_t)json_integer_value(value);
    else if (json_is_real(value) && json_real_value(value) >= 0 &&
             json_real_value(value) <= 9007199254740992.0 &&
             json_real_value(value) == (double)(uint64_t)json_real_value(value))
        x = (uint64_t)json_real_value(value); /* 2^53: as exact as a double is */
    else if (!text || !mapping_decimal(text, &x))
        return mapping_wrong(
            problem, a, m->name, e, "expected a seed, an integer from 0 to 2^64 - 1, got %s",
            m->value ? mapping_found(m->value, a) : arena_printf(a, "'%.*s'", SHOWN, text));
    *given = true;
    *out = x;
    return 0;
}

int mapping_object(const struct mapped *m, struct arena *a, json_t **out,
                   struct mapping_problem *problem, struct err *e)
{
    struct err why;

    if ((!m->value && !m->text) || (m->text && !m->text[0])) {
        *out = NULL;
        return 0;
    }
    if (json_is_object(m->value)) {
        *out = json_incref((json_t *)(uintptr_t)m->value);
        return 0;
    }
    json_t *read = NULL;
    if (m->text && json_read(str_from(m->text), &read, &why) == 0 && json_is_object(read)) {
        *out = read;
        return 0;
    }
    json_decref(read);
    return mapping_wrong(problem, a, m->name, e, "expected an object of parameters, got %s",
                         m->value ? mapping_found(m->value, a) : "a text");
}

/* The number that a text is, or NULL. */
static json_t *number_of(const char *text)
{
    int64_t whole;
    double real;

    if (str_to_i64(str_from(text), &whole))
        return json_integer(whole);
    if (str_to_f64(str_from(text), &real))
        return json_real(real);
    return NULL;
}

int mapping_parameter(const struct mapped *m, const char *parameter, struct arena *a, json_t **out,
                      struct mapping_problem *problem, struct err *e)
{
    const struct parameter *p = parameter_by_name(parameter);
    const char *text = m->text ? m->text : mapping_scalar(m->value, a);

    *out = NULL;
    if ((!m->value && !m->text) || (text && !text[0]))
        return 0;
    if (!text || json_is_boolean(m->value))
        return mapping_wrong(problem, a, m->name, e, "expected a value of '%s', got %s", parameter,
                             mapping_found(m->value, a));
    if (json_is_number(m->value))
        *out = json_incref((json_t *)(uintptr_t)m->value);
    else if (p && p->kind != PARAMETER_SEED && parameter_is_numeric(p))
        *out = number_of(text);
    else
        *out = json_string(text);
    if (!*out)
        return mapping_wrong(problem, a, m->name, e, "expected a number for '%s', got %s",
                             parameter, m->value ? mapping_found(m->value, a) : "a text");
    return 0;
}
