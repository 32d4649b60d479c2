/* Tasks and their records, one step after the other (storage_task_races.c has many at once). */
#include "storage_tasks.h"

#include "storage/trash.h"
#include "storage/users.h"

#include <math.h>

/* ============================== Tasks ============================== */

static void names_are_unique_for_a_person(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "autumn");
    struct task t = task_now(f, tx, id), found;

    assert_string_equal(t.name, "autumn");
    assert_int_equal(t.status, TASK_RUNNING);
    assert_int_equal(t.phase, TASK_RECORDS);
    assert_int_equal(t.version, 1);
    assert_int_equal(t.rounds, 1);
    assert_int_equal(t.records, -1);
    assert_int_equal(t.started_at, START);
    assert_null(t.position);
    ok(tasks_by_name(tx, NULL, "autumn", &f->a, &found, &f->e));
    assert_string_equal(found.id, id);
    refuses(ERR_NOT_FOUND, tasks_by_name(tx, NULL, "winter", &f->a, &found, &f->e));
    refuses(ERR_NOT_FOUND, tasks_get(tx, new_id(f), &f->a, &found, &f->e));
    commit(f, tx);

    tx = write_tx(f);
    t.id = new_id(f);
    refuses(ERR_CONFLICT, tasks_insert(tx, &t, &f->e));
    tx_rollback(tx);
}

/* Two people may have tasks of one name, and both may leave. */
static void tasks_outlive_their_people(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct task t = {.name = "autumn",
                     .kind = "image",
                     .spec = "{}",
                     .status = TASK_RUNNING,
                     .phase = TASK_RECORDS,
                     .created_at = START};
    const char *ids[2];

    a_task(f, tx, "autumn");
    for (int i = 0; i < 2; i++) {
        const char *user = new_id(f);
        ok(tx_exec(tx,
                   "INSERT INTO users (id, name, name_key, role, created_at, updated_at) "
                   "VALUES ($1, $1, $1, 'editor', 1, 1)",
                   DB_ARGS(db_text(user)), NULL, &f->e));
        t.id = ids[i] = new_id(f);
        t.user_id = user;
        ok(tasks_insert(tx, &t, &f->e));
    }
    ok(tx_exec(tx, "DELETE FROM users", DB_NONE, NULL, &f->e));
    for (int i = 0; i < 2; i++)
        assert_null(task_now(f, tx, ids[i]).user_id);
    tx_rollback(tx);
}

static void lists_are_paged(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct task_filter all = {.status = -1, .limit = 2}, paused = {.status = TASK_PAUSED};
    const char *ids[3], *next;
    struct task *list;
    size_t n;

    for (int i = 0; i < 3; i++)
        ids[i] = a_task(f, tx, arena_printf(&f->a, "t%d", i));
    ok(tasks_pause(tx, ids[1], true, &f->e));
    ok(tasks_list(tx, &all, &f->a, &list, &n, &next, &f->e));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].id, ids[2]);
    assert_non_null(next);
    all.cursor = next;
    ok(tasks_list(tx, &all, &f->a, &list, &n, &next, &f->e));
    assert_int_equal(n, 1);
    assert_string_equal(list[0].id, ids[0]);
    assert_null(next);
    ok(tasks_list(tx, &paused, &f->a, &list, &n, &next, &f->e));
    assert_int_equal(n, 1);
    assert_string_equal(list[0].id, ids[1]);
    all.cursor = "nonsense";
    refuses(ERR_ARG, tasks_list(tx, &all, &f->a, &list, &n, &next, &f->e));
    tx_rollback(tx);
}

/* ============================== Reading ============================== */

