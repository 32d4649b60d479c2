/* The worker: every job ends once, whatever happens to it on the way. */
#include "test.h"

#include "../jobs/workshop.h"
#include "base/clock.h"
#include "base/json.h"

#include <unistd.h>

static struct err e;

static struct workshop w;

/* The state is not NULL: over the servers that the environment names. */
static int setup(void **state)
{
    workshop_open(&w, *state != NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    workshop_close(&w);
    return 0;
}

static void wait_begun(int n)
{
    while (atomic_load(&w.fake.begun) < n)
        usleep(1000);
}

static void wait_sql(const char *sql, int64_t value)
{
    while (workshop_sql(&w, sql) != value)
        usleep(2000);
}

/* ==== drawing ==== */

static int finished;

static void on_finished(void *user, const struct draw_result *r, const struct job_row *job)
{
    assert_ptr_equal(user, &w);
    assert_string_equal(job->model, "fake");
    finished += r->seconds > 0;
}

static void check_file(const char *sha256)
{
    struct arena a = {0};
    struct image_meta meta = {0};
    struct image im = {0};
    struct recipe r;
    struct str bytes;

    assert_int_equal(blob_get(w.blobs, sha256, 1 << 20, &a, &bytes, &e), 0);
    assert_int_equal(image_decode(bytes.p, bytes.n, &im, &meta, &e), 0);
    assert_int_equal(im.width, 16);
    assert_non_null(strstr(meta.parameters, "Seed: 3"));
    assert_int_equal(recipe_parse(str_from(meta.recipe), &a, &r, &e), 0);
    assert_string_equal(r.prompt, "a cat");
    image_meta_release(&meta);
    image_release(&im);
    arena_release(&a);
}

static void test_draws(void **state)
{
    struct worker_status status;

    (void)state;
    finished = 0;
    w.options.finished = on_finished;
    w.options.user = &w;
    w.fake.step_ms = 1;
    struct generation *rows = workshop_submit(&w, "a cat", 1, 40);
    workshop_start(&w);
    workshop_wait(&w);
    assert_int_equal(atomic_load(&w.fake.pictures), 40);
    struct generation g = workshop_get(&w, rows[2].id);
    assert_int_equal(g.status, GENERATION_SUCCEEDED);
    assert_int_equal(g.attempts, 1);
    assert_string_equal(g.format, "png");
    assert_non_null(g.measures);
    assert_true(g.seconds > 0);
    check_file(g.sha256);
    assert_true(atomic_load(&w.fake.most) > 1); /* they shared steps */
    assert_true(atomic_load(&w.fake.most) <= w.options.batch);
    workshop_stop(&w, 1);
    assert_int_equal(finished, 40);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM jobs WHERE status = 'succeeded'"), 40);
    (void)status;
}

static void test_status(void **state)
{
    struct worker_status status;

    (void)state;
    workshop_submit(&w, "a cat", 1, 5);
    workshop_submit(&w, "format", 1, 1);
    workshop_start(&w);
    workshop_wait(&w);
    do
        worker_status(w.worker, &status);
    while (status.finished < 5 || status.failed < 1);
    assert_int_equal(status.slots, 1);
    assert_int_equal(status.retried, 0);
    assert_int_equal(status.lost, 0);
    assert_true(status.steps_per_second > 0);
    json_t *seen;
    while (!json_array_size(seen = workers_seen(&w.submitter))) {
        json_decref(seen);
        usleep(2000);
    }
    assert_string_equal(json_text(json_array_get(seen, 0), "id", ""), status.name);
    assert_non_null(json_object_get(json_array_get(seen, 0), "seen_at"));
    json_decref(seen);
}

static void test_no_device(void **state)
{
    struct worker *none = NULL;

    (void)state;
    w.options.device = "cuda";
    assert_int_equal(worker_start(&w.options, &none, &e), ERR_UNSUPPORTED);
    assert_null(none);
}

static void test_feeder_alone(void **state)
{
    if (*state)
        return; /* a shared queue is fed */
    w.options.draw = false;
    workshop_submit(&w, "x", 1, 3);
    workshop_start(&w);
    usleep(100000);
    workshop_stop(&w, 0);
    /* Nobody takes from this queue, so nothing was put into it. */
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM jobs WHERE handed_at > 0"), 0);
}

/* ==== errors ==== */

static void test_retries(void **state)
{
    (void)state;
    workshop_start(&w);
    struct generation *twice = workshop_submit(&w, "io 2", 1, 1),
                      *ever = workshop_submit(&w, "io 99", 2, 1),
                      *never = workshop_submit(&w, "format", 3, 1);
    workshop_wait(&w);
    struct generation g = workshop_get(&w, twice[0].id);
    assert_int_equal(g.status, GENERATION_SUCCEEDED);
    assert_int_equal(g.attempts, 3);
    g = workshop_get(&w, ever[0].id);
    assert_int_equal(g.status, GENERATION_FAILED);
    assert_int_equal(g.attempts, 5);
    assert_string_equal(g.error_code, "io");
    assert_string_equal(g.error, "made to fail");
    g = workshop_get(&w, never[0].id);
    assert_int_equal(g.status, GENERATION_FAILED);
    assert_int_equal(g.attempts, 1);
    assert_string_equal(g.error_code, "format");
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM jobs WHERE dead = 1"), 2);
    /* From the start, when somebody wants. */
    atomic_store(&w.fake.failures[2], 98);
    assert_int_equal(retry_generation(&w.submitter, ever[0].id, &e), 0);
    workshop_wait(&w);
    g = workshop_get(&w, ever[0].id);
    assert_int_equal(g.status, GENERATION_SUCCEEDED);
    assert_int_equal(retry_generation(&w.submitter, ever[0].id, &e), ERR_CONFLICT);
}

static void test_retry_run(void **state)
{
    int64_t count;

    (void)state;
    workshop_start(&w);
    const char *run = workshop_run(&w, "io 5", 1, 3);
    workshop_wait(&w);
    assert_int_equal(workshop_get_run(&w, run).failed, 3);
    assert_int_equal(retry_run(&w.submitter, run, &count, &e), 0);
    assert_int_equal(count, 3);
    workshop_wait(&w);
    struct run r = workshop_get_run(&w, run);
    assert_int_equal(r.failed, 0);
    assert_int_equal(r.completed, 3);
    assert_int_equal(r.status, EXPERIMENT_COMPLETED);
}

/* ==== cancel, pause ==== */

static void test_cancel(void **state)
{
    (void)state;
    atomic_store(&w.fake.hold, true);
    workshop_start(&w);
    struct generation *rows = workshop_submit(&w, "x", 1, 2);
    wait_begun(2);
    assert_int_equal(cancel_generation(&w.submitter, rows[0].id, &e), 0);
    assert_int_equal(workshop_get(&w, rows[0].id).status, GENERATION_CANCELLED);
    atomic_store(&w.fake.hold, false);
    workshop_wait(&w);
    assert_int_equal(workshop_get(&w, rows[0].id).status, GENERATION_CANCELLED);
    assert_int_equal(workshop_get(&w, rows[1].id).status, GENERATION_SUCCEEDED);
    workshop_stop(&w, 1);
    assert_int_equal(workshop_count(&w, GENERATION_CANCELLED), 1);
    assert_int_equal(workshop_count(&w, GENERATION_SUCCEEDED), 1);
}

static void test_cancel_run(void **state)
{
    (void)state;
    atomic_store(&w.fake.hold, true);
    workshop_start(&w);
    const char *run = workshop_run(&w, "x", 1, 30);
    wait_begun(2);
    assert_int_equal(cancel_run(&w.submitter, run, &e), 0);
    struct run r = workshop_get_run(&w, run);
    assert_int_equal(r.cancelled, 30);
    assert_int_equal(r.completed, 0);
    /* The device is free again without any step being made. */
    struct worker_status status;
    do
        worker_status(w.worker, &status);
    while (status.busy);
    assert_int_equal(atomic_load(&w.fake.pictures), 0);
}

static void test_pause_run(void **state)
{
    (void)state;
    atomic_store(&w.fake.hold, true);
    workshop_start(&w);
    const char *run = workshop_run(&w, "x", 1, 10);
    wait_begun(2);
    assert_int_equal(pause_run(&w.submitter, run, true, &e), 0);
    wait_sql("SELECT count(*) FROM jobs WHERE status = 'queued' AND attempts = 0", 10);
    atomic_store(&w.fake.hold, false);
    /* Others are drawn meanwhile. */
    struct generation *other = workshop_submit(&w, "y", 1, 1);
    while (workshop_get(&w, other[0].id).status != GENERATION_SUCCEEDED)
        usleep(2000);
    assert_int_equal(atomic_load(&w.fake.pictures), 1);
    assert_int_equal(pause_run(&w.submitter, run, false, &e), 0);
    workshop_wait(&w);
    assert_int_equal(workshop_get_run(&w, run).completed, 10);
}

static void test_pause_queue(void **state)
{
    (void)state;
    atomic_store(&w.fake.hold, true);
    workshop_start(&w);
    workshop_submit(&w, "x", 1, 10);
    wait_begun(2);
    assert_int_equal(pause_queue(&w.submitter, true, &e), 0);
    wait_sql("SELECT count(*) FROM jobs WHERE status = 'queued'", 10);
    atomic_store(&w.fake.hold, false);
    usleep(50000);
    assert_int_equal(atomic_load(&w.fake.pictures), 0);
    assert_int_equal(pause_queue(&w.submitter, false, &e), 0);
    workshop_wait(&w);
    assert_int_equal(atomic_load(&w.fake.pictures), 10);
}

/* ==== stopping, dying ==== */

static void test_stop_hands_back(void **state)
{
    (void)state;
    atomic_store(&w.fake.hold, true);
    workshop_start(&w);
    workshop_submit(&w, "x", 1, 10);
    wait_begun(3);
    workshop_stop(&w, 0);
    assert_int_equal(
        workshop_sql(&w, "SELECT count(*) FROM jobs WHERE status = 'queued' AND attempts = 0"), 10);
    assert_int_equal(workshop_count(&w, GENERATION_QUEUED), 10);
    atomic_store(&w.fake.hold, false);
    workshop_start(&w);
    workshop_wait(&w);
    assert_int_equal(atomic_load(&w.fake.pictures), 10);
}

static void test_stop_finishes(void **state)
{
    (void)state;
    w.fake.step_ms = 20;
    workshop_start(&w);
    workshop_submit(&w, "x", 1, 4);
    wait_begun(4);
    usleep(30000);
    workshop_stop(&w, 60);
    assert_int_equal(workshop_count(&w, GENERATION_SUCCEEDED), 4);
}

static void execute(const char *sql)
{
    struct tx *tx;

    assert_int_equal(tx_begin(w.db, TX_WRITE, &tx, &e), 0);
    assert_int_equal(tx_exec(tx, sql, DB_NONE, NULL, &e), 0);
    assert_int_equal(tx_commit(tx, &e), 0);
}

static void test_lost_lease(void **state)
{
    (void)state;
    atomic_store(&w.fake.hold, true);
    workshop_start(&w);
    workshop_submit(&w, "x", 1, 1);
    wait_begun(1);
    /* Somebody else has it by now. */
    execute("UPDATE jobs SET worker = 'another', attempts = 2");
    struct worker_status status;
    do
        worker_status(w.worker, &status);
    while (status.busy); /* noticed by the heartbeat */
    atomic_store(&w.fake.hold, false);
    workshop_stop(&w, 1);
    assert_int_equal(atomic_load(&w.fake.pictures), 0);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM jobs WHERE worker = 'another' AND "
                                      "attempts = 2 AND status = 'running'"),
                     1);
}

