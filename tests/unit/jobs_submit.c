/* Submitting: what becomes of wishes, what is refused, who is told. */
#include "test.h"

#include "../jobs/workshop.h"
#include "base/json.h"

#include <unistd.h>

static struct err e;

static int try_submit(struct workshop *w, const struct wish *wishes, size_t n,
                      struct generation **rows, struct parameter_problem **problems, size_t *bad)
{
    return submit(&w->submitter, wishes, n, &w->a, rows, problems, bad, &e);
}

static void test_rows(void **state)
{
    struct workshop w;

    (void)state;
    workshop_open(&w, workshop_servers());
    struct generation *rows = workshop_submit(&w, "a cat", 7, 3);
    struct generation g = workshop_get(&w, rows[2].id);
    assert_int_equal(g.status, GENERATION_QUEUED);
    assert_string_equal(g.prompt, "a cat");
    assert_int_equal(g.seed, 9);
    assert_string_equal(g.model_name, "fake");
    assert_int_equal(strlen(g.key), 64);
    assert_int_equal(g.cell, -1);
    assert_false(g.reused);
    json_t *recipe;
    assert_int_equal(json_read(str_from(g.parameters), &recipe, &e), 0);
    assert_string_equal(json_text(recipe, "sampler", ""), "euler");
    json_decref(recipe);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM jobs WHERE status = 'queued'"), 3);
    /* The same again waits for the same jobs. */
    workshop_submit(&w, "a cat", 7, 3);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM jobs"), 3);
    assert_int_equal(workshop_count(&w, GENERATION_QUEUED), 6);
    workshop_close(&w);
}

static void test_reuse(void **state)
{
    struct workshop w;

    (void)state;
    workshop_open(&w, workshop_servers());
    workshop_start(&w);
    workshop_submit(&w, "a cat", 1, 4);
    workshop_wait(&w);
    struct generation *rows = workshop_submit(&w, "a cat", 3, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(rows[i].reused, i < 2);
    assert_int_equal(rows[0].status, GENERATION_SUCCEEDED);
    struct generation g = workshop_get(&w, rows[0].id);
    assert_int_equal(g.status, GENERATION_SUCCEEDED);
    assert_true(g.reused);
    assert_non_null(g.sha256);
    workshop_wait(&w);
    assert_int_equal(atomic_load(&w.fake.pictures), 6);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM images"), 6);
    workshop_close(&w);
}

static void test_redraw(void **state)
{
    struct workshop w;
    struct generation *rows;

    (void)state;
    workshop_open(&w, workshop_servers());
    workshop_start(&w);
    struct generation *first = workshop_submit(&w, "a cat", 1, 1);
    workshop_wait(&w);
    int64_t drawn = workshop_sql(&w, "SELECT created_at FROM images");
    usleep(5000);
    json_t *p = json_pack("{s:s, s:i}", "prompt", "a cat", "seed", 1);
    struct wish wish = {.parameters = p, .redraw = true};
    assert_int_equal(try_submit(&w, &wish, 1, &rows, NULL, NULL), 0);
    assert_int_equal(rows[0].status, GENERATION_QUEUED);
    workshop_wait(&w);
    struct generation g = workshop_get(&w, rows[0].id);
    assert_int_equal(g.status, GENERATION_SUCCEEDED);
    assert_false(g.reused);
    assert_string_equal(g.sha256, workshop_get(&w, first[0].id).sha256);
    assert_int_equal(atomic_load(&w.fake.pictures), 2);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM images"), 1);
    assert_true(workshop_sql(&w, "SELECT created_at FROM images") > drawn);
    json_decref(p);
    workshop_close(&w);
}

static void test_problems(void **state)
{
    struct workshop w;
    struct generation *rows = NULL;
    struct parameter_problem *problems = NULL;
    size_t bad = 99;

    (void)state;
    workshop_open(&w, workshop_servers());
    json_t *good = json_pack("{s:s}", "prompt", "x"),
           *many = json_pack("{s:s, s:i}", "prompt", "x", "steps", 5000),
           *model = json_pack("{s:s}", "model", "none");
    struct wish wishes[] = {{.parameters = good}, {.parameters = many}};
    assert_int_equal(try_submit(&w, wishes, 2, &rows, &problems, &bad), ERR_ARG);
    assert_int_equal(bad, 1);
    assert_string_equal(problems[0].name, "steps");
    assert_null(problems[1].name);
    assert_null(rows);
    wishes[0].parameters = model;
    assert_int_equal(try_submit(&w, wishes, 1, &rows, NULL, NULL), ERR_NOT_FOUND);
    wishes[0] = (struct wish){.parameters = good, .provider = "nobody"};
    assert_int_equal(try_submit(&w, wishes, 1, &rows, NULL, NULL), ERR_NOT_FOUND);
    /* All or nothing: the second wish names a run that is not there. */
    struct wish broken[] = {{.parameters = good},
                            {.parameters = good,
                             .run_id = "01900000-0000-7000-8000-000000000000",
                             .experiment_id = "01900000-0000-7000-8000-000000000000"}};
    assert_true(try_submit(&w, broken, 2, &rows, NULL, NULL) < 0);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM generations"), 0);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM jobs"), 0);
    assert_int_equal(try_submit(&w, NULL, 0, &rows, NULL, NULL), 0);
    json_decref(good);
    json_decref(many);
    json_decref(model);
    workshop_close(&w);
}

