/* Requests of Engine.IO: the handshake, long polling, and WebSockets that open or take over. */
#include "server/engineio.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sha256.h"
#include "server/engineio_private.h"
#include "server/origin.h"
#include "server/packet.h"
#include "server/target.h"

#include <stdlib.h>
#include <string.h>

/* How long a WebSocket may take from its opening to the upgrade packet. */
static const double probe_seconds = 10;

static const char text_type[] = "text/plain; charset=UTF-8", problem_type[] = "application/json";

/* What stock clients know as reasons (engine.io/lib/server: Server.errors). */
enum refusal {
    UNKNOWN_TRANSPORT,
    UNKNOWN_SID,
    BAD_METHOD,
    BAD_REQUEST,
    FORBIDDEN,
    UNSUPPORTED_VERSION,
    UNAVAILABLE,
};
static const struct {
    unsigned status;
    const char *text;
} refusals[] = {
    [UNKNOWN_TRANSPORT] = {400, "{\"code\":0,\"message\":\"Transport unknown\"}"},
    [UNKNOWN_SID] = {400, "{\"code\":1,\"message\":\"Session ID unknown\"}"},
    [BAD_METHOD] = {400, "{\"code\":2,\"message\":\"Bad handshake method\"}"},
    [BAD_REQUEST] = {400, "{\"code\":3,\"message\":\"Bad request\"}"},
    [FORBIDDEN] = {403, "{\"code\":4,\"message\":\"Forbidden\"}"},
    [UNSUPPORTED_VERSION] = {400, "{\"code\":5,\"message\":\"Unsupported protocol version\"}"},
    [UNAVAILABLE] = {503, "{\"code\":4,\"message\":\"Too many connections\"}"},
};

void raw_reply_text(struct raw *raw, unsigned status, struct str text)
{
    raw_reply(raw, status, status == 200 ? text_type : problem_type, text);
}

static void refuse(struct raw *raw, enum refusal why)
{
    raw_reply_text(raw, refusals[why].status, str_from(refusals[why].text));
}

/* ==== who asks ==== */

/* The value of one cookie (RFC 6265 5.4), n 0 when it is absent. */
static struct str cookie(const char *header, const char *name)
{
    struct str rest = str_from(header), pair;

    while (header && str_cut(&rest, ';', &pair)) {
        while (str_skip(&pair, " "))
            ;
        if (str_skip(&pair, name) && str_skip(&pair, "="))
            return pair;
    }
    return STR("");
}

/* A digest, so that secrets are not kept and the comparison tells nothing about them. */
static void credentials_of(const struct engine *g, const struct raw *raw,
                           char out[CREDENTIALS_TEXT])
{
    const char *authorization = raw_header(raw, "Authorization");
    struct str value = g->session_cookie ? cookie(raw_header(raw, "Cookie"), g->session_cookie)
                                         : STR("");
    char both[2 * CREDENTIALS_TEXT];

    authorization = authorization ? authorization : "";
    sha256_hex(authorization, strlen(authorization), both);
    sha256_hex(value.p, value.n, both + CREDENTIALS_TEXT - 1);
    sha256_hex(both, 2 * (CREDENTIALS_TEXT - 1), out);
}

/* Browsers send Origin; pages of other sites may not use the cookies of ours (cross-site WebSocket
 * hijacking). Behind a proxy that ends TLS our own scheme is not known: the host decides. */
static bool origin_fine(const struct engine *g, const struct raw *raw)
{
    const char *origin = raw_header(raw, "Origin"), *host = raw_header(raw, "Host");
    const char *slashes = origin ? strstr(origin, "://") : NULL;

    if (!origin)
        return true;
    return origin_allowed(origin, NULL, g->allowed_origins) ||
           (slashes && host && strcasecmp(slashes + 3, host) == 0);
}

/* ==== WebSockets ==== */

/* Between raw_upgrade and the socket. */
struct opening {
    struct loop_task task;
    struct engine *engine;
    char sid[SID_TEXT]; /* "": a session of its own */
    char credentials[CREDENTIALS_TEXT];
    struct identity identity;
    int fd;
    void *handle;
    char *extra;
    size_t extra_n;
};

static void probe_message(void *user, struct websocket *w, bool binary, struct str bytes)
{
    struct session *s = user;

    if (!binary && str_is(bytes, "2probe")) {
        struct message *pong = message_text(STR("3probe"));
        if (!pong)
            abort();
        websocket_send(w, pong);
        message_free(pong);
        s->probed = true;
        session_flush_later(s);
    } else if (!binary && str_is(bytes, "5") && s->probed && !s->poll) {
        s->probe = NULL;
        loop_timer_clear(s->engine->o.loop, &s->probe_timer);
        atomic_fetch_sub(&s->engine->polling, 1);
        session_set_websocket(s, w);
        struct outbox waiting = s->out;
        s->out = (struct outbox){0};
        outbox_move(websocket_outbox(w), &waiting);
        session_flush_later(s);
    } else {
        session_drop_probe(s);
    }
}

