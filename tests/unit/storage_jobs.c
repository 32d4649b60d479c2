/* The state machine of jobs, one step after the other (storage_races.c has many at once). */
#include "storage_jobs.h"

enum { MINUTE = 60000 };

static const char *claim(struct fixture *f, const char *job, const char *worker, int *attempt)
{
    struct tx *tx = write_tx(f);
    struct job_row row;

    ok(jobs_claim(tx, job, worker, clock_unix_ms(), MINUTE, &f->a, &row, &f->e));
    commit(f, tx);
    *attempt = row.attempts;
    return row.key;
}

static void one_job_goes_through(void **state)
{
    struct fixture *f = fixture(state);
    const char *key = key_of(f, "a"), *job, *same, *first, *second;
    struct job_outcome out;
    struct job_row *fed, row;
    size_t count;
    int attempt;

    struct tx *tx = write_tx(f);
    first = wish(f, tx, key, NULL, NULL, &job);
    second = wish(f, tx, key, NULL, NULL, &same);
    assert_string_equal(job, same);
    commit(f, tx);

    tx = write_tx(f);
    ok(jobs_feed(tx, 10, clock_unix_ms(), MINUTE, &f->a, &fed, &count, &f->e));
    assert_int_equal(count, 1);
    assert_string_equal(fed[0].id, job);
    ok(jobs_feed(tx, 10, clock_unix_ms(), MINUTE, &f->a, &fed, &count, &f->e));
    assert_int_equal(count, 0);
    commit(f, tx);

    claim(f, job, "w1", &attempt);
    assert_int_equal(attempt, 1);
    assert_int_equal(generation_at(f, first).status, GENERATION_RUNNING);
    tx = write_tx(f);
    refuses(ERR_CONFLICT, jobs_claim(tx, job, "w2", clock_unix_ms(), MINUTE, &f->a, &row, &f->e));
    tx_rollback(tx);

    struct picture_row picture = a_picture(key);
    tx = write_tx(f);
    refuses(ERR_CONFLICT,
            jobs_succeed(tx, (struct lease){job, "w2", 1}, &picture, 5, &f->a, &out, &f->e));
    tx_rollback(tx);
    tx = write_tx(f);
    ok(jobs_succeed(tx, (struct lease){job, "w1", 1}, &picture, clock_unix_ms(), &f->a, &out,
                    &f->e));
    assert_non_null(out.generations[0]);
    assert_non_null(out.generations[1]);
    assert_null(out.generations[2]);
    assert_int_equal(out.run_count, 0);
    commit(f, tx);

    struct generation g = generation_at(f, second);
    assert_int_equal(g.status, GENERATION_SUCCEEDED);
    assert_string_equal(g.sha256, picture.sha256);
    assert_int_equal(g.bytes, 1234);
    assert_true(g.generated_at > 0);
    tx = begin_tx(f, TX_READ);
    ok(jobs_get(tx, job, &f->a, &row, &f->e));
    assert_int_equal(row.status, JOB_SUCCEEDED);
    tx_rollback(tx);
}

/* ============================== Order ============================== */

static const char *queue_one(struct fixture *f, struct tx *tx, const char *name, const char *user,
                             const char *run, int priority, int64_t position)
{
    struct job_row job = a_job(f, key_of(f, name));
    const char *id;

    job.user_id = user;
    job.run_id = run;
    job.priority = priority;
    job.position = position;
    job.model = name;
    ok(jobs_add(tx, &job, &f->a, &id, &f->e));
    return id;
}

/* The names of what is fed, in order. */
static const char *feed(struct fixture *f, struct tx *tx, int limit, int64_t now, int64_t again)
{
    struct job_row *jobs;
    char *names = arena_strdup(&f->a, "");
    size_t count;

    ok(jobs_feed(tx, limit, now, again, &f->a, &jobs, &count, &f->e));
    for (size_t i = 0; i < count; i++)
        names = arena_printf(&f->a, "%s%s%s", names, i ? " " : "", jobs[i].model);
    return names;
}

