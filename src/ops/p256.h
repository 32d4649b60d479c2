/*
 * p256.h: keys of the curve NIST P-256, on OpenSSL: made, read, written, and what two of them have
 * in common (ECDH, RFC 5903). Private to the push half of this room.
 *
 *   EVP_PKEY *mine, *theirs;
 *   if (p256_new(&mine, e) || p256_read_public(bytes, &theirs, e) || p256_shared(mine, theirs, s,
 * e))
 *       ...
 *   EVP_PKEY_free(mine);
 *
 * Threads: a key may be used by many. Ownership: the caller frees keys.
 */
#ifndef OPS_P256_H
#define OPS_P256_H

#include "base/err.h"

#include <openssl/evp.h>

/* Bytes of an uncompressed point (0x04, x, y), a private number, a shared secret. */
enum { P256_PUBLIC = 65, P256_PRIVATE = 32, P256_SHARED = 32 };

WARN_UNUSED_RESULT int p256_new(EVP_PKEY **out, struct err *e);
/* ERR_FORMAT unless it is a point on the curve. */
WARN_UNUSED_RESULT int p256_read_public(const unsigned char bytes[P256_PUBLIC], EVP_PKEY **out,
                                        struct err *e);
/* ERR_FORMAT unless 0 < number < the order of the group. */
WARN_UNUSED_RESULT int p256_read_private(const unsigned char bytes[P256_PRIVATE], EVP_PKEY **out,
                                         struct err *e);
WARN_UNUSED_RESULT int p256_write_public(const EVP_PKEY *key, unsigned char out[P256_PUBLIC],
                                         struct err *e);
WARN_UNUSED_RESULT int p256_write_private(const EVP_PKEY *key, unsigned char out[P256_PRIVATE],
                                          struct err *e);
WARN_UNUSED_RESULT int p256_shared(EVP_PKEY *mine, EVP_PKEY *theirs, unsigned char out[P256_SHARED],
                                   struct err *e);

#endif
