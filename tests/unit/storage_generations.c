/* Generations, pictures, experiments and runs, on both databases. */
#include "storage_jobs.h"

#include "storage/images.h"
#include "storage/trash.h"

#include <math.h>

/* A drawn one: the picture first, then the wish that finds it. */
static const char *drawn(struct fixture *f, struct tx *tx, struct generation *g, double seconds)
{
    struct picture_row p = a_picture(g->key);
    bool existed;

    p.seconds = seconds;
    ok(images_insert(tx, &p, &existed, &f->e));
    g->status = GENERATION_SUCCEEDED;
    ok(generations_insert(tx, g, 1, &f->e));
    return g->id;
}

static void all_fields_come_back(void **state)
{
    struct fixture *f = fixture(state);
    static const char *const tags[] = {"b", "a", NULL};
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 1);
    struct generation g = a_generation(f, key_of(f, "a")), got;

    g.run_id = run.id;
    g.experiment_id = run.experiment_id;
    g.cell = 5;
    g.replicate = 2;
    g.axes = "{\"steps\":20}";
    g.negative_prompt = "blurry";
    g.model_digest = "dd";
    g.seed = UINT64_MAX;
    g.cfg_scale = 7.25;
    g.metadata = "{\"x\":1}";
    g.rating = 4;
    g.favourite = true;
    g.tags = tags;
    drawn(f, tx, &g, 1.5);
    commit(f, tx);
    got = generation_at(f, g.id);
    assert_string_equal(got.run_id, run.id);
    assert_string_equal(got.experiment_id, run.experiment_id);
    assert_int_equal(got.cell, 5);
    assert_int_equal(got.replicate, 2);
    assert_string_equal(got.axes, g.axes);
    assert_string_equal(got.key, g.key);
    assert_int_equal(got.status, GENERATION_SUCCEEDED);
    assert_string_equal(got.prompt, g.prompt);
    assert_string_equal(got.negative_prompt, "blurry");
    assert_string_equal(got.model_digest, "dd");
    assert_true(got.seed == UINT64_MAX);
    assert_true(got.cfg_scale == 7.25);
    assert_string_equal(got.metadata, g.metadata);
    assert_int_equal(got.rating, 4);
    assert_true(got.favourite);
    assert_string_equal(got.tags[0], "a");
    assert_string_equal(got.tags[1], "b");
    assert_null(got.tags[2]);
    assert_true(got.seconds == 1.5);
    assert_int_equal(got.bytes, 1234);
    assert_string_equal(got.format, "png");
    assert_true(got.generated_at == g.created_at);
    assert_null(got.user_id);
    tx = begin_tx(f, TX_READ);
    refuses(ERR_NOT_FOUND, generations_get(tx, "nobody", &f->a, &got, &f->e));
    tx_rollback(tx);
}

