#include "server/schema.h"

#include "server/schema_format.h"
#include "server/schema_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the walk is: a list on the stack, made into text only when there is a problem. */
struct place {
    const struct place *up; /* NULL: the whole value */
    const char *key;        /* NULL: `index` */
    size_t index;
};

struct walk {
    struct arena *arena;
    struct schema_problem *problems; /* SCHEMA_MAX_PROBLEMS, made for the first one */
    size_t count;
    int depth;
    bool fill; /* defaults */
};

static void check(struct walk *w, const struct schema *s, json_t *value, const struct place *at);

/* ==== problems ==== */

enum { KEY_SHOWN = 100 };

/* RFC 6901: ~ and / of keys are escaped. */
static char *put_key(char *out, const char *key)
{
    size_t n = 0;

    for (; n < KEY_SHOWN && key[n]; n++) {
        if (key[n] == '~' || key[n] == '/') {
            *out++ = '~';
            *out++ = key[n] == '~' ? '0' : '1';
        } else {
            *out++ = key[n];
        }
    }
    if (key[n]) {
        while ((out[-1] & 0xc0) == 0x80) /* not in the middle of a character */
            out--;
        if (out[-1] & 0x80)
            out--;
        for (int i = 0; i < 3; i++)
            *out++ = '.';
    }
    return out;
}

static const char *pointer_to(const struct place *at, struct arena *a)
{
    const struct place *chain[SCHEMA_MAX_DEPTH + 2];
    char text[KEY_SHOWN * 2 + 32];
    const char *pointer = "";
    size_t n = 0;

    for (; at; at = at->up)
        chain[n++] = at;
    while (n-- > 0) {
        char *end = text;
        *end++ = '/';
        if (chain[n]->key)
            *put_key(end, chain[n]->key) = 0;
        else
            snprintf(end, sizeof text - 1, "%zu", chain[n]->index);
        pointer = arena_printf(a, "%s%s", pointer, text);
    }
    return pointer;
}

static bool full(const struct walk *w)
{
    return w->count == SCHEMA_MAX_PROBLEMS;
}

static void keep(struct walk *w, struct schema_problem p)
{
    if (full(w))
        return;
    if (!w->problems)
        w->problems = arena_alloc(w->arena, SCHEMA_MAX_PROBLEMS * sizeof *w->problems);
    w->problems[w->count++] = p;
}

static void problem(struct walk *w, const struct place *at, const char *expected)
{
    keep(w, (struct schema_problem){pointer_to(at, w->arena), expected});
}

static void problem_words(struct walk *w, const struct schema *s, const struct place *at)
{
    if (!full(w))
        problem(w, at, schema_words(s, w->arena));
}

/* ==== types ==== */

static bool is_whole(const json_t *value)
{
    double x = json_real_value(value);

    return json_is_real(value) && floor(x) == x && fabs(x) <= 9007199254740992.0;
}

static unsigned type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return SCHEMA_OBJECT;
    case JSON_ARRAY:
        return SCHEMA_ARRAY;
    case JSON_STRING:
        return SCHEMA_STRING;
    case JSON_INTEGER:
        return SCHEMA_INTEGER | SCHEMA_NUMBER;
    case JSON_REAL:
        return is_whole(value) ? SCHEMA_INTEGER | SCHEMA_NUMBER : SCHEMA_NUMBER;
    case JSON_NULL:
        return SCHEMA_NULL;
    default:
        return SCHEMA_BOOLEAN;
    }
}

/* The types that a schema takes, with those of its alternatives. */
static unsigned taken(const struct schema *s, int depth)
{
    unsigned types = 0;

    if (!s->any)
        return s->types ? s->types : ~0U;
    for (size_t i = 0; s->any[i] && depth < SCHEMA_MAX_DEPTH; i++)
        types |= taken(s->any[i], depth + 1);
    return types;
}

/* A whole number written as 20.0, where an integer is wanted: the integer, a new reference. */
static json_t *settled(const struct schema *s, const json_t *value)
{
    unsigned types = json_is_real(value) ? taken(s, 0) : 0;

    if (!(types & SCHEMA_INTEGER) || !is_whole(value))
        return NULL;
    return json_integer((json_int_t)json_real_value(value));
}

/* ==== scalars ==== */

static size_t code_points(const json_t *text)
{
    const char *p = json_string_value(text);
    size_t n = json_string_length(text), count = 0;

    for (size_t i = 0; i < n; i++)
        count += (p[i] & 0xc0) != 0x80;
    return count;
}

