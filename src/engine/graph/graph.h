/*
 * graph.h: a network as a list of operations, written with functions that read like PyTorch.
 *
 *   struct g g;
 *   graph_init(&g, &model->unet_weights, 2);                two pictures in the batch
 *   struct t *x = g_input(&g, "latents", 64, 64, 4);
 *   x = g_conv(&g, x, "input_blocks.0.0", 320, 3, 1, 1);
 *   g_output(&g, "out", x);
 *   if (graph_plan(&g, &context, &plan, &e)) ...              plan.h; names the first missing or
 * mis-shaped tensor
 *
 * A value (struct t) is an activation [pictures][h][w][c]; tokens are h = tokens, w = 1. Weights
 * are bound by name at once. After the first mistake the functions go on with values of the shape
 * that was asked for, and graph_finish (called by graph_plan) reports it. graph_finish also fuses:
 * activations, biases, residuals and time embeddings into the product before them, activations into
 * norms, and enlargements into the convolution after them (fuse.c). Threads: one. Ownership: the
 * graph owns values and nodes; it borrows the weights.
 */
#ifndef ENGINE_GRAPH_H
#define ENGINE_GRAPH_H

#include "base/arena.h"
#include "engine/kernels/kernels.h"
#include "engine/weights/weights.h"

enum op {
    OP_INPUT,
    OP_LINEAR,
    OP_CONV,
    OP_ATTENTION,
    OP_GROUP_NORM,
    OP_LAYER_NORM,
    OP_ACTIVATE,
    OP_ADD,
    OP_SHIFT, /* in[0][picture][pixel][c] + in[1][picture][c] */
    OP_CONCAT,
    OP_RESIZE,
    OP_COUNT
};

struct node;

struct t {
    int n, h, w, c;
    struct node *from;
    int uses;

    struct t
        *whole; /* NULL, or the wider value of which this is the columns column .. column + c - 1 */
    int column;

    /* place.c */
    int first, last;   /* lifetime, as positions of nodes; -1: filled before the run */
    size_t at, bytes;  /* place in the region of transient or of kept values */
    bool kept;         /* stays from run to run */
    struct t *storage; /* whose bytes these are: its own, or those of an input that it overwrites */
};

struct node {
    enum op op;
    struct node *next;
    struct t *out, *in[3];
    struct t *shift, *residual; /* of products */
    const char *name;           /* of the layer's weights, or of the input */

    struct weight_source weights;
    const struct tensor *bias[3], *scale; /* norms: scale and bias[0] */
    enum act act;

    int stride, pad_top, pad_left; /* OP_CONV */
    bool upsample;
    int heads; /* OP_ATTENTION */
    bool causal;
    int groups; /* norms */
    float eps;
    bool keep; /* OP_INPUT: keeps its contents from run to run */
};

struct g {
    struct arena arena;
    const struct weights *weights;
    int pictures;
    struct node *head, **tail;
    struct output {
        struct output *next;
        const char *name;
        struct t *t;
    } *outputs;
    struct err err;
    bool failed;
};

void graph_init(struct g *g, const struct weights *w, int pictures);
void graph_release(struct g *g);
WARN_UNUSED_RESULT int graph_finish(struct g *g, struct err *e);
/* Record a mistake (the first one counts). */
void graph_fail(struct g *g, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* A value that the caller fills before a run. keep: it stays as it is for later runs. */
struct t *g_input(struct g *g, const char *name, int h, int w, int c, bool keep);
/* The value stays readable after the run. */
void g_output(struct g *g, const char *name, struct t *x);

/* x W^T + b over the last dimension; NAME.weight [out, in] (or [out, in, 1, 1]); NAME.bias if it
 * exists. torch.nn.Linear. */
struct t *g_linear(struct g *g, struct t *x, const char *name, int out);
/* Several linear layers over the same x as one product: the columns of the first, then of the
 * second, ... (q, k, v). */
struct t *g_linears(struct g *g, struct t *x, const char *const *names, int count, int out_each);
/* diffusers GEGLU: NAME.weight [2 * out, in]. */
struct t *g_geglu(struct g *g, struct t *x, const char *name, int out);
/* torch.nn.Conv2d with a square kernel: NAME.weight [out, in, kernel, kernel]; padding on all
 * sides. */
struct t *g_conv(struct g *g, struct t *x, const char *name, int out, int kernel, int stride,
                 int pad);
/* 3x3, stride 2, padded at the bottom and right only (the VAE encoder's down-sampling). */
struct t *g_conv_down(struct g *g, struct t *x, const char *name, int out);
struct t *g_group_norm(struct g *g, struct t *x, const char *name, int groups, float eps);
struct t *g_layer_norm(struct g *g, struct t *x, const char *name, float eps);
/* softmax(q k^T / sqrt(c / heads)) v per head. */
struct t *g_attention(struct g *g, struct t *q, struct t *k, struct t *v, int heads, bool causal);
struct t *g_act(struct g *g, struct t *x, enum act act);
struct t *g_add(struct g *g, struct t *a, struct t *b);
/* b: [1][1][c] of each picture, added to all its pixels. */
struct t *g_shift(struct g *g, struct t *a, struct t *b);
struct t *g_concat(struct g *g, struct t *a, struct t *b);
/* Nearest neighbour to h x w. */
struct t *g_resize(struct g *g, struct t *x, int h, int w);
/* Columns from .. from + c - 1; may only be used by attention. */
struct t *g_columns(struct g *g, struct t *x, int from, int c);

/* A name put together from parts; lives as long as the graph. */
const char *g_name(struct g *g, const char *format, ...) PRINTF_LIKE(2, 3);
/* Whether the weights have a tensor of that name. */
bool g_has(const struct g *g, const char *name);

void graph_fuse(struct g *g); /* fuse.c; called by graph_finish */

#endif
