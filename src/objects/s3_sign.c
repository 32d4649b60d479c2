#include "objects/s3_sign.h"

#include "base/clock.h"
#include "base/sha256.h"
#include "objects/store.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST = 32 };

void sigv4_date(int64_t unix_ms, char out[SIGV4_DATE])
{
    char text[CLOCK_TEXT];
    size_t n = 0;

    clock_format(unix_ms, text); /* 2013-05-24T00:00:00.000Z */
    for (const char *p = text; *p && *p != '.'; p++)
        if (*p != '-' && *p != ':')
            out[n++] = *p;
    out[n++] = 'Z';
    out[n] = 0;
}

/* ============================== Canonical forms ============================== */

static int by_name(const void *x, const void *y)
{
    const struct object_pair *a = x, *b = y;
    int order = strcmp(a->name, b->name);

    return order ? order : strcmp(a->value, b->value);
}

static struct object_pair *copy_of(const struct object_pair *pairs, size_t count, struct arena *a)
{
    struct object_pair *copy = arena_alloc(a, (count + 1) * sizeof *copy);

    if (count)
        memcpy(copy, pairs, count * sizeof *copy);
    return copy;
}

char *sigv4_query(const struct object_pair *pairs, size_t count, struct arena *a)
{
    struct object_pair *sorted = copy_of(pairs, count, a);
    char *out = arena_strdup(a, "");

    for (size_t i = 0; i < count; i++) {
        sorted[i].name = store_percent(a, pairs[i].name, "");
        sorted[i].value = store_percent(a, pairs[i].value, "");
    }
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 0; i < count; i++)
        out = arena_printf(a, "%s%s%s=%s", out, i ? "&" : "", sorted[i].name, sorted[i].value);
    return out;
}

static char *lower(const char *name, struct arena *a)
{
    char *out = arena_strdup(a, name);

    for (char *p = out; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return out;
}

/* Without blanks at both ends, and runs of them as one. */
static char *trimmed(const char *value, struct arena *a)
{
    char *out = arena_alloc(a, strlen(value) + 1), *p = out;

    for (; *value; value++) {
        if (*value != ' ' && *value != '\t')
            *p++ = *value;
        else if (p > out && p[-1] != ' ')
            *p++ = ' ';
    }
    if (p > out && p[-1] == ' ')
        p--;
    *p = 0;
    return out;
}

/* ============================== The signature ============================== */

static void hmac(const void *key, size_t key_n, const char *text, unsigned char out[DIGEST])
{
    unsigned n = DIGEST;

    /* SHA-256 of bytes in memory fails for nothing but an OpenSSL without it. */
    if (!HMAC(EVP_sha256(), key, (int)key_n, (const unsigned char *)text, strlen(text), out, &n))
        memset(out, 0, DIGEST);
}

static char *sign(const struct sigv4_key *key, const char *day, const char *text, struct arena *a)
{
    static const char digits[] = "0123456789abcdef";
    char *secret = arena_printf(a, "AWS4%s", key->secret), *hex = arena_alloc(a, 2 * DIGEST + 1);
    unsigned char k[DIGEST];

    hmac(secret, strlen(secret), day, k);
    hmac(k, DIGEST, key->region, k);
    hmac(k, DIGEST, key->service, k);
    hmac(k, DIGEST, "aws4_request", k);
    hmac(k, DIGEST, text, k);
    for (size_t i = 0; i < DIGEST; i++) {
        hex[2 * i] = digits[k[i] >> 4];
        hex[2 * i + 1] = digits[k[i] & 15];
    }
    return hex;
}

char *sigv4_authorization(const struct sigv4_key *key, const struct sigv4_request *r,
                          const char date[SIGV4_DATE], struct arena *a)
{
    struct object_pair *headers = copy_of(r->headers, r->header_count, a);
    char *lines = arena_strdup(a, ""), *names = lines, digest[65];

    for (size_t i = 0; i < r->header_count; i++) {
        headers[i].name = lower(r->headers[i].name, a);
        headers[i].value = trimmed(r->headers[i].value, a);
    }
    qsort(headers, r->header_count, sizeof *headers, by_name);
    for (size_t i = 0; i < r->header_count; i++) {
        lines = arena_printf(a, "%s%s:%s\n", lines, headers[i].name, headers[i].value);
        names = arena_printf(a, "%s%s%s", names, i ? ";" : "", headers[i].name);
    }
    char *canonical = arena_printf(a, "%s\n%s\n%s\n%s\n%s\n%s", r->method, r->path, r->query, lines,
                                   names, r->payload);
    char *scope = arena_printf(a, "%.8s/%s/%s/aws4_request", date, key->region, key->service);
    sha256_hex(canonical, strlen(canonical), digest);
    char *text = arena_printf(a, "AWS4-HMAC-SHA256\n%s\n%s\n%s", date, scope, digest);
    return arena_printf(a, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                        key->access, scope, names,
                        sign(key, arena_printf(a, "%.8s", date), text, a));
}