static bool is_choice(const struct schema *s, const json_t *value)
{
    char digits[32];
    const char *text = json_is_true(value) ? "true" : "false";

    if (json_is_null(value))
        return true;
    if (json_is_string(value))
        text = json_string_value(value);
    if (json_is_number(value)) {
        if (!(type_of(value) & SCHEMA_INTEGER))
            return false;
        snprintf(digits, sizeof digits, "%.0f", json_number_value(value));
        text = digits;
    }
    for (size_t i = 0; s->choices[i]; i++)
        if (strcmp(s->choices[i], text) == 0)
            return true;
    return false;
}

static void lower_case(json_t *text)
{
    char uuid[37] = {0};

    memcpy(uuid, json_string_value(text), 36);
    for (int i = 0; i < 36; i++)
        if (uuid[i] >= 'A' && uuid[i] <= 'F')
            uuid[i] = (char)(uuid[i] - 'A' + 'a');
    json_string_setn_nocheck(text, uuid, 36);
}

static bool string_fits(const struct schema *s, json_t *value)
{
    struct str text = {json_string_value(value), json_string_length(value)};
    const struct schema_format *format = schema_format(s->format);

    if (s->min_length || s->max_length) {
        size_t length = code_points(value);
        if (length < s->min_length || (s->max_length && length > s->max_length))
            return false;
    }
    if (format && !format->fits(text))
        return false;
    if (format && strcmp(format->name, "uuid") == 0)
        lower_case(value);
    return true;
}

static bool number_fits(const struct schema *s, const json_t *value)
{
    double x = json_number_value(value);

    if (s->multiple_of > 0 && fmod(x, s->multiple_of) != 0)
        return false;
    if (s->minimum == 0 && s->maximum == 0 && !s->exclusive_minimum)
        return true;
    if (s->exclusive_minimum && s->maximum == 0 && s->minimum == 0)
        return x > 0;
    return (s->exclusive_minimum ? x > s->minimum : x >= s->minimum) && x <= s->maximum;
}

static void check_scalar(struct walk *w, const struct schema *s, json_t *value,
                         const struct place *at)
{
    if (s->choices && !is_choice(s, value)) {
        if (!full(w))
            problem(w, at, words_choice(s, json_string_value(value), w->arena));
        return;
    }
    if (json_is_string(value) ? !string_fits(s, value)
                              : json_is_number(value) && !number_fits(s, value))
        problem_words(w, s, at);
}

/* ==== lists ==== */

static void check_unique(struct walk *w, const json_t *list, const struct place *at)
{
    for (size_t i = 1; i < json_array_size(list) && !full(w); i++)
        for (size_t j = 0; j < i; j++) {
            if (!json_equal(json_array_get(list, i), json_array_get(list, j)))
                continue;
            struct place here = {at, NULL, i};
            problem(w, &here, arena_printf(w->arena, "no item twice; this is item %zu again", j));
            break;
        }
}

static void check_array(struct walk *w, const struct schema *s, json_t *list,
                        const struct place *at)
{
    size_t n = json_array_size(list);

    if (n < s->min_items || (s->max_items && n > s->max_items)) {
        problem_words(w, s, at);
        return;
    }
    if (s->unique_items)
        check_unique(w, list, at);
    for (size_t i = 0; s->items && i < n && !full(w); i++) {
        struct place here = {at, NULL, i};
        json_t *whole = settled(s->items, json_array_get(list, i));
        if (whole)
            json_array_set_new(list, i, whole);
        check(w, s->items, json_array_get(list, i), &here);
    }
}

/* ==== objects ==== */

static const struct schema_member *find_member(const struct schema *s, const char *name)
{
    for (size_t i = 0; i < s->member_count; i++)
        if (strcmp(s->members[i].name, name) == 0)
            return &s->members[i];
    return NULL;
}

static void add_missing(struct walk *w, const struct schema *s, json_t *object,
                        const struct place *at)
{
    for (size_t i = 0; i < s->member_count && !full(w); i++) {
        const struct schema_member *m = &s->members[i];
        struct place here = {at, m->name, 0};
        if (json_object_get(object, m->name))
            continue;
        if (m->required)
            problem(w, &here,
                    arena_printf(w->arena, "required: %s", schema_words(m->schema, w->arena)));
        else if (m->schema->initial && w->fill)
            json_object_set_new(object, m->name,
                                json_loads(m->schema->initial, JSON_DECODE_ANY, NULL));
    }
}

