#include "server/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void from_v4(const void *four, struct address *out)
{
    memcpy(out->bytes, mapped, 12);
    memcpy(out->bytes + 12, four, 4);
}

static bool is_v4(const struct address *a)
{
    return memcmp(a->bytes, mapped, 12) == 0;
}

bool address_of(const struct sockaddr *sa, struct address *out)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (sa->sa_family == AF_INET) {
        memcpy(&v4, sa, sizeof v4);
        from_v4(&v4.sin_addr, out);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        memcpy(&v6, sa, sizeof v6);
        memcpy(out->bytes, &v6.sin6_addr, 16);
        return true;
    }
    return false;
}

bool address_parse(struct str text, struct address *out)
{
    char copy[ADDRESS_TEXT];
    unsigned char four[4];

    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = (struct str){text.p + 1, text.n - 2};
    if (!text.n || text.n >= sizeof copy || memchr(text.p, 0, text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    if (inet_pton(AF_INET, copy, four) == 1) {
        from_v4(four, out);
        return true;
    }
    struct address v6;
    if (inet_pton(AF_INET6, copy, v6.bytes) != 1)
        return false;
    *out = v6;
    return true;
}

void address_text(const struct address *a, char out[ADDRESS_TEXT])
{
    bool v4 = is_v4(a);

    if (!inet_ntop(v4 ? AF_INET : AF_INET6, a->bytes + (v4 ? 12 : 0), out, ADDRESS_TEXT))
        out[0] = 0;
}

bool address_is_loopback(const struct address *a)
{
    static const unsigned char v6[16] = {[15] = 1};

    return is_v4(a) ? a->bytes[12] == 127 : memcmp(a->bytes, v6, 16) == 0;
}

static struct str trimmed(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

int address_list_parse(struct arena *a, const char *commas, struct address_list *out, struct err *e)
{
    struct str rest = str_from(commas), item, base;
    struct address_list list = {0};

    if (!rest.n) {
        *out = list;
        return 0;
    }
    list.blocks = arena_alloc(a, (rest.n / 2 + 1) * sizeof *list.blocks);
    while (str_cut(&rest, ',', &item)) {
        struct address_block *block = &list.blocks[list.count];
        int64_t bits;

        item = trimmed(item);
        if (!item.n)
            continue;
        struct str tail = item;
        if (!str_cut(&tail, '/', &base) || !address_parse(base, &block->base))
            return ERR(e, ERR_ARG, "'%.*s' is not an IP address", (int)item.n, item.p);
        int most = is_v4(&block->base) ? 32 : 128;
        bits = most;
        if (tail.p && (!str_to_i64(tail, &bits) || bits < 0 || bits > most))
            return ERR(e, ERR_ARG, "'%.*s': the prefix's length is 0 to %d", (int)item.n, item.p,
                       most);
        block->bits = (int)bits + 128 - most;
        list.count++;
    }
    *out = list;
    return 0;
}

static bool same_prefix(const struct address *a, const struct address *b, int bits)
{
    int whole = bits / 8, rest = bits % 8;

    if (memcmp(a->bytes, b->bytes, (size_t)whole) != 0)
        return false;
    return rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

bool address_listed(const struct address_list *list, const struct address *a)
{
    for (size_t i = 0; i < list->count; i++)
        if (same_prefix(&list->blocks[i].base, a, list->blocks[i].bits))
            return true;
    return false;
}

/* An item of X-Forwarded-For; some proxies add a port. */
static bool forwarded_item(struct str item, struct address *out)
{
    item = trimmed(item);
    if (address_parse(item, out))
        return true;
    const char *colon = item.n ? memrchr(item.p, ':', item.n) : NULL;
    return colon && address_parse((struct str){item.p, (size_t)(colon - item.p)}, out);
}

struct address address_client(const struct address_list *proxies, const struct address *peer,
                              const char *forwarded_for)
{
    struct address client = *peer, next;
    struct str rest = str_from(forwarded_for);

    while (rest.n && address_listed(proxies, &client)) {
        const char *comma = memrchr(rest.p, ',', rest.n);
        struct str item = rest;
        if (comma) {
            item = (struct str){comma + 1, rest.n - (size_t)(comma + 1 - rest.p)};
            rest.n = (size_t)(comma - rest.p);
        } else {
            rest.n = 0;
        }
        if (!forwarded_item(item, &next))
            break;
        client = next;
    }
    return client;
}
