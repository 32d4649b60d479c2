/* read.c: records of a source become rows, and jobs where the kind draws. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/sha256.h"
#include "jobs/transact.h"
#include "tasks/runner_inside.h"

#include <string.h>

enum { RECORDS_AT_ONCE = 200, WORKS_AT_ONCE = 1000 };

/* A row to be, and the wish for what it needs. */
struct draft {
    struct task_record row;
    const struct work *work; /* NULL: it could not be mapped */
};
/* What one step reads. */
struct batch {
    struct reading *x;
    struct record *records;
    size_t record_count;
    struct draft *drafts; /* first those with a wish */
    size_t count, room;
    struct wish *wishes;
    size_t wish_count;
    struct task_record *rows; /* as they are stored */
    int64_t known;
    int64_t now;
    bool recovered; /* what kept it waiting has passed */
};

/* ============================== From records to drafts ============================== */

static struct draft *add_draft(struct batch *b)
{
    struct arena *a = b->x->a;

    if (b->count == b->room) {
        size_t room = b->room ? 2 * b->room : 64;
        struct draft *more = arena_alloc(a, room * sizeof *more);
        if (b->count)
            memcpy(more, b->drafts, b->count * sizeof *more);
        b->drafts = more;
        b->room = room;
    }
    return &b->drafts[b->count++];
}

/* The same record with the same mistake is the same row; corrected, it is another. */
static const char *invalid_key(const struct record *record, struct arena *a)
{
    const char *content = record->fields ? json_canonical(record->fields, a) : record->problem;
    char *text = arena_printf(a, "invalid\n%s", content);
    char *key = arena_alloc(a, 65);

    sha256_hex(text, strlen(text), key);
    return key;
}

static struct task_record new_row(struct batch *b, const struct record *record)
{
    struct arena *a = b->x->a;
    char *id = arena_alloc(a, UUID_TEXT);

    uuid_v7(id);
    return (struct task_record){
        .id = id,
        .task_id = b->x->task.id,
        .record_id = record->id ? record->id : arena_printf(a, "%lld", (long long)record->number),
        .number = record->number,
        .created_at = b->now};
}

static void add_invalid(struct batch *b, const struct record *record, const char *field,
                        const char *message)
{
    struct task_record row = new_row(b, record);

    row.key = invalid_key(record, b->x->a);
    row.status = RECORD_FAILING;
    row.error_class = "mapping";
    row.error_code = "mapping";
    row.error =
        field ? arena_printf(b->x->a, "record '%s', field '%s': %s", row.record_id, field, message)
              : arena_printf(b->x->a, "record '%s': %s", row.record_id, message);
    *add_draft(b) = (struct draft){.row = row};
}

static void add_work(struct batch *b, const struct record *record, const struct work *w)
{
    struct task_record row = new_row(b, record);

    row.key = w->key;
    row.status = RECORD_READY;
    row.request = w->request;
    row.object = w->object;
    *add_draft(b) = (struct draft){.row = row, .work = w};
}

static int plan_record(struct batch *b, const struct record *record, struct err *e)
{
    struct opened *o = b->x->opened;
    struct mapping_problem problem = {0};
    struct work *works = NULL;
    size_t count = 0;

    if (record->problem || !record->fields) {
        add_invalid(b, record, NULL, record->problem ? record->problem : "it has no fields");
        return 0;
    }
    int rc = o->document->kind->plan(&o->kind, record, b->x->a, &works, &count, &problem, e);
    if (rc == ERR_ARG) {
        add_invalid(b, record, problem.field, problem.message ? problem.message : e->message);
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < count; i++)
        add_work(b, record, &works[i]);
    return rc;
}

/* ============================== What is known ============================== */

static int ask_known(struct batch *b, const struct record_key *keys, bool *known, struct err *e)
{
    struct tx *tx;

    if (tx_begin(b->x->hand->r->db, TX_READ, &tx, e))
        return e->code;
    int rc = task_records_known(tx, b->x->task.id, keys, b->count, known, e);
    tx_rollback(tx);
    return rc;
}

