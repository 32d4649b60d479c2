#include "objects/s3_login.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "objects/s3_xml.h"
#include "objects/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MOST = 64 << 10, TOKEN_MOST = 32 << 10 };
static const int64_t EARLY_MS = 5 * 60 * 1000; /* before their end */

struct s3_login {
    const struct objects_settings *settings;
    const char *region;
    bool lent; /* they end, and can be had again */
    pthread_mutex_t lock;
    struct arena arena; /* of the keys at hand */
    struct s3_keys keys;
    int64_t ends_at; /* ms; 0: none at hand */
};

/* What an answer lends; texts live in its reader's arena. */
struct loan {
    struct arena *arena;
    struct s3_keys keys;
    int64_t ends_at;
};

/* ============================== A role, by a token in a file ============================== */

#define RESULT "AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials/"

static int on_role(void *user, const char *path, const char *text, struct err *e)
{
    struct loan *loan = user;
    struct str name = str_from(path);

    (void)e;
    if (!str_skip(&name, RESULT))
        return 0;
    if (str_is(name, "AccessKeyId"))
        loan->keys.access = arena_strdup(loan->arena, text);
    else if (str_is(name, "SecretAccessKey"))
        loan->keys.secret = arena_strdup(loan->arena, text);
    else if (str_is(name, "SessionToken"))
        loan->keys.token = arena_strdup(loan->arena, text);
    else if (str_is(name, "Expiration"))
        (void)clock_parse(str_from(text), &loan->ends_at);
    return 0;
}

static int read_token(const char *path, struct arena *a, const char **out, struct err *e)
{
    struct str text;

    if (file_read(a, path, TOKEN_MOST, &text, e))
        return e->code == ERR_NOT_FOUND ? ERR(e, ERR_DENIED, "there is no token in '%s'", path)
                                        : e->code;
    *out = arena_str(a, (struct str){text.p, strcspn(text.p, "\r\n")});
    return 0;
}

static int ask(struct net *net, const struct net_request *r, const char *what, struct arena *a,
               struct net_answer *out, struct err *e)
{
    if (net_ask(net, r, a, out, e))
        return err_prefix(e, "%s", what);
    if (out->status == 200)
        return 0;
    /* A role or token that is not accepted is a 400 here. */
    int rc = store_refused(e, "get keys from", what, out->status,
                           arena_printf(a, "%.200s", out->body.p));
    if (rc != ERR_NETWORK)
        e->code = rc = ERR_DENIED;
    return rc;
}

static int lend_to_role(const struct s3_login *l, struct net *net, struct loan *loan, struct err *e)
{
    const struct objects_settings *s = l->settings;
    const char *session = s->aws_role_session ? s->aws_role_session : "cauldron", *token;
    const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
    struct arena *a = loan->arena;
    struct net_answer answer;

    /* Read each time: the token is renewed, too, by who wrote the file. */
    if (read_token(s->aws_web_identity_file, a, &token, e))
        return e->code;
    const char *body = arena_printf(
        a,
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=%s&RoleSessionName=%s&"
        "WebIdentityToken=%s",
        store_percent(a, s->aws_role, ""), store_percent(a, session, ""),
        store_percent(a, token, ""));
    const struct net_request r = {
        .method = "POST",
        .url = s->aws_sts_endpoint ? s->aws_sts_endpoint
                                   : arena_printf(a, "https://sts.%s.amazonaws.com/", l->region),
        .headers = headers,
        .body = str_from(body),
        .timeout = 20,
        .max_answer = ANSWER_MOST,
    };
    if (ask(net, &r, s->aws_role, a, &answer, e))
        return e->code;
    return xml_read(answer.body, on_role, loan, e);
}

/* ============================== The container ============================== */

static int lend_to_container(const struct s3_login *l, struct net *net, struct loan *loan,
                             struct err *e)
{
    const struct objects_settings *s = l->settings;
    const char *token = s->aws_container_token, *headers[2] = {NULL};
    struct arena *a = loan->arena;
    struct net_answer answer;
    json_t *root;

