#include "ops/push_target.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

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

/* A host that is written as an address, or a name that means this machine; names of others are
 * checked when they are resolved. */
static bool host_is_private(const char *host, bool *loopback)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct str bare = str_from(host);
    char text[INET6_ADDRSTRLEN] = "";

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
    *loopback = strcasecmp(host, "localhost") == 0;
    return *loopback;
}

static bool plain(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

struct parts {
    char *scheme, *host, *port, *user, *password, *fragment;
};

static void parts_release(struct parts *p)
{
    curl_free(p->scheme);
    curl_free(p->host);
    curl_free(p->port);
    curl_free(p->user);
    curl_free(p->password);
    curl_free(p->fragment);
}

static int check(const struct parts *p, bool allow_private, struct err *e)
{
    bool loopback, private = host_is_private(p->host, &loopback);

    if (p->user || p->password || p->fragment)
        return ERR(e, ERR_ARG, "the endpoint has a user or a fragment, which no push service has");
    if (strcmp(p->scheme, "https") != 0 &&
        !(allow_private && loopback && strcmp(p->scheme, "http") == 0))
        return ERR(e, ERR_ARG, "the endpoint is not an https URL");
    if (private && !allow_private)
        return ERR(e, ERR_ARG,
                   "the endpoint lies in a private network; '--push-private on' allows that");
    return 0;
}

int push_target_read(const char *endpoint, bool allow_private, struct arena *a,
                     struct push_target *out, struct err *e)
{
    struct parts p = {0};
    CURLU *url = curl_url();
    int rc = 0;

    if (!url)
        return ERR(e, ERR_NOMEM, "no memory for a URL");
    if (strlen(endpoint) > PUSH_ENDPOINT_MOST || !plain(endpoint) ||
        curl_url_set(url, CURLUPART_URL, endpoint, 0) ||
        curl_url_get(url, CURLUPART_SCHEME, &p.scheme, 0) ||
        curl_url_get(url, CURLUPART_HOST, &p.host, 0) || !p.host[0]) {
        rc = ERR(e, ERR_ARG, "the endpoint is not an https URL");
    } else {
        (void)curl_url_get(url, CURLUPART_PORT, &p.port, CURLU_NO_DEFAULT_PORT);
        (void)curl_url_get(url, CURLUPART_USER, &p.user, 0);
        (void)curl_url_get(url, CURLUPART_PASSWORD, &p.password, 0);
        (void)curl_url_get(url, CURLUPART_FRAGMENT, &p.fragment, 0);
        rc = check(&p, allow_private, e);
    }
    if (rc == 0) {
        char *origin = arena_printf(a, "%s://%s%s%s", p.scheme, p.host, p.port ? ":" : "",
                                    p.port ? p.port : "");
        for (char *c = origin; *c; c++) /* an origin is lower case (RFC 6454, section 4) */
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
        out->origin = origin;
    }
    parts_release(&p);
    curl_url_cleanup(url);
    return rc;
}
