/*
 * raw.h: the door between http.c, which owns connections, and socketio.c, which answers some of
 * them much later: requests below /socket.io/ do not hold a handler thread while they wait.
 *
 *   void socketio_http(struct socketio *io, struct raw *raw)      called by http.c
 *   {
 *       const char *sid = raw_query(raw, "sid");
 *       ... keep raw, and from any thread, once: raw_reply(raw, 200, type, bytes) ...
 *   }
 *
 * Private to the server room. http.c reads the whole body first (bounded by the payload's maximum),
 * finds out who asks when the request has no sid (on a handler thread), suspends the connection and
 * calls socketio_http. Threads: raw_reply and raw_upgrade may be called from any thread, one of
 * them, once; raw is gone afterwards.
 */
#ifndef SERVER_RAW_H
#define SERVER_RAW_H

#include "base/str.h"
#include "server/http.h"

#include <stdbool.h>

struct raw;

const char *raw_method(const struct raw *raw);
const char *raw_query(const struct raw *raw, const char *name); /* NULL when absent */
const char *raw_header(const struct raw *raw, const char *name);
struct str raw_body(const struct raw *raw);
const struct identity *raw_identity(const struct raw *raw);
const char *raw_address(const struct raw *raw);
bool raw_wants_websocket(const struct raw *raw); /* a valid RFC 6455 opening handshake */

/* Bytes are copied. The connection goes on. */
void raw_reply(struct raw *raw, unsigned status, const char *type, struct str bytes);

/* Answer 101 (http.c computes Sec-WebSocket-Accept) and hand the socket over: `open` gets a
 * non-blocking file descriptor and the bytes that were read beyond the handshake (borrowed for the
 * call); when done with it the owner calls raw_upgraded_close(handle), from any thread, never
 * close(fd). `open` is called exactly once in every case: with fd -1 and handle NULL when the peer
 * went away first or the server stops. */
void raw_upgrade(struct raw *raw, void (*open)(void *user, int fd, struct str extra, void *handle),
                 void *user);
void raw_upgraded_close(void *handle);

/* Run call(user) on the HTTP server's handler pool; false when its queue is full. */
bool raw_defer(struct http_server *server, void (*call)(void *user), void *user);

/* Implemented by socketio.c; never blocks. `server` is for raw_defer. */
void socketio_http(struct socketio *io, struct http_server *server, struct raw *raw);
/* The most bytes a body may have; longer ones are answered 413 before socketio_http sees them. */
size_t socketio_max_body(const struct socketio *io);
/* The peer of a suspended raw went away before it was answered. The raw must still be replied to
 * (the reply goes nowhere); until this returns it is not freed, even when the reply comes
 * meanwhile. */
void socketio_http_gone(struct socketio *io, struct raw *raw);

#endif
