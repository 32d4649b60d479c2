/*
 * str.h: slices of text: a pointer and a length, not NUL-terminated, owned by somebody else.
 *
 *   struct str s = STR("a.b.c"), head;
 *   while (str_cut(&s, '.', &head)) ...
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})

struct str str_from(const char *s); /* NULL gives the empty slice */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *b);
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
/* If s starts with prefix, drop it from s and return true. */
bool str_skip(struct str *s, const char *prefix);
/* Take everything before `at` (or all that is left) into head, and drop it and `at` from s; false
 * when s is used up (its p becomes NULL after the last piece). */
bool str_cut(struct str *s, char at, struct str *head);

/* How many bytes the first character of UTF-8 takes; 0 when there is none, or it is ill-formed
 * (Unicode 15, table 3-7). */
size_t str_character(struct str s);

/* Whole-string number parsing: no blanks, no rest, no overflow. Return false and leave *out alone
 * otherwise. */
bool str_to_i64(struct str s, int64_t *out);
bool str_to_f64(struct str s,
                double *out); /* finite decimals only, always with '.' whatever the locale */

#endif
