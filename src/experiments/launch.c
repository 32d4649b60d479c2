#include "experiments/launch.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "experiments/recipes.h"
#include "experiments/spec_diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 500 };

void planned_release(struct planned *p)
{
    plan_free(p->plan);
    spec_free(p->spec);
    *p = (struct planned){0};
}

/* ============================== The world that a plan asks ============================== */

/* What the plan's questions need. */
struct asked {
    const struct launch *launch;
    struct cell_recipes *recipes; /* NULL: nothing will be drawn */
};

/* A base from a generation names its pictures by hash already. */
static int take_picture(const struct launch *l, json_t *parameters, const char *name, struct err *e)
{
    const char *text = json_text(parameters, name, "");

    if (strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64)
        return 0;
    return submit_picture_parameter(l->submitter, parameters, name, l->owner, e);
}

static int complete(void *user, const json_t *parameters, struct arena *a, struct recipe *out,
                    char key[65], struct err *e)
{
    const struct launch *l = ((const struct asked *)user)->launch;
    json_t *copy = json_copy((json_t *)parameters);
    int rc = take_picture(l, copy, "init_image", e);

    if (rc == 0)
        rc = take_picture(l, copy, "mask", e);
    if (rc == 0)
        rc = provider_complete(l->submitter->providers[0], copy, a, out, key, NULL, e);
    json_decref(copy);
    return rc;
}

static void keep(void *user, size_t cell, const struct recipe *r)
{
    recipes_keep(((const struct asked *)user)->recipes, cell, r);
}

static int drawn(void *user, const char (*keys)[65], size_t n, bool *out, struct err *e)
{
    const struct launch *l = ((const struct asked *)user)->launch;
    const char **list = malloc(sizeof *list * (n ? n : 1));
    struct tx *tx = NULL;
    int rc = list ? 0 : ERR(e, ERR_NOMEM, "no memory for %zu keys", n);

    for (size_t i = 0; rc == 0 && i < n; i++)
        list[i] = keys[i];
    if (rc == 0)
        rc = tx_begin(l->submitter->db, TX_READ, &tx, e);
    if (rc == 0) {
        rc = generations_drawn(tx, list, n, out, e);
        tx_rollback(tx);
    }
    free(list);
    return rc;
}

static bool estimate(void *user, const struct recipe *r, struct plan_cost *out)
{
    const struct launch *l = ((const struct asked *)user)->launch;
    struct cost_history history = {0};
    struct provider_stats stats = {0};
    struct tx *tx;
    struct err e;

    if (tx_begin(l->submitter->db, TX_READ, &tx, &e))
        return false;
    int rc = generations_cost(tx, r, r->guidance > 1, &history, &e);
    tx_rollback(tx);
    if (rc || !history.samples)
        return false;
    provider_stats(l->submitter->providers[0], &stats);
    *out = (struct plan_cost){
        .seconds = history.seconds_fixed + history.seconds_per_step * r->steps,
        .bytes = history.bytes,
        .load_seconds = stats.loads ? stats.load_seconds / (double)stats.loads : 0,
        .samples = (size_t)history.samples};
    return true;
}

/* The parameters of a picture as a spec names them. */
static json_t *base_of(void *user, const char *id, struct err *e)
{
    static const char *const kept[] = {"prompt",
                                       "negative_prompt",
                                       "model",
                                       "sampler",
                                       "schedule",
                                       "spacing",
                                       "steps",
                                       "cfg_scale",
                                       "seed",
                                       "width",
                                       "height",
                                       "eta",
                                       "rng",
                                       "clip_skip",
                                       "guidance_rescale",
                                       "crop_left",
                                       "crop_top",
                                       "original_width",
                                       "original_height",
                                       "target_width",
                                       "target_height"};
    const struct launch *l = user;
    struct arena a = {0};
    struct generation g;
    json_t *recipe = NULL, *base = NULL;
    struct tx *tx;

    if (tx_begin(l->submitter->db, TX_READ, &tx, e))
        return NULL;
    int rc = generations_get(tx, id, &a, &g, e);
    tx_rollback(tx);
    if (rc == 0 && l->owner && (!g.user_id || strcmp(g.user_id, l->owner) != 0))
        rc = ERR(e, ERR_NOT_FOUND, "no generation %s", id);
    if (rc == 0)
        rc = json_read(str_from(g.parameters), &recipe, e);
    if (rc == 0) {
        base = json_object();
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
            json_t *value = json_object_get(recipe, kept[i]);
            if (value && !json_is_null(value))
                json_object_set(base, kept[i], value);
        }
        if (json_text(recipe, "init_sha256", NULL)) {
            json_object_set(base, "init_image", json_object_get(recipe, "init_sha256"));
            json_object_set(base, "strength", json_object_get(recipe, "strength"));
            if (json_text(recipe, "mask_sha256", NULL))
                json_object_set(base, "mask", json_object_get(recipe, "mask_sha256"));
        }
    }
    json_decref(recipe);
    arena_release(&a);
    return base;
}

