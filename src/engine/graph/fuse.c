/*
 * fuse.c: merge operations into the product or norm before them, so that the numbers are touched
 * once.
 *
 *   norm, activation            -> norm
 *   product, activation         -> product          product: linear or convolution
 *   product, time embedding     -> product
 *   product, addition           -> product          act(product) + residual
 *   2x enlargement, convolution -> convolution
 *
 * A product that takes over an addition moves to the addition's place in the list: the other
 * summand may be computed between the two.
 */
#include "engine/graph/graph.h"

static bool is_product(const struct node *n)
{
    return n->op == OP_LINEAR || n->op == OP_CONV;
}

/* The producer of x if only its one reader would notice a change. */
static struct node *sole_producer(const struct t *x)
{
    return x->uses == 1 && !x->whole ? x->from : NULL;
}

/* `p` yields what `n` yielded, at n's place; n and p's former place are gone (NULL in the list). */
static void replace(struct node **list, int at, struct node *p)
{
    struct node *n = list[at];
    int i = at;

    while (list[i] != p)
        i--;
    p->out = n->out;
    p->out->from = p;
    list[i] = NULL;
    list[at] = p;
}

static void fuse_activation(struct node **list, int at)
{
    struct node *n = list[at], *p = sole_producer(n->in[0]);

    if (!p || p->act != ACT_NONE || p->residual)
        return;
    if (is_product(p) || (p->op == OP_GROUP_NORM && n->act == ACT_SILU)) {
        p->act = n->act;
        replace(list, at, p);
    }
}

static void fuse_shift(struct node **list, int at)
{
    struct node *n = list[at], *p = sole_producer(n->in[0]);

    if (!p || !is_product(p) || p->act != ACT_NONE || p->residual || p->shift)
        return;
    p->shift = n->in[1];
    replace(list, at, p);
}

static int position(struct node **list, int at, const struct node *p)
{
    while (at >= 0 && list[at] != p)
        at--;
    return at;
}

static void fuse_addition(struct node **list, int at)
{
    struct node *n = list[at], *best = NULL;
    int latest = -1, side = 0;

    for (int i = 0; i < 2; i++) {
        struct node *p = sole_producer(n->in[i]);
        if (!p || !is_product(p) || p->residual || p->act == ACT_GEGLU)
            continue;
        int where = position(list, at, p);
        if (where > latest) {
            latest = where;
            best = p;
            side = i;
        }
    }
    if (!best)
        return;
    best->residual = n->in[1 - side];
    replace(list, at, best);
}

static void fuse_enlargement(struct node **list, int at)
{
    struct node *n = list[at], *p = sole_producer(n->in[0]);

    if (!p || p->op != OP_RESIZE || n->stride != 1 || n->weights.kh != 3 || n->pad_top != 1 ||
        n->pad_left != 1)
        return;
    struct t *x = p->in[0];
    if (p->out->h != 2 * x->h || p->out->w != 2 * x->w)
        return;
    n->in[0] = x;
    n->upsample = true;
    list[position(list, at, p)] = NULL;
}

void graph_fuse(struct g *g)
{
    int count = 0;

    for (struct node *n = g->head; n; n = n->next)
        count++;
    struct node **list = arena_alloc(&g->arena, sizeof(struct node *) * (size_t)(count + 1));
    count = 0;
    for (struct node *n = g->head; n; n = n->next)
        list[count++] = n;

    for (int i = 0; i < count; i++)
        switch (list[i]->op) {
        case OP_ACTIVATE:
            fuse_activation(list, i);
            break;
        case OP_SHIFT:
            fuse_shift(list, i);
            break;
        case OP_ADD:
            fuse_addition(list, i);
            break;
        case OP_CONV:
            fuse_enlargement(list, i);
            break;
        default:
            break;
        }

    g->tail = &g->head;
    for (int i = 0; i < count; i++)
        if (list[i]) {
            *g->tail = list[i];
            g->tail = &list[i]->next;
        }
    *g->tail = NULL;
}