/* Those of a former round, and those that this batch has twice. */
static int drop_known(struct batch *b, struct err *e)
{
    struct arena *a = b->x->a;
    struct record_key *keys = arena_alloc(a, (b->count + 1) * sizeof *keys);
    bool *known = arena_alloc(a, b->count + 1);
    struct map seen = {0};
    size_t kept = 0;

    for (size_t i = 0; i < b->count; i++)
        keys[i] = (struct record_key){b->drafts[i].row.record_id, b->drafts[i].row.key};
    if (b->count && ask_known(b, keys, known, e))
        return e->code;
    for (size_t i = 0; i < b->count; i++) {
        struct str both = str_from(arena_printf(a, "%s %s", keys[i].key, keys[i].record_id));
        if (known[i] || map_put(&seen, both, b))
            b->known++;
        else
            b->drafts[kept++] = b->drafts[i];
    }
    b->count = kept;
    map_release(&seen);
    return 0;
}

/* ============================== Rows ============================== */

/* Drafts with a wish come first: draft i has wish i. */
static void order_drafts(struct batch *b)
{
    bool draws = b->x->opened->document->kind->draws;
    struct draft *ordered = arena_alloc(b->x->a, (b->count + 1) * sizeof *ordered);
    size_t n = 0;

    for (size_t i = 0; i < b->count; i++)
        if (draws && b->drafts[i].work)
            ordered[n++] = b->drafts[i];
    b->wish_count = n;
    for (size_t i = 0; i < b->count; i++)
        if (!draws || !b->drafts[i].work)
            ordered[n++] = b->drafts[i];
    b->drafts = ordered;
}

static void make_wishes(struct batch *b)
{
    const struct task *task = &b->x->task;

    b->wishes = arena_alloc(b->x->a, (b->wish_count + 1) * sizeof *b->wishes);
    for (size_t i = 0; i < b->wish_count; i++) {
        struct wish *w = &b->wishes[i];
        *w = b->drafts[i].work->wish;
        w->user_id = task->user_id;
        w->task_id = task->id;
        w->priority = b->x->opened->document->priority;
        w->position = b->drafts[i].row.number;
        w->cell = -1;
    }
}

/* In the transaction that stores the generations, perhaps more than once. */
static int store(struct tx *tx, const struct generation *generations, size_t count, void *user,
                 struct err *e)
{
    struct batch *b = user;
    struct reading *x = b->x;
    struct task_read read = {.task_id = x->task.id,
                             .reader = x->hand->name,
                             .position = b->record_count ? b->records[b->record_count - 1].position
                                                         : x->task.position,
                             .read_all = b->record_count == 0,
                             .known = b->known};

    for (size_t i = 0; i < b->count; i++) {
        b->rows[i] = b->drafts[i].row;
        if (i < count) {
            b->rows[i].generation_id = generations[i].id;
            b->rows[i].status = generations[i].status == GENERATION_SUCCEEDED ? RECORD_READY
                                                                              : RECORD_WAITING;
        }
    }
    if (b->recovered) {
        struct task_change change = reading_no_change();
        if (tasks_change(tx, x->task.id, x->hand->name, &change, b->now, e))
            return e->code;
    }
    return tasks_read(tx, &read, b->rows, b->count, b->now, e);
}

static int store_batch(struct batch *b, struct err *e)
{
    struct task_runner *r = b->x->hand->r;
    struct generation *generations;

    order_drafts(b);
    make_wishes(b);
    b->rows = arena_alloc(b->x->a, (b->count + 1) * sizeof *b->rows);
    return submit_with(r->tasks->submitter, b->wishes, b->wish_count,
                       &(struct submit_also){store, b}, b->x->a, &generations, NULL, NULL, e);
}

/* ============================== One step ============================== */

static int outstanding(struct reading *x, int64_t *out, struct err *e)
{
    struct tx *tx;

    if (tx_begin(x->hand->r->db, TX_READ, &tx, e))
        return e->code;
    int rc = tasks_outstanding(tx, x->task.id, out, e);
    tx_rollback(tx);
    return rc;
}