static void one_process_reads(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a"), *other = a_task(f, tx, "b");
    struct task_record row = a_record(f, 1, RECORD_READY);
    struct task t;

    ok(tx_exec(tx, "UPDATE tasks SET host = 'far' WHERE id = $1", DB_ARGS(db_text(other)), NULL,
               &f->e));
    ok(tasks_take(tx, "r", "near", NULL, 5, 10, &f->a, &t, &f->e));
    assert_string_equal(t.id, id);
    assert_string_equal(t.reader, "r");
    ok(tasks_take(tx, "s", "near", NULL, 9, 20, &f->a, &t, &f->e));
    assert_null(t.id);
    ok(tasks_take(tx, "s", "far", NULL, 9, 20, &f->a, &t, &f->e));
    assert_string_equal(t.id, other);
    ok(tasks_keep(tx, id, "r", 30, &f->e));
    ok(tasks_take(tx, "s", "near", NULL, 29, 40, &f->a, &t, &f->e));
    assert_null(t.id);
    ok(tasks_take(tx, "s", "near", NULL, 30, 40, &f->a, &t, &f->e)); /* r is thought dead */
    assert_string_equal(t.id, id);
    refuses(ERR_CONFLICT, tasks_keep(tx, id, "r", 50, &f->e));
    refuses(ERR_CONFLICT, add_records(f, tx, id, &row, 1, false));
    refuses(ERR_CONFLICT,
            tasks_change(tx, id, "r", &(struct task_change){7, NULL, -1, -1}, 1, &f->e));
    ok(tasks_leave(tx, id, "r", &f->e)); /* not its to leave */
    ok(tasks_keep(tx, id, "s", 50, &f->e));
    ok(tasks_leave(tx, id, "s", &f->e));
    ok(tasks_take(tx, "r", "near", NULL, 31, 60, &f->a, &t, &f->e));
    assert_string_equal(t.id, id);
    ok(add_records(f, tx, id, &row, 1, true)); /* it has read all: nobody need read it */
    ok(tasks_leave(tx, id, "r", &f->e));
    ok(tasks_take(tx, "r", "near", NULL, 31, 60, &f->a, &t, &f->e));
    assert_null(t.id);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM task_records"), 1);
    tx_rollback(tx);
}

/* Who was looked at longest ago is next. */
static void tasks_are_read_in_turn(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *ids[3];
    struct task t;

    for (int i = 0; i < 3; i++)
        ids[i] = a_task(f, tx, arena_printf(&f->a, "t%d", i));
    for (int i = 0; i < 7; i++) {
        ok(tasks_take(tx, "r", NULL, NULL, START + i, START + SECOND, &f->a, &t, &f->e));
        assert_string_equal(t.id, ids[i % 3]);
        ok(tasks_leave(tx, t.id, "r", &f->e));
    }
    tx_rollback(tx);
}

static void records_are_added_once(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a");
    struct task_record rows[4] = {a_record(f, 1, RECORD_WAITING), a_record(f, 2, RECORD_READY),
                                  a_record(f, 3, RECORD_READY), a_record(f, 4, RECORD_FAILING)};
    struct record_key keys[3] = {
        {rows[1].record_id, rows[1].key}, {rows[1].record_id, rows[2].key}, {"none", rows[1].key}};
    struct task_record *list;
    const char *next;
    bool known[3];
    size_t n;

    rows[2].object = rows[0].object;
    rows[3].object = NULL;
    rows[3].error_class = "mapping";
    rows[3].error_code = "type";
    rows[3].error = "field 'prompt': expected a text, got a number";
    read_task(f, tx, id);
    ok(add_records(f, tx, id, rows, 4, false));
    assert_int_equal(rows[2].status, RECORD_FAILING);
    struct task t = task_now(f, tx, id);
    assert_string_equal(t.position, "here");
    assert_int_equal(t.counts[RECORD_WAITING], 1);
    assert_int_equal(t.counts[RECORD_READY], 1);
    assert_int_equal(t.counts[RECORD_FAILING], 2);
    assert_exact(f, tx);
    ok(task_records_known(tx, id, keys, 3, known, &f->e));
    assert_true(known[0] && !known[1] && !known[2]);
    ok(task_records_list(tx, &(struct record_filter){.task_id = id, .status = -1}, &f->a, &list, &n,
                         &next, &f->e));
    assert_int_equal(n, 4);
    assert_string_equal(list[2].error_class, "mapping");
    assert_string_equal(list[2].error, "the object name '1.png' is taken by record 'rec1'");
    assert_null(list[2].object);
    assert_string_equal(list[3].error, rows[3].error);
    /* A name that was taken in a step before. */
    struct task_record late = a_record(f, 9, RECORD_READY);
    late.object = "2.png";
    ok(add_records(f, tx, id, &late, 1, false));
    assert_int_equal(late.status, RECORD_FAILING);
    commit(f, tx);

    tx = write_tx(f);
    refuses(ERR_CONFLICT, add_records(f, tx, id, rows, 1, false));
    tx_rollback(tx);
}

