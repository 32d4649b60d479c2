/*
 * nearest.h: "did you mean": the one of several names that is nearest to a misspelt one.
 *
 *   const char *near = nearest_name("widht", names, count);       "width", or NULL
 *
 * By Damerau and Levenshtein's distance ("optimal string alignment"), without regard to case; at
 * most a third of the letters may be wrong, and a name with the same beginning counts as near.
 * Threads: pure.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* NULL when none is near. NULL names are skipped. */
const char *nearest_name(const char *text, const char *const *names, size_t count);
/* The same for names inside other things. */
const char *nearest_named(const char *name, const void *list, size_t count,
                          const char *(*name_at)(const void *list, size_t i));

#endif
