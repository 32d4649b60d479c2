/*
 * hub_http.h: the requests behind hub.h. Redirects are followed here, not by libcurl, so that each
 * hop can be checked.
 *
 *   struct hub_http *http;
 *   if (hub_http_new(hub, &http, e)) ...
 *   struct buf body;
 *   buf_init(&body, 1 << 20);
 *   rc = hub_http_get(http, url, &body, e);
 *   hub_http_free(http);
 *
 * ERR_NETWORK means that the same request may work later: no connection, a cut, 429 or 5xx.
 * Threads: one at a time per struct hub_http.
 */
#ifndef MODELS_HUB_HTTP_H
#define MODELS_HUB_HTTP_H

#include "base/buf.h"
#include "models/hub.h"

struct hub_http;

/* What the server says about a file before it is fetched. */
struct hub_meta {
    char etag[129]; /* SHA-256 of a large file, git's SHA-1 of a small one; [0-9A-Za-z._-] */
    int64_t size;
};

WARN_UNUSED_RESULT int hub_http_new(const struct model_hub *hub, struct hub_http **out,
                                    struct err *e);
void hub_http_free(struct hub_http *http);

/* The whole body, at most as much as the buffer takes. */
WARN_UNUSED_RESULT int hub_http_get(struct hub_http *http, const char *url, struct buf *body,
                                    struct err *e);
WARN_UNUSED_RESULT int hub_http_meta(struct hub_http *http, const char *url, struct hub_meta *out,
                                     struct err *e);
/* Append what fd lacks of a file of `size` bytes; fd holds its first *have bytes. *have follows the
 * file also when the connection breaks; it goes back to 0 when the server cannot resume. */
WARN_UNUSED_RESULT int hub_http_fetch(struct hub_http *http, const char *url, int fd, int64_t size,
                                      int64_t *have, struct err *e);
/* Told how many bytes of the current fetch's file are there. */
void hub_http_on_bytes(struct hub_http *http, void (*tell)(void *context, int64_t have),
                       void *context);

/* "scheme://host:port" of both are the same. */
bool hub_same_origin(const char *url, const char *other);

#endif
