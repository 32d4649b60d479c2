#include "api/auth.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sha256.h"
#include "storage/events.h"

#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { SEEN_EVERY_MS = 60000, BASIC_KEPT = 64, BASIC_MS = 300000 };

static const char *const role_names[] = {"public", "viewer", "editor", "admin"};

bool role_by_name(const char *name, enum role *out)
{
    for (int i = ROLE_VIEWER; i <= ROLE_ADMIN; i++)
        if (strcmp(role_names[i], name) == 0) {
            *out = (enum role)i;
            return true;
        }
    return false;
}

const char *role_name(enum role role)
{
    return role_names[role];
}

uint32_t scopes_from_text(const char *text)
{
    struct str rest = str_from(text), word;
    uint32_t bits = 0;

    while (str_cut(&rest, ' ', &word)) {
        if (str_is(word, "read"))
            bits |= SCOPE_READ;
        else if (str_is(word, "write"))
            bits |= SCOPE_READ | SCOPE_WRITE;
        else if (str_is(word, "admin"))
            bits |= SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN;
        else if (word.n)
            return 0;
    }
    return bits;
}

/* ============================== Passwords and tokens ============================== */

static sem_t hashes; /* each computation takes 64 MiB */
static pthread_once_t hashes_once = PTHREAD_ONCE_INIT;

static void hashes_init(void)
{
    sem_init(&hashes, 0, AUTH_HASHES);
}

static void hashes_enter(void)
{
    pthread_once(&hashes_once, hashes_init);
    while (sem_wait(&hashes) != 0)
        ;
}

int auth_hash_password(const char *password, char out[AUTH_HASH], struct err *e)
{
    size_t n = strlen(password);
    char hash[crypto_pwhash_STRBYTES];

    _Static_assert(crypto_pwhash_STRBYTES <= AUTH_HASH, "a hash fits");
    if (n < PASSWORD_MIN || n > PASSWORD_MAX)
        return ERR(e, ERR_ARG, "a password has %d to %d bytes", PASSWORD_MIN, PASSWORD_MAX);
    if (sodium_init() < 0)
        return ERR(e, ERR_IO, "libsodium does not start");
    hashes_enter();
    int rc = crypto_pwhash_str(hash, password, n, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                               crypto_pwhash_MEMLIMIT_INTERACTIVE);
    sem_post(&hashes);
    if (rc)
        return ERR(e, ERR_NOMEM, "no memory to hash a password (64 MiB)");
    memcpy(out, hash, sizeof hash);
    return 0;
}

bool auth_check_password(const char *hash, const char *password)
{
    size_t n = strlen(password);

    if (sodium_init() < 0 || n > PASSWORD_MAX)
        return false;
    hashes_enter();
    bool same = crypto_pwhash_str_verify(hash, password, n) == 0;
    sem_post(&hashes);
    return same;
}

void auth_waste_time(void)
{
    char hash[AUTH_HASH];
    struct err e;

    if (auth_hash_password("nobody has this one", hash, &e))
        LOG(LOG_WARNING, "password check", LOG_ERR(&e));
}

void auth_token(const char *kind, char token[AUTH_TOKEN], char hash[65])
{
    char hex[65];

    random_hex(hex, 32);
    int n = snprintf(token, AUTH_TOKEN, "%.3s_%s", kind, hex);
    sha256_hex(token, (size_t)n, hash);
}

/* ============================== Who asks ============================== */

struct identity auth_everybody(void)
{
    return (struct identity){.user_name = "local", .role = ROLE_ADMIN, .scopes = UINT32_MAX};
}

static void fill(struct identity *out, const struct user *user)
{
    *out = (struct identity){.scopes = UINT32_MAX};
    snprintf(out->user_id, sizeof out->user_id, "%s", user->id);
    snprintf(out->user_name, sizeof out->user_name, "%s", user->name);
    if (!role_by_name(user->role, &out->role))
        out->role = ROLE_VIEWER;
}

/* Note that it was used, not more often than once a minute; a failure costs only the note. */
static void note_use(struct app *app, const char *key_id, int64_t last, int64_t now)
{
    struct tx *tx;
    struct err e;

    if (now - last < SEEN_EVERY_MS || tx_begin(app->db, TX_WRITE, &tx, &e))
        return;
    if (api_keys_used(tx, key_id, now, &e))
        tx_rollback(tx);
    else if (tx_commit(tx, &e))
        LOG(LOG_WARNING, "use of a key not noted", LOG_ERR(&e));
}

static int by_key(struct app *app, const char *token, struct arena *a, struct identity *out,
                  struct err *e)
{
    struct api_key key;
    struct user user;
    struct tx *tx;
    char hash[65];
    int64_t now = clock_unix_ms();