static void users_take_turns(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    int64_t place;

    for (int i = 0; i < 5; i++) {
        char name[8];
        snprintf(name, sizeof name, "a%d", i);
        queue_one(f, tx, arena_strdup(&f->a, name), "ann", NULL, PRIORITY_BATCH, i);
    }
    const char *b1 = queue_one(f, tx, "b1", "bob", NULL, PRIORITY_BATCH, 9);
    queue_one(f, tx, "b0", "bob", NULL, PRIORITY_BATCH, 3);
    queue_one(f, tx, "n0", NULL, NULL, PRIORITY_BATCH, 0);
    const char *i0 = queue_one(f, tx, "i0", "ann", NULL, PRIORITY_INTERACTIVE, 0);
    ok(jobs_place(tx, i0, &place, &f->e));
    assert_int_equal(place, 0);
    ok(jobs_place(tx, b1, &place, &f->e)); /* i0; b0; one of ann and one of nobody */
    assert_int_equal(place, 4);
    assert_string_equal(feed(f, tx, 1, 1000, 500), "i0");
    /* ann has one in flight already. */
    assert_string_equal(feed(f, tx, 4, 1000, 500), "n0 b0 a0 b1");
    assert_string_equal(feed(f, tx, 10, 1000, 500), "a1 a2 a3 a4");
    assert_string_equal(feed(f, tx, 10, 1499, 500), "");
    assert_string_equal(feed(f, tx, 2, 1500, 500), "i0 n0"); /* nobody took them */
    tx_rollback(tx);
}

static void what_waits_is_left_out(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 2);
    struct job_row late = a_job(f, key_of(f, "late")), taken;
    const char *id, *in_run;
    bool paused;

    in_run = queue_one(f, tx, "r0", "ann", run.id, PRIORITY_BATCH, 0);
    queue_one(f, tx, "x0", "ann", NULL, PRIORITY_BATCH, 5);
    late.run_after = 5000;
    late.model = "late";
    ok(jobs_add(tx, &late, &f->a, &id, &f->e));
    ok(runs_set_status(tx, run.id, EXPERIMENT_PAUSED, 10, &f->e));
    assert_string_equal(feed(f, tx, 10, 1000, 1), "x0");
    commit(f, tx);
    tx = write_tx(f);
    refuses(ERR_CONFLICT, jobs_claim(tx, in_run, "w", 1000, 10, &f->a, &taken, &f->e));
    refuses(ERR_CONFLICT, jobs_claim(tx, id, "w", 4999, 10, &f->a, &taken, &f->e));
    ok(runs_set_status(tx, run.id, EXPERIMENT_RUNNING, 10, &f->e));
    assert_string_equal(feed(f, tx, 10, 5000, 10000), "late r0"); /* nobody's, then ann's */
    ok(jobs_pause(tx, true, &f->e));
    ok(jobs_paused(tx, &paused, &f->e));
    assert_true(paused);
    assert_string_equal(feed(f, tx, 10, 99000, 0), "");
    refuses(ERR_CONFLICT, jobs_claim(tx, id, "w", 99000, 10, &f->a, &taken, &f->e));
    ok(jobs_pause(tx, false, &f->e));
    ok(jobs_claim(tx, id, "w", 99000, 10, &f->a, &taken, &f->e));
    commit(f, tx);
}

static void many_users_all_have_a_turn(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    enum { USERS = 400 };
    size_t served = 0;

    for (int i = 0; i < USERS; i++) {
        char name[16], user[16];
        snprintf(name, sizeof name, "m%d", i);
        snprintf(user, sizeof user, "%08x", (unsigned)i * 0x9e3779b9u);
        queue_one(f, tx, name, arena_strdup(&f->a, user), NULL, PRIORITY_BATCH, 0);
    }
    for (int i = 0; i < 100 && served < USERS; i++) {
        struct job_row *jobs;
        size_t count;
        ok(jobs_feed(tx, 100, 1000, 5000, &f->a, &jobs, &count, &f->e));
        served += count;
    }
    assert_int_equal(served, USERS);
    tx_rollback(tx);
}

