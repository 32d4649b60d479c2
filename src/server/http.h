/*
 * http.h: the HTTP server: requests in, responses out, over libmicrohttpd.
 *
 *   static int show(struct request *r, struct response *w, struct err *e)
 *   {
 *       const char *id = request_param(r, "id");
 *       ...
 *       return respond_json(w, 200, object);
 *   }
 *   struct http_options o = http_options();
 *   o.routes = routes; o.route_count = n; o.context = app; o.identify = identify;
 *   if (http_start(&o, &server, &e)) ...
 *   http_stop(server, 10.0);
 *
 * libmicrohttpd's epoll threads own the sockets and never block. A request that is complete is
 * suspended and given to a bounded pool of worker threads; the handler runs there, top to bottom,
 * may use the database and files, and fills the response; then the connection goes on. Requests
 * beyond the pool's queue are answered 503 with Retry-After.
 *
 * Errors: a handler returns 0 after filling the response, or a negative code with e filled; the
 * server makes a problem (RFC 9457) of it: ERR_ARG 422, ERR_FORMAT 400, ERR_NOT_FOUND 404,
 * ERR_UNSUPPORTED 422, ERR_CONFLICT 409, ERR_DENIED 403, ERR_NETWORK 503, ERR_CANCELLED 499-like
 * 503, the rest 500 (logged; the message is not shown).
 * Threads: a request and its response belong to the handler's thread until it returns.
 * Ownership: everything in a request lives in its arena, until the response is sent.
 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/uuid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;
struct response;
struct http_server;
struct schema; /* schema.h */

enum role { ROLE_PUBLIC, ROLE_VIEWER, ROLE_EDITOR, ROLE_ADMIN };

/* Who asks. Filled by http_options.identify from cookie, key or address. */
struct identity {
    char user_id[UUID_TEXT]; /* "" when nobody is known */
    char user_name[65];
    enum role role;      /* ROLE_PUBLIC when nobody is known */
    bool by_key;         /* an API key, so no Origin check */
    char session_id[65]; /* of the session row, "" without one */
    char key_id[UUID_TEXT];
    uint32_t scopes; /* of a key: bit i is http_options.scopes[i]; all ones without a key */
};

/* How the errors of an operation are written: RFC 9457, or as the clients of a foreign API know
 * them: OpenAI's {"error": {...}}, FastAPI's {"detail": ...}. Counts for the server's own errors
 * (who asks, limits, schemas) as for those of handlers. */
enum error_shape { ERRORS_PROBLEM, ERRORS_OPENAI, ERRORS_DETAIL };

/* One operation of api/openapi.yaml; generated (tools/openapi). */
struct route {
    const char *method;         /* "GET" */
    const char *path;           /* "/api/v1/generations/{id}" */
    const char *operation;      /* "get_generation" */
    enum role role;             /* the least that may call it */
    const char *scope;          /* that an API key needs: "read", "write", "admin"; NULL: none */
    size_t max_body;            /* bytes; 0: no body is taken */
    bool body_required;         /* a request without one is refused */
    const struct schema *body;  /* of JSON; NULL: any bytes (multipart, or none) */
    const struct schema *query; /* an object schema over the query parameters, texts converted */
    enum error_shape errors;
    int (*handle)(struct request *r, struct response *w, struct err *e);
};

/* ==== requests ==== */

void *request_context(const struct request *r); /* http_options.context */
struct arena *request_arena(struct request *r);
const struct identity *request_identity(const struct request *r);
const struct route *request_route(const struct request *r);
const char *request_id(const struct request *r);       /* of X-Request-Id, else a UUID */
const char *request_address(const struct request *r);  /* of the client, "127.0.0.1" */
const char *request_base_url(const struct request *r); /* "http://localhost:8000", of Host and
                                                          trusted X-Forwarded-* */
const char *request_header(const struct request *r, const char *name); /* NULL when absent */
const char *request_param(const struct request *r, const char *name);  /* of the path; decoded */
const char *request_cookie(const struct request *r, const char *name); /* NULL when absent */
struct str request_body(const struct request *r);                      /* the raw bytes */
/* The body, read and checked by the route's schema with defaults filled in; borrowed. NULL when the
 * route takes none or it was absent and is not required. */
json_t *request_json(const struct request *r);
/* The query parameters as an object, checked, defaults filled in; lists are arrays. */
json_t *request_query(const struct request *r);

struct form_part {
    const char *name, *filename, *type; /* filename and type may be NULL */
    struct str value;
};
/* multipart/form-data and urlencoded bodies. */
WARN_UNUSED_RESULT int request_form(struct request *r, struct form_part **out, size_t *count,
                                    struct err *e);
/* The client has gone; long handlers look now and then. */
bool request_gone(const struct request *r);
/* Run `call` when the response has been sent or given up, on a thread that must not block. */
void request_at_end(struct request *r, void (*call)(void *), void *user);

/* ==== responses: each returns 0, so that handlers end with `return respond_...` ==== */

void respond_header(struct response *w, const char *name, const char *value);
void respond_cookie(struct response *w, const char *name, const char *value, int64_t max_age_s,
                    bool secure); /* HttpOnly, SameSite=Lax, Path=/; max_age 0 removes it */