static void test_dead_worker(void **state)
{
    struct generation *rows = workshop_submit(&w, "x", 1, 1);
    struct job_row job;
    struct job_row *fed;
    size_t n;
    struct tx *tx;

    (void)state;
    assert_int_equal(tx_begin(w.db, TX_WRITE, &tx, &e), 0);
    assert_int_equal(jobs_feed(tx, 10, clock_unix_ms(), 1000, &w.a, &fed, &n, &e), 0);
    assert_int_equal(n, 1);
    assert_int_equal(jobs_claim(tx, fed[0].id, "dead", clock_unix_ms(), 50, &w.a, &job, &e), 0);
    assert_int_equal(tx_commit(tx, &e), 0);
    workshop_start(&w);
    workshop_wait(&w);
    struct generation g = workshop_get(&w, rows[0].id);
    assert_int_equal(g.status, GENERATION_SUCCEEDED);
    assert_int_equal(g.attempts, 2);
}

/* Two workers, each with a queue of its own or one for both: nothing is drawn twice. */
static void test_two_workers(void **state)
{
    struct submitter other = w.submitter;
    struct worker_options o = w.options;
    struct worker *second;

    (void)state;
    assert_int_equal(queue_open(w.queue_url, &other.queue, &e), 0);
    assert_int_equal(submitter_open(&other, &e), 0);
    o.submitter = &other;
    w.fake.step_ms = 1;
    assert_int_equal(worker_start(&o, &second, &e), 0);
    workshop_start(&w);
    const char *run = workshop_run(&w, "x", 1, 100);
    workshop_wait(&w);
    worker_stop(second, 1);
    submitter_close(&other);
    queue_close(other.queue);
    assert_int_equal(atomic_load(&w.fake.pictures), 100);
    struct run r = workshop_get_run(&w, run);
    assert_int_equal(r.completed, 100);
    assert_int_equal(r.status, EXPERIMENT_COMPLETED);
}

