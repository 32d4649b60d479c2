/* report.c: what became of a task. */
#include "base/clock.h"
#include "base/json.h"
#include "storage/callbacks.h"
#include "tasks/record_json.h"

#include <math.h>

struct reporting {
    struct arena arena;
    struct task task;
    struct task_percentiles percentiles;
    struct failure_count *failures;
    size_t failure_count;
    int64_t ended; /* in this round */
    json_t *callbacks;
};

static int look(struct reporting *x, struct tx *tx, const char *id, struct err *e)
{
    struct arena *a = &x->arena;
    int rc = tasks_get(tx, id, a, &x->task, e);

    if (!rc)
        rc = tasks_percentiles(tx, id, &x->percentiles, e);
    if (!rc)
        rc = tasks_failures(tx, id, a, &x->failures, &x->failure_count, e);
    if (!rc)
        rc = tasks_ended_since(tx, id, x->task.started_at, &x->ended, e);
    if (!rc)
        rc = task_callbacks_to_json(tx, id, &x->callbacks, e);
    return rc;
}

static json_t *percentiles(const double values[4])
{
    return json_pack("{s:o, s:o, s:o, s:o}", "p50", json_real_or_null(values[0]), "p90",
                     json_real_or_null(values[1]), "p99", json_real_or_null(values[2]), "max",
                     json_real_or_null(values[3]));
}

static json_t *failures(const struct reporting *x)
{
    json_t *out = json_array();

    for (size_t i = 0; i < x->failure_count; i++) {
        const struct failure_count *f = &x->failures[i];
        json_array_append_new(out, json_pack("{s:s, s:s, s:I, s:s}", "class",
                                             f->error_class ? f->error_class : "internal", "code",
                                             f->error_code ? f->error_code : "unknown", "count",
                                             (json_int_t)f->count, "example",
                                             f->example ? f->example : ""));
    }
    return out;
}

static json_t *write_report(const struct reporting *x)
{
    const struct task *task = &x->task;
    const struct task_percentiles *p = &x->percentiles;
    int64_t end = task->finished_at ? task->finished_at : clock_unix_ms();
    double elapsed = task->started_at ? (double)(end - task->started_at) / 1000 : NAN;
    const char *currency = NULL;
    json_t *document = NULL;
    struct err e;

    if (json_read(str_from(task->spec), &document, &e))
        document = NULL;
    double cost = task_cost(document, task->seconds_making, &currency);
    json_t *out = json_pack(
        "{s:s, s:s, s:s, s:I, s:o, s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, "
        "s:o}, s:O}",
        "task_id", task->id, "name", task->name, "status", task_status_name(task->status), "rounds",
        (json_int_t)task->rounds, "counts", task_counts_to_json(task), "reused",
        (json_int_t)task->reused, "known", (json_int_t)task->known, "missing",
        (json_int_t)task->missing, "bytes", (json_int_t)task->bytes, "seconds_making",
        task->seconds_making, "seconds_elapsed", json_real_or_null(elapsed), "per_second",
        json_real_or_null(elapsed > 0 ? (double)x->ended / elapsed : NAN), "cost",
        json_real_or_null(cost), "currency", json_text_or_null(currency), "failures", failures(x),
        "seconds", "making", percentiles(p->making), "storing", percentiles(p->storing), "total",
        percentiles(p->total), "callbacks", x->callbacks);
    json_decref(document);
    return out;
}

int task_report_in(struct tx *tx, const char *id, json_t **out, struct err *e)
{
    struct reporting x = {.callbacks = NULL};
    int rc = look(&x, tx, id, e);

    if (!rc) {
        json_t *report = write_report(&x);
        if (report)
            *out = report;
        else
            rc = ERR(e, ERR_NOMEM, "no memory for a report");
    }
    json_decref(x.callbacks);
    arena_release(&x.arena);
    return rc;
}

int task_report(const struct tasks *t, const char *id, json_t **out, struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(t->submitter->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = task_report_in(tx, id, out, e);
    tx_rollback(tx);
    return rc;
}