static void probe_closed(void *user, struct websocket *w, const char *reason)
{
    struct session *s = user;

    (void)w;
    (void)reason;
    s->probe = NULL;
    session_drop_probe(s);
}

/* The session goes on polling. */
void session_drop_probe(struct session *s)
{
    if (s->ws)
        return;
    if (s->probe)
        websocket_close(s->probe, 1008, "no upgrade");
    s->probe = NULL;
    s->upgrading = s->probed = false;
    loop_timer_clear(s->engine->o.loop, &s->probe_timer);
}

static void ignore_message(void *user, struct websocket *w, bool binary, struct str bytes)
{
    (void)user;
    (void)w;
    (void)binary;
    (void)bytes;
}

static void ignore_close(void *user, struct websocket *w, const char *reason)
{
    (void)user;
    (void)w;
    (void)reason;
}

static void take_socket(struct engine *g, const struct opening *o)
{
    static const struct websocket_events nobody = {ignore_message, ignore_close},
                                         probing = {probe_message, probe_closed};
    struct session *s = o->sid[0] ? engine_find(g, str_from(o->sid)) : NULL;
    const struct websocket_options wo = {.loop = g->o.loop,
                                         .max_message = g->o.max_payload,
                                         .events = &nobody,
                                         .group = &g->websockets};
    struct websocket *w;
    struct err e;

    if (o->fd < 0) {
        if (s)
            session_drop_probe(s);
        return;
    }
    if (websocket_open(&wo, o->fd, (struct str){o->extra, o->extra_n}, o->handle, &w, &e)) {
        LOG(LOG_WARNING, "a WebSocket was lost", LOG_ERR(&e));
        if (s)
            session_drop_probe(s);
        return;
    }
    if (!o->sid[0]) {
        if (!session_new(g, &o->identity, o->credentials, w))
            websocket_close(w, 1013, "no memory");
    } else if (!s || s->lingering || !s->upgrading) {
        websocket_close(w, 1008, "session ID unknown");
    } else {
        s->probe = w;
        websocket_give(w, &probing, s);
        loop_timer_set(g->o.loop, &s->probe_timer, clock_seconds() + probe_seconds);
    }
}

static void opened_on_loop(struct loop_task *t)
{
    struct opening *o = LOOP_OWNER(t, struct opening, task);
    struct engine *g = o->engine;

    if (g->openings > 0)
        g->openings--;
    take_socket(g, o);
    engine_check_drained(g);
    free(o->extra);
    free(o);
}

/* On one of http.c's threads. */
static void opened(void *user, int fd, struct str extra, void *handle)
{
    struct opening *o = user;

    o->fd = fd;
    o->handle = handle;
    if (extra.n && fd >= 0)
        o->extra = malloc(extra.n);
    if (o->extra) {
        memcpy(o->extra, extra.p, extra.n);
        o->extra_n = extra.n;
    }
    /* Nothing may be left for the loop when http_stop returns. */
    if (fd >= 0 && (atomic_load(&o->engine->stopping) || (extra.n && !o->extra))) {
        raw_upgraded_close(handle);
        o->fd = -1;
    }
    loop_post(o->engine->o.loop, &o->task);
}

static void upgrade(struct engine *g, struct raw *raw, struct session *s, const char *credentials)
{
    struct opening *o = calloc(1, sizeof(*o));

    if (!o) {
        refuse(raw, UNAVAILABLE);
        return;
    }
    o->engine = g;
    o->task.run = opened_on_loop;
    memcpy(o->credentials, credentials, CREDENTIALS_TEXT);
    if (s) {
        s->upgrading = true;
        memcpy(o->sid, s->sid, SID_TEXT);
    } else {
        o->identity = *raw_identity(raw);
    }
    g->openings++;
    raw_upgrade(raw, opened, o);
}

/* ==== long polling ==== */

void session_end_poll(struct session *s, struct str packet)
{
    struct raw *poll = s->poll;

    s->poll = NULL;
    if (poll)
        raw_reply_text(poll, 200, packet);
}

/* One packet of a polling payload; false when the session ended. */
static bool polled_packet(struct session *s, struct str packet)
{
    if (packet.n && packet.p[0] != 'b')
        return session_packet(s, false, packet);
    struct str text = {packet.p + 1, packet.n ? packet.n - 1 : 0};
    char *bytes = malloc(text.n / 4 * 3 + 1);
    size_t n = 0;
    bool going = false;

    if (packet.n && bytes && base64_decode(text, bytes, &n))
        going = session_packet(s, true, (struct str){bytes, n});
    else
        session_abort(s, "parse error");
    free(bytes);
    return going;
}

/* Packet by packet, until one makes the layer above pause us: then the client waits for its answer,
 * which is all the back-pressure that polling knows. */
