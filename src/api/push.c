/*
 * push.c: subscriptions of browsers to messages (Web Push). Everybody sees and ends their own only,
 * admins too: an endpoint is a secret of its browser.
 */
#include "ops/push.h"
#include "api/access.h"
#include "api/api_routes.h"
#include "api/app.h"
#include "base/clock.h"
#include "base/json.h"
#include "storage/push_subscriptions.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SUBSCRIPTIONS_MOST = 20, AGENT_MOST = 300, TRIAL_TTL = 60 };
static const double TRIAL_SECONDS = 30;

int api_get_push(struct request *r, struct response *w, struct err *e)
{
    (void)e;
    return respond_json(w, 200, json_pack("{s:s}", "public_key", push_public_key(app_of(r)->push)));
}

static json_t *subscription_json(const struct push_subscription *s)
{
    json_t *o = json_pack("{s:s, s:s}", "id", s->id, "endpoint", s->endpoint);

    json_object_set_new(o, "agent", json_text_or_null(s->agent));
    json_object_set_new(o, "created_at", json_time_or_null(s->created_at));
    json_object_set_new(o, "sent_at", json_time_or_null(s->sent_at));
    json_object_set_new(o, "error", json_text_or_null(s->error));
    return o;
}

int api_list_push_subscriptions(struct request *r, struct response *w, struct err *e)
{
    struct push_subscription *rows = NULL;
    size_t count = 0;
    struct tx *tx;

    if (tx_begin(app_of(r)->db, TX_READ, &tx, e))
        return e->code;
    int rc = push_subscriptions_list(tx, access_user(r), request_arena(r), &rows, &count, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, subscription_json(&rows[i]));
    return respond_json(w, 200, json_pack("{s:o}", "items", items));
}

/* ============================== Subscribing ============================== */

static int bad_field(struct response *w, const char *pointer, const struct err *e)
{
    respond_problem(w, 422, "invalid", "%s", e->message);
    problem_field(w, pointer, "%s", e->message);
    return 0;
}

/* The header, shortened and cleaned: it comes from outside. */
static const char *agent_of(struct request *r)
{
    const char *text = request_header(r, "User-Agent");

    if (!text)
        return NULL;
    char *out = arena_printf(request_arena(r), "%.*s", AGENT_MOST, text);
    err_clean(out);
    return out;
}

static int keep(struct request *r, struct push_subscription *s, bool *added, struct err *e)
{
    struct tx *tx;

    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, e))
        return e->code;
    int rc = push_subscriptions_keep(tx, s, SUBSCRIPTIONS_MOST, request_arena(r), added, e);
    if (rc == 0)
        return tx_commit(tx, e);
    tx_rollback(tx);
    return rc;
}

int api_create_push_subscription(struct request *r, struct response *w, struct err *e)
{
    const json_t *body = request_json(r), *keys = json_object_get(body, "keys");
    struct push_receiver receiver;
    struct push_subscription s = {.user_id = access_user(r),
                                  .endpoint = json_text(body, "endpoint", ""),
                                  .p256dh = json_text(keys, "p256dh", ""),
                                  .auth = json_text(keys, "auth", ""),
                                  .agent = agent_of(r),
                                  .created_at = clock_unix_ms(),
                                  .expires_at = json_int(body, "expirationTime", 0)};
    bool added = false;

    if (push_check_endpoint(app_of(r)->push, s.endpoint, e))
        return e->code == ERR_ARG || e->code == ERR_DENIED ? bad_field(w, "/endpoint", e) : e->code;
    if (push_receiver_read(s.p256dh, s.auth, &receiver, e))
        return bad_field(
            w, str_starts(str_from(e->message), "auth") ? "/keys/auth" : "/keys/p256dh", e);
    if (s.expires_at && s.expires_at <= s.created_at) {
        err_set(e, ERR_ARG, __FILE__, __LINE__, "the subscription has expired");
        return bad_field(w, "/expirationTime", e);
    }
    if (keep(r, &s, &added, e))
        return e->code;
    return respond_json(w, added ? 201 : 200, subscription_json(&s));
}