static void equal_wishes_share_the_better_place(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 2);
    struct job_row job;
    const char *batch, *same;

    struct generation g = a_generation(f, key_of(f, "k"));
    g.run_id = run.id;
    ok(generations_insert(tx, &g, 1, &f->e));
    batch = queue_one(f, tx, "k", "ann", run.id, PRIORITY_BATCH, 7);
    queue_one(f, tx, "other", "ann", run.id, PRIORITY_BATCH, 0);
    assert_string_equal(feed(f, tx, 1, 1000, 500), "other");
    ok(runs_set_status(tx, run.id, EXPERIMENT_PAUSED, 10, &f->e));
    (void)wish(f, tx, key_of(f, "k"), NULL, NULL, &same); /* somebody wants it now */
    assert_string_equal(batch, same);
    ok(jobs_get(tx, batch, &f->a, &job, &f->e));
    assert_int_equal(job.priority, PRIORITY_INTERACTIVE);
    assert_null(job.run_id);
    assert_null(job.user_id);
    assert_string_equal(feed(f, tx, 10, 1000, 500), "k");
    commit(f, tx);
}

static void a_paused_run_keeps_nobody_waiting(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run one = a_run(f, tx, 2), two = a_run(f, tx, 1);
    const char *shared, *own, *same;
    struct job_row job;

    (void)wish(f, tx, key_of(f, "s"), one.id, one.experiment_id, &shared);
    (void)wish(f, tx, key_of(f, "o"), one.id, one.experiment_id, &own);
    (void)wish(f, tx, key_of(f, "s"), two.id, two.experiment_id, &same);
    ok(jobs_get(tx, shared, &f->a, &job, &f->e));
    assert_string_equal(job.run_id, one.id);
    ok(runs_set_status(tx, one.id, EXPERIMENT_PAUSED, 10, &f->e));
    ok(jobs_get(tx, shared, &f->a, &job, &f->e));
    assert_string_equal(job.run_id, two.id);
    ok(jobs_get(tx, own, &f->a, &job, &f->e));
    assert_string_equal(job.run_id, one.id);
    commit(f, tx);
}

/* ============================== Leases ============================== */

static void failures_are_repeated_then_dead(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 1), got;
    const char *job, *cell = wish(f, tx, key_of(f, "a"), run.id, run.experiment_id, &job);
    struct job_outcome out;
    struct job_row row, *list;
    const char *next;
    int attempt;
    size_t count;

    commit(f, tx);
    for (int i = 1; i <= 3; i++) {
        claim(f, job, "w", &attempt);
        assert_int_equal(attempt, i);
        tx = write_tx(f);
        ok(jobs_fail(tx, (struct lease){job, "w", i}, true, i, "oom", "no memory", 50, &f->a, &out,
                     &f->e));
        ok(jobs_get(tx, job, &f->a, &row, &f->e));
        assert_int_equal(row.status, i < 3 ? JOB_QUEUED : JOB_FAILED);
        assert_int_equal(row.dead, i == 3);
        assert_int_equal(row.run_after, i < 3 ? i : 0);
        assert_int_equal(out.run_count, i == 3);
        commit(f, tx);
        assert_int_equal(generation_at(f, cell).status,
                         i < 3 ? GENERATION_QUEUED : GENERATION_FAILED);
    }
    assert_true(out.runs[0].ended);
    assert_string_equal(out.runs[0].last_generation, cell);
    assert_int_equal(out.runs[0].failed, 1);
    assert_string_equal(out.generations[0], cell);
    got = run_at(f, run.id);
    assert_int_equal(got.status, EXPERIMENT_FAILED);
    assert_int_equal(got.failed, 1);
    assert_string_equal(generation_at(f, cell).error_code, "oom");

    tx = write_tx(f);
    ok(jobs_list(tx, &(struct job_filter){.status = -1, .priority = -1, .dead = 1}, &f->a, &list,
                 &count, &next, &f->e));
    assert_int_equal(count, 1);
    ok(jobs_requeue(tx, job, 60, &f->e));
    refuses(ERR_NOT_FOUND, jobs_requeue(tx, job, 60, &f->e));
    commit(f, tx);
    got = run_at(f, run.id);
    assert_int_equal(got.status, EXPERIMENT_RUNNING);
    assert_int_equal(got.failed, 0);
    assert_int_equal(generation_at(f, cell).status, GENERATION_QUEUED);
    claim(f, job, "w", &attempt);
    assert_int_equal(attempt, 1);
    tx = write_tx(f);
    ok(jobs_fail(tx, (struct lease){job, "w", 1}, false, 0, "bad", "cannot", 70, &f->a, &out,
                 &f->e)); /* for good, at once */
    assert_true(out.runs[0].ended);
    ok(jobs_dismiss(tx, job, &f->e));
    refuses(ERR_NOT_FOUND, jobs_dismiss(tx, job, &f->e));
    ok(jobs_list(tx, &(struct job_filter){.status = JOB_FAILED, .priority = 10, .dead = 0}, &f->a,
                 &list, &count, &next, &f->e));
    assert_int_equal(count, 1);
    commit(f, tx);
}