static void test_budget(void **state)
{
    (void)state;
    atomic_store(&w.fake.hold, true);
    workshop_start(&w);
    const char *run = workshop_run(&w, "x", 1, 10);
    wait_begun(1);
    execute("UPDATE experiment_runs SET budget_ms = 1");
    workshop_wait(&w);
    assert_int_equal(workshop_get_run(&w, run).cancelled, 10);
}

/* ==== order ==== */

static void test_models(void **state)
{
    struct wish wishes[24] = {0};
    struct generation *rows;

    (void)state;
    for (int i = 0; i < 24; i++)
        wishes[i] = (struct wish){.parameters = json_pack("{s:s, s:i, s:s}", "prompt", "x", "seed",
                                                          i, "model", i % 2 ? "other" : "fake"),
                                  .position = i};
    assert_int_equal(submit(&w.submitter, wishes, 24, &w.a, &rows, NULL, NULL, &e), 0);
    w.options.batch = 12;
    w.fake.step_ms = 1;
    atomic_store(&w.fake.hold, true);
    workshop_start(&w);
    /* 18 are claimed, 9 of each model in turn; those of one model are in the batch. */
    wait_sql("SELECT count(*) FROM jobs WHERE status = 'running'", 18);
    wait_begun(FAKE_BATCH);
    assert_int_equal(atomic_load(&w.fake.loads), 1);
    atomic_store(&w.fake.hold, false);
    workshop_wait(&w);
    assert_int_equal(atomic_load(&w.fake.pictures), 24);
    assert_true(atomic_load(&w.fake.loads) >= 2);
    assert_int_equal(atomic_load(&w.fake.strangers), 0);
    for (int i = 0; i < 24; i++)
        json_decref((json_t *)wishes[i].parameters);
}