static void findings_are_kept(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a");

    read_task(f, tx, id);
    ok(tasks_change(tx, id, "r",
                    &(struct task_change){1000, NULL, TASK_SAMPLE, -1, .restart = true}, 1, &f->e));
    assert_int_equal(task_now(f, tx, id).records, 1000);
    assert_int_equal(task_now(f, tx, id).phase, TASK_SAMPLE);
    ok(tasks_change(tx, id, "r", &(struct task_change){-1, NULL, -1, TASK_AWAITING_APPROVAL}, 1,
                    &f->e));
    refuses(ERR_CONFLICT, tasks_pause(tx, id, true, &f->e));
    refuses(ERR_CONFLICT, tasks_keep(tx, id, "r", START, &f->e));
    ok(tasks_approve(tx, id, true, 5, &f->e));
    struct task t = task_now(f, tx, id);
    assert_int_equal(t.status, TASK_RUNNING);
    assert_int_equal(t.phase, TASK_RECORDS);
    assert_true(t.approved);
    assert_null(t.position);
    refuses(ERR_CONFLICT, tasks_approve(tx, id, true, 5, &f->e));
    read_task(f, tx, id);
    ok(tasks_change(tx, id, "r",
                    &(struct task_change){-1, NULL, -1, TASK_FAILED, "io", "no such file"}, 9,
                    &f->e));
    t = task_now(f, tx, id);
    assert_int_equal(t.finished_at, 9);
    assert_string_equal(t.error, "no such file");
    tx_rollback(tx);
}

/* ============================== Delivering ============================== */

static void a_record_goes_through(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a");
    struct task_record *rows, *ended;
    size_t n;

    read_task(f, tx, id);
    add_ready(f, tx, id, 1, 2);
    assert_int_equal(take(f, tx, RECORD_READY, 1, START, &rows), 1);
    assert_int_equal(rows[0].number, 1);
    assert_int_equal(rows[0].attempts, 1);
    ok(task_records_upload(tx, record_lease_of(&rows[0]), "session", START + 9, &f->e));
    ok(task_records_upload(tx, record_lease_of(&rows[0]), NULL, START + 10, &f->e));
    assert_string_equal(record_now(f, tx, rows[0].id).upload, "session");
    ok(task_records_later(tx, record_lease_of(&rows[0]), START + 11, "network", "cut", &f->e));
    assert_string_equal(record_now(f, tx, rows[0].id).error, "cut");
    assert_int_equal(take(f, tx, RECORD_READY, 5, START + 10, &rows), 1); /* the other one */
    assert_int_equal(rows[0].number, 2);
    assert_int_equal(take(f, tx, RECORD_READY, 5, START + 11, &rows), 1);
    assert_int_equal(rows[0].attempts, 2);
    assert_int_equal(rows[0].tries, 2);
    ok(store(f, tx, &rows[0], START + 12));
    struct task_record r = record_now(f, tx, rows[0].id);
    assert_null(r.upload);
    assert_null(r.error);
    assert_string_equal(r.url, "gs://b/x.png");
    assert_int_equal(r.stored_at, START + 12);
    assert_int_equal(task_now(f, tx, id).bytes, 100);
    assert_int_equal(take(f, tx, RECORD_STORED, 5, START + 12, &rows), 1);
    assert_int_equal(rows[0].attempts, 2);
    assert_int_equal(rows[0].tries, 1);
    struct record_lease lease = record_lease_of(&rows[0]);
    ok(task_records_end(tx, id, &lease, 1, 1, START + 13, &f->a, &ended, &n, &f->e));
    assert_int_equal(n, 1);
    assert_int_equal(ended[0].status, RECORD_SUCCEEDED);
    assert_int_equal(ended[0].end_number, 1);
    struct task t = task_now(f, tx, id);
    assert_int_equal(t.ended, 1);
    assert_int_equal(t.missing, 1);
    assert_float_equal(t.seconds_making, 2, 0);
    assert_exact(f, tx);
    tx_rollback(tx);
}

