#include "server/form.h"

#include "server/target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_PARTS = 1000, MOST_PART_HEADERS = 8192, MOST_BOUNDARY = 70 };

static struct str trimmed(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static bool is_name(struct str s, const char *name)
{
    return s.n == strlen(name) && strncasecmp(s.p, name, s.n) == 0;
}

/* The value behind '=': a token up to ';', or a quoted string in which a backslash stands before a
 * quote or a backslash alone (browsers send "C:\fakepath" as it is). *rest goes behind it. */
static struct str parameter_value(struct arena *a, struct str *rest)
{
    struct str value;

    if (!rest->n || rest->p[0] != '"') {
        if (!str_cut(rest, ';', &value))
            value = STR("");
        return trimmed(value);
    }
    char *text = arena_alloc(a, rest->n + 1);
    size_t n = 0, i = 1;
    for (; i < rest->n && rest->p[i] != '"'; i++) {
        if (rest->p[i] == '\\' && i + 1 < rest->n &&
            (rest->p[i + 1] == '"' || rest->p[i + 1] == '\\'))
            i++;
        text[n++] = rest->p[i];
    }
    *rest = i < rest->n ? (struct str){rest->p + i + 1, rest->n - i - 1} : (struct str){NULL, 0};
    if (rest->p && !str_cut(rest, ';', &value))
        *rest = (struct str){NULL, 0};
    return (struct str){text, n};
}

/* The parameter `name` of a header such as `form-data; name="a"; filename="b"`. */
static bool parameter(struct arena *a, struct str header, const char *name, struct str *out)
{
    struct str rest = header, ignored;

    if (!str_cut(&rest, ';', &ignored))
        return false;
    while (rest.p && rest.n) {
        const char *equals = memchr(rest.p, '=', rest.n);
        if (!equals)
            return false;
        struct str key = trimmed((struct str){rest.p, (size_t)(equals - rest.p)});
        rest.n -= (size_t)(equals + 1 - rest.p);
        rest.p = equals + 1;
        struct str value = parameter_value(a, &rest);
        if (is_name(key, name)) {
            *out = value;
            return true;
        }
    }
    return false;
}

int form_boundary(struct arena *a, const char *content_type, struct str *out, struct err *e)
{
    struct str boundary;

    if (!parameter(a, str_from(content_type), "boundary", &boundary))
        return ERR(e, ERR_FORMAT, "a multipart body without a boundary");
    if (!boundary.n || boundary.n > MOST_BOUNDARY)
        return ERR(e, ERR_FORMAT, "a boundary has 1 to %d letters", MOST_BOUNDARY);
    *out = boundary;
    return 0;
}

static const char *text_of(struct arena *a, struct str s)
{
    return utf8_valid(s) && (!s.n || !memchr(s.p, 0, s.n)) ? arena_str(a, s) : NULL;
}

/* One header line of a part. */
static int part_header(struct arena *a, struct str line, struct form_part *part, struct err *e)
{
    struct str name, value = line, text;

    if (!str_cut(&value, ':', &name) || !value.p)
        return ERR(e, ERR_FORMAT, "a part of the form has a header without a colon");
    value = trimmed(value);
    if (is_name(name, "Content-Type"))
        part->type = text_of(a, value);
    if (!is_name(name, "Content-Disposition"))
        return 0;
    if (parameter(a, value, "name", &text) && !(part->name = text_of(a, text)))
        return ERR(e, ERR_FORMAT, "a part's name is not UTF-8");
    if (parameter(a, value, "filename", &text) && !(part->filename = text_of(a, text)))
        return ERR(e, ERR_FORMAT, "a file's name is not UTF-8");
    return 0;
}

/* Everything between two delimiters: headers, an empty line, the value. */
static int read_part(struct arena *a, struct str bytes, struct form_part *out, struct err *e)
{
    struct form_part part = {0};
    int rc;

    for (size_t used = 0;;) {
        const char *end = bytes.n ? memmem(bytes.p, bytes.n, "\r\n", 2) : NULL;
        if (!end)
            return ERR(e, ERR_FORMAT, "a part of the form ends within its headers");
        struct str line = {bytes.p, (size_t)(end - bytes.p)};
        bytes.p += line.n + 2;
        bytes.n -= line.n + 2;
        if (!line.n)
            break;
        used += line.n;
        if (used > MOST_PART_HEADERS)
            return ERR(e, ERR_FORMAT, "a part of the form has too many headers");
        if ((rc = part_header(a, line, &part, e)))
            return rc;
    }
    if (!part.name)
        return ERR(e, ERR_FORMAT, "a part of the form has no name");
    part.value = bytes;
    *out = part;
    return 0;
}

/* Behind a delimiter: 0 when another part follows, 1 at "--", below 0 when it is neither. */
static int behind(struct str *rest, struct err *e)
{
    if (str_skip(rest, "--"))
        return 1;
    while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t')) {
        rest->p++;
        rest->n--;
    }
    if (str_skip(rest, "\r\n"))
        return 0;
    return ERR(e, ERR_FORMAT, "a broken delimiter in the form");
}

int form_multipart(struct arena *a, struct str body, struct str boundary, struct form_part **out,
                   size_t *count, struct err *e)
{
    struct str delimiter =
        str_from(arena_printf(a, "\r\n--%.*s", (int)boundary.n, boundary.p ? boundary.p : ""));
    struct form_part *parts = NULL;
    size_t n = 0, room = 0;
    int rc;

    /* The first delimiter may stand at the very beginning, without its line end. */
    struct str first = {delimiter.p + 2, delimiter.n - 2};
    if (body.n < first.n || memcmp(body.p, first.p, first.n) != 0) {
        const char *start = body.n ? memmem(body.p, body.n, delimiter.p, delimiter.n) : NULL;
        if (!start)
            return ERR(e, ERR_FORMAT, "the form's boundary is not in it");
        body.n -= (size_t)(start + 2 - body.p);
        body.p = start + 2;
    }
    body.p += first.n;
    body.n -= first.n;
    while ((rc = behind(&body, e)) == 0) {
        const char *end = body.n ? memmem(body.p, body.n, delimiter.p, delimiter.n) : NULL;
        if (!end)
            return ERR(e, ERR_FORMAT, "the form has no end");
        if (n == MOST_PARTS)
            return ERR(e, ERR_FORMAT, "a form of more than %d parts", MOST_PARTS);
        if (n == room) {
            struct form_part *more = arena_alloc(a, (room = room * 2 + 8) * sizeof *more);
            if (n)
                memcpy(more, parts, n * sizeof *more);
            parts = more;
        }
        if ((rc = read_part(a, (struct str){body.p, (size_t)(end - body.p)}, &parts[n], e)))
            return rc;
        n++;
        body.n -= (size_t)(end + delimiter.n - body.p);
        body.p = end + delimiter.n;
    }
    if (rc < 0)
        return rc;
    *out = parts;
    *count = n;
    return 0;
}

int form_urlencoded(struct arena *a, struct str body, struct form_part **out, size_t *count,
                    struct err *e)
{
    struct query_pair *pairs;
    size_t n;
    int rc = target_query(a, body, &pairs, &n, e);

    if (rc)
        return rc;
    struct form_part *parts = arena_alloc(a, (n + 1) * sizeof *parts);
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct form_part){.name = pairs[i].name, .value = str_from(pairs[i].value)};
    *out = parts;
    *count = n;
    return 0;
}