static void changes_and_deletions(void **state)
{
    struct fixture *f = fixture(state);
    static const char *const tags[] = {"x", "y", "x", NULL}, *const none[] = {NULL};
    struct tx *tx = write_tx(f);
    struct generation g = a_generation(f, key_of(f, "a")), got;

    drawn(f, tx, &g, 1);
    ok(generations_update(tx, g.id, &(struct generation_change){5, -1, tags}, &f->e));
    ok(generations_update(tx, g.id, &(struct generation_change){-1, 1, NULL}, &f->e));
    ok(generations_get(tx, g.id, &f->a, &got, &f->e));
    assert_int_equal(got.rating, 5);
    assert_true(got.favourite);
    assert_string_equal(got.tags[1], "y");
    assert_null(got.tags[2]);
    ok(generations_update(tx, g.id, &(struct generation_change){0, 0, none}, &f->e));
    ok(generations_get(tx, g.id, &f->a, &got, &f->e));
    assert_int_equal(got.rating, 0);
    assert_null(got.tags[0]);
    refuses(ERR_NOT_FOUND,
            generations_update(tx, "nobody", &(struct generation_change){1, -1, NULL}, &f->e));
    ok(generations_delete(tx, g.id, &f->e));
    refuses(ERR_NOT_FOUND, generations_delete(tx, g.id, &f->e));
    struct generation_filter filter = generation_filter();
    struct generation *list;
    const char *next;
    size_t count;
    filter.text = "circle"; /* its words are gone with it */
    ok(generations_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
    assert_int_equal(count, 0);
    commit(f, tx);
}

/* ============================== Lists ============================== */

enum { MANY = 60 };
static const char *const prompts[] = {"a red circle", "a green Star, at night",
                                      "Ünder_the blue sea", "red-hot stars 1.5"};

static void fill(struct fixture *f, struct tx *tx, const char **ids)
{
    static const char *const tagged[] = {"best", NULL};
    struct run run = a_run(f, tx, MANY);
    int64_t now = clock_unix_ms();

    for (int i = 0; i < MANY; i++) {
        char name[8];
        snprintf(name, sizeof name, "%d", i);
        struct generation g = a_generation(f, key_of(f, arena_strdup(&f->a, name)));
        g.prompt = prompts[i % 4];
        g.model_name = i % 3 ? "demo" : "sdxl";
        g.sampler = i % 5 ? "euler" : "ddim";
        g.seed = (uint64_t)(i % 10);
        g.steps = 10 + i % 7;
        g.cfg_scale = 1 + i % 4;
        g.rating = i % 6;
        g.favourite = i % 11 == 0;
        g.tags = i % 8 == 0 ? tagged : NULL;
        g.created_at = now;
        g.run_id = i % 2 ? run.id : NULL;
        g.experiment_id = i % 2 ? run.experiment_id : NULL;
        g.cell = i % 2 ? MANY - i : -1;
        ids[i] = g.id;
        if (i % 9 == 0)
            ok(generations_insert(tx, &g, 1, &f->e));
        else
            drawn(f, tx, &g, 1 + (i * 7) % 13);
    }
    ids[MANY] = run.id;
}

static bool matches(const struct generation *g, const struct generation_filter *f)
{
    return (!f->model || strcmp(g->model_name, f->model) == 0) &&
           (!f->sampler || strcmp(g->sampler, f->sampler) == 0) &&
           (!f->run_id || (g->run_id && strcmp(g->run_id, f->run_id) == 0)) &&
           (!f->seed || g->seed == strtoull(f->seed, NULL, 10)) &&
           (!f->tag || (g->tags[0] && strcmp(g->tags[0], f->tag) == 0)) &&
           (!f->steps_min || g->steps >= f->steps_min) &&
           (!f->steps_max || g->steps <= f->steps_max) &&
           (isnan(f->cfg_min) || g->cfg_scale >= f->cfg_min) &&
           (isnan(f->cfg_max) || g->cfg_scale <= f->cfg_max) && g->rating >= f->rating_min &&
           (f->favourite < 0 || g->favourite == (f->favourite == 1)) &&
           (f->status < 0 || g->status == (enum generation_status)f->status) &&
           (f->sort != SORT_SECONDS || g->seconds > 0);
}

static double key_for(const struct generation *g, enum generation_sort sort)
{
    switch (sort) {
    case SORT_RATING:
        return -g->rating;
    case SORT_STEPS:
        return g->steps;
    case SORT_SECONDS:
        return g->seconds;
    case SORT_CELL:
        return (double)g->cell;
    default:
        return 0;
    }
}

/* Every page of a list: what matches and nothing else, each once, in order. */
static size_t check_list(struct fixture *f, struct tx *tx, struct generation_filter filter,
                         const char *const *ids)
{
    bool falling = filter.sort == SORT_NEWEST || filter.sort == SORT_RATING;
    struct generation *page, last = {0}, one;
    size_t count, seen = 0, expected = 0;

    filter.limit = 7;
    filter.cursor = NULL;
    do {
        ok(generations_list(tx, &filter, &f->a, &page, &count, &filter.cursor, &f->e));
        for (size_t i = 0; i < count; i++) {
            assert_true(matches(&page[i], &filter));
            if (last.id) {
                double before = key_for(&last, filter.sort), key = key_for(&page[i], filter.sort);
                assert_true(before <= key);
                int order = strcmp(last.id, page[i].id);
                assert_true(before < key || (falling ? order > 0 : order < 0));
            }
            last = page[i];
        }
        seen += count;
    } while (filter.cursor);
    for (int i = 0; i < MANY; i++) {
        ok(generations_get(tx, ids[i], &f->a, &one, &f->e));
        expected += matches(&one, &filter);
    }
    assert_int_equal(seen, expected);
    return seen;
}

static void lists_have_filters_and_orders(void **state)
{
    struct fixture *f = fixture(state);
    const char *ids[MANY + 1];
    struct tx *tx = write_tx(f);
    static const enum generation_sort sorts[] = {SORT_NEWEST, SORT_OLDEST,  SORT_RATING,
                                                 SORT_STEPS,  SORT_SECONDS, SORT_CELL};

    fill(f, tx, ids);
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) {
        struct generation_filter all = generation_filter(), filter;
        all.sort = sorts[i];
        if (all.sort == SORT_CELL)
            all.run_id = ids[MANY];
        assert_true(check_list(f, tx, all, ids) > 20);
        filter = all, filter.model = "sdxl";
        assert_true(check_list(f, tx, filter, ids) > 5);
        filter = all, filter.sampler = "ddim";
        check_list(f, tx, filter, ids);
        filter = all, filter.run_id = ids[MANY];
        check_list(f, tx, filter, ids);
        filter = all, filter.seed = "3";
        check_list(f, tx, filter, ids);
        filter = all, filter.tag = "best";
        check_list(f, tx, filter, ids);
        filter = all, filter.steps_min = 12, filter.steps_max = 14;
        check_list(f, tx, filter, ids);
        filter = all, filter.cfg_min = 2, filter.cfg_max = 3;
        check_list(f, tx, filter, ids);
        filter = all, filter.rating_min = 4;
        check_list(f, tx, filter, ids);
        filter = all, filter.favourite = 1;
        check_list(f, tx, filter, ids);
        filter = all, filter.favourite = 0, filter.model = "demo", filter.tag = "best";
        check_list(f, tx, filter, ids);
        filter = all, filter.status = GENERATION_QUEUED;
        check_list(f, tx, filter, ids);
        filter = all, filter.status = GENERATION_SUCCEEDED;
        check_list(f, tx, filter, ids);
    }
    tx_rollback(tx);
}

