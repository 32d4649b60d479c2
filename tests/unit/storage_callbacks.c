/* What a task's receiver is told: each event at least once, and no receiver delays the others. */
#include "storage_tasks.h"

#include "storage/callbacks.h"

static const char *add(struct fixture *f, struct tx *tx, const char *task, const char *kind,
                       const char *subject, int64_t due)
{
    struct callback c = {.id = new_id(f),
                         .task_id = task,
                         .kind = kind,
                         .subject = subject,
                         .body = arena_printf(&f->a, "{\"of\":\"%s\"}", subject),
                         .created_at = due,
                         .due_at = due};

    ok(callbacks_add(tx, &c, 1, &f->e));
    return c.id;
}

static size_t take_events(struct fixture *f, struct tx *tx, int limit, int of_one, int64_t now,
                          struct callback **out)
{
    size_t n;

    ok(callbacks_take(tx, limit, of_one, now, now + 60 * SECOND, &f->a, out, &n, &f->e));
    return n;
}

static struct callback event_now(struct fixture *f, struct tx *tx, const char *task, const char *id)
{
    struct callback *list;
    const char *next;
    size_t n;

    ok(callbacks_list(tx, &(struct callback_filter){.task_id = task, .status = -1}, &f->a, &list,
                      &n, &next, &f->e));
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].id, id) == 0)
            return list[i];
    fail_msg("no event %s", id);
    return (struct callback){0};
}

static void an_event_is_added_once(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *task = a_task(f, tx, "a"), *other = a_task(f, tx, "b");
    const char *id = add(f, tx, task, "batch", "1", START);
    struct callback_totals totals;

    add(f, tx, task, "batch", "1", START);
    add(f, tx, task, "record", "1", START);
    add(f, tx, other, "batch", "1", START);
    assert_string_equal(event_now(f, tx, task, id).body, "{\"of\":\"1\"}");
    ok(callbacks_totals(tx, task, &totals, &f->e));
    assert_int_equal(totals.waiting, 2);
    assert_int_equal(totals.oldest_waiting, START);
    ok(callbacks_totals(tx, NULL, &totals, &f->e));
    assert_int_equal(totals.waiting, 3);
    tx_rollback(tx);
}

static void an_event_is_sent_until_it_is_taken(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *task = a_task(f, tx, "a"), *id = add(f, tx, task, "end", "1", START);
    struct callback *c, now;

    assert_int_equal(take_events(f, tx, 9, 9, START - 1, &c), 0);
    assert_int_equal(take_events(f, tx, 9, 9, START, &c), 1);
    assert_int_equal(c->attempts, 1);
    assert_int_equal(take_events(f, tx, 9, 9, START + SECOND, &c), 0); /* somebody has it */
    assert_int_equal(take_events(f, tx, 9, 9, START + 60 * SECOND, &c), 1);
    assert_int_equal(c->attempts, 2); /* who had it was killed */
    refuses(ERR_CONFLICT, callbacks_delivered(tx, id, 1, 200, START, &f->e));
    refuses(ERR_CONFLICT, callbacks_failed(tx, id, 1, 500, "x", true, START, &f->e));
    ok(callbacks_failed(tx, id, 2, 503, "HTTP 503", false, START + 70 * SECOND, &f->e));
    refuses(ERR_CONFLICT, callbacks_delivered(tx, id, 2, 200, START, &f->e));
    now = event_now(f, tx, task, id);
    assert_int_equal(now.last_status, 503);
    assert_string_equal(now.error, "HTTP 503");
    assert_int_equal(take_events(f, tx, 9, 9, START + 69 * SECOND, &c), 0);
    assert_int_equal(take_events(f, tx, 9, 9, START + 70 * SECOND, &c), 1);
    assert_string_equal(c->id, id);
    ok(callbacks_delivered(tx, id, 3, 204, START + 71 * SECOND, &f->e));
    now = event_now(f, tx, task, id);
    assert_int_equal(now.status, CALLBACK_DELIVERED);
    assert_int_equal(now.delivered_at, START + 71 * SECOND);
    assert_null(now.error);
    assert_int_equal(take_events(f, tx, 9, 9, START + 1000 * SECOND, &c), 0);
    tx_rollback(tx);
}

