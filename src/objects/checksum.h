/*
 * checksum.h: the sums that object stores verify by.
 *
 *   uint32_t sum = crc32c(0, p, n);                  RFC 3720, Castagnoli; may go on: crc32c(sum,
 * ...) struct sums s; sums_of(bytes, n, &s);                           both, as the services write
 * them
 *
 * Threads: pure.
 */
#ifndef OBJECTS_CHECKSUM_H
#define OBJECTS_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t sum, const void *p, size_t n);
/* The same without the processor's instruction: what it is checked against. */
uint32_t crc32c_table(uint32_t sum, const void *p, size_t n);

/* As GCS writes it: base64 of the big-endian sum. */
void crc32c_text(uint32_t sum, char out[9]);

struct sums {
    char crc32c[9]; /* base64 of the big-endian CRC32C */
    char md5[25];   /* base64 */
    char md5_hex[33];
};
void sums_of(const void *p, size_t n, struct sums *out);

#endif
