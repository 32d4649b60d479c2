/* record_json.c: tasks and their records as people, pages and results see them. */
#include "tasks/record_json.h"

#include "base/clock.h"
#include "base/json.h"
#include "storage/callbacks.h"

#include <math.h>
#include <string.h>

json_t *json_real_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

/* ==== small parts ==== */

/* An object that is kept as text, or null. */
static json_t *stored_object(const char *text)
{
    json_t *value = NULL;
    struct err e;

    if (!text || !text[0] || json_read(str_from(text), &value, &e))
        return json_null();
    if (json_is_object(value))
        return value;
    json_decref(value);
    return json_null();
}

json_t *task_counts_to_json(const struct task *task)
{
    json_t *out = json_object();

    for (int i = 0; i < RECORD_STATUSES; i++)
        json_object_set_new(out, record_status_name((enum record_status)i),
                            json_integer(task->counts[i]));
    return out;
}

int task_callbacks_to_json(struct tx *tx, const char *task_id, json_t **out, struct err *e)
{
    struct callback_totals totals;
    int rc = callbacks_totals(tx, task_id, &totals, e);

    if (rc)
        return rc;
    *out = json_pack("{s:I, s:I, s:I}", "waiting", (json_int_t)totals.waiting, "delivered",
                     (json_int_t)totals.delivered, "dead", (json_int_t)totals.dead);
    return 0;
}

double task_cost(const json_t *document, double seconds, const char **currency)
{
    const json_t *cost = json_object_get(document, "cost");

    *currency = cost ? json_text(cost, "currency", "EUR") : NULL;
    return cost ? json_num(cost, "per_hour", NAN) * seconds / 3600 : NAN;
}

static int64_t works_read(const struct task *task)
{
    int64_t sum = 0;

    for (int i = 0; i < RECORD_STATUSES; i++)
        sum += task->counts[i];
    return sum;
}

/* ==== how fast ==== */

enum { MINUTE_MS = 60000 };

/* Works that end a second, over the last minute; NAN while nothing moves or can move. */
static double rate_of(struct tx *tx, const struct task *task)
{
    int64_t now = clock_unix_ms(), span = MINUTE_MS, ended;
    struct err e;

    if (task->status != TASK_RUNNING || task->phase != TASK_RECORDS || !task->started_at)
        return NAN;
    if (now - task->started_at < span)
        span = now - task->started_at;
    if (span < 1000 || tasks_ended_since(tx, task->id, now - span, &ended, &e))
        return NAN;
    return (double)ended * 1000 / (double)span;
}

/* Works of all rounds; NAN while that is not known. */
static double works_expected(const struct task *task, const json_t *document)
{
    int64_t count = json_int(document, "count", 1), read = works_read(task);

    if (task->read_all)
        return (double)read;
    if (task->rounds > 1 || task->records < 0)
        return NAN;
    return (double)(task->records * count > read ? task->records * count : read);
}

/* ==== a task ==== */

static json_t *error_of(const struct task *task)
{
    if (!task->error || !task->error[0])
        return json_null();
    return json_pack("{s:s, s:s}", "code", task->error_code ? task->error_code : "unknown",
                     "message", task->error);
}

static void add_progress(json_t *out, struct tx *tx, const struct task *task,
                         const json_t *document)
{
    const int64_t *n = task->counts;
    double total = works_expected(task, document), rate = rate_of(tx, task);
    double ended = (double)(n[RECORD_SUCCEEDED] + n[RECORD_FAILED] + n[RECORD_CANCELLED]);
    /* Those that failed count: as many of the rest will fail, too. */
    double done =
        (double)(n[RECORD_SUCCEEDED] + n[RECORD_STORED] + n[RECORD_FAILED] + n[RECORD_FAILING]);
    const char *currency;
    double cost = task_cost(document, task->seconds_making, &currency);

    json_object_set_new(out, "per_second", json_real_or_null(rate));
    json_object_set_new(out, "eta_seconds",
                        json_real_or_null(rate > 0 ? (total - ended) / rate : NAN));
    json_object_set_new(out, "cost", json_real_or_null(cost));
    json_object_set_new(out, "cost_expected",
                        json_real_or_null(done > 0 ? cost * total / done : NAN));
    json_object_set_new(out, "currency", json_text_or_null(currency));
}

int task_to_json(const struct tasks *t, struct tx *tx, const struct task *task, json_t **out,
                 struct err *e)
{
    struct arena a = {0};
    json_t *callbacks, *document = stored_object(task->spec);
    int rc = task_callbacks_to_json(tx, task->id, &callbacks, e);

    (void)t;
    if (rc) {
        json_decref(document);
        return rc;
    }
    *out = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:O, s:o, s:b, s:o, s:o, s:I, s:b, s:I, s:I, "
        "s:I, "
        "s:I, s:I, s:f, s:o, s:o, s:o, s:o, s:o, s:s}",
        "id", task->id, "name", task->name, "kind", task->kind, "status",
        task_status_name(task->status), "phase", task_phase_name(task->phase), "user_id",
        json_text_or_null(task->user_id), "version", (json_int_t)task->version, "rounds",
        (json_int_t)task->rounds, "document", document, "experiment_id",
        json_text_or_null(task->experiment_id), "approved", (int)task->approved, "counts",
        task_counts_to_json(task), "source_records",
        task->records < 0 ? json_null() : json_integer(task->records), "read",
        (json_int_t)works_read(task), "read_all", (int)task->read_all, "ended",
        (json_int_t)task->ended, "reused", (json_int_t)task->reused, "known",
        (json_int_t)task->known, "missing", (json_int_t)task->missing, "bytes",
        (json_int_t)task->bytes, "seconds_making", task->seconds_making, "callbacks", callbacks,
        "error", error_of(task), "created_at", json_time_or_null(task->created_at), "started_at",
        json_time_or_null(task->started_at), "finished_at", json_time_or_null(task->finished_at),
        "url", arena_printf(&a, "/api/v1/tasks/%s", task->id));
    if (*out)
        add_progress(*out, tx, task, document);
    json_decref(document);
    arena_release(&a);
    return *out ? 0 : ERR(e, ERR_NOMEM, "no memory for a task as JSON");
}

