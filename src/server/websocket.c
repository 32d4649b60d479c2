#include "server/websocket.h"

#include "base/buf.h"
#include "base/clock.h"
#include "server/raw.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

enum {
    VECTORS = 64,          /* messages written with one call */
    ROUND = 256 << 10,     /* bytes read in one round, so that one peer cannot hold the loop */
    CONTROL_MESSAGES = 16, /* pongs that may wait for a peer that pings but does not read */
};
static const double close_seconds = 2;

struct websocket {
    struct loop *loop;
    const struct websocket_events *events; /* NULL once closed */
    void *user;
    struct websocket_group *group;
    struct websocket *next, **link;
    void *handle;
    struct loop_watch watch;
    struct loop_task flush, burial;
    struct loop_timer timer; /* for the peer's close frame */
    wslay_event_context_ptr context;
    struct outbox out;
    struct buf incoming; /* of the message whose fragments come */
    struct str extra;    /* bytes that came with the handshake */
    char *extra_bytes;
    size_t budget; /* that may still be read in this round */
    bool control;  /* the frame that comes is a control frame */
    bool paused, closing, close_queued, dead;
    bool lost;   /* reading failed */
    bool failed; /* our close frame is in the outbox: wslay is not asked any more */
    unsigned close_code;
    char close_reason[101];
};

/* ==== the end ==== */

static void bury(struct loop_task *t)
{
    struct websocket *w = LOOP_OWNER(t, struct websocket, burial);
    struct websocket_group *g = w->group;

    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    wslay_event_context_free(w->context);
    outbox_release(&w->out);
    buf_release(&w->incoming);
    free(w->extra_bytes);
    raw_upgraded_close(w->handle);
    free(w);
    g->count--;
    if (g->gone)
        g->gone(g->user);
}

/* Nothing of it is used after this round. */
static void die(struct websocket *w)
{
    if (w->dead)
        return;
    w->dead = true;
    w->events = NULL;
    loop_unwatch(w->loop, &w->watch);
    loop_timer_clear(w->loop, &w->timer);
    shutdown(w->watch.fd, SHUT_RDWR);
    loop_bury(w->loop, &w->burial);
}

static void lose(struct websocket *w, const char *reason)
{
    const struct websocket_events *events = w->events;

    if (w->dead)
        return;
    die(w);
    if (events)
        events->closed(w->user, w, reason);
}

void websocket_drop_all(struct websocket_group *g)
{
    for (struct websocket *w = g->first; w; w = w->next)
        die(w);
}

static void close_timeout(struct loop_timer *t)
{
    die(LOOP_OWNER(t, struct websocket, timer));
}

void websocket_close(struct websocket *w, unsigned code, const char *reason)
{
    size_t n = strnlen(reason, sizeof(w->close_reason) - 1);

    w->events = NULL;
    if (w->dead || w->closing)
        return;
    w->closing = true;
    w->close_code = code;
    memcpy(w->close_reason, reason, n);
    w->close_reason[n] = '\0';
    loop_timer_set(w->loop, &w->timer, clock_seconds() + close_seconds);
    websocket_pause(w, false);
    loop_later(w->loop, &w->flush);
}

/* ==== reading ==== */

