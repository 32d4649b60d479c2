#include "base/sha256.h"

#include "test.h"

/* FIPS 180-4's examples: one block, two blocks, a million 'a'. */
static const struct {
    const char *text, *hex;
} examples[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};
static const char million[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void examples_of_the_standard(void **state)
{
    char hex[65];
    (void)state;

    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        sha256_hex(examples[i].text, strlen(examples[i].text), hex);
        assert_string_equal(hex, examples[i].hex);
    }
}

static void pieces_make_the_same_sum(void **state)
{
    struct sha256 s;
    struct err e;
    char bytes[1000], hex[65];
    (void)state;

    memset(bytes, 'a', sizeof bytes);
    assert_int_equal(sha256_init(&s, &e), 0);
    for (size_t left = 1000000, n = 1; left; left -= n, n = n % 997 + 1) {
        n = n > left ? left : n;
        sha256_add(&s, bytes, n);
    }
    sha256_add(&s, bytes, 0);
    assert_int_equal(sha256_finish(&s, hex, &e), 0);
    assert_string_equal(hex, million);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_standard),
        cmocka_unit_test(pieces_make_the_same_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
