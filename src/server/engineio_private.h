/*
 * engineio_private.h: what engineio.c (sessions, packets, heartbeats) and engineio_http.c
 * (requests, upgrades) share. Nobody else includes it.
 */
#ifndef SERVER_ENGINEIO_PRIVATE_H
#define SERVER_ENGINEIO_PRIVATE_H

#include "server/engineio.h"
#include "server/websocket.h"

#include <stdatomic.h>

enum { SID_TEXT = 33, CREDENTIALS_TEXT = 65 };

struct engine {
    struct engine_options o;
    char *allowed_origins, *session_cookie;
    struct session **table; /* by sid, chained */
    size_t mask;
    int sessions; /* open or lingering */
    int openings; /* WebSockets that http.c is handing over */
    struct websocket_group websockets;
    atomic_bool stopping;
    struct loop_timer deadline;
    struct loop_task stop;
    double stop_seconds;
    void (*drained)(void *user);
    void *drained_user;
    atomic_int count, polling;
    atomic_llong sent, received, dropped;
};

struct session {
    struct engine *engine;
    struct session *next; /* of the same slot */
    char sid[SID_TEXT];
    char credentials[CREDENTIALS_TEXT];
    struct identity identity;
    void *user;

    struct outbox out;            /* while polling */
    struct raw *poll, *post;      /* requests that wait for an answer */
    struct str rest;              /* of post's body: packets not handled yet */
    struct websocket *ws, *probe; /* the transport after an upgrade; the candidate before it */
    bool upgrading;               /* a candidate is being handed over, or is there */
    bool probed;                  /* it has been answered: polling should end */

    int paused;
    bool awaiting_pong;
    bool lingering; /* closed, but a poll should come for what is left */
    bool overflow, dead;
    struct loop_timer heartbeat, probe_timer;
    struct loop_task flush, burial;
};

struct session *engine_find(const struct engine *g, struct str sid);
/* NULL when memory ended. ws NULL: it begins with polling. */
struct session *session_new(struct engine *g, const struct identity *identity,
                            const char *credentials, struct websocket *ws);
void session_set_websocket(struct session *s, struct websocket *w);
/* One packet of the established transport; false when it ended the session. */
bool session_packet(struct session *s, bool binary, struct str packet);
/* Answer what can be answered at the end of the round. */
void session_flush_later(struct session *s);
void session_push_text(struct session *s, struct str packet);
void engine_check_drained(struct engine *g);

/* Of engineio_http.c: go on with the body of the session's post. */
void session_continue_post(struct session *s);
void session_end_poll(struct session *s, struct str packet);
void session_drop_probe(struct session *s);

void raw_reply_text(struct raw *raw, unsigned status, struct str text);

#endif
