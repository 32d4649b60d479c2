#include "experiments/planner.h"

#include <string.h>

/* Walk the order, add up, and stop where the budget ends: what is drawn is a beginning of the
 * order, never a choice of cheap cells. */
static void spend(struct planner *w)
{
    struct plan *p = w->plan;
    struct plan_totals *t = &p->totals;
    const struct spec *s = p->spec;
    const char *loaded = NULL;
    struct map models = {0};
    bool over = false;

    for (size_t i = 0; i < p->drawable; i++) {
        size_t cell = p->order[i];
        struct plan_cell *c = &p->cells[cell];
        const struct kind *k = w->cell_kinds[cell];
        if (c->twin != cell || c->state != PLAN_DRAW)
            continue;
        bool load = !loaded || !c->model || strcmp(loaded, c->model) != 0;
        double seconds = k && k->known ? k->cost.seconds : 0,
               loading = k && k->known && load ? k->cost.load_seconds : 0;
        if (s->budget_cells && t->to_draw >= s->budget_cells)
            over = true;
        if (s->budget_seconds > 0 && t->seconds + seconds + loading > s->budget_seconds)
            over = true;
        if (over) {
            c->state = PLAN_CUT;
            c->reason = "beyond the budget";
            t->cut++;
            continue;
        }
        t->to_draw++;
        t->seconds += seconds + loading;
        if (load)
            t->model_loads++;
        loaded = c->model ? c->model : "";
        map_put(&models, str_from(loaded), p);
        if (k && k->known) {
            c->seconds = k->cost.seconds;
            c->bytes = k->cost.bytes;
            t->bytes += k->cost.bytes;
            if (!t->estimated++ || k->cost.samples < t->samples_min)
                t->samples_min = k->cost.samples;
        }
    }
    t->models = models.count;
    map_release(&models);
}

static void finish_twins(struct plan *p)
{
    for (size_t i = 0; i < p->drawable; i++) {
        struct plan_cell *c = &p->cells[p->order[i]];
        const struct plan_cell *twin = &p->cells[c->twin];
        if (twin != c) {
            c->state = twin->state;
            c->reason = twin->reason;
        }
        if (twin != c || c->state == PLAN_DRAWN)
            c->seconds = c->bytes = 0;
    }
}

static void count_samples(struct planner *w)
{
    for (size_t i = 0; i < w->kinds.room; i++)
        if (w->kinds.slots[i].key.p && ((struct kind *)w->kinds.slots[i].value)->known)
            w->plan->totals.samples += ((struct kind *)w->kinds.slots[i].value)->cost.samples;
}

static void count_reasons(struct planner *w)
{
    struct plan *p = w->plan;
    struct map seen = {0};
    size_t room = 0;

    p->totals.cells = p->count;
    for (size_t i = 0; i < p->count; i++) {
        const struct plan_cell *c = &p->cells[p->order[i]];
        p->totals.impossible += c->state == PLAN_IMPOSSIBLE;
        p->totals.dropped += c->state == PLAN_DROPPED;
        if (!c->reason)
            continue;
        const char *key = arena_printf(&w->arena, "%d %s", (int)c->state, c->reason);
        size_t *at = map_get(&seen, str_from(key));
        if (!at) {
            at = ARENA_NEW(&w->arena, size_t);
            *at = p->reason_count++;
            map_put(&seen, str_from(key), at);
            if (p->reason_count > room) {
                struct plan_reason *more = arena_alloc(&p->arena, (2 * room + 4) * sizeof *more);
                if (room)
                    memcpy(more, p->reasons, room * sizeof *more);
                p->reasons = more;
                room = 2 * room + 4;
            }
            p->reasons[*at] = (struct plan_reason){c->state, c->reason, 0};
        }
        p->reasons[*at].cells++;
    }
    p->totals.cells -= p->totals.dropped;
    map_release(&seen);
}

void planner_totals(struct planner *w)
{
    spend(w);
    finish_twins(w->plan);
    count_samples(w);
    count_reasons(w);
}