/* `recipes` NULL: they are not kept. */
static int plan_and_keep(const struct launch *l, const json_t *document, struct planned *out,
                         struct cell_recipes *recipes, struct spec_problems *problems,
                         struct err *e)
{
    struct spec_lookup lookup = {.user = (void *)l, .base = base_of};
    struct asked asked = {l, recipes};
    struct plan_world world = {.user = &asked,
                               .complete = complete,
                               .keep = recipes ? keep : NULL,
                               .drawn = drawn,
                               .estimate = estimate};
    struct planned p = {0};

    if (spec_read(document, &lookup, &p.spec, problems))
        return ERR(e, ERR_ARG, "%s", spec_problems_line(problems));
    int rc = 0;
    if (l->max_cells && p.spec->cells > l->max_cells)
        rc = ERR(e, ERR_ARG, "the experiment has %llu cells; this server allows %llu",
                 (unsigned long long)p.spec->cells, (unsigned long long)l->max_cells);
    if (rc == 0)
        rc = plan_new(p.spec, &world, &p.plan, e);
    if (rc)
        planned_release(&p);
    else
        *out = p;
    return rc;
}

int launch_plan(const struct launch *l, const json_t *document, struct planned *out,
                struct spec_problems *problems, struct err *e)
{
    return plan_and_keep(l, document, out, NULL, problems, e);
}

int launch_replan(struct submitter *s, const char *spec_text, struct planned *out, struct err *e)
{
    struct launch l = {.submitter = s};
    struct spec_lookup lookup = {.user = &l, .base = base_of};
    struct spec_problems problems = {0};
    struct planned p = {0};
    json_t *document;

    if (json_read(str_from(spec_text), &document, e))
        return e->code;
    int rc = spec_read(document, &lookup, &p.spec, &problems);
    if (rc)
        rc = ERR(e, ERR_FORMAT, "the stored spec: %s", spec_problems_line(&problems));
    else
        rc = plan_new(p.spec, NULL, &p.plan, e);
    if (rc)
        planned_release(&p);
    else
        *out = p;
    spec_problems_release(&problems);
    json_decref(document);
    return rc;
}

/* ============================== Cells become rows ============================== */

/* What is written down. */
struct filling {
    const struct launch *launch;
    const struct run *run;
    const struct plan *plan;
    const struct cell_recipes *recipes;
    const bool *there; /* cells that the run has a row for */
};

/* One cell's wish; *keep holds what it borrows. */
static void wish_of(const struct filling *f, size_t cell, int64_t position, struct arena *keep,
                    struct wish *out)
{
    const struct launch *l = f->launch;
    const struct plan_cell *c = &f->plan->cells[cell];
    json_t *coordinates = plan_coordinates(f->plan, cell);

    *out = (struct wish){.user_id = l->user_id,
                         .request_id = l->request_id,
                         .trace_id = l->trace_id,
                         .priority = l->priority,
                         .position = position,
                         .run_id = f->run->id,
                         .experiment_id = f->run->experiment_id,
                         .cell = (int64_t)cell,
                         .replicate = (int)plan_replicate(f->plan, cell),
                         .axes = json_compact(coordinates, keep)};
    if (c->state == PLAN_IMPOSSIBLE) {
        out->impossible = c->reason;
        out->parameters = plan_parameters(f->plan, cell);
    } else {
        out->recipe = recipes_get(f->recipes, cell);
        out->key = c->key;
    }
    json_decref(coordinates);
}

static int submit_piece(const struct launch *l, struct wish *wishes, size_t count, struct err *e)
{
    struct arena a = {0};
    struct generation *rows;
    size_t bad;
    int rc = count ? submit(l->submitter, wishes, count, &a, &rows, NULL, &bad, e) : 0;

    for (size_t i = 0; i < count; i++)
        json_decref((json_t *)wishes[i].parameters);
    arena_release(&a);
    return rc;
}

