/*
 * json.h: small helps over jansson.
 *
 *   json_t *root;
 *   if (json_read(text, &root, &e)) ...
 *   const char *name = json_text(root, "name", "none");
 *   json_decref(root);
 *
 * Threads: as jansson's: a value belongs to one thread at a time.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* One JSON value and nothing else; duplicate keys are refused. ERR_FORMAT with line and column. The
 * caller owns *out. */
WARN_UNUSED_RESULT int json_read(struct str text, json_t **out, struct err *e);

/* The canonical text: keys in byte order, no blanks, numbers in their shortest exact form; -0 is 0
 * and a real without a fraction is written as an integer, so that 7 and 7.0 are the same. Equal
 * values have equal texts. */
char *json_canonical(const json_t *value, struct arena *a);
/* Keys in order of insertion, no blanks, reals in the shortest form that reads back as the same. */
char *json_compact(const json_t *value, struct arena *a);
/* The same into a buffer; ERR_NOMEM when it does not fit. */
WARN_UNUSED_RESULT int json_write(const json_t *value, struct buf *out);

/* Pieces of a text that is written by hand, where building a tree first takes too long: a string
 * with its quotation marks (NULL: null), a number (not finite: null). The string is UTF-8. */
WARN_UNUSED_RESULT int json_write_text(const char *text, struct buf *out);
WARN_UNUSED_RESULT int json_write_real(double value, struct buf *out);

/* A member of an object, or the default when it is absent, null, or of another type. */
const char *json_text(const json_t *object, const char *key, const char *fallback);
int64_t json_int(const json_t *object, const char *key, int64_t fallback);
double json_num(const json_t *object, const char *key, double fallback);
bool json_flag(const json_t *object, const char *key, bool fallback);

/* A string, or null for NULL: a new reference. */
json_t *json_text_or_null(const char *text);
/* RFC 3339, or null for 0: a new reference. */
json_t *json_time_or_null(int64_t unix_ms);

#endif
