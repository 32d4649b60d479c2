#include "server/target.h"

#include <stdint.h>
#include <string.h>

enum { MOST_PAIRS = 1000 };

bool utf8_valid(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t step = str_character((struct str){s.p + i, s.n - i});
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int target_decode(struct arena *a, struct str raw, bool plus, struct str *out, struct err *e)
{
    char *text = arena_try(a, raw.n + 1, 1);
    size_t n = 0;

    if (!text)
        return ERR(e, ERR_NOMEM, "no memory for %zu bytes of text", raw.n);
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '%') {
            int high = raw.n - i > 2 ? hex(raw.p[i + 1]) : -1;
            int low = raw.n - i > 2 ? hex(raw.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return ERR(e, ERR_FORMAT, "a '%%' without two hex digits behind it");
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (!c)
            return ERR(e, ERR_FORMAT, "a NUL in a text");
        text[n++] = c;
    }
    if (!utf8_valid((struct str){text, n}))
        return ERR(e, ERR_FORMAT, "a text that is not UTF-8");
    *out = (struct str){text, n};
    return 0;
}

int target_query(struct arena *a, struct str raw, struct query_pair **out, size_t *count,
                 struct err *e)
{
    struct query_pair *pairs;
    struct str pair, name, value;
    size_t most = 1, n = 0;
    int rc;

    for (size_t i = 0; i < raw.n; i++)
        most += raw.p[i] == '&';
    if (most > MOST_PAIRS)
        return ERR(e, ERR_FORMAT, "more than %d parameters", MOST_PAIRS);
    pairs = arena_alloc(a, most * sizeof *pairs);
    while (str_cut(&raw, '&', &pair)) {
        if (!pair.n)
            continue;
        struct str rest = pair;
        if (!str_cut(&rest, '=', &name))
            continue;
        if ((rc = target_decode(a, name, true, &name, e)) ||
            (rc = target_decode(a, rest.p ? rest : STR(""), true, &value, e)))
            return rc;
        pairs[n++] = (struct query_pair){name.p, value.p};
    }
    *out = pairs;
    *count = n;
    return 0;
}
