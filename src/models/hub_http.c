#include "models/hub_http.h"

#include "net/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MAX_REDIRECTS = 5, CONNECT_SECONDS = 20, STALL_SECONDS = 30, STALL_BYTES = 16 };

struct hub_http {
    const struct model_hub *hub;
    CURL *curl;
    struct curl_slist *bearer; /* the Authorization header, NULL without a token */
    void (*tell)(void *context, int64_t have);
    void *context;
};

/* What one response said. */
struct answer {
    long status;
    char etag[160], linked_etag[160];
    int64_t linked_size, length, range_from;
};

/* One request: where the body goes, and what came back. */
struct call {
    struct hub_http *http;
    struct answer answer;
    struct buf *body; /* NULL: not kept */
    int fd;           /* -1: not written */
    int64_t have, size;
    bool started;
    int rc;
    struct err *e;
};

/* ============================== Addresses ============================== */

static bool origin(const char *url, char *out, size_t room)
{
    CURLU *u = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL;
    bool good = u && !curl_url_set(u, CURLUPART_URL, url, 0) &&
                !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
                !curl_url_get(u, CURLUPART_HOST, &host, 0) &&
                !curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (good) {
        int n = snprintf(out, room, "%s://%s:%s", scheme, host, port);
        good = n > 0 && (size_t)n < room;
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return good;
}

bool hub_same_origin(const char *url, const char *other)
{
    char a[512], b[512];
    return origin(url, a, sizeof a) && origin(other, b, sizeof b) && strcasecmp(a, b) == 0;
}

/* ============================== Callbacks ============================== */

/* `value` of "name: value\r\n" when the line has that name; quotes and W/ of an ETag removed. */
static bool header(const char *line, size_t n, const char *name, char *out, size_t room)
{
    size_t k = strlen(name);

    if (n <= k || strncasecmp(line, name, k) != 0 || line[k] != ':')
        return false;
    const char *p = line + k + 1, *end = line + n;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && strchr("\r\n \t", end[-1]))
        end--;
    if (end - p > 2 && strncmp(p, "W/", 2) == 0)
        p += 2;
    if (end - p >= 2 && *p == '"' && end[-1] == '"')
        p++, end--;
    if ((size_t)(end - p) >= room)
        end = p; /* too long to be true: as if it were empty */
    memcpy(out, p, (size_t)(end - p));
    out[end - p] = 0;
    return true;
}

static size_t on_header(char *line, size_t size, size_t n, void *context)
{
    struct answer *a = &((struct call *)context)->answer;
    char text[160];
    struct str rest;

    n *= size;
    if (n > 5 && strncmp(line, "HTTP/", 5) == 0)
        *a = (struct answer){.linked_size = -1, .length = -1, .range_from = -1};
    else if (header(line, n, "etag", a->etag, sizeof a->etag) ||
             header(line, n, "x-linked-etag", a->linked_etag, sizeof a->linked_etag))
        ;
    else if (header(line, n, "x-linked-size", text, sizeof text))
        (void)str_to_i64(str_from(text), &a->linked_size);
    else if (header(line, n, "content-length", text, sizeof text))
        (void)str_to_i64(str_from(text), &a->length);
    else if (header(line, n, "content-range", text, sizeof text)) {
        struct str from;
        rest = str_from(text);
        if (str_skip(&rest, "bytes ") && str_cut(&rest, '-', &from))
            (void)str_to_i64(from, &a->range_from);
    }
    return n;
}

static int write_bytes(struct call *c, const char *p, size_t n)
{
    if ((int64_t)n > c->size - c->have)
        return ERR(c->e, ERR_FORMAT, "the server sends more than the %lld bytes it announced",
                   (long long)c->size);
    while (n) {
        ssize_t done = pwrite(c->fd, p, n, c->have);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return ERR(c->e, ERR_IO, "cannot write: %s", strerror(errno));
        p += done;
        n -= (size_t)done;
        c->have += done;
    }
    if (c->http->tell)
        c->http->tell(c->http->context, c->have);
    return 0;
}

/* The first byte of a file: does it come from where we want to go on? */
static void start_writing(struct call *c)
{
    c->started = true;
    if (c->answer.status == 200)
        c->have = 0; /* a server that cannot resume sends all of it */
    else if (c->answer.range_from != c->have)
        c->rc = ERR(c->e, ERR_FORMAT, "asked for the bytes from %lld on, the server sends %lld on",
                    (long long)c->have, (long long)c->answer.range_from);
}

