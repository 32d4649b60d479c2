#include "engine/weights/config_json.h"

#include "base/file.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void config_fail(struct config *c, enum err_code code, const char *format, ...)
{
    char text[512];
    va_list args;

    if (c->rc)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    c->rc = ERR(c->e, code, "'%s': %s", c->path, text);
}

int config_parse(struct str json, const char *path, struct config *out, struct err *e)
{
    json_error_t where;
    json_t *root = json_loadb(json.p ? json.p : "", json.n, 0, &where);

    if (!root)
        return ERR(e, ERR_FORMAT, "'%s' is not valid JSON: line %d: %s", path, where.line,
                   where.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return ERR(e, ERR_FORMAT, "'%s' is not a JSON object", path);
    }
    *out = (struct config){.root = root, .path = path, .e = e};
    return 0;
}

int config_open(struct arena *a, const char *path, struct config *out, struct err *e)
{
    struct str text;
    int rc = file_read(a, path, CONFIG_MAX_BYTES, &text, e);

    return rc ? rc : config_parse(text, path, out, e);
}

/* Values that were read stay alive in a list under a key that no file can hold twice. */
static const char crossed_out[] = "\x01read";

json_t *config_take(struct config *c, const char *key)
{
    json_t *value = json_object_get(c->root, key), *kept = json_object_get(c->root, crossed_out);

    if (!value)
        return NULL;
    if (!kept) {
        kept = json_array();
        json_object_set_new(c->root, crossed_out, kept);
    }
    json_array_append(kept, value);
    json_object_del(c->root, key);
    return value;
}

bool config_is_null(const struct config *c, const char *key)
{
    const json_t *value = json_object_get(c->root, key);
    return !value || json_is_null(value);
}

static int int_of(struct config *c, const char *key, const json_t *value, int fallback, int min,
                  int max)
{
    double number = json_number_value(value);

    if (!json_is_number(value) || number != floor(number)) {
        config_fail(c, ERR_FORMAT, "'%s' must be an integer", key);
    } else if (number < min || number > max) {
        config_fail(c, ERR_UNSUPPORTED, "'%s' is %.15g, outside %d to %d", key, number, min, max);
    } else {
        return (int)number;
    }
    return fallback;
}

int config_int(struct config *c, const char *key, int fallback, int min, int max)
{
    const json_t *value = config_take(c, key);
    return value ? int_of(c, key, value, fallback, min, max) : fallback;
}

double config_real(struct config *c, const char *key, double fallback)
{
    const json_t *value = config_take(c, key);

    if (!value)
        return fallback;
    if (!json_is_number(value)) {
        config_fail(c, ERR_FORMAT, "'%s' must be a number", key);
        return fallback;
    }
    return json_number_value(value);
}

bool config_bool(struct config *c, const char *key, bool fallback)
{
    const json_t *value = config_take(c, key);

    if (!value)
        return fallback;
    if (!json_is_boolean(value)) {
        config_fail(c, ERR_FORMAT, "'%s' must be true or false", key);
        return fallback;
    }
    return json_is_true(value);
}

const char *config_text(struct config *c, struct arena *a, const char *key)
{
    const json_t *value = config_take(c, key);

    if (!value || json_is_null(value))
        return NULL;
    if (!json_is_string(value)) {
        config_fail(c, ERR_FORMAT, "'%s' must be text", key);
        return NULL;
    }
    return arena_strdup(a, json_string_value(value));
}

int config_length(const struct config *c, const char *key)
{
    const json_t *value = json_object_get(c->root, key);

    if (!value || json_is_null(value))
        return 0;
    size_t n = json_array_size(value);
    return !json_is_array(value) ? -1 : n > 1000 ? 1000 : (int)n;
}

void config_ints(struct config *c, const char *key, int fallback, int min, int max, int count,
                 int *out)
{
    const json_t *value = config_take(c, key);

    if (json_is_array(value) && json_array_size(value) != (size_t)count)
        config_fail(c, ERR_FORMAT, "'%s' has %zu entries for %d levels", key,
                    json_array_size(value), count);
    for (int i = 0; i < count; i++) {
        const json_t *one = json_is_array(value) ? json_array_get(value, (size_t)i) : value;
        out[i] = one && !c->rc ? int_of(c, key, one, fallback, min, max) : fallback;
    }
}

static bool same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    return json_equal(a, b);
}

static bool among(const json_t *list, const json_t *value)
{
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        if (same(one, value))
            return true;
    }
    if (!json_is_array(value) || json_array_size(value) == 0)
        return false;
    json_array_foreach(value, i, one)
    {
        if (json_is_array(one) || !among(list, one))
            return false;
    }
    return true;
}

void config_fixed(struct config *c, const struct config_fixed *table, int count)
{
    for (int i = 0; i < count; i++) {
        const json_t *value = config_take(c, table[i].key);
        if (!value)
            continue;
        json_t *allowed = json_loads(table[i].allowed, 0, NULL);
        if (!among(allowed, value)) {
            char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
            config_fail(c, ERR_UNSUPPORTED, "'%s' is %.100s, which this engine does not do",
                        table[i].key, text ? text : "?");
            free(text);
        }
        json_decref(allowed);
    }
}

static bool listed(const char *const *list, const char *key)
{
    for (; *list; list++)
        if (strcmp(*list, key) == 0)
            return true;
    return false;
}

int config_close(struct config *c, const char *const *harmless)
{
    const char *key;
    json_t *value;

    json_object_foreach(c->root, key, value)
    {
        if (key[0] == '_' || strcmp(key, crossed_out) == 0 || json_is_null(value) ||
            listed(harmless, key))
            continue;
        config_fail(c, ERR_UNSUPPORTED,
                    "the field '%.100s' is unknown and might change the picture", key);
    }
    json_decref(c->root);
    c->root = NULL;
    return c->rc;
}
