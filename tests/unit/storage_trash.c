/* What is deleted is gone from everything and comes back as it was, on both databases. */
#include "storage_jobs.h"

#include "storage/images.h"
#include "storage/trash.h"

static const char *const tagged[] = {"best", "night", NULL};

/* A drawn one, or a cell of that run, with tags, rating and words. */
static const char *add(struct fixture *f, struct tx *tx, const char *name, const struct run *run,
                       int64_t cell)
{
    struct generation g = a_generation(f, key_of(f, name));
    struct picture_row p = a_picture(g.key);
    bool existed;

    ok(images_insert(tx, &p, &existed, &f->e));
    g.status = GENERATION_SUCCEEDED;
    g.tags = tagged;
    g.rating = 4;
    g.favourite = true;
    g.metadata = "{\"x\":1}";
    g.seed = UINT64_MAX;
    if (run) {
        g.run_id = run->id;
        g.experiment_id = run->experiment_id;
        g.cell = cell;
        g.axes = "{\"steps\":20}";
    }
    ok(generations_insert(tx, &g, 1, &f->e));
    return g.id;
}

static size_t listed(struct fixture *f, struct tx *tx, struct generation_filter filter)
{
    struct generation *list;
    const char *next;
    size_t count;

    ok(generations_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
    return count;
}

static size_t with_words(struct fixture *f, struct tx *tx)
{
    struct generation_filter filter = generation_filter();

    filter.text = "circle blue";
    return listed(f, tx, filter);
}

static size_t with_tag(struct fixture *f, struct tx *tx)
{
    struct generation_filter filter = generation_filter();

    filter.tag = "night";
    return listed(f, tx, filter);
}

/* A row as one text, whatever its columns are. */
static const char *whole_row(struct fixture *f, struct tx *tx, const char *id)
{
    struct db_rows rows;
    const char *text = "";

    ok(tx_query(tx, "SELECT * FROM generations WHERE id = $1", DB_ARGS(db_text(id)), &f->a, &rows,
                &f->e));
    assert_int_equal(rows.count, 1);
    for (size_t i = 0; i < rows.columns; i++)
        text = arena_printf(&f->a, "%s%s|", text, db_str(&rows, 0, i) ? db_str(&rows, 0, i) : "-");
    return text;
}

static void it_comes_back_as_it_was(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *other = add(f, tx, "a", NULL, 0), *id = add(f, tx, "b", NULL, 0),
               *newer = add(f, tx, "c", NULL, 0), *before = whole_row(f, tx, id);
    struct generation got, *found;
    size_t count;

    ok(trash_put(tx, &id, 1, 1000, &f->e));
    refuses(ERR_NOT_FOUND, generations_get(tx, id, &f->a, &got, &f->e));
    assert_int_equal(with_words(f, tx), 2);
    assert_int_equal(with_tag(f, tx), 2);
    ok(trash_find(tx, (const char *[]){other, id}, 2, &f->a, &found, &count, &f->e));
    assert_int_equal(count, 1);
    assert_string_equal(found[0].id, id);
    assert_string_equal(found[0].sha256, a_picture("").sha256);
    ok(trash_take(tx, &id, 1, &f->e));
    assert_string_equal(whole_row(f, tx, id), before);
    ok(generations_get(tx, id, &f->a, &got, &f->e));
    assert_string_equal(got.tags[0], "best");
    assert_string_equal(got.tags[1], "night");
    assert_null(got.tags[2]);
    assert_int_equal(with_words(f, tx), 3);
    assert_int_equal(with_tag(f, tx), 3);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM deleted_generations"), 0);
    ok(trash_take(tx, &id, 1, &f->e)); /* once more: nothing to do */
    (void)newer;
    commit(f, tx);
}

/* The newest ones' numbers are given away while they are gone. */
static void numbers_that_were_given_away(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *ids[4];

    add(f, tx, "a", NULL, 0);
    ids[0] = add(f, tx, "b", NULL, 0);
    ids[1] = add(f, tx, "c", NULL, 0);
    ids[2] = add(f, tx, "d", NULL, 0);
    ok(trash_put(tx, ids, 3, 1000, &f->e));
    add(f, tx, "e", NULL, 0);
    ids[3] = add(f, tx, "g", NULL, 0);
    ok(trash_put(tx, &ids[3], 1, 1000, &f->e)); /* two with one number */
    ok(trash_take(tx, ids, 4, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM generations"), 6);
    assert_int_equal(with_words(f, tx), 6);
    assert_int_equal(with_tag(f, tx), 6);
    commit(f, tx);
}

static void what_waits_stays(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *job, *id = wish(f, tx, key_of(f, "a"), NULL, NULL, &job);

    ok(trash_put(tx, &id, 1, 1000, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM generations"), 1);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM deleted_generations"), 0);
    tx_rollback(tx);
}

/* A later migration that gives generations a column must give it to the trash, too. */
static void both_tables_have_the_same_columns(void **state)
{
    struct fixture *f = fixture(state);
    bool sqlite = strcmp(f->kind, "sqlite") == 0;
    struct tx *tx = begin_tx(f, TX_READ);
    const char *sql =
        sqlite ? "SELECT count(*) FROM pragma_table_info('generations') g WHERE g.name NOT IN "
                 "(SELECT d.name FROM pragma_table_info('deleted_generations') d)"
               : "SELECT count(*) FROM information_schema.columns g WHERE g.table_name = "
                 "'generations' AND g.table_schema = current_schema() AND g.column_name NOT IN "
                 "(SELECT d.column_name FROM information_schema.columns d WHERE d.table_name = "
                 "'deleted_generations' AND d.table_schema = current_schema())";

    assert_int_equal(number(f, tx, sql), 0);
    tx_rollback(tx);
}

/* ============================== Experiments ============================== */

enum { CELLS = 7, PIECE = 3 };

static struct run with_cells(struct fixture *f, struct tx *tx, const char **ids)
{
    struct run run = a_run(f, tx, CELLS), got;

    for (int i = 0; i < CELLS; i++)
        ids[i] = add(f, tx, arena_printf(&f->a, "%d", i), &run, i);
    ok(runs_recount(tx, run.id, 5, &f->a, &got, &f->e));
    assert_int_equal(got.status, EXPERIMENT_COMPLETED);
    return run;
}

static int move_all(struct fixture *f, struct tx *tx, const char *experiment)
{
    bool more = true;
    int times = 0;

    for (; more; times++)
        ok(trash_move(tx, experiment, PIECE, &more, &f->e));
    return times;
}

static void with_all_its_cells(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *ids[CELLS], **moving;
    struct run run = with_cells(f, tx, ids), got;
    const char *before = whole_row(f, tx, ids[3]);
    struct experiment x;
    size_t count;
    bool more;

    refuses(ERR_NOT_FOUND, trash_experiment_take(tx, run.experiment_id, &f->e));
    ok(trash_experiment(tx, run.experiment_id, false, 1000, &f->e));
    ok(trash_moving(tx, &f->a, &moving, &count, &f->e));
    assert_int_equal(count, 1);
    ok(trash_move(tx, run.experiment_id, PIECE, &more, &f->e));
    assert_true(more);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM generations"), CELLS - PIECE);
    assert_int_equal(move_all(f, tx, run.experiment_id), 3);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM generations"), 0);
    ok(trash_moving(tx, &f->a, &moving, &count, &f->e));
    assert_int_equal(count, 0);
    refuses(ERR_NOT_FOUND, experiments_get(tx, run.experiment_id, &f->a, &x, &f->e));
    ok(trash_experiment_find(tx, run.experiment_id, &f->a, &x, &f->e));
    refuses(ERR_NOT_FOUND, runs_insert(tx, &run, &f->e));

    ok(trash_experiment_take(tx, run.experiment_id, &f->e));
    ok(trash_move(tx, run.experiment_id, PIECE, &more, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM generations"), PIECE);
    /* Deleted again half-way: those that are back follow. */
    ok(trash_experiment(tx, run.experiment_id, false, 2000, &f->e));
    move_all(f, tx, run.experiment_id);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM generations"), 0);
    ok(trash_experiment_take(tx, run.experiment_id, &f->e));
    move_all(f, tx, run.experiment_id);
    assert_string_equal(whole_row(f, tx, ids[3]), before);
    ok(runs_recount(tx, run.id, 5, &f->a, &got, &f->e));
    assert_int_equal(got.completed, CELLS);
    assert_int_equal(with_words(f, tx), CELLS);
    commit(f, tx);
}

static void without_its_cells(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *ids[CELLS];
    struct run run = with_cells(f, tx, ids);
    const char *before = whole_row(f, tx, ids[2]);
    struct generation got;

    ok(trash_experiment(tx, run.experiment_id, true, 1000, &f->e));
    move_all(f, tx, run.experiment_id);
    ok(generations_get(tx, ids[2], &f->a, &got, &f->e));
    assert_null(got.run_id);
    assert_null(got.experiment_id);
    assert_int_equal(got.cell, -1);
    ok(generations_delete(tx, ids[2], &f->e)); /* it is one of its own */
    ok(trash_experiment_take(tx, run.experiment_id, &f->e));
    move_all(f, tx, run.experiment_id);
    assert_string_equal(whole_row(f, tx, ids[2]), before);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM detached_cells"), 0);
    commit(f, tx);
}

static void swept_when_old(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *ids[CELLS], *one = add(f, tx, "x", NULL, 0), *two = add(f, tx, "y", NULL, 0);
    struct run run = with_cells(f, tx, ids);
    struct generation got;
    bool more;

    ok(trash_put(tx, &one, 1, 1000, &f->e));
    ok(trash_put(tx, &two, 1, 3000, &f->e));
    ok(trash_experiment(tx, run.experiment_id, false, 1000, &f->e));
    ok(trash_sweep(tx, 2000, 100, &more, &f->e)); /* its cells are on the way: it waits */
    assert_false(more);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM experiments"), 1);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM deleted_generations"), 1);
    move_all(f, tx, run.experiment_id);
    for (more = true; more;)
        ok(trash_sweep(tx, 1000, PIECE, &more, &f->e)); /* not before its time */
    assert_int_equal(number(f, tx, "SELECT count(*) FROM deleted_generations"), CELLS + 1);
    for (more = true; more;)
        ok(trash_sweep(tx, 1001, PIECE, &more, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM experiments"), 0);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM experiment_runs"), 0);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM deleted_generations"), 1);
    ok(trash_take(tx, &two, 1, &f->e));
    ok(generations_get(tx, two, &f->a, &got, &f->e));
    commit(f, tx);
}

/* Kept cells outlive their experiment. */
static void kept_cells_are_swept_with_nothing(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *ids[CELLS];
    struct run run = with_cells(f, tx, ids);
    bool more = true;

    ok(trash_experiment(tx, run.experiment_id, true, 1000, &f->e));
    move_all(f, tx, run.experiment_id);
    while (more)
        ok(trash_sweep(tx, 5000, PIECE, &more, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM experiments"), 0);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM detached_cells"), 0);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM generations"), CELLS);
    commit(f, tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(it_comes_back_as_it_was), ON_BOTH(numbers_that_were_given_away),
        ON_BOTH(what_waits_stays),        ON_BOTH(both_tables_have_the_same_columns),
        ON_BOTH(with_all_its_cells),      ON_BOTH(without_its_cells),
        ON_BOTH(swept_when_old),          ON_BOTH(kept_cells_are_swept_with_nothing),
    };

    return run_on_both("storage_trash", tests, sizeof tests / sizeof *tests);
}
