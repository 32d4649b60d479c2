#include "api/api_routes.h"
#include "api/auth.h"
#include "api/sockets.h"
#include "api/throttle.h"

#include "base/clock.h"
#include "base/json.h"
#include "ops/metrics.h"
#include "storage/events.h"

#include <math.h>
#include <string.h>

static void count(struct app *app, const char *result)
{
    char labels[METRIC_LABELS];

    metrics_labels(labels, "result", result, NULL);
    metrics_add(app->metrics, METRIC_LOGINS, labels, 1);
}

static json_t *scope_list(uint32_t scopes)
{
    json_t *list = json_array();

    if (scopes & SCOPE_READ)
        json_array_append_new(list, json_string("read"));
    if (scopes & SCOPE_WRITE)
        json_array_append_new(list, json_string("write"));
    if (scopes & SCOPE_ADMIN)
        json_array_append_new(list, json_string("admin"));
    return list;
}

static json_t *me(const struct identity *who)
{
    return json_pack("{s:o, s:s, s:s, s:o, s:b, s:o}", "id",
                     json_text_or_null(who->user_id[0] ? who->user_id : NULL), "name",
                     who->user_name, "role", role_name(who->role), "scopes",
                     scope_list(who->scopes), "by_key", who->by_key, "session_id",
                     json_text_or_null(who->session_id[0] ? who->session_id : NULL));
}

int api_get_me(struct request *r, struct response *w, struct err *e)
{
    (void)e;
    return respond_json(w, 200, me(request_identity(r)));
}

/* A row for a fresh token, and its cookie. */
static int start_session(struct request *r, struct response *w, struct tx *tx, const char *user_id,
                         char id[UUID_TEXT], struct err *e)
{
    struct app *app = app_of(r);
    char token[AUTH_TOKEN], hash[65];
    int64_t now = clock_unix_ms();

    uuid_v7(id);
    auth_token("cs", token, hash);
    struct session_row row = {.id = id,
                              .token_hash = hash,
                              .user_id = user_id,
                              .address = request_address(r),
                              .agent = request_header(r, "User-Agent"),
                              .created_at = now,
                              .seen_at = now,
                              .expires_at = now + app->session_ms};
    int rc = sessions_insert(tx, &row, e);
    if (rc == 0)
        respond_cookie(w, SESSION_COOKIE, token, app->session_ms / 1000,
                       str_starts(str_from(request_base_url(r)), "https://"));
    return rc;
}

/* The user whose name and password these are; ERR_DENIED for all other cases alike. */
static int check(struct request *r, const char *name, const char *password, struct user *user,
                 struct err *e)
{
    struct tx *tx;

    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = users_find(tx, name, request_arena(r), user, e);
    tx_rollback(tx);
    if (rc && rc != ERR_NOT_FOUND)
        return rc;
    if (rc == ERR_NOT_FOUND)
        auth_waste_time();
    if (rc || !auth_check_password(user->password_hash, password) || user->disabled)
        return ERR(e, ERR_DENIED, "wrong name or password");
    return 0;
}

static int refuse(struct request *r, struct response *w, const char *name)
{
    struct app *app = app_of(r);
    struct tx *tx;
    struct err e;

    throttle_failed(app->throttle, request_address(r), name, clock_seconds());
    count(app, "refused");
    if (tx_begin(app->db, TX_WRITE, &tx, &e) == 0) {
        audit(r, tx, "login_failed", name, NULL);
        if (tx_commit(tx, &e))
            count(app, "unlogged");
    }
    return respond_problem(w, 401, "wrong_credentials", "wrong name or password");
}

static int enter(struct request *r, struct response *w, const struct user *user, struct err *e)
{
    struct app *app = app_of(r);
    const struct identity *former = request_identity(r);
    struct identity who = {.scopes = UINT32_MAX};
    char id[UUID_TEXT];
    struct tx *tx;

    if (tx_begin(app->db, TX_WRITE, &tx, e))
        return e->code;
    if (start_session(r, w, tx, user->id, id, e) ||
        users_logged_in(tx, user->id, clock_unix_ms(), e)) {
        tx_rollback(tx);
        return e->code;
    }
    if (former->session_id[0] && sessions_delete(tx, former->session_id, former->user_id, e)) {
        tx_rollback(tx);
        return e->code;
    }
    audit(r, tx, "login", user->id, NULL);
    if (tx_commit(tx, e))
        return e->code;
    throttle_passed(app->throttle, request_address(r), user->name, clock_seconds());
    count(app, "passed");
    memcpy(who.user_id, user->id, UUID_TEXT);
    snprintf(who.user_name, sizeof who.user_name, "%s", user->name);
    role_by_name(user->role, &who.role);
    memcpy(who.session_id, id, UUID_TEXT);
    return respond_json(w, 200, me(&who));
}

