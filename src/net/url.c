#include "net/http.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

enum { URL_MOST = 8192 };

static bool plain(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

/* Queries hold secrets: they stay out of messages. */
static int shown(const char *url)
{
    size_t n = strcspn(url, "?#");
    return n < 200 ? (int)n : 200;
}

static char *part(CURLU *u, CURLUPart which, unsigned flags, struct arena *a)
{
    char *text = NULL, *copy = NULL;

    if (!curl_url_get(u, which, &text, flags) && text)
        copy = arena_strdup(a, text);
    curl_free(text);
    return copy;
}

int net_url_read(const char *url, struct arena *a, struct net_url *out, struct err *e)
{
    CURLU *u = curl_url();
    int64_t port = 0;
    int rc = 0;

    if (!u)
        return ERR(e, ERR_NOMEM, "no memory for a URL");
    if (strlen(url) > URL_MOST || !plain(url) || curl_url_set(u, CURLUPART_URL, url, 0)) {
        rc = ERR(e, ERR_ARG, "'%.*s' is not an http or https URL", shown(url), url);
        goto out;
    }
    const char *scheme = part(u, CURLUPART_SCHEME, 0, a), *host = part(u, CURLUPART_HOST, 0, a);
    const char *path = part(u, CURLUPART_PATH, 0, a), *query = part(u, CURLUPART_QUERY, 0, a);
    if (!scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) || !host ||
        !host[0] || !str_to_i64(str_from(part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, a)), &port) ||
        port < 1)
        rc = ERR(e, ERR_ARG, "'%.*s' is not an http or https URL", shown(url), url);
    else if (part(u, CURLUPART_USER, 0, a) || part(u, CURLUPART_PASSWORD, 0, a))
        rc = ERR(e, ERR_ARG, "the URL of host '%s' has a user in it, which is not allowed", host);
    else
        *out = (struct net_url){
            .scheme = scheme,
            .host = host,
            .path =
                arena_printf(a, "%s%s%s", path ? path : "/", query ? "?" : "", query ? query : ""),
            .port = (int)port,
        };
out:
    curl_url_cleanup(u);
    return rc;
}
