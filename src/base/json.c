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

/* ============================== Writing ============================== */

enum { JSON_BYTES = 1 << 30 };

/* The shortest decimal that reads back as the same number, in the C locale's form. */
static int write_real(struct buf *b, double v)
{
    char text[32];
    char *comma;

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if ((comma = strchr(text, ',')))
            *comma = '.';
        if (strtod(text, NULL) == v)
            break;
    }
    /* A real stays one: readers with integers would see another type. */
    return buf_addf(b, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

/* Texts are UTF-8 already: jansson takes no others. */
static int write_text(struct buf *b, const char *text, size_t n)
{
    static const char plain[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
    size_t from = 0;
    int rc = buf_add(b, "\"", 1);

    for (size_t i = 0; i < n && rc == 0; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        const char *known = c ? strchr(plain, c) : NULL;
        if (i > from)
            rc = buf_add(b, text + from, i - from);
        from = i + 1;
        if (rc == 0)
            rc = known ? buf_addf(b, "\\%c", letters[known - plain]) : buf_addf(b, "\\u%04x", c);
    }
    if (rc == 0 && n > from)
        rc = buf_add(b, text + from, n - from);
    return rc ? rc : buf_add(b, "\"", 1);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int write_value(struct buf *b, const json_t *value, bool sorted);

static int write_object(struct buf *b, const json_t *object, bool sorted)
{
    size_t count = json_object_size(object), i = 0;
    const char **keys = malloc(sizeof *keys * (count ? count : 1)), *key;
    json_t *item;
    int rc = buf_add(b, "{", 1);

    if (!keys)
        return ERR_NOMEM;
    json_object_foreach((json_t *)object, key, item)
    {
        keys[i++] = key;
    }
    if (sorted)
        qsort(keys, count, sizeof *keys, compare_keys);
    for (i = 0; i < count && rc == 0; i++) {
        if (i)
            rc = buf_add(b, ",", 1);
        if (rc == 0)
            rc = write_text(b, keys[i], strlen(keys[i]));
        if (rc == 0)
            rc = buf_add(b, ":", 1);
        if (rc == 0)
            rc = write_value(b, json_object_get(object, keys[i]), sorted);
    }
    free(keys);
    return rc ? rc : buf_add(b, "}", 1);
}

static int write_array(struct buf *b, const json_t *array, bool sorted)
{
    int rc = buf_add(b, "[", 1);

    for (size_t i = 0; i < json_array_size(array) && rc == 0; i++) {
        if (i)
            rc = buf_add(b, ",", 1);
        if (rc == 0)
            rc = write_value(b, json_array_get(array, i), sorted);
    }
    return rc ? rc : buf_add(b, "]", 1);
}

static int write_value(struct buf *b, const json_t *value, bool sorted)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return write_object(b, value, sorted);
    case JSON_ARRAY:
        return write_array(b, value, sorted);
    case JSON_STRING:
        return write_text(b, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return buf_addf(b, "%lld", (long long)json_integer_value(value));
    case JSON_REAL:
        return write_real(b, json_real_value(value));
    case JSON_TRUE:
        return buf_add(b, "true", 4);
    case JSON_FALSE:
        return buf_add(b, "false", 5);
    case JSON_NULL:
        return buf_add(b, "null", 4);
    }
    return ERR_ARG;
}

int json_write(const json_t *value, struct buf *out)
{
    return write_value(out, value, false);
}

int json_write_text(const char *text, struct buf *out)
{
    return text ? write_text(out, text, strlen(text)) : buf_add(out, "null", 4);
}

int json_write_real(double value, struct buf *out)
{
    return isfinite(value) ? write_real(out, value) : buf_add(out, "null", 4);
}

static char *dump(const json_t *value, bool sorted, struct arena *a)
{
    struct buf b;

    buf_init(&b, JSON_BYTES);
    if (write_value(&b, value, sorted))
        abort(); /* memory ended: these values were small enough to be built */
    char *copy = arena_str(a, (struct str){b.p, b.n});
    buf_release(&b);
    return copy;
}

char *json_compact(const json_t *value, struct arena *a)
{
    return dump(value, false, a);
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
        for (i = 0; i < json_array_size(value); i++)
            json_array_append_new(copy, normal(json_array_get(value, i)));
        return copy;
    case JSON_OBJECT:
        copy = json_object();
        json_object_foreach((json_t *)value, key, item)
        {
            json_object_set_new(copy, key, normal(item));
        }
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
    char *text = dump(copy, true, a);

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