static void who_lost_the_lease_changes_nothing(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct picture_row picture = a_picture(key_of(f, "a"));
    struct job_outcome out;
    const char *job, *cell = wish(f, tx, picture.key, NULL, NULL, &job), **ids;
    bool lost[2], cancelled[2];
    struct job_row row;
    size_t count;
    int attempt;

    commit(f, tx);
    claim(f, job, "w1", &attempt);
    tx = write_tx(f);
    ok(jobs_expire(tx, clock_unix_ms(), 0, &f->a, &ids, &count, &out, &f->e));
    assert_int_equal(count, 0);
    ok(jobs_heartbeat(tx, (struct lease[]){{job, "w1", 1}, {"none", "w1", 1}}, 2, clock_unix_ms(),
                      1000, lost, cancelled, &f->e));
    assert_true(!lost[0] && !cancelled[0] && lost[1]);
    ok(jobs_expire(tx, clock_unix_ms() + 2000, 0, &f->a, &ids, &count, &out, &f->e));
    assert_int_equal(count, 1);
    assert_string_equal(ids[0], job);
    commit(f, tx);
    assert_int_equal(generation_at(f, cell).status, GENERATION_QUEUED);
    claim(f, job, "w2", &attempt);
    assert_int_equal(attempt, 2);

    struct lease old = {job, "w1", 1}, wrong = {job, "w2", 1};
    tx = write_tx(f);
    ok(jobs_heartbeat(tx, (struct lease[]){old, wrong}, 2, clock_unix_ms(), 1000, lost, cancelled,
                      &f->e));
    assert_true(lost[0] && lost[1] && !cancelled[0]);
    refuses(ERR_CONFLICT, jobs_succeed(tx, old, &picture, 1, &f->a, &out, &f->e));
    refuses(ERR_CONFLICT, jobs_succeed(tx, wrong, &picture, 1, &f->a, &out, &f->e));
    refuses(ERR_CONFLICT, jobs_fail(tx, old, true, 0, "x", "x", 1, &f->a, &out, &f->e));
    refuses(ERR_CONFLICT, jobs_release(tx, old, 1, &f->e));
    ok(jobs_release(tx, (struct lease){job, "w2", 2}, 1, &f->e));
    ok(jobs_get(tx, job, &f->a, &row, &f->e));
    assert_int_equal(row.attempts, 1);
    assert_int_equal(row.status, JOB_QUEUED);
    commit(f, tx);
    assert_int_equal(generation_at(f, cell).status, GENERATION_QUEUED);
    for (int i = 0; i < 2; i++) { /* to the last attempt */
        claim(f, job, "w", &attempt);
        tx = write_tx(f);
        ok(jobs_expire(tx, clock_unix_ms() + 2 * MINUTE, 0, &f->a, &ids, &count, &out, &f->e));
        commit(f, tx);
    }
    assert_int_equal(generation_at(f, cell).status, GENERATION_FAILED);
    assert_string_equal(generation_at(f, cell).error_code, "worker_lost");
    assert_string_equal(out.generations[0], cell);
}

static void another_picture_is_refused(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct picture_row picture = a_picture(key_of(f, "b"));
    struct job_outcome out;
    const char *job;
    int attempt;

    (void)wish(f, tx, key_of(f, "a"), NULL, NULL, &job);
    commit(f, tx);
    claim(f, job, "w", &attempt);
    tx = write_tx(f);
    refuses(ERR_ARG,
            jobs_succeed(tx, (struct lease){job, "w", 1}, &picture, 1, &f->a, &out, &f->e));
    tx_rollback(tx);
}