void session_continue_post(struct session *s)
{
    struct str packet;
    bool going = true;

    while (going && !s->paused && str_cut(&s->rest, ENGINE_SEPARATOR, &packet))
        going = polled_packet(s, packet);
    if (!going || s->paused || !s->post)
        return;
    struct raw *post = s->post;
    s->post = NULL;
    raw_reply_text(post, 200, STR("ok"));
}

static void take_post(struct session *s, struct raw *raw)
{
    struct str body = raw_body(raw);

    if (s->post) {
        refuse(raw, BAD_REQUEST);
        session_abort(s, "two requests at once");
        return;
    }
    s->post = raw;
    s->rest = body;
    if (!body.n || body.n > s->engine->o.max_payload || !utf8_valid(body))
        session_abort(s, "parse error");
    else
        session_continue_post(s);
}

static void take_poll(struct session *s, struct raw *raw)
{
    if (s->poll) {
        refuse(raw, BAD_REQUEST);
        session_abort(s, "two requests at once");
        return;
    }
    s->poll = raw;
    session_flush_later(s);
}

/* ==== requests ==== */

static void handshake(struct engine *g, struct raw *raw, bool websocket, const char *credentials)
{
    if (strcmp(raw_method(raw), "GET") != 0)
        refuse(raw, BAD_METHOD);
    else if (websocket && !raw_wants_websocket(raw))
        refuse(raw, BAD_REQUEST);
    else if (g->stopping || g->sessions + g->openings >= g->o.max_sessions)
        refuse(raw, UNAVAILABLE);
    else if (websocket)
        upgrade(g, raw, NULL, credentials);
    else {
        struct session *s = session_new(g, raw_identity(raw), credentials, NULL);
        if (s)
            take_poll(s, raw);
        else
            refuse(raw, UNAVAILABLE);
    }
}

static void known(struct session *s, struct raw *raw, bool websocket)
{
    const char *method = raw_method(raw);

    if (websocket) {
        if (s->ws || s->upgrading || s->lingering || !raw_wants_websocket(raw))
            refuse(raw, BAD_REQUEST);
        else
            upgrade(s->engine, raw, s, s->credentials);
    } else if (s->ws) {
        refuse(raw, BAD_REQUEST);
    } else if (strcmp(method, "GET") == 0) {
        take_poll(s, raw);
    } else if (strcmp(method, "POST") == 0 && !s->lingering) {
        take_post(s, raw);
    } else {
        refuse(raw, BAD_REQUEST);
    }
}

static void handle(struct engine *g, struct raw *raw)
{
    const char *version = raw_query(raw, "EIO"), *transport = raw_query(raw, "transport");
    const char *sid = raw_query(raw, "sid");
    bool websocket = transport && strcmp(transport, "websocket") == 0;
    char credentials[CREDENTIALS_TEXT];

    if (!version || strcmp(version, "4") != 0) {
        refuse(raw, UNSUPPORTED_VERSION);
        return;
    }
    if (!transport || (!websocket && strcmp(transport, "polling") != 0)) {
        refuse(raw, UNKNOWN_TRANSPORT);
        return;
    }
    if (!origin_fine(g, raw)) {
        refuse(raw, FORBIDDEN);
        return;
    }
    credentials_of(g, raw, credentials);
    if (!sid) {
        handshake(g, raw, websocket, credentials);
        return;
    }
    struct session *s = engine_find(g, str_from(sid));
    if (!s || strcmp(s->credentials, credentials) != 0)
        refuse(raw, UNKNOWN_SID);
    else
        known(s, raw, websocket);
}

/* ==== from http.c's threads ==== */

struct arrival {
    struct loop_task task;
    struct engine *engine;
    struct raw *raw;
    char sid[SID_TEXT];
};

static void arrived(struct loop_task *t)
{
    struct arrival *a = LOOP_OWNER(t, struct arrival, task);

    handle(a->engine, a->raw);
    free(a);
}

void engine_http(struct engine *g, struct raw *raw)
{
    struct arrival *a = calloc(1, sizeof(*a));

    if (!a) {
        refuse(raw, UNAVAILABLE);
        return;
    }
    a->task.run = arrived;
    a->engine = g;
    a->raw = raw;
    loop_post(g->o.loop, &a->task);
}

/* The raw may have been answered meanwhile: it is compared, not looked into. */
static void went(struct loop_task *t)
{
    struct arrival *a = LOOP_OWNER(t, struct arrival, task);
    struct session *s = engine_find(a->engine, str_from(a->sid));

    if (s && s->poll == a->raw)
        session_end_poll(s, STR("6"));
    free(a);
}

void engine_gone(struct engine *g, struct raw *raw)
{
    const char *sid = raw_query(raw, "sid");
    struct arrival *a = sid && strlen(sid) == SID_TEXT - 1 ? calloc(1, sizeof(*a)) : NULL;

    if (!a)
        return;
    a->task.run = went;
    a->engine = g;
    a->raw = raw;
    memcpy(a->sid, sid, SID_TEXT);
    loop_post(g->o.loop, &a->task);
}
