/* Comma-separated values (RFC 4180). The first row names the columns; values are texts. As other
 * readers do, LF alone ends a row, too, a quotation mark inside an unquoted value is itself, and
 * empty lines are passed over. */
#include "base/buf.h"
#include "base/json.h"
#include "base/map.h"
#include "datasets/input.h"
#include "datasets/inside.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = DATASET_RECORD_MOST, COUNT_BYTES = 1 << 30, COLUMNS_MOST = 10000 };

struct csv {
    struct input in;
    struct arena names; /* of the columns */
    const char **columns;
    size_t count, id; /* id: its column; count: none, the row's number */
    int delimiter;
    int64_t behind_header, header_lines;
};

static bool is_delimiter(const json_t *value, const struct dataset_access *access)
{
    const char *text = json_string_value(value);

    (void)access;
    return text && json_string_length(value) == 1 && !strchr("\"\r\n", text[0]);
}

static const struct member members[] = {
    {"path", is_path, expected_path, MEMBER_REQUIRED},
    {"id", is_text, "the name of the column that identifies a record", MEMBER_OPTIONAL},
    {"delimiter", is_delimiter, "one character, no quotation mark", MEMBER_OPTIONAL},
    {0},
};

static int check(const json_t *source, const struct dataset_access *access, struct arena *a,
                 struct dataset_problem *problem, struct err *e)
{
    return members_check(source, members, access, a, problem, e);
}

/* ============================== Rows ============================== */

enum state { VALUE_BEGINS, PLAIN, QUOTED, QUOTE_IN_QUOTED };

static enum state after(enum state state, char c, int delimiter)
{
    if (state == QUOTED)
        return c == '"' ? QUOTE_IN_QUOTED : QUOTED;
    if (c == '"' && state != PLAIN)
        return QUOTED; /* it opens a value, or is the second of two */
    return c == delimiter ? VALUE_BEGINS : PLAIN;
}

static void begin_row(struct scan *s)
{
    s->state = VALUE_BEGINS;
}

static size_t step_row(struct scan *s, const char *p, size_t n, bool *done)
{
    enum state state = (enum state)s->state;

    for (size_t i = 0; i < n; i++) {
        s->lines += p[i] == '\n';
        if (p[i] == '\n' && state != QUOTED) {
            *done = true;
            return i + 1;
        }
        state = after(state, p[i], s->delimiter);
    }
    s->state = (int)state;
    return n;
}

static struct scan scan_row(const struct csv *c)
{
    return (struct scan){.step = step_row, .begin = begin_row, .delimiter = c->delimiter};
}

/* Without what ends the row. */
static struct str trimmed(struct str row)
{
    if (row.n && row.p[row.n - 1] == '\n')
        row.n--;
    if (row.n && row.p[row.n - 1] == '\r')
        row.n--;
    return row;
}

/* Cut the next value off `rest` into `value` (emptied first); *last when no delimiter follows.
 * NULL, or what is wrong with it. */
static const char *cut_value(struct str *rest, int delimiter, struct buf *value, bool *last)
{
    size_t i = 0, from;

    value->n = 0;
    if (rest->n == 0 || rest->p[0] != '"') {
        while (i < rest->n && rest->p[i] != delimiter)
            i++;
        if (buf_add(value, rest->p, i))
            return "it is too large";
    } else {
        for (from = i = 1;; i++) {
            const char *quote = i < rest->n ? memchr(rest->p + i, '"', rest->n - i) : NULL;
            if (!quote)
                return "a quotation mark is not closed";
            i = (size_t)(quote - rest->p) + 1;
            bool doubled = i < rest->n && rest->p[i] == '"';
            if (buf_add(value, rest->p + from, i - from - !doubled))
                return "it is too large";
            from = i + 1;
            if (!doubled)
                break;
        }
        if (i < rest->n && rest->p[i] != delimiter)
            return "something follows a closing quotation mark";
    }
    *last = i == rest->n;
    rest->p += i + !*last;
    rest->n -= i + !*last;
    return NULL;
}

/* ============================== The header ============================== */

static int add_column(struct csv *c, struct map *seen, const struct buf *value, struct err *e)
{
    struct str name = {value->n ? value->p : "", value->n};
    size_t place = c->count + 1;

    if (c->count == COLUMNS_MOST)
        return ERR(e, ERR_FORMAT, "'%s' has more than %d columns", c->in.path, COLUMNS_MOST);
    json_t *text = json_stringn(name.p, name.n);
    json_decref(text);
    if (!text || name.n == 0 || memchr(name.p, 0, name.n))
        return ERR(e, ERR_FORMAT, "the first row of '%s' gives column %zu no name in UTF-8",
                   c->in.path, place);
    char *copy = arena_str(&c->names, name);
    if (map_put(seen, name, copy))
        return ERR(e, ERR_FORMAT, "'%s' has two columns named '%s'", c->in.path, copy);
    c->columns[c->count++] = copy;
    return 0;
}

static int read_header(struct csv *c, struct err *e)
{
    struct scan scan = scan_row(c);
    struct piece piece;
    struct map seen = {0};
    struct buf value;
    struct str row = {0};
    const char *problem = NULL;
    bool last = false;
    int rc;

    buf_init(&value, DATASET_RECORD_MOST);
    do {
        if ((rc = input_next(&c->in, &scan, &piece, e)))
            goto out;
        row = trimmed(piece.text);
    } while (row.n == 0 && !piece.end);
    if (piece.end || piece.too_large)
        problem = piece.end ? "there is none" : "it is too large";
    c->columns = arena_alloc(&c->names, COLUMNS_MOST * sizeof *c->columns);
    while (!problem && !last)
        if (!(problem = cut_value(&row, c->delimiter, &value, &last)) &&
            (rc = add_column(c, &seen, &value, e)))
            goto out;
    if (problem)
        rc = ERR(e, ERR_FORMAT, "the first row of '%s' must name its columns: %s", c->in.path,
                 problem);
    c->behind_header = c->in.offset;
    c->header_lines = c->in.line;
out:
    map_release(&seen);
    buf_release(&value);
    return rc;
}

