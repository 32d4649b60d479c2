/*
 * Requests of the Socket.IO door. A raw is held by up to three: socketio until it answers, the
 * watch until the peer goes away or the answer comes, and the thread that hands it over. The news
 * that the peer has gone must not overtake the raw itself: of "handed over" and "gone", the second
 * tells socketio.
 */
#include "server/exchange.h"
#include "server/target.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { RAW_ENTERED = 1, RAW_GONE = 2 };

struct raw {
    struct request *request;
    struct http_server *server;
    _Atomic int holders, state;
    uint64_t ticket;
    struct job job;
    struct query_pair *pairs;
    size_t pair_count;
    void (*open)(void *user, int fd, struct str extra, void *handle); /* until it was called */
    void *open_user;
};

static void drop(struct raw *raw, int holders)
{
    if (atomic_fetch_sub(&raw->holders, holders) == holders)
        free(raw);
}

static void meet(struct raw *raw, int what)
{
    if ((atomic_fetch_or(&raw->state, what) | what) == (RAW_ENTERED | RAW_GONE))
        socketio_http_gone(raw->server->o.sockets, raw);
    drop(raw, 1);
}

static void gone(void *user, enum wake why)
{
    (void)why;
    meet(user, RAW_GONE);
}

static void hand_over(struct raw *raw)
{
    struct http_server *s = raw->server;

    raw->holders += 3; /* socketio's, the watch's, and ours until meet() */
    raw->ticket = watch_add(s->watch, raw->request->connection->fd, -1, gone, raw);
    socketio_http(s->o.sockets, s, raw);
    meet(raw, RAW_ENTERED);
}

/* On a worker: a request that opens a session says who it is. */
static void introduce(void *user)
{
    struct raw *raw = user;
    struct request *r = raw->request;
    struct err e;
    struct log_context former =
        log_enter((struct log_context){.request_id = r->id, .trace_id = r->trace});

    if (identify(r, &e)) {
        answer_error(r, &e);
        exchange_resume(r);
    } else {
        hand_over(raw);
    }
    log_leave(former);
}

bool raw_wanted(const struct request *r)
{
    return r->server->o.sockets && str_starts(r->path, "/socket.io/");
}

void raw_begin(struct request *r)
{
    struct raw *raw = calloc(1, sizeof *raw);
    struct err e;

    if (!raw) {
        respond_problem(&r->w, 503, "out_of_memory", "no memory for this request");
        exchange_resume(r);
        return;
    }
    raw->request = r;
    raw->server = r->server;
    raw->holders = 1; /* the request's; hand_over adds three */
    r->raw = raw;
    if (target_query(&r->arena, r->query, &raw->pairs, &raw->pair_count, &e)) {
        answer_error(r, &e);
        exchange_resume(r);
    } else if (raw_query(raw, "sid")) {
        hand_over(raw);
    } else {
        raw->job = (struct job){.run = introduce, .user = raw};
        if (!pool_add(r->server->pool, &raw->job, false)) {
            respond_problem(&r->w, 503, "busy", "too many requests are waiting; try again");
            exchange_resume(r);
        }
    }
}

void raw_end(struct request *r)
{
    struct raw *raw = r->raw;

    if (!raw)
        return;
    if (raw->open)
        raw->open(raw->open_user, -1, (struct str){0}, NULL);
    raw->open = NULL;
    drop(raw, 1);
}

/* ==== what socketio asks ==== */

const char *raw_method(const struct raw *raw)
{
    return raw->request->method;
}

const char *raw_query(const struct raw *raw, const char *name)
{
    for (size_t i = 0; i < raw->pair_count; i++)
        if (strcmp(raw->pairs[i].name, name) == 0)
            return raw->pairs[i].value;
    return NULL;
}

const char *raw_header(const struct raw *raw, const char *name)
{
    return request_header(raw->request, name);
}

struct str raw_body(const struct raw *raw)
{
    return request_body(raw->request);
}

const struct identity *raw_identity(const struct raw *raw)
{
    return &raw->request->identity;
}

const char *raw_address(const struct raw *raw)
{
    return raw->request->address;
}

static bool has_token(const char *list, const char *token)
{
    struct str rest = str_from(list), item;

    while (str_cut(&rest, ',', &item)) {
        while (item.n && (item.p[0] == ' ' || item.p[0] == '\t')) {
            item.p++;
            item.n--;
        }
        while (item.n && (item.p[item.n - 1] == ' ' || item.p[item.n - 1] == '\t'))
            item.n--;
        if (item.n == strlen(token) && strncasecmp(item.p, token, item.n) == 0)
            return true;
    }
    return false;
}

