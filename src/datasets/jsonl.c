/* JSON Lines: an object a line (jsonlines.org). Empty lines are passed over. */
#include "base/json.h"
#include "datasets/input.h"
#include "datasets/inside.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = DATASET_RECORD_MOST, COUNT_BYTES = 1 << 30 };

struct jsonl {
    struct input in;
    char *id; /* NULL: "id" where there is one, else the line's number */
};

static const struct member members[] = {
    {"path", is_path, expected_path, MEMBER_REQUIRED},
    {"id", is_text, "the name of the member that identifies a record", MEMBER_OPTIONAL},
    {0},
};

static int check(const json_t *source, const struct dataset_access *access, struct arena *a,
                 struct dataset_problem *problem, struct err *e)
{
    return members_check(source, members, access, a, problem, e);
}

static void close_file(struct dataset *d)
{
    struct jsonl *j = d->state;

    if (!j)
        return;
    input_close(&j->in);
    free(j->id);
    free(j);
}

static int open_file(struct dataset *d, const json_t *source, const struct dataset_access *access,
                     struct err *e)
{
    const char *path = json_text(source, "path", ""), *id = json_text(source, "id", NULL);
    struct jsonl *j = calloc(1, sizeof *j);
    int rc;

    if (!j)
        return ERR(e, ERR_NOMEM, "no memory to read '%s'", path);
    if ((rc = input_open(&j->in, path, access, e))) {
        free(j);
        return rc;
    }
    d->state = j;
    d->name = name_of_file(path);
    j->id = id ? strdup(id) : NULL;
    return 0;
}

static int seek(struct dataset *d, const char *position, struct err *e)
{
    return input_seek(&((struct jsonl *)d->state)->in, position, e);
}

/* Without what ends the line; empty when it has only blanks. */
static struct str trimmed(struct str line)
{
    size_t i = 0;

    while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
        i++;
    return i == line.n ? (struct str){line.p, 0} : line;
}

static const char *read_record(const struct jsonl *j, struct str text, struct record *r,
                               struct arena *a)
{
    json_error_t error;
    json_t *fields = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    const char *problem = NULL;

    if (!fields) {
        char *why = arena_printf(a, "not JSON: %s (column %d)", error.text, error.column);
        err_clean(why);
        return why;
    }
    if (!json_is_object(fields))
        problem = "not a JSON object";
    else if (j->id || json_object_get(fields, "id"))
        r->id = id_text(json_object_get(fields, j->id ? j->id : "id"), j->id ? j->id : "id", a,
                        &problem);
    if (problem)
        json_decref(fields);
    else
        r->fields = fields;
    return problem;
}

static int next(struct dataset *d, size_t limit, struct arena *a, struct record **out,
                size_t *count, struct err *e)
{
    struct jsonl *j = d->state;
    struct record *records = arena_try(a, limit, sizeof *records);
    struct scan scan = scan_line;
    struct piece piece = {0};
    size_t n = 0, bytes = 0;

    if (!records)
        return ERR(e, ERR_NOMEM, "no memory for %zu records", limit);
    while (n < limit && bytes < PAGE_BYTES && !piece.end) {
        int rc = input_next(&j->in, &scan, &piece, e);
        if (rc && n == 0)
            return rc;
        if (rc)
            break;
        struct str text = trimmed(piece.text);
        if (text.n == 0 && !piece.too_large)
            continue;
        struct record *r = &records[n++];
        bytes += piece.bytes;
        r->number = j->in.number = j->in.line;
        const char *problem = piece.too_large ? arena_printf(a, "it has %zu bytes, more than %d",
                                                             piece.bytes, DATASET_RECORD_MOST)
                                              : read_record(j, text, r, a);
        if (problem)
            r->problem = arena_printf(a, "line %lld: %s", (long long)r->number, problem);
        if (!r->id)
            r->id = arena_printf(a, "%lld", (long long)r->number);
        r->position = input_position(&j->in, a);
    }
    *out = records;
    *count = n;
    return 0;
}

static int count_lines(struct dataset *d, int64_t *out, struct err *e)
{
    const struct jsonl *j = d->state;
    struct input in;
    struct scan scan = scan_line;
    struct piece piece = {0};
    int64_t size, n = 0;
    int rc = input_size(&j->in, &size, e);

    if (rc)
        return rc;
    if (size > COUNT_BYTES) {
        *out = -1;
        return 0;
    }
    input_again(&j->in, &in);
    while ((rc = input_next(&in, &scan, &piece, e)) == 0 && !piece.end)
        n += piece.too_large || trimmed(piece.text).n;
    input_forget(&in);
    if (rc == 0)
        *out = n;
    return rc;
}

const struct dataset_backend dataset_jsonl = {
    .type = "jsonl",
    .local = true,
    .check = check,
    .open = open_file,
    .close = close_file,
    .seek = seek,
    .next = next,
    .count = count_lines,
};
