#include "image/exif.h"

#include "image/text.h"

#include <string.h>

/* EXIF 2.32 (CIPA DC-008): tags and types. */
enum { TAG_ORIENTATION = 0x112, TAG_EXIF = 0x8769, TAG_COMMENT = 0x9286 };
enum { TYPE_SHORT = 3, TYPE_LONG = 4, TYPE_UNDEFINED = 7 };
enum { ENTRY = 12, CHARSET = 8 };

struct tiff {
    const unsigned char *p;
    size_t n;
    bool big_endian;
};

/* A directory's entry: what it holds, and where its 4 bytes of value or offset lie. */
struct entry {
    uint32_t type, count;
    size_t at;
};

static uint32_t number(const struct tiff *t, size_t at, int bytes)
{
    uint32_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | t->p[at + (t->big_endian ? i : bytes - 1 - i)];
    return value;
}

static bool find(const struct tiff *t, size_t directory, uint32_t tag, struct entry *out)
{
    if (directory > t->n || t->n - directory < 2)
        return false;
    uint32_t count = number(t, directory, 2);
    for (size_t at = directory + 2; count && t->n - at >= ENTRY; count--, at += ENTRY)
        if (number(t, at, 2) == tag) {
            *out = (struct entry){number(t, at + 2, 2), number(t, at + 4, 4), at + 8};
            return true;
        }
    return false;
}

/* UTF-16 without a byte order mark: piexif writes big-endian whatever the TIFF says, cameras go by
 * the TIFF. Most text has more zero bytes on the high side. */
static bool looks_big_endian(const unsigned char *p, size_t n)
{
    size_t even = 0, odd = 0;

    for (size_t i = 0; i + 1 < n; i += 2) {
        even += !p[i];
        odd += !p[i + 1];
    }
    return even >= odd;
}

static char *take_text(struct buf *b, int rc)
{
    if (rc) {
        buf_release(b);
        return NULL;
    }
    return buf_take(b);
}

static char *comment_of(const unsigned char *p, size_t n)
{
    struct buf b;

    if (n < CHARSET)
        return NULL;
    bool unicode = !memcmp(p, "UNICODE", CHARSET);
    p += CHARSET;
    n -= CHARSET;
    buf_init(&b, TEXT_MAX);
    if (unicode) {
        bool marked = n >= 2 && ((p[0] == 0xfe && p[1] == 0xff) || (p[0] == 0xff && p[1] == 0xfe));
        bool big_endian = marked ? p[0] == 0xfe : looks_big_endian(p, n);
        size_t skip = marked ? 2 : 0;
        return take_text(&b, text_from_utf16(&b, p + skip, n - skip, big_endian));
    }
    while (n && !p[n - 1])
        n--;
    if (!n)
        return NULL;
    if (text_is_utf8((const char *)p, n))
        return take_text(&b, buf_add(&b, p, n));
    return take_text(&b, text_from_latin1(&b, (const char *)p, n));
}

void exif_read(const unsigned char *bytes, size_t n, struct exif *out)
{
    struct tiff t = {bytes, n, false};
    struct entry entry;

    *out = (struct exif){.orientation = 1};
    if (t.n >= 6 && !memcmp(t.p, "Exif\0", 6)) {
        t.p += 6;
        t.n -= 6;
    }
    if (t.n < 8 || (memcmp(t.p, "II*", 4) != 0 && memcmp(t.p, "MM\0*", 4) != 0))
        return;
    t.big_endian = t.p[0] == 'M';
    size_t first = number(&t, 4, 4);
    if (find(&t, first, TAG_ORIENTATION, &entry) && entry.type == TYPE_SHORT) {
        uint32_t value = number(&t, entry.at, 2);
        out->orientation = value >= 1 && value <= 8 ? (int)value : 1;
    }
    if (!find(&t, first, TAG_EXIF, &entry) || entry.type != TYPE_LONG ||
        !find(&t, number(&t, entry.at, 4), TAG_COMMENT, &entry) || entry.type != TYPE_UNDEFINED)
        return;
    size_t at = number(&t, entry.at, 4);
    if (entry.count > 4 && at <= t.n && entry.count <= t.n - at)
        out->comment = comment_of(t.p + at, entry.count);
}

/* One directory of one entry. */
static int add_directory(struct buf *out, unsigned tag, unsigned type, size_t count, size_t value)
{
    unsigned char d[2 + ENTRY + 4] = {
        0, 1, (unsigned char)(tag >> 8), (unsigned char)tag, 0, (unsigned char)type};

    for (int i = 0; i < 4; i++) {
        d[6 + i] = (unsigned char)(count >> (24 - 8 * i));
        d[10 + i] = (unsigned char)(value >> (24 - 8 * i));
    }
    return buf_add(out, d, sizeof d);
}

int exif_write(struct buf *out, const char *comment)
{
    enum { HEADER = 8, DIRECTORY = 2 + ENTRY + 4 };
    struct buf text;
    int rc;

    buf_init(&text, 2 * TEXT_MAX);
    rc = text_to_utf16(&text, comment, true);
    if (!rc)
        rc = buf_add(out, "MM\0*\0\0\0\x08", HEADER);
    if (!rc)
        rc = add_directory(out, TAG_EXIF, TYPE_LONG, 1, HEADER + DIRECTORY);
    if (!rc)
        rc = add_directory(out, TAG_COMMENT, TYPE_UNDEFINED, CHARSET + text.n,
                           HEADER + 2 * DIRECTORY);
    if (!rc)
        rc = buf_add(out, "UNICODE", CHARSET);
    if (!rc)
        rc = buf_add(out, text.p, text.n);
    buf_release(&text);
    return rc;
}
