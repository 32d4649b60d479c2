#include "server/schema_format.h"

#include "base/clock.h"

#include <stddef.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 9562: either case on input. */
static bool fits_uuid(struct str text)
{
    if (text.n != 36)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = text.p[i];
        if (dash ? c != '-' : !is_lower_hex(c) && !(c >= 'A' && c <= 'F'))
            return false;
    }
    return true;
}

static bool fits_time(struct str text)
{
    int64_t ms;

    return text.n > 10 && clock_parse(text, &ms);
}

static bool fits_sha256(struct str text)
{
    if (text.n != 64)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!is_lower_hex(text.p[i]))
            return false;
    return true;
}

/* RFC 4648, 4: with padding, without line breaks. */
static bool fits_base64(struct str text)
{
    size_t digits = text.n;

    if (text.n % 4)
        return false;
    while (digits > 0 && text.n - digits < 2 && text.p[digits - 1] == '=')
        digits--;
    for (size_t i = 0; i < digits; i++)
        if (!is_letter(text.p[i]) && !is_digit(text.p[i]) && text.p[i] != '+' && text.p[i] != '/')
            return false;
    return true;
}

/* RFC 3986: a scheme, a colon, and nothing that a URI cannot hold. */
static bool fits_uri(struct str text)
{
    size_t i = 0;

    while (i < text.n &&
           (is_letter(text.p[i]) || (i > 0 && (is_digit(text.p[i]) || strchr("+-.", text.p[i])))))
        i++;
    if (i == 0 || i + 1 >= text.n || text.p[i] != ':')
        return false;
    for (; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || (unsigned char)text.p[i] > '~' ||
            strchr("\"<>\\^`{|}", text.p[i]))
            return false;
    return true;
}

/* Decimal, below 2^64. */
static bool fits_seed(struct str text)
{
    uint64_t value = 0;

    if (text.n < 1 || text.n > 20)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.p[i]))
            return false;
        unsigned digit = (unsigned)(text.p[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    return true;
}

static const struct schema_format formats[] = {
    {"uuid", fits_uuid, "a UUID"},
    {"date-time", fits_time, "a time such as 2026-11-21T17:36:21Z"},
    {"sha256", fits_sha256, "64 hexadecimal digits"},
    {"base64", fits_base64, "base64"},
    {"uri", fits_uri, "a URI"},
    {"seed", fits_seed, "a decimal number from 0 to 18446744073709551615 as a text"},
};

const struct schema_format *schema_format(const char *name)
{
    for (size_t i = 0; name && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}
