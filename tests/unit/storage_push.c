#include "storage/push_subscriptions.h"

#include "storage/users.h"

#include "storage_fixture.h"

enum { MOST = 3 };

static const char *user(struct fixture *f, struct tx *tx, const char *name)
{
    char *id = arena_alloc(&f->a, UUID_TEXT);

    uuid_v7(id);
    ok(users_insert(tx, &(struct user){.id = id, .name = name, .role = "editor", .created_at = 1},
                    &f->e));
    return id;
}

static int keep(struct fixture *f, struct tx *tx, const char *user_id, const char *endpoint,
                const char *auth, struct push_subscription *out, bool *added)
{
    *out = (struct push_subscription){.user_id = user_id,
                                      .endpoint = endpoint,
                                      .p256dh = "key",
                                      .auth = auth,
                                      .created_at = 1000};
    return push_subscriptions_keep(tx, out, MOST, &f->a, added, &f->e);
}

static size_t count(struct fixture *f, struct tx *tx, const char *user_id)
{
    struct push_subscription *rows;
    size_t n;

    ok(push_subscriptions_list(tx, user_id, &f->a, &rows, &n, &f->e));
    return n;
}

static void subscriptions_are_of_one_user(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *anna = user(f, tx, "anna"), *ed = user(f, tx, "ed");
    struct push_subscription s, again, got;
    bool added;

    ok(keep(f, tx, anna, "https://a/1", "auth", &s, &added));
    assert_true(added);
    ok(keep(f, tx, NULL, "https://a/2", "auth", &again, &added));
    assert_int_equal(count(f, tx, anna), 1);
    assert_int_equal(count(f, tx, ed), 0);
    assert_int_equal(count(f, tx, NULL), 1);
    ok(push_subscriptions_get(tx, s.id, anna, &f->a, &got, &f->e));
    assert_string_equal(got.endpoint, "https://a/1");
    refuses(ERR_NOT_FOUND, push_subscriptions_get(tx, s.id, ed, &f->a, &got, &f->e));
    refuses(ERR_NOT_FOUND, push_subscriptions_get(tx, s.id, NULL, &f->a, &got, &f->e));
    refuses(ERR_NOT_FOUND, push_subscriptions_delete(tx, s.id, ed, &f->e));
    ok(push_subscriptions_result(tx, s.id, NULL, 5000, &f->e));
    ok(push_subscriptions_result(tx, s.id, "answered 503", 6000, &f->e));
    ok(push_subscriptions_get(tx, s.id, anna, &f->a, &got, &f->e));
    assert_int_equal(got.sent_at, 5000);
    assert_string_equal(got.error, "answered 503");

    ok(keep(f, tx, anna, "https://a/1", "other", &again, &added)); /* renewed */
    assert_false(added);
    assert_string_equal(again.id, s.id);
    assert_int_equal(again.sent_at, 5000);
    refuses(ERR_DENIED, keep(f, tx, ed, "https://a/1", "auth", &again, &added));
    ok(keep(f, tx, ed, "https://a/1", "other", &again, &added)); /* changed hands */
    assert_true(added);
    assert_string_not_equal(again.id, s.id);
    assert_int_equal(count(f, tx, anna), 0);
    ok(users_delete(tx, ed, &f->e));
    assert_int_equal(count(f, tx, ed), 0);
    ok(keep(f, tx, anna, "https://a/1", "auth", &again, &added)); /* free again */
    commit(f, tx);
}

static void there_is_a_most_and_an_end(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct push_subscription s = {.endpoint = "https://a/0",
                                  .p256dh = "key",
                                  .auth = "auth",
                                  .created_at = 1000,
                                  .expires_at = 2000};
    bool added;

    ok(push_subscriptions_keep(tx, &s, MOST, &f->a, &added, &f->e));
    ok(keep(f, tx, NULL, "https://a/1", "auth", &s, &added));
    ok(keep(f, tx, NULL, "https://a/2", "auth", &s, &added));
    refuses(ERR_CONFLICT, keep(f, tx, NULL, "https://a/3", "auth", &s, &added));
    ok(push_subscriptions_expire(tx, 1999, &f->e));
    assert_int_equal(count(f, tx, NULL), 3);
    ok(push_subscriptions_expire(tx, 2000, &f->e));
    assert_int_equal(count(f, tx, NULL), 2);
    ok(keep(f, tx, NULL, "https://a/3", "auth", &s, &added));
    commit(f, tx);
}

/* A run that ended at that time with that status. */
static struct run run_of(struct fixture *f, struct tx *tx, const char *name, int64_t budget_ms)
{
    char *id = arena_alloc(&f->a, UUID_TEXT), *run_id = arena_alloc(&f->a, UUID_TEXT);
    struct experiment x = {
        .id = id, .name = name, .type = "cfg", .config = "{}", .created_at = 1, .updated_at = 1};
    struct run run = {.id = run_id,
                      .experiment_id = id,
                      .status = EXPERIMENT_RUNNING,
                      .spec = "{}",
                      .plan = "{}",
                      .total = 2,
                      .completed = 1,
                      .created_at = 1000,
                      .budget_ms = budget_ms};

