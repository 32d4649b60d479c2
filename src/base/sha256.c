#include "base/sha256.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

static void to_hex(const unsigned char sum[32], char hex[65])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < 32; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    hex[64] = 0;
}

void sha256_hex(const void *bytes, size_t n, char hex[65])
{
    unsigned char sum[32];

    SHA256(n ? bytes : (const void *)"", n, sum);
    to_hex(sum, hex);
}

int sha256_init(struct sha256 *s, struct err *e)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
        EVP_MD_CTX_free(context);
        return ERR(e, ERR_NOMEM, "cannot start a SHA-256 digest");
    }
    *s = (struct sha256){.context = context};
    return 0;
}

void sha256_add(struct sha256 *s, const void *bytes, size_t n)
{
    if (n && !EVP_DigestUpdate(s->context, bytes, n))
        s->failed = true;
}

int sha256_finish(struct sha256 *s, char hex[65], struct err *e)
{
    unsigned char sum[32];
    unsigned n = 0;
    bool ok = !s->failed && EVP_DigestFinal_ex(s->context, sum, &n) && n == sizeof sum;

    EVP_MD_CTX_free(s->context);
    *s = (struct sha256){0};
    if (!ok)
        return ERR(e, ERR_NOMEM, "cannot finish a SHA-256 digest");
    to_hex(sum, hex);
    return 0;
}
