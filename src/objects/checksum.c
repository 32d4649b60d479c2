#include "objects/checksum.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* ============================== CRC32C ============================== */

/* The remainders of four bits; polynomial 0x1edc6f41, bits reflected. */
static const uint32_t nibbles[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c_table(uint32_t sum, const void *p, size_t n)
{
    const unsigned char *bytes = p;

    sum = ~sum;
    for (size_t i = 0; i < n; i++) {
        sum ^= bytes[i];
        sum = sum >> 4 ^ nibbles[sum & 15];
        sum = sum >> 4 ^ nibbles[sum & 15];
    }
    return ~sum;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t sum,
                                                                 const unsigned char *p, size_t n)
{
    uint64_t wide = ~sum;

    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    sum = (uint32_t)wide;
    for (; n; p++, n--)
        sum = __builtin_ia32_crc32qi(sum, *p);
    return ~sum;
}

uint32_t crc32c(uint32_t sum, const void *p, size_t n)
{
    return __builtin_cpu_supports("sse4.2") ? by_instruction(sum, p, n) : crc32c_table(sum, p, n);
}
#else
uint32_t crc32c(uint32_t sum, const void *p, size_t n)
{
    return crc32c_table(sum, p, n);
}
#endif

/* ============================== Both ============================== */

void crc32c_text(uint32_t sum, char out[9])
{
    unsigned char bytes[4], text[9];

    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(sum >> (24 - 8 * i));
    EVP_EncodeBlock(text, bytes, 4);
    memcpy(out, text, 9);
}

void sums_of(const void *p, size_t n, struct sums *out)
{
    unsigned char md5[EVP_MAX_MD_SIZE], text[28];

    *out = (struct sums){0};
    crc32c_text(crc32c(0, p, n), out->crc32c);
    /* A system that refuses MD5 (FIPS) leaves CRC32C, which is compared as well. */
    if (!EVP_Digest(p ? p : "", n, md5, NULL, EVP_md5(), NULL))
        return;
    EVP_EncodeBlock(text, md5, 16);
    memcpy(out->md5, text, 24);
    for (int i = 0; i < 16; i++)
        snprintf(out->md5_hex + 2 * i, 3, "%02x", md5[i]);
}
