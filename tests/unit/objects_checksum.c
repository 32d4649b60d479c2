#include "objects/checksum.h"

#include "test.h"

/* RFC 3720, section B.4: the bytes of its sums stand there in the order of the wire. */
static void vectors_of_the_rfc(void **state)
{
    unsigned char zeros[32] = {0}, ones[32], up[32], down[32];
    static const unsigned char read10[48] = {
        0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
        0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,    0,
    };
    const struct {
        const unsigned char *bytes;
        size_t n;
        uint32_t sum;
    } cases[] = {
        {zeros, 32, 0x8a9136aa},
        {ones, 32, 0x62a8ab43},
        {up, 32, 0x46dd794e},
        {down, 32, 0x113fdb5c},
        {read10, 48, 0xd9963a56},
        {zeros, 0, 0},
        {(const unsigned char *)"123456789", 9, 0xe3069283},
    };

    (void)state;
    for (int i = 0; i < 32; i++) {
        ones[i] = 0xff;
        up[i] = (unsigned char)i;
        down[i] = (unsigned char)(31 - i);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(crc32c(0, cases[i].bytes, cases[i].n), cases[i].sum);
        assert_int_equal(crc32c_table(0, cases[i].bytes, cases[i].n), cases[i].sum);
    }
}

static void in_pieces_and_at_any_address(void **state)
{
    unsigned char bytes[300];
    uint32_t random = 1;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        random = random * 1664525 + 1013904223;
        bytes[i] = (unsigned char)(random >> 24);
    }
    for (size_t from = 0; from < 20; from++)
        for (size_t n = 0; from + n <= sizeof bytes; n += 7) {
            uint32_t whole = crc32c_table(0, bytes + from, n);
            assert_int_equal(crc32c(0, bytes + from, n), whole);
            size_t half = n / 3;
            assert_int_equal(crc32c(crc32c(0, bytes + from, half), bytes + from + half, n - half),
                             whole);
        }
}

static void as_the_services_write_them(void **state)
{
    struct sums s;

    (void)state;
    sums_of("123456789", 9, &s);
    assert_string_equal(s.crc32c, "4waSgw==");
    assert_string_equal(s.md5, "JfnnlDI7RTiF9RgfG2JNCw==");
    assert_string_equal(s.md5_hex, "25f9e794323b453885f5181f1b624d0b");
    sums_of(NULL, 0, &s);
    assert_string_equal(s.crc32c, "AAAAAA==");
    assert_string_equal(s.md5, "1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_string_equal(s.md5_hex, "d41d8cd98f00b204e9800998ecf8427e");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_the_rfc),
        cmocka_unit_test(in_pieces_and_at_any_address),
        cmocka_unit_test(as_the_services_write_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
