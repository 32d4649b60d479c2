#include "experiments/plan.h"

#include "base/json.h"
#include "base/map.h"
#include "base/sha256.h"
#include "experiments/cell.h"
#include "experiments/order.h"
#include "experiments/parameters.h"
#include "experiments/planner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {"draw", "drawn", "cut", "impossible", "dropped"};

const char *plan_state_name(enum plan_state state)
{
    return state_names[state];
}

size_t plan_replicate(const struct plan *p, size_t cell)
{
    return cell % p->spec->seed_count;
}

size_t plan_point(const struct plan *p, size_t cell, size_t axis)
{
    cell /= p->spec->seed_count;
    for (size_t i = p->spec->axis_count - 1; i > axis; i--)
        cell /= p->spec->axes[i].point_count;
    return cell % p->spec->axes[axis].point_count;
}

size_t plan_index(const struct plan *p, const size_t *points, size_t replicate)
{
    size_t cell = 0;

    for (size_t i = 0; i < p->spec->axis_count; i++)
        cell = cell * p->spec->axes[i].point_count + points[i];
    return cell * p->spec->seed_count + replicate;
}

static void points_of(const struct plan *p, size_t cell, size_t *points)
{
    cell /= p->spec->seed_count;
    for (size_t i = p->spec->axis_count; i-- > 0;) {
        points[i] = cell % p->spec->axes[i].point_count;
        cell /= p->spec->axes[i].point_count;
    }
}

/* One copy of each text for the whole plan. */
static const char *kept(struct planner *w, const char *text)
{
    if (!text)
        return NULL;
    char *copy = map_get(&w->texts, str_from(text));
    if (!copy) {
        copy = arena_strdup(&w->plan->arena, text);
        map_put(&w->texts, str_from(copy), copy);
    }
    return copy;
}

static void prepare_identities(struct planner *w)
{
    const struct spec *s = w->plan->spec;

    w->identities = arena_alloc(&w->arena, (s->axis_count + 1) * sizeof *w->identities);
    w->by_name = arena_alloc(&w->arena, (s->axis_count + 1) * sizeof *w->by_name);
    for (size_t i = 0; i < s->axis_count; i++) {
        w->identities[i] =
            arena_alloc(&w->arena, s->axes[i].point_count * sizeof *w->identities[i]);
        for (size_t p = 0; p < s->axes[i].point_count; p++)
            w->identities[i][p] = cell_point_identity(&s->axes[i], p, &w->arena);
        size_t at = i;
        for (; at && strcmp(s->axes[w->by_name[at - 1]].name, s->axes[i].name) > 0; at--)
            w->by_name[at] = w->by_name[at - 1];
        w->by_name[at] = i;
    }
}

static int identify(struct planner *w, const size_t *points, uint64_t seed, char id[PLAN_ID],
                    struct err *e)
{
    struct sha256 sha;
    char hex[65];

    if (sha256_init(&sha, e))
        return e->code;
    for (size_t i = 0; i < w->plan->spec->axis_count; i++) {
        const char *text = w->identities[w->by_name[i]][points[w->by_name[i]]];
        sha256_add(&sha, text, strlen(text));
    }
    for (int i = 0; i < 8; i++) {
        unsigned char byte = (unsigned char)(seed >> (8 * i));
        sha256_add(&sha, &byte, 1);
    }
    if (sha256_finish(&sha, hex, e))
        return e->code;
    memcpy(id, hex, PLAN_ID - 1);
    id[PLAN_ID - 1] = 0;
    return 0;
}

static struct kind *kind_of(struct planner *w, const struct recipe *r)
{
    const char *name = arena_printf(
        &w->arena, "%s|%s|%s|%d|%dx%d|%d|%d|%g|%s|%s", r->digest ? r->digest : r->model, r->sampler,
        r->schedule, r->steps, r->width, r->height, r->guidance > 1, r->clip_skip,
        r->init ? r->strength : 1.0, r->mask ? "mask" : "", r->dtype ? r->dtype : "");
    struct kind *k = map_get(&w->kinds, str_from(name));

