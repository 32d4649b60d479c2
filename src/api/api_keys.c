#include "api/api_routes.h"
#include "api/auth.h"

#include "base/clock.h"
#include "base/json.h"
#include "storage/events.h"

#include <string.h>

static json_t *key_json(const struct api_key *k)
{
    json_t *o = json_object(), *scopes = json_array();
    struct str rest = str_from(k->scopes), word;

    while (str_cut(&rest, ' ', &word))
        if (word.n)
            json_array_append_new(scopes, json_stringn(word.p, word.n));
    json_object_set_new(o, "id", json_string(k->id));
    json_object_set_new(o, "name", json_string(k->name));
    json_object_set_new(o, "prefix", json_string(k->prefix));
    json_object_set_new(o, "scopes", scopes);
    json_object_set_new(o, "created_at", json_time_or_null(k->created_at));
    json_object_set_new(o, "expires_at", json_time_or_null(k->expires_at));
    json_object_set_new(o, "used_at", json_time_or_null(k->used_at));
    json_object_set_new(o, "revoked_at", json_time_or_null(k->revoked_at));
    return o;
}

int api_list_api_keys(struct request *r, struct response *w, struct err *e)
{
    struct api_key *rows = NULL;
    size_t count = 0;
    struct tx *tx;

    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = api_keys_list(tx, request_identity(r)->user_id, request_arena(r), &rows, &count, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, key_json(&rows[i]));
    return respond_json(w, 200, json_pack("{s:o}", "items", items));
}

/* The list of words as one text. */
static const char *joined(const json_t *list, struct arena *a)
{
    const char *text = "";

    for (size_t i = 0; i < json_array_size(list); i++)
        text = arena_printf(a, "%s%s%s", text, i ? " " : "",
                            json_string_value(json_array_get(list, i)));
    return text;
}

/* What a role may do at most. */
static uint32_t role_scopes(enum role role)
{
    return role == ROLE_ADMIN    ? SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN
           : role == ROLE_EDITOR ? SCOPE_READ | SCOPE_WRITE
                                 : SCOPE_READ;
}

static int store_key(struct request *r, const struct api_key *key, struct err *e)
{
    struct tx *tx;

    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, e))
        return e->code;
    if (api_keys_insert(tx, key, e)) {
        tx_rollback(tx);
        return e->code;
    }
    audit(r, tx, "api_key_created", key->id, NULL);
    return tx_commit(tx, e);
}

int api_create_api_key(struct request *r, struct response *w, struct err *e)
{
    const struct identity *who = request_identity(r);
    const json_t *body = request_json(r);
    struct arena *a = request_arena(r);
    const char *expires = json_text(body, "expires_at", NULL);
    char token[AUTH_TOKEN], hash[65], id[UUID_TEXT];
    int64_t now = clock_unix_ms(), expires_at = 0;
    const char *scopes = joined(json_object_get(body, "scopes"), a);

    if (!who->user_id[0])
        return respond_problem(w, 409, "no_users",
                               "this server has no users, so it needs no keys; add a user with "
                               "'cauldron user add'");
    if (scopes_from_text(scopes) & ~role_scopes(who->role)) {
        respond_problem(w, 422, "invalid", "a key may not do more than its owner");
        problem_field(w, "/scopes", "scopes that the role '%s' has", role_name(who->role));
        return 0;
    }
    if (expires && (!clock_parse(str_from(expires), &expires_at) || expires_at <= now)) {
        respond_problem(w, 422, "invalid", "the key would have expired already");
        problem_field(w, "/expires_at", "a time in the future");
        return 0;
    }
    uuid_v7(id);
    auth_token("sc", token, hash);
    struct api_key key = {.id = id,
                          .user_id = who->user_id,
                          .name = json_text(body, "name", ""),
                          .prefix = arena_str(a, (struct str){token, 9}),
                          .hash = hash,
                          .scopes = scopes,
                          .created_at = now,
                          .expires_at = expires_at};
    if (store_key(r, &key, e))
        return e->code;
    return respond_json(w, 201, json_pack("{s:o, s:s}", "api_key", key_json(&key), "key", token));
}

int api_delete_api_key(struct request *r, struct response *w, struct err *e)
{
    const struct identity *who = request_identity(r);
    const char *id = request_param(r, "id");
    struct tx *tx;

    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, e))
        return e->code;
    if (api_keys_revoke(tx, id, who->role == ROLE_ADMIN ? NULL : who->user_id, clock_unix_ms(),
                        e)) {
        tx_rollback(tx);
        return e->code;
    }
    audit(r, tx, "api_key_revoked", id, NULL);
    if (tx_commit(tx, e))
        return e->code;
    return respond_empty(w, 204);
}
