#include "ops/vapid.h"

#include "base/json.h"
#include "ops/base64url.h"
#include "ops/p256.h"

#include <openssl/ecdsa.h>

#include "test.h"

static struct vapid *open_fresh(const char *contact)
{
    char key[VAPID_PRIVATE];
    struct vapid *v;
    struct err e;

    assert_int_equal(vapid_make(key, &e), 0);
    assert_int_equal(strlen(key), VAPID_PRIVATE - 1);
    assert_int_equal(vapid_open(key, contact, &v, &e), 0);
    return v;
}

static json_t *part(struct str text)
{
    size_t n = text.n * 3 / 4;
    unsigned char bytes[512];
    struct err e;
    json_t *out;

    assert_true(n < sizeof bytes && base64url_read(text, bytes, n));
    assert_int_equal(json_read((struct str){(char *)bytes, n}, &out, &e), 0);
    return out;
}

/* The signature of `text` by the holder of `public`: what a push service checks. */
static bool verifies(struct str text, struct str signature, struct str public)
{
    unsigned char raw[64], point[P256_PUBLIC], *der = NULL;
    ECDSA_SIG *s = ECDSA_SIG_new();
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_PKEY *key;
    struct err e;

    assert_true(base64url_read(signature, raw, sizeof raw));
    assert_true(base64url_read(public, point, sizeof point));
    assert_int_equal(p256_read_public(point, &key, &e), 0);
    assert_int_equal(ECDSA_SIG_set0(s, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL)), 1);
    int n = i2d_ECDSA_SIG(s, &der);
    assert_int_equal(EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key), 1);
    bool good = EVP_DigestVerify(c, der, (size_t)n, (const unsigned char *)text.p, text.n) == 1;
    OPENSSL_free(der);
    ECDSA_SIG_free(s);
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(key);
    return good;
}

struct token {
    struct str text, signed_part, signature, key;
    json_t *head, *claims;
};

static struct token token_of(struct vapid *v, struct arena *a)
{
    struct token t = {0};
    struct str rest, piece;
    const char *text;
    struct err e;

    assert_int_equal(vapid_header(v, "https://push.example.net", 1453523768, a, &text, &e), 0);
    rest = str_from(text);
    assert_true(str_skip(&rest, "vapid t="));
    assert_true(str_cut(&rest, ',', &t.text));
    assert_true(str_skip(&rest, " k="));
    t.key = rest;
    rest = t.text;
    assert_true(str_cut(&rest, '.', &piece));
    t.head = part(piece);
    assert_true(str_cut(&rest, '.', &piece));
    t.claims = part(piece);
    t.signature = rest;
    t.signed_part = (struct str){t.text.p, (size_t)(rest.p - 1 - t.text.p)};
    return t;
}

static void token_release(struct token *t)
{
    json_decref(t->head);
    json_decref(t->claims);
}

static void the_token_is_what_push_services_want(void **state)
{
    struct vapid *v = open_fresh("mailto:push@example.com");
    struct arena a = {0};
    struct token t = token_of(v, &a);

    (void)state;
    assert_string_equal(json_text(t.head, "typ", ""), "JWT");
    assert_string_equal(json_text(t.head, "alg", ""), "ES256");
    assert_string_equal(json_text(t.claims, "aud", ""), "https://push.example.net");
    assert_string_equal(json_text(t.claims, "sub", ""), "mailto:push@example.com");
    int64_t exp = json_int(t.claims, "exp", 0);
    assert_true(exp > 1453523768 && exp <= 1453523768 + 86400); /* RFC 8292, section 2 */
    assert_true(str_is(t.key, vapid_public(v)));
    assert_true(verifies(t.signed_part, t.signature, t.key));
    t.signed_part.n--;
    assert_false(verifies(t.signed_part, t.signature, t.key));
    token_release(&t);
    arena_release(&a);
    vapid_close(v);
}

static void numbers_of_signatures_keep_their_zeros(void **state)
{
    struct vapid *v = open_fresh(NULL);

    (void)state;
    for (int i = 0; i < 600; i++) { /* one in 128 begins with a zero byte */
        struct arena a = {0};
        struct token t = token_of(v, &a);
        assert_null(json_object_get(t.claims, "sub"));
        assert_int_equal(t.signature.n, 86);
        assert_true(verifies(t.signed_part, t.signature, t.key));
        token_release(&t);
        arena_release(&a);
    }
    vapid_close(v);
}

/* The key pair of RFC 8291, appendix A: the public key is derived from the private one. */
static void a_given_key_is_used(void **state)
{
    struct vapid *v;
    struct err e;

    (void)state;
    assert_int_equal(vapid_open("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", NULL, &v, &e), 0);
    assert_string_equal(vapid_public(v), "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLoc"
                                         "InmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
    vapid_close(v);
}

static void bad_keys_and_contacts(void **state)
{
    static const char *const keys[] = {"", "abc", "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oR",
                                       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    static const char *const contacts[] = {"me@example.org", "http://example.org", "mailto:", "",
                                           "https://"};
    struct vapid *v;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(vapid_open(keys[i], NULL, &v, &e), ERR_FORMAT);
    for (size_t i = 0; i < sizeof contacts / sizeof *contacts; i++)
        assert_int_equal(
            vapid_open("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", contacts[i], &v, &e),
            ERR_ARG);
    assert_null(strstr(e.message, "yfWP"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_token_is_what_push_services_want),
        cmocka_unit_test(numbers_of_signatures_keep_their_zeros),
        cmocka_unit_test(a_given_key_is_used),
        cmocka_unit_test(bad_keys_and_contacts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
