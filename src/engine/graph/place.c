#include "engine/graph/place.h"

#include <stdlib.h>

enum { ALIGN = 64, PAD = 64 };

struct t *value_storage(const struct t *t)
{
    if (t->whole)
        t = t->whole;
    struct t *s = t->storage;
    while (s->storage != s)
        s = s->storage;
    return s;
}

static bool is_kept(const struct t *t)
{
    return value_storage(t)->kept;
}

/* A node is constant when all that it reads is. */
static bool is_constant(const struct node *n)
{
    int inputs = 0;

    if (n->op == OP_INPUT)
        return n->keep;
    for (int i = 0; i < 3; i++)
        if (n->in[i]) {
            inputs++;
            if (!is_kept(n->in[i]))
                return false;
        }
    return inputs && (!n->shift || is_kept(n->shift)) && (!n->residual || is_kept(n->residual));
}

static void use(struct t *t, int at)
{
    if (t && value_storage(t)->last < at)
        value_storage(t)->last = at;
}

static void set_lifetimes(const struct g *g, struct node **list, int count)
{
    for (int i = 0; i < count; i++) {
        struct node *n = list[i];
        n->out->first = n->op == OP_INPUT ? -1 : i;
        n->out->last = i;
        n->out->bytes = (size_t)n->out->n * (size_t)n->out->h * (size_t)n->out->w *
                        (size_t)n->out->c * sizeof(float);
        n->out->kept = is_constant(n);
        for (int k = 0; k < 3; k++)
            use(n->in[k], i);
        use(n->shift, i);
        use(n->residual, i);
    }
    for (const struct output *o = g->outputs; o; o = o->next)
        use(o->t, count);
}

/* May node i write its result over `source`? Only if it reads it last, whole, and reads nothing
 * else from the same memory. */
static bool may_take_over(const struct node *n, const struct t *source, int i)
{
    const struct t *s = value_storage(source);
    int readers = 0;

    if (source->whole || s->kept || s->last != i || s->bytes != n->out->bytes || n->out->kept)
        return false;
    for (int k = 0; k < 3; k++)
        readers += n->in[k] && value_storage(n->in[k]) == s;
    readers += n->shift && value_storage(n->shift) == s;
    readers += n->residual && value_storage(n->residual) == s;
    return readers == 1;
}

static void take_over(struct node **list, int count)
{
    for (int i = 0; i < count; i++) {
        struct node *n = list[i];
        struct t *source = NULL;

        if (n->op == OP_LINEAR || n->op == OP_CONV)
            source = n->residual;
        else if (n->op == OP_GROUP_NORM || n->op == OP_LAYER_NORM || n->op == OP_ACTIVATE ||
                 n->op == OP_ADD)
            source = n->in[0];
        if (!source || !may_take_over(n, source, i))
            continue;
        struct t *s = value_storage(source);
        if (s->last < n->out->last)
            s->last = n->out->last;
        n->out->storage = s;
    }
}

static int by_size(const void *a, const void *b)
{
    const struct t *x = *(struct t *const *)a, *y = *(struct t *const *)b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->first - y->first;
}

static size_t room(const struct t *t)
{
    return (t->bytes + PAD + ALIGN - 1) / ALIGN * ALIGN;
}

/* Large values first, each at the lowest place where nothing that lives at the same time is
 * (Pisarchyk & Lee 2020). placed[] is sorted by offset. */
static size_t place_transient(struct t **values, int count, struct t **placed)
{
    size_t end = 0;

    qsort(values, (size_t)count, sizeof *values, by_size);
    for (int i = 0; i < count; i++) {
        struct t *t = values[i];
        size_t at = 0;
        int slot;

        for (int k = 0; k < i; k++) {
            const struct t *other = placed[k];
            if (other->last < t->first || t->last < other->first)
                continue;
            if (other->at >= at + room(t))
                break;
            if (other->at + room(other) > at)
                at = other->at + room(other);
        }
        t->at = at;
        if (at + room(t) > end)
            end = at + room(t);
        for (slot = i; slot > 0 && placed[slot - 1]->at > at; slot--)
            placed[slot] = placed[slot - 1];
        placed[slot] = t;
    }
    return end;
}

struct placement graph_place(struct g *g, struct node **list, int count)
{
    struct placement p = {0};
    struct t **values = arena_alloc(&g->arena, sizeof(struct t *) * (size_t)count);
    struct t **placed = arena_alloc(&g->arena, sizeof(struct t *) * (size_t)count);
    int transient = 0;

    set_lifetimes(g, list, count);
    take_over(list, count);
    for (int i = 0; i < count; i++) {
        struct t *t = list[i]->out;
        if (t->storage != t)
            continue;
        if (t->kept) {
            t->at = p.kept;
            p.kept += room(t);
        } else {
            values[transient++] = t;
        }
    }
    p.transient = place_transient(values, transient, placed);
    return p;
}