/* Every cell of the plan that the run has no row for, in the order of execution; those that cannot
 * be drawn last. */
static int fill(const struct filling *f, struct err *e)
{
    const struct plan *plan = f->plan;
    struct wish *wishes = calloc(PIECE, sizeof *wishes);
    struct arena keep = {0};
    size_t waiting = 0;
    int rc = wishes ? 0 : ERR(e, ERR_NOMEM, "no memory for a piece of a run");

    for (size_t i = 0; rc == 0 && i < plan->count; i++) {
        size_t cell = plan->order[i];
        enum plan_state state = plan->cells[cell].state;
        if (f->there[cell] || state == PLAN_DROPPED || state == PLAN_CUT)
            continue;
        wish_of(f, cell, (int64_t)i, &keep, &wishes[waiting]);
        if (++waiting == PIECE) {
            rc = submit_piece(f->launch, wishes, waiting, e);
            waiting = 0;
            arena_release(&keep);
            keep = (struct arena){0};
        }
    }
    if (rc == 0)
        rc = submit_piece(f->launch, wishes, waiting, e);
    arena_release(&keep);
    free(wishes);
    return rc;
}

/* Which cells of the plan have a row. */
static int rows_of(const struct launch *l, const char *run_id, const struct plan *plan, bool **out,
                   struct err *e)
{
    bool *there = calloc(plan->count ? plan->count : 1, sizeof *there);
    struct generation *rows = NULL;
    struct arena a = {0};
    size_t count = 0;
    struct tx *tx;

    if (!there)
        return ERR(e, ERR_NOMEM, "no memory for %zu cells", plan->count);
    int rc = tx_begin(l->submitter->db, TX_READ, &tx, e);
    if (rc == 0) {
        rc = runs_cells(tx, run_id, &a, &rows, &count, e);
        tx_rollback(tx);
    }
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (rows[i].cell >= 0 && (uint64_t)rows[i].cell < plan->count)
            there[rows[i].cell] = true;
    arena_release(&a);
    if (rc)
        free(there);
    else
        *out = there;
    return rc;
}

/* Set it running, count what existed already, and tell the screens. */
static int let_go(const struct launch *l, const char *run_id, struct arena *a, struct run *out,
                  struct err *e)
{
    int64_t now = clock_unix_ms();
    struct tx *tx;

    if (tx_begin(l->submitter->db, TX_WRITE, &tx, e))
        return e->code;
    if (runs_reopen(tx, run_id, now, e) || runs_recount(tx, run_id, now, a, out, e)) {
        tx_rollback(tx);
        return e->code;
    }
    if (tx_commit(tx, e))
        return e->code;
    publish_run(l->submitter, run_id);
    return 0;
}

static int fill_and_go(const struct launch *l, const struct run *run, const struct plan *plan,
                       const struct cell_recipes *recipes, struct arena *a, struct run *out,
                       struct err *e)
{
    bool *there;

    if (rows_of(l, run->id, plan, &there, e))
        return e->code;
    int rc = fill(&(struct filling){l, run, plan, recipes, there}, e);
    free(there);
    return rc ? rc : let_go(l, run->id, a, out, e);
}

/* The general form with its whole base: it refers to no generation, which might be deleted. */
static const char *whole_spec(const struct spec *spec, struct arena *a)
{
    json_t *whole = json_copy((json_t *)spec->normalised);

    json_object_del(whole, "base_generation");
    json_object_set(whole, "base", (json_t *)spec->base);
    const char *text = json_compact(whole, a);
    json_decref(whole);
    return text;
}

/* The run's row, paused; or the one that a start which was cut off has left. */
static int make_run(const struct launch *l, const struct experiment *x, const struct plan *plan,
                    struct arena *a, struct run *run, struct err *e)
{
    json_t *summary = plan_to_json(plan, 0);
    struct run last;
    struct tx *tx;
    char *id = arena_alloc(a, UUID_TEXT);
    const char *spec = whole_spec(plan->spec, a);
    int rc = tx_begin(l->submitter->db, TX_WRITE, &tx, e);

