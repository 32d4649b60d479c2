/*
 * Many threads on the state machine of jobs, on both databases: whatever they do to each other,
 * every key is drawn once, every wish ends, and the counters of the runs are exact.
 */
#include "storage_jobs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { KEYS = 120, RUNS = 3, WORKERS = 4, SUBMITTERS = 3, REPEATS = 200 };

struct race {
    struct fixture *f;
    const char *keys[KEYS];
    struct run runs[RUNS];
    atomic_int drawn[KEYS], ended[RUNS], submitted, problems, cancelled;
    atomic_bool over;
    bool cancels; /* wishes are taken back, too */
};

struct actor {
    struct race *race;
    int number;
    uint64_t state; /* xorshift64*: each thread has its own */
};

static unsigned dice(struct actor *a, unsigned sides)
{
    a->state ^= a->state >> 12;
    a->state ^= a->state << 25;
    a->state ^= a->state >> 27;
    return (unsigned)((a->state * 0x2545f4914f6cdd1du) >> 33) % sides;
}

static int key_number(const struct race *r, const char *key)
{
    for (int i = 0; i < KEYS; i++)
        if (strcmp(r->keys[i], key) == 0)
            return i;
    return -1;
}

static void problem(struct race *r, const char *what, const struct err *e)
{
    print_message("# %s: %s\n", what, e->message);
    atomic_fetch_add(&r->problems, 1);
}

static void note(struct race *r, const struct job_outcome *out)
{
    for (size_t i = 0; i < out->run_count; i++)
        for (int k = 0; k < RUNS; k++)
            if (strcmp(out->runs[i].run_id, r->runs[k].id) == 0)
                atomic_fetch_add(&r->ended[k], out->runs[i].ended);
}

/* One step in a transaction of its own, again and again while the database asks for it. Returns
 * what the step returned. */
typedef int step_function(struct actor *a, struct tx *tx, void *in, struct arena *arena,
                          struct job_outcome *out, struct err *e);

static int do_step(struct actor *a, step_function *step, void *in, const char *what)
{
    struct err e = {0};
    int rc = ERR_NETWORK;

    for (int i = 0; i < REPEATS && rc == ERR_NETWORK; i++) {
        struct arena arena = {0};
        struct job_outcome out = {0};
        struct tx *tx;
        rc = tx_begin(a->race->f->db, TX_WRITE, &tx, &e);
        if (rc == 0) {
            rc = step(a, tx, in, &arena, &out, &e);
            if (rc == 0)
                rc = tx_commit(tx, &e);
            else
                tx_rollback(tx);
        }
        if (rc == 0)
            note(a->race, &out);
        arena_release(&arena);
    }
    if (rc && rc != ERR_CONFLICT && rc != ERR_NOT_FOUND)
        problem(a->race, what, &e);
    return rc;
}

/* ============================== Who wants pictures ============================== */

struct order {
    int key, run; /* run -1: outside of runs */
    char generation[UUID_TEXT], job[UUID_TEXT];
};

static int submit(struct actor *a, struct tx *tx, void *in, struct arena *arena,
                  struct job_outcome *out, struct err *e)
{
    struct order *order = in;
    struct race *r = a->race;
    struct fixture scratch = {.a = {0}};
    const char *key = r->keys[order->key], *id;
    struct generation g = a_generation(&scratch, key);
    struct job_row job = a_job(&scratch, key);
    bool drawn;
    int rc = generations_drawn(tx, &key, 1, &drawn, e);

    (void)out;
    g.id = order->generation;
    job.id = order->job;
    job.max_attempts = 100000;
    if (order->run >= 0) {
        g.run_id = job.run_id = r->runs[order->run].id;
        g.experiment_id = r->runs[order->run].experiment_id;
        g.cell = order->key;
    } else {
        job.priority = PRIORITY_INTERACTIVE;
    }
    if (rc == 0 && drawn) {
        g.status = GENERATION_SUCCEEDED;
        g.reused = true;
    }
    if (rc == 0)
        rc = generations_insert(tx, &g, 1, e);
    if (rc == 0 && !drawn)
        rc = jobs_add(tx, &job, arena, &id, e);
    arena_release(&scratch.a);
    return rc;
}

static int cancel(struct actor *a, struct tx *tx, void *in, struct arena *arena,
                  struct job_outcome *out, struct err *e)
{
    (void)a;
    return jobs_cancel_generation(tx, ((struct order *)in)->generation, 1, arena, out, e);
}

