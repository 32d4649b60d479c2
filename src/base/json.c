#include "base/json.h"

#include "base/buf.h"
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int json_read(struct str text, json_t **out, struct err *e)
{
    json_error_t error;
    json_t *root = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        return ERR(e, ERR_FORMAT, "not JSON: %s (line %d, column %d)", error.text, error.line,
                   error.column);
    *out = root;
    return 0;
}

static char *dump(const json_t *value, size_t flags, struct arena *a)
{
    char *text =
        json_dumps(value, flags | JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));

    if (!text)
        abort(); /* jansson refuses only what it did not make: cycles, and no memory */
    char *copy = arena_strdup(a, text);
    free(text);
    return copy;
}

char *json_compact(const json_t *value, struct arena *a)
{
    return dump(value, 0, a);
}

/* A copy in which every real that is a whole number is an integer. */
static json_t *normal(const json_t *value)
{
    const char *key;
    json_t *item, *copy;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_REAL: {
        double v = json_real_value(value);
        return fabs(v) < 9007199254740992.0 && v == floor(v) ? json_integer((json_int_t)v)
                                                             : json_real(v);
    }
    case JSON_ARRAY:
        copy = json_array();
        json_array_foreach(value, i, item) json_array_append_new(copy, normal(item));
        return copy;
    case JSON_OBJECT:
        copy = json_object();
        json_object_foreach((json_t *)value, key, item)
            json_object_set_new(copy, key, normal(item));
        return copy;
    case JSON_STRING:
    case JSON_INTEGER:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        return json_incref((json_t *)value);
    }
    return NULL;
}

char *json_canonical(const json_t *value, struct arena *a)
{
    json_t *copy = normal(value);
    char *text = dump(copy, JSON_SORT_KEYS, a);

    json_decref(copy);
    return text;
}

const char *json_text(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : fallback;
}

int64_t json_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *v = json_object_get(object, key);

    return json_is_integer(v) ? json_integer_value(v) : fallback;
}

double json_num(const json_t *object, const char *key, double fallback)
{
    const json_t *v = json_object_get(object, key);

    return json_is_number(v) ? json_number_value(v) : fallback;
}

bool json_flag(const json_t *object, const char *key, bool fallback)
{
    const json_t *v = json_object_get(object, key);

    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

json_t *json_text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

json_t *json_time_or_null(int64_t unix_ms)
{
    char text[CLOCK_TEXT];

    if (!unix_ms)
        return json_null();
    clock_format(unix_ms, text);
    return json_string(text);
}