static size_t find(struct fixture *f, struct tx *tx, const char *text, enum generation_sort sort,
                   const char *model)
{
    struct generation_filter filter = generation_filter();
    struct generation *page;
    size_t count, seen = 0;

    filter.text = text;
    filter.sort = sort;
    filter.model = model;
    filter.limit = 4;
    do {
        ok(generations_list(tx, &filter, &f->a, &page, &count, &filter.cursor, &f->e));
        seen += count;
    } while (filter.cursor);
    return seen;
}

static void words_are_found(void **state)
{
    struct fixture *f = fixture(state);
    const char *ids[MANY + 1];
    struct tx *tx = write_tx(f);
    static const struct {
        const char *text;
        size_t of_four; /* of the four prompts */
    } cases[] = {
        {"red", 2},         {"RED circle", 1}, {"circle red", 1},   {"star", 1},
        {"star*", 2},       {"night", 1},      {"under", 1},        {"ünder the", 1},
        {"green sea", 0},   {"1 5", 1},        {"1.5", 1},          {"hot", 1},
        {"red'); DROP", 0}, {"!?", 4},         {"nothing", 0},      {"\"red\" OR", 0},
        {"e*", 0},          {"cir*", 1},       {"AND NOT near", 0},
    };

    fill(f, tx, ids);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t expected = cases[i].of_four * MANY / 4;
        size_t found = find(f, tx, cases[i].text, SORT_NEWEST, NULL);
        if (found != expected)
            fail_msg("'%s': %zu instead of %zu", cases[i].text, found, expected);
        assert_int_equal(find(f, tx, cases[i].text, SORT_STEPS, NULL), expected);
        assert_int_equal(find(f, tx, cases[i].text, SORT_OLDEST, "sdxl"), expected / 3);
    }
    tx_rollback(tx);
}

