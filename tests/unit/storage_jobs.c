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

int main(void)
{
    const struct CMUnitTest tests[] = {ON_BOTH(one_job_goes_through)};
    return cmocka_run_group_tests_name("storage_jobs", tests, NULL, NULL);
}
