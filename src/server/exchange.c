/* One request after the other on a connection: what libmicrohttpd tells us on its event threads,
 * and how workers give a connection back to them. */
#include "server/exchange.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* A refused request's body is read away up to here, so that the connection can go on. */
enum { READ_AWAY = 65536 };
/* Beyond it, or when the body is too large, the answer goes out first and what comes is thrown away
 * for a while: closing at once would reset the connection, and the client might lose the answer. */
enum { LINGER_BYTES = 4 << 20 };
static const double linger_seconds = 5.0;
/* Who wants to send more than this must be known before it is read. */
enum { SMALL_BODY = 65536 };
/* Whoever reads an answer more slowly than this is not waited for. */
static const double slowest_reader = 16384.0; /* bytes a second */

/* ==== begin and end ==== */

/* "http://host/path" and "/path" (RFC 9112 3.2.1, 3.2.2): the part from the path on. */
static struct str origin_form(struct str target)
{
    struct str rest = target;

    if (!str_skip(&rest, "http://") && !str_skip(&rest, "https://"))
        return target;
    const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
    return slash ? (struct str){slash, rest.n - (size_t)(slash - rest.p)} : STR("/");
}

void *on_uri(void *user, const char *uri, struct MHD_Connection *mhd)
{
    struct http_server *s = user;
    struct connection *c =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct request *r = c ? calloc(1, sizeof *r) : NULL;

    if (!r)
        return NULL;
    r->server = s;
    r->connection = c;
    r->mhd = mhd;
    r->w.request = r;
    r->started = clock_seconds();
    r->query = origin_form(str_from(arena_strdup(&r->arena, uri ? uri : "")));
    if (!str_cut(&r->query, '?', &r->path))
        r->path = STR("");
    r->behind_target = uri ? uri + strlen(uri) + 1 : NULL;
    /* libmicrohttpd would make a list of the parameters in the connection's few kilobytes, and give
     * up without an answer when they are full. The bytes are its buffer, which it changes itself
     * next. */
    char *question = uri ? strchr((char *)(uintptr_t)uri, '?') : NULL;
    if (question && question[1])
        question[1] = 0;
    if (c->idle) { /* not the first, whose time began with the connection */
        c->idle = false;
        c->deadline = r->started + s->o.header_seconds;
    }
    s->active++;
    return r;
}

static void drop_body(struct request *r)
{
    r->server->body_bytes -= r->body.n;
    buf_release(&r->body);
}

static void request_free(struct request *r)
{
    struct http_server *s = r->server;

    for (struct at_end *end = r->ends; end; end = end->next)
        end->call(end->user);
    raw_end(r);
    if (r->sealed)
        MHD_destroy_response(r->sealed);
    response_release(&r->w);
    json_decref(r->json);
    json_decref(r->parameters);
    drop_body(r);
    arena_release(&r->arena);
    free(r);
    s->active--;
    if (s->stopping) {
        pthread_mutex_lock(&s->lock);
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
    }
}

void on_completed(void *user, struct MHD_Connection *mhd, void **context,
                  enum MHD_RequestTerminationCode why)
{
    struct http_server *s = user;
    struct request *r = *context;
    double now = clock_seconds();

    (void)mhd;
    (void)why;
    if (!r)
        return;
    *context = NULL;
    r->connection->deadline = now + s->o.idle_seconds;
    r->connection->idle = true;
    if (s->o.finished && r->phase != PHASE_HEADERS)
        s->o.finished(s->o.context, r, r->w.status, now - r->started, r->sent);
    request_free(r);
}

/* ==== answers ==== */

static enum MHD_Result queue(struct request *r)
{
    enum MHD_Result rc = MHD_NO;

    r->phase = PHASE_DONE;
    if (!r->sealed)
        return MHD_NO;
    r->connection->deadline =
        r->streaming
            ? 0 /* as long as it likes; libmicrohttpd's timeout ends it when nothing is read */
            : clock_seconds() + r->server->o.body_seconds + (double)r->sent / slowest_reader;
    rc = MHD_queue_response(r->mhd, r->w.status, r->sealed);
    MHD_destroy_response(r->sealed);
    r->sealed = NULL;
    return rc;
}

static enum MHD_Result answer_here(struct request *r)
{
    r->sealed = response_seal(r);
    return queue(r);
}

/* Answer on the socket itself, and take what still comes without looking at it. */
static enum MHD_Result linger(struct request *r)
{
    struct buf text;

