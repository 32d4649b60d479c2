#include "ops/push_crypt.h"

#include "base/uuid.h"
#include "ops/base64url.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

enum { KEY = 16, NONCE = 12, TAG = 16, IKM = 32, HEADER = PUSH_SALT + 4 + 1 };

int push_receiver_read(const char *p256dh, const char *auth, struct push_receiver *out,
                       struct err *e)
{
    struct push_receiver r;
    EVP_PKEY *key;

    if (!base64url_read(str_from(p256dh), r.key, sizeof r.key))
        return ERR(e, ERR_FORMAT, "p256dh is not the base64url of 65 bytes");
    if (!base64url_read(str_from(auth), r.auth, sizeof r.auth))
        return ERR(e, ERR_FORMAT, "auth is not the base64url of 16 bytes");
    if (p256_read_public(r.key, &key, e))
        return err_prefix(e, "p256dh");
    EVP_PKEY_free(key);
    *out = r;
    return 0;
}

/* HKDF with SHA-256, extract and expand (RFC 5869). */
static int hkdf(struct str salt, struct str ikm, struct str info, unsigned char *out, size_t n,
                struct err *e)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    const OSSL_PARAM parts[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt.p, salt.n),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)ikm.p, ikm.n),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info.p, info.n),
        OSSL_PARAM_construct_end(),
    };
    bool good = context && EVP_KDF_derive(context, out, n, parts) == 1;

    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return good ? 0 : ERR(e, ERR_NOMEM, "OpenSSL cannot derive a key");
}

static struct str bytes(const void *p, size_t n)
{
    return (struct str){p, n};
}

/* text, a delimiter, and the tag; `out` has room for text.n + 1 + TAG. */
static int seal(const unsigned char key[KEY], const unsigned char nonce[NONCE], struct str text,
                unsigned char *out, struct err *e)
{
    static const unsigned char last = 2; /* of the last record (RFC 8188, section 2) */
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0, more = 0, end = 0;
    bool good = c && EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, nonce) == 1 &&
                EVP_EncryptUpdate(c, out, &n, (const unsigned char *)text.p, (int)text.n) == 1 &&
                EVP_EncryptUpdate(c, out + n, &more, &last, 1) == 1 &&
                EVP_EncryptFinal_ex(c, out + n + more, &end) == 1 &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, out + n + more + end) == 1;

    EVP_CIPHER_CTX_free(c);
    return good ? 0 : ERR(e, ERR_NOMEM, "OpenSSL cannot encrypt");
}

int aes128gcm_encrypt(struct str ikm, const unsigned char salt[PUSH_SALT], struct str key_id,
                      struct str text, struct buf *out, struct err *e)
{
    unsigned char key[KEY], nonce[NONCE], body[PUSH_BODY_MOST];
    size_t at = HEADER + key_id.n;

    if (key_id.n > 255 || at + text.n + 1 + TAG > sizeof body)
        return ERR(e, ERR_ARG, "a message of %zu bytes is too long to be pushed", text.n);
    if (hkdf(bytes(salt, PUSH_SALT), ikm, bytes("Content-Encoding: aes128gcm", 28), key, KEY, e) ||
        hkdf(bytes(salt, PUSH_SALT), ikm, bytes("Content-Encoding: nonce", 24), nonce, NONCE, e))
        return e->code;
    memcpy(body, salt, PUSH_SALT);
    memcpy(body + PUSH_SALT, (unsigned char[]){0, 0, PUSH_BODY_MOST >> 8, 0}, 4);
    body[PUSH_SALT + 4] = (unsigned char)key_id.n;
    if (key_id.n)
        memcpy(body + HEADER, key_id.p, key_id.n);
    /* The number of the first record is 0, so the nonce is used as it is. */
    int rc = seal(key, nonce, text, body + at, e);
    if (rc == 0 && buf_add(out, body, at + text.n + 1 + TAG))
        rc = ERR(e, ERR_NOMEM, "no memory for a message");
    OPENSSL_cleanse(key, sizeof key);
    return rc;
}

int push_encrypt_with(const struct push_receiver *r, EVP_PKEY *sender,
                      const unsigned char salt[PUSH_SALT], struct str text, struct buf *out,
                      struct err *e)
{
    static const char label[] = "WebPush: info"; /* with its NUL */
    unsigned char info[sizeof label + 2 * P256_PUBLIC], secret[P256_SHARED], ikm[IKM];
    unsigned char *mine = info + sizeof label + P256_PUBLIC;
    EVP_PKEY *receiver = NULL;
    int rc = p256_read_public(r->key, &receiver, e);

    if (rc == 0)
        rc = p256_shared(sender, receiver, secret, e);
    if (rc == 0)
        rc = p256_write_public(sender, mine, e);
    EVP_PKEY_free(receiver);
    if (rc)
        return rc;
    memcpy(info, label, sizeof label);
    memcpy(info + sizeof label, r->key, P256_PUBLIC);
    rc = hkdf(bytes(r->auth, PUSH_AUTH), bytes(secret, sizeof secret), bytes(info, sizeof info),
              ikm, IKM, e);
    if (rc == 0)
        rc = aes128gcm_encrypt(bytes(ikm, IKM), salt, bytes(mine, P256_PUBLIC), text, out, e);
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(ikm, sizeof ikm);
    return rc;
}

int push_encrypt(const struct push_receiver *r, struct str text, struct buf *out, struct err *e)
{
    unsigned char salt[PUSH_SALT];
    EVP_PKEY *sender;

    if (p256_new(&sender, e))
        return e->code;
    random_bytes(salt, sizeof salt);
    int rc = push_encrypt_with(r, sender, salt, text, out, e);
    EVP_PKEY_free(sender);
    return rc;
}
