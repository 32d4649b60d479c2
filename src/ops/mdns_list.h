/*
 * mdns_list.h: the servers that were heard of. One announcement comes once for each interface and
 * protocol; people see one server.
 *
 *   struct mdns_list l = {0};
 *   mdns_list_add(&l, &key, &record, now_ms);       also: it has changed
 *   mdns_list_remove(&l, &key);
 *   mdns_list_servers(&l, &arena, &count);
 *   mdns_list_release(&l);
 *
 * Everything in a record comes from the network. Threads: none; mdns.c locks. Ownership: copies.
 */
#ifndef OPS_MDNS_LIST_H
#define OPS_MDNS_LIST_H

#include "base/arena.h"
#include "base/str.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum { MDNS_MOST = 256, MDNS_NAME = 64, MDNS_HOST = 256, MDNS_PATH = 100, MDNS_VERSION = 40 };

struct mdns_key {
    int interface, protocol;
    const char *name; /* of the service: at most 63 bytes of any UTF-8 (RFC 6763, 4.1.1) */
};
struct mdns_record {
    const char *host;
    int family; /* AF_INET, AF_INET6 */
    union {
        struct in_addr v4;
        struct in6_addr v6;
    } address;
    uint16_t port;
    struct str version, path; /* of the TXT record; empty: absent */
    bool https;
};
struct mdns_server {
    const char *name, *url;
    const char *host, *version; /* NULL: absent, or not fit to be shown */
    const char *address;
    int port;
    int64_t seen_at; /* ms */
};

struct mdns_entry;
struct mdns_list {
    struct mdns_entry *first;
    size_t count;
};
/* Beyond MDNS_MOST, new ones are left out. */
void mdns_list_add(struct mdns_list *l, const struct mdns_key *key, const struct mdns_record *r,
                   int64_t now_ms);
void mdns_list_remove(struct mdns_list *l, const struct mdns_key *key);
/* One for each name, by name; IPv4 before IPv6; addresses that browsers cannot open (link-local
 * IPv6) are left out. */
struct mdns_server *mdns_list_servers(const struct mdns_list *l, struct arena *a, size_t *count);
void mdns_list_release(struct mdns_list *l);

#endif