bool raw_wants_websocket(const struct raw *raw)
{
    const char *version = raw_header(raw, "Sec-WebSocket-Version");
    const char *key = raw_header(raw, "Sec-WebSocket-Key");

    return strcmp(raw->request->method, "GET") == 0 && !raw->request->body.n &&
           has_token(raw_header(raw, "Connection"), "upgrade") &&
           has_token(raw_header(raw, "Upgrade"), "websocket") && version &&
           strcmp(version, "13") == 0 && key && strlen(key) == 24 &&
           strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == 22 &&
           strcmp(key + 22, "==") == 0;
}

/* ==== answers ==== */

/* The watch's hold is returned with socketio's when it has not been woken. */
static int unwatch(struct raw *raw)
{
    return watch_take(raw->server->watch, raw->ticket) ? 2 : 1;
}

void raw_reply(struct raw *raw, unsigned status, const char *type, struct str bytes)
{
    struct request *r = raw->request;

    respond_bytes(&r->w, status, type, bytes);
    int holders = unwatch(raw);
    exchange_resume(r);
    drop(raw, holders);
}

/* RFC 6455 4.2.2: base64 of the SHA-1 of the key and this text. */
static void accept_key(const char *key, char out[32])
{
    char text[96];
    unsigned char sum[SHA_DIGEST_LENGTH];

    int n = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    SHA1((const unsigned char *)text, (size_t)n, sum);
    EVP_EncodeBlock((unsigned char *)out, sum, sizeof sum);
}

/* A socket that belongs to socketio. */
struct upgraded {
    struct http_server *server;
    struct account *account;
    int fd;
};

static void upgraded_count(struct http_server *s, int n)
{
    pthread_mutex_lock(&s->lock);
    s->open += n;
    pthread_mutex_unlock(&s->lock);
}

/*
 * libmicrohttpd keeps an upgraded connection in its list of suspended ones, and walks that list
 * whenever any connection is resumed. So the socket is duplicated and libmicrohttpd's part ends
 * here; it closes its descriptor without shutting the socket down.
 */
static void on_upgrade(void *user, struct MHD_Connection *mhd, void *context, const char *extra,
                       size_t extra_n, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
    struct request *r = user;
    struct raw *raw = r->raw;
    struct upgraded *u = calloc(1, sizeof *u);
    int own = u ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

    (void)mhd;
    (void)context;
    if (own >= 0 && fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK) == 0) {
        *u = (struct upgraded){r->server, r->connection->account, own};
        r->connection->account = NULL;
        upgraded_count(r->server, 1);
        raw->open(raw->open_user, own, (struct str){extra, extra_n}, u);
        raw->open = NULL;
    } else {
        if (own >= 0)
            close(own);
        free(u);
    }
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

void raw_upgrade(struct raw *raw, void (*open)(void *user, int fd, struct str extra, void *handle),
                 void *user)
{
    struct request *r = raw->request;
    char key[32];

    int holders = unwatch(raw);
    raw->open = open;
    raw->open_user = user;
    r->w.status = 101;
    r->sealed = MHD_create_response_for_upgrade(on_upgrade, r);
    if (r->sealed) {
        accept_key(raw_header(raw, "Sec-WebSocket-Key"), key);
        MHD_add_response_header(r->sealed, "Upgrade", "websocket");
        MHD_add_response_header(r->sealed, "Sec-WebSocket-Accept", key);
    }
    r->phase = PHASE_DONE;
    exchange_continue(r);
    drop(raw, holders);
}

void raw_upgraded_close(void *handle)
{
    struct upgraded *u = handle;

    close(u->fd);
    upgraded_count(u->server, -1);
    if (u->account)
        limits_disconnect(u->server->limits, u->account);
    free(u);
}

/* ==== the pool ==== */

struct deferred {
    struct job job;
    void (*call)(void *user);
    void *user;
};

static void run_deferred(void *user)
{
    struct deferred *d = user;

    d->call(d->user);
    free(d);
}

bool raw_defer(struct http_server *server, void (*call)(void *user), void *user)
{
    struct deferred *d = calloc(1, sizeof *d);

    if (!d)
        return false;
    *d = (struct deferred){.job = {.run = run_deferred, .user = d}, .call = call, .user = user};
    if (pool_add(server->pool, &d->job, false))
        return true;
    free(d);
    return false;
}
