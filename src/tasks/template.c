#include "tasks/template.h"

#include "base/buf.h"
#include "base/nearest.h"
#include "tasks/mapping.h"

#include <string.h>
#include <utf8proc.h>

enum piece_kind { PIECE_TEXT, PIECE_BRACE, PIECE_PART, PIECE_BROKEN };
struct piece {
    enum piece_kind kind;
    struct str text; /* of a part: what is between the braces */
};

/* Take one piece off; false at the end. */
static bool next_piece(struct str *rest, struct piece *out)
{
    size_t n = 0;

    if (!rest->n)
        return false;
    while (n < rest->n && rest->p[n] != '{' && rest->p[n] != '}')
        n++;
    if (n) {
        *out = (struct piece){PIECE_TEXT, {rest->p, n}};
    } else if (rest->n > 1 && rest->p[1] == rest->p[0]) {
        *out = (struct piece){PIECE_BRACE, {rest->p, 1}};
        n = 2;
    } else {
        const char *end = rest->p[0] == '{' ? memchr(rest->p, '}', rest->n) : NULL;
        n = end ? (size_t)(end - rest->p) + 1 : rest->n;
        *out = end ? (struct piece){PIECE_PART, {rest->p + 1, n - 2}}
                   : (struct piece){PIECE_BROKEN, *rest};
    }
    rest->p += n;
    rest->n -= n;
    return true;
}

/* ==== checks ==== */

static const char *names_of(const char *const *names, struct arena *a)
{
    const char *list = "";

    for (size_t i = 0; names[i]; i++)
        list = arena_printf(a, "%s{%s}, ", list, names[i]);
    return arena_printf(a, "%sor {field:PATH}", list);
}

static const char *part_problem(struct str part, const char *const *names, struct arena *a)
{
    const char *text = arena_str(a, part);
    struct str path = part;
    size_t count = 0;

    if (!names || str_skip(&path, "field:"))
        return mapping_is_path(path.p ? arena_str(a, path) : "")
                   ? NULL
                   : arena_printf(a, "the path of a field between the braces, not '{%.60s}'", text);
    for (; names[count]; count++)
        if (strcmp(names[count], text) == 0)
            return NULL;
    const char *near = nearest_name(text, names, count);
    if (near)
        return arena_printf(a, "a known name; did you mean {%s} for {%.60s}?", near, text);
    return arena_printf(a, "one of %s, not {%.60s}", names_of(names, a), text);
}

const char *template_problem(const char *text, const char *const *names, struct arena *a)
{
    struct str rest = str_from(text);
    struct piece piece;

    if (rest.n > TEMPLATE_MOST)
        return arena_printf(a, "a template of at most %d bytes", TEMPLATE_MOST);
    while (next_piece(&rest, &piece)) {
        const char *wrong = NULL;
        if (piece.kind == PIECE_BROKEN)
            wrong = arena_printf(a, "a template; write {{ and }} for braces (at '%.40s')",
                                 piece.text.p);
        if (piece.kind == PIECE_PART)
            wrong = part_problem(piece.text, names, a);
        if (wrong)
            return wrong;
    }
    return NULL;
}

/* The parts between slashes, with "x" for what is filled in later. */
static const char *parts_problem(const char *text, struct arena *a)
{
    struct str rest = str_from(text), all, part;
    struct piece piece;
    const char *shape = "";

    while (next_piece(&rest, &piece))
        shape = arena_printf(a, "%s%.*s", shape, piece.kind == PIECE_PART ? 1 : (int)piece.text.n,
                             piece.kind == PIECE_PART ? "x" : piece.text.p);
    all = str_from(shape);
    while (str_cut(&all, '/', &part))
        if (!part.n || str_is(part, ".") || str_is(part, ".."))
            return "a relative name, without empty parts, '.' and '..' between the slashes";
    return NULL;
}

const char *template_name_problem(const char *text, const char *const *names, struct arena *a)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\')
            return "a name without control characters and backslashes";
    const char *wrong = template_problem(text, names, a);
    if (!wrong && text[0] && text[strlen(text) - 1] == '/')
        wrong = "a name that does not end with '/'";
    return wrong ? wrong : parts_problem(text, a);
}

bool template_uses(const char *text, const char *name)
{
    struct str rest = str_from(text);
    struct piece piece;

    while (next_piece(&rest, &piece))
        if (piece.kind == PIECE_PART && str_skip(&piece.text, name) &&
            (!piece.text.n || piece.text.p[0] == ':'))
            return true;
    return false;
}

