/* From a struct response to libmicrohttpd's, with the headers that every response has. */
#include "server/exchange.h"
#include "server/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a browser may do with our answers. Pages load their own files only; pictures may also be
 * made by scripts (blob:) or stand in the page (data:). Nobody may frame them. */
static const struct {
    const char *name, *value;
} defaults[] = {
    {"Content-Security-Policy",
     "default-src 'self'; img-src 'self' blob: data:; worker-src 'self' blob:; object-src 'none'; "
     "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
};

const char *status_title(unsigned status)
{
    return MHD_get_reason_phrase_for(status);
}

static bool has(const struct response *w, const char *name)
{
    for (const struct header *h = w->headers; h; h = h->next)
        if (strcasecmp(h->name, name) == 0)
            return true;
    return false;
}

typedef void add_header(void *to, const char *name, const char *value);

/* CORS (Fetch 3.2): origins named in the list may read answers, with their cookies; with "*" in it
 * everybody may without. True when this one may. */
static bool cross_origin(struct request *r, add_header *add, void *to)
{
    const char *origin = request_header(r, "Origin"), *list = r->server->o.allowed_origins;

    if (!list)
        return false;
    add(to, "Vary", "Origin");
    if (!origin || !origin_allowed(origin, NULL, list))
        return false;
    bool named = origin_named(origin, NULL, list);
    add(to, "Access-Control-Allow-Origin", named ? origin : "*");
    if (named)
        add(to, "Access-Control-Allow-Credentials", "true");
    add(to, "Access-Control-Expose-Headers",
        "X-Request-Id, Retry-After, Location, ETag, Content-Disposition");
    add(to, "Cross-Origin-Resource-Policy", "cross-origin");
    return true;
}

static void each_header(struct request *r, add_header *add, void *to)
{
    const struct response *w = &r->w;
    bool shared = cross_origin(r, add, to);

    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (!has(w, defaults[i].name) &&
            !(shared && strcmp(defaults[i].name, "Cross-Origin-Resource-Policy") == 0))
            add(to, defaults[i].name, defaults[i].value);
    add(to, "X-Request-Id", r->id);
    if (strncmp(request_base_url(r), "https:", 6) == 0)
        add(to, "Strict-Transport-Security", "max-age=31536000");
    if (w->type)
        add(to, "Content-Type", w->type);
    if (!has(w, "Cache-Control"))
        add(to, "Cache-Control", "no-store");
    for (const struct header *h = w->headers; h; h = h->next)
        add(to, h->name, h->value);
    if (r->server->stopping || r->phase == PHASE_LINGER)
        add(to, "Connection", "close");
}

static void add_to_response(void *to, const char *name, const char *value)
{
    MHD_add_response_header(to, name, value);
}

static ssize_t nothing(void *user, uint64_t at, char *out, size_t most)
{
    (void)user;
    (void)at;
    (void)out;
    (void)most;
    return MHD_CONTENT_READER_END_OF_STREAM;
}

/* A 304 says how long the body would have been, or nothing about it: 0 would be wrong (RFC 9110
 * 8.6). Where the length is not known libmicrohttpd would call the missing body chunked and send
 * its end, which the client takes for the next answer; HTTP/1.0 knows no chunks, and the connection
 * ends. */
static struct MHD_Response *not_modified(const struct response *w)
{
    struct MHD_Response *m = MHD_create_response_from_callback(
        w->length ? w->length : MHD_SIZE_UNKNOWN, 1024, nothing, NULL, NULL);

    if (m && !w->length)
        MHD_set_response_options(m, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
    return m;
}

static struct MHD_Response *body(struct request *r)
{
    struct response *w = &r->w;
    struct MHD_Response *m = NULL;

    switch (w->kind) {
    case BODY_BYTES:
        m = MHD_create_response_from_buffer(w->n, w->bytes, MHD_RESPMEM_MUST_FREE);
        r->sent = (int64_t)w->n;
        if (m)
            w->bytes = NULL;
        break;
    case BODY_FILE:
        m = MHD_create_response_from_fd_at_offset64(w->length, w->fd, w->offset);
        r->sent = (int64_t)w->length;
        if (m)
            w->kind = BODY_EMPTY; /* the file descriptor is the response's */
        break;
    case BODY_STREAM:
        m = stream_response(r, &w->stream);
        r->streaming = true;
        if (m)
            w->kind = BODY_EMPTY;
        break;
    case BODY_UNSET:
    case BODY_EMPTY:
        m = w->status == 304 ? not_modified(w)
                             : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        break;
    }
    return m;
}

struct MHD_Response *response_seal(struct request *r)
{
    problem_finish(&r->w);
    struct MHD_Response *m = body(r);
    if (m)
        each_header(r, add_to_response, m);
    return m;
}

static void add_to_text(void *to, const char *name, const char *value)
{
    (void)!buf_addf(to, "%s: %s\r\n", name, value);
}

void response_text(struct request *r, struct buf *out)
{
    struct response *w = &r->w;

    problem_finish(w);
    (void)!buf_addf(out, "HTTP/1.1 %u %s\r\nContent-Length: %zu\r\n", w->status,
                    status_title(w->status), w->n);
    each_header(r, add_to_text, out);
    (void)!buf_add(out, "\r\n", 2);
    (void)!buf_add(out, w->bytes, w->n);
}
