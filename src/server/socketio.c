#include "server/socketio.h"

#include "base/log.h"
#include "server/raw.h"
#include "server/socketio_private.h"

#include <stdlib.h>
#include <string.h>

/* Emissions that the loop has not seen yet; beyond that emitters wait. */
enum { MOST_EMITTING = 64 << 20, MOST_NAMESPACES = 32 };
static const double stop_seconds = 2;

void *must_alloc(size_t n)
{
    void *p = calloc(1, n);

    if (!p)
        abort();
    return p;
}

/* ==== orders ==== */

struct order *order_new(struct socketio *io, struct socket *s, void (*run)(struct loop_task *t))
{
    struct order *o = must_alloc(sizeof(*o));

    o->task.run = run;
    o->io = io;
    o->socket = s;
    if (s)
        atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return o;
}

void order_free(struct order *o)
{
    message_free(o->message);
    if (o->socket)
        socket_release(o->socket);
    free(o->room);
    free(o);
}

/* ==== messages ==== */

struct message *message_packet(const struct socketio *io, enum packet_type type,
                               const char *name_space, struct str id, struct str data,
                               const struct str *attachments, size_t count)
{
    struct part parts[1 + PACKET_ATTACHMENTS] = {0};
    struct message *m = NULL;
    size_t room = io->o.max_queue;
    struct buf text;

    for (size_t i = 0; i < count; i++) {
        if (attachments[i].n > room)
            return NULL;
        room -= attachments[i].n;
    }
    buf_init(&text, room);
    if (packet_encode(&text, type, count, name_space, id, data) == 0) {
        parts[0].bytes = (struct str){text.p, text.n};
        for (size_t i = 0; i < count; i++)
            parts[1 + i] = (struct part){true, attachments[i]};
        m = message_new(parts, 1 + count);
    }
    buf_release(&text);
    if (m && m->n > io->o.max_queue) {
        message_free(m);
        m = NULL;
    }
    return m;
}

static struct message *event_message(struct socketio *io, const char *name_space, const char *event,
                                     const char *arguments, const struct str *attachments,
                                     size_t count)
{
    struct message *m = NULL;
    struct buf data;
    struct err e = {.message = "the event is too long"};

    buf_init(&data, io->o.max_queue);
    if (count <= PACKET_ATTACHMENTS &&
        packet_event_data(&data, event, str_from(arguments), &e) == 0)
        m = message_packet(io, PACKET_EVENT, name_space, STR(""), (struct str){data.p, data.n},
                           attachments, count);
    buf_release(&data);
    if (!m) {
        LOG(LOG_ERROR, "an event was not sent", LOG_TEXT("event", event), LOG_ERR(&e));
        atomic_fetch_add(&io->lost, 1);
    }
    return m;
}

/* ==== emitting ==== */

static size_t cost_of(const struct order *o)
{
    return sizeof(*o) + (o->message ? o->message->n : 0);
}

static void post_emission(struct order *o)
{
    struct socketio *io = o->io;

    pthread_mutex_lock(&io->lock);
    while (io->emitting > MOST_EMITTING)
        pthread_cond_wait(&io->changed, &io->lock);
    io->emitting += cost_of(o);
    pthread_mutex_unlock(&io->lock);
    loop_post(io->loop, &o->task);
}

static void emission_done(struct order *o)
{
    struct socketio *io = o->io;

    pthread_mutex_lock(&io->lock);
    if (io->emitting > MOST_EMITTING)
        pthread_cond_broadcast(&io->changed);
    io->emitting -= cost_of(o);
    pthread_mutex_unlock(&io->lock);
    order_free(o);
}

static void deliver_to_member(void *user, struct member *m)
{
    const struct order *o = user;

    socket_deliver(LOOP_OWNER(m, struct socket, member), o->message, o->kind);
}

static void emit_on_loop(struct loop_task *t)
{
    struct order *o = LOOP_OWNER(t, struct order, task);

    if (o->socket)
        socket_deliver(o->socket, o->message, o->kind);
    else
        rooms_each(o->space->rooms, o->room ? o->room : ROOMS_ALL, deliver_to_member, o);
    emission_done(o);
}

