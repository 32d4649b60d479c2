/* Signatures of callbacks (Standard Webhooks 1.0), and what may be called at all. */
#include "tasks/call_back_inside.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { SECRET_MOST = 512, MAC = 32, STAMP = 24 };

/* The bytes of base64 with its padding (RFC 4648, section 4); -1 for anything else. OpenSSL's own
 * decoder trims blanks and counts the padding. */
static int decode(struct str text, unsigned char out[SECRET_MOST])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t padding = 0;

    if (text.n == 0 || text.n % 4 || text.n > SECRET_MOST)
        return -1;
    while (padding < 2 && text.p[text.n - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < text.n - padding; i++)
        if (!memchr(digits, text.p[i], sizeof digits - 1))
            return -1;
    int n = EVP_DecodeBlock(out, (const unsigned char *)text.p, (int)text.n);
    return n < 0 ? -1 : n - (int)padding;
}

/* "whsec_" and base64, as the specification writes secrets, or the text itself. */
static int key_of(const char *secret, unsigned char out[SECRET_MOST], struct err *e)
{
    struct str text = str_from(secret);
    int n;

    if (str_skip(&text, "whsec_")) {
        n = decode(text, out);
        if (n <= 0)
            return ERR(e, ERR_ARG, "the secret begins with whsec_ and is not base64 after that");
        return n;
    }
    if (text.n == 0 || text.n > SECRET_MOST)
        return ERR(e, ERR_ARG, "a secret has 1 to %d bytes", SECRET_MOST);
    memcpy(out, text.p, text.n);
    return (int)text.n;
}

static bool authenticate(const unsigned char *key, int key_bytes, const char *id, const char *stamp,
                         struct str body, unsigned char mac[MAC])
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *x = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    const OSSL_PARAM sha256[] = {OSSL_PARAM_construct_utf8_string("digest", (char[]){"SHA256"}, 0),
                                 OSSL_PARAM_construct_end()};
    size_t n = 0;
    bool done = x && EVP_MAC_init(x, key, (size_t)key_bytes, sha256) == 1 &&
                EVP_MAC_update(x, (const unsigned char *)id, strlen(id)) == 1 &&
                EVP_MAC_update(x, (const unsigned char *)stamp, strlen(stamp)) == 1 &&
                EVP_MAC_update(x, (const unsigned char *)body.p, body.n) == 1 &&
                EVP_MAC_final(x, mac, &n, MAC) == 1 && n == MAC;

    EVP_MAC_CTX_free(x);
    EVP_MAC_free(hmac);
    return done;
}

int call_back_sign(const char *secret, const char *id, int64_t timestamp, struct str body,
                   char out[CALL_BACK_SIGNATURE], struct err *e)
{
    unsigned char key[SECRET_MOST], mac[MAC], text[MAC / 3 * 4 + 5];
    char stamp[STAMP];
    int n = key_of(secret, key, e);

    if (n < 0)
        return n;
    snprintf(stamp, sizeof stamp, ".%lld.", (long long)timestamp);
    bool done = authenticate(key, n, id, stamp, body, mac);
    OPENSSL_cleanse(key, sizeof key);
    if (!done)
        return ERR(e, ERR_NOMEM, "no memory to sign a callback");
    EVP_EncodeBlock(text, mac, MAC);
    snprintf(out, CALL_BACK_SIGNATURE, "v1,%s", (const char *)text);
    return 0;
}

int call_back_secret(const struct tasks *t, const struct task_callbacks *c, const char **out,
                     struct err *e)
{
    const char *secret = c->secret && t->secret ? t->secret(t->outside, c->secret) : NULL;

    if (c->secret && !secret)
        return ERR(e, ERR_NOT_FOUND, "no secret '%s': set CAULDRON_SECRET_%s", c->secret,
                   c->secret);
    *out = secret;
    return 0;
}

bool call_back_may_be_private(const struct tasks *t, const struct task_callbacks *c)
{
    return c->allow_private && t->allow_private_callbacks;
}

int call_back_check(const struct tasks *t, const struct task_callbacks *c, struct err *e)
{
    struct arena a = {0};
    const char *secret;
    struct net_url url;
    char signature[CALL_BACK_SIGNATURE];
    int rc = net_url_read(c->url, &a, &url, e);

    if (rc == 0 && c->allow_private && !t->allow_private_callbacks)
        rc = ERR(e, ERR_DENIED,
                 "this server does not allow callbacks to private addresses, which the document "
                 "asks for");
    if (rc == 0 && strcmp(url.scheme, "https") != 0 && !c->allow_private)
        rc = ERR(e, ERR_ARG, "callbacks go to https, not to %s", url.scheme);
    if (rc == 0 && !c->allow_private && host_is_private(url.host, NULL))
        rc = ERR(e, ERR_DENIED, "host '%s' is private: callbacks go to public addresses", url.host);
    if (rc == 0 && t->net)
        rc = egress_check(net_egress(t->net), url.host, url.port, e);
    if (rc == 0)
        rc = call_back_secret(t, c, &secret, e);
    if (rc == 0 && secret) /* a secret that cannot sign is found here, not hours later */
        rc = call_back_sign(secret, "check", 0, STR(""), signature, e);
    arena_release(&a);
    return rc;
}
