#include "image/zip.h"

#include "base/clock.h"

#include <string.h>
#include <zlib.h>

enum {
    LOCAL = 30,
    CENTRAL = 46,
    END = 22,
    ENTRIES = 65535,
    NAME = 65535,
    VERSION = 10,         /* that reads it: 1.0, for nothing is compressed */
    MADE_BY = 3 << 8 | 63 /* Unix, 6.3 */
};
#define UTF8       0x0800      /* bit 11 of the flags */
#define PLAIN_FILE 0x81a40000u /* -rw-r--r-- */

void zip_init(struct zip *z)
{
    *z = (struct zip){0};
    buf_init(&z->directory, (size_t)ENTRIES * (CENTRAL + 1024));
}

void zip_release(struct zip *z)
{
    buf_release(&z->directory);
}

/* Little-endian fields, one after the other. */
struct fields {
    unsigned char bytes[CENTRAL];
    size_t n;
};

static void put(struct fields *f, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        f->bytes[f->n++] = (unsigned char)(value >> 8 * i);
}

static unsigned digits(const char *p, int n)
{
    unsigned v = 0;

    for (int i = 0; i < n; i++)
        v = v * 10 + (unsigned)(p[i] - '0');
    return v;
}

/* MS-DOS: the date in the upper half, seconds by twos, years from 1980. */
static uint32_t dos_time(int64_t unix_ms)
{
    char t[CLOCK_TEXT]; /* 2026-01-31T23:59:58... */

    clock_format(unix_ms, t);
    if (digits(t, 4) < 1980 || digits(t, 4) > 2107)
        return 0x00210000; /* 1980-01-01 */
    return (digits(t, 4) - 1980) << 25 | digits(t + 5, 2) << 21 | digits(t + 8, 2) << 16 |
           digits(t + 11, 2) << 11 | digits(t + 14, 2) << 5 | digits(t + 17, 2) / 2;
}

static uint32_t crc_of(struct str bytes)
{
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), (const unsigned char *)bytes.p, bytes.n);
}

/* What the local header and the directory have in common, from "version needed" on. */
static void put_entry(struct fields *f, struct str name, struct str bytes, uint32_t crc,
                      uint32_t time)
{
    put(f, VERSION, 2);
    put(f, UTF8, 2);
    put(f, 0, 2); /* stored */
    put(f, time, 4);
    put(f, crc, 4);
    put(f, bytes.n, 4);
    put(f, bytes.n, 4);
    put(f, name.n, 2);
    put(f, 0, 2); /* no extra field */
}

static int add_both(struct buf *out, const struct fields *f, struct str rest)
{
    int rc = buf_add(out, f->bytes, f->n);

    return rc ? rc : buf_add(out, rest.p, rest.n);
}

int zip_add(struct zip *z, const char *name, struct str bytes, int64_t unix_ms, struct buf *out,
            struct err *e)
{
    struct str n = str_from(name);
    uint32_t crc = crc_of(bytes), time = dos_time(unix_ms);
    struct fields local = {.n = 0}, central = {.n = 0};

    if (n.n == 0 || n.n > NAME)
        return ERR(e, ERR_ARG, "a name of %zu bytes cannot be in a ZIP file", n.n);
    if (z->entries == ENTRIES - 1)
        return ERR(e, ERR_UNSUPPORTED, "a ZIP file has at most %d entries", ENTRIES - 1);
    if (bytes.n > ZIP_MAX ||
        z->offset + bytes.n + z->directory.n + 2 * n.n + LOCAL + CENTRAL + END > ZIP_MAX)
        return ERR(e, ERR_UNSUPPORTED, "a ZIP file is smaller than 4 GiB: choose fewer pictures");
    put(&local, 0x04034b50, 4);
    put_entry(&local, n, bytes, crc, time);
    put(&central, 0x02014b50, 4);
    put(&central, MADE_BY, 2);
    put_entry(&central, n, bytes, crc, time);
    put(&central, 0, 2); /* no comment */
    put(&central, 0, 2); /* the first disk */
    put(&central, 0, 2); /* not known to be text */
    put(&central, PLAIN_FILE, 4);
    put(&central, z->offset, 4);
    size_t before = out->n;
    if (add_both(out, &local, n) || buf_add(out, bytes.p, bytes.n) ||
        add_both(&z->directory, &central, n)) {
        out->n = before;
        if (out->p)
            out->p[before] = 0;
        return ERR(e, ERR_NOMEM, "no memory for an entry of a ZIP file");
    }
    z->offset += LOCAL + n.n + bytes.n;
    z->entries++;
    return 0;
}

int zip_end(struct zip *z, struct buf *out, struct err *e)
{
    struct fields end = {.n = 0};

    put(&end, 0x06054b50, 4);
    put(&end, 0, 4); /* one disk */
    put(&end, z->entries, 2);
    put(&end, z->entries, 2);
    put(&end, z->directory.n, 4);
    put(&end, z->offset, 4);
    put(&end, 0, 2); /* no comment */
    if (buf_add(out, z->directory.p, z->directory.n) || buf_add(out, end.bytes, end.n))
        return ERR(e, ERR_NOMEM, "no memory for the directory of a ZIP file");
    return 0;
}
