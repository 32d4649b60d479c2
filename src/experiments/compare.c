#include "experiments/compare.h"

#include "base/json.h"
#include "image/quality.h"

#include <math.h>
#include <string.h>

static const char *const names[COMPARE_STATES] = {"same",   "different", "unknown",
                                                  "only_a", "only_b",    "neither"};

const char *compare_state_name(enum compare_state state)
{
    return names[state];
}

static const struct result *result_of(const struct compare_side *s, size_t cell)
{
    return cell == SIZE_MAX || s->results->at[cell].state != RESULT_DONE ? NULL
                                                                         : &s->results->at[cell];
}

/* Pictures of other sizes differ, but have no distance. */
static int measure(const struct image *a, const struct image *b, struct compare_cell *c,
                   struct err *e)
{
    if (a->width != b->width || a->height != b->height || a->channels != b->channels) {
        c->state = COMPARE_DIFFERENT;
        return 0;
    }
    if (quality_psnr(a, b, &c->psnr, e))
        return e->code;
    if (isinf(c->psnr)) {
        c->state = COMPARE_SAME;
        c->psnr = NAN;
        return 0;
    }
    c->state = COMPARE_DIFFERENT;
    return a->width < 11 || a->height < 11 ? 0 : quality_ssim(a, b, &c->ssim, e);
}

static int look(const struct compare_side *a, const struct compare_side *b, struct compare_cell *c,
                struct err *e)
{
    struct image x = {0}, y = {0};
    int rc = a->loader->load(a->loader->user, c->a, &x, e);

    if (rc == 0)
        rc = b->loader->load(b->loader->user, c->b, &y, e);
    if (rc == 0)
        rc = measure(&x, &y, c, e);
    else if (rc == ERR_NOT_FOUND)
        rc = 0; /* stays unknown */
    image_release(&x);
    image_release(&y);
    return rc;
}

static int judge(const struct compare_side *a, const struct compare_side *b, struct compare_cell *c,
                 struct err *e)
{
    const struct result *x = result_of(a, c->a), *y = result_of(b, c->b);

    c->psnr = c->ssim = NAN;
    c->state = !x && !y ? COMPARE_NEITHER : !y ? COMPARE_ONLY_A : COMPARE_ONLY_B;
    if (!x || !y)
        return 0;
    if (x->sha256[0] && strcmp(x->sha256, y->sha256) == 0) {
        c->state = COMPARE_SAME;
        return 0;
    }
    c->state = COMPARE_UNKNOWN;
    return a->loader && b->loader ? look(a, b, c, e) : 0;
}

int compare_runs(const struct compare_side *a, const struct compare_side *b, struct arena *arena,
                 struct compare *out, struct err *e)
{
    struct compare c = {0};

    if (a->results->count != a->plan->count || b->results->count != b->plan->count)
        return ERR(e, ERR_ARG, "results that do not belong to their plans");
    c.cells = arena_try(arena, a->plan->count + b->plan->count, sizeof *c.cells);
    if (!c.cells)
        return ERR(e, ERR_NOMEM, "no memory to compare %zu with %zu cells", a->plan->count,
                   b->plan->count);
    for (size_t i = 0; i < a->plan->count; i++)
        if (a->plan->cells[i].state != PLAN_DROPPED) {
            struct compare_cell *cell = &c.cells[c.count++];
            cell->a = i;
            cell->b = plan_find(b->plan, a->plan->cells[i].id);
            memcpy(cell->id, a->plan->cells[i].id, sizeof cell->id);
        }
    for (size_t i = 0; i < b->plan->count; i++)
        if (b->plan->cells[i].state != PLAN_DROPPED &&
            plan_find(a->plan, b->plan->cells[i].id) == SIZE_MAX) {
            struct compare_cell *cell = &c.cells[c.count++];
            cell->a = SIZE_MAX;
            cell->b = i;
            memcpy(cell->id, b->plan->cells[i].id, sizeof cell->id);
        }
    for (size_t i = 0; i < c.count; i++) {
        if (judge(a, b, &c.cells[i], e))
            return e->code;
        c.states[c.cells[i].state]++;
    }
    *out = c;
    return 0;
}

static json_t *number_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *picture_json(const struct compare_side *s, size_t cell)
{
    const struct result *r = result_of(s, cell);

    if (!r)
        return json_null();
    return json_pack("{soso}", "generation", json_text_or_null(r->generation), "sha256",
                     json_text_or_null(r->sha256[0] ? r->sha256 : NULL));
}

json_t *compare_to_json(const struct compare *c, const struct compare_side *a,
                        const struct compare_side *b, bool all)
{
    json_t *totals = json_object(), *cells = json_array();

    for (int i = 0; i < COMPARE_STATES; i++)
        json_object_set_new(totals, names[i], json_integer((json_int_t)c->states[i]));
    json_object_set_new(totals, "cells", json_integer((json_int_t)c->count));
    for (size_t i = 0; i < c->count; i++) {
        const struct compare_cell *x = &c->cells[i];
        const struct compare_side *side = x->a == SIZE_MAX ? b : a;
        size_t cell = x->a == SIZE_MAX ? x->b : x->a;
        if (!all && (x->state == COMPARE_SAME || x->state == COMPARE_NEITHER))
            continue;
        json_array_append_new(
            cells, json_pack("{sssosIsssosososo}", "id", x->id, "axes",
                             plan_coordinates(side->plan, cell), "replicate",
                             (json_int_t)plan_replicate(side->plan, cell), "state", names[x->state],
                             "psnr", number_or_null(x->psnr), "ssim", number_or_null(x->ssim), "a",
                             picture_json(a, x->a), "b", picture_json(b, x->b)));
    }
    return json_pack("{soso}", "totals", totals, "cells", cells);
}
