#include "api/api_routes.h"
#include "api/auth.h"
#include "api/sockets.h"

#include "base/clock.h"
#include "base/json.h"
#include "storage/events.h"

#include <string.h>

static json_t *session_json(const struct session_row *s, const char *current)
{
    json_t *o = json_object();

    json_object_set_new(o, "id", json_string(s->id));
    json_object_set_new(o, "current", json_boolean(strcmp(s->id, current) == 0));
    json_object_set_new(o, "address", json_text_or_null(s->address));
    json_object_set_new(o, "agent", json_text_or_null(s->agent));
    json_object_set_new(o, "created_at", json_time_or_null(s->created_at));
    json_object_set_new(o, "seen_at", json_time_or_null(s->seen_at));
    json_object_set_new(o, "expires_at", json_time_or_null(s->expires_at));
    return o;
}

int api_list_sessions(struct request *r, struct response *w, struct err *e)
{
    const struct identity *who = request_identity(r);
    struct session_row *rows = NULL;
    json_t *items = json_array();
    size_t count = 0;
    struct tx *tx;

    if (tx_begin(app_of(r)->db, TX_READ, &tx, e))
        goto fail;
    int rc = sessions_list(tx, who->user_id, request_arena(r), &rows, &count, e);
    tx_rollback(tx);
    if (rc)
        goto fail;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, session_json(&rows[i], who->session_id));
    return respond_json(w, 200, json_pack("{s:o}", "items", items));
fail:
    json_decref(items);
    return e->code;
}

int api_delete_session(struct request *r, struct response *w, struct err *e)
{
    const struct identity *who = request_identity(r);
    const char *id = request_param(r, "id");
    struct tx *tx;

    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, e))
        return e->code;
    if (sessions_delete(tx, id, who->role == ROLE_ADMIN ? NULL : who->user_id, e)) {
        tx_rollback(tx);
        return e->code;
    }
    audit(r, tx, "session_ended", id, NULL);
    if (tx_commit(tx, e))
        return e->code;
    sockets_end_session(app_of(r), id);
    if (strcmp(id, who->session_id) == 0)
        respond_cookie(w, SESSION_COOKIE, "", 0, false);
    return respond_empty(w, 204);
}