    if (rc)
        goto out;
    rc = runs_last(tx, x->id, a, &last, e);
    if (rc == 0 && !last.started_at && last.status == EXPERIMENT_PAUSED &&
        strcmp(last.spec, spec) == 0) {
        *run = last;
    } else if (rc == 0 && (last.status == EXPERIMENT_RUNNING || last.status == EXPERIMENT_PAUSED)) {
        rc = ERR(e, ERR_CONFLICT,
                 "run %d of the experiment is %s: cancel it, or wait until it has ended",
                 last.number, experiment_status_name(last.status));
    } else if (rc == 0 || rc == ERR_NOT_FOUND) {
        uuid_v7(id);
        *run = (struct run){.id = id,
                            .experiment_id = x->id,
                            .status = EXPERIMENT_PAUSED,
                            .spec = spec,
                            .plan = json_compact(summary, a),
                            .created_at = clock_unix_ms(),
                            .budget_ms = (int64_t)(plan->spec->budget_seconds * 1e3)};
        rc = runs_insert(tx, run, e);
    }
    if (rc)
        tx_rollback(tx);
    else
        rc = tx_commit(tx, e);
out:
    json_decref(summary);
    return rc;
}

int launch_start(const struct launch *l, const struct experiment *x, struct arena *a,
                 struct run *out, struct spec_problems *problems, struct err *e)
{
    struct planned planned = {0};
    struct cell_recipes recipes = {0};
    struct run run = {0};
    json_t *document;

    if (json_read(str_from(x->config), &document, e))
        return e->code;
    int rc = plan_and_keep(l, document, &planned, &recipes, problems, e);
    if (rc == 0)
        rc = make_run(l, x, planned.plan, a, &run, e);
    if (rc == 0)
        rc = fill_and_go(l, &run, planned.plan, &recipes, a, out, e);
    recipes_release(&recipes);
    planned_release(&planned);
    json_decref(document);
    return rc;
}

/* ============================== Longer ============================== */

/* Cells keep their rows, which get the places that they have in the longer plan. */
static int renumber(struct tx *tx, const char *run_id, const struct plan *former,
                    const struct plan *plan, struct err *e)
{
    int64_t *places = malloc(sizeof *places * (former->count ? former->count : 1));

    if (!places)
        return ERR(e, ERR_NOMEM, "no memory for %zu cells", former->count);
    for (size_t i = 0; i < former->count; i++) {
        size_t place = plan_find(plan, former->cells[i].id);
        places[i] = place == SIZE_MAX ? -1 : (int64_t)place;
    }
    int rc = runs_renumber(tx, run_id, places, former->count, e);
    free(places);
    return rc;
}

static int store_longer(const struct launch *l, const struct experiment *x, const struct run *run,
                        const struct plan *former, const struct planned *planned, struct arena *a,
                        struct err *e)
{
    const char *config = json_compact(planned->spec->written, a);
    json_t *summary = plan_to_json(planned->plan, 0);
    struct tx *tx;
    int rc = tx_begin(l->submitter->db, TX_WRITE, &tx, e);

    if (rc)
        goto out;
    rc = experiments_update(tx, x->id, x->version, x->name, x->type, config, clock_unix_ms(), e);
    if (rc == 0 && run->id && former)
        rc = renumber(tx, run->id, former, planned->plan, e);
    if (rc == 0 && run->id)
        rc = runs_set_plan(tx, run->id, whole_spec(planned->spec, a), json_compact(summary, a), e);
    if (rc)
        tx_rollback(tx);
    else
        rc = tx_commit(tx, e);
out:
    json_decref(summary);
    return rc;
}

int launch_extend(const struct launch *l, const struct experiment *x, const json_t *addition,
                  struct arena *a, struct run *out, struct spec_problems *problems, struct err *e)
{
    struct planned former = {0}, planned = {0};
    struct cell_recipes recipes = {0};
    json_t *longer = NULL;
    struct run run = {0};
    struct tx *tx;
    int rc = tx_begin(l->submitter->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = runs_last(tx, x->id, a, &run, e);
    tx_rollback(tx);
    if (rc == ERR_NOT_FOUND)
        rc = 0;
    if (rc == 0)
        rc = launch_replan(l->submitter, run.id ? run.spec : x->config, &former, e);
    if (rc == 0 && spec_extend(former.spec, addition, &longer, problems))
        rc = ERR(e, ERR_ARG, "%s", spec_problems_line(problems));
    if (rc == 0)
        rc = plan_and_keep(l, longer, &planned, &recipes, problems, e);
    if (rc == 0)
        rc = store_longer(l, x, &run, former.plan, &planned, a, e);
    *out = (struct run){0};
    if (rc == 0 && run.id)
        rc = fill_and_go(l, &run, planned.plan, &recipes, a, out, e);
    recipes_release(&recipes);
    planned_release(&planned);
    planned_release(&former);
    json_decref(longer);
    return rc;
}
