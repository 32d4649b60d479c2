/*
 * socketio_private.h: what socketio.c (the door: start, stop, emit), socketio_client.c (packets
 * that come in, on the loop) and socketio_socket.c (sockets, and their callbacks on the handler
 * pool) share. Nobody else includes it.
 */
#ifndef SERVER_SOCKETIO_PRIVATE_H
#define SERVER_SOCKETIO_PRIVATE_H

#include "server/engineio.h"
#include "server/loop.h"
#include "server/message.h"
#include "server/packet.h"
#include "server/rooms.h"
#include "server/socketio.h"
#include "server/strand.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SOCKET_ID_TEXT = 33 };

struct name_space {
    char *name;
    struct rooms *rooms; /* ROOMS_ALL holds everyone who is connected */
};

struct socketio {
    struct socketio_options o;
    struct name_space *spaces;
    size_t space_count;
    struct loop *loop;
    struct engine *engine;
    _Atomic(struct http_server *) server;
    atomic_int connected;
    atomic_llong lost; /* events that no queue could hold */

    struct socket *waiting; /* on the loop: the handler pool was full */
    struct loop_timer retry;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t emitting; /* bytes of emissions that the loop has not seen yet */
    int live;        /* sockets that are not freed */
    bool drained;
};

/* One Engine.IO session, on the loop. */
struct client {
    struct socketio *io;
    struct session *session;
    struct loop_timer connect_timer;
    struct event *assembly; /* a binary event whose attachments are still coming */
    size_t assembled;       /* bytes of it */
    struct client_place {
        struct socket *socket; /* NULL: not connected */
        bool known;            /* it has been, or tried to */
    } places[];                /* one for each namespace */
};

enum socket_state { SOCKET_CONNECTING, SOCKET_CONNECTED, SOCKET_GONE };

struct socket {
    atomic_uint references;
    struct socketio *io;
    struct name_space *space;
    char id[SOCKET_ID_TEXT];
    struct identity identity; /* on_connect may change it; constant afterwards */
    struct member member;
    struct strand strand;

    /* on the loop */
    struct client *client; /* NULL when it has gone */
    enum socket_state state;
    bool paused;        /* it holds the session back */
    struct outbox held; /* emitted before the client knows that it is connected */
    struct socket *next_waiting, *next_doomed;

    /* in its strand */
    bool accepted, broken;
    struct str *attached; /* of the acknowledgement to come */
    size_t attached_count, attached_bytes;
    struct task end;
};

/* What comes from a client, on its way to on_event. */
struct event {
    struct task task;
    struct socket *socket;
    char id[PACKET_ID_DIGITS + 1];
    struct str data;
    size_t wanted, count; /* attachments */
    struct str attachments[];
};

/* An errand of another thread to the loop. */
struct order {
    struct loop_task task;
    struct socketio *io;
    struct socket *socket; /* a reference, or NULL */
    struct name_space *space;
    char *room;              /* NULL: everyone */
    struct message *message; /* a reference, or NULL */
    enum emit_kind kind;
    bool yes;
};

extern const struct engine_events client_events;

/* Zeroed memory for something small; never NULL. */
void *must_alloc(size_t n);
void order_free(struct order *o);
/* A new one; takes a reference of the socket when there is one. */
struct order *order_new(struct socketio *io, struct socket *s, void (*run)(struct loop_task *t));

/* NULL when it does not fit into any queue, or memory ended. */
struct message *message_packet(const struct socketio *io, enum packet_type type,
                               const char *name_space, struct str id, struct str data,
                               const struct str *attachments, size_t count);

/* ==== sockets; on the loop ==== */

struct socket *socket_new(struct client *c, struct name_space *space);
void socket_push(struct socket *s, struct task *t);
/* False when memory ended. */
bool socket_connect(struct socket *s, struct str auth);
void socket_deliver(struct socket *s, struct message *m, enum emit_kind kind);
/* It leaves its client and rooms; on_disconnect follows what is still in the strand. */
void socket_end(struct socket *s);
void socket_release(struct socket *s); /* any thread */

/* Of socketio_client.c */
void client_remove(struct client *c, struct socket *s);
void client_send(struct client *c, enum packet_type type, const char *name_space, struct str data);

void event_free(struct event *event);
void event_run(struct task *t);
void socketio_retry(struct loop_timer *t);

#endif