static bool takes_anything(const struct schema *s)
{
    return s && !s->types && !s->any && !s->choices;
}

/* A value of any type needs no look at its insides. */
static void check_object(struct walk *w, const struct schema *s, json_t *object,
                         const struct place *at)
{
    size_t n = json_object_size(object);

    if (n < s->min_members || (s->max_members && n > s->max_members)) {
        problem_words(w, s, at);
        return;
    }
    for (void *i = json_object_iter(object); i && !full(w); i = json_object_iter_next(object, i)) {
        const char *key = json_object_iter_key(i);
        const struct schema_member *m = find_member(s, key);
        const struct schema *inner = m ? m->schema : s->others;
        struct place here = {at, key, 0};
        if (!inner) {
            problem(w, &here, words_unknown(s, key, w->arena));
            continue;
        }
        if (takes_anything(inner))
            continue;
        json_t *whole = settled(inner, json_object_iter_value(i));
        if (whole)
            json_object_iter_set_new(object, i, whole);
        check(w, inner, json_object_iter_value(i), &here);
    }
    add_missing(w, s, object, at);
}

/* ==== alternatives ==== */

/* The problems of the alternative that fits best; none when one fits. */
static void try_all(struct walk *w, const struct schema *s, json_t *value, const struct place *at)
{
    struct walk best = {0};
    bool first = true;

    for (size_t i = 0; s->any[i] && (first || best.count); i++) {
        struct walk trial = {.arena = w->arena, .depth = w->depth};
        if (!(taken(s->any[i], 0) & type_of(value)))
            continue;
        check(&trial, s->any[i], value, at);
        if (first || trial.count < best.count)
            best = trial;
        first = false;
    }
    for (size_t i = 0; best.problems && i < best.count; i++)
        keep(w, best.problems[i]);
}

static void check_any(struct walk *w, const struct schema *s, json_t *value, const struct place *at)
{
    const struct schema *only = NULL;
    int candidates = 0;
    bool fill = w->fill;

    for (size_t i = 0; s->any[i]; i++)
        if (taken(s->any[i], 0) & type_of(value)) {
            only = s->any[i];
            candidates++;
        }
    w->fill = false;
    if (candidates == 0)
        problem_words(w, s, at);
    else if (candidates == 1)
        check(w, only, value, at);
    else
        try_all(w, s, value, at);
    w->fill = fill;
}

static void check(struct walk *w, const struct schema *s, json_t *value, const struct place *at)
{
    if (full(w))
        return;
    if (w->depth == SCHEMA_MAX_DEPTH) {
        problem(w, at, arena_printf(w->arena, "at most %d levels", SCHEMA_MAX_DEPTH));
        return;
    }
    w->depth++;
    if (s->any)
        check_any(w, s, value, at);
    else if (s->types && !(s->types & type_of(value)))
        problem_words(w, s, at);
    else if (json_is_object(value) && s->types)
        check_object(w, s, value, at);
    else if (json_is_array(value))
        check_array(w, s, value, at);
    else
        check_scalar(w, s, value, at);
    w->depth--;
}

int schema_check(const struct schema *s, json_t *value, struct arena *a,
                 struct schema_problem **problems, size_t *count)
{
    struct walk w = {.arena = a, .fill = true};

    check(&w, s, value, NULL);
    if (!w.count)
        return 0;
    *problems = w.problems;
    *count = w.count;
    return -1;
}

/* ==== texts ==== */

static json_t *convert_as(unsigned types, const char *text)
{
    int64_t integer;
    double number;

    if (types & (SCHEMA_INTEGER | SCHEMA_NUMBER) && str_to_i64(str_from(text), &integer))
        return json_integer(integer);
    if (types & SCHEMA_NUMBER && str_to_f64(str_from(text), &number))
        return json_real(number);
    if (types & SCHEMA_BOOLEAN && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        return json_boolean(text[0] == 't');
    if (types & SCHEMA_NULL && strcmp(text, "null") == 0)
        return json_null();
    return NULL;
}

json_t *schema_convert(const struct schema *s, const char *text)
{
    unsigned types = taken(s, 0);
    json_t *value = NULL;

    if (!s->any && s->types & SCHEMA_ARRAY) {
        value = json_array();
        json_array_append_new(value, s->items ? schema_convert(s->items, text) : json_string(text));
        return value;
    }
    if (types != ~0U)
        value = convert_as(types, text);
    if (!value)
        value = json_string(text);
    return value ? value : json_null(); /* the text is no UTF-8 */
}