/* Of another size it cannot join the batch, but its model is open: it goes before another model. */
static void test_open_model(void **state)
{
    static const char *const models[] = {"fake", "other", "fake"};
    static const int widths[] = {16, 16, 32};
    struct wish wishes[3] = {0};
    struct generation *rows;

    (void)state;
    for (int i = 0; i < 3; i++)
        wishes[i] = (struct wish){.parameters = json_pack("{s:s, s:s, s:i}", "prompt", "x", "model",
                                                          models[i], "width", widths[i]),
                                  .position = i};
    w.fake.step_ms = 10;
    atomic_store(&w.fake.hold, true);
    workshop_start(&w);
    for (int i = 0; i < 3; i++) { /* claimed in this order */
        assert_int_equal(submit(&w.submitter, &wishes[i], 1, &w.a, &rows, NULL, NULL, &e), 0);
        while (workshop_sql(&w, "SELECT count(*) FROM jobs WHERE status = 'running'") <= i)
            usleep(1000);
    }
    atomic_store(&w.fake.hold, false);
    workshop_wait(&w);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM images a, images b WHERE a.width = 32 "
                                      "AND b.width = 16 AND b.created_at > a.created_at"),
                     1);
    assert_int_equal(atomic_load(&w.fake.strangers), 0);
    for (int i = 0; i < 3; i++)
        json_decref((json_t *)wishes[i].parameters);
}

