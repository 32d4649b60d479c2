#include "net/egress.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

static bool v4_is_public(uint32_t address)
{
    /* IANA IPv4 Special-Purpose Address Registry, and multicast and what lies above. */
    static const struct {
        uint32_t net;
        int bits;
    } others[] = {
        {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
        {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
        {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 3},
    };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if ((address ^ others[i].net) >> (32 - others[i].bits) == 0)
            return false;
    return true;
}

static bool v6_is_public(const unsigned char a[16])
{
    static const unsigned char nat64[12] = {0, 0x64, 0xff, 0x9b}, mapped[12] = {[10] = 0xff, 0xff};
    uint32_t last = (uint32_t)a[12] << 24 | (uint32_t)a[13] << 16 | (uint32_t)a[14] << 8 | a[15];

    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
        return v4_is_public(last);
    if (a[0] >> 5 != 1) /* global unicast is 2000::/3 */
        return false;
    if (a[0] == 0x20 && a[1] == 0x01 && (a[2] < 0x02 || (a[2] == 0x0d && a[3] == 0xb8)))
        return false; /* 2001::/23 (Teredo and other protocols), documentation */
    if (a[0] == 0x3f && a[1] == 0xff && a[2] < 0x10)
        return false;                       /* 3fff::/20, documentation (RFC 9637) */
    return !(a[0] == 0x20 && a[1] == 0x02); /* 6to4: an IPv4 address inside */
}

bool address_is_public(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return v4_is_public(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(&v6, address, sizeof v6);
    return v6_is_public(v6.sin6_addr.s6_addr);
}

bool host_is_private(const char *host, bool *loopback)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct str bare = str_from(host);
    char text[INET6_ADDRSTRLEN] = "";
    bool unused;

    if (!loopback)
        loopback = &unused;
    *loopback = false;
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        *loopback = ntohl(v4.sin_addr.s_addr) >> 24 == 127;
        return !address_is_public((const struct sockaddr *)&v4);
    }
    if (str_skip(&bare, "[") && bare.n && bare.n - 1 < sizeof text) {
        memcpy(text, bare.p, bare.n - 1);
        if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
            return true; /* a zone, or not an address at all */
        *loopback = IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
        return !address_is_public((const struct sockaddr *)&v6);
    }
    *loopback = strcasecmp(host, "localhost") == 0 || strcasecmp(host, "localhost.") == 0;
    return *loopback;
}
