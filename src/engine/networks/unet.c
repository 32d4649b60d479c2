#include "engine/networks/networks.h"

#include <math.h>

static const float TRANSFORMER_EPS = 1e-6f, LAYER_EPS = 1e-5f;

/* What every block needs: the config, silu(time embedding), the text. */
struct unet {
    struct g *g;
    const struct unet_config *c;
    struct t *time, *context;
};

static struct t *resnet(const struct unet *u, struct t *x, const char *name, int out)
{
    struct g *g = u->g;
    struct t *time = g_linear(g, u->time, g_name(g, "%s.emb_layers.1", name), out);
    struct t *skip =
        x->c == out ? x : g_conv(g, x, g_name(g, "%s.skip_connection", name), out, 1, 1, 0);

    struct t *h = g_group_norm(g, x, g_name(g, "%s.in_layers.0", name), u->c->groups, u->c->eps);
    h = g_conv(g, g_act(g, h, ACT_SILU), g_name(g, "%s.in_layers.2", name), out, 3, 1, 1);
    h = g_shift(g, h, time);
    h = g_group_norm(g, h, g_name(g, "%s.out_layers.0", name), u->c->groups, u->c->eps);
    h = g_conv(g, g_act(g, h, ACT_SILU), g_name(g, "%s.out_layers.3", name), out, 3, 1, 1);
    return g_add(g, skip, h);
}

static struct t *self_attention(const struct unet *u, struct t *x, const char *name, int heads)
{
    struct g *g = u->g;
    int c = x->c;
    const char *projections[] = {g_name(g, "%s.to_q", name), g_name(g, "%s.to_k", name),
                                 g_name(g, "%s.to_v", name)};

    struct t *qkv = g_linears(g, x, projections, 3, c);
    struct t *h = g_attention(g, g_columns(g, qkv, 0, c), g_columns(g, qkv, c, c),
                              g_columns(g, qkv, 2 * c, c), heads, false);
    return g_linear(g, h, g_name(g, "%s.to_out.0", name), c);
}

static struct t *cross_attention(const struct unet *u, struct t *x, const char *name, int heads)
{
    struct g *g = u->g;
    int c = x->c;
    const char *projections[] = {g_name(g, "%s.to_k", name), g_name(g, "%s.to_v", name)};

    struct t *kv = g_linears(g, u->context, projections, 2, c);
    struct t *q = g_linear(g, x, g_name(g, "%s.to_q", name), c);
    struct t *h = g_attention(g, q, g_columns(g, kv, 0, c), g_columns(g, kv, c, c), heads, false);
    return g_linear(g, h, g_name(g, "%s.to_out.0", name), c);
}

/* Look at the picture, look at the text, think. */
static struct t *transformer_block(const struct unet *u, struct t *x, const char *name, int heads)
{
    struct g *g = u->g;
    struct t *h;

    h = g_layer_norm(g, x, g_name(g, "%s.norm1", name), LAYER_EPS);
    x = g_add(g, x, self_attention(u, h, g_name(g, "%s.attn1", name), heads));
    h = g_layer_norm(g, x, g_name(g, "%s.norm2", name), LAYER_EPS);
    x = g_add(g, x, cross_attention(u, h, g_name(g, "%s.attn2", name), heads));
    h = g_layer_norm(g, x, g_name(g, "%s.norm3", name), LAYER_EPS);
    h = g_geglu(g, h, g_name(g, "%s.ff.net.0.proj", name), 4 * x->c);
    return g_add(g, x, g_linear(g, h, g_name(g, "%s.ff.net.2", name), x->c));
}

/* Pixels are tokens as they lie; proj_in and proj_out are linears, stored as such or as 1x1
 * convolutions. */
static struct t *transformer(const struct unet *u, struct t *x, const char *name, int heads,
                             int depth)
{
    struct g *g = u->g;
    struct t *h = g_group_norm(g, x, g_name(g, "%s.norm", name), u->c->groups, TRANSFORMER_EPS);

    h = g_linear(g, h, g_name(g, "%s.proj_in", name), x->c);
    for (int i = 0; i < depth; i++)
        h = transformer_block(u, h, g_name(g, "%s.transformer_blocks.%d", name, i), heads);
    return g_add(g, x, g_linear(g, h, g_name(g, "%s.proj_out", name), x->c));
}

static struct t *conditioning(struct g *g, const struct unet_config *c)
{
    int width = 4 * c->channels[0];
    struct t *time = g_input(g, "time", 1, 1, c->channels[0], false);