int api_login(struct request *r, struct response *w, struct err *e)
{
    struct app *app = app_of(r);
    const char *name = json_text(request_json(r), "name", "");
    const char *password = json_text(request_json(r), "password", "");
    double wait = throttle_wait(app->throttle, request_address(r), name, clock_seconds());
    struct user user;

    if (wait > 0) {
        count(app, "throttled");
        respond_header(w, "Retry-After", arena_printf(request_arena(r), "%d", (int)ceil(wait)));
        return respond_problem(w, 429, "too_many_attempts",
                               "too many wrong passwords; try again in %d seconds, or set a "
                               "password with 'cauldron user' on the server",
                               (int)ceil(wait));
    }
    int rc = check(r, name, password, &user, e);
    if (rc == ERR_DENIED)
        return refuse(r, w, name);
    return rc ? rc : enter(r, w, &user, e);
}

int api_logout(struct request *r, struct response *w, struct err *e)
{
    const struct identity *who = request_identity(r);
    struct tx *tx;

    if (who->session_id[0]) {
        if (tx_begin(app_of(r)->db, TX_WRITE, &tx, e))
            return e->code;
        int rc = sessions_delete(tx, who->session_id, who->user_id, e);
        if (rc && rc != ERR_NOT_FOUND) {
            tx_rollback(tx);
            return rc;
        }
        audit(r, tx, "logout", who->user_id, NULL);
        if (tx_commit(tx, e))
            return e->code;
        sockets_end_session(app_of(r), who->session_id);
    }
    respond_cookie(w, SESSION_COOKIE, "", 0, false);
    return respond_empty(w, 204);
}

/* The new hash; all other sessions end, and this one goes on under a fresh token. */
static int store_password(struct request *r, struct response *w, struct user *user,
                          const char *hash, struct err *e)
{
    const struct identity *who = request_identity(r);
    char id[UUID_TEXT];
    struct tx *tx;

    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, e))
        return e->code;
    user->password_hash = hash;
    if (users_update(tx, user, clock_unix_ms(), e) ||
        sessions_delete_others(tx, user->id, NULL, e) ||
        (who->session_id[0] && start_session(r, w, tx, user->id, id, e))) {
        tx_rollback(tx);
        return e->code;
    }
    audit(r, tx, "password_changed", user->id, NULL);
    int rc = tx_commit(tx, e);
    if (rc == 0)
        sockets_end_user(app_of(r), user->id);
    return rc;
}

int api_change_password(struct request *r, struct response *w, struct err *e)
{
    struct app *app = app_of(r);
    const struct identity *who = request_identity(r);
    char hash[AUTH_HASH];
    struct user user;
    double wait = throttle_wait(app->throttle, request_address(r), who->user_name, clock_seconds());

    if (!who->user_id[0])
        return respond_problem(w, 409, "no_users",
                               "this server has no users; add one with 'cauldron user add'");
    if (wait > 0)
        return respond_problem(w, 429, "too_many_attempts",
                               "too many wrong passwords; try again in %d seconds",
                               (int)ceil(wait));
    int rc = check(r, who->user_name, json_text(request_json(r), "old_password", ""), &user, e);
    if (rc == ERR_DENIED) {
        throttle_failed(app->throttle, request_address(r), who->user_name, clock_seconds());
        respond_problem(w, 422, "wrong_credentials", "the old password is wrong");
        problem_field(w, "/old_password", "your present password");
        return 0;
    }
    if (rc || auth_hash_password(json_text(request_json(r), "new_password", ""), hash, e) ||
        store_password(r, w, &user, hash, e))
        return e->code;
    return respond_empty(w, 204);
}
