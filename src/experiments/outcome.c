#include "experiments/outcome.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CACHE_MAX = 64 << 20, PICTURE_MAX = 256 << 20 };

/* ============================== Rows become results ============================== */

static enum result_state state_of(const struct generation *g)
{
    switch (g->status) {
    case GENERATION_SUCCEEDED:
        return RESULT_DONE;
    case GENERATION_FAILED:
        return RESULT_FAILED;
    case GENERATION_QUEUED:
    case GENERATION_RUNNING:
        return RESULT_WAITING;
    case GENERATION_CANCELLED:
    case GENERATION_IMPOSSIBLE:
        return RESULT_NONE;
    }
    return RESULT_NONE;
}

static void fill_result(struct outcome *o, const struct generation *g)
{
    struct result *r = &o->results->at[g->cell];
    json_t *measures = NULL;
    struct err e;

    plan_learn(o->planned.plan, (size_t)g->cell,
               &(struct plan_seen){g->model_name,
                                   g->status != GENERATION_IMPOSSIBLE ? NULL
                                   : g->error                         ? g->error
                                                                      : "not possible",
                                   g->width, g->height, g->steps});
    r->state = state_of(g);
    r->generation = g->id;
    r->error = g->error;
    if (r->state != RESULT_DONE)
        return;
    snprintf(r->sha256, sizeof r->sha256, "%s", g->sha256 ? g->sha256 : "");
    r->values[MEASURE_SECONDS] = g->seconds;
    if (g->seconds > 0)
        r->values[MEASURE_STEPS_PER_SECOND] = g->steps / g->seconds;
    if (g->memory_used > 0)
        r->values[MEASURE_MEMORY] = (double)g->memory_used;
    if (g->measures && json_read(str_from(g->measures), &measures, &e) == 0)
        measures_from_json(measures, r->values);
    json_decref(measures);
}

static int load_picture(void *user, size_t cell, struct image *out, struct err *e)
{
    struct outcome *o = user;
    struct arena a = {0};
    struct str bytes;

    if (!o->results->at[cell].sha256[0])
        return ERR(e, ERR_NOT_FOUND, "cell %zu has no picture", cell);
    int rc = blob_get(o->submitter->blobs, o->results->at[cell].sha256, PICTURE_MAX, &a, &bytes, e);
    if (rc == 0)
        rc = image_decode(bytes.p, bytes.n, out, NULL, e);
    arena_release(&a);
    return rc;
}

int outcome_load(struct submitter *s, const struct run *run, struct outcome *out, struct err *e)
{
    struct outcome o = {.submitter = s};
    struct tx *tx;
    int rc = launch_replan(s, run->spec, &o.planned, e);

    if (rc)
        return rc;
    size_t cells = o.planned.plan->count;
    o.run_id = arena_strdup(&o.arena, run->id);
    o.results = results_new(cells);
    o.by_cell = arena_try(&o.arena, cells ? cells : 1, sizeof *o.by_cell);
    rc = o.results && o.by_cell ? tx_begin(s->db, TX_READ, &tx, e)
                                : ERR(e, ERR_NOMEM, "no memory for %zu cells", cells);
    if (rc == 0) {
        rc = runs_cells(tx, run->id, &o.arena, &o.rows, &o.row_count, e);
        tx_rollback(tx);
    }
    for (size_t i = 0; rc == 0 && i < o.row_count; i++) {
        int64_t cell = o.rows[i].cell;
        if (cell < 0 || (uint64_t)cell >= cells)
            continue;
        o.by_cell[cell] = &o.rows[i];
        fill_result(&o, &o.rows[i]);
    }
    if (rc)
        outcome_release(&o);
    else
        *out = o;
    return rc;
}

void outcome_release(struct outcome *o)
{
    results_free(o->results);
    planned_release(&o->planned);
    arena_release(&o->arena);
    *o = (struct outcome){0};
}

/* ============================== Measures, remembered ============================== */

static const char *sha_of(const struct outcome *o, size_t cell)
{
    return cell == SIZE_MAX ? "" : o->results->at[cell].sha256;
}

/* What a cell's measures depend on: its picture and those it is compared with. */
static const char *depends(const struct outcome *o, size_t cell, struct arena *a)
{
    const struct plan *plan = o->planned.plan;

    return arena_printf(a, "%.16s %.16s %.16s", sha_of(o, cell),
                        sha_of(o, measure_reference(plan, cell)),
                        sha_of(o, measure_neighbour(plan, cell)));
}