static void test_priority(void **state)
{
    (void)state;
    w.fake.step_ms = 2;
    workshop_start(&w);
    workshop_run(&w, "batch", 1, 200);
    wait_begun(1);
    struct generation *now = workshop_submit(&w, "now", 1, 1);
    while (workshop_get(&w, now[0].id).status != GENERATION_SUCCEEDED)
        usleep(1000);
    assert_true(workshop_count(&w, GENERATION_SUCCEEDED) < 150);
}

/* ==== events ==== */

static void test_progress(void **state)
{
    (void)state;
    w.fake.step_ms = 5;
    workshop_start(&w);
    double start = clock_seconds();
    const char *run = workshop_run(&w, "x", 1, 60);
    workshop_wait(&w);
    char name[80];
    struct run r = workshop_get_run(&w, run);
    snprintf(name, sizeof name, "experiment:%s:progress", r.experiment_id);
    json_t *last;
    while (json_int(last = workshop_told(&w, name), "completed", 0) < 60) {
        json_decref(last);
        usleep(5000);
    }
    double seconds = clock_seconds() - start;
    assert_string_equal(json_text(last, "status", ""), "completed");
    assert_string_equal(json_text(last, "run_id", ""), run);
    assert_int_equal(json_int(last, "total", 0), 60);
    assert_int_equal(json_int(last, "number", 0), 1);
    assert_true(json_int(last, "sequence", 0) > 0);
    json_t *image = json_object_get(last, "latest_image");
    assert_string_equal(workshop_get(&w, json_text(image, "generation_id", "")).run_id, run);
    json_decref(last);
    int events = workshop_told_count(&w, name, "user:nobody");
    assert_true(events >= 1 && events <= 2 + (int)(seconds * 10));
    snprintf(name, sizeof name, "experiment:%s:cell", r.experiment_id);
    while (workshop_told_count(&w, name, NULL) < 60)
        usleep(5000);
    assert_true(workshop_told_count(&w, "queue:changed", "queue") >= 1);
}

static void test_previews(void **state)
{
    char name[80];

    (void)state;
    atomic_store(&w.fake.hold, true);
    w.fake.step_ms = 5;
    struct generation *rows = workshop_submit(&w, "x", 1, 1);
    bus_watch(w.submitter.bus, rows[0].id, 60);
    workshop_start(&w);
    snprintf(name, sizeof name, "generation:%s:progress", rows[0].id);
    bool seen = false;
    while (!seen) {
        json_decref(workshop_told(&w, name));
        pthread_mutex_lock(&w.lock);
        for (const struct told *t = w.told; t; t = t->next)
            seen |= strcmp(t->name, name) == 0 && t->attached > 0 &&
                    strstr(t->data, "\"_placeholder\":true");
        pthread_mutex_unlock(&w.lock);
        usleep(2000);
    }
    atomic_store(&w.fake.hold, false);
    workshop_wait(&w);
    snprintf(name, sizeof name, "generation:%s:done", rows[0].id);
    json_t *done = workshop_told(&w, name);
    assert_string_equal(json_text(done, "status", ""), "succeeded");
    json_decref(done);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_draws),        TEST(test_status),          TEST(test_no_device),
        TEST(test_feeder_alone), TEST(test_retries),         TEST(test_retry_run),
        TEST(test_cancel),       TEST(test_cancel_run),      TEST(test_pause_run),
        TEST(test_pause_queue),  TEST(test_stop_hands_back), TEST(test_stop_finishes),
        TEST(test_lost_lease),   TEST(test_dead_worker),     TEST(test_two_workers),
        TEST(test_budget),       TEST(test_models),          TEST(test_open_model),
        TEST(test_priority),     TEST(test_progress),        TEST(test_previews),
    };
    enum { COUNT = sizeof tests / sizeof *tests };
    struct CMUnitTest all[2 * COUNT];
    size_t n = COUNT;

    memcpy(all, tests, sizeof tests);
    if (!workshop_servers())
        print_message("# SKIP the same with CAULDRON_TEST_POSTGRES, CAULDRON_TEST_REDIS\n");
    for (size_t i = 0; workshop_servers() && i < COUNT; i++) {
        all[n] = tests[i];
        all[n++].initial_state = &w;
    }
    return _cmocka_run_group_tests("jobs_worker", all, n, NULL, NULL);
}