    uuid_v7(id);
    uuid_v7(run_id);
    ok(experiments_insert(tx, &x, &f->e));
    ok(runs_insert(tx, &run, &f->e));
    return run;
}

static void an_end_is_told_once(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = run_of(f, tx, "mine", 0), running = run_of(f, tx, "other", 0);
    struct ended_run *ended;
    bool work;
    size_t n;

    ok(push_work(tx, 9000, &work, &f->e));
    assert_false(work);
    ok(runs_set_status(tx, run.id, EXPERIMENT_COMPLETED, 2000, &f->e));
    ok(push_work(tx, 9000, &work, &f->e));
    assert_true(work);
    ok(runs_untold(tx, 8, &f->a, &ended, &n, &f->e));
    assert_int_equal(n, 1);
    assert_string_equal(ended->run.id, run.id);
    assert_string_equal(ended->name, "mine");
    assert_int_equal(ended->run.status, EXPERIMENT_COMPLETED);
    assert_int_equal(ended->run.total, 2);
    assert_int_equal(ended->run.completed, 1);
    assert_false(ended->over_budget);
    ok(runs_untold(tx, 8, &f->a, &ended, &n, &f->e));
    assert_int_equal(n, 0);
    ok(runs_reopen(tx, run.id, 3000, &f->e));
    ok(runs_untold(tx, 8, &f->a, &ended, &n, &f->e));
    assert_int_equal(n, 0);
    ok(runs_set_status(tx, run.id, EXPERIMENT_FAILED, 4000, &f->e)); /* a new end is news */
    ok(runs_untold(tx, 8, &f->a, &ended, &n, &f->e));
    assert_int_equal(n, 1);
    (void)running;
    commit(f, tx);
}

static void why_it_was_cancelled(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run spent = run_of(f, tx, "spent", 500), stopped = run_of(f, tx, "stopped", 5000);
    struct ended_run *ended;
    size_t n;

    ok(runs_set_status(tx, spent.id, EXPERIMENT_CANCELLED, 1500, &f->e));
    ok(runs_set_status(tx, stopped.id, EXPERIMENT_CANCELLED, 1600, &f->e));
    ok(runs_untold(tx, 8, &f->a, &ended, &n, &f->e));
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ended[i].over_budget, strcmp(ended[i].name, "spent") == 0);
    commit(f, tx);
}

static void messages_are_taken_by_one(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = run_of(f, tx, "mine", 0);
    struct push_subscription one, two;
    struct push_message_row *rows;
    bool added, work;
    size_t n;

    ok(keep(f, tx, NULL, "https://a/1", "auth", &one, &added));
    ok(keep(f, tx, NULL, "https://a/2", "auth", &two, &added));
    ok(push_messages_add(tx, NULL, run.id, "{}", "topic", 1000, &f->e));
    ok(push_messages_add(tx, NULL, run.id, "{\"again\":1}", "topic", 1000, &f->e)); /* replaced */
    ok(push_messages_take(tx, 999, 5000, 8, &f->a, &rows, &n, &f->e));
    assert_int_equal(n, 0);
    ok(push_messages_take(tx, 1000, 5000, 1, &f->a, &rows, &n, &f->e));
    assert_int_equal(n, 1);
    const struct push_message_row *first = rows;
    assert_string_equal(first->text, "{\"again\":1}");
    assert_string_equal(first->topic, "topic");
    assert_string_equal(first->to.auth, "auth");
    assert_int_equal(first->attempts, 1);
    ok(push_messages_take(tx, 1000, 5000, 8, &f->a, &rows, &n, &f->e));
    assert_int_equal(n, 1);
    assert_string_not_equal(rows->id, first->id);
    ok(push_work(tx, 4999, &work, &f->e));
    assert_false(work);

    ok(push_messages_delete(tx, rows->id, &f->e));
    ok(push_messages_later(tx, first->id, 7000, true, &f->e)); /* never tried */
    ok(push_messages_take(tx, 7000, 9000, 8, &f->a, &rows, &n, &f->e));
    assert_int_equal(n, 1);
    assert_int_equal(rows->attempts, 1);
    ok(push_messages_take(tx, 9000, 11000, 8, &f->a, &rows, &n,
                          &f->e)); /* nobody said how it ended */
    assert_int_equal(rows->attempts, 2);
    ok(push_subscriptions_drop(tx, rows->to.id, &f->e)); /* and its messages */
    ok(push_messages_take(tx, 99000, 99999, 8, &f->a, &rows, &n, &f->e));
    assert_int_equal(n, 0);
    commit(f, tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(subscriptions_are_of_one_user), ON_BOTH(there_is_a_most_and_an_end),
        ON_BOTH(an_end_is_told_once),           ON_BOTH(why_it_was_cancelled),
        ON_BOTH(messages_are_taken_by_one),
    };

    return run_on_both("storage_push", tests, sizeof tests / sizeof *tests);
}
