#include "storage/generations_terms.h"

static void equal(struct terms *t, const char *column, const char *index, const char *value)
{
    if (value)
        t->items[t->count++] = (struct term){
            .column = column, .index = index, .low = db_text(value), .high = db_text(value)};
}

static void between(struct terms *t, const char *column, const char *index, struct db_value low,
                    struct db_value high)
{
    bool same = low.type != DB_NULL && low.type == high.type && low.i == high.i && low.r == high.r;

    if (low.type != DB_NULL || high.type != DB_NULL)
        t->items[t->count++] = (struct term){
            .column = column, .index = index, .low = low, .high = high, .range = !same};
}

static void literal(struct terms *t, const char *index, const char *text)
{
    t->items[t->count++] = (struct term){.index = index, .literal = text};
}

/* Statuses are written out, and what their partial index leaves out is said: SQLite does not see
 * that what failed has not succeeded. */
static void status(struct terms *t, int which)
{
    static const char *const conditions[] = {
        [GENERATION_QUEUED] = "g.status = 'queued' AND g.status <> 'succeeded'",
        [GENERATION_RUNNING] = "g.status = 'running' AND g.status <> 'succeeded'",
        [GENERATION_SUCCEEDED] = "g.status = 'succeeded'",
        [GENERATION_FAILED] = "g.status = 'failed' AND g.status <> 'succeeded'",
        [GENERATION_CANCELLED] = "g.status = 'cancelled' AND g.status <> 'succeeded'",
        [GENERATION_IMPOSSIBLE] = "g.status = 'impossible' AND g.status <> 'succeeded'",
    };

    if (which >= 0 && (size_t)which < sizeof conditions / sizeof *conditions)
        literal(t, which == GENERATION_SUCCEEDED ? NULL : "generations_status", conditions[which]);
}

void terms_of(const struct generation_filter *f, struct terms *out)
{
    struct terms t = {.count = 0};

    equal(&t, "key", "generations_key", f->key);
    equal(&t, "seed", "generations_seed", f->seed);
    equal(&t, "run_id", "generations_run", f->run_id);
    equal(&t, "experiment_id", "generations_experiment", f->experiment_id);
    equal(&t, "user_id", "generations_user", f->user_id);
    equal(&t, "sampler", "generations_sampler", f->sampler);
    equal(&t, "schedule", "generations_schedule", f->schedule);
    equal(&t, "model_name", "generations_model", f->model);
    between(&t, "steps", "generations_steps", db_int_or_null(f->steps_min > 0 ? f->steps_min : 0),
            db_int_or_null(f->steps_max > 0 ? f->steps_max : 0));
    between(&t, "cfg_scale", "generations_cfg", db_real(f->cfg_min), db_real(f->cfg_max));
    between(&t, "rating", "generations_rating",
            db_int_or_null(f->rating_min > 0 ? f->rating_min : 0), db_int_or_null(0));
    if (f->favourite >= 0)
        literal(&t, f->favourite ? "generations_favourite" : NULL,
                f->favourite ? "g.favourite = 1" : "g.favourite = 0");
    status(&t, f->status);
    *out = t;
}

static void add_term(struct query *q, const struct term *t)
{
    if (t->literal) {
        query_add(q, " AND ");
        query_add(q, t->literal);
    } else if (!t->range) {
        query_and(q, arena_printf(q->a, "g.%s = ", t->column), t->low);
    } else {
        if (t->low.type != DB_NULL)
            query_and(q, arena_printf(q->a, "g.%s >= ", t->column), t->low);
        if (t->high.type != DB_NULL)
            query_and(q, arena_printf(q->a, "g.%s <= ", t->column), t->high);
    }
}

void terms_add(struct query *q, const struct terms *t)
{
    for (size_t i = 0; i < t->count; i++)
        add_term(q, &t->items[i]);
}

/* How many rows a condition has, counted in its index up to `most` + 1. */
static int count_up_to(struct tx *tx, const struct term *t, int64_t most, struct arena *a,
                       int64_t *out, struct err *e)
{
    struct db_rows rows;
    struct query q;

    query_init(&q, a);
    query_add(&q, arena_printf(a,
                               "SELECT count(*) FROM (SELECT 1 FROM generations g INDEXED BY %s "
                               "WHERE 1 = 1",
                               t->index));
    add_term(&q, t);
    query_add(&q, " LIMIT ");
    query_arg(&q, db_int(most + 1));
    query_add(&q, ")");
    int rc = query_run(&q, tx, &rows, e);
    if (rc == 0)
        *out = db_i64(&rows, 0, 0);
    return rc;
}

/*
 * Rows of a rare condition are fetched and sorted; with frequent ones only, walking in the order of
 * the list meets enough rows soon. A lone range that is sorted by identifier needs no rows, its
 * index has all, so it may be larger.
 */
int terms_index(struct tx *tx, const struct terms *t, const char *order, bool by_id,
                struct arena *a, const char **out, struct err *e)
{
    enum { RARE = 2500, RARE_ALONE = 20000 };
    int64_t least = t->count == 1 && by_id ? RARE_ALONE : RARE, found;
    const char *index = NULL, *walk = NULL;

    *out = NULL;
    if (t->count == 0)
        return 0;
    if (t->count == 1 && by_id && !t->items[0].range) {
        *out = t->items[0].index; /* there is an index for just that */
        return 0;
    }
    for (size_t i = 0; i < t->count; i++) {
        const struct term *one = &t->items[i];
        if (!one->index)
            continue;
        int rc = count_up_to(tx, one, least, a, &found, e);
        if (rc)
            return rc;
        if (found <= least) {
            least = found;
            index = one->index;
        }
        if (!walk && by_id && !one->range) /* rows of one value are in the order of identifiers */
            walk = one->index;
    }
    *out = index ? index : walk ? walk : order;
    return 0;
}
