#include "ops/p256.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <stdbool.h>

static int failed(struct err *e, const char *what)
{
    ERR_clear_error(); /* OpenSSL's own list; the next caller must not find it */
    return ERR(e, ERR_NOMEM, "OpenSSL cannot %s", what);
}

int p256_new(EVP_PKEY **out, struct err *e)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    if (!key)
        return failed(e, "make a key");
    *out = key;
    return 0;
}

/* number NULL: a public key. */
static EVP_PKEY *from_parts(const unsigned char point[P256_PUBLIC], const BIGNUM *number)
{
    OSSL_PARAM_BLD *list = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM *parts = NULL;
    EVP_PKEY *key = NULL;

    if (list && context &&
        OSSL_PARAM_BLD_push_utf8_string(list, OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0) &&
        OSSL_PARAM_BLD_push_octet_string(list, OSSL_PKEY_PARAM_PUB_KEY, point, P256_PUBLIC) &&
        (!number || OSSL_PARAM_BLD_push_BN(list, OSSL_PKEY_PARAM_PRIV_KEY, number)))
        parts = OSSL_PARAM_BLD_to_param(list);
    if (parts && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, number ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, parts) !=
            1)
        key = NULL;
    OSSL_PARAM_free(parts);
    OSSL_PARAM_BLD_free(list);
    EVP_PKEY_CTX_free(context);
    return key;
}

int p256_read_public(const unsigned char bytes[P256_PUBLIC], EVP_PKEY **out, struct err *e)
{
    EVP_PKEY *key = bytes[0] == 4 ? from_parts(bytes, NULL) : NULL;
    EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    bool good = context && EVP_PKEY_public_check(context) == 1;

    EVP_PKEY_CTX_free(context);
    if (!good) {
        EVP_PKEY_free(key);
        ERR_clear_error();
        return ERR(e, ERR_FORMAT, "the key is not a point on the curve P-256");
    }
    *out = key;
    return 0;
}

/* The public point of a private number; false when the number is out of range. */
static bool public_of(const BIGNUM *number, unsigned char out[P256_PUBLIC])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group ? EC_POINT_new(group) : NULL;
    bool good = point && !BN_is_zero(number) && BN_cmp(number, EC_GROUP_get0_order(group)) < 0 &&
                EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1 &&
                EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, P256_PUBLIC,
                                   NULL) == P256_PUBLIC;

    EC_POINT_free(point);
    EC_GROUP_free(group);
    return good;
}

int p256_read_private(const unsigned char bytes[P256_PRIVATE], EVP_PKEY **out, struct err *e)
{
    unsigned char point[P256_PUBLIC];
    BIGNUM *number = BN_secure_new();
    EVP_PKEY *key = NULL;

    if (number && BN_bin2bn(bytes, P256_PRIVATE, number) && public_of(number, point))
        key = from_parts(point, number);
    BN_clear_free(number);
    if (!key) {
        ERR_clear_error();
        return ERR(e, ERR_FORMAT, "the number is not a private key of the curve P-256");
    }
    *out = key;
    return 0;
}

int p256_write_public(const EVP_PKEY *key, unsigned char out[P256_PUBLIC], struct err *e)
{
    size_t n = 0;

    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out, P256_PUBLIC, &n) != 1 ||
        n != P256_PUBLIC || out[0] != 4)
        return failed(e, "write a public key");
    return 0;
}

int p256_write_private(const EVP_PKEY *key, unsigned char out[P256_PRIVATE], struct err *e)
{
    BIGNUM *number = NULL;
    bool good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1 &&
                BN_bn2binpad(number, out, P256_PRIVATE) == P256_PRIVATE;

    BN_clear_free(number);
    return good ? 0 : failed(e, "write a private key");
}

int p256_shared(EVP_PKEY *mine, EVP_PKEY *theirs, unsigned char out[P256_SHARED], struct err *e)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(mine, NULL);
    size_t n = P256_SHARED;
    bool good = context && EVP_PKEY_derive_init(context) == 1 &&
                EVP_PKEY_derive_set_peer(context, theirs) == 1 &&
                EVP_PKEY_derive(context, out, &n) == 1 && n == P256_SHARED;

    EVP_PKEY_CTX_free(context);
    return good ? 0 : failed(e, "agree on a secret");
}
