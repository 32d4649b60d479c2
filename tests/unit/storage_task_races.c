/*
 * Many threads deliver, write back and end the records of a task, crash, and come back from the
 * dead, on both databases: each record ends once, its numbers have no gaps, and every batch is told
 * once.
 */
#include "storage_tasks.h"

#include "storage/callbacks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { RECORDS = 300, TASKS = 2, THREADS = 8, BATCH = 7, LEASE = 15, REPEATS = 300, MOST = 5 };

struct race {
    struct fixture *f;
    const char *tasks[TASKS];
    atomic_int problems, stored[TASKS * RECORDS], ended[TASKS * RECORDS], lost, added;
    atomic_bool over;
    bool cancels;
};
struct actor {
    struct race *race;
    uint64_t state; /* xorshift64*: each thread has its own */
    struct arena a;
    struct task_record *rows;
    size_t count;
};

static unsigned dice(struct actor *x, unsigned sides)
{
    x->state ^= x->state >> 12;
    x->state ^= x->state << 25;
    x->state ^= x->state >> 27;
    return (unsigned)((x->state * 0x2545f4914f6cdd1du) >> 33) % sides;
}

typedef int step_function(struct actor *x, struct tx *tx, const void *in, struct err *e);

/* One transaction, again and again while the database asks for it. */
static int do_step(struct actor *x, step_function *step, const void *in, const char *what)
{
    struct err e = {0};
    int rc = ERR_NETWORK;

    for (int i = 0; i < REPEATS && rc == ERR_NETWORK; i++) {
        struct tx *tx;
        rc = tx_begin(x->race->f->db, TX_WRITE, &tx, &e);
        if (rc)
            continue;
        rc = step(x, tx, in, &e);
        if (rc == 0)
            rc = tx_commit(tx, &e);
        else
            tx_rollback(tx);
    }
    if (rc == ERR_CONFLICT)
        atomic_fetch_add(&x->race->lost, 1);
    else if (rc) {
        print_message("# %s: %s\n", what, e.message);
        atomic_fetch_add(&x->race->problems, 1);
    }
    return rc;
}

static int place_of(const struct race *r, const struct task_record *row)
{
    int task = strcmp(row->task_id, r->tasks[0]) == 0 ? 0 : 1;

    return task * RECORDS + (int)row->number - 1;
}

/* ============================== Steps ============================== */

static int take_some(struct actor *x, struct tx *tx, const void *in, struct err *e)
{
    int64_t now = clock_unix_ms();

    return task_records_take(tx, *(const enum record_status *)in, 1 + (int)dice(x, MOST), NULL,
                             NULL, now, now + LEASE, &x->a, &x->rows, &x->count, e);
}

static int store_one(struct actor *x, struct tx *tx, const void *in, struct err *e)
{
    const struct task_record *row = in;
    struct task_record done = *row;

    (void)x;
    done.url = "gs://b/x";
    done.bytes = 10;
    done.reused = row->number % 3 == 0;
    done.seconds_making = 1;
    done.seconds_storing = 1;
    return task_records_stored(tx, record_lease_of(row), &done, clock_unix_ms(), e);
}

static int fail_one(struct actor *x, struct tx *tx, const void *in, struct err *e)
{
    (void)x;
    return task_records_fail(tx, record_lease_of(in), "storage", "denied", "no", clock_unix_ms(),
                             e);
}

static int later_one(struct actor *x, struct tx *tx, const void *in, struct err *e)
{
    (void)x;
    return task_records_later(tx, record_lease_of(in), clock_unix_ms(), "network", "cut", e);
}

