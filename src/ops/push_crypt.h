/*
 * push_crypt.h: messages that only one browser can read: the content coding aes128gcm (RFC 8188)
 * with the key agreement of Web Push (RFC 8291).
 *
 *   struct push_receiver r;
 *   if (push_receiver_read(p256dh, auth, &r, &e)) ...          of PushSubscription.toJSON()
 *   if (push_encrypt(&r, STR("{\"title\": ...}"), &body, &e)) ...
 *
 * A message is one record. Threads: pure. Ownership: the caller's.
 */
#ifndef OPS_PUSH_CRYPT_H
#define OPS_PUSH_CRYPT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "ops/p256.h"

enum {
    PUSH_AUTH = 16,
    PUSH_SALT = 16,
    PUSH_BODY_MOST = 4096, /* what every push service takes (RFC 8030, 7.2) */
    PUSH_TEXT_MOST = PUSH_BODY_MOST - 86 - 1 - 16 /* less header, delimiter, tag */
};

struct push_receiver {
    unsigned char key[P256_PUBLIC], auth[PUSH_AUTH];
};
/* Both base64url. ERR_FORMAT: not a point on the curve, not 16 bytes. */
WARN_UNUSED_RESULT int push_receiver_read(const char *p256dh, const char *auth,
                                          struct push_receiver *out, struct err *e);

/* Append the body of the request to out. A key pair and a salt are made for each message. ERR_ARG
 * above PUSH_TEXT_MOST bytes. */
WARN_UNUSED_RESULT int push_encrypt(const struct push_receiver *r, struct str text, struct buf *out,
                                    struct err *e);
/* The same with a given key pair and salt, for the test vectors. */
WARN_UNUSED_RESULT int push_encrypt_with(const struct push_receiver *r, EVP_PKEY *sender,
                                         const unsigned char salt[PUSH_SALT], struct str text,
                                         struct buf *out, struct err *e);
/* RFC 8188: header (salt, record size, key id) and the one, last record, from input keying
 * material. */
WARN_UNUSED_RESULT int aes128gcm_encrypt(struct str ikm, const unsigned char salt[PUSH_SALT],
                                         struct str key_id, struct str text, struct buf *out,
                                         struct err *e);

#endif