static void times_and_bad_cursors(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct generation_filter filter = generation_filter();
    struct generation *page;
    const char *next;
    size_t count;
    int64_t start = 1700000000000;

    for (int i = 0; i < 10; i++) {
        char *id = arena_alloc(&f->a, UUID_TEXT);
        struct generation g = a_generation(f, key_of(f, "a"));
        uuid_v7_floor(start + i * 1000, id);
        g.id = id;
        g.created_at = start + i * 1000;
        ok(generations_insert(tx, &g, 1, &f->e));
    }
    filter.created_after = start + 3000;
    filter.created_before = start + 6000;
    for (int text = 0; text < 2; text++) {
        filter.text = text ? "circle" : NULL;
        filter.limit = 2;
        ok(generations_list(tx, &filter, &f->a, &page, &count, &next, &f->e));
        assert_int_equal(count, 2);
        assert_true(page[0].created_at == start + 5000);
        filter.cursor = next;
        ok(generations_list(tx, &filter, &f->a, &page, &count, &next, &f->e));
        assert_int_equal(count, 1);
        assert_true(page[0].created_at == start + 3000);
        assert_null(next);
        filter.cursor = NULL;
    }
    static const char *const bad[] = {"!", "", "AAAA", "bg", "cgo", "x\x80", "bjEKMg=="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        filter.cursor = bad[i];
        filter.sort = SORT_STEPS;
        refuses(ERR_ARG, generations_list(tx, &filter, &f->a, &page, &count, &next, &f->e));
    }
    filter = generation_filter();
    filter.limit = 2;
    ok(generations_list(tx, &filter, &f->a, &page, &count, &filter.cursor, &f->e));
    filter.sort = SORT_OLDEST;
    refuses(ERR_ARG, generations_list(tx, &filter, &f->a, &page, &count, &next, &f->e));
    filter = generation_filter();
    filter.sort = SORT_CELL;
    refuses(ERR_ARG, generations_list(tx, &filter, &f->a, &page, &count, &next, &f->e));
    tx_rollback(tx);
}

/* ============================== Pictures ============================== */

static void pictures_outlive_those_who_want_them(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct generation g = a_generation(f, key_of(f, "a"));
    struct picture_row lonely = a_picture(key_of(f, "b")), got, *orphans;
    const char *keys[] = {g.key, lonely.key, key_of(f, "c")};
    bool found[3], existed, used, more;
    size_t count;

    drawn(f, tx, &g, 1);
    ok(images_insert(tx, &lonely, &existed, &f->e));
    assert_false(existed);
    lonely.bytes = 1;
    ok(images_insert(tx, &lonely, &existed, &f->e));
    assert_true(existed);
    ok(images_get(tx, lonely.key, &f->a, &got, &f->e));
    assert_int_equal(got.bytes, 1234);
    assert_string_equal(got.provider, "native");
    ok(images_set_measures(tx, lonely.key, "{\"sharpness\":1}", &f->e));
    ok(images_get(tx, lonely.key, &f->a, &got, &f->e));
    assert_string_equal(got.measures, "{\"sharpness\":1}");
    ok(generations_drawn(tx, keys, 3, found, &f->e));
    assert_true(found[0] && found[1] && !found[2]);
    commit(f, tx);

    tx = write_tx(f);
    ok(images_orphans(tx, clock_unix_ms() - 1000000, 10, &f->a, &orphans, &count, &f->e));
    assert_int_equal(count, 0);
    ok(images_orphans(tx, clock_unix_ms() + 1000, 10, &f->a, &orphans, &count, &f->e));
    assert_int_equal(count, 1);
    assert_string_equal(orphans[0].key, lonely.key);
    refuses(ERR_CONFLICT, images_delete(tx, g.key, &f->e));
    ok(images_delete(tx, lonely.key, &f->e));
    refuses(ERR_NOT_FOUND, images_delete(tx, lonely.key, &f->e));
    refuses(ERR_NOT_FOUND, images_set_measures(tx, lonely.key, "{}", &f->e));
    ok(images_uses_blob(tx, got.sha256, &used, &f->e));
    assert_true(used);
    ok(generations_delete(tx, g.id, &f->e));
    ok(images_orphans(tx, INT64_MAX, 10, &f->a, &orphans, &count, &f->e)); /* it may be restored */
    assert_int_equal(count, 0);
    refuses(ERR_CONFLICT, images_delete(tx, g.key, &f->e));
    ok(trash_sweep(tx, INT64_MAX, 10, &more, &f->e));
    ok(images_delete(tx, g.key, &f->e));
    ok(images_uses_blob(tx, got.sha256, &used, &f->e));
    assert_false(used);
    commit(f, tx);
}

