/*
 * mongo_json.h: BSON and JSON, in three ways.
 *
 *   bson_t *query = bson_from_extended(object, &e);        what people write: {"$oid": ...} means
 * one json_t *fields = json_from_bson(document, &problem);    what programs read: plain values
 *   bson_t *result = bson_from_plain(body);                 what is written back: nothing is
 * special
 *
 * Plain values: ObjectId is 24 hex digits, a date RFC 3339, 64-bit integers are integers, a
 * Decimal128 is a text, binary is base64, NaN and infinities are texts. Written back, {"$date":
 * "..."} alone is special. Threads: none shared. Ownership: the caller destroys what is returned.
 */
#ifndef DATASETS_MONGO_JSON_H
#define DATASETS_MONGO_JSON_H

#include "base/arena.h"
#include "base/err.h"

#include <bson/bson.h>
#include <jansson.h>

/* NULL: ERR_ARG. */
bson_t *bson_from_extended(const json_t *object, struct err *e);
/* Never NULL. Members replace those of the same name in `into`, which may be NULL. */
bson_t *bson_from_plain(const json_t *object, bson_t *into);
/* A new reference; NULL: *problem says why (nested too deeply, not UTF-8, a NUL in a text). */
json_t *json_from_bson(const bson_t *document, const char **problem);
/* Canonical extended JSON of one value, without blanks; NULL when it cannot be had. */
char *extended_text(const bson_iter_t *value, struct arena *a);

#endif
