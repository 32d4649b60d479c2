/*
 * packet.h: the texts of Engine.IO v4 and Socket.IO v5, read and written. Pure functions.
 *
 *   struct packet p;
 *   if (packet_decode(STR("2/chat,7[\"hello\"]"), &p, &e)) ...
 *   p.type == PACKET_EVENT, p.name_space "/chat", p.id "7", p.data "[\"hello\"]"
 *
 *   packet_encode(&buf, PACKET_ACK, 0, "/chat", STR("7"), STR("[1]"));      "43/chat,7[1]"
 *
 * Formats: github.com/socketio/engine.io-protocol (v4) and socket.io-protocol (v5), "packet
 * encoding". Decoded slices point into the text.
 */
#ifndef SERVER_PACKET_H
#define SERVER_PACKET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Engine.IO: the first character of a text packet. */
enum {
    ENGINE_OPEN = '0',
    ENGINE_CLOSE = '1',
    ENGINE_PING = '2',
    ENGINE_PONG = '3',
    ENGINE_MESSAGE = '4',
    ENGINE_UPGRADE = '5',
    ENGINE_NOOP = '6',
    ENGINE_SEPARATOR = 0x1e,
};

/* Socket.IO: the second one, of messages. */
enum packet_type {
    PACKET_CONNECT,
    PACKET_DISCONNECT,
    PACKET_EVENT,
    PACKET_ACK,
    PACKET_CONNECT_ERROR,
    PACKET_BINARY_EVENT,
    PACKET_BINARY_ACK,
};

enum {
    PACKET_ATTACHMENTS = 10, /* at most, in one packet: what socket.io-parser takes */
    PACKET_NAME_SPACE = 100, /* bytes of a namespace's name, at most */
    PACKET_ID_DIGITS = 15,   /* of an acknowledgement: what a JavaScript number holds exactly */
};

struct packet {
    enum packet_type type;
    size_t attachments;    /* that follow */
    struct str name_space; /* "/" when it was not named */
    struct str id;         /* digits; n 0: no acknowledgement is wanted */
    struct str data;       /* JSON, not parsed yet; an array where the type wants one; n 0: none */
};

/* A text without the Engine.IO type before it, from a client. ERR_FORMAT when a client may not send
 * it. */
WARN_UNUSED_RESULT int packet_decode(struct str text, struct packet *out, struct err *e);

/* With the Engine.IO type before it. Whether an event or acknowledgement is a binary one, its
 * attachments decide. ERR_NOMEM. */
WARN_UNUSED_RESULT int packet_encode(struct buf *out, enum packet_type type, size_t attachments,
                                     const char *name_space, struct str id, struct str data);

/* ["event",...]: the data of an event. `arguments` is the text of a JSON array. ERR_ARG when it has
 * no brackets, ERR_NOMEM. */
WARN_UNUSED_RESULT int packet_event_data(struct buf *out, const char *event, struct str arguments,
                                         struct err *e);

/* {"message":"..."} */
WARN_UNUSED_RESULT int packet_error_data(struct buf *out, const char *message);

/* RFC 4648 4. */
WARN_UNUSED_RESULT int base64_add(struct buf *out, struct str bytes);
/* Padded, without blanks; out has room for 3 bytes per 4 characters. False otherwise. */
bool base64_decode(struct str text, char *out, size_t *n);

#endif
