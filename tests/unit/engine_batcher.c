/* Jobs that share steps: told one by one how they ended and what they cost. */
#include "engine/pipeline.h"

#include "test.h"

static struct cauldron_model *open_tiny(int max_rows)
{
    struct cauldron_options o = cauldron_options();
    struct cauldron_model *m = NULL;
    struct cauldron_error e;
    char path[512];

    snprintf(path, sizeof path, "%s/tests/parity/models/sd1", getenv("CAULDRON_SOURCE"));
    o.threads = 1;
    o.max_rows = max_rows;
    if (cauldron_open(path, &o, &m, &e))
        fail_msg("%s", e.message);
    return m;
}

enum { ALL_WANTED = -1, NOT_ASKED = -2 };

struct watcher {
    struct cauldron_model *model;
    int cancel_at; /* the whole model; 0: never */
    int ended, drawn, cancelled, failed;
    int asked, unwanted; /* the job that is not wanted when asked */
    struct job_cost cost[4];
    char message[1024];
};

static int on_progress(void *user, const struct cauldron_progress *p)
{
    struct watcher *w = user;

    if (p->step == w->cancel_at) {
        cauldron_cancel(w->model);
        if (w->unwanted != NOT_ASKED)
            w->cancel_at = 0; /* once */
    }
    return 0;
}

static void on_ended(void *user, struct job *j, const struct err *e)
{
    struct watcher *w = user;

    w->cost[j->index] = j->cost;
    w->ended++;
    w->drawn += e->code == 0;
    w->cancelled += e->code == ERR_CANCELLED;
    w->failed += e->code != 0 && e->code != ERR_CANCELLED;
    if (e->code)
        snprintf(w->message, sizeof w->message, "%s", e->message);
}

static bool is_wanted(void *user, const struct job *j)
{
    struct watcher *w = user;

    w->asked++;
    return j->index != w->unwanted;
}

/* Four jobs of as many steps as given. Returns how many passes it took. */
static int run(struct cauldron_model *m, const int steps[4], struct watcher *w,
               struct cauldron_picture out[4])
{
    struct batcher b = {.model = m,
                        .ended = on_ended,
                        .wanted = w->unwanted == NOT_ASKED ? NULL : is_wanted,
                        .user = w};
    struct err e = {0};
    double all = 0, shares = 0;
    int left = 1, passes = 0;

    w->model = m;
    for (int i = 0; i < 4; i++) {
        struct cauldron_request r = cauldron_request(m);
        struct job *j = NULL;
        r.prompt = i % 2 ? "a red circle" : "a star";
        r.seed = (uint64_t)i;
        r.steps = steps[i];
        r.sampler = "euler";
        r.width = r.height = 48;
        r.user = w;
        r.on_progress = on_progress;
        out[i] = (struct cauldron_picture){0};
        if (job_new(m, &r, i, &out[i], &j, &e))
            fail_msg("%s", e.message);
        batcher_add(&b, j);
    }
    while (left) {
        assert_int_equal(batcher_step(&b, &left, &e), 0);
        passes += b.pass_rows > 0;
        all += b.pass_rows ? b.pass_seconds : 0;
    }
    assert_int_equal(w->ended, 4);
    for (int i = 0; i < 4; i++)
        shares += w->cost[i].steps;
    assert_true(shares <= all + 1e-9);
    return passes;
}

static void costs_are_shared(void **state)
{
    struct cauldron_model *m = open_tiny(4);
    struct cauldron_picture out[4];
    struct watcher w = {.unwanted = NOT_ASKED};
    (void)state;

    /* Four rows in a pass: two jobs at once, the third and fourth after them. */
    assert_int_equal(run(m, (const int[4]){3, 3, 2, 2}, &w, out), 5);
    assert_int_equal(w.drawn, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(w.cost[i].evaluations, i < 2 ? 3 : 2);
        assert_true(w.cost[i].begin > 0 && w.cost[i].steps > 0 && w.cost[i].finish > 0);
        assert_int_equal(w.cost[i].workspace, w.cost[0].workspace);
        assert_non_null(out[i].pixels);
        cauldron_picture_free(&out[i]);
    }
    assert_true(w.cost[0].workspace > 10000);
    assert_true(passes_bytes(m) >= w.cost[0].workspace);
    cauldron_close(m);
}

