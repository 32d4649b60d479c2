#include "engine/networks/networks.h"

static const float EPS = 1e-6f;

static struct t *norm_silu(struct g *g, struct t *x, const char *name, const struct vae_config *c)
{
    return g_act(g, g_group_norm(g, x, name, c->groups, EPS), ACT_SILU);
}

static struct t *resnet(struct g *g, struct t *x, const char *name, int out,
                        const struct vae_config *c)
{
    struct t *skip = x->c == out ? x
                                 : g_conv(g, x, g_name(g, "%s.nin_shortcut", name), out, 1, 1, 0);
    struct t *h = norm_silu(g, x, g_name(g, "%s.norm1", name), c);

    h = g_conv(g, h, g_name(g, "%s.conv1", name), out, 3, 1, 1);
    h = norm_silu(g, h, g_name(g, "%s.norm2", name), c);
    return g_add(g, skip, g_conv(g, h, g_name(g, "%s.conv2", name), out, 3, 1, 1));
}

/* One head over all pixels. */
static struct t *attention(struct g *g, struct t *x, const char *name, const struct vae_config *c)
{
    const char *projections[] = {g_name(g, "%s.q", name), g_name(g, "%s.k", name),
                                 g_name(g, "%s.v", name)};
    struct t *h = g_group_norm(g, x, g_name(g, "%s.norm", name), c->groups, EPS);
    struct t *qkv = g_linears(g, h, projections, 3, x->c);

    h = g_attention(g, g_columns(g, qkv, 0, x->c), g_columns(g, qkv, x->c, x->c),
                    g_columns(g, qkv, 2 * x->c, x->c), 1, false);
    return g_add(g, x, g_linear(g, h, g_name(g, "%s.proj_out", name), x->c));
}

static struct t *middle(struct g *g, struct t *x, const char *name, const struct vae_config *c)
{
    x = resnet(g, x, g_name(g, "%s.block_1", name), x->c, c);
    if (c->mid_attention)
        x = attention(g, x, g_name(g, "%s.attn_1", name), c);
    return resnet(g, x, g_name(g, "%s.block_2", name), x->c, c);
}

void vae_decoder_build(struct g *g, const struct vae_config *c, int h, int w)
{
    struct t *x = g_input(g, "latents", h, w, c->latent_channels, false);

    if (c->post_quant_conv)
        x = g_conv(g, x, "post_quant_conv", c->latent_channels, 1, 1, 0);
    x = g_conv(g, x, "decoder.conv_in", c->channels[c->levels - 1], 3, 1, 1);
    x = middle(g, x, "decoder.mid", c);
    for (int level = c->levels - 1; level >= 0; level--) {
        for (int i = 0; i <= c->layers; i++)
            x = resnet(g, x, g_name(g, "decoder.up.%d.block.%d", level, i), c->channels[level], c);
        if (level > 0) {
            x = g_resize(g, x, 2 * x->h, 2 * x->w);
            x = g_conv(g, x, g_name(g, "decoder.up.%d.upsample.conv", level), x->c, 3, 1, 1);
        }
    }
    x = norm_silu(g, x, "decoder.norm_out", c);
    g_output(g, "image", g_conv(g, x, "decoder.conv_out", c->out_channels, 3, 1, 1));
}

void vae_encoder_build(struct g *g, const struct vae_config *c, int h, int w)
{
    struct t *x = g_conv(g, g_input(g, "image", h, w, c->in_channels, false), "encoder.conv_in",
                         c->channels[0], 3, 1, 1);

    for (int level = 0; level < c->levels; level++) {
        for (int i = 0; i < c->layers; i++)
            x = resnet(g, x, g_name(g, "encoder.down.%d.block.%d", level, i), c->channels[level],
                       c);
        if (level + 1 < c->levels)
            x = g_conv_down(g, x, g_name(g, "encoder.down.%d.downsample.conv", level), x->c);
    }
    x = norm_silu(g, middle(g, x, "encoder.mid", c), "encoder.norm_out", c);
    x = g_conv(g, x, "encoder.conv_out", 2 * c->latent_channels, 3, 1, 1);
    if (c->quant_conv)
        x = g_conv(g, x, "quant_conv", 2 * c->latent_channels, 1, 1, 0);
    g_output(g, "moments", x);
}