    if (s->aws_container_token_file && read_token(s->aws_container_token_file, a, &token, e))
        return e->code;
    if (token)
        headers[0] = arena_printf(a, "Authorization: %s", token);
    const struct net_request r = {
        .url = s->aws_container, .headers = headers, .timeout = 20, .max_answer = ANSWER_MOST};
    if (ask(net, &r, s->aws_container, a, &answer, e) || json_read(answer.body, &root, e))
        return e->code;
    static const char none[] = "";
    loan->keys.access = arena_strdup(a, json_text(root, "AccessKeyId", none));
    loan->keys.secret = arena_strdup(a, json_text(root, "SecretAccessKey", none));
    loan->keys.token = arena_strdup(a, json_text(root, "Token", none));
    (void)clock_parse(str_from(json_text(root, "Expiration", none)), &loan->ends_at);
    json_decref(root);
    return 0;
}

/* ============================== Doors ============================== */

static bool plain(const char *text)
{
    if (!text || !text[0])
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static int renew(struct s3_login *l, struct net *net, struct err *e)
{
    struct arena a = {0};
    struct loan loan = {.arena = &a};
    int rc = l->settings->aws_web_identity_file ? lend_to_role(l, net, &loan, e)
                                                : lend_to_container(l, net, &loan, e);

    if (rc == 0 && (!plain(loan.keys.access) || !plain(loan.keys.secret) ||
                    !plain(loan.keys.token) || !loan.ends_at))
        rc = ERR(e, ERR_FORMAT, "the answer that should lend keys for S3 has none");
    if (rc) {
        arena_release(&a);
        return rc;
    }
    arena_release(&l->arena);
    l->arena = a;
    l->keys = loan.keys;
    l->ends_at = loan.ends_at;
    return 0;
}

static const char *copy(struct arena *a, const char *text)
{
    return text ? arena_strdup(a, text) : NULL;
}

int s3_login_keys(struct s3_login *l, struct net *net, struct arena *a, struct s3_keys *out,
                  struct err *e)
{
    int rc = 0;

    pthread_mutex_lock(&l->lock);
    int64_t left = l->ends_at - clock_unix_ms();
    if (l->lent && left < EARLY_MS) {
        rc = renew(l, net, e);
        if (rc && left > 0)
            rc = 0; /* they are good for some minutes more */
    }
    if (rc == 0)
        *out = (struct s3_keys){copy(a, l->keys.access), copy(a, l->keys.secret),
                                copy(a, l->keys.token)};
    pthread_mutex_unlock(&l->lock);
    return rc;
}

bool s3_login_forget(struct s3_login *l)
{
    pthread_mutex_lock(&l->lock);
    l->ends_at = 0;
    pthread_mutex_unlock(&l->lock);
    return l->lent;
}

static int no_keys(const struct objects_settings *s, struct err *e)
{
    if (s->aws_web_identity_file)
        return ERR(e, ERR_DENIED, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
    if (!s->aws_access_key != !s->aws_secret_key)
        return ERR(e, ERR_DENIED, "%s is set and %s is not",
                   s->aws_access_key ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                   s->aws_access_key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    return ERR(e, ERR_DENIED,
               "no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or "
               "..._FILE)%s",
               s->aws_profile ? "; AWS_PROFILE is not read" : "");
}

int s3_login_new(const struct objects_settings *s, const char *region, struct s3_login **out,
                 struct err *e)
{
    bool given = s->aws_access_key && s->aws_secret_key;
    bool role = s->aws_web_identity_file && s->aws_role;

    if (!given && ((s->aws_access_key || s->aws_secret_key) || (!role && !s->aws_container) ||
                   (s->aws_web_identity_file && !role)))
        return no_keys(s, e);
    if (given && (!plain(s->aws_access_key) || !plain(s->aws_secret_key) ||
                  (s->aws_session_token && !plain(s->aws_session_token))))
        return ERR(e, ERR_ARG, "the credentials of S3 hold a character that none has");
    struct s3_login *l = calloc(1, sizeof *l);
    if (!l)
        return ERR(e, ERR_NOMEM, "no memory for credentials");
    pthread_mutex_init(&l->lock, NULL);
    l->settings = s;
    l->region = region;
    l->lent = !given;
    if (given)
        l->keys = (struct s3_keys){s->aws_access_key, s->aws_secret_key, s->aws_session_token};
    *out = l;
    return 0;
}

void s3_login_free(struct s3_login *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    arena_release(&l->arena);
    free(l);
}