static int find_id(struct csv *c, const char *id, struct err *e)
{
    const char *wanted = id ? id : "id";

    for (c->id = 0; c->id < c->count; c->id++)
        if (strcmp(c->columns[c->id], wanted) == 0)
            return 0;
    if (id)
        return ERR(e, ERR_ARG, "'%s' has no column '%s'", c->in.path, id);
    return 0;
}

/* ============================== The dataset ============================== */

static void close_file(struct dataset *d)
{
    struct csv *c = d->state;

    if (!c)
        return;
    input_close(&c->in);
    arena_release(&c->names);
    free(c);
}

static int open_file(struct dataset *d, const json_t *source, const struct dataset_access *access,
                     struct err *e)
{
    const char *path = json_text(source, "path", "");
    struct csv *c = calloc(1, sizeof *c);
    int rc;

    if (!c)
        return ERR(e, ERR_NOMEM, "no memory to read '%s'", path);
    c->delimiter = (unsigned char)json_text(source, "delimiter", ",")[0];
    if ((rc = input_open(&c->in, path, access, e))) {
        free(c);
        return rc;
    }
    d->state = c;
    d->name = name_of_file(path);
    if ((rc = read_header(c, e)))
        return rc;
    return find_id(c, json_text(source, "id", NULL), e);
}

static int seek(struct dataset *d, const char *position, struct err *e)
{
    struct csv *c = d->state;
    int rc = input_seek(&c->in, position, e);

    if (rc == 0 && !position) {
        c->in.offset = c->behind_header;
        c->in.line = c->header_lines;
    }
    return rc;
}

static const char *read_row(const struct csv *c, struct str row, struct record *r, struct arena *a)
{
    json_t *fields = json_object(), *text;
    struct buf value;
    const char *problem = NULL;
    size_t n = 0;
    bool last = false;

    buf_init(&value, DATASET_RECORD_MOST);
    for (; !last && !problem; n++) {
        const char *name = n < c->count ? c->columns[n] : NULL;
        if ((problem = cut_value(&row, c->delimiter, &value, &last)) || !name)
            continue;
        text = memchr(value.n ? value.p : "", 0, value.n)
                   ? NULL
                   : json_stringn(value.n ? value.p : "", value.n);
        if (!text)
            problem = arena_printf(a, "'%s' is no text in UTF-8", name);
        else
            json_object_set_new_nocheck(fields, name, text);
    }
    if (!problem && n != c->count)
        problem = arena_printf(a, "%zu values, but there are %zu columns", n, c->count);
    if (!problem && c->id < c->count)
        r->id = id_text(json_object_get(fields, c->columns[c->id]), c->columns[c->id], a, &problem);
    if (problem)
        json_decref(fields);
    else
        r->fields = fields;
    buf_release(&value);
    return problem;
}

static void make_record(struct csv *c, const struct piece *piece, struct str row, struct record *r,
                        struct arena *a)
{
    const char *problem = piece->too_large ? arena_printf(a, "it has %zu bytes, more than %d",
                                                          piece->bytes, DATASET_RECORD_MOST)
                                           : read_row(c, row, r, a);

    r->number = ++c->in.number;
    if (problem)
        r->problem = arena_printf(a, "row %lld (line %lld): %s", (long long)r->number,
                                  (long long)piece->first_line, problem);
    if (!r->id)
        r->id = arena_printf(a, "%lld", (long long)r->number);
    r->position = input_position(&c->in, a);
}

static int next(struct dataset *d, size_t limit, struct arena *a, struct record **out,
                size_t *count, struct err *e)
{
    struct csv *c = d->state;
    struct record *records = arena_try(a, limit, sizeof *records);
    struct scan scan = scan_row(c);
    struct piece piece = {0};
    size_t n = 0, bytes = 0;

    if (!records)
        return ERR(e, ERR_NOMEM, "no memory for %zu records", limit);
    while (n < limit && bytes < PAGE_BYTES && !piece.end) {
        int rc = input_next(&c->in, &scan, &piece, e);
        if (rc && n == 0)
            return rc;
        if (rc)
            break;
        struct str row = trimmed(piece.text);
        if (row.n || piece.too_large)
            make_record(c, &piece, row, &records[n++], a);
        bytes += piece.bytes;
    }
    *out = records;
    *count = n;
    return 0;
}

static int count_rows(struct dataset *d, int64_t *out, struct err *e)
{
    const struct csv *c = d->state;
    struct scan scan = scan_row(c);
    struct piece piece = {0};
    struct input in;
    int64_t size, n = 0;
    int rc = input_size(&c->in, &size, e);

    if (rc)
        return rc;
    if (size > COUNT_BYTES) {
        *out = -1;
        return 0;
    }
    input_again(&c->in, &in);
    in.offset = c->behind_header;
    while ((rc = input_next(&in, &scan, &piece, e)) == 0 && !piece.end)
        n += piece.too_large || trimmed(piece.text).n;
    input_forget(&in);
    if (rc == 0)
        *out = n;
    return rc;
}

const struct dataset_backend dataset_csv = {
    .type = "csv",
    .local = true,
    .check = check,
    .open = open_file,
    .close = close_file,
    .seek = seek,
    .next = next,
    .count = count_rows,
};
