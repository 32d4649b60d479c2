#include "engine/graph/plan.h"

#include "base/clock.h"
#include "engine/graph/place.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

struct step {
    struct node *node;
    struct packed *weights;
    const float *bias, *scale; /* f32, in the plan's arena */
    double flops;
    bool constant;
};

struct plan {
    struct g graph;
    struct arena arena;
    struct plan_context context;
    struct step *steps;
    int count;
    size_t transient, scratch, kept_bytes;
    void *kept;
};

/* ==== memory ==== */

static void *allocate(size_t bytes)
{
    return aligned_alloc(ALIGN, (bytes + 2 * ALIGN - 1) / ALIGN * ALIGN);
}

int workspace_reserve(struct workspace *w, size_t bytes, struct err *e)
{
    if (bytes <= w->n)
        return 0;
    free(w->p);
    *w = (struct workspace){0};
    w->p = allocate(bytes);
    if (!w->p)
        return ERR(e, ERR_NOMEM, "no memory for the %.0f MB that the values of a pass take",
                   (double)bytes / 1e6);
    w->n = bytes;
    return 0;
}

void workspace_release(struct workspace *w)
{
    free(w->p);
    *w = (struct workspace){0};
}

void pack_cache_release(struct pack_cache *c)
{
    for (size_t i = 0; i < c->packs.room; i++)
        if (c->packs.slots[i].key.p) {
            struct packed *p = c->packs.slots[i].value;
            packed_release(p);
            free(p);
        }
    map_release(&c->packs);
    c->bytes = 0;
}

/* ==== making a plan ==== */

static const float *as_f32(struct plan *p, const struct tensor *const *parts, int count)
{
    int64_t n = 0, at = 0;

    if (!parts[0])
        return NULL;
    for (int i = 0; i < count; i++)
        n += tensor_count(parts[i]);
    float *x = arena_alloc(&p->arena, (size_t)n * sizeof *x + ALIGN);
    for (int i = 0; i < count; i++) {
        tensor_read(x + at, parts[i], 0, tensor_count(parts[i]));
        at += tensor_count(parts[i]);
    }
    return x;
}

static int pack(struct plan *p, struct step *s, struct err *e)
{
    const struct node *n = s->node;
    const struct plan_context *c = &p->context;
    struct pack_hint hint = {.compute = c->compute,
                             .low_memory = c->low_memory,
                             .pixels = n->out->h * n->out->w,
                             .width = n->out->w,
                             .stride = n->stride};
    size_t bytes = c->kernels->pack_size(&n->weights, &hint);
    char key[128];

    /* Forms of one source differ in size, so the size tells them apart. */
    snprintf(key, sizeof key, "%p %p %p %d %zu", (const void *)n->weights.part[0],
             (const void *)n->weights.part[1], (const void *)n->weights.part[2], n->op, bytes);
    s->weights = map_get(&c->packs->packs, str_from(key));
    if (s->weights)
        return 0;
    struct packed *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    int rc = kernels_pack(c->kernels, &n->weights, &hint, c->threads, w, e);
    if (rc) {
        free(w);
        return err_prefix(e, "'%s'", n->name);
    }
    c->packs->bytes += bytes;
    map_put(&c->packs->packs, str_from(key), w);
    s->weights = w;
    return 0;
}

static double count_flops(const struct node *n)
{
    const struct t *y = n->out;
    double pixels = (double)y->n * y->h * y->w;

    switch (n->op) {
    case OP_LINEAR:
    case OP_CONV:
        return 2 * pixels * n->weights.rows * n->weights.in * n->weights.kh * n->weights.kw;
    case OP_ATTENTION:
        return 4 * pixels * y->c * n->in[1]->h * n->in[1]->w;
    default:
        return 0;
    }
}

static float *resolve(const struct plan *p, const struct workspace *w, const struct t *t)
{
    if (!t)
        return NULL;
    const struct t *s = value_storage(t);
    char *base = s->kept ? p->kept : w->p;
    return (float *)(base + s->at) + (t->whole ? t->column : 0);
}

static int row_length(const struct t *t)
{
    return t->whole ? t->whole->c : t->c;
}

static struct linear_args linear_args(const struct plan *p, const struct workspace *w,
                                      const struct step *s)
{
    const struct node *n = s->node;
    int rows = n->out->h * n->out->w;

    return (struct linear_args){.y = resolve(p, w, n->out),
                                .x = resolve(p, w, n->in[0]),
                                .ldx = row_length(n->in[0]),
                                .m = rows * n->out->n,
                                .rows_per_picture = rows,
                                .w = s->weights,
                                .bias = s->bias,
                                .shift = resolve(p, w, n->shift),
                                .residual = resolve(p, w, n->residual),
                                .act = n->act,
                                .threads = p->context.threads,
                                .scratch = (char *)w->p + p->transient};
}

