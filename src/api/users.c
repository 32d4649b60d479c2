#include "api/api_routes.h"
#include "api/auth.h"
#include "api/sockets.h"

#include "base/clock.h"
#include "base/json.h"
#include "storage/events.h"

#include <string.h>

static json_t *user_json(const struct user *u)
{
    json_t *o = json_object();

    json_object_set_new(o, "id", json_string(u->id));
    json_object_set_new(o, "name", json_string(u->name));
    json_object_set_new(o, "role", json_string(u->role));
    json_object_set_new(o, "disabled", json_boolean(u->disabled));
    json_object_set_new(o, "created_at", json_time_or_null(u->created_at));
    json_object_set_new(o, "updated_at", json_time_or_null(u->updated_at));
    json_object_set_new(o, "last_login_at", json_time_or_null(u->last_login_at));
    return o;
}

int api_list_users(struct request *r, struct response *w, struct err *e)
{
    const json_t *query = request_query(r);
    struct user *rows = NULL;
    const char *next = NULL;
    size_t count = 0;
    struct tx *tx;

    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = users_list(tx, (int)json_int(query, "limit", 50), json_text(query, "cursor", NULL),
                    request_arena(r), &rows, &count, &next, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, user_json(&rows[i]));
    return respond_json(
        w, 200, json_pack("{s:o, s:o}", "items", items, "next_cursor", json_text_or_null(next)));
}

static int load(struct request *r, struct user *out, struct err *e)
{
    struct tx *tx;

    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = users_get(tx, request_param(r, "id"), request_arena(r), out, e);
    tx_rollback(tx);
    return rc;
}

int api_get_user(struct request *r, struct response *w, struct err *e)
{
    struct user user;

    if (load(r, &user, e))
        return e->code;
    return respond_json(w, 200, user_json(&user));
}

int api_create_user(struct request *r, struct response *w, struct err *e)
{
    struct app *app = app_of(r);
    const json_t *body = request_json(r);
    char id[UUID_TEXT], hash[AUTH_HASH];
    int64_t now = clock_unix_ms();
    struct tx *tx;

    if (!app->login_needed && strcmp(json_text(body, "role", "editor"), "admin") != 0) {
        respond_problem(w, 422, "invalid", "the first user of a server must be an admin");
        problem_field(w, "/role", "'admin', for the first user");
        return 0;
    }
    if (auth_hash_password(json_text(body, "password", ""), hash, e))
        return e->code;
    uuid_v7(id);
    struct user user = {.id = id,
                        .name = json_text(body, "name", ""),
                        .password_hash = hash,
                        .role = json_text(body, "role", "editor"),
                        .created_at = now,
                        .updated_at = now};
    if (tx_begin(app->db, TX_WRITE, &tx, e))
        return e->code;
    if (users_insert(tx, &user, e)) {
        tx_rollback(tx);
        return e->code;
    }
    audit(r, tx, "user_created", id, NULL);
    if (tx_commit(tx, e))
        return e->code;
    app->login_needed = true;
    respond_header(w, "Location", arena_printf(request_arena(r), "/api/v1/users/%s", id));
    return respond_json(w, 201, user_json(&user));
}

/* A change of role, name or password, or a lock, ends what is signed in. */
static int store(struct request *r, const struct user *user, bool end_sessions, struct err *e)
{
    struct tx *tx;

    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, e))
        return e->code;
    if (users_update(tx, user, clock_unix_ms(), e) ||
        (end_sessions &&
         sessions_delete_others(tx, user->id, request_identity(r)->session_id, e))) {
        tx_rollback(tx);
        return e->code;
    }
    audit(r, tx, "user_changed", user->id, NULL);
    int rc = tx_commit(tx, e);
    if (rc == 0) /* also after another role: what they may listen to has changed */
        sockets_end_user(app_of(r), user->id);
    return rc;
}

int api_update_user(struct request *r, struct response *w, struct err *e)
{
    const json_t *body = request_json(r);
    const char *password = json_text(body, "password", NULL);
    char hash[AUTH_HASH];
    struct user user;

    if (load(r, &user, e))
        return e->code;
    bool disabled = json_flag(body, "disabled", user.disabled);
    bool ends = password || (disabled && !user.disabled);
    user.name = json_text(body, "name", user.name);
    user.role = json_text(body, "role", user.role);
    user.disabled = disabled;
    if (password) {
        if (auth_hash_password(password, hash, e))
            return e->code;
        user.password_hash = hash;
    }
    if (store(r, &user, ends, e) || load(r, &user, e))
        return e->code;
    return respond_json(w, 200, user_json(&user));
}

int api_delete_user(struct request *r, struct response *w, struct err *e)
{
    const char *id = request_param(r, "id");
    struct tx *tx;

    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, e))
        return e->code;
    if (users_delete(tx, id, e)) {
        tx_rollback(tx);
        return e->code;
    }
    audit(r, tx, "user_deleted", id, NULL);
    if (tx_commit(tx, e))
        return e->code;
    sockets_end_user(app_of(r), id);
    return respond_empty(w, 204);
}
