/*
 * exchange.h: what a connection, a request and a response are inside the server. Private to the
 * HTTP half of this room; handlers see http.h.
 *
 * The life of a request, and whose it is:
 *   event thread   on_uri (the first line is there) -> admit() (the headers are) -> body bytes ->
 *                  the connection is suspended, the request goes to the pool
 *   worker         work(): who asks, may they, is the body good, the handler; response_seal() makes
 *                  libmicrohttpd's response; exchange_resume() gives it back
 *   event thread   the response is queued and sent; on_completed() frees everything
 * One thread at a time has it; the pool's and libmicrohttpd's locks hand it over.
 */
#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

#include "base/buf.h"
#include "base/log.h"
#include "server/address.h"
#include "server/http.h"
#include "server/limits.h"
#include "server/pool.h"
#include "server/raw.h"
#include "server/router.h"
#include "server/watch.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

/* One TCP connection, from accept to close; a list of all is kept for the deadlines. */
struct connection {
    struct http_server *server;
    struct connection *next, **link;
    struct address peer;
    int fd;
    struct account *account; /* NULL: not counted */
    _Atomic double deadline; /* clock_seconds when the socket is shut down; 0: never */
    _Atomic bool idle;       /* between requests */
};

enum body_kind { BODY_UNSET, BODY_EMPTY, BODY_BYTES, BODY_FILE, BODY_STREAM };

struct header {
    const char *name, *value;
    struct header *next;
};

struct response {
    struct request *request;
    unsigned status;
    struct header *headers;
    enum body_kind kind;
    const char *type; /* NULL: none */
    char *bytes;      /* malloc'd */
    size_t n;
    int fd;
    uint64_t offset, length; /* of the file; of a 304: 0 when it is not known */
    json_t *problem;
    struct stream stream;
};

struct at_end {
    void (*call)(void *user);
    void *user;
    struct at_end *next;
};

enum phase {
    PHASE_HEADERS, /* the first call of libmicrohttpd is still to come */
    PHASE_ASKED,   /* suspended: a worker finds out who wants to send so much */
    PHASE_BODY,
    PHASE_REFUSED, /* the response is in w; the body is read away */
    PHASE_LINGER,  /* answered on the socket; what comes is thrown away */
    PHASE_WORK,    /* suspended */
    PHASE_DONE,    /* sealed */
};

/* Of a request that waits: which of two events came; the second one goes on. */
enum { LATER_WOKEN = 1, LATER_RETURNED = 2 };

struct request {
    struct http_server *server;
    struct connection *connection;
    struct MHD_Connection *mhd;
    struct arena arena;
    enum phase phase;
    double started;
    _Atomic bool gone;

    const char *method;
    struct str path, query;    /* as sent */
    const char *behind_target; /* where the library's version text begins */
    char id[65], trace[33];
    struct address client;
    char address[ADDRESS_TEXT];
    const char *base_url;
    struct route_match match;
    struct identity identity;
    bool identified;
    struct buf body;
    size_t max_body;
    size_t discarded;
    bool unframed; /* nobody knows where the body ends */
    json_t *json, *parameters;

    struct response w;
    struct MHD_Response *sealed;
    bool streaming;
    int64_t sent; /* bytes of the body */
    struct at_end *ends;
    struct job job;
    struct raw *raw; /* of the Socket.IO door; owned by raw.c */

    uint64_t later; /* ticket, 0: none */
    _Atomic int later_state;
    struct err later_error;
    bool later_failed;
    int (*go_on)(struct request *r, struct response *w, void *user, struct err *e);
    void *go_on_user;
};

struct http_server {
    struct http_options o;
    struct arena arena; /* copies of the options' texts */
    struct router *router;
    struct pool *pool;
    struct watch *watch;
    struct limits *limits;
    struct address_list proxies;
    struct MHD_Daemon *mhd;
    int port, static_root;

    pthread_mutex_t lock; /* of the list */
    pthread_cond_t changed;
    struct connection *connections;
    int open;                  /* connections, upgraded ones too */
    _Atomic int active;        /* requests that have begun */
    _Atomic int suspended;     /* connections that a thread of ours must resume */
    _Atomic bool stopping;     /* the last answers are given */
    _Atomic bool cancelled;    /* nothing is waited for any more */
    _Atomic size_t body_bytes; /* buffered, of all requests */
    double swept;              /* when limits_sweep ran; of the watch's thread */
};

/* ==== admit.c: on the event thread, when the headers are there ==== */

/* Fill r from the headers; refuse (a problem in r->w, phase PHASE_REFUSED) what must not go on.
 * `version`: as the library has it, a pointer into the request line. */
void admit(struct request *r, const char *version);

/* ==== dispatch.c: on the workers ==== */

void dispatch(void *user); /* a job's run, of a request */
/* The same for who asks and whether they may, before a large body is read; a refusal is in r->w. */
void dispatch_early(void *user);
/* Fill r->identity. */
WARN_UNUSED_RESULT int identify(struct request *r, struct err *e);
/* Put a problem made of `code` and e into r->w. */
void answer_error(struct request *r, const struct err *e);

/* ==== exchange.c: libmicrohttpd's callbacks ==== */

void *on_uri(void *user, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result on_access(void *user, struct MHD_Connection *mhd, const char *url,
                          const char *method, const char *version, const char *bytes, size_t *n,
                          void **context);
void on_completed(void *user, struct MHD_Connection *mhd, void **context,
                  enum MHD_RequestTerminationCode why);

/* Seal the response and let the connection go on; r is the event thread's again. */
void exchange_resume(struct request *r);
/* Let the connection go on without anything sealed: a stream has bytes. */
void exchange_continue(struct request *r);
/* Count one more that must be resumed; false when the server ends and it must not be suspended. */
bool suspended_add(struct http_server *s);
void suspended_drop(struct http_server *s);

/* ==== connection.c ==== */

void on_connection(void *user, struct MHD_Connection *mhd, void **context,
                   enum MHD_ConnectionNotificationCode what);
void on_tick(void *user); /* deadlines */
/* No longer in the list and counts. */
void connection_forget(struct connection *c);

/* ==== response.c, seal.c ==== */

void response_clear(struct response *w); /* drop the body and problem, keep the headers */
void response_release(struct response *w);
/* Of everything in w; never NULL unless memory has ended. */
struct MHD_Response *response_seal(struct request *r);
/* The same as it goes over the wire, for a connection that libmicrohttpd does not answer; of a
 * problem or bytes. */
void response_text(struct request *r, struct buf *out);
/* The problem as bytes; the other bodies are left as they are. */
void problem_finish(struct response *w);
const char *status_title(unsigned status);

/* ==== stream.c ==== */
struct MHD_Response *stream_response(struct request *r, const struct stream *s);

/* ==== later.c ==== */
/* After a handler: true when the request waits and is nobody's to touch any more. */
bool later_armed(struct request *r, int rc, const struct err *e);

/* ==== raw.c ==== */
/* Is it below /socket.io/? */
bool raw_wanted(const struct request *r);
/* The whole body is there: find out who asks, tell socketio. On the event thread, suspended. */
void raw_begin(struct request *r);
void raw_end(struct request *r); /* of a request that is being freed */

#endif
