/* Packets of clients: who connects where, and the events on their way to the handlers. */
#include "server/socketio_private.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

static struct client_place *place_of(struct client *c, struct str name)
{
    for (size_t i = 0; i < c->io->space_count; i++)
        if (str_is(name, c->io->spaces[i].name))
            return &c->places[i];
    return NULL;
}

void client_send(struct client *c, enum packet_type type, const char *name_space, struct str data)
{
    struct message *m = message_packet(c->io, type, name_space, STR(""), data, NULL, 0);

    if (m)
        session_send(c->session, m, false);
    message_free(m);
}

void client_remove(struct client *c, struct socket *s)
{
    c->places[s->space - c->io->spaces].socket = NULL;
}

/* ==== sessions ==== */

static void connect_timeout(struct loop_timer *t)
{
    struct client *c = LOOP_OWNER(t, struct client, connect_timer);

    session_close(c->session, "no CONNECT in time");
}

static void opened(void *user, struct session *session)
{
    struct socketio *io = user;
    struct client *c = must_alloc(sizeof(*c) + io->space_count * sizeof(c->places[0]));

    c->io = io;
    c->session = session;
    c->connect_timer.run = connect_timeout;
    loop_timer_set(io->loop, &c->connect_timer, clock_seconds() + io->o.connect_timeout);
    session_set_user(session, c);
}

static void drop_assembly(struct client *c)
{
    if (c->assembly)
        event_free(c->assembly);
    c->assembly = NULL;
}

static void closed(void *user, struct session *session, const char *reason)
{
    struct client *c = session_user(session);
    struct socketio *io = user;

    LOG(LOG_DEBUG, "a session ended", LOG_TEXT("reason", reason));
    loop_timer_clear(io->loop, &c->connect_timer);
    drop_assembly(c);
    for (size_t i = 0; i < io->space_count; i++)
        if (c->places[i].socket)
            socket_end(c->places[i].socket);
    free(c);
}

/* ==== packets: each returns false when the client broke the protocol ==== */

static bool take_connect(struct client *c, const struct packet *p)
{
    struct client_place *place = place_of(c, p->name_space);
    char name[PACKET_NAME_SPACE + 1];

    if (!place) {
        memcpy(name, p->name_space.p, p->name_space.n);
        name[p->name_space.n] = '\0';
        client_send(c, PACKET_CONNECT_ERROR, name, STR("{\"message\":\"Invalid namespace\"}"));
        return true;
    }
    if (place->socket)
        return false;
    place->known = true;
    place->socket = socket_new(c, &c->io->spaces[place - c->places]);
    return socket_connect(place->socket, p->data);
}

/* The socket a packet is for. NULL with *known when the server has just ended it: its client may
 * not have heard of that yet. */
static struct socket *addressee(struct client *c, const struct packet *p, bool *known)
{
    const struct client_place *place = place_of(c, p->name_space);

    *known = place && place->known;
    return place ? place->socket : NULL;
}

static struct event *event_new(const struct packet *p)
{
    size_t n = sizeof(struct event) + p->attachments * sizeof(struct str);
    struct event *event = calloc(1, n + p->data.n + 1);

    if (!event)
        return NULL;
    char *data = (char *)event + n;
    memcpy(data, p->data.p, p->data.n);
    memcpy(event->id, p->id.p, p->id.n);
    event->data = (struct str){data, p->data.n};
    event->wanted = p->attachments;
    event->task.cost = n + p->data.n;
    event->task.run = event_run;
    return event;
}

void event_free(struct event *event)
{
    for (size_t i = 0; i < event->count; i++)
        free((char *)event->attachments[i].p);
    if (event->socket)
        socket_release(event->socket);
    free(event);
}

/* An event with everything that belongs to it. Its socket may have gone meanwhile. */
static void pass_on(struct event *event)
{
    struct socket *s = event->socket;

    if (s && s->state != SOCKET_GONE)
        socket_push(s, &event->task);
    else
        event_free(event);
}

static bool take_event(struct client *c, const struct packet *p)
{
    bool known, binary = p->type == PACKET_BINARY_EVENT || p->type == PACKET_BINARY_ACK;
    bool answer = p->type == PACKET_ACK || p->type == PACKET_BINARY_ACK;
    struct socket *s = addressee(c, p, &known);

    if (!known)
        return false;
    /* We ask for no acknowledgements: what comes unasked is passed over. */
    if (answer && !binary)
        return true;
    if (!binary && (!s || s->state == SOCKET_GONE))
        return true;
    struct event *event = event_new(p);
    if (!event)
        return false;
    if (s && !answer) {
        atomic_fetch_add(&s->references, 1);
        event->socket = s;
    }
    if (event->wanted) {
        c->assembly = event;
        c->assembled = 0;
    } else {
        pass_on(event);
    }
    return true;
}

static bool take_attachment(struct client *c, struct str bytes)
{
    struct event *event = c->assembly;

    if (!event || bytes.n > c->io->o.max_payload - c->assembled)
        return false;
    char *copy = malloc(bytes.n + 1);
    if (!copy)
        return false;
    memcpy(copy, bytes.p, bytes.n);
    event->attachments[event->count++] = (struct str){copy, bytes.n};
    event->task.cost += bytes.n;
    c->assembled += bytes.n;
    if (event->count == event->wanted) {
        c->assembly = NULL;
        pass_on(event);
    }
    return true;
}

static bool take_packet(struct client *c, struct str text)
{
    struct packet p;
    struct err e;
    bool known;

    if (c->assembly) {
        LOG(LOG_DEBUG, "a text where an attachment was due");
        return false;
    }
    if (packet_decode(text, &p, &e)) {
        LOG(LOG_DEBUG, "a bad packet", LOG_ERR(&e));
        return false;
    }
    if (p.type == PACKET_CONNECT)
        return take_connect(c, &p);
    if (p.type != PACKET_DISCONNECT)
        return take_event(c, &p);
    struct socket *s = addressee(c, &p, &known);
    if (s)
        socket_end(s);
    return known;
}

static void message(void *user, struct session *session, bool binary, struct str bytes)
{
    struct client *c = session_user(session);

    (void)user;
    if (!(binary ? take_attachment(c, bytes) : take_packet(c, bytes)))
        session_abort(session, "parse error");
}

const struct engine_events client_events = {opened, message, closed};
