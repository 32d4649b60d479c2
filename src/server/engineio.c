#include "server/engineio.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "server/engineio_private.h"
#include "server/packet.h"

#include <stdlib.h>
#include <string.h>

/* How long a session that has ended waits for polls to fetch what is left for it. */
static const double linger_seconds = 2;

/* ==== the table of sessions ==== */

/* Session identifiers are random hex digits: any eight of them are a hash. */
static size_t slot_of(const struct engine *g, struct str sid)
{
    size_t hash = 0;

    for (size_t i = 0; i < 8 && i < sid.n; i++)
        hash = hash * 17 + (unsigned char)sid.p[i];
    return hash & g->mask;
}

struct session *engine_find(const struct engine *g, struct str sid)
{
    struct session *s = g->table[slot_of(g, sid)];

    while (s && !str_is(sid, s->sid))
        s = s->next;
    return s;
}

static void enter(struct engine *g, struct session *s)
{
    struct session **slot = &g->table[slot_of(g, str_from(s->sid))];

    s->next = *slot;
    *slot = s;
    g->sessions++;
    atomic_fetch_add(&g->count, 1);
}

static void leave(struct session *s)
{
    struct session **at = &s->engine->table[slot_of(s->engine, str_from(s->sid))];

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->engine->sessions--;
    atomic_fetch_sub(&s->engine->count, 1);
}

/* ==== sending ==== */

static struct outbox *queue_of(struct session *s)
{
    return s->ws ? websocket_outbox(s->ws) : &s->out;
}

static void push(struct session *s, struct message *m)
{
    if (s->ws) {
        websocket_send(s->ws, m);
        return;
    }
    outbox_push(&s->out, m);
    session_flush_later(s);
}

void session_push_text(struct session *s, struct str packet)
{
    struct message *m = message_text(packet);

    if (!m)
        abort();
    push(s, m);
    message_free(m);
}

void session_send(struct session *s, struct message *m, bool is_volatile)
{
    struct engine *g = s->engine;
    size_t waiting = queue_of(s)->bytes;

    if (s->dead || s->lingering || s->overflow)
        return;
    if (is_volatile && waiting > g->o.max_queue / 2) {
        atomic_fetch_add_explicit(&g->dropped, 1, memory_order_relaxed);
        return;
    }
    if (waiting + m->n > g->o.max_queue) {
        s->overflow = true;
        session_flush_later(s);
        return;
    }
    atomic_fetch_add_explicit(&g->sent, 1, memory_order_relaxed);
    push(s, m);
}

void session_flush_later(struct session *s)
{
    loop_later(s->engine->o.loop, &s->flush);
}

static void answer_poll(struct session *s)
{
    struct raw *poll = s->poll;
    struct buf b;

    buf_init(&b, 2 * s->engine->o.max_queue + 1024);
    s->poll = NULL;
    if (outbox_payload(&s->out, &b)) {
        LOG(LOG_ERROR, "a payload of long polling was lost: no memory");
        raw_reply_text(poll, 500, STR(""));
    } else {
        raw_reply_text(poll, 200, (struct str){b.p, b.n});
    }
    buf_release(&b);
}

/* ==== the end ==== */

static void bury(struct loop_task *t)
{
    free(LOOP_OWNER(t, struct session, burial));
}

static void vanish(struct session *s)
{
    struct engine *g = s->engine;

    s->dead = true;
    if (!s->ws)
        atomic_fetch_sub(&g->polling, 1);
    leave(s);
    loop_timer_clear(g->o.loop, &s->heartbeat);
    loop_timer_clear(g->o.loop, &s->probe_timer);
    outbox_release(&s->out);
    loop_bury(g->o.loop, &s->burial);
    engine_check_drained(g);
}

static void answer_post(struct session *s, unsigned status, struct str text)
{
    struct raw *post = s->post;

    s->post = NULL;
    if (post)
        raw_reply_text(post, status, text);
}

/* Tell the layer above, once. */
static void tell_closed(struct session *s, const char *reason)
{
    const struct engine_events *events = s->engine->o.events;

    if (!s->lingering)
        events->closed(s->engine->o.user, s, reason);
}

/* A close packet is our wish that the client goes for good (python-socketio stays away then); an
 * error is something to come back after. */
static void refuse_poll(struct session *s)
{
    struct raw *poll = s->poll;

    s->poll = NULL;
    raw_reply_text(poll, 503, STR("{\"code\":4,\"message\":\"Server shutting down\"}"));
}

