/*
 * plan.h: a spec multiplied out: every cell, what it costs, and in which order cells are drawn.
 *
 *   struct plan *plan;
 *   if (plan_new(spec, &world, &plan, &e)) ...
 *   for (size_t i = 0; i < plan->drawable; i++) {
 *       struct plan_cell *c = &plan->cells[plan->order[i]];
 *       if (c->state == PLAN_DRAW && c->twin == plan->order[i])
 *           json_t *parameters = plan_parameters(plan, plan->order[i]);   ... a job ...
 *   }
 *   plan_free(plan);
 *
 * The same spec and world give the same plan. A cell's index is its position in the product: axes
 * as listed, the last one fastest, then the replicates, fastest of all. A cell's id depends on its
 * coordinates and seed alone, so an extended spec keeps the ids of the cells that it had.
 *
 * Order ("coarse"): cells are grouped by model, so that each is loaded once, then by size, so that
 * neighbours share batches, then by replicate. Inside such a group the grid grows one value at a
 * time: the axis that is covered least gets its next value (both ends, then the middle of the
 * widest gap), and all cells that the value makes with those taken before are drawn. However early
 * a run stops, what it has drawn is a complete coarse grid and a part of its next row.
 *
 * Threads: a plan is constant once made. Ownership: the spec is borrowed and must outlive the plan.
 */
#ifndef EXPERIMENTS_PLAN_H
#define EXPERIMENTS_PLAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "experiments/spec.h"
#include "recipe/recipe.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plan_state {
    PLAN_DRAW,       /* to be drawn (by its twin, if that is another cell) */
    PLAN_DRAWN,      /* its picture exists */
    PLAN_CUT,        /* beyond the budget */
    PLAN_IMPOSSIBLE, /* `require` or the model forbids it: shown with its reason */
    PLAN_DROPPED,    /* not wanted: does not count as a cell */
};

enum { PLAN_ID = 33 };
struct plan_cell {
    char id[PLAN_ID]; /* 32 hex digits */
    char key[65];     /* of the picture (recipe_key); "" when there is none, or no world */
    enum plan_state state;
    const char *reason; /* NULL unless cut, impossible or dropped */
    const char *model;
    uint64_t seed;
    int width, height, steps; /* after defaults; 0 when unknown */
    size_t twin;              /* the first cell in the order with this key; often itself */
    double seconds, bytes;    /* estimates; NAN when unknown; 0 for twins and what exists */
};

/* What a picture will cost by measured history. */
struct plan_cost {
    double seconds, bytes; /* of drawing and of the stored file */
    double load_seconds;   /* of the model, when it has to be loaded; 0 when unknown */
    size_t samples;        /* measured pictures that this rests on */
};

/* What the plan must ask about the world. Functions return 0 or an error that ends the planning. */
struct plan_world {
    void *user;
    /* Fill in defaults; the recipe's texts live in `a`. ERR_ARG, ERR_UNSUPPORTED, ERR_NOT_FOUND,
     * ERR_FORMAT and ERR_DENIED make the cell impossible with that message. */
    int (*complete)(void *user, const json_t *parameters, struct arena *a, struct recipe *out,
                    char key[65], struct err *e);
    /* Which of these pictures exist. NULL: none. */
    int (*drawn)(void *user, const char (*keys)[65], size_t n, bool *out, struct err *e);
    /* False: no idea. NULL: never any. Called once for each kind of picture that costs the same. */
    bool (*estimate)(void *user, const struct recipe *r, struct plan_cost *out);
    /* What a cell that can be drawn was completed to, as long as the call. NULL: nobody asks. */
    void (*keep)(void *user, size_t cell, const struct recipe *r);
};

struct plan_reason {
    enum plan_state state;
    const char *text;
    size_t cells;
};

struct plan_totals {
    uint64_t product;            /* axes times replicates */
    size_t cells;                /* without the dropped */
    size_t pictures;             /* different ones among them */
    size_t drawn;                /* pictures that exist */
    size_t to_draw;              /* pictures that will be drawn, inside the budget */
    size_t cut;                  /* pictures beyond the budget */
    size_t impossible, dropped;  /* cells */
    size_t models, model_loads;  /* with something to draw */
    double seconds, bytes;       /* of what will be drawn, where known; with loading */
    size_t estimated;            /* pictures that have an estimate */
    size_t samples_min, samples; /* fewest for one kind of picture; over all kinds */
};

struct plan {
    const struct spec *spec;
    struct plan_cell *cells;
    size_t count;    /* the whole product */
    size_t *order;   /* a permutation of the cells: those that have pictures first */
    size_t drawable; /* how many of the order are neither impossible nor dropped */
    struct plan_reason *reasons;
    size_t reason_count;
    struct plan_totals totals;
    struct map by_id; /* of plan_find */
    struct arena arena;
};

/* `world` NULL: no defaults, no keys, no costs: cells, ids and constraints alone, which is what
 * reading results needs. The caller frees *out. */
WARN_UNUSED_RESULT int plan_new(const struct spec *spec, const struct plan_world *world,
                                struct plan **out, struct err *e);
void plan_free(struct plan *plan); /* NULL is fine */

/* Index of the cell's point on an axis; of its replicate. */
size_t plan_point(const struct plan *plan, size_t cell, size_t axis);
size_t plan_replicate(const struct plan *plan, size_t cell);
/* The cell at these points (one per axis) and replicate. */
size_t plan_index(const struct plan *plan, const size_t *points, size_t replicate);
/* SIZE_MAX when no cell has this id. */
size_t plan_find(const struct plan *plan, const char *id);

/* What a stored picture says of a cell that was planned without a world: what its defaults were,
 * and whether it turned out impossible. Nothing else of the plan changes; call it before the plan
 * is shared. Texts are copied; 0 and NULL: not known. */
struct plan_seen {
    const char *model, *impossible; /* impossible: why; NULL: it is not */
    int width, height, steps;
};
void plan_learn(struct plan *plan, size_t cell, const struct plan_seen *seen);

/* New references. Merged parameters; coordinates {axis: value}, {axis: label}. */
json_t *plan_parameters(const struct plan *plan, size_t cell);
json_t *plan_coordinates(const struct plan *plan, size_t cell);
json_t *plan_labels(const struct plan *plan, size_t cell);

/* Cells of `plan` that `former` does not have, by id, into new_cells (room for plan->count);
 * returns how many. Extending a run draws these and keeps the rest. */
size_t plan_added(const struct plan *plan, const struct plan *former, size_t *new_cells);

/* Totals, reasons, estimates and how they were obtained; `cells` of them with coordinates in
 * execution order. A new reference. */
json_t *plan_to_json(const struct plan *plan, size_t cells);
const char *plan_state_name(enum plan_state state);

#endif
