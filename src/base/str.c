#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct str str_from(const char *s)
{
    return (struct str){s, s ? strlen(s) : 0};
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str a, const char *b)
{
    return str_eq(a, str_from(b));
}

bool str_starts(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool str_ends(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);
    return s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

bool str_skip(struct str *s, const char *prefix)
{
    if (!str_starts(*s, prefix))
        return false;
    size_t n = strlen(prefix);
    s->p += n;
    s->n -= n;
    return true;
}

bool str_cut(struct str *s, char at, struct str *head)
{
    if (!s->p)
        return false;
    const char *end = memchr(s->p, at, s->n);
    if (!end) {
        *head = *s;
        *s = (struct str){NULL, 0};
        return true;
    }
    *head = (struct str){s->p, (size_t)(end - s->p)};
    s->n -= head->n + 1;
    s->p = end + 1;
    return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
    bool negative = str_skip(&s, "-");
    uint64_t value = 0, limit = negative ? (uint64_t)1 << 63 : INT64_MAX;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        unsigned digit = (unsigned)(s.p[i] - '0');
        if (value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool str_to_f64(struct str s, double *out)
{
    char text[64], *end;

    if (s.n == 0 || s.n >= sizeof text)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789+-.eE", s.p[i]) || !s.p[i])
            return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    double value = strtod(text, &end);
    if (*end || !isfinite(value))
        return false;
    *out = value;
    return true;
}

size_t str_character(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    unsigned char low = 0x80, high = 0xbf;

    if (s.n == 0)
        return 0;
    size_t more = p[0] < 0x80 ? 0 : p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;
    if (more == 0)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4 || more >= s.n)
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0; /* shorter ones exist below */
    else if (p[0] == 0xed)
        high = 0x9f; /* surrogates above */
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f; /* U+10FFFF is the last */
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i <= more; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return more + 1;
}
