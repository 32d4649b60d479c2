#include "engine/networks/networks.h"

#include <stdlib.h>

/* Pre-norm transformer layer: x + attention(norm(x)), then x + mlp(norm(x)). */
static struct t *layer(struct g *g, struct t *x, const char *name, const struct clip_config *c)
{
    const char *projections[] = {g_name(g, "%s.self_attn.q_proj", name),
                                 g_name(g, "%s.self_attn.k_proj", name),
                                 g_name(g, "%s.self_attn.v_proj", name)};

    struct t *h = g_layer_norm(g, x, g_name(g, "%s.layer_norm1", name), c->eps);
    struct t *qkv = g_linears(g, h, projections, 3, c->width);
    h = g_attention(g, g_columns(g, qkv, 0, c->width), g_columns(g, qkv, c->width, c->width),
                    g_columns(g, qkv, 2 * c->width, c->width), c->heads, true);
    x = g_add(g, x, g_linear(g, h, g_name(g, "%s.self_attn.out_proj", name), c->width));

    h = g_layer_norm(g, x, g_name(g, "%s.layer_norm2", name), c->eps);
    h = g_act(g, g_linear(g, h, g_name(g, "%s.mlp.fc1", name), c->ffn),
              c->quick_gelu ? ACT_QUICK_GELU : ACT_GELU);
    return g_add(g, x, g_linear(g, h, g_name(g, "%s.mlp.fc2", name), c->width));
}

void clip_build(struct g *g, const struct clip_config *c, int last, bool final_norm, bool pooled)
{
    const char *norm = "text_model.final_layer_norm";
    struct t *x = g_input(g, "tokens", c->positions, 1, c->width, false), *hidden = NULL;
    int layers = pooled ? c->layers : last;

    if (last < 1 || last > c->layers)
        graph_fail(g, ERR_ARG, "the text encoder has %d layers: it cannot stop after %d", c->layers,
                   last);
    for (int i = 0; i < layers && i < c->layers; i++) {
        x = layer(g, x, g_name(g, "text_model.encoder.layers.%d", i), c);
        if (i + 1 == last)
            hidden = x;
    }
    if (!hidden)
        return;
    g_output(g, "hidden", final_norm ? g_layer_norm(g, hidden, norm, c->eps) : hidden);
    if (pooled) {
        x = g_layer_norm(g, x, norm, c->eps);
        g_output(g, "pooled", c->projection ? g_linear(g, x, "text_projection", c->projection) : x);
    }
}

static const struct tensor *table(const struct weights *w, const char *name, int rows, int columns,
                                  struct err *e)
{
    const struct tensor *t = weights_get(w, name);

    if (!t)
        (void)ERR(e, ERR_FORMAT, "tensor '%s' is missing", name);
    else if (t->dims == 2 && t->shape[0] == rows && t->shape[1] == columns)
        return t;
    else
        (void)ERR(e, ERR_FORMAT, "tensor '%s' does not have shape [%d, %d]", name, rows, columns);
    return NULL;
}

int clip_embed(const struct weights *w, const struct clip_config *c, const int *ids, float *tokens,
               struct err *e)
{
    const struct tensor *words =
        table(w, "text_model.embeddings.token_embedding.weight", c->vocab, c->width, e);
    const struct tensor *places =
        words
            ? table(w, "text_model.embeddings.position_embedding.weight", c->positions, c->width, e)
            : NULL;

    if (!places)
        return e->code;
    for (int i = 0; i < c->positions; i++)
        if (ids[i] < 0 || ids[i] >= c->vocab)
            return ERR(e, ERR_FORMAT,
                       "the tokenizer gives token %d, but the text encoder has only %d", ids[i],
                       c->vocab);
    for (int i = 0; i < c->positions; i++)
        for (int k = 0; k < c->width; k++)
            tokens[i * c->width + k] = tensor_at(words, (int64_t)ids[i] * c->width + k) +
                                       tensor_at(places, (int64_t)i * c->width + k);
    return 0;
}