static int recount(struct actor *a, struct tx *tx, void *in, struct arena *arena,
                   struct job_outcome *out, struct err *e)
{
    struct run *run = in, got;

    (void)a;
    (void)out;
    return runs_recount(tx, run->id, 1, arena, &got, e);
}

/* Each submitter fills one run with every key, in an order of its own, and now and then wants the
 * same for itself. */
static void *submitter(void *user)
{
    struct actor *a = user;
    int keys[KEYS];

    for (int i = 0; i < KEYS; i++)
        keys[i] = i;
    for (int i = KEYS - 1; i > 0; i--) {
        int k = (int)dice(a, (unsigned)i + 1), t = keys[i];
        keys[i] = keys[k];
        keys[k] = t;
    }
    for (int i = 0; i < KEYS; i++) {
        struct order order = {.key = keys[i], .run = a->number};
        for (int twice = 0; twice < 1 + (dice(a, 4) == 0); twice++) {
            uuid_v7(order.generation);
            uuid_v7(order.job);
            do_step(a, submit, &order, "submit");
            order.run = -1;
        }
        if (a->race->cancels && dice(a, 4) == 0 && do_step(a, cancel, &order, "cancel") == 0)
            atomic_fetch_add(&a->race->cancelled, 1);
    }
    do_step(a, recount, &a->race->runs[a->number], "recount"); /* for the cells that were there */
    atomic_fetch_add(&a->race->submitted, 1);
    return NULL;
}

/* ============================== Who draws them ============================== */

struct held {
    char id[UUID_TEXT], worker[16];
    const char *key;
    int attempt;
};

static int feed_one(struct actor *a, struct tx *tx, void *in, struct arena *arena,
                    struct job_outcome *out, struct err *e)
{
    struct held *held = in;
    struct job_row *jobs, job;
    size_t count = 0;
    int64_t now = clock_unix_ms();
    /* Handed again soon: two workers meet at one job. */
    int rc = jobs_feed(tx, 1, now, 2, arena, &jobs, &count, e);

    (void)out;
    held->id[0] = 0;
    if (rc || count == 0)
        return rc;
    rc = jobs_claim(tx, jobs[0].id, held->worker, now, 20, arena, &job, e);
    if (rc)
        return rc;
    memcpy(held->id, job.id, UUID_TEXT);
    held->attempt = job.attempts;
    held->key = a->race->keys[key_number(a->race, job.key)];
    return 0;
}

static int succeed(struct actor *a, struct tx *tx, void *in, struct arena *arena,
                   struct job_outcome *out, struct err *e)
{
    const struct held *h = in;
    struct picture_row picture = a_picture(h->key);

    (void)a;
    return jobs_succeed(tx, (struct lease){h->id, h->worker, h->attempt}, &picture, 1, arena, out,
                        e);
}

static int fail_it(struct actor *a, struct tx *tx, void *in, struct arena *arena,
                   struct job_outcome *out, struct err *e)
{
    const struct held *h = in;

    (void)a;
    return jobs_fail(tx, (struct lease){h->id, h->worker, h->attempt}, true, clock_unix_ms() + 1,
                     "x", "x", 1, arena, out, e);
}

static int give_back(struct actor *a, struct tx *tx, void *in, struct arena *arena,
                     struct job_outcome *out, struct err *e)
{
    const struct held *h = in;

    (void)a;
    (void)arena;
    (void)out;
    return jobs_release(tx, (struct lease){h->id, h->worker, h->attempt}, 1, e);
}

static int expire(struct actor *a, struct tx *tx, void *in, struct arena *arena,
                  struct job_outcome *out, struct err *e)
{
    const char **ids;
    size_t count;
    int64_t now = clock_unix_ms();

    (void)a;
    (void)in;
    return jobs_expire(tx, now, now, arena, &ids, &count, out, e);
}

static int count_waiting(struct actor *a, struct tx *tx, void *in, struct arena *arena,
                         struct job_outcome *out, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx, "SELECT count(*) FROM generations WHERE status IN ('queued', 'running')",
                      DB_NONE, arena, &rows, e);

    (void)a;
    (void)out;
    if (rc == 0)
        *(int64_t *)in = db_i64(&rows, 0, 0);
    return rc;
}