static void failures_are_written_back(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a"), *next;
    struct task_record *rows, *ended;
    struct record_lease leases[3];
    struct failure_count *failures;
    size_t n;

    read_task(f, tx, id);
    add_ready(f, tx, id, 1, 3);
    assert_int_equal(take(f, tx, RECORD_READY, 9, START, &rows), 3);
    for (int i = 0; i < 2; i++)
        ok(task_records_fail(tx, record_lease_of(&rows[i]), "storage", "denied", "no", START,
                             &f->e));
    rows[2].reused = true;
    ok(store(f, tx, &rows[2], START));
    assert_int_equal(task_now(f, tx, id).reused, 1);
    assert_int_equal(take(f, tx, RECORD_STORED, 9, START, &rows), 3);
    for (int i = 0; i < 3; i++) {
        leases[i] = record_lease_of(&rows[i]);
        if (rows[i].status == RECORD_STORED)
            ok(task_records_fail(tx, leases[i], "results", "denied", "no", START, &f->e));
        else /* what it failed for stays */
            ok(task_records_later(tx, leases[i], START, "network", "away", &f->e));
    }
    assert_int_equal(task_now(f, tx, id).reused, 0);
    assert_exact(f, tx);
    assert_int_equal(take(f, tx, RECORD_STORED, 9, START, &rows), 3);
    for (int i = 0; i < 3; i++)
        leases[i] = record_lease_of(&rows[i]);
    ok(task_records_end(tx, id, leases, 3, 0, START, &f->a, &ended, &n, &f->e));
    assert_int_equal(n, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ended[i].end_number, i + 1);
        assert_int_equal(ended[i].status, RECORD_FAILED);
        assert_string_equal(ended[i].error, "no");
    }
    ok(tasks_failures(tx, id, &f->a, &failures, &n, &f->e));
    assert_int_equal(n, 2);
    assert_string_equal(failures[0].error_class, "storage");
    assert_int_equal(failures[0].count, 2);
    ok(task_records_list(
        tx,
        &(struct record_filter){.task_id = id, .status = RECORD_FAILED, .error_class = "results"},
        &f->a, &rows, &n, &next, &f->e));
    assert_int_equal(n, 1);
    assert_exact(f, tx);
    tx_rollback(tx);
}

/* Every step of a process that was thought dead. */
static void lost_leases_change_nothing(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a");
    struct task_record *old, *fresh, *ended;
    size_t n;

    read_task(f, tx, id);
    add_ready(f, tx, id, 1, 1);
    for (int round = 0; round < 2; round++) {
        enum record_status status = round ? RECORD_STORED : RECORD_READY;
        assert_int_equal(take(f, tx, status, 1, START, &old), 1);
        assert_int_equal(take(f, tx, status, 1, START + 60 * SECOND, &fresh), 1);
        struct record_lease lost = record_lease_of(old);
        refuses(ERR_CONFLICT, task_records_upload(tx, lost, "x", 1, &f->e));
        refuses(ERR_CONFLICT, task_records_later(tx, lost, 1, "x", "x", &f->e));
        refuses(ERR_CONFLICT, task_records_fail(tx, lost, "x", "x", "x", 1, &f->e));
        refuses(ERR_CONFLICT, store(f, tx, old, 1));
        ok(task_records_end(tx, id, &lost, 1, 0, 1, &f->a, &ended, &n, &f->e));
        assert_int_equal(n, 0);
        struct task_record r = record_now(f, tx, old->id);
        assert_int_equal(r.status, status);
        assert_int_equal(r.due_at, START + 120 * SECOND);
        assert_null(r.error);
        assert_null(r.upload);
        if (!round)
            ok(store(f, tx, fresh, START));
    }
    /* A step of the status before, with the lease of this one. */
    refuses(ERR_CONFLICT, store(f, tx, fresh, START));
    refuses(ERR_CONFLICT,
            task_records_fail(tx, (struct record_lease){new_id(f), 1}, "x", "x", "x", 1, &f->e));
    assert_int_equal(task_now(f, tx, id).ended, 0);
    assert_exact(f, tx);
    tx_rollback(tx);
}