/* ============================== Wishes taken back ============================== */

static void a_job_ends_with_its_last_wish(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 1), got;
    const char *job, *cell, *mine;
    struct job_outcome out;
    struct job_row row;
    bool lost, cancelled;
    int attempt;

    cell = wish(f, tx, key_of(f, "a"), run.id, run.experiment_id, &job);
    mine = wish(f, tx, key_of(f, "a"), NULL, NULL, &job);
    commit(f, tx);
    claim(f, job, "w", &attempt);
    tx = write_tx(f);
    ok(jobs_cancel_generation(tx, mine, 5, &f->a, &out, &f->e));
    assert_string_equal(out.generations[0], mine);
    refuses(ERR_CONFLICT, jobs_cancel_generation(tx, mine, 5, &f->a, &out, &f->e));
    refuses(ERR_NOT_FOUND, jobs_cancel_generation(tx, "none", 5, &f->a, &out, &f->e));
    ok(jobs_get(tx, job, &f->a, &row, &f->e));
    assert_int_equal(row.status, JOB_RUNNING);
    assert_string_equal(row.run_id, run.id); /* it belongs to who still waits */
    ok(jobs_cancel_generation(tx, cell, 5, &f->a, &out, &f->e));
    assert_true(out.runs[0].ended);
    ok(jobs_get(tx, job, &f->a, &row, &f->e));
    assert_int_equal(row.status, JOB_CANCELLED);
    ok(jobs_heartbeat(tx, &(struct lease){job, "w", 1}, 1, 5, 5, &lost, &cancelled, &f->e));
    assert_true(cancelled && !lost);
    commit(f, tx);
    got = run_at(f, run.id);
    assert_int_equal(got.status, EXPERIMENT_CANCELLED);
    assert_int_equal(got.cancelled, 1);

    tx = write_tx(f);
    const char *again = NULL;
    ok(jobs_retry_generation(tx, cell, 6, &f->a, &again, &f->e));
    assert_string_not_equal(again, job);
    refuses(ERR_CONFLICT, jobs_retry_generation(tx, cell, 6, &f->a, &again, &f->e));
    commit(f, tx);
    got = run_at(f, run.id);
    assert_int_equal(got.status, EXPERIMENT_RUNNING);
    assert_int_equal(got.cancelled, 0);
}

static void a_run_is_cancelled_whole(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 3), got;
    const char *jobs[3], *shared;
    struct job_outcome out;
    struct job_row row;

    for (int i = 0; i < 3; i++) {
        char name[4];
        snprintf(name, sizeof name, "%d", i);
        (void)wish(f, tx, key_of(f, name), run.id, run.experiment_id, &jobs[i]);
    }
    const char *mine = wish(f, tx, key_of(f, "1"), NULL, NULL, &shared);
    ok(jobs_cancel_run(tx, run.id, 9, &f->a, &out, &f->e));
    assert_int_equal(out.run_count, 1);
    assert_true(out.runs[0].ended);
    assert_int_equal(out.runs[0].cancelled, 3);
    ok(jobs_cancel_run(tx, run.id, 9, &f->a, &out, &f->e));
    assert_int_equal(out.run_count, 0);
    commit(f, tx);
    got = run_at(f, run.id);
    assert_int_equal(got.status, EXPERIMENT_CANCELLED);
    tx = begin_tx(f, TX_READ);
    for (int i = 0; i < 3; i++) {
        ok(jobs_get(tx, jobs[i], &f->a, &row, &f->e));
        assert_int_equal(row.status, i == 1 ? JOB_QUEUED : JOB_CANCELLED);
        if (i == 1)
            assert_null(row.run_id);
    }
    tx_rollback(tx);
    assert_int_equal(generation_at(f, mine).status, GENERATION_QUEUED);
    tx = write_tx(f);
    ok(jobs_cancel(tx, shared, 9, &f->a, &out, &f->e));
    assert_string_equal(out.generations[0], mine);
    refuses(ERR_CONFLICT, jobs_cancel(tx, shared, 9, &f->a, &out, &f->e));
    refuses(ERR_NOT_FOUND, jobs_cancel(tx, "none", 9, &f->a, &out, &f->e));
    commit(f, tx);
    assert_int_equal(generation_at(f, mine).status, GENERATION_CANCELLED);
}

