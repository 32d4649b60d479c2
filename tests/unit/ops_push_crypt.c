/* The vectors are of RFC 8291, section 5 and appendix A, and of RFC 8188, section 3.1. */
#include "ops/push_crypt.h"

#include "ops/base64url.h"

#include "test.h"

static const char ua_public[] =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
static const char ua_auth[] = "BTBZMqHH6r4Tts7J_aSIgg";
static const char as_public[] =
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";

static void assert_bytes(const struct buf *b, const char *base64url)
{
    char *text = malloc(BASE64URL_TEXT(b->n));

    base64url_write((const unsigned char *)b->p, b->n, text);
    assert_string_equal(text, base64url);
    free(text);
}

static void rfc_8291(void **state)
{
    unsigned char private[P256_PRIVATE], public[P256_PUBLIC], salt[PUSH_SALT];
    char text[BASE64URL_TEXT(P256_PUBLIC)];
    struct push_receiver r;
    EVP_PKEY *sender;
    struct buf body;
    struct err e;

    (void)state;
    assert_true(base64url_read(STR("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), private, 32));
    assert_true(base64url_read(STR("DGv6ra1nlYgDCS1FRnbzlw"), salt, sizeof salt));
    assert_int_equal(p256_read_private(private, &sender, &e), 0);
    assert_int_equal(p256_write_public(sender, public, &e), 0);
    base64url_write(public, sizeof public, text);
    assert_string_equal(text, as_public);
    assert_int_equal(push_receiver_read(ua_public, ua_auth, &r, &e), 0);
    buf_init(&body, PUSH_BODY_MOST);
    assert_int_equal(push_encrypt_with(&r, sender, salt,
                                       STR("When I grow up, I want to be a watermelon"), &body, &e),
                     0);
    assert_bytes(&body, "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
                        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
                        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN");
    buf_release(&body);
    EVP_PKEY_free(sender);
}

static void rfc_8188(void **state)
{
    unsigned char ikm[16], salt[PUSH_SALT];
    struct buf body;
    struct err e;

    (void)state;
    assert_true(base64url_read(STR("yqdlZ-tYemfogSmv7Ws5PQ"), ikm, sizeof ikm));
    assert_true(base64url_read(STR("I1BsxtFttlv3u_Oo94xnmw"), salt, sizeof salt));
    buf_init(&body, PUSH_BODY_MOST);
    assert_int_equal(aes128gcm_encrypt((struct str){(char *)ikm, sizeof ikm}, salt, STR(""),
                                       STR("I am the walrus"), &body, &e),
                     0);
    assert_bytes(&body, "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg");
    buf_release(&body);
}

static void every_message_has_its_own_key_and_salt(void **state)
{
    struct push_receiver r;
    struct buf a, b;
    struct err e;

    (void)state;
    assert_int_equal(push_receiver_read(ua_public, ua_auth, &r, &e), 0);
    buf_init(&a, PUSH_BODY_MOST);
    buf_init(&b, PUSH_BODY_MOST);
    assert_int_equal(push_encrypt(&r, STR("x"), &a, &e), 0);
    assert_int_equal(push_encrypt(&r, STR("x"), &b, &e), 0);
    assert_int_equal(a.n, 86 + 1 + 1 + 16);
    assert_int_equal(b.n, a.n);
    assert_memory_not_equal(a.p, b.p, PUSH_SALT);
    assert_memory_not_equal(a.p + 21, b.p + 21, P256_PUBLIC);
    buf_release(&a);
    buf_release(&b);
}

static void lengths(void **state)
{
    static char text[PUSH_TEXT_MOST + 1];
    struct push_receiver r;
    struct buf body;
    struct err e;

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(push_receiver_read(ua_public, ua_auth, &r, &e), 0);
    buf_init(&body, PUSH_BODY_MOST);
    assert_int_equal(push_encrypt(&r, (struct str){text, PUSH_TEXT_MOST + 1}, &body, &e), ERR_ARG);
    assert_int_equal(body.n, 0);
    assert_int_equal(push_encrypt(&r, (struct str){text, PUSH_TEXT_MOST}, &body, &e), 0);
    assert_int_equal(body.n, PUSH_BODY_MOST);
    buf_release(&body);
}

static void keys_are_points_on_the_curve(void **state)
{
    unsigned char key[P256_PUBLIC];
    char text[BASE64URL_TEXT(P256_PUBLIC)];
    struct push_receiver r;
    struct err e;

    (void)state;
    assert_int_equal(push_receiver_read("", ua_auth, &r, &e), ERR_FORMAT);
    assert_int_equal(push_receiver_read(ua_public, "BTBZMqHH6r4Tts7J_aSI", &r, &e), ERR_FORMAT);
    assert_int_equal(push_receiver_read(ua_public, "BTBZMqHH6r4Tts7J_aSIg!", &r, &e), ERR_FORMAT);
    assert_true(base64url_read(str_from(ua_public), key, sizeof key));
    for (int i = 0; i < 4; i++) {
        unsigned char bad[P256_PUBLIC];
        memcpy(bad, key, sizeof bad);
        if (i == 0)
            bad[64] ^= 1; /* beside the curve */
        else if (i == 1)
            bad[0] = 2; /* a compressed point has 33 bytes */
        else if (i == 2)
            memset(bad + 1, 0, 64);
        else
            memset(bad + 1, 0xff, 64); /* above the prime */
        base64url_write(bad, sizeof bad, text);
        assert_int_equal(push_receiver_read(text, ua_auth, &r, &e), ERR_FORMAT);
        assert_non_null(strstr(e.message, "p256dh"));
    }
}

static void private_keys_are_in_range(void **state)
{
    /* The order of the group (FIPS 186-4, D.1.2.3), and one less. */
    unsigned char n[P256_PRIVATE] = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                     0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    unsigned char zero[P256_PRIVATE] = {0}, back[P256_PRIVATE];
    EVP_PKEY *key;
    struct err e;

    (void)state;
    assert_int_equal(p256_read_private(n, &key, &e), ERR_FORMAT);
    assert_int_equal(p256_read_private(zero, &key, &e), ERR_FORMAT);
    n[31]--;
    assert_int_equal(p256_read_private(n, &key, &e), 0);
    assert_int_equal(p256_write_private(key, back, &e), 0);
    assert_memory_equal(back, n, sizeof n);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_8291),
        cmocka_unit_test(rfc_8188),
        cmocka_unit_test(every_message_has_its_own_key_and_salt),
        cmocka_unit_test(lengths),
        cmocka_unit_test(keys_are_points_on_the_curve),
        cmocka_unit_test(private_keys_are_in_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
