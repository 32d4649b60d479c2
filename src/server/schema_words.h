/*
 * schema_words.h: what a schema wants, in words for people; private to schema*.c.
 *
 *   const char *near = nearest_name("widht", names, n);       "width", or NULL
 *
 * Threads: any. Ownership: texts live in the arena.
 */
#ifndef SERVER_SCHEMA_WORDS_H
#define SERVER_SCHEMA_WORDS_H

#include "server/schema.h"

/* The candidate that somebody who wrote `name` most likely meant: few typing errors away
 * (Damerau 1964, restricted), or of the same beginning; NULL when there is none. name_at(list, i)
 * gives candidate i. */
const char *nearest_name(const char *name, const void *list, size_t count,
                         const char *(*name_at)(const void *list, size_t i));

/* "unknown member; did you mean 'steps'?" */
const char *words_unknown(const struct schema *s, const char *name, struct arena *a);
/* schema_words, and the nearest choice to a wrong text. */
const char *words_choice(const struct schema *s, const char *wrong, struct arena *a);

#endif