/* A long backlog keeps nobody waiting; other hosts' files and paused tasks are left alone. */
static void tasks_take_turns(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *big = a_task(f, tx, "big"), *small, *far, *paused;
    struct task_record *rows;
    int seen = 0;

    read_task(f, tx, big);
    add_ready(f, tx, big, 1, 200);
    small = a_task(f, tx, "small");
    read_task(f, tx, small);
    add_ready(f, tx, small, 1, 1);
    far = a_task(f, tx, "far");
    read_task(f, tx, far);
    add_ready(f, tx, far, 1, 5);
    ok(tx_exec(tx, "UPDATE tasks SET host = 'far' WHERE id = $1", DB_ARGS(db_text(far)), NULL,
               &f->e));
    paused = a_task(f, tx, "paused");
    read_task(f, tx, paused);
    add_ready(f, tx, paused, 1, 5);
    ok(tasks_pause(tx, paused, true, &f->e));
    for (int i = 0; i < 100; i++) { /* that it is not among these: once in 2^100 */
        assert_int_equal(take(f, tx, RECORD_READY, 1, START, &rows), 1);
        seen += strcmp(rows[0].task_id, small) == 0;
        assert_string_not_equal(rows[0].task_id, far);
        assert_string_not_equal(rows[0].task_id, paused);
    }
    assert_int_equal(seen, 1);
    assert_int_equal(take(f, tx, RECORD_READY, 500, START, &rows), 101);
    assert_int_equal(take(f, tx, RECORD_READY, 500, START, &rows), 0);
    ok(tasks_pause(tx, paused, false, &f->e));
    refuses(ERR_CONFLICT, tasks_pause(tx, paused, false, &f->e));
    assert_int_equal(take(f, tx, RECORD_READY, 500, START, &rows), 5);
    tx_rollback(tx);
}

/* ============================== Pictures ============================== */

static const char *drawn_record(struct fixture *f, struct tx *tx, const char *task, int64_t number,
                                enum generation_status status)
{
    struct generation g = a_generation(f, key_of(f, arena_printf(&f->a, "g%d", (int)number)));
    struct task_record row = a_record(f, number, RECORD_WAITING);

    g.status = status;
    if (status == GENERATION_FAILED) {
        g.error_code = "io";
        g.error = "no disk";
    }
    row.generation_id = g.id;
    ok(generations_insert(tx, &g, 1, &f->e));
    ok(add_records(f, tx, task, &row, 1, true));
    return g.id;
}

static void pictures_move_records(void **state)
{
    static const enum record_status want[] = {RECORD_READY, RECORD_FAILING, RECORD_CANCELLED,
                                              RECORD_WAITING, RECORD_FAILING};
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a"), *next, *gone;
    struct task_record *rows;
    int64_t moved;
    size_t n;

    read_task(f, tx, id);
    drawn_record(f, tx, id, 1, GENERATION_SUCCEEDED);
    drawn_record(f, tx, id, 2, GENERATION_FAILED);
    drawn_record(f, tx, id, 3, GENERATION_CANCELLED);
    drawn_record(f, tx, id, 4, GENERATION_RUNNING);
    gone = drawn_record(f, tx, id, 5, GENERATION_SUCCEEDED);
    ok(trash_put(tx, &gone, 1, START, &f->e));
    ok(task_records_drawn(tx, 2, START + 1, &moved, &f->e));
    assert_int_equal(moved, 2);
    ok(tasks_pause(tx, id, true, &f->e));
    ok(task_records_drawn(tx, 9, START + 1, &moved, &f->e));
    assert_int_equal(moved, 0);
    ok(tasks_pause(tx, id, false, &f->e));
    ok(task_records_drawn(tx, 9, START + 1, &moved, &f->e));
    assert_int_equal(moved, 2);
    ok(task_records_list(tx, &(struct record_filter){.task_id = id, .status = -1}, &f->a, &rows, &n,
                         &next, &f->e));
    for (int i = 0; i < 5; i++)
        assert_int_equal(rows[i].status, want[i]);
    assert_int_equal(rows[0].ready_at, START + 1);
    assert_string_equal(rows[1].error_class, "draw");
    assert_string_equal(rows[1].error_code, "io");
    assert_string_equal(rows[1].error, "no disk");
    assert_string_equal(rows[2].error_class, "cancelled");
    assert_string_equal(rows[4].error_class, "draw");
    assert_string_equal(rows[4].error_code, "deleted");
    assert_exact(f, tx);
    tx_rollback(tx);
}