static void deleting_a_wish_ends_its_job(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 2), got;
    const char *job, *cell = wish(f, tx, key_of(f, "a"), run.id, run.experiment_id, &job);
    const char *other, *left = wish(f, tx, key_of(f, "b"), run.id, run.experiment_id, &other);
    struct job_row row;

    (void)left;
    ok(generations_delete(tx, cell, &f->e));
    ok(jobs_get(tx, job, &f->a, &row, &f->e));
    assert_int_equal(row.status, JOB_CANCELLED);
    commit(f, tx);
    got = run_at(f, run.id);
    assert_int_equal(got.total, 1);
    assert_int_equal(got.cancelled, 0);
    assert_int_equal(got.status, EXPERIMENT_RUNNING);
}

/* ============================== Pictures that exist ============================== */

static void a_late_wish_finds_the_picture(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 1), got;
    struct picture_row picture = a_picture(key_of(f, "a"));
    bool existed;
    const char *job = "x";

    ok(images_insert(tx, &picture, &existed, &f->e));
    const char *cell = wish(f, tx, picture.key, run.id, run.experiment_id, &job);
    assert_null(job);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM jobs"), 0);
    commit(f, tx);
    struct generation g = generation_at(f, cell);
    assert_int_equal(g.status, GENERATION_SUCCEEDED);
    assert_true(g.reused);
    assert_true(g.seconds == 2.5);
    got = run_at(f, run.id);
    assert_int_equal(got.completed, 1);
    assert_int_equal(got.reused, 1);
    assert_true(got.seconds_drawing == 0);
    assert_int_equal(got.status, EXPERIMENT_COMPLETED);
}

static void drawn_anew_replaces_the_picture(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct picture_row picture = a_picture(key_of(f, "a"));
    struct job_row job = a_job(f, picture.key);
    struct generation old = a_generation(f, picture.key), g = a_generation(f, picture.key), got;
    struct job_outcome out;
    const char *id;
    bool existed;
    int attempt;

    ok(images_insert(tx, &picture, &existed, &f->e));
    old.status = GENERATION_SUCCEEDED;
    ok(generations_insert(tx, &old, 1, &f->e));
    ok(generations_insert(tx, &g, 1, &f->e));
    job.redraw = true;
    ok(jobs_add(tx, &job, &f->a, &id, &f->e));
    assert_string_equal(id, job.id);
    commit(f, tx);
    claim(f, id, "w", &attempt);
    picture.sha256 = "ffbbccddeeff00112233445566778899aabbccddeeff00112233445566778899";
    picture.seconds = 9;
    tx = write_tx(f);
    ok(jobs_succeed(tx, (struct lease){id, "w", 1}, &picture, 1, &f->a, &out, &f->e));
    assert_int_equal(number(f, tx,
                            "SELECT count(*) FROM generations WHERE seconds = 9 AND "
                            "file_path LIKE 'ff/bb/ffbbccdd%'"),
                     2);
    commit(f, tx);
    got = generation_at(f, old.id);
    assert_string_equal(got.sha256, picture.sha256);
    assert_true(got.seconds == 9);
}

