/* write_back.c: what became of records is written back; then they end, and their task does. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "jobs/transact.h"
#include "tasks/control.h"
#include "tasks/runner_inside.h"

#include <string.h>

enum { ROWS_AT_ONCE = 100 };
static const char RESULTS[] = "results";

/* Rows of one task on their way to their end. */
struct ending {
    struct hand *hand;
    struct arena *a;
    struct opened *opened;
    struct task_record *rows;
    size_t count;
    struct record_lease *leases; /* of those that end */
    size_t ready;
    int64_t missing;
    struct task task;
    struct task_record *ended;
    size_t ended_count;
    const struct err *why; /* what keeps them from it */
};

/* ============================== Results ============================== */

/* One per task, record and recipe, also when the database is new and the task is run again. */
static const char *result_key(const struct task *task, const struct task_record *row,
                              struct arena *a)
{
    const char *text = arena_printf(a, "%s\n%s\n%s", task->name, row->record_id, row->key);
    char *key = arena_alloc(a, 65);

    sha256_hex(text, strlen(text), key);
    return key;
}

/* That it could not be written back cannot be written back. */
static bool is_to_be_written(const struct ending *x, const struct task_record *row)
{
    return x->opened->document->results && !(row->status == RECORD_FAILING && row->error_class &&
                                             strcmp(row->error_class, RESULTS) == 0);
}

static int put_results(struct ending *x, struct err *e)
{
    struct result *results = arena_alloc(x->a, x->count * sizeof *results);
    size_t n = 0;

    for (size_t i = 0; i < x->count; i++) {
        const struct task_record *row = &x->rows[i];
        if (is_to_be_written(x, row))
            results[n++] = (struct result){
                .key = result_key(&x->opened->task, row, x->a),
                .record_id = row->record_id,
                .number = row->number,
                .body = task_result_body(x->opened->document, &x->opened->task, row)};
    }
    int rc = n ? opened_results(x->opened, e) : 0;
    if (rc == 0 && n)
        rc = results_put(x->opened->results, results, n, &x->missing, e);
    for (size_t i = 0; i < n; i++)
        json_decref((json_t *)results[i].body);
    if (rc)
        opened_results_close(x->opened);
    return rc;
}

/* ============================== The end of records ============================== */

static int end_step(struct tx *tx, void *user, struct err *e)
{
    struct ending *x = user;
    int64_t now = clock_unix_ms();

    if (task_records_end(tx, x->opened->task.id, x->leases, x->ready, x->missing, now, x->a,
                         &x->ended, &x->ended_count, e) ||
        tasks_get(tx, x->opened->task.id, x->a, &x->task, e))
        return e->code;
    return call_back_records(tx, x->opened->document, &x->task, x->ended, x->ended_count, now, x->a,
                             e);
}

static int ripen_step(struct tx *tx, void *user, struct err *e)
{
    return tasks_ripen(tx, clock_unix_ms(), user, e);
}

static int end_records(struct ending *x, struct err *e)
{
    struct task_runner *r = x->hand->r;

    if (!x->ready || transact(r->db, end_step, x, e))
        return x->ready ? e->code : 0;
    runner_count_records(r, x->ended, x->ended_count);
    runner_mark(r, x->opened->task.id);
    if (x->ended_count)
        call_back_wake(r->calls);
    return 0;
}

/* ============================== When they cannot be written back ============================== */

static int later_step(struct tx *tx, void *user, struct err *e)
{
    struct ending *x = user;
    const char *code = err_name(x->why->code);
    int64_t now = clock_unix_ms();
    int rc = 0;

    for (size_t i = 0; i < x->count && (rc == 0 || rc == ERR_CONFLICT); i++) {
        const struct task_record *row = &x->rows[i];
        int64_t due = now + (int64_t)(runner_backoff(x->hand->r, row->tries) * 1e3);
        if (row->tries < x->hand->r->o.attempts)
            rc = task_records_later(tx, record_lease_of(row), due, code, x->why->message, e);
        else if (row->status == RECORD_STORED)
            rc =
                task_records_fail(tx, record_lease_of(row), RESULTS, code, x->why->message, now, e);
    }
    return rc == ERR_CONFLICT ? 0 : rc;
}