static void end(struct session *s, unsigned code, const char *reason)
{
    if (s->dead)
        return;
    tell_closed(s, reason);
    s->lingering = true;
    session_drop_probe(s);
    if (s->engine->stopping && s->poll)
        refuse_poll(s);
    session_end_poll(s, STR("1"));
    if (s->ws)
        websocket_close(s->ws, code, reason);
    vanish(s);
}

void session_abort(struct session *s, const char *reason)
{
    answer_post(s, 400, STR("{\"code\":3,\"message\":\"Bad request\"}"));
    /* So that the peer gets the reason before what it is too slow for. */
    if (s->ws)
        outbox_cut(websocket_outbox(s->ws));
    end(s, 1008, reason);
}

void session_close(struct session *s, const char *reason)
{
    if (s->dead || s->lingering)
        return;
    answer_post(s, 200, STR("ok"));
    if (s->ws || !s->out.count) {
        end(s, s->engine->stopping ? 1001 : 1000, reason);
        return;
    }
    /* The next polls fetch what is left, and the close packet. */
    tell_closed(s, reason);
    s->lingering = true;
    session_drop_probe(s);
    if (!s->engine->stopping)
        session_push_text(s, STR("1"));
    session_flush_later(s);
    loop_timer_set(s->engine->o.loop, &s->heartbeat, clock_seconds() + linger_seconds);
}

static void flush(struct loop_task *t)
{
    struct session *s = LOOP_OWNER(t, struct session, flush);

    if (s->dead)
        return;
    if (s->overflow) {
        session_abort(s, "reads too slowly");
        return;
    }
    if (s->post && !s->paused && !s->lingering)
        session_continue_post(s);
    if (!s->poll || s->dead)
        return;
    if (s->out.count) {
        answer_poll(s);
        if (s->lingering && !s->out.count)
            vanish(s);
    } else if (s->probed) {
        session_end_poll(s, STR("6"));
    }
}

/* ==== heartbeat ==== */

static void beat(struct loop_timer *t)
{
    struct session *s = LOOP_OWNER(t, struct session, heartbeat);
    const struct engine_options *o = &s->engine->o;

    if (s->lingering) {
        vanish(s);
        return;
    }
    if (s->awaiting_pong && !s->paused) {
        end(s, 1000, "ping timeout");
        return;
    }
    /* While we do not read, its pong cannot be seen. */
    if (!s->awaiting_pong)
        session_push_text(s, STR("2"));
    s->awaiting_pong = true;
    loop_timer_set(o->loop, t, t->at + o->ping_timeout);
}

/* ==== packets ==== */

bool session_packet(struct session *s, bool binary, struct str packet)
{
    struct engine *g = s->engine;
    char type = binary ? ENGINE_MESSAGE : packet.n ? packet.p[0] : '\0';

    switch (type) {
    case ENGINE_MESSAGE:
        atomic_fetch_add_explicit(&g->received, 1, memory_order_relaxed);
        g->o.events->message(g->o.user, s, binary,
                             binary ? packet : (struct str){packet.p + 1, packet.n - 1});
        break;
    case ENGINE_PONG:
        if (s->awaiting_pong) {
            s->awaiting_pong = false;
            loop_timer_set(g->o.loop, &s->heartbeat, clock_seconds() + g->o.ping_interval);
        }
        break;
    case ENGINE_NOOP:
        break;
    case ENGINE_CLOSE:
        session_end_poll(s, STR("6"));
        answer_post(s, 200, STR("ok"));
        end(s, 1000, "transport close");
        break;
    default:
        session_abort(s, "parse error");
    }
    return !s->dead && !s->lingering;
}

static void ws_message(void *user, struct websocket *w, bool binary, struct str bytes)
{
    (void)w;
    session_packet(user, binary, bytes);
}

static void ws_closed(void *user, struct websocket *w, const char *reason)
{
    struct session *s = user;

    (void)w;
    tell_closed(s, reason);
    s->lingering = true;
    vanish(s);
}

void session_set_websocket(struct session *s, struct websocket *w)
{
    static const struct websocket_events events = {ws_message, ws_closed};

    s->ws = w;
    websocket_give(w, &events, s);
    websocket_pause(w, s->paused > 0);
}

void session_pause(struct session *s)
{
    if (s->paused++ == 0 && s->ws)
        websocket_pause(s->ws, true);
}

void session_resume(struct session *s)
{
    if (--s->paused > 0 || s->dead)
        return;
    if (s->ws)
        websocket_pause(s->ws, false);
    session_flush_later(s);
}

/* ==== opening ==== */