static size_t on_body(char *p, size_t size, size_t n, void *context)
{
    struct call *c = context;

    n *= size;
    curl_easy_getinfo(c->http->curl, CURLINFO_RESPONSE_CODE, &c->answer.status);
    if (c->answer.status != 200 && c->answer.status != 206)
        return n; /* an error page, or the text of a redirect */
    if (c->body && buf_add(c->body, p, n))
        c->rc = ERR(c->e, ERR_FORMAT, "the answer has more than %zu bytes", c->body->max);
    if (c->fd >= 0 && !c->started)
        start_writing(c);
    if (c->fd >= 0 && !c->rc)
        c->rc = write_bytes(c, p, n);
    return c->rc ? 0 : n;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct model_hub *hub = ((struct call *)context)->http->hub;
    (void)a, (void)b, (void)c, (void)d;
    return model_watch_stopped(&hub->watch);
}

/* ============================== One request ============================== */

static int status_error(const struct call *c, const char *url)
{
    long status = c->answer.status;

    if (status == 401 || status == 403)
        return ERR(c->e, ERR_NOT_FOUND,
                   "'%s' answers %ld: it does not exist, or HF_TOKEN must be set to a token that "
                   "may read it",
                   url, status);
    if (status == 404)
        return ERR(c->e, ERR_NOT_FOUND,
                   "'%s' answers 404: there is no such model, revision or file", url);
    if (status == 429 || status == 416 || status >= 500)
        return ERR(c->e, ERR_NETWORK, "'%s' answers %ld; try again later", url, status);
    return ERR(c->e, ERR_FORMAT, "'%s' answers %ld, which is not what a model hub says", url,
               status);
}

static int curl_error(const struct call *c, CURLcode code, const char *url)
{
    if (c->rc) /* a callback stopped it, and said why */
        return err_prefix(c->e, "'%s'", url);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return ERR(c->e, ERR_CANCELLED, "interrupted");
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_UNSUPPORTED_PROTOCOL ||
        code == CURLE_URL_MALFORMAT)
        return ERR(c->e, ERR_IO, "cannot reach '%s': %s", url, curl_easy_strerror(code));
    return ERR(c->e, ERR_NETWORK, "cannot fetch '%s': %s", url, curl_easy_strerror(code));
}

static void set_up(struct call *c, const char *url, bool head)
{
    CURL *curl = c->http->curl;
    bool ours = hub_same_origin(url, c->http->hub->endpoint);

    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "cauldron");
    curl_easy_setopt(curl, CURLOPT_NOBODY, head ? 1L : 0L);
    /* A compressed transfer would have another length than the file. */
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "identity");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
    if (ours && c->http->bearer)
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, c->http->bearer);
    if (c->fd >= 0 && c->have > 0) {
        /* Not RESUME_FROM, which fails when the server sends the whole file again. */
        char range[32];
        snprintf(range, sizeof range, "%lld-", (long long)c->have);
        curl_easy_setopt(curl, CURLOPT_RANGE, range);
    }
}