static void draw(struct actor *a, struct held *held)
{
    unsigned luck = dice(a, 10);

    if (luck == 0) { /* crashed: nobody hears of it again */
        return;
    } else if (luck == 1) {
        do_step(a, fail_it, held, "fail");
    } else if (luck == 2) {
        do_step(a, give_back, held, "release");
    } else {
        if (luck == 3)
            usleep(30000); /* longer than the lease */
        if (do_step(a, succeed, held, "succeed") == 0)
            atomic_fetch_add(&a->race->drawn[key_number(a->race, held->key)], 1);
    }
}

static void *worker(void *user)
{
    struct actor *a = user;
    struct held held = {0};

    snprintf(held.worker, sizeof held.worker, "w%d", a->number);
    while (!atomic_load(&a->race->over)) {
        if (do_step(a, feed_one, &held, "feed") == 0 && held.id[0]) {
            draw(a, &held);
            continue;
        }
        int64_t waiting = 1;
        usleep(1000);
        do_step(a, expire, NULL, "expire");
        if (atomic_load(&a->race->submitted) == SUBMITTERS &&
            do_step(a, count_waiting, &waiting, "count") == 0 && waiting == 0)
            atomic_store(&a->race->over, true);
    }
    return NULL;
}

/* Counts runs again while their cells end. */
static void *counter(void *user)
{
    struct actor *a = user;

    while (!atomic_load(&a->race->over)) {
        usleep(2000);
        if (a->race->cancels && atomic_load(&a->race->submitted) == SUBMITTERS)
            do_step(a, recount, &a->race->runs[dice(a, RUNS)], "recount");
    }
    return NULL;
}

/* ============================== The race ============================== */

static void prepare(struct race *r, struct fixture *f)
{
    struct tx *tx = write_tx(f);

    r->f = f;
    for (int i = 0; i < KEYS; i++) {
        char name[8];
        snprintf(name, sizeof name, "%d", i);
        r->keys[i] = key_of(f, arena_strdup(&f->a, name));
    }
    for (int i = 0; i < RUNS; i++)
        r->runs[i] = a_run(f, tx, KEYS);
    commit(f, tx);
}

static void hold(struct race *r)
{
    enum { ACTORS = WORKERS + SUBMITTERS + 1 };
    pthread_t threads[ACTORS];
    struct actor actors[ACTORS];

    for (int i = 0; i < ACTORS; i++) {
        actors[i] = (struct actor){r, i, 0x9e3779b97f4a7c15u * (unsigned)(i + 1)};
        pthread_create(&threads[i], NULL,
                       i < SUBMITTERS   ? submitter
                       : i < ACTORS - 1 ? worker
                                        : counter,
                       &actors[i]);
    }
    for (int i = 0; i < ACTORS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&r->problems), 0);
}

/* What the database says at the end, whatever happened. */
static void check(struct race *r)
{
    struct fixture *f = r->f;
    struct tx *tx = begin_tx(f, TX_READ);
    static const char *const nothing[] = {
        "SELECT count(*) FROM generations WHERE status NOT IN ('succeeded', 'cancelled')",
        "SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')",
        "SELECT count(*) FROM experiment_runs WHERE status IN ('running', 'paused')",
        "SELECT count(*) FROM experiment_runs r WHERE total <> completed + cancelled",
        "SELECT count(*) FROM experiment_runs r WHERE completed <> (SELECT count(*) FROM "
        "generations g WHERE g.run_id = r.id AND g.status = 'succeeded')",
        "SELECT count(*) FROM experiment_runs r WHERE cancelled <> (SELECT count(*) FROM "
        "generations g WHERE g.run_id = r.id AND g.status = 'cancelled')",
        "SELECT count(*) FROM experiment_runs r WHERE reused <> (SELECT count(*) FROM "
        "generations g WHERE g.run_id = r.id AND g.reused = 1)",
        "SELECT count(*) FROM experiments x WHERE x.status NOT IN ('completed', 'cancelled')",
    };

    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        if (number(f, tx, nothing[i]) != 0)
            fail_msg("%s: %d", nothing[i], (int)number(f, tx, nothing[i]));
    int64_t images = number(f, tx, "SELECT count(*) FROM images"), drawn = 0;
    for (int i = 0; i < KEYS; i++) {
        assert_true(atomic_load(&r->drawn[i]) <= 1);
        drawn += atomic_load(&r->drawn[i]);
    }
    assert_int_equal(images, drawn);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM jobs WHERE status = 'succeeded'"), drawn);
    tx_rollback(tx);
}

