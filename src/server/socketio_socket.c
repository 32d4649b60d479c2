/* Sockets: what waits for them, and their callbacks, one at a time on the handler pool. */
#include "server/socketio_private.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/uuid.h"
#include "server/raw.h"

#include <stdlib.h>
#include <string.h>

/* How soon a strand is offered again to a handler pool whose queue was full. */
static const double retry_seconds = 0.01;

/* ==== life ==== */

static void socket_free(struct socket *s)
{
    struct socketio *io = s->io;

    strand_release(&s->strand);
    outbox_release(&s->held);
    free(s);
    pthread_mutex_lock(&io->lock);
    io->live--;
    pthread_cond_broadcast(&io->changed);
    pthread_mutex_unlock(&io->lock);
}

void socket_release(struct socket *s)
{
    if (atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) == 1)
        socket_free(s);
}

static struct socket *share(struct socket *s)
{
    atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return s;
}

/* The last task of every strand. */
static void run_end(struct task *t)
{
    struct socket *s = LOOP_OWNER(t, struct socket, end);

    if (s->accepted && s->io->o.on_disconnect)
        s->io->o.on_disconnect(s->io->o.user, s);
    socket_release(s);
}

static void resume_on_loop(struct loop_task *t)
{
    struct order *o = LOOP_OWNER(t, struct order, task);
    struct socket *s = o->socket;

    if (s->client && s->paused) {
        s->paused = false;
        session_resume(s->client->session);
    }
    order_free(o);
}

static void drained(struct strand *strand)
{
    struct socket *s = LOOP_OWNER(strand, struct socket, strand);

    loop_post(s->io->loop, &order_new(s->io, s, resume_on_loop)->task);
}

struct socket *socket_new(struct client *c, struct name_space *space)
{
    struct socket *s = must_alloc(sizeof(*s));
    struct socketio *io = c->io;

    atomic_init(&s->references, 1);
    s->io = io;
    s->space = space;
    s->client = c;
    s->identity = *session_identity(c->session);
    s->end.run = run_end;
    random_hex(s->id, (SOCKET_ID_TEXT - 1) / 2);
    strand_init(&s->strand, io->o.max_payload, drained);
    pthread_mutex_lock(&io->lock);
    io->live++;
    pthread_mutex_unlock(&io->lock);
    return s;
}

void socket_end(struct socket *s)
{
    struct client *c = s->client;

    if (s->state == SOCKET_CONNECTED)
        atomic_fetch_sub(&s->io->connected, 1);
    s->state = SOCKET_GONE;
    s->client = NULL;
    client_remove(c, s);
    if (s->paused)
        session_resume(c->session);
    rooms_leave_all(s->space->rooms, &s->member);
    outbox_release(&s->held);
    socket_push(s, &s->end);
}

/* ==== strands on the handler pool ==== */

static void run_strand(void *user)
{
    struct socket *s = user;

    while (strand_run(&s->strand))
        if (raw_defer(s->io->server, run_strand, s))
            return;
    socket_release(s);
}

void socketio_retry(struct loop_timer *t)
{
    struct socketio *io = LOOP_OWNER(t, struct socketio, retry);

    while (io->waiting) {
        struct socket *next = io->waiting->next_waiting;
        if (!raw_defer(io->server, run_strand, io->waiting))
            break;
        io->waiting = next;
    }
    if (io->waiting)
        loop_timer_set(io->loop, &io->retry, clock_seconds() + retry_seconds);
}

void socket_push(struct socket *s, struct task *t)
{
    bool filled;

    bool idle = strand_push(&s->strand, t, &filled);
    if (filled && s->client && !s->paused) {
        s->paused = true;
        session_pause(s->client->session);
    }
    if (!idle || raw_defer(s->io->server, run_strand, share(s)))
        return;
    s->next_waiting = s->io->waiting;
    s->io->waiting = s;
    loop_timer_set(s->io->loop, &s->io->retry, clock_seconds() + retry_seconds);
}

