#include "base/uuid.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *out, size_t n)
{
    unsigned char *p = out;

    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno != EINTR)
            abort(); /* a system without random numbers can keep no secret */
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}

void random_hex(char *out, size_t n)
{
    unsigned char bytes[64];

    random_bytes(bytes, n);
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void format(const unsigned char b[16], char out[UUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    char *p = out;

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digits[b[i] >> 4];
        *p++ = digits[b[i] & 15];
    }
    *p = 0;
}

static void set_time(unsigned char b[16], int64_t unix_ms)
{
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)(unix_ms >> (40 - 8 * i));
}

void uuid_v7(char out[UUID_TEXT])
{
    /* RFC 9562 6.2 method 3: time, then a counter that goes on within the millisecond. */
    static _Thread_local int64_t last;
    static _Thread_local unsigned counter;
    unsigned char b[16];
    int64_t ms = clock_unix_ms();

    random_bytes(b, sizeof b);
    if (ms > last) {
        last = ms;
        counter = b[6] & 7; /* room to count on */
    } else if (++counter > 0xfff) {
        last++;
        counter = 0;
    }
    set_time(b, last);
    b[6] = (unsigned char)(0x70 | counter >> 8);
    b[7] = (unsigned char)counter;
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    format(b, out);
}

void uuid_v7_floor(int64_t unix_ms, char out[UUID_TEXT])
{
    unsigned char b[16] = {0};

    set_time(b, unix_ms < 0 ? 0 : unix_ms);
    b[6] = 0x70;
    b[8] = 0x80;
    format(b, out);
}

bool uuid_valid(struct str text)
{
    if (text.n != UUID_TEXT - 1)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}
