#include "objects/gcs_login.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "objects/gcs_key.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TOKEN_MOST = 8192, TRIES = 3 };
static const double early = 300, last_moment = 10; /* seconds */

struct gcs_login {
    struct net *net;
    struct arena arena;
    const char *key_path; /* NULL: the metadata server */
    const char *metadata_url;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool asking, met; /* met: the metadata server has answered once */
    char token[TOKEN_MOST];
    double renew_at, ends_at; /* clock_seconds; 0: no token */
};

struct token {
    char text[TOKEN_MOST];
    double life; /* seconds */
};

int gcs_login_open(struct net *net, const struct objects_settings *s, struct gcs_login **out,
                   struct err *e)
{
    struct gcs_login *l = calloc(1, sizeof *l);
    const char *host = s->google_metadata ? s->google_metadata : "metadata.google.internal";

    if (!l)
        return ERR(e, ERR_NOMEM, "no memory for Google's credentials");
    l->net = net;
    l->metadata_url = arena_printf(
        &l->arena, "http://%s/computeMetadata/v1/instance/service-accounts/default/token", host);
    if (s->google_credentials) {
        struct gcs_key key; /* what is wrong with it is said at once */
        if (gcs_key_read(s->google_credentials, &l->arena, &key, e)) {
            arena_release(&l->arena);
            free(l);
            return e->code;
        }
        gcs_key_release(&key);
        l->key_path = arena_strdup(&l->arena, s->google_credentials);
    }
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    *out = l;
    return 0;
}

void gcs_login_close(struct gcs_login *l)
{
    if (!l)
        return;
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    arena_release(&l->arena);
    free(l);
}

/* ============================== Asking ============================== */

static bool token_ok(const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return n && n < TOKEN_MOST;
}

static int read_token(const struct net_answer *answer, const char *who, struct token *out,
                      struct err *e)
{
    json_t *body = NULL;
    struct err unread;

    if (json_read(answer->body, &body, &unread))
        body = NULL;
    const char *text = json_text(body, "access_token", "");
    double life = json_num(body, "expires_in", 0);
    int rc = 0;
    if (answer->status == 429 || answer->status == 408 || answer->status / 100 == 5)
        rc = ERR(e, ERR_NETWORK, "%s answered %d", who, answer->status);
    else if (answer->status != 200)
        rc = ERR(e, ERR_DENIED, "%s gave no access token, but %d %.60s: %.200s", who,
                 answer->status, json_text(body, "error", ""),
                 json_text(body, "error_description", "no reason given"));
    else if (!token_ok(text) || !(life > 0))
        rc = ERR(e, ERR_FORMAT, "%s gave an answer without an access token", who);
    if (rc == 0) {
        snprintf(out->text, sizeof out->text, "%s", text);
        out->life = life;
    }
    json_decref(body);
    return rc;
}

/* The file is read each time: keys are rotated under running programs. */
static int ask_by_key(struct gcs_login *l, struct arena *a, struct token *out, struct err *e)
{
    static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded",
                                          "Accept: application/json", NULL};
    struct net_answer answer;
    struct gcs_key key;
    const char *form = "";

    if (gcs_key_read(l->key_path, a, &key, e))
        return e->code;
    int rc = gcs_key_form(&key, clock_unix_ms() / 1000, a, &form, e);
    gcs_key_release(&key);
    if (rc)
        return rc;
    struct net_request r = {.method = "POST",
                            .url = key.token_uri,
                            .headers = headers,
                            .body = str_from(form),
                            .timeout = 30};
    if (net_ask(l->net, &r, a, &answer, e))
        return err_prefix(e, "cannot log in to Google");
    return read_token(&answer, "Google's login", out, e);
}

static void rest_for(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

/* A machine that has just started may be there before its metadata server: a few tries before it is
 * said that there is none. */
static int ask_machine(struct gcs_login *l, struct arena *a, struct token *out, struct err *e)
{
    static const char *const headers[] = {"Metadata-Flavor: Google", NULL};
    struct net_request r = {
        .url = l->metadata_url, .headers = headers, .connect_timeout = 3, .timeout = 15};
    struct net_answer answer;

    for (int i = 1;; i++) {
        int rc = net_ask(l->net, &r, a, &answer, e);
        if (rc == 0)
            break;
        if (rc != ERR_NETWORK)
            return err_prefix(e, "no GOOGLE_APPLICATION_CREDENTIALS, and the metadata server");
        if (l->met)
            return err_prefix(e, "the metadata server is away");
        if (i == TRIES)
            return ERR(e, ERR_DENIED,
                       "there are no credentials for Google: GOOGLE_APPLICATION_CREDENTIALS is not "
                       "set, and no metadata server answers");
        rest_for(0.3 * i);
    }
    const char *flavor = net_header(&answer, "metadata-flavor", a);
    if (!flavor || strcmp(flavor, "Google") != 0)
        return ERR(e, ERR_DENIED,
                   "there are no credentials for Google: what answers is not a metadata server");
    l->met = true; /* the one thread that asks writes it */
    return read_token(&answer, "the metadata server", out, e);
}

/* ============================== Keeping ============================== */

static void keep(struct gcs_login *l, const struct token *t)
{
    double now = clock_seconds();

    memcpy(l->token, t->text, sizeof l->token);
    l->ends_at = now + t->life;
    l->renew_at = now + (t->life > 2 * early ? t->life - early : t->life / 2);
}

/* Called and left with the lock held. */
static int renew(struct gcs_login *l, struct err *e)
{
    struct arena a = {0};
    struct token t = {0};

    l->asking = true;
    pthread_mutex_unlock(&l->lock);
    int rc = l->key_path ? ask_by_key(l, &a, &t, e) : ask_machine(l, &a, &t, e);
    arena_release(&a);
    pthread_mutex_lock(&l->lock);
    l->asking = false;
    if (rc == 0)
        keep(l, &t);
    pthread_cond_broadcast(&l->changed);
    return rc;
}

static bool usable(const struct gcs_login *l, const char *refused)
{
    return l->ends_at > clock_seconds() + last_moment &&
           (!refused || strcmp(refused, l->token) != 0);
}

int gcs_login_token(struct gcs_login *l, const char *refused, struct arena *a, const char **out,
                    struct err *e)
{
    int rc = 0;

    pthread_mutex_lock(&l->lock);
    while (l->asking && !usable(l, refused))
        pthread_cond_wait(&l->changed, &l->lock);
    bool good = usable(l, refused);
    if (!l->asking && (!good || clock_seconds() >= l->renew_at))
        rc = renew(l, e);
    if (rc && good && usable(l, refused)) {
        /* It lasts some minutes more: time to try again. */
        LOG(LOG_WARNING, "access token not renewed", LOG_ERR(e));
        l->renew_at = clock_seconds() + 30;
        rc = 0;
    }
    if (rc == 0)
        *out = arena_strdup(a, l->token);
    pthread_mutex_unlock(&l->lock);
    return rc;
}
