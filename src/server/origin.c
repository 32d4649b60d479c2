#include "server/origin.h"

#include "base/str.h"

#include <string.h>
#include <strings.h>

static bool same(struct str a, struct str b)
{
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static struct str trimmed(struct str s)
{
    while (s.n && s.p[0] == ' ') {
        s.p++;
        s.n--;
    }
    while (s.n && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

bool host_valid(const char *host)
{
    size_t n = strlen(host);

    return n > 0 && n <= 255 &&
           strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]") ==
               n;
}

/* Without ":8000"; the colons of "[::1]" are inside brackets. */
static struct str without_port(struct str host)
{
    for (size_t i = host.n; i > 0 && host.p[i - 1] != ']'; i--)
        if (host.p[i - 1] == ':')
            return (struct str){host.p, i - 1};
    return host;
}

bool host_allowed(const char *host, const char *list)
{
    struct str full = str_from(host), name = without_port(full), rest = str_from(list), item;

    if (!list)
        return true;
    while (str_cut(&rest, ',', &item)) {
        item = trimmed(item);
        if (item.n && (same(item, full) || same(item, name)))
            return true;
    }
    return false;
}

static bool listed(struct str wanted, const char *list)
{
    struct str rest = str_from(list), item;

    while (str_cut(&rest, ',', &item)) {
        item = trimmed(item);
        if (item.n && same(item, wanted))
            return true;
    }
    return false;
}

bool origin_named(const char *origin, const char *own, const char *list)
{
    if (own && strcasecmp(origin, own) == 0 && strcmp(origin, "null") != 0)
        return true;
    return strcmp(origin, "*") != 0 && listed(str_from(origin), list);
}

bool origin_allowed(const char *origin, const char *own, const char *list)
{
    return origin_named(origin, own, list) || listed(STR("*"), list);
}