/* Their turn comes again; those that had all their turns end without having been written back. */
static void set_back(struct ending *x, const struct err *why)
{
    struct err e;

    LOG(LOG_WARNING, "results are not written back", LOG_TEXT("task", x->rows[0].task_id),
        LOG_NUMBER("records", x->count), LOG_ERR(why));
    x->why = why;
    if (transact(x->hand->r->db, later_step, x, &e))
        LOG(LOG_WARNING, "records wait for their leases to run out", LOG_ERR(&e));
    if (!x->opened)
        return;
    x->ready = 0;
    for (size_t i = 0; i < x->count; i++)
        if (x->rows[i].tries >= x->hand->r->o.attempts && x->rows[i].status == RECORD_FAILING)
            x->leases[x->ready++] = record_lease_of(&x->rows[i]);
    if (end_records(x, &e))
        LOG(LOG_WARNING, "records do not end", LOG_ERR(&e));
}

/* ============================== The writer ============================== */

static int take_step(struct tx *tx, void *user, struct err *e)
{
    struct ending *x = user;
    struct task_runner *r = x->hand->r;
    int64_t now = clock_unix_ms();

    x->count = 0;
    if (task_records_take(tx, RECORD_STORED, ROWS_AT_ONCE, r->tasks->host, r->o.only, now,
                          now + r->lease_ms, x->a, &x->rows, &x->count, e))
        return e->code;
    return x->count ? tasks_get(tx, x->rows[0].task_id, x->a, &x->task, e) : 0;
}

static int write_back(struct ending *x, struct err *e)
{
    struct task_runner *r = x->hand->r;
    struct hold *holds = arena_alloc(x->a, x->count * sizeof *holds);

    x->leases = arena_alloc(x->a, x->count * sizeof *x->leases);
    x->ready = x->count;
    for (size_t i = 0; i < x->count; i++) {
        x->leases[i] = record_lease_of(&x->rows[i]);
        holds[i] = (struct hold){.id = x->rows[i].id, .lease = x->rows[i].lease};
        hold_begin(r, &holds[i]);
    }
    int rc = opened_get(&x->hand->cache, r->tasks, &x->task, &x->opened, e);
    if (rc == 0)
        rc = put_results(x, e);
    for (size_t i = 0; i < x->count; i++)
        hold_end(r, &holds[i]);
    if (rc) {
        set_back(x, e);
        return 0;
    }
    return end_records(x, e);
}

static bool turn(struct hand *h, bool *found, struct err *e)
{
    struct arena a = {0};
    struct ending x = {.hand = h, .a = &a};
    int64_t ripe = 0;
    int rc = transact(h->r->db, take_step, &x, e);

    if (rc == 0 && x.count)
        rc = write_back(&x, e);
    if (rc == 0)
        rc = transact(h->r->db, ripen_step, &ripe, e);
    *found = x.count == ROWS_AT_ONCE;
    if (x.count || ripe)
        h->misses = 0;
    arena_release(&a);
    return rc == 0;
}

void *writer_run(void *hand)
{
    struct hand *h = hand;
    bool complained = false, go_on = true;

    while (go_on && hand_ready(h)) {
        bool found = false;
        struct err e;
        bool ok = turn(h, &found, &e);
        if (!ok && !complained)
            LOG(LOG_WARNING, "records do not end", LOG_ERR(&e));
        complained = !ok;
        go_on = ok && found ? hand_sleep(h, 0) : hand_idle(h);
    }
    return NULL;
}

/* ============================== The end of a task ============================== */

struct completing {
    struct reading *x;
    json_t *report;
};

static int complete_step(struct tx *tx, void *user, struct err *e)
{
    struct completing *c = user;
    struct reading *x = c->x;
    int64_t now = clock_unix_ms();
    struct task task;

    if (tasks_complete(tx, x->task.id, x->hand->name, now, e) ||
        tasks_get(tx, x->task.id, x->a, &task, e))
        return e->code;
    return call_back_end(tx, x->opened->document, &task, c->report, now, x->a, e);
}

int write_back_end(struct reading *x, struct err *e)
{
    struct task_runner *r = x->hand->r;
    struct completing c = {.x = x};
    int rc = 0;

    if (x->opened->document->results) {
        rc = opened_results(x->opened, e);
        if (rc == 0)
            rc = results_finish(x->opened->results, e);
        if (rc)
            opened_results_close(x->opened);
    }
    if (rc == 0)
        rc = task_report(r->tasks, x->task.id, &c.report, e);
    if (rc == 0) {
        json_object_set_new(c.report, "status", json_string(task_status_name(TASK_COMPLETED)));
        rc = transact(r->db, complete_step, &c, e);
    }
    json_decref(c.report);
    if (rc)
        return rc;
    LOG(LOG_INFO, "a task has ended", LOG_TEXT("task", x->task.id));
    runner_mark(r, x->task.id);
    call_back_wake(r->calls);
    return 0;
}
