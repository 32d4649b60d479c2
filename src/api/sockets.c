#include "api/sockets.h"

#include "api/auth.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "storage/experiments.h"
#include "storage/tasks.h"

#include <stdio.h>
#include <string.h>

enum { WATCH_SECONDS = 600 };

enum { SESSION_ROOM = UUID_TEXT + 40 };

static void session_room(const char *id, char out[SESSION_ROOM])
{
    snprintf(out, SESSION_ROOM, "session:%s", id);
}

void sockets_end_session(struct app *app, const char *session_id)
{
    char room[SESSION_ROOM];

    session_room(session_id, room);
    socketio_disconnect(app->sockets, "/", room);
}

void sockets_end_user(struct app *app, const char *user_id)
{
    char room[USER_ROOM];

    user_room(user_id, room);
    socketio_disconnect(app->sockets, "/", room);
}

static int connected(void *user, struct socket *s, const json_t *auth, struct identity *identity,
                     struct err *e)
{
    struct app *app = user;
    const char *key = json_text(auth, "token", NULL);
    char room[USER_ROOM], session[SESSION_ROOM];

    if (!app->login_needed)
        *identity = auth_everybody();
    else if (key && auth_key(app, key, identity, e))
        return e->code;
    if (identity->role == ROLE_PUBLIC || !(identity->scopes & SCOPE_READ))
        return ERR(e, ERR_DENIED, "not authorized");
    user_room(identity->user_id, room);
    session_room(identity->session_id, session);
    if (identity->session_id[0] && socket_join(s, session, e))
        return e->code;
    return socket_join(s, room, e);
}

static bool may_see(const struct identity *who, const char *owner)
{
    return who->role == ROLE_ADMIN || (owner && strcmp(owner, who->user_id) == 0);
}

/* The owner of "experiment:{id}", "generation:{id}" or "task:{id}". */
static int owner_of(struct app *app, struct str room, struct arena *a, const char **owner,
                    struct err *e)
{
    struct generation generation;
    struct experiment experiment;
    struct task task_row;
    struct tx *tx;
    struct str id = room;
    bool whole = str_skip(&id, "experiment:"), task = !whole && str_skip(&id, "task:");
    int rc;

    if (!whole && !task && !str_skip(&id, "generation:"))
        return ERR(e, ERR_ARG,
                   "no room '%.*s': there are experiment:{id}, generation:{id}, task:{id}, queue, "
                   "models",
                   (int)room.n, room.p);
    if (!uuid_valid(id))
        return ERR(e, ERR_ARG, "'%.*s' does not end with an id", (int)room.n, room.p);
    if (tx_begin(app->db, TX_READ, &tx, e))
        return e->code;
    if (whole) {
        rc = experiments_get(tx, arena_str(a, id), a, &experiment, e);
        *owner = rc ? NULL : experiment.user_id;
    } else if (task) {
        rc = tasks_get(tx, arena_str(a, id), a, &task_row, e);
        *owner = rc ? NULL : task_row.user_id;
    } else {
        rc = generations_get(tx, arena_str(a, id), a, &generation, e);
        *owner = rc ? NULL : generation.user_id;
        if (rc == 0)
            bus_watch(app->bus, arena_str(a, id), WATCH_SECONDS);
    }
    tx_rollback(tx);
    return rc;
}

/* Of everybody who may come in at all. */
static bool is_common(const char *room)
{
    return strcmp(room, "queue") == 0 || strcmp(room, "models") == 0;
}

static int enter(struct app *app, struct socket *s, const char *room, struct err *e)
{
    struct arena a = {0};
    const char *owner = NULL;
    int rc = is_common(room) ? 0 : owner_of(app, str_from(room), &a, &owner, e);

    if (rc == 0 && !is_common(room) && !may_see(socket_identity(s), owner))
        rc = ERR(e, ERR_NOT_FOUND, "nothing with the id of '%s'", room);
    arena_release(&a);
    return rc ? rc : socket_join(s, room, e);
}

static json_t *refusal(const struct err *e)
{
    static const char *const codes[] = {[-ERR_ARG] = "invalid", [-ERR_NOT_FOUND] = "not_found"};
    size_t i = (size_t)-e->code;
    const char *code = i < sizeof codes / sizeof *codes && codes[i] ? codes[i] : "unavailable";

    return json_pack("[{s:{s:s, s:s}}]", "error", "code", code, "message", e->message);
}

static json_t *event(void *user, struct socket *s, const char *name, const json_t *arguments,
                     const struct str *attachments, size_t attachment_count)
{
    bool join = strcmp(name, "subscribe") == 0;
    const json_t *rooms = json_object_get(json_array_get(arguments, 0), "rooms"), *room;
    struct err e = {.code = ERR_ARG};
    json_t *done;
    size_t i;

    (void)attachments, (void)attachment_count;
    if (!join && strcmp(name, "unsubscribe") != 0) {
        err_set(&e, ERR_ARG, __FILE__, __LINE__, "no event '%.64s'", name);
        return refusal(&e);
    }
    if (!json_is_array(rooms) || !json_array_size(rooms) || json_array_size(rooms) > 100) {
        err_set(&e, ERR_ARG, __FILE__, __LINE__, "send {\"rooms\": [...]} with 1 to 100 rooms");
        return refusal(&e);
    }
    done = json_array();
    json_array_foreach(rooms, i, room)
    {
        const char *text = json_string_value(room) ? json_string_value(room) : "";
        if (join && enter(user, s, text, &e)) {
            json_decref(done);
            return refusal(&e);
        }
        if (!join)
            socket_leave(s, text);
        json_array_append_new(done, json_string(text));
    }
    return json_pack("[{s:o}]", "rooms", done);
}

void sockets_options(struct app *app, struct socketio_options *o)
{
    o->user = app;
    o->session_cookie = SESSION_COOKIE;
    o->on_connect = connected;
    o->on_event = event;
}

void sockets_forward(void *user, const struct bus_event *e)
{
    struct app *app = user;
    struct buf arguments;

    if (!app->sockets)
        return;
    buf_init(&arguments, 1 << 20);
    if (buf_addf(&arguments, "[%s]", e->data) == 0)
        socketio_emit(app->sockets, "/", e->room, e->name, arguments.p,
                      e->attachment.n ? &e->attachment : NULL,
                      e->may_drop ? EMIT_VOLATILE : EMIT_RELIABLE);
    else
        LOG(LOG_WARNING, "event too long for the sockets", LOG_TEXT("name", e->name));
    buf_release(&arguments);
}