    if (!k) {
        k = ARENA_NEW(&w->arena, struct kind);
        k->known = w->world->estimate && w->world->estimate(w->world->user, r, &k->cost);
        map_put(&w->kinds, str_from(name), k);
    }
    return k;
}

static bool says_impossible(int rc)
{
    return rc == ERR_ARG || rc == ERR_UNSUPPORTED || rc == ERR_NOT_FOUND || rc == ERR_FORMAT ||
           rc == ERR_DENIED;
}

/* Ask the world for what the parameters leave open. */
static int complete(struct planner *w, size_t cell, struct cell_draft *d, struct arena *a,
                    struct err *e)
{
    struct plan_cell *c = &w->plan->cells[cell];
    struct recipe r = {0};
    int rc = w->world->complete(w->world->user, d->parameters, a, &r, c->key, e);

    if (rc && !says_impossible(rc))
        return rc;
    if (rc) {
        d->state = PLAN_IMPOSSIBLE;
        d->reason = arena_strdup(a, e->message);
    } else if (d->pending) {
        json_t *all = recipe_to_json(&r);
        const char *reason = cell_recheck(w->plan->spec, d, all, a);
        json_decref(all);
        if (reason) {
            d->state = PLAN_IMPOSSIBLE;
            d->reason = reason;
        }
    }
    if (d->state != PLAN_DRAW) {
        c->key[0] = 0;
        return 0;
    }
    c->model = kept(w, r.model);
    c->width = r.width;
    c->height = r.height;
    c->steps = r.steps;
    c->seed = r.seed;
    w->cell_kinds[cell] = kind_of(w, &r);
    if (w->world->keep)
        w->world->keep(w->world->user, cell, &r);
    return 0;
}

static int make_cell(struct planner *w, size_t cell, struct err *e)
{
    struct plan_cell *c = &w->plan->cells[cell];
    size_t points[SPEC_MAX_AXES], replicate = plan_replicate(w->plan, cell);
    struct arena a = {0};
    struct cell_draft d;

    points_of(w->plan, cell, points);
    cell_make(w->plan->spec, points, replicate, &a, &d);
    c->model = kept(w, json_text(d.parameters, "model", NULL));
    c->seed = parameter_seed(json_object_get(d.parameters, "seed"));
    c->width = (int)json_int(d.parameters, "width", 0);
    c->height = (int)json_int(d.parameters, "height", 0);
    c->steps = (int)json_int(d.parameters, "steps", 0);
    c->seconds = c->bytes = NAN;
    c->twin = cell;
    int rc = identify(w, points, w->plan->spec->seeds[replicate], c->id, e);
    if (rc == 0 && w->world && d.state == PLAN_DRAW)
        rc = complete(w, cell, &d, &a, e);
    if (w->world) {
        memcpy(w->same[cell], c->key, sizeof c->key);
    } else { /* without defaults, equal parameters are all that is known of equal pictures */
        const char *text = json_canonical(d.parameters, &a);
        sha256_hex(text, strlen(text), w->same[cell]);
    }
    c->state = d.state;
    c->reason = kept(w, d.reason);
    cell_release(&d);
    arena_release(&a);
    return rc;
}

