/* The trash in many short transactions, on both databases. */
#include "storage_jobs.h"

#include "jobs/sweep.h"
#include "storage/trash.h"

enum { CELLS = 2 * TRASH_PIECE + 7 };

/* An experiment with more cells than one transaction moves. */
static const char *make(struct fixture *f)
{
    struct generation *cells = arena_alloc(&f->a, CELLS * sizeof *cells);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, CELLS);

    for (int i = 0; i < CELLS; i++) {
        cells[i] = a_generation(f, key_of(f, "a"));
        cells[i].status = GENERATION_FAILED;
        cells[i].run_id = run.id;
        cells[i].experiment_id = run.experiment_id;
        cells[i].cell = i;
    }
    ok(generations_insert(tx, cells, CELLS, &f->e));
    ok(runs_set_status(tx, run.id, EXPERIMENT_CANCELLED, 9, &f->e));
    commit(f, tx);
    return run.experiment_id;
}

static int64_t count(struct fixture *f, const char *table)
{
    struct tx *tx = begin_tx(f, TX_READ);
    int64_t n = number(f, tx, arena_printf(&f->a, "SELECT count(*) FROM %s", table));

    tx_rollback(tx);
    return n;
}

static void mark(struct fixture *f, const char *id, int64_t when)
{
    struct tx *tx = write_tx(f);

    ok(trash_experiment(tx, id, false, when, &f->e));
    commit(f, tx);
}

static void all_cells_follow(void **state)
{
    struct fixture *f = fixture(state);
    const char *id = make(f);

    mark(f, id, 1000);
    ok(sweep_cells(f->db, id, &f->e));
    assert_int_equal(count(f, "generations"), 0);
    assert_int_equal(count(f, "deleted_generations"), CELLS);
    ok(sweep_cells(f->db, id, &f->e)); /* nothing is left to do */
    struct tx *tx = write_tx(f);
    ok(trash_experiment_take(tx, id, &f->e));
    commit(f, tx);
    ok(sweep_cells(f->db, id, &f->e));
    assert_int_equal(count(f, "generations"), CELLS);
    assert_int_equal(count(f, "experiments WHERE moving = 1"), 0);
}

/* What a crash left half-way is finished first, then what is old goes for good. */
static void finished_and_emptied(void **state)
{
    struct fixture *f = fixture(state);
    const char *old = make(f), *young = make(f);

    mark(f, old, 1000);
    mark(f, young, 3000);
    ok(sweep_trash(f->db, 2000, 1, &f->e));
    assert_int_equal(count(f, "generations"), 0);
    assert_int_equal(count(f, "deleted_generations"), 2 * CELLS - TRASH_PIECE); /* one piece */
    ok(sweep_trash(f->db, 2000, 100, &f->e));
    assert_int_equal(count(f, "deleted_generations"), CELLS);
    assert_int_equal(count(f, "experiments"), 1);
    assert_int_equal(count(f, "experiment_runs"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(all_cells_follow),
        ON_BOTH(finished_and_emptied),
    };

    return run_on_both("jobs_sweep", tests, sizeof tests / sizeof *tests);
}