/* ==== a record ==== */

static json_t *failure_of(const struct task_record *r)
{
    if (!r->error_class)
        return json_null();
    return json_pack("{s:s, s:s, s:s}", "class", r->error_class, "code",
                     r->error_code ? r->error_code : "unknown", "message",
                     r->error ? r->error : "");
}

json_t *task_record_to_json(const struct task_record *r)
{
    bool stored = r->url != NULL;

    return json_pack(
        "{s:s, s:s, s:I, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:b, "
        "s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "id", r->id, "record_id", r->record_id, "number", (json_int_t)r->number, "end_number",
        r->end_number ? json_integer(r->end_number) : json_null(), "key", r->key, "status",
        record_status_name(r->status), "generation_id", json_text_or_null(r->generation_id),
        "object", json_text_or_null(r->object), "request", stored_object(r->request), "outcome",
        stored_object(r->outcome), "url", json_text_or_null(r->url), "https",
        json_text_or_null(r->https), "recipe_url", json_text_or_null(r->recipe_url), "bytes",
        stored ? json_integer(r->bytes) : json_null(), "crc32c", json_text_or_null(r->crc32c),
        "md5", json_text_or_null(r->md5), "sha256", json_text_or_null(r->sha256), "reused",
        (int)r->reused, "attempts", r->attempts, "seconds_making",
        stored ? json_real_or_null(r->seconds_making) : json_null(), "seconds_storing",
        stored ? json_real_or_null(r->seconds_storing) : json_null(), "error", failure_of(r),
        "created_at", json_time_or_null(r->created_at), "ready_at", json_time_or_null(r->ready_at),
        "stored_at", json_time_or_null(r->stored_at), "ended_at", json_time_or_null(r->ended_at));
}

/* ==== what is written back ==== */

/* As MongoDB's extended JSON has times. */
static json_t *date_or_null(int64_t unix_ms)
{
    json_t *time = json_time_or_null(unix_ms);

    return json_is_null(time) ? time : json_pack("{s:o}", "$date", time);
}

static json_t *urls_of(const struct task_record *r)
{
    const char *end = r->url ? strstr(r->url, ":") : NULL;
    json_t *out = json_object();

    if (!end)
        return out;
    json_object_setn_new(out, r->url, (size_t)(end - r->url), json_string(r->url));
    if (r->https && strcmp(r->https, r->url) != 0)
        json_object_set_new(out, "https", json_string(r->https));
    return out;
}

static void add_timings(json_t *out, const struct task_record *r)
{
    json_t *timings = json_object_get(out, "timings");

    if (!json_is_object(timings)) {
        timings = json_object();
        json_object_set_new(out, "timings", timings);
    }
    json_object_set_new(timings, "queued_at", date_or_null(r->created_at));
    json_object_set_new(timings, "ready_at", date_or_null(r->ready_at));
    json_object_set_new(timings, "stored_at", date_or_null(r->stored_at));
    json_object_set_new(timings, "made_seconds", json_real_or_null(r->seconds_making));
    json_object_set_new(timings, "stored_seconds", json_real_or_null(r->seconds_storing));
}

static void add_object(json_t *out, const struct task_record *r)
{
    json_object_set_new(out, "object", json_string(r->object));
    json_object_set_new(out, "urls", urls_of(r));
    json_object_set_new(out, "bytes", json_integer(r->bytes));
    json_object_set_new(out, "checksums",
                        json_pack("{s:o, s:o, s:o}", "crc32c", json_text_or_null(r->crc32c), "md5",
                                  json_text_or_null(r->md5), "sha256",
                                  json_text_or_null(r->sha256)));
    json_object_set_new(out, "recipe_url", json_text_or_null(r->recipe_url));
    json_object_set_new(out, "reused", json_boolean(r->reused));
}

/* The members of the outcome (for pictures: recipe, model, model_digest, seed, size; for captions
 * the caption) are the document's own, so that queries find them without a path. */
json_t *task_result_body(const struct task_document *d, const struct task *task,
                         const struct task_record *r)
{
    bool stored = r->status == RECORD_STORED || r->status == RECORD_SUCCEEDED;
    bool cancelled = r->status == RECORD_CANCELLED;
    json_t *out = stored ? stored_object(r->outcome) : json_null();

    (void)d;
    if (!json_is_object(out)) {
        json_decref(out);
        out = json_object();
    }
    json_object_set_new(out, "task", json_string(task->name));
    json_object_set_new(out, "task_id", json_string(task->id));
    json_object_set_new(out, "kind", json_string(task->kind));
    json_object_set_new(out, "record_id", json_string(r->record_id));
    json_object_set_new(out, "number", json_integer(r->number));
    json_object_set_new(out, "key", json_string(r->key));
    json_object_set_new(out, "status",
                        json_string(stored      ? "succeeded"
                                    : cancelled ? "cancelled"
                                                : "failed"));
    json_object_set_new(out, "attempts", json_integer(r->attempts));
    if (stored)
        add_object(out, r);
    add_timings(out, r);
    json_object_set_new(out, "error", stored ? json_null() : failure_of(r));
    return out;
}