static void every_key_is_drawn_once(void **state)
{
    struct fixture *f = fixture(state);
    struct race *r = calloc(1, sizeof *r);

    prepare(r, f);
    hold(r);
    check(r);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(atomic_load(&r->drawn[i]), 1);
    for (int i = 0; i < RUNS; i++) {
        assert_int_equal(run_at(f, r->runs[i].id).completed, KEYS);
        assert_int_equal(run_at(f, r->runs[i].id).status, EXPERIMENT_COMPLETED);
        assert_true(atomic_load(&r->ended[i]) <= 1); /* recounting ends runs, too */
    }
    free(r);
}

static void wishes_taken_back_are_counted(void **state)
{
    struct fixture *f = fixture(state);
    struct race *r = calloc(1, sizeof *r);

    r->cancels = true;
    prepare(r, f);
    hold(r);
    check(r);
    assert_true(atomic_load(&r->cancelled) > 0);
    for (int i = 0; i < RUNS; i++)
        assert_true(atomic_load(&r->ended[i]) <= 1);
    free(r);
}

/* ============================== One job, many hands ============================== */

struct rush {
    struct fixture *f;
    const char *job, *generation;
    struct picture_row picture;
    pthread_barrier_t start;
    atomic_int claimed, succeeded, cancelled, ended;
};
enum { HANDS = 8, TIMES = 20 };

static void *grab(void *user)
{
    struct rush *r = user;
    struct arena arena = {0};
    struct job_row job;
    struct tx *tx;
    struct err e;

    pthread_barrier_wait(&r->start);
    if (tx_begin(r->f->db, TX_WRITE, &tx, &e) == 0) {
        if (jobs_claim(tx, r->job, "w", clock_unix_ms(), 60000, &arena, &job, &e) == 0)
            atomic_fetch_add(&r->claimed, tx_commit(tx, &e) == 0);
        else
            tx_rollback(tx);
    }
    arena_release(&arena);
    return NULL;
}

/* Half of the hands end the job, the others take the wish back. */
static void *finish(void *user, bool draws)
{
    struct rush *r = user;
    struct arena arena = {0};
    struct job_outcome out = {0};
    struct tx *tx;
    struct err e = {0};
    int rc = ERR_NETWORK;

    pthread_barrier_wait(&r->start);
    for (int i = 0; i < REPEATS && rc == ERR_NETWORK; i++) {
        if ((rc = tx_begin(r->f->db, TX_WRITE, &tx, &e)))
            continue;
        rc = draws ? jobs_succeed(tx, (struct lease){r->job, "w", 1}, &r->picture, 1, &arena, &out,
                                  &e)
                   : jobs_cancel_generation(tx, r->generation, 1, &arena, &out, &e);
        if (rc == 0)
            rc = tx_commit(tx, &e);
        else
            tx_rollback(tx);
    }
    if (rc == 0) {
        atomic_fetch_add(draws ? &r->succeeded : &r->cancelled, 1);
        atomic_fetch_add(&r->ended, out.runs[0].ended);
    }
    arena_release(&arena);
    return NULL;
}

static void *draw_it(void *user)
{
    return finish(user, true);
}

static void *drop_it(void *user)
{
    return finish(user, false);
}

static void rush(struct rush *r, void *(*even)(void *), void *(*odd)(void *))
{
    pthread_t threads[HANDS];

    pthread_barrier_init(&r->start, NULL, HANDS);
    for (int i = 0; i < HANDS; i++)
        pthread_create(&threads[i], NULL, i % 2 ? odd : even, r);
    for (int i = 0; i < HANDS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&r->start);
}

static void exactly_one_wins(void **state)
{
    struct fixture *f = fixture(state);

    for (int i = 0; i < TIMES; i++) {
        struct rush r = {.f = f};
        char name[8];
        snprintf(name, sizeof name, "%d", i);
        struct tx *tx = write_tx(f);
        struct run run = a_run(f, tx, 1);
        r.picture = a_picture(key_of(f, arena_strdup(&f->a, name)));
        r.generation = wish(f, tx, r.picture.key, run.id, run.experiment_id, &r.job);
        commit(f, tx);
        rush(&r, grab, grab);
        assert_int_equal(atomic_load(&r.claimed), 1);
        rush(&r, draw_it, drop_it);
        assert_int_equal(atomic_load(&r.succeeded) + atomic_load(&r.cancelled), 1);
        assert_int_equal(atomic_load(&r.ended), 1);
        run = run_at(f, run.id);
        assert_int_equal(run.completed, atomic_load(&r.succeeded));
        assert_int_equal(run.cancelled, atomic_load(&r.cancelled));
    }
}

