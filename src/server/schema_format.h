/*
 * schema_format.h: what the formats of a schema mean; private to schema*.c.
 *
 *   const struct schema_format *f = schema_format("uuid");
 *   if (f && !f->fits(text)) ... expected f->words ...
 *
 * Threads: any; constant.
 */
#ifndef SERVER_SCHEMA_FORMAT_H
#define SERVER_SCHEMA_FORMAT_H

#include "base/str.h"

#include <stdbool.h>

struct schema_format {
    const char *name;
    bool (*fits)(struct str text);
    const char *words; /* "a UUID" */
};

/* NULL for a name that is not known, and for NULL. */
const struct schema_format *schema_format(const char *name);

#endif