static struct name_space *space_of(struct socketio *io, const char *name)
{
    for (size_t i = 0; i < io->space_count; i++)
        if (strcmp(io->spaces[i].name, name) == 0)
            return &io->spaces[i];
    LOG(LOG_ERROR, "there is no such namespace", LOG_TEXT("namespace", name));
    return NULL;
}

static char *copy_text(const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        abort();
    return copy;
}

void socketio_emit(struct socketio *io, const char *name_space, const char *room, const char *event,
                   const char *arguments, const struct str *attachment, enum emit_kind kind)
{
    struct name_space *space = space_of(io, name_space);
    struct message *m =
        space ? event_message(io, name_space, event, arguments, attachment, attachment ? 1 : 0)
              : NULL;

    if (!m)
        return;
    struct order *o = order_new(io, NULL, emit_on_loop);
    o->space = space;
    o->room = copy_text(room);
    o->message = m;
    o->kind = kind;
    post_emission(o);
}

void socket_emit_all(struct socket *s, const char *event, const char *arguments,
                     const struct str *attachments, size_t count, enum emit_kind kind)
{
    struct message *m = event_message(s->io, s->space->name, event, arguments, attachments, count);

    if (!m)
        return;
    struct order *o = order_new(s->io, s, emit_on_loop);
    o->message = m;
    o->kind = kind;
    post_emission(o);
}

void socket_emit(struct socket *s, const char *event, const char *arguments,
                 const struct str *attachment, enum emit_kind kind)
{
    socket_emit_all(s, event, arguments, attachment, attachment ? 1 : 0, kind);
}

/* ==== disconnecting ==== */

static void disconnect(struct socket *s)
{
    if (!s->client)
        return;
    if (s->state == SOCKET_CONNECTED)
        client_send(s->client, PACKET_DISCONNECT, s->space->name, STR(""));
    else
        client_send(s->client, PACKET_CONNECT_ERROR, s->space->name,
                    STR("{\"message\":\"disconnected by the server\"}"));
    socket_end(s);
}

/* The rooms are locked while they are walked: whom to disconnect is collected first. */
static void collect(void *user, struct member *m)
{
    struct socket *s = LOOP_OWNER(m, struct socket, member), **list = user;

    atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    s->next_doomed = *list;
    *list = s;
}

static void disconnect_on_loop(struct loop_task *t)
{
    struct order *o = LOOP_OWNER(t, struct order, task);
    struct socket *list = NULL, *next;

    if (o->socket)
        disconnect(o->socket);
    else
        rooms_each(o->space->rooms, o->room ? o->room : ROOMS_ALL, collect, (void *)&list);
    for (struct socket *s = list; s; s = next) {
        next = s->next_doomed;
        disconnect(s);
        socket_release(s);
    }
    order_free(o);
}

void socketio_disconnect(struct socketio *io, const char *name_space, const char *room)
{
    struct name_space *space = space_of(io, name_space);

    if (!space)
        return;
    struct order *o = order_new(io, NULL, disconnect_on_loop);
    o->space = space;
    o->room = copy_text(room);
    loop_post(io->loop, &o->task);
}

void socket_disconnect(struct socket *s)
{
    loop_post(s->io->loop, &order_new(s->io, s, disconnect_on_loop)->task);
}

/* ==== requests ==== */

void socketio_http(struct socketio *io, struct http_server *server, struct raw *raw)
{
    atomic_store(&io->server, server);
    engine_http(io->engine, raw);
}

size_t socketio_max_body(const struct socketio *io)
{
    return io->o.max_payload;
}

void socketio_http_gone(struct socketio *io, struct raw *raw)
{
    engine_gone(io->engine, raw);
}

/* ==== start and stop ==== */

struct socketio_options socketio_options(void)
{
    return (struct socketio_options){
        .ping_interval = 25,
        .ping_timeout = 20,
        .connect_timeout = 45,
        .max_payload = 1000000,
        .max_queue = 4 << 20,
        .max_sockets = 10000,
    };
}