/* ==== connecting ==== */

struct connecting {
    struct task task;
    struct socket *socket;
    size_t n;
    char auth[];
};

static void send_held(void *user, struct message *m)
{
    session_send(user, m, false);
}

static void settle_connect(struct loop_task *t)
{
    struct order *o = LOOP_OWNER(t, struct order, task);
    struct socket *s = o->socket;

    if (s->client && o->yes) {
        struct err e;
        s->state = SOCKET_CONNECTED;
        loop_timer_clear(s->io->loop, &s->client->connect_timer);
        atomic_fetch_add(&s->io->connected, 1);
        if (rooms_join(s->space->rooms, &s->member, ROOMS_ALL, &e))
            LOG(LOG_WARNING, "a socket misses what is sent to all", LOG_ERR(&e));
        session_send(s->client->session, o->message, false);
        outbox_each(&s->held, send_held, s->client->session);
        outbox_release(&s->held);
    } else if (s->client) {
        session_send(s->client->session, o->message, false);
        socket_end(s);
    }
    order_free(o);
}

static void abort_on_loop(struct loop_task *t)
{
    struct order *o = LOOP_OWNER(t, struct order, task);

    if (o->socket->client)
        session_abort(o->socket->client->session, "parse error");
    order_free(o);
}

static void break_off(struct socket *s, const struct err *e)
{
    LOG(LOG_DEBUG, "a bad payload", LOG_ERR(e));
    s->broken = true;
    loop_post(s->io->loop, &order_new(s->io, s, abort_on_loop)->task);
}

static struct message *answer_connect(const struct socket *s, bool yes, const struct err *e)
{
    struct message *m = NULL;
    struct buf data;

    buf_init(&data, 8192);
    int rc = yes ? buf_addf(&data, "{\"sid\":\"%s\"}", s->id)
                 : packet_error_data(&data, e->message);
    if (rc == 0)
        m = message_packet(s->io, yes ? PACKET_CONNECT : PACKET_CONNECT_ERROR, s->space->name,
                           STR(""), (struct str){data.p, data.n}, NULL, 0);
    buf_release(&data);
    if (!m)
        abort();
    return m;
}

static void run_connect(struct task *t)
{
    struct connecting *c = LOOP_OWNER(t, struct connecting, task);
    struct socket *s = c->socket;
    const struct socketio_options *o = &s->io->o;
    json_t *auth = NULL;
    struct err e = {.message = "Not authorized"};

    if (c->n && json_read((struct str){c->auth, c->n}, &auth, &e)) {
        break_off(s, &e);
    } else {
        s->accepted = !o->on_connect || o->on_connect(o->user, s, auth, &s->identity, &e) == 0;
        struct order *order = order_new(s->io, s, settle_connect);
        order->yes = s->accepted;
        order->message = answer_connect(s, s->accepted, &e);
        loop_post(s->io->loop, &order->task);
    }
    json_decref(auth);
    free(c);
}

bool socket_connect(struct socket *s, struct str auth)
{
    struct connecting *c = calloc(1, sizeof(*c) + auth.n + 1);

    if (!c)
        return false;
    c->socket = s;
    c->n = auth.n;
    if (auth.n)
        memcpy(c->auth, auth.p, auth.n);
    c->task.run = run_connect;
    c->task.cost = sizeof(*c) + auth.n;
    socket_push(s, &c->task);
    return true;
}

/* ==== events ==== */

static bool is_reserved(const char *event)
{
    static const char *const names[] = {"connect",       "connect_error", "disconnect",
                                        "disconnecting", "newListener",   "removeListener"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(event, names[i]) == 0)
            return true;
    return false;
}

static void drop_attached(struct socket *s)
{
    for (size_t i = 0; i < s->attached_count; i++)
        free((char *)s->attached[i].p);
    free(s->attached);
    s->attached = NULL;
    s->attached_count = s->attached_bytes = 0;
}

