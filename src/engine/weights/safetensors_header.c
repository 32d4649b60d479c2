#include "engine/weights/safetensors_header.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { MAX_NAME = 4096 };

struct scanner {
    struct arena *arena;
    const char *file;
    const char *start, *p, *end;
    struct err *e;
};

static int bad(struct scanner *s, const char *what)
{
    return ERR(s->e, ERR_FORMAT, "'%s': broken safetensors header: %s at byte %td", s->file, what,
               s->p - s->start + 8);
}

static void skip_blanks(struct scanner *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

/* Take one punctuation character if it comes next. */
static bool take(struct scanner *s, char c)
{
    skip_blanks(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static int expect(struct scanner *s, char c, const char *what)
{
    return take(s, c) ? 0 : bad(s, what);
}

static int hex4(struct scanner *s, unsigned *out)
{
    unsigned value = 0;

    if (s->end - s->p < 4)
        return bad(s, "cut-off \\u escape");
    for (int i = 0; i < 4; i++) {
        char c = *s->p++;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return bad(s, "bad \\u escape");
        value = value * 16 + digit;
    }
    *out = value;
    return 0;
}

/* What follows a backslash, as UTF-8 into `to`; the number of bytes or an error. */
static int unescape(struct scanner *s, char *to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    unsigned code = 0, low = 0;

    if (s->p == s->end)
        return bad(s, "cut-off escape");
    char c = *s->p++;
    if (c != 'u') {
        const char *at = c ? strchr(from, c) : NULL;
        if (!at)
            return bad(s, "unknown escape");
        *to = into[at - from];
        return 1;
    }
    if (hex4(s, &code))
        return ERR_FORMAT;
    if (code >= 0xd800 && code < 0xdc00) {
        if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
            return bad(s, "half a surrogate pair");
        s->p += 2;
        if (hex4(s, &low))
            return ERR_FORMAT;
        if (low < 0xdc00 || low > 0xdfff)
            return bad(s, "half a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code == 0 || (code >= 0xdc00 && code < 0xe000)) {
        return bad(s, "a character that no name may hold");
    }
    return (int)utf8proc_encode_char((utf8proc_int32_t)code, (utf8proc_uint8_t *)to);
}

static bool valid_utf8(struct str s)
{
    for (size_t at = 0; at < s.n;) {
        utf8proc_int32_t code;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s.p + at,
                                              (utf8proc_ssize_t)(s.n - at), &code);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

/* A JSON string of at most `max` bytes into the arena, NUL-terminated. */
static int string(struct scanner *s, size_t max, struct str *out)
{
    if (expect(s, '"', "expected a string"))
        return ERR_FORMAT;
    const char *close = s->p;
    while (close < s->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= s->end)
        return bad(s, "a string without an end");
    if ((size_t)(close - s->p) > max)
        return bad(s, "a string that is too long");

    /* No escape is shorter than what it stands for. */
    char *text = arena_alloc(s->arena, (size_t)(close - s->p) + 1);
    size_t n = 0;
    while (s->p < close) {
        if ((unsigned char)*s->p < 0x20)
            return bad(s, "a control character in a string");
        if (*s->p != '\\') {
            text[n++] = *s->p++;
            continue;
        }
        s->p++;
        int bytes = unescape(s, text + n);
        if (bytes < 0)
            return bytes;
        n += (size_t)bytes;
    }
    s->p = close + 1;
    text[n] = 0;
    *out = (struct str){text, n};
    return valid_utf8(*out) ? 0 : bad(s, "a string that is not UTF-8 before");
}

static int number(struct scanner *s, uint64_t *out)
{
    uint64_t value = 0;

    skip_blanks(s);
    const char *first = s->p;
    for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
        unsigned digit = (unsigned)(*s->p - '0');
        if (value > ((uint64_t)INT64_MAX - digit) / 10)
            return bad(s, "a number that is too large");
        value = value * 10 + digit;
    }
    if (s->p == first || (*first == '0' && s->p - first > 1))
        return bad(s, "expected a non-negative integer");
    *out = value;
    return 0;
}

static int shape(struct scanner *s, struct header_entry *entry)
{
    if (expect(s, '[', "expected the list of a shape"))
        return ERR_FORMAT;
    entry->dims = 0;
    if (take(s, ']'))
        return 0;
    do {
        uint64_t extent = 0;
        if (number(s, &extent))
            return ERR_FORMAT;
        if (entry->dims == TENSOR_MAX_DIMS)
            return ERR(s->e, ERR_FORMAT, "'%s': tensor '%s' has more than %d dimensions", s->file,
                       entry->name.p, TENSOR_MAX_DIMS);
        entry->shape[entry->dims++] = (int64_t)extent;
    } while (take(s, ','));
    return expect(s, ']', "expected ',' or ']' in a shape");
}

static int offsets(struct scanner *s, struct header_entry *entry)
{
    if (expect(s, '[', "expected the list of data_offsets") || number(s, &entry->begin) ||
        expect(s, ',', "expected two data_offsets") || number(s, &entry->end))
        return ERR_FORMAT;
    return expect(s, ']', "expected two data_offsets");
}

static int entry_body(struct scanner *s, struct header_entry *entry)
{
    enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4 };
    int seen = 0;

    if (expect(s, '{', "expected the description of a tensor"))
        return ERR_FORMAT;
    do {
        struct str key;
        int field, rc;
        if (string(s, MAX_NAME, &key) || expect(s, ':', "expected ':'"))
            return ERR_FORMAT;
        if (str_is(key, "dtype"))
            field = DTYPE, rc = string(s, MAX_NAME, &entry->dtype);
        else if (str_is(key, "shape"))
            field = SHAPE, rc = shape(s, entry);
        else if (str_is(key, "data_offsets"))
            field = OFFSETS, rc = offsets(s, entry);
        else
            return bad(s, "an unknown field of a tensor");
        if (rc)
            return rc;
        if (seen & field)
            return bad(s, "a field that is given twice");
        seen |= field;
    } while (take(s, ','));
    if (seen != (DTYPE | SHAPE | OFFSETS))
        return bad(s, "a tensor without dtype, shape or data_offsets");
    return expect(s, '}', "expected ',' or '}' in a tensor");
}

/* Make room for one more element of a list in malloc'ed memory. */
static int grow(struct scanner *s, void **list, int count, int *room, size_t size)
{
    if (count < *room)
        return 0;
    int more = *room ? *room * 2 : 64;
    void *fresh = realloc(*list, (size_t)more * size);
    if (!fresh)
        return ERR(s->e, ERR_NOMEM, "'%s': no memory for the header", s->file);
    *list = fresh;
    *room = more;
    return 0;
}

static int metadata(struct scanner *s, struct header *h)
{
    if (expect(s, '{', "expected the object of __metadata__"))
        return ERR_FORMAT;
    if (take(s, '}'))
        return 0;
    do {
        struct safetensors_note note;
        if (string(s, SAFETENSORS_MAX_HEADER, &note.key) || expect(s, ':', "expected ':'") ||
            string(s, SAFETENSORS_MAX_HEADER, &note.value))
            return ERR_FORMAT;
        if (h->note_count == SAFETENSORS_MAX_TENSORS)
            return bad(s, "too much metadata");
        if (grow(s, (void **)&h->notes, h->note_count, &h->note_room, sizeof *h->notes))
            return ERR_NOMEM;
        h->notes[h->note_count++] = note;
    } while (take(s, ','));
    return expect(s, '}', "expected ',' or '}' in __metadata__");
}

int header_parse(struct arena *a, const char *file, struct str json, struct header *out,
                 struct err *e)
{
    struct scanner s = {a, file, json.p, json.p, json.p + json.n, e};

    if (expect(&s, '{', "expected '{'"))
        return ERR_FORMAT;
    if (!take(&s, '}')) {
        do {
            struct header_entry entry = {0};
            int rc;
            if (string(&s, MAX_NAME, &entry.name) || expect(&s, ':', "expected ':'"))
                return ERR_FORMAT;
            if (str_is(entry.name, "__metadata__")) {
                if ((rc = metadata(&s, out)))
                    return rc;
                continue;
            }
            if ((rc = entry_body(&s, &entry)))
                return rc;
            if (out->count == SAFETENSORS_MAX_TENSORS)
                return ERR(e, ERR_FORMAT, "'%s' has more than %d tensors", file,
                           SAFETENSORS_MAX_TENSORS);
            if (grow(&s, (void **)&out->entries, out->count, &out->room, sizeof *out->entries))
                return ERR_NOMEM;
            out->entries[out->count++] = entry;
        } while (take(&s, ','));
        if (expect(&s, '}', "expected ',' or '}'"))
            return ERR_FORMAT;
    }
    skip_blanks(&s);
    return s.p == s.end ? 0 : bad(&s, "text after the end");
}