/* ==== filling in ==== */

struct filling {
    const struct template_value *values;
    const json_t *record;
    bool safe;
    struct arena *a;
    struct buf out;
};

static bool is_safe(utf8proc_int32_t c, bool slash)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               (c && strchr("-_.~ ", c)) || (slash && c == '/');
    utf8proc_category_t category = utf8proc_category(c);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

static int add_safe(struct filling *f, const char *value, bool slash)
{
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)value;
    utf8proc_ssize_t n = (utf8proc_ssize_t)strlen(value), used;
    int rc = 0;

    for (; n > 0 && rc == 0; p += used, n -= used) {
        utf8proc_int32_t c = -1;
        used = utf8proc_iterate(p, n, &c);
        bool safe = used > 0 && is_safe(c, slash);
        used = used > 0 ? used : 1;
        rc = buf_add(&f->out, safe ? (const char *)p : "-", safe ? (size_t)used : 1);
    }
    return rc;
}

static int add_part(struct filling *f, struct str part, struct mapping_problem *problem,
                    struct err *e)
{
    bool path = !f->values || str_skip(&part, "field:");
    const char *name = arena_str(f->a, part), *value = NULL;

    if (path) {
        const json_t *found = mapping_find(f->record, name);
        value = found ? mapping_scalar(found, f->a) : NULL;
        if (!value)
            return mapping_wrong(problem, f->a, name, e,
                                 "expected a text or a number for a template, got %s",
                                 mapping_found(found, f->a));
    }
    for (const struct template_value *v = f->values; !value && v && v->name; v++)
        if (strcmp(v->name, name) == 0)
            value = v->value;
    if (!value)
        return mapping_wrong(problem, f->a, name, e, "a template has no value for {%s}", name);
    int rc = f->safe ? add_safe(f, value, path) : buf_add(&f->out, value, strlen(value));
    return rc ? ERR(e, ERR_NOMEM, "too long") : 0;
}

static int fill(struct filling *f, const char *text, struct mapping_problem *problem, struct err *e)
{
    struct str rest = str_from(text);
    struct piece piece;
    int rc = 0;

    while (!rc && next_piece(&rest, &piece)) {
        if (piece.kind == PIECE_PART)
            rc = add_part(f, piece.text, problem, e);
        else if (buf_add(&f->out, piece.text.p, piece.text.n))
            rc = ERR(e, ERR_NOMEM, "too long");
    }
    return rc;
}

static int expand(struct filling *f, const char *text, size_t most, const char **out,
                  struct mapping_problem *problem, struct err *e)
{
    buf_init(&f->out, most + 1);
    int rc = fill(f, text, problem, e);

    if (rc == ERR_NOMEM || (!rc && f->out.n > most))
        rc = mapping_wrong(problem, f->a, f->safe ? "object" : "template", e,
                           "what the template '%.100s' gives is longer than %zu bytes", text, most);
    if (!rc)
        *out = arena_str(f->a, (struct str){f->out.n ? f->out.p : "", f->out.n});
    buf_release(&f->out);
    return rc;
}

int template_text(const char *text, const struct template_value *values, const json_t *record,
                  size_t most, struct arena *a, const char **out, struct mapping_problem *problem,
                  struct err *e)
{
    struct filling f = {.values = values, .record = record, .a = a};

    return expand(&f, text, most, out, problem, e);
}

int template_name(const char *text, const struct template_value *values, const json_t *record,
                  size_t most, struct arena *a, const char **out, struct mapping_problem *problem,
                  struct err *e)
{
    struct filling f = {.values = values, .record = record, .safe = true, .a = a};
    const char *filled, *name = NULL;
    int rc = expand(&f, text, most, &filled, problem, e);

    if (rc)
        return rc;
    /* Empty parts become a byte longer, so the limit is looked at again. */
    struct str rest = str_from(filled), part;
    struct buf safe;
    buf_init(&safe, most + 1);
    for (bool first = true; !rc && str_cut(&rest, '/', &part); first = false) {
        bool bad = !part.n || str_is(part, ".") || str_is(part, "..");
        rc = first ? 0 : buf_add(&safe, "/", 1);
        if (!rc)
            rc = buf_add(&safe, bad ? "-" : part.p, bad ? 1 : part.n);
    }
    if (!rc && safe.n <= most)
        name = arena_str(a, (struct str){safe.p, safe.n});
    buf_release(&safe);
    if (!name)
        return mapping_wrong(problem, a, "object", e, "the name is longer than %zu bytes", most);
    *out = name;
    return 0;
}