static void test_impossible(void **state)
{
    struct workshop w;
    struct generation *rows;

    (void)state;
    workshop_open(&w, workshop_servers());
    json_t *p = json_pack("{s:s, s:s, s:i, s:s}", "prompt", "x", "model", "fake", "steps", 99999,
                          "seed", "18446744073709551615");
    struct wish wish = {.parameters = p, .impossible = "too many steps"};
    assert_int_equal(try_submit(&w, &wish, 1, &rows, NULL, NULL), 0);
    struct generation g = workshop_get(&w, rows[0].id);
    assert_int_equal(g.status, GENERATION_IMPOSSIBLE);
    assert_string_equal(g.error, "too many steps");
    assert_int_equal(g.steps, 99999);
    assert_null(g.key);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM jobs"), 0);
    json_decref(p);
    workshop_close(&w);
}

static void test_recipe(void **state)
{
    struct workshop w;
    struct generation *rows;
    struct recipe r;
    char key[65];

    (void)state;
    workshop_open(&w, workshop_servers());
    json_t *p = json_pack("{s:s}", "prompt", "planned");
    assert_int_equal(provider_complete(w.providers[0], p, &w.a, &r, key, NULL, &e), 0);
    struct wish wishes[] = {{.recipe = &r, .key = key}, {.recipe = &r}, {.parameters = p}};
    assert_int_equal(try_submit(&w, wishes, 3, &rows, NULL, NULL), 0);
    assert_string_equal(rows[0].key, key);
    assert_string_equal(rows[1].key, key); /* made here, and the same */
    assert_string_equal(rows[2].key, key);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM jobs"), 1);
    json_decref(p);
    workshop_close(&w);
}

static void test_picture(void **state)
{
    struct workshop w;
    struct image im;
    struct buf png;
    struct sent_picture sent, again;

    (void)state;
    workshop_open(&w, workshop_servers());
    assert_int_equal(image_new(8, 8, 3, &im, &e), 0);
    buf_init(&png, 1 << 20);
    assert_int_equal(image_encode(&im, image_encoding_default(IMAGE_PNG), NULL, &png, &e), 0);
    assert_int_equal(submit_picture(&w.submitter, (struct str){png.p, png.n}, &sent, &e), 0);
    assert_int_equal(submit_picture(&w.submitter, (struct str){png.p, png.n}, &again, &e), 0);
    assert_string_equal(sent.sha256, again.sha256);
    assert_int_equal(sent.width, 8);
    assert_true(blob_exists(w.blobs, sent.sha256));
    assert_true(submit_picture(&w.submitter, STR("not a picture"), &again, &e) < 0);
    /* It is loaded for the drawing; a missing one fails the job for good. */
    workshop_start(&w);
    json_t *p = json_pack("{s:s, s:s}", "prompt", "from a picture", "init_image", sent.sha256),
           *q = json_pack("{s:s, s:s}", "prompt", "from nothing", "init_image",
                          "00000000000000000000000000000000"
                          "00000000000000000000000000000000");
    struct wish wishes[] = {{.parameters = p}, {.parameters = q}};
    struct generation *rows;
    assert_int_equal(try_submit(&w, wishes, 2, &rows, NULL, NULL), 0);
    workshop_wait(&w);
    assert_int_equal(workshop_get(&w, rows[0].id).status, GENERATION_SUCCEEDED);
    struct generation g = workshop_get(&w, rows[1].id);
    assert_int_equal(g.status, GENERATION_FAILED);
    assert_string_equal(g.error_code, "not_found");
    json_decref(p);
    json_decref(q);
    buf_release(&png);
    image_release(&im);
    workshop_close(&w);
}

/* ==== waiting ==== */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int called;
    char id[UUID_TEXT];
    struct submitter *forget;
    struct wait *w;
};

static void ended(void *user, const char *id)
{
    struct waiting *x = user;

    pthread_mutex_lock(&x->lock);
    x->called++;
    snprintf(x->id, sizeof x->id, "%s", id);
    if (x->forget)
        wait_forget(x->forget, x->w);
    pthread_cond_broadcast(&x->changed);
    pthread_mutex_unlock(&x->lock);
}

static void wait_called(struct waiting *x)
{
    pthread_mutex_lock(&x->lock);
    while (!x->called)
        pthread_cond_wait(&x->changed, &x->lock);
    pthread_mutex_unlock(&x->lock);
}

