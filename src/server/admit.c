/* What a request must be before anything is done for it: looked at on the event thread, as soon as
 * its headers are there and before its body is. */
#include "server/exchange.h"
#include "server/origin.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void refuse(struct request *r)
{
    r->phase = PHASE_REFUSED;
}

/* The caller's identifier, when it is one that may go into logs and headers. */
static void name_request(struct request *r)
{
    const char *given = request_header(r, "X-Request-Id");
    size_t n = given ? strlen(given) : 0;

    if (n > 0 && n < sizeof r->id &&
        strspn(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == n)
        memcpy(r->id, given, n + 1);
    else
        uuid_v7(r->id);
}

/* W3C Trace Context 3.2: version "-" 32 hex digits, not all zero, "-" ... */
static void read_trace(struct request *r)
{
    const char *parent = request_header(r, "traceparent");

    if (!parent || strlen(parent) < 55 || strncmp(parent, "ff", 2) == 0 || parent[2] != '-' ||
        strspn(parent + 3, "0123456789abcdef") != 32 || parent[35] != '-' ||
        strspn(parent + 3, "0") >= 32)
        return;
    memcpy(r->trace, parent + 3, 32);
}

/* What is looked at in every header line, in one walk. */
struct lines {
    int hosts, lengths, codings;
    bool bad_name;
};

static enum MHD_Result look_at_line(void *user, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"; /* RFC 9110 5.6.2 */
    struct lines *l = user;

    (void)kind;
    (void)value;
    l->bad_name |= !name[0] || name[strspn(name, token)];
    l->hosts += strcasecmp(name, "Host") == 0;
    l->lengths += strcasecmp(name, "Content-Length") == 0;
    l->codings += strcasecmp(name, "Transfer-Encoding") == 0;
    return MHD_YES;
}

/*
 * What another server in front of us might understand differently, so that two requests become one
 * or one becomes two (RFC 9112 3.2, 5.1, 6.1, 6.3). libmicrohttpd takes "Content-Length : 5" for a
 * header of another name, the first of two lengths, and a target up to its first NUL.
 */
static const char *misunderstanding(struct request *r, const char *length, const char *version)
{
    const char *coding = request_header(r, "Transfer-Encoding");
    struct lines l = {0};

    MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, look_at_line, &l);
    r->unframed = true;
    if (version != r->behind_target)
        return "a NUL in the request's target";
    if (l.bad_name)
        return "a header's name is letters, digits and '-'";
    if (l.codings > 1 || l.lengths > 1 || (coding && length) ||
        (coding && strcmp(version, "HTTP/1.1") != 0))
        return "the body's length is given once: by Content-Length, or it is chunked";
    if (l.hosts > 1 || (l.hosts == 0 && strcmp(version, "HTTP/1.1") == 0))
        return "a request has one Host header";
    r->unframed = false;
    return NULL;
}

static bool well_formed(struct request *r, const char *host, const char *length,
                        const char *version)
{
    const char *coding = request_header(r, "Transfer-Encoding");
    const char *wrong = misunderstanding(r, length, version);
    size_t size =
        MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;

    if (size > r->server->o.max_header_bytes) {
        respond_problem(&r->w, 431, "headers_too_large", "headers have at most %zu bytes",
                        r->server->o.max_header_bytes);
    } else if (wrong) {
        respond_problem(&r->w, 400, "bad_request", "%s", wrong);
    } else if (host && !host_valid(host)) {
        respond_problem(&r->w, 400, "bad_request", "the Host header is not a name");
    } else if (coding && strcasecmp(coding, "chunked") != 0) {
        respond_problem(&r->w, 501, "unknown_coding", "bodies may be chunked, and nothing else");
        r->unframed = true;
    } else {
        return true;
    }
    refuse(r);
    return false;
}

/* The proxy's words for what the client used, when the peer is one that we trust. */
static void find_client(struct request *r, const char *host)
{
    const struct address_list *proxies = &r->server->proxies;
    const char *scheme = NULL;
    bool trusted = address_listed(proxies, &r->connection->peer);
    struct address client = address_client(proxies, &r->connection->peer,
                                           trusted ? request_header(r, "X-Forwarded-For") : NULL);

    address_text(&client, r->address);
    r->client = client;
    if (trusted) {
        const char *given = request_header(r, "X-Forwarded-Host");
        scheme = request_header(r, "X-Forwarded-Proto");
        if (given && host_valid(given))
            host = given;
    }
    r->base_url = arena_printf(&r->arena, "%s://%s",
                               scheme && strcasecmp(scheme, "https") == 0 ? "https" : "http", host);
}