/* ============================== Cancel, retry, again ============================== */

static void what_was_begun_is_finished(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a");
    struct task_record *begun, *rows, *ended;
    size_t n;

    read_task(f, tx, id);
    add_ready(f, tx, id, 1, 3);
    drawn_record(f, tx, id, 4, GENERATION_QUEUED);
    refuses(ERR_CONFLICT, tasks_delete(tx, id, &f->e));
    assert_int_equal(take(f, tx, RECORD_READY, 1, START, &begun), 1);
    ok(tasks_cancel(tx, id, START + 5, &f->e));
    struct task t = task_now(f, tx, id);
    assert_int_equal(t.status, TASK_CANCELLED);
    assert_int_equal(t.counts[RECORD_CANCELLED], 3);
    assert_int_equal(t.counts[RECORD_READY], 1);
    refuses(ERR_CONFLICT, tasks_cancel(tx, id, START, &f->e));
    refuses(ERR_CONFLICT, tasks_delete(tx, id, &f->e));
    ok(store(f, tx, begun, START + 6)); /* its holder goes on */
    assert_int_equal(take(f, tx, RECORD_STORED, 9, START + 6, &rows), 1);
    struct record_lease lease = record_lease_of(rows);
    ok(task_records_end(tx, id, &lease, 1, 0, START + 7, &f->a, &ended, &n, &f->e));
    assert_int_equal(n, 1);
    assert_exact(f, tx);
    commit(f, tx);

    tx = write_tx(f);
    ok(tasks_again(tx, id, "{\"more\":1}", TASK_RECORDS, START + 9, &f->e));
    t = task_now(f, tx, id);
    assert_int_equal(t.counts[RECORD_CANCELLED], 0); /* forgotten: they are made this time */
    assert_int_equal(t.version, 2);
    assert_int_equal(t.rounds, 2);
    assert_int_equal(t.started_at, START + 9);
    refuses(ERR_CONFLICT, tasks_again(tx, id, NULL, TASK_RECORDS, START, &f->e));
    struct task_record row = a_record(f, 2, RECORD_READY);
    read_task(f, tx, id);
    ok(add_records(f, tx, id, &row, 1, true));
    assert_int_equal(row.status, RECORD_READY);
    assert_exact(f, tx);
    tx_rollback(tx);

    tx = write_tx(f);
    ok(tasks_delete(tx, id, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM task_records"), 0);
    tx_rollback(tx);
}

static void fail_all(struct fixture *f, struct tx *tx, const char *id, enum record_status from)
{
    struct task_record *rows, *ended;
    struct record_lease leases[9];
    size_t n = 0, m = from == RECORD_READY ? take(f, tx, from, 9, START, &rows) : 0;

    for (size_t i = 0; i < m; i++)
        ok(task_records_fail(tx, record_lease_of(&rows[i]), "storage", "denied", "no", START,
                             &f->e));
    m = take(f, tx, RECORD_STORED, 9, START, &rows);
    for (size_t i = 0; i < m; i++)
        leases[i] = record_lease_of(&rows[i]);
    ok(task_records_end(tx, id, leases, m, 0, START, &f->a, &ended, &n, &f->e));
    assert_int_equal(n, m);
}

static void failures_are_tried_again(void **state)
{
    static const char *const storage[] = {"storage", NULL}, *const draw[] = {"draw", NULL};
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a");
    struct task_record bad = a_record(f, 9, RECORD_FAILING), *rows;
    struct task t;
    int64_t moved;
    size_t n;

    bad.error_class = "mapping";
    read_task(f, tx, id);
    add_ready(f, tx, id, 1, 2);
    drawn_record(f, tx, id, 3, GENERATION_FAILED);
    ok(add_records(f, tx, id, &bad, 1, true));
    ok(task_records_drawn(tx, 9, START, &moved, &f->e));
    fail_all(f, tx, id, RECORD_READY);
    ok(tasks_ripen(tx, START, &moved, &f->e));
    assert_int_equal(moved, 1);
    read_task(f, tx, id);
    ok(tasks_complete(tx, id, "r", START + 1, &f->e));
    assert_int_equal(task_now(f, tx, id).counts[RECORD_FAILED], 4);

    ok(tasks_retry(tx, id, storage, START + 2, &f->a, &rows, &n, &f->e));
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rows[i].status, RECORD_READY);
    t = task_now(f, tx, id);
    assert_int_equal(t.status, TASK_RUNNING);
    assert_int_equal(t.phase, TASK_RECORDS);
    assert_int_equal(t.ended, 4);
    assert_exact(f, tx);
    ok(tasks_retry(tx, id, draw, START + 2, &f->a, &rows, &n, &f->e));
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].status, RECORD_WAITING);
    assert_non_null(rows[0].generation_id);
    ok(tasks_retry(tx, id, NULL, START + 2, &f->a, &rows, &n, &f->e));
    assert_int_equal(n, 0); /* what could not be mapped cannot be made */
    assert_int_equal(take(f, tx, RECORD_READY, 9, START + 2, &rows), 2);
    assert_int_equal(rows[0].attempts, 1);
    assert_true(rows[0].lease > 1); /* no number comes twice */
    ok(store(f, tx, &rows[0], START));
    ok(store(f, tx, &rows[1], START));
    ok(task_records_drawn(tx, 9, START, &moved, &f->e));
    fail_all(f, tx, id, RECORD_STORED);
    assert_int_equal(number(f, tx, "SELECT max(end_number) FROM task_records"), 7);
    assert_int_equal(task_now(f, tx, id).bytes, 200);
    assert_exact(f, tx);
    tx_rollback(tx);
}