/* ============================== A wish at the last moment ============================== */

struct late {
    struct fixture *f;
    struct held held;
    const char *key;
    struct order order;
    struct race race;
    int rc;
};

static void *end_it(void *user)
{
    struct late *l = user;
    struct actor actor = {.race = &l->race};

    l->rc = do_step(&actor, succeed, &l->held, "succeed");
    return NULL;
}

static void *want_it(void *user)
{
    struct late *l = user;
    struct actor actor = {.race = &l->race};

    l->rc = do_step(&actor, submit, &l->order, "submit");
    return NULL;
}

/* A running job for race.keys[0], and another wish for its picture, not stored yet. */
static void make_late(struct late *l, struct fixture *f)
{
    struct arena a = {0};
    struct job_row row;
    const char *job;
    struct tx *tx = write_tx(f);

    *l = (struct late){.f = f, .key = key_of(f, "late"), .order = {.run = -1}, .rc = 1};
    l->race.f = f;
    for (int i = 0; i < KEYS; i++)
        l->race.keys[i] = l->key;
    uuid_v7(l->order.generation);
    uuid_v7(l->order.job);
    (void)wish(f, tx, l->key, NULL, NULL, &job);
    ok(jobs_claim(tx, job, "w", clock_unix_ms(), 60000, &a, &row, &f->e));
    commit(f, tx);
    memcpy(l->held.id, job, UUID_TEXT);
    snprintf(l->held.worker, sizeof l->held.worker, "w");
    l->held.attempt = 1;
    l->held.key = l->key;
    arena_release(&a);
}

static void nobody_waits_for_ever(struct late *l)
{
    struct tx *tx = begin_tx(l->f, TX_READ);

    assert_int_equal(l->rc, 0);
    assert_int_equal(atomic_load(&l->race.problems), 0);
    assert_int_equal(
        number(l->f, tx, "SELECT count(*) FROM generations WHERE status = 'succeeded'"), 2);
    assert_int_equal(number(l->f, tx, "SELECT count(*) FROM images"), 1);
    assert_int_equal(number(l->f, tx, "SELECT count(*) FROM jobs"), 1);
    tx_rollback(tx);
}

/* The wish is stored, not committed, when the job ends: the end waits, and sees it. */
static void the_end_sees_a_wish_that_came_first(void **state)
{
    struct fixture *f = fixture(state);
    struct job_outcome out = {0};
    struct late l;
    pthread_t thread;

    make_late(&l, f);
    struct actor actor = {.race = &l.race};
    struct tx *tx = write_tx(f);
    ok(submit(&actor, tx, &l.order, &f->a, &out, &f->e));
    pthread_create(&thread, NULL, end_it, &l);
    usleep(200000);
    commit(f, tx);
    pthread_join(thread, NULL);
    nobody_waits_for_ever(&l);
}

/* The job has ended, not committed, when the wish comes: the wish waits, and finds the picture. */
static void a_wish_sees_an_end_that_came_first(void **state)
{
    struct fixture *f = fixture(state);
    struct job_outcome out = {0};
    struct late l;
    pthread_t thread;

    make_late(&l, f);
    struct actor actor = {.race = &l.race};
    struct tx *tx = write_tx(f);
    ok(succeed(&actor, tx, &l.held, &f->a, &out, &f->e));
    pthread_create(&thread, NULL, want_it, &l);
    usleep(200000);
    commit(f, tx);
    pthread_join(thread, NULL);
    nobody_waits_for_ever(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(every_key_is_drawn_once), ON_BOTH(wishes_taken_back_are_counted),
        ON_BOTH(exactly_one_wins), ON_BOTH(the_end_sees_a_wish_that_came_first),
        ON_BOTH(a_wish_sees_an_end_that_came_first)};
    return run_on_both("storage_races", tests, sizeof tests / sizeof *tests);
}