static const char *own_name(struct request *r)
{
    const char *address = r->server->o.address;

    return arena_printf(&r->arena, strchr(address, ':') ? "[%s]:%d" : "%s:%d", address,
                        r->server->port);
}

static bool within_rate(struct request *r)
{
    double wait = limits_request(r->server->limits, &r->client, r->started);

    if (wait <= 0)
        return true;
    respond_problem(&r->w, 429, "too_many_requests",
                    "at most %g requests a second are taken from one address",
                    r->server->o.requests_per_second_per_address);
    respond_header(&r->w, "Retry-After", arena_printf(&r->arena, "%.0f", ceil(wait)));
    refuse(r);
    return false;
}

/* OPTIONS: what is possible here, and to whom (CORS preflight, Fetch 3.2.2). */
static void options(struct request *r, const char *allow)
{
    respond_empty(&r->w, 204);
    respond_header(&r->w, "Allow", allow);
    if (request_header(r, "Access-Control-Request-Method")) {
        respond_header(&r->w, "Access-Control-Allow-Methods", allow);
        respond_header(&r->w, "Access-Control-Allow-Headers",
                       "Authorization, Content-Type, Idempotency-Key, If-None-Match, Prefer, "
                       "Range, X-API-Key, X-Request-Id, traceparent");
        respond_header(&r->w, "Access-Control-Max-Age", "600");
    }
    refuse(r);
}

static void find_route(struct request *r)
{
    struct http_server *s = r->server;
    struct err e;
    int rc = router_match(s->router, r->method, r->path, &r->arena, &r->match, &e);
    bool fetch = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;

    if (rc == ERR_NOT_FOUND && s->static_root >= 0) {
        if (fetch)
            return; /* respond_static looks */
        r->match.allow = "GET, HEAD, OPTIONS";
        rc = ERR_UNSUPPORTED;
    }
    if (strcmp(r->method, "OPTIONS") == 0 && r->match.allow && rc != ERR_FORMAT) {
        options(r, r->match.allow);
    } else if (rc == ERR_UNSUPPORTED) {
        respond_problem(&r->w, 405, "method_not_allowed", "%s is not for this address", r->method);
        respond_header(&r->w, "Allow", r->match.allow);
        refuse(r);
    } else if (rc) {
        answer_error(r, &e);
        refuse(r);
    } else {
        r->max_body = r->match.route->max_body;
    }
}

/* Bodies: 411, 413, 400 before a byte of one is read. */
static void check_body(struct request *r, const char *length)
{
    const struct route *route = r->match.route;
    bool chunked = request_header(r, "Transfer-Encoding") != NULL;
    uint64_t n = length ? strtoull(length, NULL, 10) : 0;

    if (n > r->max_body && r->max_body) {
        respond_problem(&r->w, 413, "body_too_large", "a body has at most %zu bytes here",
                        r->max_body);
    } else if (n > 0 && !r->max_body) {
        respond_problem(&r->w, 400, "body_not_taken", "this request takes no body");
    } else if (route && route->body_required && n == 0 && !chunked) {
        if (length)
            respond_problem(&r->w, 400, "body_missing", "this request needs a body");
        else
            respond_problem(&r->w, 411, "length_required",
                            "this request needs a body and its Content-Length");
    } else {
        return;
    }
    refuse(r);
}

void admit(struct request *r, const char *version)
{
    const char *host = request_header(r, "Host");
    const char *length = request_header(r, "Content-Length");

    name_request(r);
    read_trace(r);
    r->phase = PHASE_BODY;
    r->w.request = r;
    /* HTTP/1.0 has no Host; then no browser asks, either. */
    find_client(r, host && host_valid(host) ? host : own_name(r));
    if (!well_formed(r, host, length, version))
        return;
    if (host && !host_allowed(host, r->server->o.allowed_hosts)) {
        respond_problem(&r->w, 421, "unknown_host", "this server does not go by the name '%s'",
                        host);
        refuse(r);
    } else if (within_rate(r)) {
        if (raw_wanted(r))
            r->max_body = socketio_max_body(r->server->o.sockets);
        else
            find_route(r);
        if (r->phase == PHASE_BODY)
            check_body(r, length);
    }
}
