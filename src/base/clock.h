/*
 * clock.h: time that only goes forward, and the time of day.
 *
 *   double start = clock_seconds();
 *   ... clock_seconds() - start ...
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Seconds since some moment in the past; no change of the system's time moves it. Any thread. */
double clock_seconds(void);

/* Milliseconds since 1970-01-01 UTC: how times are kept in the database. */
int64_t clock_unix_ms(void);

/* "2026-11-21T17:26:44.123Z" (RFC 3339) and a NUL; years 0 to 9999. */
enum { CLOCK_TEXT = 25 };
void clock_format(int64_t unix_ms, char out[CLOCK_TEXT]);

/* RFC 3339 with any offset and any number of fraction digits, or a date alone (its first moment in
 * UTC). False leaves *out alone. */
bool clock_parse(struct str text, int64_t *unix_ms);

#endif
