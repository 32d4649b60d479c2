#include "ops/push_target.h"

#include "net/egress.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

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