    sha256_hex(token, strlen(token), hash);
    int rc = tx_begin(app->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = api_keys_find(tx, hash, now, a, &key, &user, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    fill(out, &user);
    out->by_key = true;
    out->scopes = scopes_from_text(key.scopes);
    snprintf(out->key_id, sizeof out->key_id, "%s", key.id);
    note_use(app, key.id, key.used_at, now);
    return 0;
}

static int by_session(struct app *app, const char *token, struct arena *a, struct identity *out,
                      struct err *e)
{
    struct session_row session;
    struct user user;
    struct tx *tx;
    char hash[65];

    sha256_hex(token, strlen(token), hash);
    int rc = tx_begin(app->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = sessions_find(tx, hash, clock_unix_ms(), a, &session, &user, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    fill(out, &user);
    snprintf(out->session_id, sizeof out->session_id, "%s", session.id);
    return 0;
}

/* Passwords that were right a moment ago: argon2id for every request of a client that sends Basic
 * would take a tenth of a second each. Keyed by the hash of the whole header and the stored hash,
 * so that a changed password is wrong at once. */
static struct {
    pthread_mutex_t lock;
    struct {
        char key[65];
        int64_t until;
    } kept[BASIC_KEPT];
    unsigned next;
} basic = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool basic_known(const char *key, int64_t now)
{
    bool known = false;

    pthread_mutex_lock(&basic.lock);
    for (int i = 0; i < BASIC_KEPT; i++)
        known |= basic.kept[i].until > now && sodium_memcmp(basic.kept[i].key, key, 64) == 0;
    pthread_mutex_unlock(&basic.lock);
    return known;
}

static void basic_keep(const char *key, int64_t now)
{
    pthread_mutex_lock(&basic.lock);
    unsigned i = basic.next++ % BASIC_KEPT;
    memcpy(basic.kept[i].key, key, 65);
    basic.kept[i].until = now + BASIC_MS;
    pthread_mutex_unlock(&basic.lock);
}

static int by_password(struct app *app, const char *name, const char *password, struct arena *a,
                       struct identity *out, struct err *e)
{
    struct user user;
    struct tx *tx;
    char key[65];
    int64_t now = clock_unix_ms();

    int rc = tx_begin(app->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = users_find(tx, name, a, &user, e);
    tx_rollback(tx);
    if (rc == ERR_NOT_FOUND)
        auth_waste_time();
    if (rc)
        return rc;
    const char *both = arena_printf(a, "%s\n%s", user.password_hash, password);
    sha256_hex(both, strlen(both), key);
    if (user.disabled ||
        (!basic_known(key, now) && !auth_check_password(user.password_hash, password)))
        return ERR(e, ERR_NOT_FOUND, "wrong name or password");
    basic_keep(key, now);
    fill(out, &user);
    out->by_key = true; /* a browser does not send it by itself to a page that did not ask */
    return 0;
}

/* "Basic dXNlcjpwYXNz": the password may be an API key, too. */
static int by_basic(struct app *app, const char *encoded, struct arena *a, struct identity *out,
                    struct err *e)
{
    char text[2048];
    size_t n;

    if (sodium_init() < 0 ||
        sodium_base642bin((unsigned char *)text, sizeof text - 1, encoded, strlen(encoded), " ", &n,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return ERR(e, ERR_NOT_FOUND, "not Basic credentials");
    text[n] = 0;
    char *colon = strchr(text, ':');
    if (!colon || strlen(text) != n)
        return ERR(e, ERR_NOT_FOUND, "not Basic credentials");
    *colon = 0;
    if (strncmp(colon + 1, "sc_", 3) == 0)
        return by_key(app, colon + 1, a, out, e);
    return by_password(app, text, colon + 1, a, out, e);
}

int auth_identify(struct request *r, struct identity *out, struct err *e)
{
    struct app *app = app_of(r);
    struct arena *a = request_arena(r);
    const char *header = request_header(r, "Authorization");
    const char *cookie = request_cookie(r, SESSION_COOKIE);
    const char *api_key = request_header(r, "X-API-Key");
    struct identity found = {0};
    int rc = ERR_NOT_FOUND;

    if (!app->login_needed) {
        *out = auth_everybody();
        return 0;
    }
    if (header && strncasecmp(header, "Bearer ", 7) == 0)
        rc = by_key(app, header + 7, a, &found, e);
    else if (header && strncasecmp(header, "Basic ", 6) == 0)
        rc = by_basic(app, header + 6, a, &found, e);
    else if (api_key)
        rc = by_key(app, api_key, a, &found, e);
    else if (cookie)
        rc = by_session(app, cookie, a, &found, e);
    if (rc && rc != ERR_NOT_FOUND)
        return rc;
    if (rc)
        found = (struct identity){0}; /* nobody */
    *out = found;
    return 0;
}

int auth_key(struct app *app, const char *key, struct identity *out, struct err *e)
{
    struct arena a = {0};
    int rc = by_key(app, key, &a, out, e);

    arena_release(&a);
    return rc == ERR_NOT_FOUND ? ERR(e, ERR_DENIED, "not authorized") : rc;
}

bool auth_owns(const struct request *r, const char *user_id)
{
    const struct identity *who = request_identity(r);

    return who->role == ROLE_ADMIN || (user_id && strcmp(who->user_id, user_id) == 0);
}

void audit(struct request *r, struct tx *tx, const char *kind, const char *subject,
           const char *data)
{
    const struct identity *who = request_identity(r);
    struct err e;
    struct event_row event = {.kind = kind,
                              .user_id = who->user_id[0] ? who->user_id : NULL,
                              .subject = subject,
                              .address = request_address(r),
                              .request_id = request_id(r),
                              .data = data,
                              .created_at = clock_unix_ms()};

    if (events_add(tx, &event, &e))
        LOG(LOG_ERROR, "event not written", LOG_TEXT("kind", kind), LOG_ERR(&e));
}

void audit_alone(struct request *r, const char *kind, const char *subject)
{
    struct tx *tx;
    struct err e;

    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, &e))
        return;
    audit(r, tx, kind, subject, NULL);
    if (tx_commit(tx, &e))
        LOG(LOG_WARNING, "event not written", LOG_ERR(&e));
}