static struct conv_args conv_args(const struct plan *p, const struct workspace *w,
                                  const struct step *s)
{
    const struct node *n = s->node;

    return (struct conv_args){.y = resolve(p, w, n->out),
                              .x = resolve(p, w, n->in[0]),
                              .pictures = n->out->n,
                              .h = n->in[0]->h,
                              .w = n->in[0]->w,
                              .oh = n->out->h,
                              .ow = n->out->w,
                              .stride = n->stride,
                              .pad_top = n->pad_top,
                              .pad_left = n->pad_left,
                              .upsample = n->upsample,
                              .weight = s->weights,
                              .bias = s->bias,
                              .shift = resolve(p, w, n->shift),
                              .residual = resolve(p, w, n->residual),
                              .act = n->act,
                              .threads = p->context.threads,
                              .scratch = (char *)w->p + p->transient};
}

static struct attention_args attention_args(const struct plan *p, const struct workspace *w,
                                            const struct step *s)
{
    const struct node *n = s->node;
    const struct t *q = n->in[0], *k = n->in[1], *v = n->in[2];
    int dim = q->c / n->heads;

    return (struct attention_args){.y = resolve(p, w, n->out),
                                   .q = resolve(p, w, q),
                                   .k = resolve(p, w, k),
                                   .v = resolve(p, w, v),
                                   .ldy = n->out->c,
                                   .ldq = row_length(q),
                                   .ldk = row_length(k),
                                   .ldv = row_length(v),
                                   .pictures = n->out->n,
                                   .heads = n->heads,
                                   .dim = dim,
                                   .nq = q->h * q->w,
                                   .nk = k->h * k->w,
                                   .scale = (float)(1 / sqrt((double)dim)),
                                   .causal = n->causal,
                                   .compute = p->context.compute,
                                   .threads = p->context.threads,
                                   .scratch = (char *)w->p + p->transient};
}

static struct group_norm_args group_norm_args(const struct plan *p, const struct workspace *w,
                                              const struct step *s)
{
    const struct node *n = s->node;

    return (struct group_norm_args){.y = resolve(p, w, n->out),
                                    .x = resolve(p, w, n->in[0]),
                                    .pictures = n->out->n,
                                    .pixels = n->out->h * n->out->w,
                                    .channels = n->out->c,
                                    .groups = n->groups,
                                    .scale = s->scale,
                                    .shift = s->bias,
                                    .eps = n->eps,
                                    .act = n->act,
                                    .threads = p->context.threads,
                                    .scratch = (char *)w->p + p->transient};
}

static size_t scratch_of(const struct plan *p, const struct step *s)
{
    const struct kernels *k = p->context.kernels;
    const struct workspace none = {0};

    switch (s->node->op) {
    case OP_LINEAR: {
        struct linear_args a = linear_args(p, &none, s);
        return k->linear_scratch(&a);
    }
    case OP_CONV: {
        struct conv_args a = conv_args(p, &none, s);
        return k->conv_scratch(&a);
    }
    case OP_ATTENTION: {
        struct attention_args a = attention_args(p, &none, s);
        return k->attention_scratch(&a);
    }
    case OP_GROUP_NORM: {
        struct group_norm_args a = group_norm_args(p, &none, s);
        return k->group_norm_scratch(&a);
    }
    default:
        return 0;
    }
}

static int prepare_step(struct plan *p, struct step *s, struct err *e)
{
    struct node *n = s->node;
    int rc = 0;

    s->flops = count_flops(n);
    s->constant = n->out->kept;
    s->bias = as_f32(p, n->bias, n->op == OP_LINEAR ? n->weights.parts : 1);
    s->scale = as_f32(p, &n->scale, 1);
    if (n->op == OP_SHIFT)
        return ERR(e, ERR_UNSUPPORTED, "a shift that no product takes over");
    if (n->op == OP_LINEAR || n->op == OP_CONV)
        rc = pack(p, s, e);
    return rc;
}

int graph_plan(struct g *g, const struct plan_context *c, struct plan **out, struct err *e)
{
    struct plan *p = calloc(1, sizeof *p);
    struct node **list;
    int count = 0, rc;

    if (!p)
        abort();
    p->graph = *g;
    p->context = *c;
    g = &p->graph;
    rc = graph_finish(g, e);
    if (rc)
        goto out;
    for (struct node *n = g->head; n; n = n->next)
        count++;
    list = arena_alloc(&p->arena, sizeof(struct node *) * (size_t)(count + 1));
    p->steps = arena_alloc(&p->arena, sizeof *p->steps * (size_t)(count + 1));
    p->count = count;
    count = 0;
    for (struct node *n = g->head; n; n = n->next)
        list[count++] = n;

    struct placement where = graph_place(g, list, count);
    p->transient = where.transient;
    p->kept_bytes = where.kept;
    p->kept = allocate(where.kept);
    if (!p->kept) {
        rc = ERR(e, ERR_NOMEM, "no memory for %.0f MB of kept values", (double)where.kept / 1e6);
        goto out;
    }
    for (int i = 0; i < count; i++) {
        p->steps[i].node = list[i];
        rc = prepare_step(p, &p->steps[i], e);
        if (rc)
            goto out;
        size_t scratch = scratch_of(p, &p->steps[i]);
        if (scratch > p->scratch)
            p->scratch = scratch;
    }
    *out = p;
out:
    if (rc)
        graph_plan_free(p);
    return rc;
}

