/*
 * config_json.h: reading a config.json so that no field is ever ignored silently.
 *
 *   struct config c;
 *   if (config_open(&arena, "unet/config.json", &c, e)) ...
 *   int width = config_int(&c, "hidden_size", 512, 1, 8192);
 *   config_fixed(&c, fixed, ARRAY_COUNT(fixed));         fields that this engine has one value for
 *   rc = config_close(&c, harmless);                     refuses what nobody has read
 *
 * Errors stick: the first one is kept, later calls return defaults, config_close reports it. A key
 * that was read is crossed out; config_close refuses any other key by name unless it is null,
 * starts with '_' or is in the list of keys that cannot change a picture. Private to weights/.
 */
#ifndef ENGINE_CONFIG_JSON_H
#define ENGINE_CONFIG_JSON_H

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

#define ARRAY_COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

enum { CONFIG_MAX_BYTES = 1 << 20 };

struct config {
    json_t *root;
    const char *path;
    struct err *e;
    int rc;
};

WARN_UNUSED_RESULT int config_open(struct arena *a, const char *path, struct config *out,
                                   struct err *e);
/* The same from text; `path` is for messages and must outlive the config. */
WARN_UNUSED_RESULT int config_parse(struct str json, const char *path, struct config *out,
                                    struct err *e);

/* Values; the default when the key is absent, an error when it has another type or range. */
int config_int(struct config *c, const char *key, int fallback, int min, int max);
double config_real(struct config *c, const char *key, double fallback);
bool config_bool(struct config *c, const char *key, bool fallback);
/* The text in the arena, or NULL for absent and null. */
const char *config_text(struct config *c, struct arena *a, const char *key);
bool config_is_null(const struct config *c, const char *key); /* absent or null */
/* The raw value, crossed out: borrowed until config_close. NULL: absent. */
json_t *config_take(struct config *c, const char *key);
/* A number for each of `count` levels: a list of that length or one number for all. */
void config_ints(struct config *c, const char *key, int fallback, int min, int max, int count,
                 int *out);
/* How many elements a list has; 0 when absent, -1 when it is not a list. */
int config_length(const struct config *c, const char *key);

/* Fields for which this engine does one thing only. `allowed` is a JSON list of the values that
 * mean it, null among them only if null does; a list of values is accepted if each is allowed. */
struct config_fixed {
    const char *key, *allowed;
};
void config_fixed(struct config *c, const struct config_fixed *table, int count);

/* Record an error about a key, unless there is one already. */
void config_fail(struct config *c, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* `harmless`: NULL-terminated keys that cannot change the result. Returns the first error. */
WARN_UNUSED_RESULT int config_close(struct config *c, const char *const *harmless);

#endif
