#include "objects/s3_xml.h"

#include <string.h>

enum { DEPTH = 16, NAME = 64, PATH = DEPTH * (NAME + 1), TEXT = 8 << 10 };

struct reader {
    struct str rest;
    char path[PATH], text[TEXT + 1];
    size_t path_n, text_n;
    int depth;
    bool ended; /* the root has */
    int (*on)(void *user, const char *path, const char *text, struct err *e);
    void *user;
    struct err *e;
};

static int broken(struct reader *r, const char *what)
{
    return ERR(r->e, ERR_FORMAT, "the answer is not XML as S3 writes it: %s", what);
}

static int add(struct reader *r, const char *p, size_t n)
{
    if (n > TEXT - r->text_n)
        return broken(r, "a text is too long");
    memcpy(r->text + r->text_n, p, n);
    r->text_n += n;
    return 0;
}

/* Drop everything up to and with `end`; false when it does not come. */
static bool pass(struct reader *r, const char *end, struct str *before)
{
    size_t n = strlen(end);
    const char *at = memmem(r->rest.p, r->rest.n, end, n);

    if (!at)
        return false;
    size_t length = (size_t)(at - r->rest.p);
    *before = (struct str){r->rest.p, length};
    r->rest = (struct str){at + n, r->rest.n - length - n};
    return true;
}

/* ============================== Text ============================== */

static size_t utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(first[n] | c);
    return n;
}

/* "10" and "xA" of a character reference; false for what is no character of XML 1.1, in which names
 * of objects with control characters come. */
static bool character(struct str digits, uint32_t *out)
{
    uint32_t base = str_skip(&digits, "x") ? 16 : 10, value = 0;

    if (!digits.n || digits.n > 7)
        return false;
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 99;
        if (digit >= base)
            return false;
        value = value * base + digit;
    }
    if (!value || value > 0x10ffff || (value >= 0xd800 && value < 0xe000) || value == 0xfffe ||
        value == 0xffff)
        return false;
    *out = value;
    return true;
}

static int entity(struct reader *r)
{
    static const struct {
        const char *name;
        char value;
    } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    struct str name;
    uint32_t c;
    char bytes[4];

    if (!pass(r, ";", &name) || name.n > 10)
        return broken(r, "an entity does not end");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_is(name, known[i].name))
            return add(r, &known[i].value, 1);
    if (!str_skip(&name, "#") || !character(name, &c))
        return broken(r, "an unknown entity");
    return add(r, bytes, utf8(c, bytes));
}

static int text(struct reader *r)
{
    size_t n = 0;

    if (str_skip(&r->rest, "&"))
        return entity(r);
    while (n < r->rest.n && r->rest.p[n] != '<' && r->rest.p[n] != '&' && r->rest.p[n])
        n++;
    if (n == 0)
        return broken(r, "a NUL");
    int rc = r->depth ? add(r, r->rest.p, n) : 0;
    r->rest = (struct str){r->rest.p + n, r->rest.n - n};
    return rc;
}

/* ============================== Elements ============================== */

/* The name at the beginning of a tag, without its prefix. */
static struct str name_of(struct str tag)
{
    size_t n = 0;

    for (; n < tag.n && !strchr(" \t\r\n/", tag.p[n]); n++)
        if (tag.p[n] == ':') {
            tag = (struct str){tag.p + n + 1, tag.n - n - 1};
            n = (size_t)-1;
        }
    return (struct str){tag.p, n};
}

static int open_element(struct reader *r, struct str name)
{
    if (r->ended || r->depth == DEPTH || !name.n || name.n > NAME)
        return broken(r, "an element out of place");
    if (r->depth++)
        r->path[r->path_n++] = '/';
    memcpy(r->path + r->path_n, name.p, name.n);
    r->path_n += name.n;
    r->path[r->path_n] = 0;
    r->text_n = 0;
    return 0;
}

static int close_element(struct reader *r, struct str name)
{
    const char *slash = strrchr(r->path, '/'), *last = slash ? slash + 1 : r->path;

    if (!r->depth || !str_is(name, last))
        return broken(r, "an element ends that has not begun");
    r->text[r->text_n] = 0;
    int rc = r->on(r->user, r->path, r->text, r->e);
    r->path_n = slash ? (size_t)(slash - r->path) : 0;
    r->path[r->path_n] = 0;
    r->text_n = 0;
    r->ended = --r->depth == 0;
    return rc;
}

/* The end of a tag is the first '>' that stands in no attribute. */
static bool tag_end(struct str rest, size_t *out)
{
    char quote = 0;

    for (size_t i = 0; i < rest.n; i++) {
        char c = rest.p[i];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>') {
            *out = i;
            return true;
        }
    }
    return false;
}

static int tag(struct reader *r)
{
    size_t n;

    if (!tag_end(r->rest, &n) || memchr(r->rest.p, 0, n))
        return broken(r, "a tag does not end");
    struct str inside = {r->rest.p, n};
    r->rest = (struct str){r->rest.p + n + 1, r->rest.n - n - 1};
    if (str_skip(&inside, "/"))
        return close_element(r, name_of(inside));
    int rc = open_element(r, name_of(inside));
    return rc == 0 && str_ends(inside, "/") ? close_element(r, name_of(inside)) : rc;
}

static int markup(struct reader *r)
{
    struct str skipped;

    if (str_skip(&r->rest, "?"))
        return pass(r, "?>", &skipped) ? 0 : broken(r, "it breaks off");
    if (str_skip(&r->rest, "!--"))
        return pass(r, "-->", &skipped) ? 0 : broken(r, "it breaks off");
    if (str_skip(&r->rest, "![CDATA[")) {
        if (!r->depth || !pass(r, "]]>", &skipped) || memchr(skipped.p, 0, skipped.n))
            return broken(r, "a CDATA section out of place");
        return add(r, skipped.p, skipped.n);
    }
    if (r->rest.n && r->rest.p[0] == '!')
        return broken(r, "it has a document type");
    return tag(r);
}

int xml_read(struct str input,
             int (*on)(void *user, const char *path, const char *text, struct err *e), void *user,
             struct err *e)
{
    struct reader r = {.rest = input, .on = on, .user = user, .e = e};
    int rc = 0;

    (void)str_skip(&r.rest, "\xef\xbb\xbf");
    while (rc == 0 && r.rest.n)
        rc = str_skip(&r.rest, "<") ? markup(&r) : text(&r);
    return rc || r.ended ? rc : broken(&r, "it breaks off");
}
