/*
 * schema.h: what a JSON value must look like: tables generated from api/openapi.yaml, and the one
 * function that walks them.
 *
 *   struct schema_problem *problems;
 *   size_t count;
 *   if (schema_check(&schema_generate_request, body, &arena, &problems, &count) == 0) ...
 *
 * All problems of a value are found at once, each with its place and what was expected there, in
 * words for people. JSON Schema 2020-12 is the meaning of every field, as far as it is here.
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
    SCHEMA_INTEGER = 8, /* 20.0 is one, and becomes 20 */
    SCHEMA_NUMBER = 16,
    SCHEMA_BOOLEAN = 32,
    SCHEMA_NULL = 64,
};

enum { SCHEMA_MAX_PROBLEMS = 100, SCHEMA_MAX_DEPTH = 64 };

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
    const struct schema *others;     /* of members not listed; NULL: they are errors */
    size_t min_members, max_members; /* max 0: no limit */
    /* arrays */
    const struct schema *items;  /* NULL: any */
    size_t min_items, max_items; /* max 0: no limit */
    bool unique_items;           /* found by comparing all pairs: for short lists */
    /* strings; lengths in code points */
    size_t min_length, max_length; /* max 0: no limit */
    const char *format; /* "uuid" (becomes lower case), "date-time", "uri", "sha256", "base64",
                           "seed" (decimal, below 2^64); NULL: none */
    /* NULL-ended; NULL: any. Strings as they are, integers and booleans as JSON text; all of one
     * type, beside null. */
    const char *const *choices;
    /* numbers */
    double minimum, maximum; /* both 0: none; infinite: none on that side */
    bool exclusive_minimum;
    double multiple_of; /* of integers; 0: none */
    /* NULL-ended alternatives (oneOf, anyOf); NULL: none, else nothing above counts. Those that
     * take the value's type are tried, and the one with the fewest problems tells them. Defaults
     * below an alternative are not filled in. */
    const struct schema *const *any;
    const char *initial; /* the default as JSON text; NULL: none */
};

struct schema_problem {
    const char *pointer;  /* RFC 6901, "" for the whole value; long keys are cut */
    const char *expected; /* "an integer from 1 to 1000" */
};

/* 0, or -1 with the problems (at most 100 of them). `value` is changed: defaults are added. */
int schema_check(const struct schema *s, json_t *value, struct arena *a,
                 struct schema_problem **problems, size_t *count);

/* Query and form parameters come as texts: make the JSON type that the schema wants of one; a
 * text that does not fit stays a string, for schema_check to complain about. For a list: the list
 * of this one item. A new reference. */
json_t *schema_convert(const struct schema *s, const char *text);

/* What the schema wants, in words: "a number above 0, at most 1". Lives in the arena. */
const char *schema_words(const struct schema *s, struct arena *a);

#endif
