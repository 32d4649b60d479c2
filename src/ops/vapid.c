#include "ops/vapid.h"

#include "base/json.h"
#include "ops/base64url.h"
#include "ops/p256.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum { VALID_SECONDS = 12 * 3600, NUMBER = 32, SIGNATURE = 2 * NUMBER };

struct vapid {
    struct arena arena;
    EVP_PKEY *key;
    const char *contact;
    char public[BASE64URL_TEXT(P256_PUBLIC)];
};

int vapid_make(char out[VAPID_PRIVATE], struct err *e)
{
    unsigned char number[P256_PRIVATE];
    EVP_PKEY *key;

    if (p256_new(&key, e))
        return e->code;
    int rc = p256_write_private(key, number, e);
    EVP_PKEY_free(key);
    if (rc)
        return rc;
    base64url_write(number, sizeof number, out);
    OPENSSL_cleanse(number, sizeof number);
    return 0;
}

static int check_contact(const char *contact, struct err *e)
{
    struct str text = str_from(contact);

    if (contact && !((str_skip(&text, "mailto:") || str_skip(&text, "https://")) && text.n))
        return ERR(e, ERR_ARG, "the contact for push services is 'mailto:...' or 'https://...'");
    return 0;
}

int vapid_open(const char *key, const char *contact, struct vapid **out, struct err *e)
{
    unsigned char number[P256_PRIVATE], point[P256_PUBLIC];
    EVP_PKEY *pair = NULL;

    if (check_contact(contact, e))
        return e->code;
    if (!base64url_read(str_from(key), number, sizeof number))
        return ERR(e, ERR_FORMAT, "the VAPID key is not the base64url of 32 bytes");
    int rc = p256_read_private(number, &pair, e);
    OPENSSL_cleanse(number, sizeof number);
    if (rc)
        return err_prefix(e, "the VAPID key");
    struct vapid *v = calloc(1, sizeof *v);
    rc = !v ? ERR(e, ERR_NOMEM, "no memory for a key") : p256_write_public(pair, point, e);
    if (rc) {
        EVP_PKEY_free(pair);
        free(v);
        return rc;
    }
    v->key = pair;
    v->contact = contact ? arena_strdup(&v->arena, contact) : NULL;
    base64url_write(point, sizeof point, v->public);
    *out = v;
    return 0;
}

void vapid_close(struct vapid *v)
{
    if (!v)
        return;
    EVP_PKEY_free(v->key);
    arena_release(&v->arena);
    free(v);
}

const char *vapid_public(const struct vapid *v)
{
    return v->public;
}

/* ES256 (RFC 7518, 3.4): the two numbers of the signature side by side, not OpenSSL's DER. */
static int sign(struct vapid *v, const char *text, unsigned char out[SIGNATURE], struct err *e)
{
    unsigned char der[80];
    size_t n = sizeof der;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    const unsigned char *at = der;
    bool good = c && EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, v->key) == 1 &&
                EVP_DigestSign(c, der, &n, (const unsigned char *)text, strlen(text)) == 1;
    ECDSA_SIG *s = good ? d2i_ECDSA_SIG(NULL, &at, (long)n) : NULL;

    good = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), out, NUMBER) == NUMBER &&
           BN_bn2binpad(ECDSA_SIG_get0_s(s), out + NUMBER, NUMBER) == NUMBER;
    ECDSA_SIG_free(s);
    EVP_MD_CTX_free(c);
    ERR_clear_error();
    return good ? 0 : ERR(e, ERR_NOMEM, "OpenSSL cannot sign");
}

static const char *coded(const char *text, struct arena *a)
{
    size_t n = strlen(text);
    char *out = arena_alloc(a, BASE64URL_TEXT(n));

    base64url_write((const unsigned char *)text, n, out);
    return out;
}

int vapid_header(struct vapid *v, const char *origin, int64_t unix_s, struct arena *a,
                 const char **out, struct err *e)
{
    unsigned char signature[SIGNATURE];
    char signature_text[BASE64URL_TEXT(SIGNATURE)];
    json_int_t expires = unix_s + VALID_SECONDS;
    json_t *claims = json_pack("{s:s, s:I}", "aud", origin, "exp", expires);

    if (!claims)
        return ERR(e, ERR_FORMAT, "the origin of a push service is not UTF-8");
    if (v->contact)
        json_object_set_new(claims, "sub", json_string(v->contact));
    const char *signed_text = arena_printf(a, "%s.%s",
                                           coded("{\"typ\":\"JWT\",\"alg\":\"ES256\"}", a),
                                           coded(json_compact(claims, a), a));
    json_decref(claims);
    if (sign(v, signed_text, signature, e))
        return e->code;
    base64url_write(signature, sizeof signature, signature_text);
    *out = arena_printf(a, "vapid t=%s.%s, k=%s", signed_text, signature_text, v->public);
    return 0;
}
