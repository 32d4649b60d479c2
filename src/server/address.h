/*
 * address.h: IP addresses as sixteen bytes: one form for IPv6 and IPv4 (as ::ffff:a.b.c.d, RFC 4291
 * 2.5.5.2), so that they are compared and counted alike.
 *
 *   struct address a;
 *   if (address_parse(STR("192.0.2.7"), &a) && address_listed(&proxies, &a)) ...
 *
 * Threads: pure.
 */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { ADDRESS_TEXT = 46 };

struct address {
    unsigned char bytes[16];
};

bool address_of(const struct sockaddr *sa, struct address *out);
/* "192.0.2.7", "2001:db8::1", "[2001:db8::1]". */
bool address_parse(struct str text, struct address *out);
void address_text(const struct address *a, char out[ADDRESS_TEXT]);
bool address_is_loopback(const struct address *a);

struct address_block {
    struct address base;
    int bits;
};
struct address_list {
    struct address_block *blocks;
    size_t count;
};
/* "127.0.0.1, 10.0.0.0/8, ::1"; NULL and "" give the empty list. */
WARN_UNUSED_RESULT int address_list_parse(struct arena *a, const char *commas,
                                          struct address_list *out, struct err *e);
bool address_listed(const struct address_list *list, const struct address *a);

/* Who really asks, when `peer` may be a trusted proxy: the last address of X-Forwarded-For (NULL:
 * none) that is not such a proxy itself. */
struct address address_client(const struct address_list *proxies, const struct address *peer,
                              const char *forwarded_for);

#endif