static json_t *read_cache(struct outcome *o, const char *name)
{
    json_t *cache = NULL;
    struct err e;
    int64_t size;
    int fd;

    if (cache_open(o->submitter->blobs, name, &fd, &size, &e))
        return json_object();
    char *text = size > 0 && size <= CACHE_MAX ? malloc((size_t)size) : NULL;
    if (text && read(fd, text, (size_t)size) == size &&
        json_read((struct str){text, (size_t)size}, &cache, &e))
        LOG(LOG_WARNING, "measures are made again", LOG_TEXT("name", name), LOG_ERR(&e));
    free(text);
    close(fd);
    return json_is_object(cache) ? cache : json_object();
}

/* Others may have measured other cells of the run meanwhile: theirs are kept. */
static void write_cache(struct outcome *o, const char *name, const bool *known, struct arena *a)
{
    json_t *cache = read_cache(o, name);
    struct err e;

    for (size_t i = 0; i < o->results->count; i++)
        if (o->results->at[i].state == RESULT_DONE && known[i])
            json_object_set_new(cache, o->planned.plan->cells[i].id,
                                json_pack("{s:s, s:o}", "of", depends(o, i, a), "values",
                                          measures_to_json(o->results->at[i].values)));
    const char *text = json_compact(cache, a);
    if (cache_put(o->submitter->blobs, name, text, strlen(text), &e))
        LOG(LOG_WARNING, "measures are not remembered", LOG_TEXT("name", name), LOG_ERR(&e));
    json_decref(cache);
}

static bool enough(void *user)
{
    struct outcome *o = user;

    return o->cut = clock_seconds() > o->until;
}

/* known[i] for those whose measures are there. How many of the wanted are not. */
static size_t recall(struct outcome *o, const char *name, const bool *wanted, bool *known,
                     struct arena *a)
{
    json_t *cache = read_cache(o, name);
    size_t missing = 0;

    for (size_t i = 0; i < o->results->count; i++) {
        if (o->results->at[i].state != RESULT_DONE)
            continue;
        const json_t *entry = json_object_get(cache, o->planned.plan->cells[i].id);
        known[i] = strcmp(json_text(entry, "of", ""), depends(o, i, a)) == 0;
        if (known[i])
            measures_from_json(json_object_get(entry, "values"), o->results->at[i].values);
        missing += !known[i] && (!wanted || wanted[i]);
    }
    json_decref(cache);
    return missing;
}

/* Cells that are not wanted count as known while others are measured. */
static int measure_missing(struct outcome *o, const bool *wanted, bool *known, struct arena *a,
                           struct err *e)
{
    size_t cells = o->results->count;
    bool *skip = arena_try(a, cells + 1, sizeof *skip);

    if (!skip)
        return ERR(e, ERR_NOMEM, "no memory for %zu cells", cells);
    for (size_t i = 0; i < cells; i++)
        skip[i] = known[i] || (wanted && !wanted[i]);
    int rc = measures_run(o->planned.plan, &o->loader, skip, o->results, e);
    for (size_t i = 0; i < cells; i++)
        known[i] |= skip[i] && (!wanted || wanted[i]);
    return rc;
}

int outcome_measure_some(struct outcome *o, const bool *wanted, double seconds, size_t *left,
                         struct err *e)
{
    size_t cells = o->results->count, missing, still = 0;
    struct arena a = {0};
    bool *known = arena_try(&a, cells + 1, sizeof *known);
    int rc = 0;

    /* Here, where the outcome has found its place. */
    o->loader = (struct measure_loader){.user = o, .load = load_picture, .enough = enough};
    o->until = clock_seconds() + seconds;
    o->cut = false;
    if (!known)
        return ERR(e, ERR_NOMEM, "no memory for %zu cells", cells);
    const char *name = arena_printf(&a, "measures-%s.json", o->run_id);
    missing = recall(o, name, wanted, known, &a);
    if (missing) {
        rc = measure_missing(o, wanted, known, &a, e);
        if (rc == 0)
            write_cache(o, name, known, &a);
    }
    /* A picture whose file is gone is not measured however often one asks. */
    for (size_t i = 0; rc == 0 && o->cut && i < cells; i++)
        still += o->results->at[i].state == RESULT_DONE && !known[i] && (!wanted || wanted[i]);
    if (rc == 0)
        *left = still;
    arena_release(&a);
    return rc;
}

int outcome_measure(struct outcome *o, struct err *e)
{
    size_t left;

    return outcome_measure_some(o, NULL, INFINITY, &left, e);
}