/* As the writer does it: the ends and the batches that they fill, together. */
static int end_some(struct actor *x, struct tx *tx, const void *in, struct err *e)
{
    struct record_lease leases[MOST];
    struct task_record *ended;
    size_t n;

    (void)in;
    for (size_t i = 0; i < x->count; i++)
        leases[i] = record_lease_of(&x->rows[i]);
    int rc = task_records_end(tx, x->rows[0].task_id, leases, x->count, 0, clock_unix_ms(), &x->a,
                              &ended, &n, e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        char id[UUID_TEXT], subject[24];
        if (ended[i].end_number % BATCH)
            continue;
        uuid_v7(id);
        snprintf(subject, sizeof subject, "%lld", (long long)ended[i].end_number / BATCH);
        rc = callbacks_add(tx,
                           &(struct callback){.id = id,
                                              .task_id = x->rows[0].task_id,
                                              .kind = "batch",
                                              .subject = subject,
                                              .body = "{}",
                                              .created_at = 1,
                                              .due_at = 1},
                           1, e);
    }
    if (rc == 0) {
        x->rows = ended;
        x->count = n;
    }
    return rc;
}

static int move_drawn(struct actor *x, struct tx *tx, const void *in, struct err *e)
{
    int64_t moved;

    (void)x;
    (void)in;
    return task_records_drawn(tx, 20, clock_unix_ms(), &moved, e);
}

static int draw_some(struct actor *x, struct tx *tx, const void *in, struct err *e)
{
    (void)in;
    return tx_exec(
        tx,
        arena_printf(&x->a,
                     "UPDATE generations SET status = 'succeeded' WHERE id IN (SELECT "
                     "id FROM generations WHERE status = 'queued' LIMIT 20%s)",
                     db_dialect(tx_db(tx)) == DIALECT_SQLITE ? "" : " FOR UPDATE SKIP LOCKED"),
        DB_NONE, NULL, e);
}

static int cancel_one(struct actor *x, struct tx *tx, const void *in, struct err *e)
{
    (void)x;
    return tasks_cancel(tx, in, clock_unix_ms(), e);
}

static int look(struct actor *x, struct tx *tx, const void *in, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT count(*) FROM task_records WHERE status IN ('waiting', 'ready', "
                      "'stored', 'failing')",
                      DB_NONE, &x->a, &rows, e);

    (void)in;
    if (rc == 0 && db_i64(&rows, 0, 0) == 0)
        atomic_store(&x->race->over, true);
    return rc;
}

/* ============================== Threads ============================== */

static void deliver(struct actor *x)
{
    static const enum record_status ready = RECORD_READY;

    if (do_step(x, take_some, &ready, "take") || dice(x, 10) == 0)
        return; /* crashed: nobody hears of it again */
    for (size_t i = 0; i < x->count; i++) {
        struct task_record *row = &x->rows[i];
        unsigned luck = dice(x, 12);
        if (luck == 0)
            usleep(2 * LEASE * 1000); /* thought dead */
        if (luck == 1)
            do_step(x, later_one, row, "later");
        else if (luck == 2)
            do_step(x, fail_one, row, "fail");
        else if (do_step(x, store_one, row, "store") == 0)
            atomic_fetch_add(&x->race->stored[place_of(x->race, row)], 1);
    }
}

static void write_back(struct actor *x)
{
    static const enum record_status stored = RECORD_STORED;

    if (do_step(x, take_some, &stored, "take results") || x->count == 0 || dice(x, 10) == 0)
        return;
    if (dice(x, 12) == 0)
        usleep(2 * LEASE * 1000);
    if (do_step(x, end_some, NULL, "end") == 0)
        for (size_t i = 0; i < x->count; i++)
            atomic_fetch_add(&x->race->ended[place_of(x->race, &x->rows[i])], 1);
}

static void *act(void *user)
{
    struct actor *x = user;

    while (!atomic_load(&x->race->over) && !atomic_load(&x->race->problems)) {
        unsigned what = dice(x, 10);
        if (what < 4)
            deliver(x);
        else if (what < 7)
            write_back(x);
        else if (what == 7)
            do_step(x, draw_some, NULL, "draw");
        else if (what == 8)
            do_step(x, move_drawn, NULL, "drawn");
        else
            do_step(x, look, NULL, "look");
        if (x->race->cancels && dice(x, 60) == 0)
            do_step(x, cancel_one, x->race->tasks[0], "cancel");
        arena_release(&x->a);
    }
    return NULL;
}

/* ============================== The race ============================== */