static void tasks_ripen_and_complete(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a");
    int64_t moved;

    ok(tasks_ripen(tx, START, &moved, &f->e));
    assert_int_equal(moved, 0); /* not read */
    read_task(f, tx, id);
    add_ready(f, tx, id, 1, 1);
    ok(tasks_ripen(tx, START, &moved, &f->e));
    assert_int_equal(moved, 0);
    refuses(ERR_CONFLICT, tasks_complete(tx, id, "r", START, &f->e));
    fail_all(f, tx, id, RECORD_READY);
    ok(tasks_ripen(tx, START, &moved, &f->e));
    assert_int_equal(moved, 1);
    refuses(ERR_CONFLICT, tasks_complete(tx, id, "r", START, &f->e)); /* not its reader any more */
    read_task(f, tx, id);
    ok(tasks_complete(tx, id, "r", START + 7, &f->e));
    assert_int_equal(task_now(f, tx, id).status, TASK_COMPLETED);
    assert_int_equal(task_now(f, tx, id).finished_at, START + 7);
    tx_rollback(tx);
}

/* ============================== Looking ============================== */

static void reports_count(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a"), *next;
    struct task_percentiles p;
    struct tasks_totals totals;
    struct task_record *rows, *ended;
    int64_t since;
    size_t n;

    ok(tasks_percentiles(tx, id, &p, &f->e));
    assert_true(isnan(p.making[0]) && isnan(p.total[3]));
    read_task(f, tx, id);
    add_ready(f, tx, id, 1, 100);
    for (int i = 1; i <= 100; i++) {
        assert_int_equal(take(f, tx, RECORD_READY, 1, START, &rows), 1);
        rows->seconds_storing = i;
        ok(store(f, tx, rows, START));
        ok(tx_exec(tx, "UPDATE task_records SET seconds_storing = $2 WHERE id = $1",
                   DB_ARGS(db_text(rows->id), db_real(i)), NULL, &f->e));
        assert_int_equal(take(f, tx, RECORD_STORED, 1, START, &rows), 1);
        struct record_lease lease = record_lease_of(rows);
        ok(task_records_end(tx, id, &lease, 1, 0, START + i * SECOND, &f->a, &ended, &n, &f->e));
    }
    ok(tasks_percentiles(tx, id, &p, &f->e));
    for (int i = 0; i < 4; i++) {
        static const double want[] = {50, 90, 99, 100};
        assert_float_equal(p.storing[i], want[i], 0);
        assert_float_equal(p.total[i], want[i], 0);
        assert_float_equal(p.making[i], 2, 0);
    }
    ok(tasks_ended_since(tx, id, START + 91 * SECOND, &since, &f->e));
    assert_int_equal(since, 10);
    ok(tasks_totals(tx, &totals, &f->e));
    assert_int_equal(totals.by_status[TASK_RUNNING], 1);
    assert_int_equal(totals.records[RECORD_SUCCEEDED], 100);
    assert_int_equal(totals.oldest_ready, 0);
    struct record_filter batch = {
        .task_id = id, .status = -1, .ended_from = 41, .ended_to = 60, .limit = 15};
    ok(task_records_list(tx, &batch, &f->a, &rows, &n, &next, &f->e));
    assert_int_equal(n, 15);
    batch.cursor = next;
    ok(task_records_list(tx, &batch, &f->a, &rows, &n, &next, &f->e));
    assert_int_equal(n, 5);
    assert_null(next);
    assert_int_equal(rows[4].number, 60);
    tx_rollback(tx);
}