static void greet(struct session *s)
{
    const struct engine_options *o = &s->engine->o;
    struct buf b;

    buf_init(&b, 1024);
    if (buf_addf(&b,
                 "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%.0f,\"pingTimeout\":%.0f,"
                 "\"maxPayload\":%zu}",
                 s->sid, s->ws ? "" : "\"websocket\"", o->ping_interval * 1000,
                 o->ping_timeout * 1000, o->max_payload) == 0)
        session_push_text(s, (struct str){b.p, b.n});
    buf_release(&b);
}

static void probe_timeout(struct loop_timer *t)
{
    session_drop_probe(LOOP_OWNER(t, struct session, probe_timer));
}

struct session *session_new(struct engine *g, const struct identity *identity,
                            const char *credentials, struct websocket *ws)
{
    struct session *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->engine = g;
    random_hex(s->sid, (SID_TEXT - 1) / 2);
    memcpy(s->credentials, credentials, CREDENTIALS_TEXT);
    s->identity = *identity;
    s->heartbeat.run = beat;
    s->probe_timer.run = probe_timeout;
    s->flush.run = flush;
    s->burial.run = bury;
    enter(g, s);
    if (ws)
        session_set_websocket(s, ws);
    else
        atomic_fetch_add(&g->polling, 1);
    greet(s);
    loop_timer_set(g->o.loop, &s->heartbeat, clock_seconds() + g->o.ping_interval);
    g->o.events->opened(g->o.user, s);
    return s;
}

const struct identity *session_identity(const struct session *s)
{
    return &s->identity;
}

void *session_user(const struct session *s)
{
    return s->user;
}

void session_set_user(struct session *s, void *user)
{
    s->user = user;
}

/* ==== the engine ==== */

void engine_check_drained(struct engine *g)
{
    if (!g->stopping || !g->drained || g->sessions || g->websockets.count || g->openings)
        return;
    void (*drained)(void *) = g->drained;
    g->drained = NULL;
    loop_timer_clear(g->o.loop, &g->deadline);
    drained(g->drained_user);
}

/* Everyone, although closing takes them out of the table. */
static void close_all(struct engine *g, void (*close)(struct session *s))
{
    for (size_t i = 0; i <= g->mask; i++)
        for (struct session *s = g->table[i], *next; s; s = next) {
            next = s->next;
            close(s);
        }
}

static void close_one(struct session *s)
{
    session_close(s, "server shutting down");
}

static void cut_off(struct session *s)
{
    end(s, 1001, "server shutting down");
}

/* Sockets on their way from http.c are refused when they arrive. */
static void stop_deadline(struct loop_timer *t)
{
    struct engine *g = LOOP_OWNER(t, struct engine, deadline);

    websocket_drop_all(&g->websockets);
    close_all(g, cut_off);
    g->openings = 0;
    engine_check_drained(g);
}

static void websocket_gone(void *user)
{
    engine_check_drained(user);
}

static void stop(struct loop_task *t)
{
    struct engine *g = LOOP_OWNER(t, struct engine, stop);

    g->stopping = true;
    loop_timer_set(g->o.loop, &g->deadline, clock_seconds() + g->stop_seconds);
    close_all(g, close_one);
    engine_check_drained(g);
}

void engine_stop(struct engine *g, double seconds, void (*drained)(void *user), void *user)
{
    g->stop_seconds = seconds;
    g->drained = drained;
    g->drained_user = user;
    loop_post(g->o.loop, &g->stop);
}

int engine_new(const struct engine_options *o, struct engine **out, struct err *e)
{
    struct engine *g = calloc(1, sizeof(*g));
    size_t slots = 64;

    while (slots < (size_t)o->max_sessions)
        slots *= 2;
    if (g)
        g->table = calloc(slots, sizeof(struct session *));
    if (!g || !g->table ||
        (o->allowed_origins && !(g->allowed_origins = strdup(o->allowed_origins))) ||
        (o->session_cookie && !(g->session_cookie = strdup(o->session_cookie)))) {
        engine_free(g);
        return ERR(e, ERR_NOMEM, "no memory for %d sessions", o->max_sessions);
    }
    g->o = *o;
    g->mask = slots - 1;
    g->deadline.run = stop_deadline;
    g->stop.run = stop;
    g->websockets.gone = websocket_gone;
    g->websockets.user = g;
    *out = g;
    return 0;
}

void engine_free(struct engine *g)
{
    if (!g)
        return;
    free(g->allowed_origins);
    free(g->session_cookie);
    free(g->table);
    free(g);
}

void engine_stats(const struct engine *g, struct engine_stats *out)
{
    *out = (struct engine_stats){
        .sessions = atomic_load(&g->count),
        .polling = atomic_load(&g->polling),
        .sent = atomic_load(&g->sent),
        .received = atomic_load(&g->received),
        .dropped = atomic_load(&g->dropped),
    };
}
