#include "objects/gcs_key.h"

#include "base/file.h"
#include "base/json.h"
#include "net/http.h"
#include "objects/store.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

enum { KEY_FILE_MOST = 64 << 10, LIFE_SECONDS = 3600 };
static const char scope[] = "https://www.googleapis.com/auth/devstorage.read_write";

/* ============================== The file ============================== */

/* A key that asks for a password must not ask on the terminal. */
static int no_password(char *room, int size, int writing, void *user)
{
    (void)room, (void)size, (void)writing, (void)user;
    return 0;
}

static EVP_PKEY *read_pem(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

    BIO_free(bio);
    if (key && (EVP_PKEY_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_bits(key) < 2048)) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

static const char *text_of(const json_t *file, const char *name, struct arena *a)
{
    const char *text = json_text(file, name, NULL);
    return text && text[0] ? arena_strdup(a, text) : NULL;
}

static int read_account(const json_t *file, const char *path, struct arena *a, struct gcs_key *k,
                        struct err *e)
{
    const char *pem = json_text(file, "private_key", "");

    k->email = text_of(file, "client_email", a);
    k->key_id = text_of(file, "private_key_id", a);
    if (!k->email)
        return ERR(e, ERR_DENIED, "key file '%s' has no 'client_email'", path);
    if (!(k->private_key = read_pem(pem)))
        return ERR(e, ERR_DENIED,
                   "key file '%s': 'private_key' is not an RSA key of 2048 bits or more", path);
    return 0;
}

static int read_user(const json_t *file, const char *path, struct arena *a, struct gcs_key *k,
                     struct err *e)
{
    k->client_id = text_of(file, "client_id", a);
    k->client_secret = text_of(file, "client_secret", a);
    k->refresh_token = text_of(file, "refresh_token", a);
    if (!k->client_id || !k->client_secret || !k->refresh_token)
        return ERR(e, ERR_DENIED,
                   "key file '%s' lacks 'client_id', 'client_secret' or 'refresh_token'", path);
    return 0;
}

/* What is posted there is worth a token: not in the clear, unless to this machine. */
static int check_token_uri(const char *uri, const char *path, struct arena *a, struct err *e)
{
    struct net_url url;
    bool loopback = false;

    if (net_url_read(uri, a, &url, e))
        return err_prefix(e, "key file '%s': 'token_uri'", path);
    (void)host_is_private(url.host, &loopback);
    if (strcmp(url.scheme, "https") != 0 && !loopback)
        return ERR(e, ERR_DENIED, "key file '%s': 'token_uri' is not an https URL", path);
    return 0;
}

static int read_fields(const json_t *file, const char *path, struct arena *a, struct gcs_key *k,
                       struct err *e)
{
    const char *type = json_text(file, "type", "");

    k->token_uri = text_of(file, "token_uri", a);
    if (!k->token_uri)
        k->token_uri = "https://oauth2.googleapis.com/token";
    if (check_token_uri(k->token_uri, path, a, e))
        return e->code;
    if (strcmp(type, "service_account") == 0)
        return read_account(file, path, a, k, e);
    if (strcmp(type, "authorized_user") == 0)
        return read_user(file, path, a, k, e);
    return ERR(e, ERR_UNSUPPORTED,
               "key file '%s' has credentials of type '%.60s'; 'service_account' and "
               "'authorized_user' are read, other machines use the metadata server",
               path, type);
}

int gcs_key_read(const char *path, struct arena *a, struct gcs_key *out, struct err *e)
{
    struct gcs_key k = {0};
    struct str text;
    json_t *file;

    if (file_read(a, path, KEY_FILE_MOST, &text, e)) {
        e->code = e->code == ERR_NOMEM ? ERR_NOMEM : ERR_DENIED;
        return err_prefix(e, "GOOGLE_APPLICATION_CREDENTIALS");
    }
    if (json_read(text, &file, e)) {
        e->code = ERR_DENIED;
        return err_prefix(e, "key file '%s'", path);
    }
    int rc = read_fields(file, path, a, &k, e);
    json_decref(file);
    if (rc)
        gcs_key_release(&k);
    else
        *out = k;
    return rc;
}

void gcs_key_release(struct gcs_key *k)
{
    EVP_PKEY_free(k->private_key);
    k->private_key = NULL;
}

/* ============================== What is posted ============================== */

/* RFC 4648, section 5, without padding. */
static char *base64url(const void *bytes, size_t n, struct arena *a)
{
    char *out = arena_alloc(a, n / 3 * 4 + 5);
    int length = EVP_EncodeBlock((unsigned char *)out, bytes, (int)n);

    while (length && out[length - 1] == '=')
        out[--length] = 0;
    for (char *p = out; *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    return out;
}

static char *base64url_json(json_t *value, struct arena *a)
{
    char *text = value ? json_compact(value, a) : NULL;

    json_decref(value);
    return text ? base64url(text, strlen(text), a) : NULL;
}

/* RS256: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, section 3.3). */
static char *sign(EVP_PKEY *key, const char *text, struct arena *a)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const unsigned char *bytes = (const unsigned char *)text;
    size_t n = 0;
    char *out = NULL;

    if (context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestSign(context, NULL, &n, bytes, strlen(text)) == 1) {
        unsigned char *signature = arena_alloc(a, n);
        if (EVP_DigestSign(context, signature, &n, bytes, strlen(text)) == 1)
            out = base64url(signature, n, a);
    }
    EVP_MD_CTX_free(context);
    return out;
}

static int account_form(const struct gcs_key *k, int64_t now, struct arena *a, const char **out,
                        struct err *e)
{
    json_t *header = json_pack("{s:s, s:s}", "alg", "RS256", "typ", "JWT");
    json_t *claims = json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", k->email, "scope", scope, "aud",
                               k->token_uri, "iat", (json_int_t)now, "exp",
                               (json_int_t)now + LIFE_SECONDS);

    if (header && k->key_id)
        json_object_set_new(header, "kid", json_string(k->key_id));
    const char *head = base64url_json(header, a), *body = base64url_json(claims, a);
    const char *text = head && body ? arena_printf(a, "%s.%s", head, body) : NULL;
    const char *signature = text ? sign(k->private_key, text, a) : NULL;
    if (!signature)
        return ERR(e, ERR_DENIED, "the key of '%s' cannot sign", k->email);
    *out = arena_printf(a,
                        "grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Ajwt-bearer"
                        "&assertion=%s.%s",
                        text, signature);
    return 0;
}

int gcs_key_form(const struct gcs_key *k, int64_t now, struct arena *a, const char **out,
                 struct err *e)
{
    if (k->private_key)
        return account_form(k, now, a, out, e);
    *out = arena_printf(a,
                        "grant_type=refresh_token&client_id=%s&client_secret=%s&refresh_token=%s",
                        store_percent(a, k->client_id, ""), store_percent(a, k->client_secret, ""),
                        store_percent(a, k->refresh_token, ""));
    return 0;
}