static void what_is_stuck_is_repaired(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 2), got;
    struct picture_row picture = a_picture(key_of(f, "drawn"));
    struct generation drawn = a_generation(f, picture.key),
                      lost = a_generation(f, key_of(f, "lost"));
    struct job_outcome out;
    struct job_row *list;
    const char *next;
    size_t repaired, count;
    bool existed;

    drawn.run_id = lost.run_id = run.id;
    lost.status = GENERATION_RUNNING;
    ok(images_insert(tx, &picture, &existed, &f->e));
    ok(generations_insert(tx, &drawn, 1, &f->e));
    ok(generations_insert(tx, &lost, 1, &f->e));
    ok(jobs_repair(tx, 50, 100, &f->a, &repaired, &out, &f->e));
    assert_int_equal(repaired, 2);
    assert_string_equal(out.generations[0], drawn.id);
    assert_null(out.generations[1]);
    ok(jobs_repair(tx, 50, 100, &f->a, &repaired, &out, &f->e));
    assert_int_equal(repaired, 0);
    ok(jobs_list(tx, &(struct job_filter){.status = JOB_QUEUED, .priority = -1, .dead = -1}, &f->a,
                 &list, &count, &next, &f->e));
    assert_int_equal(count, 1);
    assert_string_equal(list[0].key, lost.key);
    assert_string_equal(list[0].recipe, lost.parameters);
    commit(f, tx);
    assert_int_equal(generation_at(f, drawn.id).status, GENERATION_SUCCEEDED);
    assert_int_equal(generation_at(f, lost.id).status, GENERATION_QUEUED);
    got = run_at(f, run.id);
    assert_int_equal(got.completed, 1);
}