    r->phase = PHASE_LINGER;
    drop_body(r);
    buf_init(&text, 65536);
    response_text(r, &text);
    if (text.n)
        send(r->connection->fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    buf_release(&text);
    shutdown(r->connection->fd, SHUT_WR);
    r->connection->deadline = clock_seconds() + linger_seconds;
    return MHD_YES;
}

bool suspended_add(struct http_server *s)
{
    s->suspended++;
    if (!s->cancelled) /* http_stop sets it first and then waits for the count */
        return true;
    suspended_drop(s);
    return false;
}

void suspended_drop(struct http_server *s)
{
    /* http_stop frees the server when it sees 0: nothing of it is touched after that. */
    if (!s->stopping) {
        s->suspended--;
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->suspended--;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

void exchange_continue(struct request *r)
{
    struct http_server *s = r->server;

    MHD_resume_connection(r->mhd); /* from here on r may be gone */
    suspended_drop(s);
}

void exchange_resume(struct request *r)
{
    r->sealed = response_seal(r);
    r->phase = PHASE_DONE;
    exchange_continue(r);
}

/* ==== a request comes in ==== */

static void busy(struct request *r)
{
    respond_problem(&r->w, 503, "busy", "too many requests are waiting; try again");
    respond_header(&r->w, "Retry-After", "1");
}

/* All of it is there. */
static enum MHD_Result work(struct request *r)
{
    struct http_server *s = r->server;

    r->connection->deadline = 0;
    if (!suspended_add(s)) {
        busy(r);
        return answer_here(r);
    }
    MHD_suspend_connection(r->mhd);
    r->phase = PHASE_WORK;
    r->job = (struct job){.run = dispatch, .user = r};
    if (raw_wanted(r)) {
        raw_begin(r);
    } else if (!pool_add(s->pool, &r->job, false)) {
        busy(r);
        exchange_resume(r);
    }
    return MHD_YES;
}

static enum MHD_Result ask_first(struct request *r)
{
    if (!suspended_add(r->server)) {
        busy(r);
        return linger(r);
    }
    MHD_suspend_connection(r->mhd);
    r->connection->deadline = 0;
    r->phase = PHASE_ASKED;
    r->job = (struct job){.run = dispatch_early, .user = r};
    if (!pool_add(r->server->pool, &r->job, false)) {
        busy(r);
        exchange_continue(r);
    }
    return MHD_YES;
}

static enum MHD_Result asked(struct request *r)
{
    if (r->w.status)
        return linger(r);
    r->phase = PHASE_BODY;
    r->connection->deadline = clock_seconds() + r->server->o.body_seconds;
    return MHD_YES;
}

static enum MHD_Result begin(struct request *r, const char *method, const char *version)
{
    struct http_server *s = r->server;
    const char *length = request_header(r, "Content-Length");
    uint64_t n = length ? strtoull(length, NULL, 10) : 0;

    r->method = method;
    admit(r, version);
    buf_init(&r->body, r->max_body);
    r->connection->deadline = clock_seconds() + s->o.body_seconds;
    if (r->phase == PHASE_REFUSED)
        return r->unframed || n > READ_AWAY ? linger(r) : MHD_YES;
    if (r->match.route && r->match.route->role > ROLE_PUBLIC && r->max_body > SMALL_BODY &&
        (n > SMALL_BODY || request_header(r, "Transfer-Encoding")))
        return ask_first(r);
    return MHD_YES;
}

static enum MHD_Result take_body(struct request *r, const char *bytes, size_t n)
{
    struct http_server *s = r->server;

    if (n > r->max_body - r->body.n) {
        respond_problem(&r->w, 413, "body_too_large", "a body has at most %zu bytes here",
                        r->max_body);
        return linger(r);
    }
    if (s->body_bytes + n > s->o.max_buffered_bytes || buf_add(&r->body, bytes, n)) {
        busy(r);
        return linger(r);
    }
    s->body_bytes += n;
    return MHD_YES;
}

static enum MHD_Result throw_away(struct request *r, size_t n)
{
    r->discarded += n;
    if (r->phase == PHASE_REFUSED && r->discarded > READ_AWAY)
        return linger(r);
    return r->discarded > LINGER_BYTES ? MHD_NO : MHD_YES;
}

enum MHD_Result on_access(void *user, struct MHD_Connection *mhd, const char *url,
                          const char *method, const char *version, const char *bytes, size_t *n,
                          void **context)
{
    struct request *r = *context;
    size_t got = *n;

    (void)user;
    (void)mhd;
    (void)url;
    if (!r)
        return MHD_NO;
    *n = 0;
    switch (r->phase) {
    case PHASE_HEADERS:
        return begin(r, method, version);
    case PHASE_ASKED:
        return asked(r);
    case PHASE_BODY:
        return got ? take_body(r, bytes, got) : work(r);
    case PHASE_REFUSED:
        return got ? throw_away(r, got) : answer_here(r);
    case PHASE_LINGER:
        return got ? throw_away(r, got) : MHD_NO;
    case PHASE_WORK:
        return MHD_YES;
    case PHASE_DONE:
        return queue(r);
    }
    return MHD_NO;
}
