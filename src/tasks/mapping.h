/*
 * mapping.h: from the fields of a record to what a kind wants of it; private to tasks/.
 *
 *   struct mapped m;
 *   if (mapping_get(d->fields, "prompt", record->fields, &arena, &m, &problem, &e)) ...
 *   if (mapping_text(&m, 1, 65536, &arena, &prompt, &problem, &e)) ...       NULL: there is none
 *
 * A field of the document is a path, {"field": PATH, "optional"?}, {"value": V} or {"template": T}.
 * A path is a name, or names and indexes joined by dots: "text.en", "tags.0"; a member whose name
 * has dots is found by its whole name first. What extended JSON writes as an object ({"$oid"},
 * {"$numberLong"}, {"$date"}, ...) counts as the scalar that it stands for. In a CSV file
 * everything is text, so numbers and objects are read from texts, and an empty text is as good as
 * absent.
 * Errors: ERR_ARG with *problem, which names the field and what was found. Threads: pure.
 * Ownership: texts live in the arena, values belong to the record or the document.
 */
#ifndef TASKS_MAPPING_H
#define TASKS_MAPPING_H

#include "tasks/kind.h"

struct mapped {
    const char *name;    /* of the field, as people know it: "prompt", or its path in the record */
    const json_t *value; /* NULL: none */
    const char *text;    /* of texts, and of templates (value NULL) */
};

/* `name` among `fields` (NULL: none are written), else the record's member of that name, if it has
 * one. */
WARN_UNUSED_RESULT int mapping_get(const json_t *fields, const char *name, const json_t *record,
                                   struct arena *a, struct mapped *out,
                                   struct mapping_problem *problem, struct err *e);
/* The same for one field of the document. */
WARN_UNUSED_RESULT int mapping_field(const json_t *field, const json_t *record, struct arena *a,
                                     struct mapped *out, struct mapping_problem *problem,
                                     struct err *e);

/* A text of so many bytes; *out NULL when there is none. */
WARN_UNUSED_RESULT int mapping_text(const struct mapped *m, size_t least, size_t most,
                                    struct arena *a, const char **out,
                                    struct mapping_problem *problem, struct err *e);
/* 0 .. 2^64 - 1, as an integer or in decimal digits. */
WARN_UNUSED_RESULT int mapping_seed(const struct mapped *m, struct arena *a, bool *given,
                                    uint64_t *out, struct mapping_problem *problem, struct err *e);
/* An object, or the JSON text of one: a new reference; *out NULL when there is none. */
WARN_UNUSED_RESULT int mapping_object(const struct mapped *m, struct arena *a, json_t **out,
                                      struct mapping_problem *problem, struct err *e);
/* A scalar for the parameter of that name: texts become numbers where it is one. A new reference;
 * *out NULL when there is none. */
WARN_UNUSED_RESULT int mapping_parameter(const struct mapped *m, const char *parameter,
                                         struct arena *a, json_t **out,
                                         struct mapping_problem *problem, struct err *e);

/* NULL: there is none, or it is null. */
const json_t *mapping_find(const json_t *record, const char *path);
/* Whether it is a path: no empty parts, at most 400 bytes. */
bool mapping_is_path(const char *path);
/* A scalar as text, NULL for lists and objects. */
const char *mapping_scalar(const json_t *value, struct arena *a);
/* "a number (7)", "a list of 3", ...: what was found, for messages. */
const char *mapping_found(const json_t *value, struct arena *a);
/* Decimal digits and nothing else, up to 2^64 - 1. */
bool mapping_decimal(const char *digits, uint64_t *out);
/* Fill *problem; always ERR_ARG. */
int mapping_wrong(struct mapping_problem *problem, struct arena *a, const char *field,
                  struct err *e, const char *format, ...) PRINTF_LIKE(5, 6);

#endif
