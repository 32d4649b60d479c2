#include "server/range.h"

#include "base/str.h"

#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* Digits; UINT64_MAX when there are more than fit. False without any. */
static bool number(const char **p, uint64_t *out)
{
    uint64_t v = 0;
    const char *start = *p;

    for (; **p >= '0' && **p <= '9'; (*p)++) {
        uint64_t digit = (uint64_t)(**p - '0');
        v = v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : v * 10 + digit;
    }
    *out = v;
    return *p > start;
}

enum range range_parse(const char *header, uint64_t size, uint64_t *first, uint64_t *length)
{
    uint64_t from, to = UINT64_MAX;
    const char *p = header;

    if (strncasecmp(p, "bytes", 5) != 0)
        return RANGE_WHOLE;
    p = skip_blanks(p + 5);
    if (*p != '=')
        return RANGE_WHOLE;
    p = skip_blanks(p + 1);
    bool has_first = number(&p, &from);
    if (*p != '-')
        return RANGE_WHOLE;
    p++;
    bool has_last = number(&p, &to);
    if (*skip_blanks(p) || (!has_first && !has_last) || (has_first && has_last && to < from))
        return RANGE_WHOLE;
    if (!has_first) { /* the last `to` bytes */
        if (to == 0 || size == 0)
            return RANGE_BEYOND;
        from = to >= size ? 0 : size - to;
        to = size - 1;
    } else if (from >= size) {
        return RANGE_BEYOND;
    }
    if (!has_last || to >= size)
        to = size - 1;
    *first = from;
    *length = to - from + 1;
    return RANGE_PART;
}

/* The opaque part, without W/. */
static struct str opaque(struct str tag)
{
    str_skip(&tag, "W/");
    return tag;
}

bool etag_listed(const char *list, const char *etag)
{
    struct str wanted = opaque(str_from(etag));
    const char *p = skip_blanks(list);

    if (*p == '*' && !*skip_blanks(p + 1))
        return true;
    while (*p) {
        const char *start = p;
        if (p[0] == 'W' && p[1] == '/')
            p += 2;
        if (*p != '"')
            return false;
        const char *end = strchr(p + 1, '"'); /* a tag may hold commas */
        if (!end)
            return false;
        p = end + 1;
        if (str_eq(opaque((struct str){start, (size_t)(p - start)}), wanted))
            return true;
        while (*p == ',' || *p == ' ' || *p == '\t')
            p++;
    }
    return false;
}

bool etag_is(const char *header, const char *etag)
{
    return etag[0] == '"' && strcmp(skip_blanks(header), etag) == 0;
}
