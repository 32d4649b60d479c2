/*
 * The events of a task and their bodies. A body is written once, in the transaction of what it
 * tells, so every try and every replay sends the same bytes.
 *
 *   {"type": "record" | "batch" | "end" | "canary", "id": the event's, "created_at": time,
 *    "task": {"id", "name"}, "data": ...}
 *
 * Subjects are such that what happens again (a retried record, a task that ends a second time) is
 * another event, and what is told again is the same.
 */
#include "base/clock.h"
#include "base/json.h"
#include "tasks/call_back_inside.h"
#include "tasks/control.h"

/* Takes `data`, also when it fails. */
static int add(struct tx *tx, const struct task *task, const char *kind, const char *subject,
               json_t *data, int64_t now, struct arena *a, struct err *e)
{
    char id[UUID_TEXT], time[CLOCK_TEXT];

    uuid_v7(id);
    clock_format(now, time);
    json_t *body = data ? json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:o}", "type", kind, "id", id,
                                    "created_at", time, "task", "id", task->id, "name", task->name,
                                    "data", data)
                        : NULL;
    char *text = body ? json_compact(body, a) : NULL;
    json_decref(body);
    if (!text)
        return ERR(e, ERR_NOMEM, "no memory for an event");
    struct callback row = {.id = id,
                           .task_id = task->id,
                           .kind = kind,
                           .subject = subject,
                           .body = text,
                           .due_at = now,
                           .created_at = now};
    return callbacks_add(tx, &row, 1, e);
}

/* ============================== Batches ============================== */

static json_t *failure(const struct task_record *r)
{
    if (r->status != RECORD_FAILED)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "class", json_text_or_null(r->error_class), "code",
                     json_text_or_null(r->error_code), "message", json_text_or_null(r->error));
}

static json_t *short_form(const struct task_record *r)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:s, s:o, s:o, s:o, s:o}", "id", r->id, "record_id",
                     r->record_id, "number", (json_int_t)r->number, "end_number",
                     (json_int_t)r->end_number, "status", record_status_name(r->status), "url",
                     json_text_or_null(r->url), "https", json_text_or_null(r->https), "sha256",
                     json_text_or_null(r->sha256), "error", failure(r));
}

/* Records `from` to `to` by end_number: those that were retried since have another number. */
static int list_ended(struct tx *tx, const struct task *task, int64_t from, int64_t to,
                      json_t *records, int64_t counts[2], struct arena *a, struct err *e)
{
    struct record_filter f = {
        .task_id = task->id, .status = -1, .ended_from = from, .ended_to = to, .limit = 1000};
    int rc = 0;

    do {
        struct task_record *rows;
        size_t n = 0;
        rc = task_records_list(tx, &f, a, &rows, &n, &f.cursor, e);
        for (size_t i = 0; rc == 0 && i < n; i++) {
            counts[rows[i].status == RECORD_FAILED]++;
            if (json_array_append_new(records, short_form(&rows[i])))
                rc = ERR(e, ERR_NOMEM, "no memory for a batch of records");
        }
    } while (rc == 0 && f.cursor);
    return rc;
}

/* Its subject is its last number: when the size of batches changes, or a task goes on after its
 * end, no two have the same. */
static int add_batch(struct tx *tx, const struct task_document *d, const struct task *task,
                     int64_t to, int64_t now, struct arena *a, struct err *e)
{
    int64_t size = d->callbacks.batch, number = (to + size - 1) / size, counts[2] = {0};
    int64_t from = (number - 1) * size + 1;
    json_t *records = json_array();
    int rc = records ? list_ended(tx, task, from, to, records, counts, a, e)
                     : ERR(e, ERR_NOMEM, "no memory for a batch of records");

    if (rc) {
        json_decref(records);
        return rc;
    }
    return add(tx, task, "batch", arena_printf(a, "%lld", (long long)to),
               json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "number", (json_int_t)number, "from",
                         (json_int_t)from, "to", (json_int_t)to, "succeeded", (json_int_t)counts[0],
                         "failed", (json_int_t)counts[1], "records", records),
               now, a, e);
}

/* ============================== The events ============================== */

int call_back_records(struct tx *tx, const struct task_document *d, const struct task *task,
                      const struct task_record *ended, size_t count, int64_t now, struct arena *a,
                      struct err *e)
{
    const struct task_callbacks *c = &d->callbacks;
    int rc = 0;

    for (size_t i = 0; c->url && i < count && rc == 0; i++) {
        int64_t number = ended[i].end_number;
        if (c->on_record)
            rc = add(tx, task, "record", arena_printf(a, "%s:%lld", ended[i].id, (long long)number),
                     task_record_to_json(&ended[i]), now, a, e);
        if (rc == 0 && c->on_batch && c->batch > 0 && number % c->batch == 0)
            rc = add_batch(tx, d, task, number, now, a, e);
    }
    return rc;
}

int call_back_end(struct tx *tx, const struct task_document *d, const struct task *task,
                  const json_t *report, int64_t now, struct arena *a, struct err *e)
{
    const struct task_callbacks *c = &d->callbacks;
    int rc = 0;

    if (c->url && c->on_batch && c->batch > 0 && task->ended % c->batch)
        rc = add_batch(tx, d, task, task->ended, now, a, e);
    if (rc == 0 && c->url && c->on_end)
        rc = add(tx, task, "end",
                 arena_printf(a, "%lld:%lld", (long long)task->rounds, (long long)task->ended),
                 report ? json_deep_copy(report) : json_null(), now, a, e);
    return rc;
}

int call_back_canary(struct tx *tx, const struct task_document *d, const struct task *task,
                     int64_t now, struct arena *a, struct err *e)
{
    const struct task_callbacks *c = &d->callbacks;
    const char *experiment = task->experiment_id;

    if (!c->url || !c->on_canary)
        return 0;
    return add(tx, task, "canary", arena_printf(a, "%lld", (long long)task->rounds),
               json_pack("{s:o, s:o}", "experiment_id", json_text_or_null(experiment), "url",
                         json_text_or_null(
                             experiment ? arena_printf(a, "/experiments/%s", experiment) : NULL)),
               now, a, e);
}
