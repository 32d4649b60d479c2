#include "base/clock.h"

#include <stdio.h>
#include <time.h>

double clock_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int64_t clock_unix_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_format(int64_t unix_ms, char out[CLOCK_TEXT])
{
    int64_t ms = unix_ms % 1000;
    time_t seconds = (time_t)((unix_ms - ms) / 1000);
    struct tm tm = {0};

    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    gmtime_r(&seconds, &tm);
    /* The remainders keep the length within its bounds whatever the year. */
    snprintf(out, CLOCK_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
             (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
             (unsigned)tm.tm_sec % 100, (unsigned)ms % 1000);
}

/* Exactly `digits` digits at the front of s, within lo..hi. */
static bool number(struct str *s, size_t digits, int lo, int hi, int *out)
{
    int v = 0;

    if (s->n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    s->p += digits;
    s->n -= digits;
    *out = v;
    return v >= lo && v <= hi;
}

/* ".123456" if it is there, in milliseconds, cut. */
static bool fraction(struct str *s, int *ms)
{
    int scale = 100;

    *ms = 0;
    if (!str_skip(s, "."))
        return true;
    if (!s->n || s->p[0] < '0' || s->p[0] > '9')
        return false;
    for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; s->p++, s->n--) {
        *ms += (s->p[0] - '0') * scale;
        scale /= 10;
    }
    return true;
}

/* "Z" or "+01:30", in minutes, and the end. */
static bool offset(struct str *s, int *minutes)
{
    int sign = str_skip(s, "-") ? -1 : str_skip(s, "+") ? 1 : 0, h, m;

    *minutes = 0;
    if (!sign)
        return (str_skip(s, "Z") || str_skip(s, "z")) && s->n == 0;
    if (!number(s, 2, 0, 23, &h) || !str_skip(s, ":") || !number(s, 2, 0, 59, &m))
        return false;
    *minutes = sign * (h * 60 + m);
    return s->n == 0;
}

bool clock_parse(struct str text, int64_t *unix_ms)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, h = 0, m = 0, s = 0, ms = 0, minutes = 0;

    if (!number(&text, 4, 0, 9999, &year) || !str_skip(&text, "-") ||
        !number(&text, 2, 1, 12, &month) || !str_skip(&text, "-") || !number(&text, 2, 1, 31, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > days[month - 1] + (month == 2 && leap))
        return false;
    if (text.n &&
        ((!str_skip(&text, "T") && !str_skip(&text, "t") && !str_skip(&text, " ")) ||
         !number(&text, 2, 0, 23, &h) || !str_skip(&text, ":") || !number(&text, 2, 0, 59, &m) ||
         !str_skip(&text, ":") || !number(&text, 2, 0, 60, &s) || !fraction(&text, &ms) ||
         !offset(&text, &minutes)))
        return false;
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = h,
                    .tm_min = m,
                    .tm_sec = s};
    *unix_ms = ((int64_t)timegm(&tm) - minutes * 60) * 1000 + ms;
    return true;
}
