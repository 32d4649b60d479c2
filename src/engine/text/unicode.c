#include "engine/text/unicode.h"

#include "engine/text/unicode_tables.h"

#include <string.h>
#include <utf8proc.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool in_ranges(const struct range *table, size_t n, int32_t c)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if ((uint32_t)c > table[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && (uint32_t)c >= table[low].first;
}

enum rune_class rune_class(int32_t c)
{
    if (c < 0x80) {
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            return RUNE_LETTER;
        if (c >= '0' && c <= '9')
            return RUNE_NUMBER;
        return c == ' ' || (c >= '\t' && c <= '\r') ? RUNE_SPACE : RUNE_OTHER;
    }
    if (in_ranges(letters, COUNT(letters), c))
        return RUNE_LETTER;
    if (in_ranges(numbers, COUNT(numbers), c))
        return RUNE_NUMBER;
    return in_ranges(spaces, COUNT(spaces), c) ? RUNE_SPACE : RUNE_OTHER;
}

static int32_t lower(int32_t c)
{
    size_t low = 0, high = COUNT(lower_runs);

    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if ((uint32_t)c > lower_runs[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == COUNT(lower_runs))
        return c;
    const struct lower_run *run = &lower_runs[low];
    bool hit = (uint32_t)c >= run->first && ((uint32_t)c - run->first) % run->step == 0;
    return hit ? c + run->delta : c;
}

int rune_encode(int32_t c, unsigned char bytes[4])
{
    return (int)utf8proc_encode_char(c, bytes);
}

int runes_decode(struct arena *a, struct str text, struct runes *out, struct err *e)
{
    int32_t *p = arena_try(a, text.n + 1, sizeof *p);
    size_t n = 0;

    if (!p)
        return ERR(e, ERR_NOMEM, "no memory for a text of %zu bytes", text.n);
    for (size_t i = 0; i < text.n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text.p + i,
                                                 (utf8proc_ssize_t)(text.n - i), &c);
        if (used <= 0)
            return ERR(e, ERR_ARG, "the text is not UTF-8: bad byte 0x%02x at offset %zu",
                       (unsigned char)text.p[i], i);
        p[n++] = c;
        i += (size_t)used;
    }
    *out = (struct runes){p, n};
    return 0;
}

void runes_repair(struct str text, char *out)
{
    for (size_t i = 0; i < text.n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text.p + i,
                                                 (utf8proc_ssize_t)(text.n - i), &c);
        out += rune_encode(used > 0 ? c : 0xfffd, (unsigned char *)out);
        i += used > 0 ? (size_t)used : 1;
    }
    *out = 0;
}

/* Canonical ordering: a stable sort by combining class of every run of marks. Merging keeps hostile
 * runs of thousands of marks at n log n. */
static void sort_marks(int32_t *p, int32_t *spare, size_t n)
{
    if (n < 2)
        return;
    size_t half = n / 2, i = 0, j = half, k = 0;
    sort_marks(p, spare, half);
    sort_marks(p + half, spare, n - half);
    while (i < half || j < n) {
        bool left = j == n || (i < half && utf8proc_get_property(p[i])->combining_class <=
                                               utf8proc_get_property(p[j])->combining_class);
        spare[k++] = left ? p[i++] : p[j++];
    }
    memcpy(p, spare, n * sizeof *p);
}

/* NFC in place of n characters, none of them inert; returns how many are left. */
static size_t compose(int32_t *p, int32_t *spare, size_t n)
{
    for (size_t i = 0, start; i < n; i++) {
        for (start = i; i < n && utf8proc_get_property(p[i])->combining_class; i++)
            ;
        sort_marks(p + start, spare, i - start);
    }
    const int options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): options are flags
    utf8proc_ssize_t left = utf8proc_normalize_utf32(p, (utf8proc_ssize_t)n, options);
    return left < 0 ? n : (size_t)left;
}

/* The canonical decomposition of one character is at most 4 long; utf8proc wants room for one
 * more. */
enum { DECOMPOSED = 5 };

static size_t nfc(struct runes in, int32_t *p, int32_t *spare)
{
    size_t n = 0, start = 0;

    for (size_t i = 0; i <= in.n; i++) {
        bool cut = i == in.n || in_ranges(inert, COUNT(inert), in.p[i]);
        if (!cut) {
            int boundary = 0;
            utf8proc_ssize_t added =
                utf8proc_decompose_char(in.p[i], p + n, DECOMPOSED, UTF8PROC_DECOMPOSE, &boundary);
            n += added > 0 ? (size_t)added : 0;
            continue;
        }
        n = start + compose(p + start, spare, n - start);
        if (i < in.n)
            p[n++] = in.p[i];
        start = n;
    }
    return n;
}

int runes_normalise(struct arena *a, struct runes in, struct runes *out, struct err *e)
{
    int32_t *p = arena_try(a, DECOMPOSED * in.n + DECOMPOSED, sizeof *p);
    int32_t *q = arena_try(a, DECOMPOSED * in.n + DECOMPOSED, sizeof *q);
    size_t n, used = 0;

    if (!p || !q)
        return ERR(e, ERR_NOMEM, "no memory to normalise %zu characters", in.n);
    n = nfc(in, p, q);
    for (size_t i = 0; i < n; i++) {
        if (rune_class(p[i]) == RUNE_SPACE) {
            if (i == 0 || rune_class(p[i - 1]) != RUNE_SPACE)
                q[used++] = ' ';
        } else if (p[i] == 0x130) {
            q[used++] = 'i';
            q[used++] = 0x307;
        } else {
            q[used++] = lower(p[i]);
        }
    }
    *out = (struct runes){q, used};
    return 0;
}
