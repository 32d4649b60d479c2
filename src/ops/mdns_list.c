#include "ops/mdns_list.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mdns_entry {
    struct mdns_entry *next;
    int interface, protocol;
    char name[MDNS_NAME];
    char host[MDNS_HOST], version[MDNS_VERSION + 1], path[MDNS_PATH + 1]; /* "": absent */
    char address[INET6_ADDRSTRLEN];
    bool v6, reachable, https;
    int port;
    int64_t seen_at;
};

static bool same(const struct mdns_entry *x, const struct mdns_key *key)
{
    return x->interface == key->interface && x->protocol == key->protocol &&
           strncmp(x->name, key->name, MDNS_NAME - 1) == 0;
}

static struct mdns_entry **find(struct mdns_list *l, const struct mdns_key *key)
{
    struct mdns_entry **at = &l->first;

    while (*at && !same(*at, key))
        at = &(*at)->next;
    return at;
}

/* The text when it consists of letters, digits and these others, else "". */
static void copy_plain(char *out, size_t room, struct str text, const char *others)
{
    out[0] = 0;
    if (!text.n || text.n >= room)
        return;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!fine && (!c || !strchr(others, c)))
            return;
    }
    memcpy(out, text.p, text.n);
    out[text.n] = 0;
}

static void fill(struct mdns_entry *x, const struct mdns_record *r, int64_t now_ms)
{
    x->v6 = r->family == AF_INET6;
    if (!inet_ntop(r->family, &r->address, x->address, sizeof x->address))
        x->address[0] = 0;
    x->reachable = x->address[0] && r->port && !(x->v6 && IN6_IS_ADDR_LINKLOCAL(&r->address.v6));
    x->port = r->port;
    x->https = r->https;
    x->seen_at = now_ms;
    copy_plain(x->host, sizeof x->host, str_from(r->host), ".-");
    copy_plain(x->version, sizeof x->version, r->version, ".-+");
    copy_plain(x->path, sizeof x->path, r->path, "/._-");
    if (x->path[0] != '/' || x->path[1] == '/')
        snprintf(x->path, sizeof x->path, "/");
}

void mdns_list_add(struct mdns_list *l, const struct mdns_key *key, const struct mdns_record *r,
                   int64_t now_ms)
{
    struct mdns_entry **at = find(l, key);

    if (!*at && l->count < MDNS_MOST) {
        *at = calloc(1, sizeof **at);
        if (*at) {
            (*at)->interface = key->interface;
            (*at)->protocol = key->protocol;
            snprintf((*at)->name, MDNS_NAME, "%s", key->name);
            l->count++;
        }
    }
    if (*at)
        fill(*at, r, now_ms);
}

void mdns_list_remove(struct mdns_list *l, const struct mdns_key *key)
{
    struct mdns_entry **at = find(l, key), *x = *at;

    if (!x)
        return;
    *at = x->next;
    free(x);
    l->count--;
}

void mdns_list_release(struct mdns_list *l)
{
    while (l->first) {
        struct mdns_entry *x = l->first;
        l->first = x->next;
        free(x);
    }
    l->count = 0;
}

/* By name; of one name, IPv4 first, then the one that was heard last. */
static int order(const void *a, const void *b)
{
    const struct mdns_entry *const *x = a, *const *y = b;
    int names = strcmp((*x)->name, (*y)->name);

    if (names)
        return names;
    if ((*x)->v6 != (*y)->v6)
        return (*x)->v6 ? 1 : -1;
    return ((*x)->seen_at < (*y)->seen_at) - ((*x)->seen_at > (*y)->seen_at);
}

static struct mdns_server shown(const struct mdns_entry *x, struct arena *a)
{
    char *name = arena_strdup(a, x->name);
    /* A certificate is of a name; without TLS the address works where ".local" is not resolved. */
    bool by_name = x->https && x->host[0];

    err_clean(name);
    return (struct mdns_server){
        .name = name,
        .url = arena_printf(a, "%s://%s%s%s:%d%s", x->https ? "https" : "http",
                            x->v6 && !by_name ? "[" : "", by_name ? x->host : x->address,
                            x->v6 && !by_name ? "]" : "", x->port, x->path),
        .host = x->host[0] ? arena_strdup(a, x->host) : NULL,
        .version = x->version[0] ? arena_strdup(a, x->version) : NULL,
        .address = arena_strdup(a, x->address),
        .port = x->port,
        .seen_at = x->seen_at,
    };
}

struct mdns_server *mdns_list_servers(const struct mdns_list *l, struct arena *a, size_t *count)
{
    const struct mdns_entry **sorted = arena_alloc(a, (l->count + 1) * sizeof *sorted);
    struct mdns_server *out = arena_alloc(a, (l->count + 1) * sizeof *out);
    size_t n = 0, kept = 0;

    for (const struct mdns_entry *x = l->first; x; x = x->next)
        if (x->reachable)
            sorted[n++] = x;
    if (n)
        qsort(sorted, n, sizeof *sorted, order);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(sorted[i]->name, sorted[i - 1]->name) != 0)
            out[kept++] = shown(sorted[i], a);
    *count = kept;
    return out;
}
