/* What earlier generations tell: which are near to one, and what a picture costs. */
#include "storage/generations_rows.h"
#include "storage/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES = 100, LOOKED_AT = 400, SAMPLES = 64 };

/* How far apart two recipes are: each term is 0 for equal and about 1 for what people would call
 * different. */
static double distance(const struct generation *a, const struct generation *b)
{
    double d = 0;

    d += strcmp(a->prompt, b->prompt) != 0 ? 2 : 0;
    d += strcmp(a->model_name, b->model_name) != 0 ? 2 : 0;
    d += a->sampler && b->sampler && strcmp(a->sampler, b->sampler) != 0 ? 0.5 : 0;
    d += a->schedule && b->schedule && strcmp(a->schedule, b->schedule) != 0 ? 0.25 : 0;
    d += fabs(log2((a->steps + 1.0) / (b->steps + 1.0)));
    d += fabs(a->cfg_scale - b->cfg_scale) / 4;
    d += a->width != b->width || a->height != b->height ? 0.5 : 0;
    d += a->seed != b->seed ? 0.5 : 0;
    return d;
}

struct near {
    const char *id;
    double distance;
};

static int by_distance(const void *a, const void *b)
{
    const struct near *x = a, *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return strcmp(y->id, x->id); /* newer first */
}

/* The newest that share a value with it: only what the distance needs of them. Many that wait may
 * be newer than any that was drawn, so the search ends after some. */
static int add_candidates(struct tx *tx, const char *column, const char *value,
                          const struct generation *to, struct near *list, size_t *n,
                          struct arena *a, struct err *e)
{
    struct db_rows rows;
    const char *sql =
        arena_printf(a,
                     DB_ONCE "SELECT id, prompt, model_name, sampler, schedule, steps, cfg_scale, "
                             "width, height, seed FROM (SELECT * FROM generations WHERE %s = $1 "
                             "ORDER BY id DESC LIMIT %d) g WHERE status = 'succeeded' "
                             "ORDER BY id DESC LIMIT $2",
                     column, LOOKED_AT);
    int rc = tx_query(tx, sql, DB_ARGS(db_text(value), db_int(CANDIDATES)), a, &rows, e);

    for (size_t i = 0; rc == 0 && i < rows.count; i++) {
        const struct generation g = {.id = db_str(&rows, i, 0),
                                     .prompt = db_str(&rows, i, 1),
                                     .model_name = db_str(&rows, i, 2),
                                     .sampler = db_str(&rows, i, 3),
                                     .schedule = db_str(&rows, i, 4),
                                     .steps = (int)db_i64(&rows, i, 5),
                                     .cfg_scale = db_f64(&rows, i, 6),
                                     .width = (int)db_i64(&rows, i, 7),
                                     .height = (int)db_i64(&rows, i, 8),
                                     .seed = strtoull(db_str(&rows, i, 9), NULL, 10)};
        bool known = to->id && strcmp(g.id, to->id) == 0;
        for (size_t k = 0; k < *n && !known; k++)
            known = strcmp(list[k].id, g.id) == 0;
        if (!known)
            list[(*n)++] = (struct near){g.id, distance(to, &g)};
    }
    return rc;
}

int generations_similar(struct tx *tx, const struct generation *to, int limit, struct arena *a,
                        struct generation **out, size_t *count, struct err *e)
{
    struct near *list = arena_alloc(a, 2 * CANDIDATES * sizeof *list);
    size_t n = 0, most = (size_t)page_limit(limit);
    char hash[17];

    prompt_hash(to->prompt, hash);
    int rc = add_candidates(tx, "prompt_hash", hash, to, list, &n, a, e);
    if (rc == 0)
        rc = add_candidates(tx, "model_name", to->model_name, to, list, &n, a, e);
    if (rc)
        return rc;
    qsort(list, n, sizeof *list, by_distance);
    if (n > most)
        n = most;
    struct generation *found = arena_alloc(a, (n + 1) * sizeof *found);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = generations_get(tx, list[i].id, a, &found[i], e);
    if (rc)
        return rc;
    *count = n;
    *out = found;
    return 0;
}

/* Measured pictures of a model, newest first: steps, seconds, seconds of one evaluation, bytes,
 * guidance, width, height. */
static int samples_of(struct tx *tx, const struct recipe *r, bool same_size, struct arena *a,
                      struct db_rows *rows, struct err *e)
{
    struct query q;

    query_init(&q, a);
    query_add(&q, DB_ONCE
              "SELECT s.steps, i.seconds, i.step_seconds, i.bytes, s.cfg_scale, s.width, "
              "s.height FROM (SELECT g.* FROM generations g WHERE g.status = 'succeeded' AND "
              "g.reused = 0");
    query_and(&q, "g.model_name = ", db_text(r->model));
    if (same_size) {
        query_and(&q, "g.width = ", db_int(r->width));
        query_and(&q, "g.height = ", db_int(r->height));
    }
    query_add(&q, " ORDER BY g.id DESC LIMIT ");
    query_arg(&q, db_int(SAMPLES));
    query_add(&q, ") s JOIN images i ON i.key = s.key");
    return query_run(&q, tx, rows, e);
}

/* Least squares of seconds over steps; with one number of steps only, the measured time of an
 * evaluation says how much of it grows with steps. Other sizes count by their area. */
static void fit(const struct db_rows *rows, const struct recipe *r, int guided, bool same_guidance,
                struct cost_history *out)
{
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, bytes = 0, per_step = 0;

    for (size_t i = 0; i < rows->count; i++) {
        bool was_guided = db_f64(rows, i, 4) > 1;
        double x = db_f64(rows, i, 0), y = db_f64(rows, i, 1), one = db_f64(rows, i, 2);
        double area = db_f64(rows, i, 5) * db_f64(rows, i, 6);
        double scale = area > 0 ? (double)r->width * r->height / area : 1;
        if (same_guidance && was_guided != (guided != 0))
            continue;
        if (!same_guidance) /* a guided step evaluates twice as much */
            scale *= guided ? 2 : 0.5;
        n++;
        sx += x;
        sy += y * scale;
        sxx += x * x;
        sxy += x * y * scale;
        per_step += one * scale;
        bytes += db_f64(rows, i, 3);
    }
    if (n == 0)
        return;
    double spread = sxx - sx * sx / n, slope = per_step / n;
    if (spread > 0 && (sxy - sx * sy / n) > 0)
        slope = (sxy - sx * sy / n) / spread;
    if (sx > 0 && slope * sx > sy)
        slope = sy / sx;
    *out = (struct cost_history){
        .samples = (int)n,
        .seconds_per_step = slope,
        .seconds_fixed = (sy - slope * sx) / n,
        .bytes = bytes / n,
    };
}

int generations_cost(struct tx *tx, const struct recipe *r, int guided, struct cost_history *out,
                     struct err *e)
{
    struct cost_history cost = {0};
    struct arena a = {0};
    struct db_rows rows;
    int rc = samples_of(tx, r, true, &a, &rows, e);

    if (rc == 0 && rows.count == 0)
        rc = samples_of(tx, r, false, &a, &rows, e);
    if (rc == 0) {
        fit(&rows, r, guided, true, &cost);
        if (cost.samples == 0)
            fit(&rows, r, guided, false, &cost);
        *out = cost;
    }
    arena_release(&a);
    return rc;
}