int reading_change(struct reading *x, const struct task_change *change, struct err *e)
{
    struct tx *tx;

    if (tx_begin(x->hand->r->db, TX_WRITE, &tx, e))
        return e->code;
    if (tasks_change(tx, x->task.id, x->hand->name, change, clock_unix_ms(), e)) {
        tx_rollback(tx);
        return e->code;
    }
    return tx_commit(tx, e);
}

static int count_records(struct reading *x, struct err *e)
{
    struct task_change change = reading_no_change();

    if (dataset_count(x->opened->source, &change.records, e))
        return e->code;
    if (change.records == x->task.records)
        return 0;
    return reading_change(x, &change, e);
}

static size_t how_many(const struct task_document *d, int64_t room)
{
    int64_t works = d->count > 0 ? d->count : 1, most = WORKS_AT_ONCE / works;
    int64_t want = (room + works - 1) / works;

    if (most < 1)
        most = 1;
    if (want > most)
        want = most;
    return want > RECORDS_AT_ONCE ? RECORDS_AT_ONCE : (size_t)want;
}

/* What broke, for those who decide whether that passes. */
enum part { PART_SOURCE, PART_PLAN, PART_ROWS };

static int read_records(struct reading *x, size_t limit, enum part *part, struct err *e)
{
    struct opened *o = x->opened;
    struct batch b = {.x = x,
                      .now = clock_unix_ms(),
                      .recovered = o->failures > 0 || (x->task.error && x->task.error[0])};
    int rc;

    *part = PART_SOURCE;
    rc = opened_source(o, x->task.position, e);
    if (rc == 0 && !x->task.position)
        rc = count_records(x, e);
    if (rc == 0)
        rc = dataset_next(o->source, limit, x->a, &b.records, &b.record_count, e);
    if (rc) {
        opened_source_close(o);
        return rc;
    }
    *part = PART_PLAN;
    for (size_t i = 0; rc == 0 && i < b.record_count && !atomic_load(&x->hand->r->stopping); i++)
        rc = plan_record(&b, &b.records[i], e);
    if (rc == 0 && atomic_load(&x->hand->r->stopping))
        rc = ERR(e, ERR_CANCELLED, "the runner stops");
    if (rc == 0) {
        *part = PART_ROWS;
        rc = drop_known(&b, e);
    }
    if (rc == 0)
        rc = store_batch(&b, e);
    if (rc)
        opened_source_close(o); /* what was read is read again */
    else if (b.record_count)
        opened_source_moved(o, b.records[b.record_count - 1].position);
    if (rc == 0)
        runner_mark(x->hand->r, x->task.id);
    records_release(b.records, b.record_count);
    return rc;
}

static int read_step(struct reading *x, enum part *part, struct err *e)
{
    const struct task_document *d = x->opened->document;
    int64_t waiting = 0;

    *part = PART_ROWS;
    if (x->task.phase == TASK_CANARY)
        return canary_look(x, e);
    if (x->task.phase == TASK_END)
        return write_back_end(x, e);
    if (x->task.phase == TASK_SAMPLE) {
        *part = PART_PLAN;
        return opened_kind(x->opened, e) ? e->code : canary_sample(x, e);
    }
    if (outstanding(x, &waiting, e))
        return e->code;
    if (waiting >= d->window) {
        x->wait = x->hand->r->o.period_seconds;
        return 0;
    }
    *part = PART_PLAN;
    if (opened_kind(x->opened, e))
        return e->code;
    return read_records(x, how_many(d, d->window - waiting), part, e);
}

/* ============================== When it does not go on ============================== */

static const char *waits_for(const struct reading *x, enum part part)
{
    const char *type = x->opened ? json_text(x->opened->document->source, "type", "") : "";

    if (part != PART_SOURCE)
        return "waiting";
    return strcmp(type, "mongodb") == 0 ? "waiting for MongoDB" : "waiting for the source";
}

/* A source that is away comes back; one that is not there, is another file, or lets nobody in is
 * wrong until somebody changes something, and runs the task again. */