static void a_requeued_job_may_be_drawn_already(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct picture_row picture = a_picture(key_of(f, "a"));
    struct job_outcome out;
    const char *job, *cell = wish(f, tx, picture.key, NULL, NULL, &job);
    int attempt;
    bool existed;

    commit(f, tx);
    claim(f, job, "w", &attempt);
    tx = write_tx(f);
    ok(jobs_fail(tx, (struct lease){job, "w", 1}, false, 0, "x", "x", 1, &f->a, &out, &f->e));
    ok(images_insert(tx, &picture, &existed, &f->e));
    ok(jobs_requeue(tx, job, 5, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM jobs WHERE dead = 1"), 0);
    commit(f, tx);
    assert_int_equal(generation_at(f, cell).status, GENERATION_SUCCEEDED);
}

static void a_requeued_job_joins_a_live_one(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct job_outcome out;
    const char *job, *other, *cell = wish(f, tx, key_of(f, "a"), NULL, NULL, &job);
    int attempt;

    commit(f, tx);
    claim(f, job, "w", &attempt);
    tx = write_tx(f);
    ok(jobs_fail(tx, (struct lease){job, "w", 1}, false, 0, "x", "x", 1, &f->a, &out, &f->e));
    (void)wish(f, tx, key_of(f, "a"), NULL, NULL, &other);
    assert_string_not_equal(job, other);
    ok(jobs_requeue(tx, job, 5, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM jobs WHERE status = 'queued'"), 1);
    commit(f, tx);
    assert_int_equal(generation_at(f, cell).status, GENERATION_QUEUED);
}

/* ============================== Views ============================== */

static void depth_and_priority(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct queue_depth depth;
    struct job_row job, *list;
    const char *next = NULL;
    size_t count, all = 0;
    int attempt;
    int64_t place;

    const char *a = queue_one(f, tx, "a", NULL, NULL, PRIORITY_BATCH, 0);
    const char *b = queue_one(f, tx, "b", NULL, NULL, PRIORITY_INTERACTIVE, 0);
    struct job_row late = a_job(f, key_of(f, "late"));
    const char *id;
    late.run_after = clock_unix_ms() + 100000;
    ok(jobs_add(tx, &late, &f->a, &id, &f->e));
    ok(jobs_set_priority(tx, a, PRIORITY_INTERACTIVE, &f->e));
    refuses(ERR_NOT_FOUND, jobs_set_priority(tx, "none", 1, &f->e));
    commit(f, tx);
    claim(f, b, "w", &attempt);
    tx = write_tx(f);
    refuses(ERR_CONFLICT, jobs_set_priority(tx, b, 1, &f->e));
    ok(jobs_place(tx, b, &place, &f->e));
    assert_int_equal(place, -1);
    refuses(ERR_NOT_FOUND, jobs_place(tx, "none", &place, &f->e));
    refuses(ERR_NOT_FOUND, jobs_get(tx, "none", &f->a, &job, &f->e));
    ok(jobs_depth(tx, &depth, &f->e));
    assert_int_equal(depth.queued, 2);
    assert_int_equal(depth.running, 1);
    assert_int_equal(depth.interactive, 1);
    assert_int_equal(depth.delayed, 1);
    assert_int_equal(depth.dead, 0);
    assert_true(depth.oldest_ms > 0);
    do {
        ok(jobs_list(tx,
                     &(struct job_filter){
                         .status = -1, .priority = -1, .dead = -1, .limit = 2, .cursor = next},
                     &f->a, &list, &count, &next, &f->e));
        all += count;
    } while (next);
    assert_int_equal(all, 3);
    tx_rollback(tx);
}

static void what_ended_long_ago_is_removed(void **state)
{
    enum { DRAWN, CANCELLED, DEAD, DISMISSED, WAITING, RUNNING, YOUNG, COUNT };
    static const char *const names[COUNT] = {"a", "b", "c", "d", "e", "f", "g"};
    static const bool stays[COUNT] = {
        [DEAD] = true, [WAITING] = true, [RUNNING] = true, [YOUNG] = true};
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    int64_t before = clock_unix_ms() + 86400000;
    const char *jobs[COUNT], *drawn = NULL;
    struct picture_row picture = a_picture(key_of(f, names[DRAWN]));
    struct job_outcome out;
    struct job_row row;
    size_t removed, all = 0;
    int attempt;

    for (int i = 0; i < COUNT; i++) {
        const char *g = wish(f, tx, key_of(f, names[i]), NULL, NULL, &jobs[i]);
        drawn = i == DRAWN ? g : drawn;
    }
    commit(f, tx);
    for (int i = DRAWN; i < COUNT; i++)
        if (i != CANCELLED && i != WAITING && i != YOUNG)
            claim(f, jobs[i], "w", &attempt);
    tx = write_tx(f);
    ok(jobs_succeed(tx, (struct lease){jobs[DRAWN], "w", 1}, &picture, 70, &f->a, &out, &f->e));
    ok(jobs_cancel(tx, jobs[CANCELLED], 70, &f->a, &out, &f->e));
    ok(jobs_cancel(tx, jobs[YOUNG], before, &f->a, &out, &f->e));
    for (int i = DEAD; i <= DISMISSED; i++)
        ok(jobs_fail(tx, (struct lease){jobs[i], "w", 1}, false, 0, "bad", "cannot", 70, &f->a,
                     &out, &f->e));
    ok(jobs_dismiss(tx, jobs[DISMISSED], &f->e));
    ok(jobs_prune(tx, clock_unix_ms() - 86400000, 10, &removed, &f->e)); /* made after that */
    assert_int_equal(removed, 0);
    do { /* in pieces */
        ok(jobs_prune(tx, before, 2, &removed, &f->e));
        assert_in_range(removed, 0, 2);
        all += removed;
    } while (removed);
    assert_int_equal(all, 3);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(jobs_get(tx, jobs[i], &f->a, &row, &f->e), stays[i] ? 0 : ERR_NOT_FOUND);
    commit(f, tx);
    assert_int_equal(generation_at(f, drawn).status, GENERATION_SUCCEEDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(one_job_goes_through),
        ON_BOTH(users_take_turns),
        ON_BOTH(what_waits_is_left_out),
        ON_BOTH(many_users_all_have_a_turn),
        ON_BOTH(equal_wishes_share_the_better_place),
        ON_BOTH(a_paused_run_keeps_nobody_waiting),
        ON_BOTH(failures_are_repeated_then_dead),
        ON_BOTH(who_lost_the_lease_changes_nothing),
        ON_BOTH(another_picture_is_refused),
        ON_BOTH(a_job_ends_with_its_last_wish),
        ON_BOTH(a_run_is_cancelled_whole),
        ON_BOTH(deleting_a_wish_ends_its_job),
        ON_BOTH(a_late_wish_finds_the_picture),
        ON_BOTH(drawn_anew_replaces_the_picture),
        ON_BOTH(what_is_stuck_is_repaired),
        ON_BOTH(a_requeued_job_may_be_drawn_already),
        ON_BOTH(a_requeued_job_joins_a_live_one),
        ON_BOTH(depth_and_priority),
        ON_BOTH(what_ended_long_ago_is_removed),
    };
    return run_on_both("storage_jobs", tests, sizeof tests / sizeof *tests);
}
