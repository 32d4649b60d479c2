#include "engine/graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void graph_init(struct g *g, const struct weights *w, int pictures)
{
    *g = (struct g){.weights = w, .pictures = pictures};
    g->tail = &g->head;
}

void graph_release(struct g *g)
{
    arena_release(&g->arena);
}

void graph_fail(struct g *g, enum err_code code, const char *format, ...)
{
    char text[512];
    va_list args;

    if (g->failed)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    g->failed = true;
    (void)ERR(&g->err, code, "%s", text);
}

int graph_finish(struct g *g, struct err *e)
{
    if (g->failed) {
        *e = g->err;
        return e->code;
    }
    graph_fuse(g);
    return 0;
}

const char *g_name(struct g *g, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return arena_strdup(&g->arena, text);
}

bool g_has(const struct g *g, const char *name)
{
    return weights_get(g->weights, name) != NULL;
}

/* ==== nodes and values ==== */

static struct t *value(struct g *g, int h, int w, int c)
{
    struct t *t = ARENA_NEW(&g->arena, struct t);

    if (c > MAX_CHANNELS)
        graph_fail(g, ERR_UNSUPPORTED,
                   "a layer with %d channels is wider than the %d this engine takes", c,
                   MAX_CHANNELS);
    *t = (struct t){.n = g->pictures, .h = h, .w = w, .c = c};
    t->storage = t;
    return t;
}

static struct node *append(struct g *g, enum op op, const char *name, struct t *out, struct t *a,
                           struct t *b, struct t *c)
{
    struct node *n = ARENA_NEW(&g->arena, struct node);

    *n = (struct node){.op = op, .name = name, .out = out, .in = {a, b, c}, .stride = 1};
    for (int i = 0; i < 3; i++)
        if (n->in[i])
            n->in[i]->uses++;
    out->from = n;
    *g->tail = n;
    g->tail = &n->next;
    return n;
}

static const char *shape_text(struct g *g, const struct tensor *t)
{
    char text[128];
    int used = 0;

    for (int i = 0; i < t->dims && used < (int)sizeof text - 24; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%lld", i ? ", " : "",
                         (long long)t->shape[i]);
    text[used] = 0;
    return g_name(g, "[%s]", text);
}

/* Shapes agree up to trailing dimensions of one, so [c, c, 1, 1] serves as [c, c]. */
static bool same_shape(const struct tensor *t, const int64_t *shape, int dims)
{
    int have = t->dims, want = dims;

    while (have > 1 && t->shape[have - 1] == 1)
        have--;
    while (want > 1 && shape[want - 1] == 1)
        want--;
    return have == want && memcmp(t->shape, shape, sizeof *shape * (size_t)have) == 0;
}

static const struct tensor *bind(struct g *g, const char *layer, const char *what,
                                 const int64_t *shape, int dims, bool must)
{
    const char *name = g_name(g, "%s.%s", layer, what);
    const struct tensor *t = weights_get(g->weights, name);

    if (!t) {
        if (must)
            graph_fail(g, ERR_FORMAT, "tensor '%s' is missing", name);
        return NULL;
    }
    if (!same_shape(t, shape, dims)) {
        struct tensor want = {.dims = dims};
        memcpy(want.shape, shape, sizeof *shape * (size_t)dims);
        graph_fail(g, ERR_FORMAT, "tensor '%s' has shape %s, expected %s", name, shape_text(g, t),
                   shape_text(g, &want));
        return NULL;
    }
    return t;
}

struct t *g_input(struct g *g, const char *name, int h, int w, int c, bool keep)
{
    struct t *t = value(g, h, w, c);
    append(g, OP_INPUT, name, t, NULL, NULL, NULL)->keep = keep;
    return t;
}

void g_output(struct g *g, const char *name, struct t *x)
{
    struct output *o = ARENA_NEW(&g->arena, struct output);

    *o = (struct output){g->outputs, name, x};
    g->outputs = o;
    x->uses++;
}

static struct t *product(struct g *g, enum op op, struct t *x, const char *name, int rows,
                         int kernel, struct t *out)
{
    struct node *n = append(g, op, name, out, x, NULL, NULL);

    n->weights =
        (struct weight_source){.parts = 1, .rows = rows, .in = x->c, .kh = kernel, .kw = kernel};
    n->weights.part[0] = bind(g, name, "weight", (int64_t[]){rows, x->c, kernel, kernel}, 4, true);
    n->bias[0] = bind(g, name, "bias", (int64_t[]){rows}, 1, false);
    return out;
}

struct t *g_linear(struct g *g, struct t *x, const char *name, int out)
{
    return product(g, OP_LINEAR, x, name, out, 1, value(g, x->h, x->w, out));
}

struct t *g_linears(struct g *g, struct t *x, const char *const *names, int count, int out_each)
{
    struct t *y = value(g, x->h, x->w, count * out_each);
    struct node *n = append(g, OP_LINEAR, names[0], y, x, NULL, NULL);