/* Cells with the same key are one picture: the first in the order draws it. */
static int find_twins(struct planner *w, struct err *e)
{
    struct plan *p = w->plan;
    struct map first = {0};
    char(*keys)[65] = arena_try(&w->arena, p->drawable + 1, sizeof *keys);
    bool *drawn = arena_try(&w->arena, p->drawable + 1, sizeof *drawn);
    size_t *owners = arena_try(&w->arena, p->drawable + 1, sizeof *owners), n = 0;
    int rc = 0;

    if (!keys || !drawn || !owners)
        return ERR(e, ERR_NOMEM, "no memory to plan %zu cells", p->count);
    for (size_t i = 0; i < p->drawable; i++) {
        struct plan_cell *c = &p->cells[p->order[i]];
        struct str same = str_from(w->same[p->order[i]]);
        struct plan_cell *twin = same.n ? map_get(&first, same) : NULL;
        if (twin) {
            c->twin = (size_t)(twin - p->cells);
            continue;
        }
        if (same.n)
            map_put(&first, same, c);
        memcpy(keys[n], c->key, sizeof *keys);
        owners[n++] = p->order[i];
    }
    p->totals.pictures = n;
    if (w->world && w->world->drawn && n)
        rc = w->world->drawn(w->world->user, (const char(*)[65])keys, n, drawn, e);
    for (size_t i = 0; i < n && rc == 0; i++)
        if (drawn[i]) {
            p->cells[owners[i]].state = PLAN_DRAWN;
            p->totals.drawn++;
        }
    map_release(&first);
    return rc;
}

static int make_plan(struct planner *w, struct err *e)
{
    struct plan *p = w->plan;

    p->count = p->totals.product = (size_t)p->spec->cells;
    p->cells = arena_try(&p->arena, p->count, sizeof *p->cells);
    p->order = arena_try(&p->arena, p->count, sizeof *p->order);
    w->cell_kinds = arena_try(&w->arena, p->count, sizeof *w->cell_kinds);
    w->same = arena_try(&w->arena, p->count, sizeof *w->same);
    if (!p->cells || !p->order || !w->cell_kinds || !w->same)
        return ERR(e, ERR_NOMEM, "no memory to plan %zu cells", p->count);
    prepare_identities(w);
    for (size_t i = 0; i < p->count; i++) {
        if (make_cell(w, i, e))
            return e->code;
        map_put(&p->by_id, str_from(p->cells[i].id), &p->cells[i]);
    }
    order_cells(p);
    if (find_twins(w, e))
        return e->code;
    planner_totals(w);
    return 0;
}

int plan_new(const struct spec *spec, const struct plan_world *world, struct plan **out,
             struct err *e)
{
    struct plan *p = calloc(1, sizeof *p);
    struct planner w = {.plan = p, .world = world};

    if (!p)
        abort();
    p->spec = spec;
    int rc = make_plan(&w, e);
    map_release(&w.texts);
    map_release(&w.kinds);
    arena_release(&w.arena);
    if (rc)
        plan_free(p);
    else
        *out = p;
    return rc;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    map_release(&p->by_id);
    arena_release(&p->arena);
    free(p);
}

size_t plan_find(const struct plan *p, const char *id)
{
    const struct plan_cell *c = map_get(&p->by_id, str_from(id));

    return c ? (size_t)(c - p->cells) : SIZE_MAX;
}

void plan_learn(struct plan *p, size_t cell, const struct plan_seen *seen)
{
    struct plan_cell *c = &p->cells[cell];

    if (seen->model && (!c->model || strcmp(c->model, seen->model) != 0))
        c->model = arena_strdup(&p->arena, seen->model);
    c->width = seen->width ? seen->width : c->width;
    c->height = seen->height ? seen->height : c->height;
    c->steps = seen->steps ? seen->steps : c->steps;
    if (!seen->impossible || c->state >= PLAN_IMPOSSIBLE)
        return;
    c->state = PLAN_IMPOSSIBLE;
    c->reason = arena_strdup(&p->arena, seen->impossible);
    p->totals.impossible++;
}

json_t *plan_parameters(const struct plan *p, size_t cell)
{
    size_t points[SPEC_MAX_AXES];
    struct arena a = {0};
    struct cell_draft d;

    points_of(p, cell, points);
    cell_make(p->spec, points, plan_replicate(p, cell), &a, &d);
    json_t *parameters = json_incref(d.parameters);
    cell_release(&d);
    arena_release(&a);
    return parameters;
}

size_t plan_added(const struct plan *p, const struct plan *former, size_t *new_cells)
{
    size_t n = 0;

    for (size_t i = 0; i < p->count; i++)
        if (plan_find(former, p->cells[i].id) == SIZE_MAX)
            new_cells[n++] = i;
    return n;
}