static bool is_final(enum part part, enum err_code code)
{
    if (part == PART_SOURCE)
        return code != ERR_NETWORK && code != ERR_NOMEM;
    return part == PART_PLAN && (code == ERR_ARG || code == ERR_FORMAT || code == ERR_UNSUPPORTED);
}

static void failed(struct reading *x, enum part part, const struct err *why)
{
    struct task_change change = reading_no_change();
    int attempt = x->opened ? ++x->opened->failures : 1;
    struct err e;

    LOG(LOG_WARNING, "a task does not go on", LOG_TEXT("task", x->task.id), LOG_ERR(why));
    x->wait = runner_backoff(x->hand->r, attempt);
    change.error_code = err_name(why->code);
    if (is_final(part, why->code)) {
        change.status = TASK_FAILED;
        change.error = why->message;
    } else {
        change.error = arena_printf(x->a, "%s: %s", waits_for(x, part), why->message);
    }
    if (reading_change(x, &change, &e))
        LOG(LOG_WARNING, "a task's error is not stored", LOG_TEXT("task", x->task.id), LOG_ERR(&e));
    runner_mark(x->hand->r, x->task.id);
}

static void settle(struct reading *x, enum part part, int rc, const struct err *e)
{
    if (rc == 0) {
        if (x->opened)
            x->opened->failures = 0;
    } else if (rc == ERR_CONFLICT && part == PART_ROWS) {
        x->wait = 0; /* paused, cancelled, or somebody else's: whoever takes it next sees */
    } else if (rc == ERR_CANCELLED) {
        x->wait = 0;
    } else {
        failed(x, part, e);
    }
}

/* ============================== The thread ============================== */

struct take {
    struct hand *hand;
    struct arena *a;
    struct task task;
    int64_t until;
};

static int take_step(struct tx *tx, void *user, struct err *e)
{
    struct take *t = user;
    struct task_runner *r = t->hand->r;
    int64_t now = clock_unix_ms();

    return tasks_take(tx, t->hand->name, r->tasks->host, r->o.only, now, now + r->lease_ms, t->a,
                      &t->task, e);
}

static int leave_step(struct tx *tx, void *user, struct err *e)
{
    struct take *t = user;

    if (t->until)
        return tasks_keep(tx, t->task.id, t->hand->name, t->until, e);
    return tasks_leave(tx, t->task.id, t->hand->name, e);
}

/* A task that waits is leased for that while; then anybody goes on with it. */
static void leave(struct take *t, double wait)
{
    struct err e;

    t->until = wait > 0 ? clock_unix_ms() + (int64_t)(wait * 1e3) : 0;
    if (transact(t->hand->r->db, leave_step, t, &e) && e.code != ERR_CONFLICT)
        LOG(LOG_WARNING, "a task's lease is left to run out", LOG_TEXT("task", t->task.id),
            LOG_ERR(&e));
}

static bool turn(struct hand *h, struct err *e)
{
    struct arena a = {0};
    struct take t = {.hand = h, .a = &a};
    struct reading x = {.hand = h, .a = &a};
    enum part part = PART_PLAN;

    if (transact(h->r->db, take_step, &t, e) || !t.task.id) {
        arena_release(&a);
        return false;
    }
    struct hold hold = {.id = t.task.id, .reader = h->name};
    hold_begin(h->r, &hold);
    x.task = t.task;
    int rc = opened_get(&h->cache, h->r->tasks, &t.task, &x.opened, e);
    if (rc == 0)
        rc = read_step(&x, &part, e);
    settle(&x, part, rc, e);
    hold_end(h->r, &hold);
    leave(&t, x.wait);
    arena_release(&a);
    return true;
}

void *reader_run(void *hand)
{
    struct hand *h = hand;
    bool complained = false, go_on = true;

    while (go_on && hand_ready(h)) {
        struct err e = {0};
        if (turn(h, &e)) {
            h->misses = 0;
            go_on = hand_sleep(h, 0);
            continue;
        }
        if (e.code && !complained)
            LOG(LOG_WARNING, "tasks cannot be read on", LOG_ERR(&e));
        complained = e.code != 0;
        go_on = hand_idle(h);
    }
    return NULL;
}