/* Takes over the reference to `body`. */
int respond_json(struct response *w, unsigned status, json_t *body);
int respond_empty(struct response *w, unsigned status);
/* Copies the bytes. */
int respond_bytes(struct response *w, unsigned status, const char *type, struct str bytes);
/* A file, sent without a copy, with ranges (RFC 9110 14) and If-None-Match / If-Range against
 * `etag` (quoted; NULL: none). `max_age` seconds of caching; immutable when it is a year. Takes
 * over the file descriptor in every case. */
int respond_file(struct response *w, int fd, const char *type, const char *etag, int64_t max_age);
/* 304 when the request's If-None-Match holds `etag`; true when it answered. `length`: of the body
 * that is not sent; 0: not known, which costs the connection. */
bool respond_not_modified(const struct request *r, struct response *w, const char *etag,
                          int64_t max_age, uint64_t length);

/* The file of static_root that the request's path names; what GET of a path without a route is
 * answered. ERR_NOT_FOUND: there is none, or no static_root. */
WARN_UNUSED_RESULT int respond_static(struct request *r, struct response *w, struct err *e);

/* A body made while it is sent (server-sent events, exports): `next` fills at most n bytes and
 * returns how many, 0 to be asked again later (the server waits `pause` seconds), -1 at the end, -2
 * when it cannot go on (the connection breaks off, so that the client sees that something is
 * missing). It runs on the worker pool, which is free during the pauses. `release` is called once,
 * in every case, on any thread; it must not block. A server that stops ends a stream at its next
 * pause. */
struct stream {
    const char *type;
    double pause;
    void *user;
    long (*next)(void *user, char *out, size_t n);
    void (*release)(void *user);
};
int respond_stream(struct response *w, unsigned status, const struct stream *s);

/* Answer later, without holding a worker while waiting ("Prefer: wait=N"):
 *
 *   struct later l = respond_later(r, w, 20.0, finished, generation);
 *   ... keep l where the end of the work is noticed, which calls later_finish(l) ...
 *   return 0;
 *
 * `go_on` runs on the worker pool as a second handler of the request, exactly once: after
 * later_finish, after `seconds`, when the client has gone, or when the server stops; which of
 * these, it sees at the thing that it waited for and by request_gone(). It may wait again. When the
 * handler itself returns an error, that is answered and go_on is not called. Only bytes and the
 * connection are kept meanwhile: ten thousand may wait. */
struct later {
    struct http_server *server;
    uint64_t ticket;
};
struct later respond_later(struct request *r, struct response *w, double seconds,
                           int (*go_on)(struct request *r, struct response *w, void *user,
                                        struct err *e),
                           void *user);
/* Any thread, as often as one likes, also when the wait is over or go_on has returned: then it does
 * nothing. Until http_stop. */
void later_finish(struct later l);

/* RFC 9457. `code` is a short stable word ("model_not_found"), the last part of the type's URL;
 * detail says what to do. */
int respond_problem(struct response *w, unsigned status, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* More members of the problem, e.g. "errors" or "models"; takes over the reference. After
 * respond_problem. */
void problem_add(struct response *w, const char *name, json_t *value);
/* One bad field: pointer as RFC 6901 ("/steps"), what was expected. After respond_problem. */
void problem_field(struct response *w, const char *pointer, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* ==== the server ==== */

struct http_options {
    const char *address; /* "127.0.0.1", "::", ...; "127.0.0.1" by default */
    int port;            /* 0: any free one */
    int event_threads;   /* that own the sockets */
    int workers;         /* handler threads */
    int queue;           /* requests that may wait for one */
    int max_connections, max_connections_per_address;
    double requests_per_second_per_address; /* a token bucket with burst of 2 s; 0: no limit */
    double header_seconds;                  /* absolute, from the connection's start */
    double body_seconds;                    /* absolute, from the end of the headers */
    double idle_seconds;                    /* between requests of a connection */
    size_t max_header_bytes;
    size_t max_buffered_bytes; /* of all request bodies together; 503 beyond */
    const char *const *scopes; /* NULL-ended: the name of each bit of identity.scopes */
    const char
        *trusted_proxies; /* comma-separated addresses whose X-Forwarded-* count; NULL: none */
    const char *allowed_origins; /* comma-separated; beside the server's own; NULL: none; "*": any
                                    may read without cookies */
    const char *static_root;     /* files served for GET of paths no route has; NULL: none */
    const char *allowed_hosts;   /* comma-separated Host values (DNS rebinding); NULL: any */

    const struct route *routes;
    size_t route_count;
    void *context;
    /* Who asks: 0 also when nobody is known. */
    int (*identify)(struct request *r, struct identity *out, struct err *e);
    /* Requests below /socket.io/ go there (raw.h); NULL: they are not found. */
    struct socketio *sockets;
    /* After every response, for metrics and logs, on an event thread: it must not block. status 0:
     * the client left before there was one. */
    void (*finished)(void *context, const struct request *r, unsigned status, double seconds,
                     int64_t bytes);
};
struct http_options http_options(void); /* the defaults */

WARN_UNUSED_RESULT int http_start(const struct http_options *o, struct http_server **out,
                                  struct err *e);
int http_port(const struct http_server *s);
/* Take no connections, let requests in progress finish for at most `seconds`, close. What still
 * waits or streams then is cut off; handlers that still run see request_gone() and are waited for.
 * After socketio_stop. */
void http_stop(struct http_server *s, double seconds);

#endif