static void a_receiver_has_its_share(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *slow = a_task(f, tx, "a"), *fast = a_task(f, tx, "b"), *id;
    struct callback *c;

    for (int i = 0; i < 20; i++)
        add(f, tx, slow, "record", arena_printf(&f->a, "%d", i), START);
    id = add(f, tx, fast, "end", "1", START + 1);
    assert_int_equal(take_events(f, tx, 8, 2, START + 1, &c), 3);
    assert_string_equal(c[0].task_id, slow);
    assert_string_equal(c[1].task_id, slow);
    assert_string_equal(c[2].id, id);
    struct callback first = c[0];
    assert_int_equal(take_events(f, tx, 8, 2, START + 1, &c), 0); /* also for those who ask later */
    ok(callbacks_failed(tx, first.id, 1, 0, "no answer", false, START + 500 * SECOND, &f->e));
    assert_int_equal(take_events(f, tx, 8, 2, START + 2, &c), 1);
    assert_string_not_equal(c[0].id, first.id);
    tx_rollback(tx);
}

static void the_dead_are_replayed(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *task = a_task(f, tx, "a"), *ids[3], *next;
    struct callback_totals totals;
    struct callback *c, now;
    int64_t count;
    size_t n;

    for (int i = 0; i < 3; i++)
        ids[i] = add(f, tx, task, "record", arena_printf(&f->a, "%d", i), START);
    assert_int_equal(take_events(f, tx, 9, 9, START, &c), 3);
    ok(callbacks_failed(tx, ids[0], 1, 410, "gone", true, START, &f->e));
    ok(callbacks_failed(tx, ids[1], 1, 410, "gone", true, START, &f->e));
    ok(callbacks_delivered(tx, ids[2], 1, 200, START, &f->e));
    ok(callbacks_totals(tx, task, &totals, &f->e));
    assert_int_equal(totals.dead, 2);
    assert_int_equal(totals.delivered, 1);
    ok(callbacks_list(tx,
                      &(struct callback_filter){
                          .task_id = task, .status = CALLBACK_DEAD, .kind = "record", .limit = 1},
                      &f->a, &c, &n, &next, &f->e));
    assert_int_equal(n, 1);
    assert_string_equal(c->id, ids[1]);
    ok(callbacks_list(
        tx, &(struct callback_filter){.task_id = task, .status = CALLBACK_DEAD, .cursor = next},
        &f->a, &c, &n, &next, &f->e));
    assert_int_equal(n, 1);
    assert_string_equal(c->id, ids[0]);
    assert_null(next);

    refuses(ERR_NOT_FOUND, callbacks_replay(tx, task, new_id(f), -1, START, &count, &f->e));
    ok(callbacks_replay(tx, task, ids[0], -1, START + 5, &count, &f->e));
    assert_int_equal(count, 1);
    ok(callbacks_replay(tx, task, ids[0], -1, START + 5, &count, &f->e));
    assert_int_equal(count, 0); /* it waits already */
    now = event_now(f, tx, task, ids[0]);
    assert_int_equal(now.status, CALLBACK_WAITING);
    assert_int_equal(now.attempts, 0);
    assert_int_equal(now.since, START + 5);
    assert_int_equal(now.created_at, START);
    refuses(ERR_CONFLICT,
            callbacks_delivered(tx, ids[0], 0, 200, START, &f->e)); /* nobody has it */
    ok(callbacks_replay(tx, task, NULL, CALLBACK_DEAD, START + 5, &count, &f->e));
    assert_int_equal(count, 1);
    ok(callbacks_replay(tx, task, NULL, CALLBACK_DELIVERED, START + 5, &count, &f->e));
    assert_int_equal(count, 1);
    ok(callbacks_replay(tx, task, NULL, -1, START + 5, &count, &f->e));
    assert_int_equal(count, 0);
    assert_int_equal(take_events(f, tx, 9, 9, START + 5, &c), 3);
    assert_string_equal(event_now(f, tx, task, ids[2]).body, "{\"of\":\"2\"}");
    tx_rollback(tx);
}

static void events_go_with_their_task(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *task = a_task(f, tx, "a");
    struct callback *c;

    add(f, tx, task, "end", "1", START);
    ok(tasks_cancel(tx, task, START, &f->e));
    assert_int_equal(take_events(f, tx, 9, 9, START, &c), 1); /* also of tasks that have ended */
    ok(tasks_delete(tx, task, &f->e));
    refuses(ERR_CONFLICT, callbacks_delivered(tx, c->id, 1, 200, START, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM callbacks"), 0);
    tx_rollback(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(an_event_is_added_once),    ON_BOTH(an_event_is_sent_until_it_is_taken),
        ON_BOTH(a_receiver_has_its_share),  ON_BOTH(the_dead_are_replayed),
        ON_BOTH(events_go_with_their_task),
    };

    return run_on_both("storage_callbacks", tests, sizeof tests / sizeof *tests);
}