/* ============================== History ============================== */

static void history_is_measured(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct recipe r = {.model = "demo", .width = 64, .height = 64, .steps = 100};
    struct cost_history cost;

    ok(generations_cost(tx, &r, 1, &cost, &f->e));
    assert_int_equal(cost.samples, 0);
    for (int i = 0; i < 10; i++) {
        char name[8];
        snprintf(name, sizeof name, "%d", i);
        struct generation g = a_generation(f, key_of(f, arena_strdup(&f->a, name)));
        g.steps = 10 + 10 * (i % 3);
        drawn(f, tx, &g, 0.5 + 0.2 * g.steps);
    }
    ok(generations_cost(tx, &r, 1, &cost, &f->e));
    assert_int_equal(cost.samples, 10);
    assert_true(fabs(cost.seconds_per_step - 0.2) < 1e-9);
    assert_true(fabs(cost.seconds_fixed - 0.5) < 1e-9);
    assert_true(cost.bytes == 1234);
    r.width = 128; /* twice the area */
    ok(generations_cost(tx, &r, 1, &cost, &f->e));
    assert_true(fabs(cost.seconds_per_step - 0.4) < 1e-9);
    r.width = 64;
    ok(generations_cost(tx, &r, 0, &cost, &f->e)); /* without guidance: half of it */
    assert_true(fabs(cost.seconds_per_step - 0.1) < 1e-9);
    r.model = "other";
    ok(generations_cost(tx, &r, 0, &cost, &f->e));
    assert_int_equal(cost.samples, 0);
    tx_rollback(tx);
}

static void similar_ones_come_nearest_first(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct generation *near, to = {0};
    size_t count;

    for (int i = 0; i < 6; i++) {
        char name[8];
        snprintf(name, sizeof name, "%d", i);
        struct generation g = a_generation(f, key_of(f, arena_strdup(&f->a, name)));
        g.steps = 20 + i;
        if (i == 4)
            g.prompt = "something else";
        if (i == 5)
            g.prompt = "something else", g.model_name = "other";
        drawn(f, tx, &g, 1);
        if (i == 0)
            ok(generations_get(tx, g.id, &f->a, &to, &f->e));
    }
    ok(generations_similar(tx, &to, 10, &f->a, &near, &count, &f->e));
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(near[i].steps, 21 + (int)i);
    ok(generations_similar(tx, &to, 2, &f->a, &near, &count, &f->e));
    assert_int_equal(count, 2);
    tx_rollback(tx);
}

/* ============================== Experiments ============================== */

