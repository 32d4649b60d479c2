/*
 * schema.h: what a JSON value must look like: tables generated from api/openapi.yaml, and the one
 * function that walks them.
 *
 *   struct schema_problem *problems;
 *   size_t count;
 *   if (schema_check(&schema_generate_request, body, &arena, &problems, &count) == 0) ...
 *
 * All problems of a value are found at once. Defaults are filled in, so that handlers find them.
 * Threads: pure; the value belongs to the caller. Ownership: problems live in the arena.
 */
#ifndef SERVER_SCHEMA_H
#define SERVER_SCHEMA_H

#include "base/arena.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_type {
    SCHEMA_ANY = 0,
    SCHEMA_OBJECT = 1,
    SCHEMA_ARRAY = 2,
    SCHEMA_STRING = 4,
    SCHEMA_INTEGER = 8,
    SCHEMA_NUMBER = 16,
    SCHEMA_BOOLEAN = 32,
    SCHEMA_NULL = 64,
};

struct schema_member {
    const char *name;
    const struct schema *schema;
    bool required;
};

struct schema {
    unsigned types; /* bits of schema_type; 0: any */
    /* objects */
    const struct schema_member *members;
    size_t member_count;
    const struct schema *others; /* of members not listed; NULL: they are errors */
    size_t max_members;          /* 0: no limit */
    /* arrays */
    const struct schema *items;
    size_t min_items, max_items; /* max 0: no limit */
    /* strings; lengths in code points */
    size_t min_length, max_length; /* max 0: no limit */
    const char *format;            /* "uuid", "date-time", "uri", "sha256", "base64"; NULL: none */
    const char *const *choices;    /* NULL-ended; NULL: any */
    /* numbers */
    double minimum, maximum; /* both 0: none */
    bool exclusive_minimum;
    double multiple_of;              /* 0: none */
    const struct schema *const *any; /* NULL-ended alternatives (oneOf, anyOf); NULL: none */
    const char *initial;             /* the default as JSON text; NULL: none */
};

struct schema_problem {
    const char *pointer;  /* RFC 6901, "" for the whole value */
    const char *expected; /* "an integer from 1 to 1000" */
};

/* 0, or -1 with the problems (at most 100 of them). `value` is changed: defaults are added. */
int schema_check(const struct schema *s, json_t *value, struct arena *a,
                 struct schema_problem **problems, size_t *count);

/* Query and form parameters come as texts: make the JSON type that the schema wants of one; a
 * text that does not fit stays a string, for schema_check to complain about. A new reference. */
json_t *schema_convert(const struct schema *s, const char *text);

#endif