    if (c->time_cond_dim) {
        struct t *guidance = g_input(g, "guidance", 1, 1, c->time_cond_dim, true);
        time = g_add(g, time, g_linear(g, guidance, "time_embed.cond_proj", c->channels[0]));
    }
    time = g_linear(g, g_act(g, g_linear(g, time, "time_embed.0", width), ACT_SILU), "time_embed.2",
                    width);
    if (c->text_time) {
        struct t *added = g_input(g, "added", 1, 1, c->class_embed_in, true);
        added = g_linear(g, g_act(g, g_linear(g, added, "label_emb.0.0", width), ACT_SILU),
                         "label_emb.0.2", width);
        time = g_add(g, time, added);
    }
    return g_act(g, time, ACT_SILU);
}

enum { MAX_SKIPS = 128 };

/* The half that goes down: pushes what the other half will be given again. */
static struct t *down(const struct unet *u, struct t *x, struct t **skips, int *count)
{
    const struct unet_config *c = u->c;
    struct g *g = u->g;
    int block = 0;

    x = g_conv(g, x, "input_blocks.0.0", c->channels[0], 3, 1, 1);
    skips[(*count)++] = x;
    for (int level = 0; level < c->levels; level++) {
        for (int i = 0; i < c->layers[level] && *count < MAX_SKIPS - 1; i++) {
            block++;
            x = resnet(u, x, g_name(g, "input_blocks.%d.0", block), c->channels[level]);
            if (c->attention_down[level])
                x = transformer(u, x, g_name(g, "input_blocks.%d.1", block), c->heads[level],
                                c->transformer_layers[level]);
            skips[(*count)++] = x;
        }
        if (level + 1 < c->levels) {
            block++;
            x = g_conv(g, x, g_name(g, "input_blocks.%d.0.op", block), c->channels[level], 3, 2, 1);
            skips[(*count)++] = x;
        }
    }
    return x;
}

static struct t *up(const struct unet *u, struct t *x, struct t **skips, int count)
{
    const struct unet_config *c = u->c;
    struct g *g = u->g;
    int block = 0;

    for (int level = c->levels - 1; level >= 0; level--)
        for (int i = 0; i <= c->layers[level] && count > 0; i++, block++) {
            x = g_concat(g, x, skips[--count]);
            x = resnet(u, x, g_name(g, "output_blocks.%d.0", block), c->channels[level]);
            if (c->attention_up[level])
                x = transformer(u, x, g_name(g, "output_blocks.%d.1", block), c->heads[level],
                                c->transformer_layers_up[level]);
            if (i == c->layers[level] && level > 0 && count > 0) {
                /* To the size of the next skip: twice, or one less where going down rounded up. */
                x = g_resize(g, x, skips[count - 1]->h, skips[count - 1]->w);
                x = g_conv(
                    g, x,
                    g_name(g, "output_blocks.%d.%d.conv", block, c->attention_up[level] ? 2 : 1),
                    c->channels[level], 3, 1, 1);
            }
        }
    return x;
}

void unet_build(struct g *g, const struct unet_config *c, int h, int w, int tokens)
{
    struct t *skips[MAX_SKIPS];
    int count = 0, deepest = c->levels - 1;
    struct t *x = g_input(g, "latents", h, w, c->in_channels, false);
    struct unet u = {.g = g, .c = c, .time = conditioning(g, c)};

    u.context = g_input(g, "context", tokens, 1, c->context, true);
    x = down(&u, x, skips, &count);
    x = resnet(&u, x, "middle_block.0", c->channels[deepest]);
    if (c->mid_attention) {
        x = transformer(&u, x, "middle_block.1", c->heads[deepest], c->transformer_layers_mid);
        x = resnet(&u, x, "middle_block.2", c->channels[deepest]);
    }
    x = up(&u, x, skips, count);
    x = g_act(g, g_group_norm(g, x, "out.0", c->groups, c->eps), ACT_SILU);
    g_output(g, "out", g_conv(g, x, "out.2", c->out_channels, 3, 1, 1));
}

/* In f32 as torch does it: the frequencies are rounded to f32 before they are multiplied by t. */
void time_embedding(float *out, double t, int dim, bool flip_sin_to_cos, double freq_shift)
{
    int half = dim / 2;

    for (int i = 0; i < half; i++) {
        float exponent = (float)-log(10000) * (float)i / (float)(half - freq_shift);
        float angle = (float)t * expf(exponent);
        out[flip_sin_to_cos ? half + i : i] = sinf(angle);
        out[flip_sin_to_cos ? i : half + i] = cosf(angle);
    }
    if (dim % 2)
        out[dim - 1] = 0;
}