/* The next address of a redirect, in the arena; an error when it must not be followed. */
static int next_hop(struct call *c, const char *url, struct arena *a, const char **out)
{
    char *next = NULL;

    curl_easy_getinfo(c->http->curl, CURLINFO_REDIRECT_URL, &next);
    if (!next)
        return ERR(c->e, ERR_FORMAT, "'%s' redirects to nowhere", url);
    if (strncasecmp(url, "https:", 6) == 0 && strncasecmp(next, "https:", 6) != 0)
        return ERR(c->e, ERR_FORMAT, "'%s' redirects to an address without encryption", url);
    *out = arena_strdup(a, next);
    return 0;
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Whether the list of hosts lets us ask there. */
static int check_host(const struct call *c, const char *url)
{
    struct arena a = {0};
    struct net_url parts;
    int rc = 0;

    if (c->http->hub->egress && net_url_read(url, &a, &parts, c->e))
        c->e->code = rc = ERR_IO; /* a redirect is nobody's argument */
    else if (c->http->hub->egress)
        rc = egress_check(c->http->hub->egress, parts.host, parts.port, c->e);
    arena_release(&a);
    return rc;
}

/* Perform it, hop by hop. A HEAD request stops at a redirect that already says what the file is, or
 * that leaves the hub: huggingface_hub does the same. */
static int perform(struct call *c, const char *url, bool head)
{
    struct arena a = {0};
    int rc = 0;

    for (int hops = 0;; hops++) {
        c->answer = (struct answer){.linked_size = -1, .length = -1, .range_from = -1};
        if ((rc = check_host(c, url)))
            break;
        set_up(c, url, head);
        CURLcode code = curl_easy_perform(c->http->curl);
        curl_easy_getinfo(c->http->curl, CURLINFO_RESPONSE_CODE, &c->answer.status);
        if (code == CURLE_ABORTED_BY_CALLBACK ||
            (code != CURLE_OK && (c->rc || c->answer.status < 300))) {
            rc = curl_error(c, code, url);
            break;
        }
        if (!is_redirect(c->answer.status)) {
            if (c->answer.status != 200 && c->answer.status != 206)
                rc = status_error(c, url);
            break;
        }
        if (head && c->answer.linked_etag[0])
            break;
        if (hops == MAX_REDIRECTS) {
            rc = ERR(c->e, ERR_FORMAT, "'%s' redirects more than %d times", url, MAX_REDIRECTS);
            break;
        }
        if ((rc = next_hop(c, url, &a, &url)))
            break;
    }
    arena_release(&a);
    return rc;
}

/* ============================== What the rest calls ============================== */

int hub_http_new(const struct model_hub *hub, struct hub_http **out, struct err *e)
{
    struct hub_http *http = calloc(1, sizeof *http);
    struct arena a = {0};
    int rc = 0;

    if (!http || !(http->curl = curl_easy_init())) {
        hub_http_free(http);
        return ERR(e, ERR_NOMEM, "no memory for a connection");
    }
    http->hub = hub;
    if (hub->token) {
        http->bearer =
            curl_slist_append(NULL, arena_printf(&a, "Authorization: Bearer %s", hub->token));
        if (!http->bearer)
            rc = ERR(e, ERR_NOMEM, "no memory for a connection");
    }
    arena_release(&a);
    if (rc)
        hub_http_free(http);
    else
        *out = http;
    return rc;
}

void hub_http_free(struct hub_http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->bearer);
    free(http);
}

int hub_http_get(struct hub_http *http, const char *url, struct buf *body, struct err *e)
{
    struct call c = {.http = http, .body = body, .fd = -1, .e = e};
    return perform(&c, url, false);
}

int hub_http_meta(struct hub_http *http, const char *url, struct hub_meta *out, struct err *e)
{
    struct call c = {.http = http, .fd = -1, .e = e};
    int rc = perform(&c, url, true);
    const struct answer *a = &c.answer;
    const char *etag = a->linked_etag[0] ? a->linked_etag : a->etag;
    int64_t size = a->linked_size >= 0 ? a->linked_size : a->length;

    if (rc)
        return rc;
    /* It becomes a file's name. */
    if (!etag[0] || etag[0] == '.' || strlen(etag) >= sizeof out->etag ||
        etag[strspn(etag, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-")])
        return ERR(e, ERR_FORMAT, "'%s': the server gives no usable ETag ('%s')", url, etag);
    if (size < 0)
        return ERR(e, ERR_FORMAT, "'%s': the server gives no size", url);
    *out = (struct hub_meta){.size = size};
    memcpy(out->etag, etag, strlen(etag));
    return 0;
}

int hub_http_fetch(struct hub_http *http, const char *url, int fd, int64_t size, int64_t *have,
                   struct err *e)
{
    struct call c = {.http = http, .fd = fd, .have = *have, .size = size, .e = e};
    int rc = perform(&c, url, false);

    *have = c.answer.status == 416 ? 0 : c.have;
    if (rc == 0 && *have < size)
        return ERR(e, ERR_NETWORK, "'%s' ends after %lld of %lld bytes", url, (long long)*have,
                   (long long)size);
    return rc;
}

void hub_http_on_bytes(struct hub_http *http, void (*tell)(void *context, int64_t have),
                       void *context)
{
    http->tell = tell;
    http->context = context;
}
