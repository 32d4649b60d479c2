/*
 * message.h: something to send, encoded once for all its receivers: the WebSocket frames of one or
 * more Engine.IO packets, one after the other.
 *
 *   struct part parts[] = {{false, STR("451-[\"hi\",{\"_placeholder\":true,\"num\":0}]")}, {true,
 * bytes}}; struct message *m = message_new(parts, 2); outbox_push(&o, m); each receiver's queue
 * shares it message_free(m);
 *
 * An outbox is the queue of messages that wait for one receiver. Its bytes go to a WebSocket as
 * they are, many messages with one call (frames of a server are not masked, RFC 6455 5.1, so they
 * are the same for everyone), or become one long-polling payload.
 *
 * Threads: messages are shared and constant; an outbox belongs to one thread.
 * Ownership: message_new gives one reference, message_free drops one, an outbox holds its own.
 */
#ifndef SERVER_MESSAGE_H
#define SERVER_MESSAGE_H

#include "base/buf.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct message {
    atomic_uint references;
    size_t n;
    char wire[];
};

struct part {
    bool binary;
    struct str bytes; /* text parts begin with the packet's type */
};

/* NULL when memory ended. */
struct message *message_new(const struct part *parts, size_t count);
struct message *message_text(struct str packet);
struct message *message_share(struct message *m);
void message_free(struct message *m); /* NULL is fine */

struct outbox {
    struct message **ring;
    size_t head, count, room; /* room: a power of two */
    size_t sent;              /* bytes of the first message that are gone */
    size_t bytes;             /* that wait, with what keeping them costs */
};

void outbox_push(struct outbox *o, struct message *m);
void outbox_release(struct outbox *o); /* and empty */
/* Keep only the message that is on its way already. */
void outbox_cut(struct outbox *o);
/* In order. */
void outbox_each(const struct outbox *o, void (*call)(void *user, struct message *m), void *user);
/* Append everything of `from` to `to` and leave `from` empty. */
void outbox_move(struct outbox *to, struct outbox *from);
/* The next bytes, for writev: how many slots were filled. */
int outbox_vectors(const struct outbox *o, struct iovec *out, int max);
/* n bytes are gone. */
void outbox_advance(struct outbox *o, size_t n);
/* The next packets, at most 16 of them, as one payload of long polling: joined by 0x1e, binary as
 * 'b' and base64 (engine.io-protocol, packet encoding). Stock python-engineio takes no more
 * than 16. ERR_NOMEM. */
WARN_UNUSED_RESULT int outbox_payload(struct outbox *o, struct buf *out);

#endif