int api_delete_push_subscription(struct request *r, struct response *w, struct err *e)
{
    struct tx *tx;

    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, e))
        return e->code;
    if (push_subscriptions_delete(tx, request_param(r, "id"), access_user(r), e)) {
        tx_rollback(tx);
        return e->code;
    }
    if (tx_commit(tx, e))
        return e->code;
    return respond_empty(w, 204);
}

/* ============================== Trying out ============================== */

/* Shared by the request and the push thread, which may end in any order; the last one frees it. */
struct trial {
    atomic_int holders;
    atomic_bool ready; /* what follows is filled */
    enum push_fate fate;
    int status;
    char detail[256];
    struct later later;
    char subscription_id[UUID_TEXT];
};

static void trial_drop(struct trial *t)
{
    if (atomic_fetch_sub(&t->holders, 1) == 1)
        free(t);
}

static void answered(void *user, const struct push_result *result)
{
    struct trial *t = user;
    struct later later = t->later;

    t->fate = result->fate;
    t->status = result->status;
    snprintf(t->detail, sizeof t->detail, "%s", result->detail ? result->detail : "");
    atomic_store(&t->ready, true);
    later_finish(later);
    trial_drop(t);
}

static int keep_result(struct request *r, const struct trial *t, struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e);

    if (rc)
        return rc;
    if (t->fate == PUSH_GONE)
        rc = push_subscriptions_drop(tx, t->subscription_id, e);
    else
        rc = push_subscriptions_result(tx, t->subscription_id, t->detail[0] ? t->detail : NULL,
                                       clock_unix_ms(), e);
    if (rc == 0)
        return tx_commit(tx, e);
    tx_rollback(tx);
    return rc;
}

static int show_trial(struct request *r, struct response *w, void *user, struct err *e)
{
    struct trial *t = user;
    int rc;

    if (!atomic_load(&t->ready))
        rc = respond_json(w, 200,
                          json_pack("{s:i, s:s}", "status", 0, "detail",
                                    "the push service has not answered yet"));
    else if ((rc = keep_result(r, t, e)) == 0)
        rc = respond_json(w, 200,
                          json_pack("{s:i, s:o}", "status", t->status, "detail",
                                    json_text_or_null(t->detail[0] ? t->detail : NULL)));
    trial_drop(t);
    return rc;
}

static int find(struct request *r, struct push_subscription *out, struct err *e)
{
    struct tx *tx;

    if (tx_begin(app_of(r)->db, TX_READ, &tx, e))
        return e->code;
    int rc = push_subscriptions_get(tx, request_param(r, "id"), access_user(r), request_arena(r),
                                    out, e);
    tx_rollback(tx);
    return rc;
}

int api_test_push_subscription(struct request *r, struct response *w, struct err *e)
{
    struct push_subscription s = {0};
    struct push_message m = {
        .text = STR("{\"title\":\"Shadow Cauldron\",\"body\":\"Messages reach this browser.\","
                    "\"url\":\"/\",\"tag\":\"test\",\"experiment_id\":null}"),
        .ttl = TRIAL_TTL};

    if (find(r, &s, e) || push_receiver_read(s.p256dh, s.auth, &m.receiver, e))
        return e->code;
    struct trial *t = calloc(1, sizeof *t);
    if (!t)
        return ERR(e, ERR_NOMEM, "no memory for a push message");
    m.endpoint = s.endpoint;
    atomic_store(&t->holders, 2);
    snprintf(t->subscription_id, sizeof t->subscription_id, "%s", s.id);
    t->later = respond_later(r, w, TRIAL_SECONDS, show_trial, t);
    if (push_send(app_of(r)->push, &m, answered, t, e)) {
        free(t); /* nobody else has it: neither is called */
        return e->code;
    }
    return 0;
}
