/*
 * engineio.h: Engine.IO v4, the server's side: sessions over long polling and WebSocket, the
 * upgrade between them, heartbeats, and a bounded queue for each.
 *
 *   static const struct engine_events events = {opened, message, closed};
 *   struct engine_options o = {.loop = loop, .ping_interval = 25, ..., .events = &events};
 *   if (engine_new(&o, &engine, &e)) ...
 *   engine_http(engine, raw);                  from any thread, for each request
 *   session_send(s, m, false);
 *
 * Protocol: github.com/socketio/engine.io-protocol, v4. A session is found by its sid, 128 random
 * bits; it belongs to the identity that opened it, and later requests must carry the same
 * Authorization header and session cookie, so that a sid that leaked is not enough.
 *
 * Threads: engine_http, engine_gone and engine_stats from any, the rest and all events on the
 * loop's. Ownership: a session frees itself after `closed`.
 */
#ifndef SERVER_ENGINEIO_H
#define SERVER_ENGINEIO_H

#include "base/err.h"
#include "base/str.h"
#include "server/http.h"
#include "server/loop.h"
#include "server/message.h"
#include "server/raw.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct session;

struct engine_events {
    void (*opened)(void *user, struct session *s);
    /* A message packet without its type; binary ones have none. */
    void (*message)(void *user, struct session *s, bool binary, struct str bytes);
    /* Also after session_close. Nothing may be sent any more. */
    void (*closed)(void *user, struct session *s, const char *reason);
};

struct engine_options {
    struct loop *loop;
    double ping_interval, ping_timeout; /* seconds */
    size_t max_payload;                 /* bytes of one message, and of one polling request */
    size_t max_queue;                   /* bytes that may wait for a session */
    int max_sessions;
    const char *allowed_origins; /* as socketio_options; copied */
    const char *session_cookie;  /* as socketio_options; copied */
    const struct engine_events *events;
    void *user;
};

WARN_UNUSED_RESULT int engine_new(const struct engine_options *o, struct engine **out,
                                  struct err *e);
/* After the loop has ended; no session is left then. */
void engine_free(struct engine *g);

/* One request below /socket.io/; answered sooner or later. */
void engine_http(struct engine *g, struct raw *raw);
void engine_gone(struct engine *g, struct raw *raw);

/* Send what waits, close every session, answer new requests 503; what is not gone after `seconds`
 * is cut off. Then drained(user), once. */
void engine_stop(struct engine *g, double seconds, void (*drained)(void *user), void *user);

struct engine_stats {
    int sessions, polling;
    int64_t sent, received, dropped; /* messages */
};
void engine_stats(const struct engine *g, struct engine_stats *out);

/* Queue a message. A volatile one is dropped when the queue is more than half full; a reliable one
 * that does not fit ends the session, later in this round. */
void session_send(struct session *s, struct message *m, bool is_volatile);
/* Take no messages from the client until it is resumed (counted): its next POST is not answered,
 * its WebSocket not read. */
void session_pause(struct session *s);
void session_resume(struct session *s);
/* The client broke the protocol, or is too slow: what waits is thrown away. */
void session_abort(struct session *s, const char *reason);
/* Send what waits, and end. */
void session_close(struct session *s, const char *reason);

const struct identity *session_identity(const struct session *s);
void *session_user(const struct session *s);
void session_set_user(struct session *s, void *user);

#endif
