/*
 * schema_words.h: what a schema wants, in words for people; private to schema*.c.
 *
 *   problem->expected = words_unknown(schema, "widht", arena);
 *
 * Threads: any. Ownership: texts live in the arena.
 */
#ifndef SERVER_SCHEMA_WORDS_H
#define SERVER_SCHEMA_WORDS_H

#include "server/schema.h"

/* "unknown member; did you mean 'steps'?" */
const char *words_unknown(const struct schema *s, const char *name, struct arena *a);
/* schema_words, and the nearest choice to a wrong text. */
const char *words_choice(const struct schema *s, const char *wrong, struct arena *a);

#endif
