/*
 * plan.h: a graph made ready to run: packed weights, a place in memory for every value, a flat list
 * of calls.
 *
 *   struct plan *p;
 *   if (graph_plan(&g, &context, &p, &e)) ...                  takes the graph, also on failure
 *   workspace_reserve(&ws, plan_workspace(p), &e);
 *   memcpy(plan_value(p, &ws, "latents"), x, ...);
 *   if (plan_run(p, &ws, PLAN_ALL, NULL, NULL)) ...            ERR_CANCELLED
 *   y = plan_value(p, &ws, "out");                             until the workspace is used again
 *   graph_plan_free(p);
 *
 * Running allocates nothing. What depends only on inputs that are kept (the text's keys and values)
 * is the plan's constant part: it is computed by PLAN_ALL, lives in the plan's own memory and is
 * still there for later runs with PLAN_STEP. Threads: a plan and a workspace are used by one thread
 * at a time; the kernels use `threads` OpenMP threads. Ownership: packed weights belong to the pack
 * cache and are shared between plans of one model.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include "engine/graph/graph.h"

#include <stdatomic.h>

/* Memory for the values of one run, shared by the plans that run one after the other. */
struct workspace {
    void *p;
    size_t n;
};
WARN_UNUSED_RESULT int workspace_reserve(struct workspace *w, size_t bytes, struct err *e);
void workspace_release(struct workspace *w);

/* Packed weights of one model, found by their source and form. */
struct pack_cache {
    struct map packs;
    size_t bytes;
};
void pack_cache_release(struct pack_cache *c);

struct plan_context {
    const struct kernels *kernels;
    struct pack_cache *packs;
    enum compute compute;
    bool low_memory; /* weights are read as they stand in the file, tile by tile */
    int threads;
};

struct profile {
    double seconds[OP_COUNT];
    double flops[OP_COUNT]; /* multiply and add count as two */
    int calls[OP_COUNT];
};

struct plan;

/* ERR_NOMEM when memory for weights or kept values cannot be had. */
WARN_UNUSED_RESULT int graph_plan(struct g *g, const struct plan_context *c, struct plan **out,
                                  struct err *e);
void graph_plan_free(struct plan *p);
size_t plan_workspace(const struct plan *p);
size_t plan_kept(const struct plan *p); /* bytes of its own, for the constant part */
/* An input or output by name; NULL when there is none. [pictures][h][w][c]. */
float *plan_value(const struct plan *p, const struct workspace *w, const char *name);

enum plan_part { PLAN_ALL, PLAN_STEP /* all but the constant part */ };
/* Returns 0, or ERR_CANCELLED soon after *cancel becomes true. cancel and profile may be NULL. */
WARN_UNUSED_RESULT int plan_run(struct plan *p, struct workspace *w, enum plan_part part,
                                const atomic_bool *cancel, struct profile *profile);

/* Op by op, for comparing executors: run operation i of plan_operations(p), then look at what it
 * yielded. */
struct plan_operation {
    enum op op;
    const char *name; /* of the layer */
    const float *out;
    size_t count;
    double flops;
};
int plan_operations(const struct plan *p);
void plan_run_operation(struct plan *p, struct workspace *w, int i, struct plan_operation *out);

const char *op_name(enum op op);

#endif