static void experiments_have_versions(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct experiment x = {.id = new_id(f),
                           .name = "100% _cats_",
                           .type = "cfg",
                           .config = "{\"a\":1}",
                           .created_at = 5,
                           .updated_at = 5},
                      got, *list;
    struct experiment_filter filter = {.status = -1};
    const char *next;
    size_t count;

    ok(experiments_insert(tx, &x, &f->e));
    ok(experiments_get(tx, x.id, &f->a, &got, &f->e));
    assert_int_equal(got.status, EXPERIMENT_DRAFT);
    assert_string_equal(got.config, x.config);
    assert_int_equal(got.version, 1);
    ok(experiments_update(tx, x.id, 1, "Cats", "cfg", "{}", 9, &f->e));
    refuses(ERR_CONFLICT, experiments_update(tx, x.id, 1, "Dogs", "cfg", "{}", 9, &f->e));
    refuses(ERR_NOT_FOUND, experiments_update(tx, "none", 1, "Dogs", "cfg", "{}", 9, &f->e));
    (void)a_run(f, tx, 1);
    filter.text = "cAT";
    ok(experiments_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
    assert_int_equal(count, 1);
    assert_true(list[0].version == 2 && list[0].updated_at == 9);
    filter.text = "%";
    ok(experiments_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
    assert_int_equal(count, 0);
    filter.text = NULL, filter.status = EXPERIMENT_RUNNING;
    ok(experiments_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
    assert_int_equal(count, 1);
    assert_int_equal(list[0].runs, 1);
    filter.status = -1, filter.limit = 1;
    ok(experiments_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
    assert_non_null(next);
    filter.cursor = next, filter.type = "cfg";
    ok(experiments_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
    assert_int_equal(count, 1);
    assert_null(next);
    ok(trash_experiment(tx, x.id, false, 9, &f->e));
    refuses(ERR_NOT_FOUND, trash_experiment(tx, x.id, false, 9, &f->e));
    refuses(ERR_NOT_FOUND, experiments_get(tx, x.id, &f->a, &got, &f->e));
    refuses(ERR_NOT_FOUND, experiments_update(tx, x.id, 2, "Dogs", "cfg", "{}", 9, &f->e));
    filter = (struct experiment_filter){.status = -1};
    ok(experiments_list(tx, &filter, &f->a, &list, &count, &next, &f->e));
    assert_int_equal(count, 1);
    tx_rollback(tx);
}

static void runs_have_a_life(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run first = a_run(f, tx, 0), second = first, got, *list;
    struct experiment x;
    const char **ids;
    size_t count;

    assert_int_equal(first.number, 1);
    second.id = new_id(f);
    second.status = EXPERIMENT_PAUSED;
    second.budget_ms = 1000;
    ok(runs_insert(tx, &second, &f->e));
    assert_int_equal(second.number, 2);
    ok(runs_last(tx, first.experiment_id, &f->a, &got, &f->e));
    assert_string_equal(got.id, second.id);
    assert_true(got.started_at == 0);
    ok(runs_list(tx, first.experiment_id, &f->a, &list, &count, &f->e));
    assert_int_equal(count, 2);
    ok(experiments_get(tx, first.experiment_id, &f->a, &x, &f->e));
    assert_int_equal(x.status, EXPERIMENT_PAUSED);
    assert_int_equal(x.runs, 2);

    ok(runs_set_status(tx, second.id, EXPERIMENT_RUNNING, 10000, &f->e));
    ok(runs_over_budget(tx, 10999, &f->a, &ids, &count, &f->e));
    assert_int_equal(count, 0);
    ok(runs_set_status(tx, second.id, EXPERIMENT_PAUSED, 10600, &f->e));
    ok(runs_over_budget(tx, 99999, &f->a, &ids, &count, &f->e)); /* a pause costs nothing */
    assert_int_equal(count, 0);
    ok(runs_set_status(tx, second.id, EXPERIMENT_RUNNING, 50000, &f->e));
    ok(runs_over_budget(tx, 50399, &f->a, &ids, &count, &f->e));
    assert_int_equal(count, 0);
    ok(runs_over_budget(tx, 50400, &f->a, &ids, &count, &f->e));
    assert_int_equal(count, 1);
    ok(runs_set_status(tx, second.id, EXPERIMENT_CANCELLED, 60000, &f->e));
    ok(runs_get(tx, second.id, &f->a, &got, &f->e));
    assert_true(got.started_at == 10000 && got.finished_at == 60000);
    refuses(ERR_CONFLICT, runs_set_status(tx, second.id, EXPERIMENT_RUNNING, 7, &f->e));
    refuses(ERR_CONFLICT, runs_set_status(tx, second.id, EXPERIMENT_DRAFT, 7, &f->e));
    ok(runs_set_plan(tx, second.id, "{\"s\":1}", "{\"p\":1}", &f->e));
    ok(runs_get(tx, second.id, &f->a, &got, &f->e));
    assert_string_equal(got.plan, "{\"p\":1}");
    /* The first run moves; the experiment shows its last one. */
    ok(runs_set_status(tx, first.id, EXPERIMENT_PAUSED, 1, &f->e));
    ok(experiments_get(tx, first.experiment_id, &f->a, &x, &f->e));
    assert_int_equal(x.status, EXPERIMENT_CANCELLED);
    refuses(ERR_NOT_FOUND, runs_get(tx, "none", &f->a, &got, &f->e));
    refuses(ERR_NOT_FOUND, runs_last(tx, "none", &f->a, &got, &f->e));
    tx_rollback(tx);
}

static void recounting_ends_and_reopens(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct run run = a_run(f, tx, 0), got;
    struct generation cells[4], *all;
    size_t count;

    for (int i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof name, "%d", i);
        cells[i] = a_generation(f, key_of(f, arena_strdup(&f->a, name)));
        cells[i].run_id = run.id;
        cells[i].experiment_id = run.experiment_id;
        cells[i].cell = 3 - i;
    }
    cells[2].status = GENERATION_IMPOSSIBLE;
    cells[2].key = NULL;
    cells[2].error = "this model has no such sampler";
    cells[0].reused = true;
    drawn(f, tx, &cells[0], 2);
    drawn(f, tx, &cells[1], 3);
    ok(generations_insert(tx, &cells[2], 1, &f->e));
    ok(runs_recount(tx, run.id, 77, &f->a, &got, &f->e));
    assert_int_equal(got.total, 3);
    assert_int_equal(got.completed, 2);
    assert_int_equal(got.impossible, 1);
    assert_int_equal(got.reused, 1);
    assert_true(got.seconds_drawing == 3);
    assert_int_equal(got.status, EXPERIMENT_COMPLETED);
    assert_true(got.finished_at == 77);
    ok(generations_insert(tx, &cells[3], 1, &f->e)); /* extended */
    ok(runs_recount(tx, run.id, 88, &f->a, &got, &f->e));
    assert_int_equal(got.status, EXPERIMENT_RUNNING);
    assert_int_equal(got.total, 4);
    assert_true(got.finished_at == 0);
    ok(runs_cells(tx, run.id, &f->a, &all, &count, &f->e));
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(all[i].cell, i);
    assert_string_equal(all[1].error, "this model has no such sampler");
    assert_null(all[1].key);
    commit(f, tx);

    tx = write_tx(f);
    refuses(ERR_CONFLICT, trash_experiment(tx, run.experiment_id, false, 100, &f->e));
    ok(runs_set_status(tx, run.id, EXPERIMENT_PAUSED, 99, &f->e));
    ok(trash_experiment(tx, run.experiment_id, false, 100, &f->e));
    bool more = true;
    while (more)
        ok(trash_move(tx, run.experiment_id, 3, &more, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM generations"), 0);
    for (more = true; more;)
        ok(trash_sweep(tx, 101, 3, &more, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM deleted_generations"), 0);
    assert_int_equal(number(f, tx, "SELECT count(*) FROM experiment_runs"), 0);
    commit(f, tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(all_fields_come_back),          ON_BOTH(changes_and_deletions),
        ON_BOTH(lists_have_filters_and_orders), ON_BOTH(words_are_found),
        ON_BOTH(times_and_bad_cursors),         ON_BOTH(pictures_outlive_those_who_want_them),
        ON_BOTH(history_is_measured),           ON_BOTH(similar_ones_come_nearest_first),
        ON_BOTH(experiments_have_versions),     ON_BOTH(runs_have_a_life),
        ON_BOTH(recounting_ends_and_reopens),
    };
    return run_on_both("storage_generations", tests, sizeof tests / sizeof *tests);
}