/* Cancelled in a pass, and between the last pass and the decoding: everyone is told. */
static void nobody_is_forgotten(void **state)
{
    (void)state;

    for (int at = 1; at <= 2; at++) {
        struct cauldron_model *m = open_tiny(4);
        struct cauldron_picture out[4];
        struct watcher w = {.cancel_at = at, .unwanted = NOT_ASKED};
        run(m, (const int[4]){2, 2, 2, 2}, &w, out);
        assert_int_equal(w.cancelled, 4);
        cauldron_close(m);
    }
}

/* Interrupted in a pass, or before the decoding: who is not wanted leaves, the others are what they
 * would have been. */
static void an_interrupt_costs_a_pass(void **state)
{
    const int steps[4] = {2, 2, 2, 2};
    struct cauldron_model *m = open_tiny(4);
    struct cauldron_picture quiet[4], out[4];
    struct watcher w = {.unwanted = ALL_WANTED};
    (void)state;

    run(m, steps, &w, quiet);
    assert_int_equal(w.asked, 0);
    for (int at = 1; at <= 2; at++)
        for (int unwanted = ALL_WANTED; unwanted < 4; unwanted++) {
            struct watcher v = {.cancel_at = at, .unwanted = unwanted};
            run(m, steps, &v, out);
            assert_int_equal(v.asked, 4);
            assert_int_equal(v.cancelled, unwanted != ALL_WANTED);
            for (int i = 0; i < 4; i++) {
                if (i == unwanted)
                    assert_null(out[i].pixels);
                else
                    assert_memory_equal(out[i].pixels, quiet[i].pixels, 3 * 48 * 48);
                cauldron_picture_free(&out[i]);
            }
        }
    for (int i = 0; i < 4; i++)
        cauldron_picture_free(&quiet[i]);
    cauldron_close(m);
}

/* Where only one at a time fits into memory, one at a time is drawn, and the same. */
static void small_memory_is_enough(void **state)
{
    struct cauldron_model *m = open_tiny(8);
    struct cauldron_picture together[4], one[4];
    struct watcher w = {.unwanted = NOT_ASKED}, small = w, tiny = w;
    struct pass *alone, *all, *decoder;
    struct err e = {0};
    const int steps[4] = {2, 3, 2, 2};
    (void)state;

    assert_int_equal(run(m, steps, &w, together), 3);
    assert_int_equal(pass_get(m, NETWORK_UNET, 2, 6, 6, 0, &alone, &e), 0);
    assert_int_equal(pass_get(m, NETWORK_UNET, 8, 6, 6, 0, &all, &e), 0);
    assert_int_equal(pass_get(m, NETWORK_DECODER, 1, 6, 6, 0, &decoder, &e), 0);
    assert_true(plan_workspace(decoder->plan) < plan_workspace(all->plan));
    m->workspace_most = plan_workspace(all->plan) - 1;
    assert_true(run(m, steps, &small, one) > 3);
    for (int i = 0; i < 4; i++) {
        assert_non_null(one[i].pixels);
        assert_memory_equal(one[i].pixels, together[i].pixels, 3 * 48 * 48);
        cauldron_picture_free(&one[i]);
        cauldron_picture_free(&together[i]);
    }
    m->workspace_most = plan_workspace(alone->plan) - 1;
    run(m, steps, &tiny, one);
    assert_int_equal(tiny.failed, 4);
    assert_non_null(strstr(tiny.message, "48x48"));
    cauldron_close(m);
}

/* Sizes are the users' choice: plans for old ones go. */
static void plans_are_bounded(void **state)
{
    struct cauldron_model *m = open_tiny(4);
    struct err e = {0};
    struct pass *p;
    int count = 0;
    (void)state;

    for (int i = 0; i < 2 * PASSES_KEPT; i++)
        assert_int_equal(pass_get(m, NETWORK_DECODER, 1, 1 + i % 8, 1 + i / 8, 0, &p, &e), 0);
    for (p = m->passes; p; p = p->next)
        count++;
    assert_int_equal(count, PASSES_KEPT);
    cauldron_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_are_shared),          cmocka_unit_test(nobody_is_forgotten),
        cmocka_unit_test(an_interrupt_costs_a_pass), cmocka_unit_test(small_memory_is_enough),
        cmocka_unit_test(plans_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
