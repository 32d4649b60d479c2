/*
 * socketio.h: Engine.IO v4 and Socket.IO v5 on the server's side: long polling and WebSocket
 * (wslay), upgrade, heartbeats, namespaces, acknowledgements, binary events, rooms.
 *
 *   struct socketio_options o = socketio_options();
 *   o.on_connect = connected; o.on_event = event; o.user = app;
 *   if (socketio_start(&o, &io, &e)) ...
 *   socketio_emit(io, "/", "user:7", "experiment:42:progress", "[{\"completed\":3}]", NULL, 0);
 *   socketio_stop(io);
 *   http_stop(server, 10.0);
 *   socketio_free(io);
 *
 * One epoll thread owns all WebSockets and sessions and never blocks; callbacks run on the HTTP
 * server's handler pool, one at a time for each socket, and may use the database. Every socket has
 * a queue bounded in bytes: a peer that reads too slowly first loses events marked volatile, then
 * its connection. Protocols: engine.io-protocol v4, socket.io-protocol v5 (github.com/socketio).
 * Threads: any thread may emit; the loop takes over at most 64 MiB of emissions, beyond that the
 * emitter waits for it. Ownership: all texts are copied; a struct socket is valid from its
 * on_connect until its on_disconnect returns (until on_connect returns when that refuses).
 */
#ifndef SERVER_SOCKETIO_H
#define SERVER_SOCKETIO_H

#include "base/err.h"
#include "base/str.h"
#include "server/http.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct socketio;
struct socket; /* one client in one namespace */

struct socketio_options {
    const char *const *namespaces;                       /* NULL-ended; NULL: "/" alone */
    double ping_interval, ping_timeout, connect_timeout; /* seconds; 25, 20, 45 */
    size_t max_payload;                                  /* bytes of a message; 1e6 */
    size_t max_queue;                                    /* bytes waiting for a socket; 4 MiB */
    int max_sockets;                                     /* 10000 */
    const char *allowed_origins;                         /* as http_options; "*": any */
    /* The cookie that logs in: later requests of a session must carry the same value (and the same
     * Authorization) as the one that opened it. NULL: none is looked at. */
    const char *session_cookie;
    void *user;
    /* A client wants in: its identity is that of the HTTP request that opened the session; auth is
     * the CONNECT packet's payload (object or NULL). Return 0, or -1 with a message for
     * CONNECT_ERROR in e. May set *identity (a key in auth). Runs on a handler thread. */
    int (*on_connect)(void *user, struct socket *s, const json_t *auth, struct identity *identity,
                      struct err *e);
    /* arguments: the array without the event's name; binary attachments are JSON objects
     * {"_placeholder":true,"num":i} with the bytes in `attachments`. When the client wants an
     * acknowledgement, the returned array (a new reference, or NULL for none) is sent. Runs on a
     * handler thread, one at a time per socket. */
    json_t *(*on_event)(void *user, struct socket *s, const char *event, const json_t *arguments,
                        const struct str *attachments, size_t attachment_count);
    void (*on_disconnect)(void *user, struct socket *s);
};
struct socketio_options socketio_options(void);

WARN_UNUSED_RESULT int socketio_start(const struct socketio_options *o, struct socketio **out,
                                      struct err *e);
/* Closes every connection and waits for the callbacks to end. There is no DISCONNECT before, after
 * which stock clients would not come back by themselves. Requests are answered 503 from then on.
 * Before http_stop, whose handler pool runs the callbacks. */
void socketio_stop(struct socketio *io);
/* After http_stop. */
void socketio_free(struct socketio *io);

const struct identity *socket_identity(const struct socket *s);
const char *socket_id(const struct socket *s);
const char *socket_namespace(const struct socket *s);
/* Rooms are sets of sockets that the server keeps; a socket leaves all when it goes. At most 1000
 * a socket. */
WARN_UNUSED_RESULT int socket_join(struct socket *s, const char *room, struct err *e);
void socket_leave(struct socket *s, const char *room);

/* What happens to an event whose receiver is slow. */
enum emit_kind {
    EMIT_RELIABLE,
    EMIT_VOLATILE, /* dropped for sockets whose queue is more than half full */
};
/* Send to everyone in a room of a namespace, or in one of several (names with spaces between):
 * once, however many of them a socket is in; room NULL: to all. `arguments` is the text of a JSON
 * array; `attachment` (may be NULL) is the bytes that its {"_placeholder":true,"num":0} stands for.
 */
void socketio_emit(struct socketio *io, const char *name_space, const char *room, const char *event,
                   const char *arguments, const struct str *attachment, enum emit_kind kind);
/* To one socket. */
void socket_emit(struct socket *s, const char *event, const char *arguments,
                 const struct str *attachment, enum emit_kind kind);
/* With as many attachments as `arguments` has placeholders (at most 10). */
void socket_emit_all(struct socket *s, const char *event, const char *arguments,
                     const struct str *attachments, size_t count, enum emit_kind kind);
/* In on_event only: the next attachment of the acknowledgement that is about to be returned; the
 * number for its placeholder, or -1 after 10. */
int socket_attach(struct socket *s, struct str bytes);

/* End the sockets of a room as the server: a user was removed, a session ended. */
void socketio_disconnect(struct socketio *io, const char *name_space, const char *room);
void socket_disconnect(struct socket *s);

struct socketio_stats {
    int sockets, sessions, polling;
    int64_t sent, received, dropped;
};
void socketio_stats(struct socketio *io, struct socketio_stats *out);

#endif
