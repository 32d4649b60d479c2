/* Votes, on both databases. */
#include "storage_jobs.h"

#include "storage/trash.h"
#include "storage/votes.h"

#include <math.h>

static struct vote a_vote(struct fixture *f, const struct run *run, const char *left,
                          const char *right, int64_t when)
{
    return (struct vote){.id = new_id(f),
                         .experiment_id = run->experiment_id,
                         .left = left,
                         .right = right,
                         .choice = VOTE_TIE,
                         .seconds = NAN,
                         .created_at = when};
}

static const char *a_cell(struct fixture *f, struct tx *tx, const struct run *run, const char *axes)
{
    struct generation g = a_generation(f, key_of(f, "a"));

    g.status = GENERATION_FAILED;
    g.run_id = run->id;
    g.experiment_id = run->experiment_id;
    g.axes = axes;
    ok(generations_insert(tx, &g, 1, &f->e));
    return g.id;
}

static void once_under_its_identifier(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 2);
    struct vote v = a_vote(f, &run, "a", "b", 7), got;
    bool existed;

    v.seconds = 1.25;
    ok(votes_insert(tx, &v, &existed, &f->e));
    assert_false(existed);
    ok(votes_insert(tx, &v, &existed, &f->e));
    assert_true(existed);
    ok(votes_get(tx, v.id, &f->a, &got, &f->e));
    assert_string_equal(got.left, "a");
    assert_string_equal(got.right, "b");
    assert_string_equal(got.experiment_id, run.experiment_id);
    assert_null(got.user_id);
    assert_int_equal(got.choice, VOTE_TIE);
    assert_true(got.seconds == 1.25 && got.created_at == 7);
    ok(votes_delete(tx, v.id, &f->e));
    refuses(ERR_NOT_FOUND, votes_delete(tx, v.id, &f->e));
    refuses(ERR_NOT_FOUND, votes_get(tx, v.id, &f->a, &got, &f->e));
    tx_rollback(tx);
}

static void pages_newest_first(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 2), other = a_run(f, tx, 2);
    struct vote_filter filter = {.experiment_id = run.experiment_id, .limit = 3};
    struct vote *list;
    const char *next = NULL;
    size_t count, seen = 0;
    int64_t last = INT64_MAX;
    bool existed;

    for (int i = 0; i < 8; i++) {
        struct vote v = a_vote(f, i == 7 ? &other : &run, "a", "b", i / 2);
        ok(votes_insert(tx, &v, &existed, &f->e));
    }
    do {
        filter.cursor = next;
        ok(votes_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
        for (size_t i = 0; i < count; i++, seen++) {
            assert_true(list[i].created_at <= last);
            assert_true(isnan(list[i].seconds));
            last = list[i].created_at;
        }
    } while (next);
    assert_int_equal(seen, 7);
    filter = (struct vote_filter){.user_id = new_id(f)};
    ok(votes_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
    assert_int_equal(count, 0);
    filter = (struct vote_filter){.cursor = "b25lCg"};
    refuses(ERR_ARG, votes_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
    tx_rollback(tx);
}

static void with_the_cells_coordinates(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 2);
    const char *left = a_cell(f, tx, &run, "{\"steps\":1}"),
               *right = a_cell(f, tx, &run, "{\"steps\":2}");
    struct vote v = a_vote(f, &run, left, right, 1), lost = a_vote(f, &run, left, "gone", 2);
    struct vote_seen *seen;
    size_t count;
    bool existed;

    v.choice = VOTE_RIGHT;
    ok(votes_insert(tx, &v, &existed, &f->e));
    ok(votes_insert(tx, &lost, &existed, &f->e));
    ok(votes_of_experiment(tx, run.experiment_id, &f->a, &seen, &count, &f->e));
    assert_int_equal(count, 1);
    assert_int_equal(seen[0].vote.choice, VOTE_RIGHT);
    assert_string_equal(seen[0].left_axes, "{\"steps\":1}");
    assert_string_equal(seen[0].right_axes, "{\"steps\":2}");
    assert_string_equal(seen[0].vote.left, left);
    /* They go with their experiment, for good. */
    ok(runs_set_status(tx, run.id, EXPERIMENT_CANCELLED, 9, &f->e));
    ok(trash_experiment(tx, run.experiment_id, false, 10, &f->e));
    struct vote_filter filter = {.limit = 10};
    struct vote *list;
    const char *next;
    ok(votes_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
    assert_int_equal(count, 0);
    for (bool more = true; more;)
        ok(trash_move(tx, run.experiment_id, 10, &more, &f->e));
    for (bool more = true; more;)
        ok(trash_sweep(tx, 11, 10, &more, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM votes"), 0);
    tx_rollback(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(once_under_its_identifier),
        ON_BOTH(pages_newest_first),
        ON_BOTH(with_the_cells_coordinates),
    };

    return run_on_both("storage_votes", tests, sizeof tests / sizeof *tests);
}