static int make_spaces(struct socketio *io, const char *const *names, struct err *e)
{
    static const char *const only[] = {"/", NULL};
    size_t count = 0;

    names = names ? names : only;
    while (names[count])
        count++;
    if (!count || count > MOST_NAMESPACES)
        return ERR(e, ERR_ARG, "from 1 to %d namespaces", MOST_NAMESPACES);
    io->spaces = must_alloc(count * sizeof(*io->spaces));
    for (size_t i = 0; i < count; i++) {
        if (names[i][0] != '/' || strlen(names[i]) > PACKET_NAME_SPACE || strchr(names[i], ','))
            return ERR(e, ERR_ARG, "'%s' cannot be a namespace", names[i]);
        io->spaces[i].name = copy_text(names[i]);
        io->space_count = i + 1;
        io->spaces[i].rooms = rooms_new();
        if (!io->spaces[i].rooms)
            return ERR(e, ERR_NOMEM, "no memory for the namespace '%s'", names[i]);
    }
    return 0;
}

static int check_options(const struct socketio_options *o, struct err *e)
{
    if (!(o->ping_interval > 0 && o->ping_timeout > 0 && o->connect_timeout > 0))
        return ERR(e, ERR_ARG, "the intervals of Socket.IO must be positive");
    if (o->max_payload < 1024 || o->max_payload > 1 << 30 || o->max_queue < 1024 ||
        o->max_queue > 1 << 30 || o->max_sockets < 1 || o->max_sockets > 1 << 20)
        return ERR(e, ERR_ARG, "a limit of Socket.IO is out of its range");
    return 0;
}

int socketio_start(const struct socketio_options *o, struct socketio **out, struct err *e)
{
    struct socketio *io = must_alloc(sizeof(*io));
    int rc = check_options(o, e);

    pthread_mutex_init(&io->lock, NULL);
    pthread_cond_init(&io->changed, NULL);
    io->o = *o;
    io->retry.run = socketio_retry;
    if (rc || (rc = make_spaces(io, o->namespaces, e)) || (rc = loop_start(&io->loop, e)))
        goto out;
    rc = engine_new(&(struct engine_options){.loop = io->loop,
                                             .ping_interval = o->ping_interval,
                                             .ping_timeout = o->ping_timeout,
                                             .max_payload = o->max_payload,
                                             .max_queue = o->max_queue,
                                             .max_sessions = o->max_sockets,
                                             .allowed_origins = o->allowed_origins,
                                             .session_cookie = o->session_cookie,
                                             .events = &client_events,
                                             .user = io},
                    &io->engine, e);
out:
    if (rc)
        socketio_free(io);
    else
        *out = io;
    return rc;
}

static void drained(void *user)
{
    struct socketio *io = user;

    pthread_mutex_lock(&io->lock);
    io->drained = true;
    pthread_cond_broadcast(&io->changed);
    pthread_mutex_unlock(&io->lock);
}

void socketio_stop(struct socketio *io)
{
    engine_stop(io->engine, stop_seconds, drained, io);
    pthread_mutex_lock(&io->lock);
    while (!io->drained || io->live)
        pthread_cond_wait(&io->changed, &io->lock);
    pthread_mutex_unlock(&io->lock);
}

void socketio_free(struct socketio *io)
{
    if (!io)
        return;
    loop_stop(io->loop);
    engine_free(io->engine);
    for (size_t i = 0; i < io->space_count; i++) {
        rooms_free(io->spaces[i].rooms);
        free(io->spaces[i].name);
    }
    free(io->spaces);
    pthread_cond_destroy(&io->changed);
    pthread_mutex_destroy(&io->lock);
    free(io);
}

void socketio_stats(struct socketio *io, struct socketio_stats *out)
{
    struct engine_stats s;

    engine_stats(io->engine, &s);
    *out = (struct socketio_stats){.sockets = atomic_load(&io->connected),
                                   .sessions = s.sessions,
                                   .polling = s.polling,
                                   .sent = s.sent,
                                   .received = s.received,
                                   .dropped = s.dropped + atomic_load(&io->lost)};
}