/* ============================== Jobs ============================== */

/* Jobs of a task wait while it is paused, unless somebody else wants the picture. */
static void jobs_wait_with_their_task(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *id = a_task(f, tx, "a"), *jobs[2], *other;
    struct job_row *fed, row;
    size_t n;

    read_task(f, tx, id);
    for (int i = 0; i < 2; i++) {
        struct task_record r = a_record(f, i, RECORD_WAITING);
        struct generation g = a_generation(f, r.key);
        struct job_row job = a_job(f, r.key);
        r.generation_id = g.id;
        job.run_id = id;
        ok(generations_insert(tx, &g, 1, &f->e));
        ok(add_records(f, tx, id, &r, 1, true));
        ok(jobs_add(tx, &job, &f->a, &jobs[i], &f->e));
    }
    ok(tasks_pause(tx, id, true, &f->e));
    ok(jobs_feed(tx, 9, START, SECOND, &f->a, &fed, &n, &f->e));
    assert_int_equal(n, 0);
    refuses(ERR_CONFLICT, jobs_claim(tx, jobs[0], "w", START, SECOND, &f->a, &row, &f->e));
    wish(f, tx, key_of(f, "1"), NULL, NULL, &other); /* somebody else */
    assert_string_equal(other, jobs[1]);
    ok(jobs_feed(tx, 9, START, SECOND, &f->a, &fed, &n, &f->e));
    assert_int_equal(n, 1);
    assert_string_equal(fed[0].id, jobs[1]);
    ok(tasks_pause(tx, id, false, &f->e));
    ok(jobs_feed(tx, 9, START, SECOND, &f->a, &fed, &n, &f->e));
    assert_int_equal(n, 1);
    assert_string_equal(fed[0].id, jobs[0]);
    /* Somebody wants what the task waits for, before it pauses. */
    wish(f, tx, key_of(f, "0"), NULL, NULL, &other);
    ok(jobs_get(tx, jobs[0], &f->a, &row, &f->e));
    assert_int_equal(row.priority, PRIORITY_INTERACTIVE);
    ok(tx_exec(tx, "UPDATE jobs SET run_id = $1 WHERE id = $2",
               DB_ARGS(db_text(id), db_text(jobs[0])), NULL, &f->e));
    ok(tasks_pause(tx, id, true, &f->e));
    ok(jobs_get(tx, jobs[0], &f->a, &row, &f->e));
    assert_null(row.run_id);
    tx_rollback(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(names_are_unique_for_a_person),
        ON_BOTH(tasks_outlive_their_people),
        ON_BOTH(lists_are_paged),
        ON_BOTH(one_process_reads),
        ON_BOTH(tasks_are_read_in_turn),
        ON_BOTH(records_are_added_once),
        ON_BOTH(findings_are_kept),
        ON_BOTH(a_record_goes_through),
        ON_BOTH(failures_are_written_back),
        ON_BOTH(lost_leases_change_nothing),
        ON_BOTH(tasks_take_turns),
        ON_BOTH(pictures_move_records),
        ON_BOTH(what_was_begun_is_finished),
        ON_BOTH(failures_are_tried_again),
        ON_BOTH(tasks_ripen_and_complete),
        ON_BOTH(reports_count),
        ON_BOTH(jobs_wait_with_their_task),
    };

    return run_on_both("storage_tasks", tests, sizeof tests / sizeof *tests);
}
