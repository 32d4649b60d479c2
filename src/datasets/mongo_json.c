#include "datasets/mongo_json.h"

#include "base/clock.h"
#include "base/json.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 100 }; /* MongoDB's own limit */

/* ============================== JSON to BSON ============================== */

bson_t *bson_from_extended(const json_t *object, struct err *e)
{
    bson_error_t error = {0};
    char *text = json_dumps(object, JSON_COMPACT);
    bson_t *out = text ? bson_new_from_json((const uint8_t *)text, -1, &error) : NULL;

    free(text);
    if (!out)
        ERR(e, ERR_ARG, "not MongoDB's extended JSON: %s", error.message);
    return out;
}

static bool is_date(const json_t *value, int64_t *unix_ms)
{
    const char *text = json_string_value(json_object_get(value, "$date"));

    return text && json_object_size(value) == 1 && clock_parse(str_from(text), unix_ms);
}

static void append(bson_t *out, const char *name, size_t n, const json_t *value);

static void append_members(bson_t *out, const json_t *object)
{
    const char *name;
    size_t n;
    json_t *value;

    json_object_keylen_foreach((json_t *)(uintptr_t)object, name, n, value)
    {
        append(out, name, n, value);
    }
}

static void append_list(bson_t *out, const json_t *list)
{
    char digits[16];
    const char *name;

    for (size_t i = 0; i < json_array_size(list); i++) {
        size_t n = bson_uint32_to_string((uint32_t)i, &name, digits, sizeof digits);
        append(out, name, n, json_array_get(list, i));
    }
}

static void append(bson_t *out, const char *name, size_t n, const json_t *value)
{
    int length = (int)n;
    int64_t number, date;
    bson_t child;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        if (is_date(value, &date)) {
            BSON_APPEND_DATE_TIME(out, name, date);
        } else {
            bson_append_document_begin(out, name, length, &child);
            append_members(&child, value);
            bson_append_document_end(out, &child);
        }
        break;
    case JSON_ARRAY:
        bson_append_array_begin(out, name, length, &child);
        append_list(&child, value);
        bson_append_array_end(out, &child);
        break;
    case JSON_STRING:
        bson_append_utf8(out, name, length, json_string_value(value),
                         (int)json_string_length(value));
        break;
    case JSON_INTEGER:
        number = json_integer_value(value);
        if (number >= INT32_MIN && number <= INT32_MAX)
            bson_append_int32(out, name, length, (int32_t)number);
        else
            bson_append_int64(out, name, length, number);
        break;
    case JSON_REAL:
        bson_append_double(out, name, length, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        bson_append_bool(out, name, length, json_is_true(value));
        break;
    case JSON_NULL:
        bson_append_null(out, name, length);
        break;
    }
}

bson_t *bson_from_plain(const json_t *object, bson_t *into)
{
    bson_t *out = into ? into : bson_new();

    append_members(out, object);
    return out;
}

/* ============================== BSON to JSON ============================== */

static json_t *text_value(const char *text, size_t n, const char **problem)
{
    json_t *value = memchr(text, 0, n) ? NULL : json_stringn(text, n);

    if (!value)
        *problem = "it has a text that is not UTF-8, or has a NUL in it";
    return value;
}

static json_t *date_value(int64_t unix_ms)
{
    /* 0000-01-01 to 9999-12-31: what RFC 3339 can write. */
    static const int64_t first = -62167219200000, last = 253402300799999;
    char text[CLOCK_TEXT];

    if (unix_ms < first || unix_ms > last)
        return json_sprintf("%lld", (long long)unix_ms);
    clock_format(unix_ms, text);
    return json_string(text);
}