int socket_attach(struct socket *s, struct str bytes)
{
    if (s->attached_count == PACKET_ATTACHMENTS || bytes.n > s->io->o.max_queue - s->attached_bytes)
        return -1;
    if (!s->attached)
        s->attached = must_alloc(PACKET_ATTACHMENTS * sizeof(struct str));
    char *copy = malloc(bytes.n + 1);
    if (!copy)
        return -1;
    memcpy(copy, bytes.p, bytes.n);
    s->attached[s->attached_count] = (struct str){copy, bytes.n};
    s->attached_bytes += bytes.n;
    return (int)s->attached_count++;
}

static void deliver_on_loop(struct loop_task *t)
{
    struct order *o = LOOP_OWNER(t, struct order, task);

    socket_deliver(o->socket, o->message, o->kind);
    order_free(o);
}

static void acknowledge(struct socket *s, const char *id, const json_t *answer)
{
    char *text = json_dumps(answer, JSON_COMPACT);
    struct message *m = NULL;

    if (text)
        m = message_packet(s->io, PACKET_ACK, s->space->name, str_from(id), str_from(text),
                           s->attached, s->attached_count);
    free(text);
    if (!m) {
        LOG(LOG_ERROR, "an acknowledgement is too long");
        return;
    }
    struct order *order = order_new(s->io, s, deliver_on_loop);
    order->message = m;
    loop_post(s->io->loop, &order->task);
}

static int check_event(const json_t *data, struct err *e)
{
    const char *name = json_string_value(json_array_get(data, 0));

    if (!name || is_reserved(name))
        return ERR(e, ERR_FORMAT, "an event without a name that it may have");
    return 0;
}

static void call_handler(struct socket *s, struct event *event, json_t *data)
{
    const struct socketio_options *o = &s->io->o;
    json_t *name = json_incref(json_array_get(data, 0));

    json_array_remove(data, 0);
    json_t *answer =
        o->on_event(o->user, s, json_string_value(name), data, event->attachments, event->count);
    if (answer && event->id[0])
        acknowledge(s, event->id, answer);
    json_decref(answer);
    json_decref(name);
    drop_attached(s);
}

void event_run(struct task *t)
{
    struct event *event = LOOP_OWNER(t, struct event, task);
    struct socket *s = event->socket;
    json_t *data = NULL;
    struct err e;

    if (s->accepted && !s->broken && s->io->o.on_event) {
        if (json_read(event->data, &data, &e) || check_event(data, &e))
            break_off(s, &e);
        else
            call_handler(s, event, data);
    }
    json_decref(data);
    event_free(event);
}

/* ==== emitting, on the loop ==== */

void socket_deliver(struct socket *s, struct message *m, enum emit_kind kind)
{
    if (s->state == SOCKET_CONNECTED)
        session_send(s->client->session, m, kind == EMIT_VOLATILE);
    else if (s->state == SOCKET_CONNECTING && s->held.bytes + m->n <= s->io->o.max_queue)
        outbox_push(&s->held, m);
    else if (s->state == SOCKET_CONNECTING)
        atomic_fetch_add(&s->io->lost, 1);
}

const struct identity *socket_identity(const struct socket *s)
{
    return &s->identity;
}

const char *socket_id(const struct socket *s)
{
    return s->id;
}

const char *socket_namespace(const struct socket *s)
{
    return s->space->name;
}

int socket_join(struct socket *s, const char *room, struct err *e)
{
    if (strcmp(room, ROOMS_ALL) == 0)
        return ERR(e, ERR_ARG, "the room '%s' is everyone's already", room);
    return rooms_join(s->space->rooms, &s->member, room, e);
}

void socket_leave(struct socket *s, const char *room)
{
    if (strcmp(room, ROOMS_ALL) != 0)
        rooms_leave(s->space->rooms, &s->member, room);
}
