#include "net/egress.h"

#include "base/arena.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One entry. Addresses are kept as IPv6, those of IPv4 mapped (RFC 4291, section 2.5.5.2). */
struct entry {
    const char *name; /* without "*."; NULL: an address or a network */
    bool below;       /* "*.": names that end in .name, not the name itself */
    unsigned char net[16];
    int bits;
    int port; /* 0: any */
};

struct egress {
    struct arena arena;
    struct entry *entries;
    size_t count;
};

/* ============================== Reading ============================== */

static bool read_address(const char *text, unsigned char out[16])
{
    memset(out, 0, 16);
    if (inet_pton(AF_INET, text, out + 12) == 1) {
        out[10] = out[11] = 0xff;
        return true;
    }
    return inet_pton(AF_INET6, text, out) == 1;
}

static bool name_ok(const char *name)
{
    size_t n = strlen(name);

    /* Digits and dots alone would be an address that could not be read. */
    return n && n <= 253 && name[0] != '.' && name[n - 1] != '.' && !strstr(name, "..") &&
           name[strspn(name, "0123456789.")] &&
           !name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")];
}

/* "ADDRESS/BITS" or "ADDRESS". */
static bool read_network(char *text, struct entry *out)
{
    char *slash = strchr(text, '/');
    int64_t bits = 128;

    if (slash) {
        *slash = 0;
        bool four = strchr(text, ':') == NULL;
        if (!str_to_i64(str_from(slash + 1), &bits) || bits < 0 || bits > (four ? 32 : 128))
            return false;
        bits += four ? 96 : 0;
    }
    out->bits = (int)bits;
    return read_address(text, out->net);
}

static bool read_port(const char *text, int *out)
{
    int64_t port;

    if (!str_to_i64(str_from(text), &port) || port < 1 || port > 65535)
        return false;
    *out = (int)port;
    return true;
}

/* `text` is the caller's copy. */
static bool read_entry(char *text, struct entry *out)
{
    char *colon = strchr(text, ':'), *bracket = strchr(text, ']');

    *out = (struct entry){0};
    if (text[0] == '[' && bracket) {
        *bracket = 0;
        if (bracket[1] && (bracket[1] != ':' || !read_port(bracket + 2, &out->port)))
            return false;
        return strchr(text, ':') && read_network(text + 1, out);
    }
    if (colon && !strchr(colon + 1, ':')) {
        *colon = 0;
        if (!read_port(colon + 1, &out->port))
            return false;
    }
    if (strchr(text, '/') || strchr(text, ':') || !text[strspn(text, "0123456789.")])
        return read_network(text, out);
    out->below = strncmp(text, "*.", 2) == 0;
    out->name = text + (out->below ? 2 : 0);
    return name_ok(out->name);
}

int egress_new(const char *list, struct egress **out, struct err *e)
{
    static const char between[] = ", \t\r\n";
    size_t n = list ? strlen(list) : 0;
    struct egress *x = calloc(1, sizeof *x);

    if (!x)
        return ERR(e, ERR_NOMEM, "no memory for the list of allowed hosts");
    x->entries = arena_try(&x->arena, n / 2 + 1, sizeof *x->entries);
    if (!x->entries) {
        egress_free(x);
        return ERR(e, ERR_NOMEM, "no memory for the list of allowed hosts");
    }
    for (const char *p = list; n && *(p += strspn(p, between));) {
        struct str text = {p, strcspn(p, between)};
        p += text.n;
        if (read_entry(arena_str(&x->arena, text), &x->entries[x->count])) {
            x->count++;
            continue;
        }
        int rc = ERR(e, ERR_ARG,
                     "allowed hosts: '%.*s' is not a name, '*.suffix', address or network with an "
                     "optional ':port'; see CAULDRON_ALLOW_HOSTS",
                     (int)(text.n < 300 ? text.n : 300), text.p);
        egress_free(x);
        return rc;
    }
    *out = x;
    return 0;
}

void egress_free(struct egress *x)
{
    if (!x)
        return;
    arena_release(&x->arena);
    free(x);
}

/* ============================== Asking ============================== */

static bool in_network(const unsigned char a[16], const struct entry *n)
{
    int whole = n->bits / 8, rest = n->bits % 8;

    return memcmp(a, n->net, (size_t)whole) == 0 &&
           (!rest || (a[whole] ^ n->net[whole]) >> (8 - rest) == 0);
}

static bool name_matches(const char *host, const struct entry *entry)
{
    size_t n = strlen(host), m = strlen(entry->name);

    if (!entry->below)
        return strcasecmp(host, entry->name) == 0;
    return n > m + 1 && host[n - m - 1] == '.' && strcasecmp(host + n - m, entry->name) == 0;
}

/* The host without the brackets of an IPv6 address and the last dot of a name. */
static bool bare_host(const char *host, char out[256])
{
    struct str h = str_from(host);

    if (h.n > 1 && h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = (struct str){h.p + 1, h.n - 2};
    else if (h.n > 1 && h.p[h.n - 1] == '.')
        h.n--;
    if (!h.n || h.n > 255 || memchr(h.p, 0, h.n))
        return false;
    memcpy(out, h.p, h.n);
    out[h.n] = 0;
    return true;
}

int egress_check(const struct egress *x, const char *host, int port, struct err *e)
{
    char bare[256];
    unsigned char address[16];

    if (!x || !x->count)
        return 0;
    if (bare_host(host, bare)) {
        bool is_address = read_address(bare, address);
        for (size_t i = 0; i < x->count; i++) {
            const struct entry *entry = &x->entries[i];
            if (entry->port && port && entry->port != port)
                continue;
            if (entry->name ? !is_address && name_matches(bare, entry)
                            : is_address && in_network(address, entry))
                return 0;
        }
    }
    if (!port)
        return ERR(e, ERR_DENIED, "host '%s' is not allowed; see CAULDRON_ALLOW_HOSTS", host);
    return ERR(e, ERR_DENIED, "host '%s' with port %d is not allowed; see CAULDRON_ALLOW_HOSTS",
               host, port);
}
