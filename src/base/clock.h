/*
 * clock.h: time that only goes forward.
 *
 *   double start = clock_seconds();
 *   ... clock_seconds() - start ...
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Seconds since some moment in the past; no change of the system's time moves it. Any thread. */
double clock_seconds(void);

#endif