static ssize_t receive(wslay_event_context_ptr context, uint8_t *bytes, size_t n, int flags,
                       void *user)
{
    struct websocket *w = user;

    (void)flags;
    if (w->dead || (w->paused && !w->closing) || w->budget == 0) {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    if (w->extra.n) {
        size_t take = n < w->extra.n ? n : w->extra.n;
        memcpy(bytes, w->extra.p, take);
        w->extra.p += take;
        w->extra.n -= take;
        return (ssize_t)take;
    }
    ssize_t got;
    do
        got = recv(w->watch.fd, bytes, n, 0);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        w->budget -= (size_t)got < w->budget ? (size_t)got : w->budget;
        return got;
    }
    w->lost = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    wslay_event_set_error(context, w->lost ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static void frame_start(wslay_event_context_ptr context,
                        const struct wslay_event_on_frame_recv_start_arg *arg, void *user)
{
    struct websocket *w = user;

    (void)context;
    w->control = wslay_is_ctrl_frame(arg->opcode);
}

/* wslay would keep a list node for every fragment, however small; one buffer is bounded. */
static void frame_chunk(wslay_event_context_ptr context,
                        const struct wslay_event_on_frame_recv_chunk_arg *arg, void *user)
{
    struct websocket *w = user;
    const char *reason = "a message is too long";

    (void)context;
    if (w->control || w->closing || w->dead ||
        buf_add(&w->incoming, arg->data, arg->data_length) == 0)
        return;
    const struct websocket_events *events = w->events;
    websocket_close(w, WSLAY_CODE_MESSAGE_TOO_BIG, reason);
    if (events)
        events->closed(w->user, w, reason);
}

static void message_end(wslay_event_context_ptr context,
                        const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
    struct websocket *w = user;

    if (wslay_is_ctrl_frame(arg->opcode)) {
        if (wslay_event_get_queued_msg_count(context) > CONTROL_MESSAGES)
            lose(w, "too many pings");
        return;
    }
    if (w->closing || w->dead)
        return;
    struct buf message = w->incoming;
    buf_init(&w->incoming, message.max);
    if (w->events)
        w->events->message(w->user, w, arg->opcode == WSLAY_BINARY_FRAME,
                           (struct str){message.p ? message.p : "", message.n});
    buf_release(&message);
}

/* ==== writing ==== */

static ssize_t send_control(wslay_event_context_ptr context, const uint8_t *bytes, size_t n,
                            int flags, void *user)
{
    struct websocket *w = user;
    ssize_t sent;

    do
        sent = send(w->watch.fd, bytes, n, MSG_NOSIGNAL | (flags & WSLAY_MSG_MORE ? MSG_MORE : 0));
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        wslay_event_set_error(context, errno == EAGAIN || errno == EWOULDBLOCK
                                           ? WSLAY_ERR_WOULDBLOCK
                                           : WSLAY_ERR_CALLBACK_FAILURE);
    return sent;
}

/* Writes of the outbox: 1 when the socket is full, 0 when nothing is left (of the first message, if
 * only that is wanted), -1 when the connection is lost. */
static int write_messages(struct websocket *w, bool only_first)
{
    while (w->out.count && (!only_first || w->out.sent)) {
        struct iovec vectors[VECTORS];
        struct msghdr m = {.msg_iov = vectors};
        m.msg_iovlen = (size_t)outbox_vectors(&w->out, vectors, only_first ? 1 : VECTORS);
        ssize_t sent = sendmsg(w->watch.fd, &m, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 1 : -1;
        outbox_advance(&w->out, (size_t)sent);
    }
    return 0;
}

/* Control frames go between messages, before those that wait (RFC 6455 5.4); our own close frame
 * goes after them, one that answers an error or the peer's close replaces them. */
static int write_all(struct websocket *w)
{
    int full = write_messages(w, !w->failed);

    if (full || w->failed) {
        if (!full && w->failed)
            shutdown(w->watch.fd, SHUT_WR);
        return full;
    }
    if (wslay_event_want_write(w->context)) {
        if (wslay_event_send(w->context))
            return -1;
        if (wslay_event_want_write(w->context))
            return 1;
    }
    if (wslay_event_get_close_sent(w->context))
        return 0;
    full = write_messages(w, false);
    if (full || !w->closing || w->close_queued)
        return full;
    w->close_queued = true;
    wslay_event_queue_close(w->context, (uint16_t)w->close_code, (const uint8_t *)w->close_reason,
                            strlen(w->close_reason));
    return write_all(w);
}

/* After reading or writing: what is waited for, or the end. */
static void settle(struct websocket *w)
{
    if (w->dead)
        return;
    int full = write_all(w);
    if (full < 0) {
        lose(w, "transport error");
        return;
    }
    bool sent = wslay_event_get_close_sent(w->context);
    bool received = wslay_event_get_close_received(w->context);
    if (sent && received) {
        lose(w, "transport close");
        return;
    }
    if (sent && !w->closing && !w->failed) {
        /* wslay found an error in what came, and has told the peer. */
        const struct websocket_events *events = w->events;
        shutdown(w->watch.fd, SHUT_WR);
        websocket_close(w, 0, "");
        if (events)
            events->closed(w->user, w, "transport error");
    }
    bool reading = !w->paused || w->closing;
    loop_watch_for(w->loop, &w->watch, (reading ? EPOLLIN : 0u) | (full ? EPOLLOUT : 0u));
}

/* After our close frame the peer's is read, and whatever it had sent before. */
static bool discard(struct websocket *w)
{
    char bytes[4096];
    ssize_t got = recv(w->watch.fd, bytes, sizeof(bytes), 0);

    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* What is no frame at all: wslay would send a close frame without a code. */
static void fail(struct websocket *w)
{
    static const char protocol_error[] = {WSLAY_CODE_PROTOCOL_ERROR >> 8,
                                          (char)(WSLAY_CODE_PROTOCOL_ERROR & 255)};
    const struct websocket_events *events = w->events;
    struct message *m = message_text((struct str){protocol_error, sizeof(protocol_error)});

    if (!m)
        abort();
    m->wire[0] = (char)(0x80 | WSLAY_CONNECTION_CLOSE);
    outbox_push(&w->out, m);
    message_free(m);
    w->failed = true;
    websocket_close(w, 0, "");
    if (events)
        events->closed(w->user, w, "transport error");
}

static void read_some(struct websocket *w)
{
    w->budget = ROUND;
    if (w->failed || !wslay_event_get_read_enabled(w->context)) {
        if (!discard(w))
            lose(w, "transport close");
    } else if (wslay_event_recv(w->context)) {
        if (w->lost || w->dead)
            lose(w, "transport close");
        else
            fail(w);
    }
}

static void ready(struct loop_watch *watch, uint32_t events)
{
    struct websocket *w = LOOP_OWNER(watch, struct websocket, watch);

    if (w->dead)
        return;
    if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN))
        lose(w, "transport close");
    else if (events & EPOLLIN)
        read_some(w);
    settle(w);
}

static void flush(struct loop_task *t)
{
    struct websocket *w = LOOP_OWNER(t, struct websocket, flush);

    /* No event tells of bytes that came with the handshake. */
    if (w->extra.n && !w->paused && !w->dead)
        read_some(w);
    settle(w);
}

/* ==== the door ==== */

int websocket_open(const struct websocket_options *o, int fd, struct str extra, void *handle,
                   struct websocket **out, struct err *e)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = receive,
        .send_callback = send_control,
        .on_frame_recv_start_callback = frame_start,
        .on_frame_recv_chunk_callback = frame_chunk,
        .on_msg_recv_callback = message_end,
    };
    struct websocket *w = calloc(1, sizeof(*w));
    char *copy = extra.n ? malloc(extra.n) : NULL;
    int rc = ERR_NOMEM;

    if (!w || (extra.n && !copy) || wslay_event_context_server_init(&w->context, &callbacks, w)) {
        rc = ERR(e, ERR_NOMEM, "no memory for a WebSocket");
        goto out;
    }
    wslay_event_config_set_no_buffering(w->context, 1);
    wslay_event_config_set_max_recv_msg_length(w->context, o->max_message);
    w->loop = o->loop;
    w->events = o->events;
    w->user = o->user;
    w->group = o->group;
    w->handle = handle;
    w->watch = (struct loop_watch){fd, EPOLLIN, ready};
    w->flush.run = flush;
    w->burial.run = bury;
    w->timer.run = close_timeout;
    buf_init(&w->incoming, o->max_message);
    rc = loop_watch(o->loop, &w->watch, e);
    if (rc)
        goto out;
    if (extra.n) {
        memcpy(copy, extra.p, extra.n);
        w->extra_bytes = copy;
        w->extra = (struct str){copy, extra.n};
        loop_later(o->loop, &w->flush);
    }
    o->group->count++;
    w->next = o->group->first;
    w->link = &o->group->first;
    if (w->next)
        w->next->link = &w->next;
    o->group->first = w;
    *out = w;
out:
    if (rc) {
        if (w && w->context)
            wslay_event_context_free(w->context);
        free(copy);
        free(w);
        raw_upgraded_close(handle);
    }
    return rc;
}

void websocket_give(struct websocket *w, const struct websocket_events *events, void *user)
{
    if (!w->dead && !w->closing) {
        w->events = events;
        w->user = user;
    }
}

void websocket_send(struct websocket *w, struct message *m)
{
    if (w->dead || w->closing)
        return;
    outbox_push(&w->out, m);
    loop_later(w->loop, &w->flush);
}

struct outbox *websocket_outbox(struct websocket *w)
{
    return &w->out;
}

void websocket_pause(struct websocket *w, bool paused)
{
    if (w->dead || w->paused == paused)
        return;
    w->paused = paused;
    loop_later(w->loop, &w->flush);
}