static void test_wait(void **state)
{
    struct waiting before = {.lock = PTHREAD_MUTEX_INITIALIZER,
                             .changed = PTHREAD_COND_INITIALIZER};
    struct waiting after = before, never = before, inside = before;
    struct workshop w;

    (void)state;
    workshop_open(&w, workshop_servers());
    atomic_store(&w.fake.hold, true);
    workshop_start(&w);
    struct generation *rows = workshop_submit(&w, "x", 1, 2);
    struct wait *first = wait_for(&w.submitter, rows[0].id, ended, &before);
    inside.forget = &w.submitter;
    pthread_mutex_lock(&inside.lock);
    inside.w = wait_for(&w.submitter, rows[0].id, ended, &inside);
    pthread_mutex_unlock(&inside.lock);
    struct wait *none = wait_for(&w.submitter, rows[1].id, ended, &never);
    assert_int_equal(before.called, 0);
    wait_forget(&w.submitter, none);
    atomic_store(&w.fake.hold, false);
    wait_called(&before);
    wait_called(&inside);
    assert_string_equal(before.id, rows[0].id);
    wait_forget(&w.submitter, first);
    workshop_wait(&w);
    /* What has ended already is told at once. */
    struct wait *late = wait_for(&w.submitter, rows[1].id, ended, &after);
    wait_called(&after);
    wait_forget(&w.submitter, late);
    assert_int_equal(never.called, 0);
    assert_int_equal(before.called, 1);
    assert_int_equal(after.called, 1);
    workshop_close(&w);
}

/* ==== a step of the caller's ==== */

struct step {
    int times, again, refuse; /* how often it ran; how often it asks for another try; its error */
    size_t count;
    bool rows_are_there;
};

static int also(struct tx *tx, const struct generation *rows, size_t count, void *user,
                struct err *x)
{
    struct step *s = user;
    struct arena a = {0};
    struct generation g;

    s->times++;
    s->count = count;
    s->rows_are_there = count && generations_get(tx, rows[count - 1].id, &a, &g, x) == 0;
    arena_release(&a);
    if (tx_exec(tx, "INSERT INTO settings (name, value) VALUES ('step', 'done')", DB_NONE, NULL, x))
        return x->code;
    if (s->times <= s->again)
        return ERR(x, ERR_NETWORK, "once more");
    return s->refuse ? ERR(x, (enum err_code)s->refuse, "no") : 0;
}

static int submit_also(struct workshop *w, size_t n, struct step *s, struct generation **rows)
{
    json_t *parameters = json_pack("{s:s, s:s, s:i}", "model", "fake", "prompt", "cat", "seed", 7);
    struct wish wishes[2] = {{.parameters = parameters, .task_id = "a task"},
                             {.parameters = parameters, .task_id = "a task"}};
    struct parameter_problem *problems;
    size_t bad;
    int rc = submit_with(&w->submitter, wishes, n, &(struct submit_also){also, s}, &w->a, rows,
                         &problems, &bad, &e);

    json_decref(parameters);
    return rc;
}

static void test_also(void **state)
{
    static const char settings[] = "SELECT count(*) FROM settings WHERE name = 'step'";
    struct step refused = {.refuse = ERR_CONFLICT}, twice = {.again = 1}, alone = {0};
    struct generation *rows;
    struct workshop w;

    (void)state;
    workshop_open(&w, workshop_servers());
    assert_int_equal(submit_also(&w, 2, &refused, &rows), ERR_CONFLICT);
    assert_int_equal(refused.times, 1);
    assert_true(refused.rows_are_there);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM generations"), 0);
    assert_int_equal(workshop_sql(&w, settings), 0);
    assert_int_equal(submit_also(&w, 2, &twice, &rows), 0);
    assert_int_equal(twice.times, 2);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM generations"), 2);
    assert_int_equal(workshop_sql(&w, "SELECT count(*) FROM jobs WHERE run_id = 'a task'"), 1);
    assert_int_equal(workshop_sql(&w, settings), 1);
    struct tx *tx;
    assert_int_equal(tx_begin(w.db, TX_WRITE, &tx, &e), 0);
    assert_int_equal(tx_exec(tx, "DELETE FROM settings", DB_NONE, NULL, &e), 0);
    assert_int_equal(tx_commit(tx, &e), 0);
    assert_int_equal(submit_also(&w, 0, &alone, &rows), 0);
    assert_int_equal(alone.count, 0);
    assert_int_equal(workshop_sql(&w, settings), 1);
    workshop_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_redraw),     cmocka_unit_test(test_problems),
        cmocka_unit_test(test_impossible), cmocka_unit_test(test_recipe),
        cmocka_unit_test(test_picture),    cmocka_unit_test(test_wait),
        cmocka_unit_test(test_also),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
