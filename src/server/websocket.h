/*
 * websocket.h: the server's end of one WebSocket (RFC 6455) on the loop: wslay reads and answers
 * control frames, an outbox is written many messages at a time.
 *
 *   static const struct websocket_events events = {message, closed};
 *   if (websocket_open(&o, fd, extra, handle, &w, &e)) ...
 *   websocket_send(w, m);
 *   websocket_close(w, 1000, "");
 *
 * Masked frames are required, no extension is offered, text must be UTF-8, a message has a maximum
 * over all its fragments (close codes 1002, 1007, 1009).
 *
 * Threads: the loop's. Ownership: a websocket owns the socket until it is closed; it frees itself
 * after `closed` or websocket_close, which may both be called from inside `message`.
 */
#ifndef SERVER_WEBSOCKET_H
#define SERVER_WEBSOCKET_H

#include "base/err.h"
#include "base/str.h"
#include "server/loop.h"
#include "server/message.h"

#include <stdbool.h>
#include <stddef.h>

struct websocket;

struct websocket_events {
    void (*message)(void *user, struct websocket *w, bool binary, struct str bytes);
    /* The peer or an error ended it; not called after websocket_close. */
    void (*closed)(void *user, struct websocket *w, const char *reason);
};

/* All of one owner. */
struct websocket_group {
    struct websocket *first;
    int count;                /* those whose sockets are not given back yet */
    void (*gone)(void *user); /* after each that is */
    void *user;
};

struct websocket_options {
    struct loop *loop;
    size_t max_message; /* bytes of one that comes in */
    const struct websocket_events *events;
    void *user;
    struct websocket_group *group;
};

/* fd and handle as raw_upgrade gives them; extra is copied. On failure the socket is given back,
 * too.
 */
WARN_UNUSED_RESULT int websocket_open(const struct websocket_options *o, int fd, struct str extra,
                                      void *handle, struct websocket **out, struct err *e);
/* Later events go to somebody else. */
void websocket_give(struct websocket *w, const struct websocket_events *events, void *user);

/* Written at the end of the round. */
void websocket_send(struct websocket *w, struct message *m);
/* What waits; the caller bounds it, and may cut it. Push to it through websocket_send only. */
struct outbox *websocket_outbox(struct websocket *w);
/* Read nothing more, so that TCP slows the peer down; or go on. */
void websocket_pause(struct websocket *w, bool paused);

/* Send what waits, then a close frame; `reason` at most 100 bytes. The peer has 2 s for its answer.
 */
void websocket_close(struct websocket *w, unsigned code, const char *reason);
/* At once, without a word; `closed` is not called. */
void websocket_drop_all(struct websocket_group *g);

#endif