    n->weights = (struct weight_source){
        .parts = count, .rows = count * out_each, .in = x->c, .kh = 1, .kw = 1};
    for (int i = 0; i < count; i++) {
        n->weights.part[i] = bind(g, names[i], "weight", (int64_t[]){out_each, x->c}, 2, true);
        n->bias[i] = bind(g, names[i], "bias", (int64_t[]){out_each}, 1, false);
        if (!n->bias[i] != !n->bias[0])
            graph_fail(g, ERR_FORMAT, "'%s' and '%s': one has a bias, the other has none", names[0],
                       names[i]);
    }
    return y;
}

struct t *g_geglu(struct g *g, struct t *x, const char *name, int out)
{
    struct t *y = product(g, OP_LINEAR, x, name, 2 * out, 1, value(g, x->h, x->w, out));

    y->from->weights.geglu = true;
    y->from->act = ACT_GEGLU;
    return y;
}

struct t *g_conv(struct g *g, struct t *x, const char *name, int out, int kernel, int stride,
                 int pad)
{
    if (kernel == 1 && stride == 1 && pad == 0)
        return g_linear(g, x, name, out);
    int oh = (x->h + 2 * pad - kernel) / stride + 1, ow = (x->w + 2 * pad - kernel) / stride + 1;
    struct t *y = product(g, OP_CONV, x, name, out, kernel, value(g, oh, ow, out));

    y->from->stride = stride;
    y->from->pad_top = y->from->pad_left = pad;
    return y;
}

struct t *g_conv_down(struct g *g, struct t *x, const char *name, int out)
{
    /* One row and column of zeros after the last: (h + 1 - 3) / 2 + 1. */
    struct t *y =
        product(g, OP_CONV, x, name, out, 3, value(g, (x->h - 2) / 2 + 1, (x->w - 2) / 2 + 1, out));

    y->from->stride = 2;
    return y;
}

static struct t *norm(struct g *g, enum op op, struct t *x, const char *name, int groups, float eps)
{
    struct t *y = value(g, x->h, x->w, x->c);
    struct node *n = append(g, op, name, y, x, NULL, NULL);

    if (groups < 1 || x->c % groups)
        graph_fail(g, ERR_FORMAT, "norm '%s': %d channels cannot be split into %d groups", name,
                   x->c, groups);
    n->scale = bind(g, name, "weight", (int64_t[]){x->c}, 1, true);
    n->bias[0] = bind(g, name, "bias", (int64_t[]){x->c}, 1, true);
    n->groups = groups;
    n->eps = eps;
    return y;
}

struct t *g_group_norm(struct g *g, struct t *x, const char *name, int groups, float eps)
{
    return norm(g, OP_GROUP_NORM, x, name, groups, eps);
}

struct t *g_layer_norm(struct g *g, struct t *x, const char *name, float eps)
{
    return norm(g, OP_LAYER_NORM, x, name, 1, eps);
}

struct t *g_attention(struct g *g, struct t *q, struct t *k, struct t *v, int heads, bool causal)
{
    struct t *y = value(g, q->h, q->w, v->c);
    struct node *n = append(g, OP_ATTENTION, "attention", y, q, k, v);

    if (heads < 1 || q->c % heads || q->c != k->c || q->c != v->c || q->c / heads > 512)
        graph_fail(g, ERR_UNSUPPORTED, "attention over %d channels with %d heads", q->c, heads);
    n->heads = heads;
    n->causal = causal;
    return y;
}

struct t *g_act(struct g *g, struct t *x, enum act act)
{
    struct t *y = value(g, x->h, x->w, x->c);
    append(g, OP_ACTIVATE, "activation", y, x, NULL, NULL)->act = act;
    return y;
}

struct t *g_add(struct g *g, struct t *a, struct t *b)
{
    if (a->h != b->h || a->w != b->w || a->c != b->c)
        graph_fail(g, ERR_FORMAT, "cannot add %dx%dx%d and %dx%dx%d", a->h, a->w, a->c, b->h, b->w,
                   b->c);
    struct t *y = value(g, a->h, a->w, a->c);
    append(g, OP_ADD, "add", y, a, b, NULL);
    return y;
}

struct t *g_shift(struct g *g, struct t *a, struct t *b)
{
    if (b->h != 1 || b->w != 1 || a->c != b->c)
        graph_fail(g, ERR_FORMAT, "cannot shift %d channels by %d", a->c, b->c);
    struct t *y = value(g, a->h, a->w, a->c);
    append(g, OP_SHIFT, "shift", y, a, b, NULL);
    return y;
}

struct t *g_concat(struct g *g, struct t *a, struct t *b)
{
    if (a->h != b->h || a->w != b->w)
        graph_fail(g, ERR_FORMAT, "cannot put %dx%d beside %dx%d", a->h, a->w, b->h, b->w);
    struct t *y = value(g, a->h, a->w, a->c + b->c);
    append(g, OP_CONCAT, "concat", y, a, b, NULL);
    return y;
}

struct t *g_resize(struct g *g, struct t *x, int h, int w)
{
    struct t *y = value(g, h, w, x->c);
    append(g, OP_RESIZE, "resize", y, x, NULL, NULL);
    return y;
}

struct t *g_columns(struct g *g, struct t *x, int from, int c)
{
    struct t *y = value(g, x->h, x->w, c);

    y->whole = x;
    y->column = from;
    y->from = x->from;
    x->uses++;
    return y;
}