void graph_plan_free(struct plan *p)
{
    if (!p)
        return;
    graph_release(&p->graph);
    arena_release(&p->arena);
    free(p->kept);
    free(p);
}

size_t plan_kept(const struct plan *p)
{
    return p->kept_bytes;
}

size_t plan_workspace(const struct plan *p)
{
    return p->transient + p->scratch + ALIGN;
}

float *plan_value(const struct plan *p, const struct workspace *w, const char *name)
{
    for (const struct output *o = p->graph.outputs; o; o = o->next)
        if (strcmp(o->name, name) == 0)
            return resolve(p, w, o->t);
    for (int i = 0; i < p->count; i++)
        if (p->steps[i].node->op == OP_INPUT && strcmp(p->steps[i].node->name, name) == 0)
            return resolve(p, w, p->steps[i].node->out);
    return NULL;
}

/* ==== running it ==== */

static void run_step(const struct plan *p, const struct workspace *w, const struct step *s)
{
    const struct kernels *k = p->context.kernels;
    const struct node *n = s->node;
    const struct t *y = n->out;
    size_t pixels = (size_t)y->n * (size_t)y->h * (size_t)y->w;
    float *out = resolve(p, w, y);
    int threads = p->context.threads;

    switch (n->op) {
    case OP_LINEAR: {
        struct linear_args a = linear_args(p, w, s);
        k->linear(&a);
        break;
    }
    case OP_CONV: {
        struct conv_args a = conv_args(p, w, s);
        k->conv(&a);
        break;
    }
    case OP_ATTENTION: {
        struct attention_args a = attention_args(p, w, s);
        k->attention(&a);
        break;
    }
    case OP_GROUP_NORM: {
        struct group_norm_args a = group_norm_args(p, w, s);
        k->group_norm(&a);
        break;
    }
    case OP_LAYER_NORM:
        k->layer_norm(&(struct layer_norm_args){.y = out,
                                                .x = resolve(p, w, n->in[0]),
                                                .rows = (int)pixels,
                                                .channels = y->c,
                                                .scale = s->scale,
                                                .shift = s->bias,
                                                .eps = n->eps,
                                                .threads = threads});
        break;
    case OP_ACTIVATE:
        k->activate(out, resolve(p, w, n->in[0]), pixels * (size_t)y->c, n->act, threads);
        break;
    case OP_ADD:
        k->add(out, resolve(p, w, n->in[0]), resolve(p, w, n->in[1]), pixels * (size_t)y->c,
               threads);
        break;
    case OP_CONCAT:
        k->concat(out, resolve(p, w, n->in[0]), n->in[0]->c, resolve(p, w, n->in[1]), n->in[1]->c,
                  pixels, threads);
        break;
    case OP_RESIZE:
        k->resize_nearest(out, resolve(p, w, n->in[0]), y->n, n->in[0]->h, n->in[0]->w, y->h, y->w,
                          y->c, threads);
        break;
    case OP_INPUT:
    case OP_SHIFT:
    case OP_COUNT:
        break;
    }
}

int plan_run(struct plan *p, struct workspace *w, enum plan_part part, const atomic_bool *cancel,
             struct profile *profile)
{
    for (int i = 0; i < p->count; i++) {
        const struct step *s = &p->steps[i];
        if (s->constant && part == PLAN_STEP)
            continue;
        if (cancel && atomic_load_explicit(cancel, memory_order_relaxed))
            return ERR_CANCELLED;
        double start = profile ? clock_seconds() : 0;
        run_step(p, w, s);
        if (profile) {
            profile->seconds[s->node->op] += clock_seconds() - start;
            profile->flops[s->node->op] += s->flops;
            profile->calls[s->node->op]++;
        }
    }
    return 0;
}

int plan_operations(const struct plan *p)
{
    return p->count;
}

void plan_run_operation(struct plan *p, struct workspace *w, int i, struct plan_operation *out)
{
    const struct step *s = &p->steps[i];
    const struct t *y = s->node->out;

    run_step(p, w, s);
    *out =
        (struct plan_operation){.op = s->node->op,
                                .name = s->node->name,
                                .out = resolve(p, w, y),
                                .count = (size_t)y->n * (size_t)y->h * (size_t)y->w * (size_t)y->c,
                                .flops = s->flops};
}

const char *op_name(enum op op)
{
    static const char *const names[OP_COUNT] = {
        [OP_INPUT] = "input",
        [OP_LINEAR] = "linear",
        [OP_CONV] = "conv",
        [OP_ATTENTION] = "attention",
        [OP_GROUP_NORM] = "group_norm",
        [OP_LAYER_NORM] = "layer_norm",
        [OP_ACTIVATE] = "activate",
        [OP_ADD] = "add",
        [OP_SHIFT] = "shift",
        [OP_CONCAT] = "concat",
        [OP_RESIZE] = "resize",
    };
    return names[op];
}