static void prepare(struct race *r, struct fixture *f)
{
    struct tx *tx = write_tx(f);

    r->f = f;
    for (int k = 0; k < TASKS; k++) {
        struct task_record *rows = arena_alloc(&f->a, RECORDS * sizeof *rows);
        r->tasks[k] = a_task(f, tx, k ? "b" : "a");
        read_task(f, tx, r->tasks[k]);
        for (int i = 0; i < RECORDS; i++) {
            rows[i] = a_record(f, i + 1, i % 2 ? RECORD_WAITING : RECORD_READY);
            if (i % 2) {
                struct generation g = a_generation(f, rows[i].key);
                ok(generations_insert(tx, &g, 1, &f->e));
                rows[i].generation_id = g.id;
            }
        }
        ok(add_records(f, tx, r->tasks[k], rows, RECORDS, true));
    }
    commit(f, tx);
}

static void hold(struct race *r)
{
    pthread_t threads[THREADS];
    struct actor actors[THREADS] = {0};

    for (int i = 0; i < THREADS; i++) {
        actors[i].race = r;
        actors[i].state = 0x9e3779b97f4a7c15u * (unsigned)(i + 1);
        pthread_create(&threads[i], NULL, act, &actors[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&r->problems), 0);
    assert_true(atomic_load(&r->lost) > 0); /* some came back from the dead */
}

static void check(struct race *r)
{
    struct fixture *f = r->f;
    struct tx *tx = begin_tx(f, TX_READ);
    int64_t ended = number(f, tx, "SELECT count(*) FROM task_records WHERE end_number > 0");
    int64_t told = 0, batches = 0;

    assert_exact(f, tx);
    assert_int_equal(number(f, tx,
                            "SELECT count(*) FROM task_records WHERE status IN ('waiting', "
                            "'ready', 'stored', 'failing')"),
                     0);
    for (int i = 0; i < TASKS * RECORDS; i++) {
        assert_true(atomic_load(&r->stored[i]) <= 1);
        assert_true(atomic_load(&r->ended[i]) <= 1);
        told += atomic_load(&r->ended[i]);
    }
    assert_int_equal(told, ended);
    /* 1, 2, ... of each task: as many different ones as the largest. */
    assert_int_equal(number(f, tx,
                            "SELECT count(*) FROM tasks t WHERE ended <> (SELECT count(DISTINCT "
                            "end_number) FROM task_records r WHERE r.task_id = t.id AND "
                            "end_number > 0) OR ended <> (SELECT coalesce(max(end_number), 0) FROM "
                            "task_records r WHERE r.task_id = t.id)"),
                     0);
    for (int k = 0; k < TASKS; k++)
        batches += task_now(f, tx, r->tasks[k]).ended / BATCH;
    assert_int_equal(number(f, tx, "SELECT count(*) FROM callbacks"), batches);
    assert_int_equal(number(f, tx, "SELECT CAST(sum(bytes) AS BIGINT) FROM tasks"),
                     10 * number(f, tx, "SELECT count(*) FROM task_records WHERE stored_at > 0"));
    tx_rollback(tx);
}

static void every_record_ends_once(void **state)
{
    struct race *r = calloc(1, sizeof *r);

    prepare(r, fixture(state));
    hold(r);
    check(r);
    for (int i = 0; i < TASKS * RECORDS; i++)
        assert_int_equal(atomic_load(&r->ended[i]), 1);
    free(r);
}

static void cancelling_leaves_nothing_behind(void **state)
{
    struct fixture *f = fixture(state);
    struct race *r = calloc(1, sizeof *r);

    r->cancels = true;
    prepare(r, f);
    hold(r);
    check(r);
    struct tx *tx = write_tx(f);
    assert_int_equal(task_now(f, tx, r->tasks[0]).status, TASK_CANCELLED);
    assert_true(task_now(f, tx, r->tasks[0]).counts[RECORD_CANCELLED] > 0);
    assert_int_equal(task_now(f, tx, r->tasks[1]).ended, RECORDS);
    ok(tasks_delete(tx, r->tasks[0], &f->e));
    tx_rollback(tx);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(every_record_ends_once),
        ON_BOTH(cancelling_leaves_nothing_behind),
    };

    return run_on_both("storage_task_races", tests, sizeof tests / sizeof *tests);
}
