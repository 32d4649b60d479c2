#include "image/text.h"

#include <string.h>

/* Length of the well-formed sequence at p (Unicode 15, table 3-7), or 0. */
static size_t sequence(const unsigned char *p, size_t n)
{
    size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (!length || p[0] > 0xf4 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

bool text_is_utf8(const char *p, size_t n)
{
    for (size_t i = 0, step; i < n; i += step)
        if (!(step = sequence((const unsigned char *)p + i, n - i)))
            return false;
    return true;
}

uint32_t text_next(const char **p)
{
    const unsigned char *s = (const unsigned char *)*p;
    int more = s[0] < 0x80 ? 0 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
    uint32_t c = more ? s[0] & (0x3f >> more) : s[0];

    for (int i = 1; i <= more; i++)
        c = c << 6 | (s[i] & 0x3f);
    *p += 1 + more;
    return c;
}

int text_add_rune(struct buf *out, uint32_t c)
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    char bytes[4];
    int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (int i = n - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(lead[n] | c);
    return buf_add(out, bytes, (size_t)n);
}

int text_to_latin1(struct buf *out, const char *utf8)
{
    for (const char *p = utf8; *p;)
        if (text_next(&p) > 0xff)
            return ERR_ARG;
    for (const char *p = utf8; *p;) {
        char c = (char)text_next(&p);
        if (buf_add(out, &c, 1))
            return ERR_NOMEM;
    }
    return 0;
}

int text_from_latin1(struct buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text_add_rune(out, (unsigned char)p[i]))
            return ERR_NOMEM;
    return 0;
}

static int add_unit(struct buf *out, uint32_t unit, bool big_endian)
{
    unsigned char bytes[2] = {(unsigned char)(unit >> (big_endian ? 8 : 0)),
                              (unsigned char)(unit >> (big_endian ? 0 : 8))};
    return buf_add(out, bytes, 2);
}

int text_to_utf16(struct buf *out, const char *utf8, bool big_endian)
{
    while (*utf8) {
        uint32_t c = text_next(&utf8);
        if (c >= 0x10000 && add_unit(out, 0xd800 + ((c - 0x10000) >> 10), big_endian))
            return ERR_NOMEM;
        if (add_unit(out, c >= 0x10000 ? 0xdc00 + (c & 0x3ff) : c, big_endian))
            return ERR_NOMEM;
    }
    return 0;
}

int text_from_utf16(struct buf *out, const unsigned char *p, size_t n, bool big_endian)
{
    int high = big_endian ? 0 : 1;
    uint32_t lead = 0;

    for (size_t i = 0; i + 1 < n; i += 2) {
        uint32_t unit = (uint32_t)p[i + high] << 8 | p[i + 1 - high];
        bool trails = unit >= 0xdc00 && unit <= 0xdfff;
        if (lead && trails) {
            unit = 0x10000 + ((lead - 0xd800) << 10) + (unit - 0xdc00);
        } else {
            if (lead && text_add_rune(out, 0xfffd))
                return ERR_NOMEM;
            unit = trails ? 0xfffd : unit;
        }
        lead = unit >= 0xd800 && unit <= 0xdbff ? unit : 0;
        if (!lead && text_add_rune(out, unit))
            return ERR_NOMEM;
    }
    return lead ? text_add_rune(out, 0xfffd) : 0;
}
