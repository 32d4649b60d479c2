/* export.c: all records of a task as a table, page by page. */
#include "base/clock.h"
#include "base/json.h"
#include "tasks/record_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 500, PAGE_BYTES = 256 << 20 };

static const char heading[] =
    "number,record_id,status,object,url,https,recipe_url,bytes,crc32c,md5,sha256,reused,prompt,"
    "seed,model,model_digest,generation_id,key,attempts,seconds_making,seconds_storing,error_class,"
    "error_code,error,created_at,ready_at,stored_at,ended_at\r\n";

/* ==== CSV (RFC 4180) ==== */

/* Spreadsheets run what begins with these signs as a formula, so an apostrophe goes before it
 * (OWASP, "CSV injection"). */
static int add_text(struct buf *out, const char *text, const char *after)
{
    bool formula = text && text[0] && strchr("=+-@\t\r", text[0]);
    bool quoted = text && (formula || strpbrk(text, ",\"\r\n") || text[0] == ' ');
    int rc = quoted ? buf_add(out, formula ? "\"'" : "\"", formula ? 2 : 1) : 0;

    while (text && *text && rc == 0) {
        size_t n = strcspn(text, "\"");
        rc = buf_add(out, text, n);
        if (rc == 0 && text[n])
            rc = buf_add(out, "\"\"", 2);
        text += text[n] ? n + 1 : n;
    }
    if (rc == 0 && quoted)
        rc = buf_add(out, "\"", 1);
    return rc ? rc : buf_add(out, after, strlen(after));
}

static int add_number(struct buf *out, double x)
{
    return isfinite(x) ? buf_addf(out, "%.10g,", x) : buf_add(out, ",", 1);
}

static int add_time(struct buf *out, int64_t at, const char *after)
{
    char text[CLOCK_TEXT] = "";

    if (at)
        clock_format(at, text);
    return add_text(out, text, after);
}

static int add_texts(struct buf *out, const char *const *texts, size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_text(out, texts[i], ",");
    return rc;
}

/* What was asked for: of pictures the recipe, of captions the hint. */
static int add_request(struct buf *out, const struct task_record *r)
{
    json_t *request = NULL;
    struct err e;
    int rc;

    if (r->request && json_read(str_from(r->request), &request, &e))
        request = NULL;
    const json_t *p = json_object_get(request, "parameters");
    const char *const texts[] = {json_text(p, "prompt", json_text(request, "hint", NULL)),
                                 json_text(p, "seed", NULL), json_text(p, "model", NULL),
                                 json_text(p, "model_digest", NULL)};
    rc = add_texts(out, texts, 4);
    json_decref(request);
    return rc;
}

static int add_csv(struct buf *out, const struct task_record *r)
{
    const char *const first[] = {
        r->record_id, record_status_name(r->status), r->object, r->url, r->https, r->recipe_url};
    const char *const sums[] = {r->crc32c, r->md5, r->sha256,
                                !r->url     ? ""
                                : r->reused ? "true"
                                            : "false"};
    const char *const names[] = {r->generation_id, r->key};
    const char *const wrong[] = {r->error_class, r->error_code, r->error};
    bool stored = r->url != NULL;
    int rc = buf_addf(out, "%lld,", (long long)r->number);

    if (!rc)
        rc = add_texts(out, first, 6);
    if (!rc)
        rc = stored ? buf_addf(out, "%lld,", (long long)r->bytes) : buf_add(out, ",", 1);
    if (!rc)
        rc = add_texts(out, sums, 4);
    if (!rc)
        rc = add_request(out, r);
    if (!rc)
        rc = add_texts(out, names, 2);
    if (!rc)
        rc = buf_addf(out, "%d,", r->attempts);
    if (!rc)
        rc = add_number(out, stored ? r->seconds_making : NAN);
    if (!rc)
        rc = add_number(out, stored ? r->seconds_storing : NAN);
    if (!rc)
        rc = add_texts(out, wrong, 3);
    if (!rc)
        rc = add_time(out, r->created_at, ",");
    if (!rc)
        rc = add_time(out, r->ready_at, ",");
    if (!rc)
        rc = add_time(out, r->stored_at, ",");
    return rc ? rc : add_time(out, r->ended_at, "\r\n");
}

/* ==== JSON Lines ==== */

static int add_jsonl(struct buf *out, const struct task_record *r)
{
    json_t *json = task_record_to_json(r);
    int rc = json ? json_write(json, out) : ERR_NOMEM;

    json_decref(json);
    return rc ? rc : buf_add(out, "\n", 1);
}

/* ==== pages ==== */

static int read_page(const struct tasks *t, const struct record_filter *f, struct arena *a,
                     struct task_record **rows, size_t *count, const char **next, struct err *e)
{
    struct task task;
    struct tx *tx;
    int rc = tx_begin(t->submitter->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = f->cursor ? 0 : tasks_get(tx, f->task_id, a, &task, e);
    if (!rc)
        rc = task_records_list(tx, f, a, rows, count, next, e);
    tx_rollback(tx);
    return rc;
}

struct exporting {
    enum task_export_format format;
    int (*write)(void *user, const char *p, size_t n);
    void *user;
};

static int write_page(const struct exporting *x, const struct task_record *rows, size_t count,
                      bool first, struct err *e)
{
    struct buf out;
    int rc = 0;

    buf_init(&out, PAGE_BYTES);
    if (first && x->format == TASK_EXPORT_CSV)
        rc = buf_add(&out, heading, sizeof heading - 1);
    for (size_t i = 0; i < count && !rc; i++)
        rc = x->format == TASK_EXPORT_CSV ? add_csv(&out, &rows[i]) : add_jsonl(&out, &rows[i]);
    if (rc)
        rc = ERR(e, ERR_NOMEM, "no memory for %zu records as text", count);
    else if (out.n && x->write(x->user, out.p, out.n))
        rc = ERR(e, ERR_CANCELLED, "nobody reads the export any more");
    buf_release(&out);
    return rc;
}

int task_export(const struct tasks *t, const char *id, enum task_export_format format,
                int (*write)(void *user, const char *p, size_t n), void *user, struct err *e)
{
    struct exporting x = {format, write, user};
    struct record_filter f = {.task_id = id, .status = -1, .limit = PAGE};
    struct task_record *rows;
    const char *next = NULL;
    char *cursor = NULL;
    int rc;

    do {
        struct arena page = {0};
        size_t count = 0;
        f.cursor = cursor;
        rc = read_page(t, &f, &page, &rows, &count, &next, e);
        if (!rc)
            rc = write_page(&x, rows, count, !cursor, e);
        free(cursor);
        cursor = !rc && next ? strdup(next) : NULL;
        if (!rc && next && !cursor)
            rc = ERR(e, ERR_NOMEM, "no memory for a cursor");
        arena_release(&page);
    } while (cursor);
    return rc;
}