static json_t *real_value(double v)
{
    if (isfinite(v))
        return json_real(v);
    return json_string(isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
}

static json_t *binary_value(const bson_iter_t *i, const char **problem)
{
    const uint8_t *bytes = NULL;
    uint32_t n = 0;
    bson_subtype_t kind;

    bson_iter_binary(i, &kind, &n, &bytes);
    char *text = malloc(4 * ((size_t)n + 2) / 3 + 2);
    json_t *value = NULL;
    if (text && EVP_EncodeBlock((unsigned char *)text, bytes, (int)n) >= 0)
        value = json_string(text);
    if (!value)
        *problem = "no memory for a binary value";
    free(text);
    return value;
}

static json_t *object_value(bson_iter_t *i, int depth, const char **problem);
static json_t *list_value(bson_iter_t *i, int depth, const char **problem);

static json_t *nested_value(const bson_iter_t *i, int depth, const char **problem)
{
    bson_iter_t child;

    if (depth >= DEPTH_MOST || !bson_iter_recurse(i, &child)) {
        *problem = "it is nested too deeply, or broken";
        return NULL;
    }
    return BSON_ITER_HOLDS_ARRAY(i) ? list_value(&child, depth + 1, problem)
                                    : object_value(&child, depth + 1, problem);
}

static json_t *decimal_value(const bson_iter_t *i)
{
    bson_decimal128_t decimal;
    char text[BSON_DECIMAL128_STRING];

    bson_iter_decimal128(i, &decimal);
    bson_decimal128_to_string(&decimal, text);
    return json_string(text);
}

static json_t *oid_value(const bson_oid_t *oid)
{
    char text[25];

    bson_oid_to_string(oid, text);
    return json_string(text);
}

/* Canonical extended JSON of any value, read by jansson. */
static json_t *extended_value(const bson_iter_t *i)
{
    bson_t document = BSON_INITIALIZER;
    json_t *root = NULL, *value = NULL;

    char *text = bson_append_iter(&document, "v", 1, i)
                     ? bson_as_canonical_extended_json(&document, NULL)
                     : NULL;
    if (text && (root = json_loads(text, 0, NULL)))
        value = json_incref(json_object_get(root, "v"));
    json_decref(root);
    bson_free(text);
    bson_destroy(&document);
    return value;
}

static json_t *plain_value(const bson_iter_t *i, int depth, const char **problem)
{
    uint32_t n = 0, ignored;
    const char *text, *options;

    switch (bson_iter_type(i)) {
    case BSON_TYPE_DOUBLE:
        return real_value(bson_iter_double(i));
    case BSON_TYPE_UTF8:
        text = bson_iter_utf8(i, &n);
        return text_value(text, n, problem);
    case BSON_TYPE_SYMBOL:
        text = bson_iter_symbol(i, &n);
        return text_value(text, n, problem);
    case BSON_TYPE_CODE:
        text = bson_iter_code(i, &n);
        return text_value(text, n, problem);
    case BSON_TYPE_REGEX:
        text = bson_iter_regex(i, &options);
        return json_sprintf("/%s/%s", text, options);
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY:
        return nested_value(i, depth, problem);
    case BSON_TYPE_BINARY:
        return binary_value(i, problem);
    case BSON_TYPE_OID:
        return oid_value(bson_iter_oid(i));
    case BSON_TYPE_BOOL:
        return json_boolean(bson_iter_bool(i));
    case BSON_TYPE_DATE_TIME:
        return date_value(bson_iter_date_time(i));
    case BSON_TYPE_TIMESTAMP:
        bson_iter_timestamp(i, &n, &ignored);
        return date_value((int64_t)n * 1000);
    case BSON_TYPE_INT32:
        return json_integer(bson_iter_int32(i));
    case BSON_TYPE_INT64:
        return json_integer(bson_iter_int64(i));
    case BSON_TYPE_DECIMAL128:
        return decimal_value(i);
    case BSON_TYPE_NULL:
    case BSON_TYPE_UNDEFINED:
        return json_null();
    default: /* MinKey, MaxKey, pointers: nothing that a picture could be made of */
        return extended_value(i);
    }
}

static json_t *object_value(bson_iter_t *i, int depth, const char **problem)
{
    json_t *out = json_object();

    while (bson_iter_next(i)) {
        json_t *value = plain_value(i, depth, problem);
        if (!value || json_object_set_new(out, bson_iter_key(i), value)) {
            if (!*problem)
                *problem = "it has a name or value that is not UTF-8";
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static json_t *list_value(bson_iter_t *i, int depth, const char **problem)
{
    json_t *out = json_array();

    while (bson_iter_next(i)) {
        json_t *value = plain_value(i, depth, problem);
        if (!value || json_array_append_new(out, value)) {
            if (!*problem)
                *problem = "it has a value that is not UTF-8";
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

json_t *json_from_bson(const bson_t *document, const char **problem)
{
    bson_iter_t i;

    *problem = NULL;
    if (!bson_iter_init(&i, document)) {
        *problem = "it is broken";
        return NULL;
    }
    return object_value(&i, 1, problem);
}

char *extended_text(const bson_iter_t *value, struct arena *a)
{
    json_t *v = extended_value(value);
    char *out = v ? json_compact(v, a) : NULL;

    json_decref(v);
    return out;
}
