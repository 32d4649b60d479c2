#include "engine/weights/keymap.h"

#include <stdlib.h>

struct rename {
    const char *from, *to;
};
struct rule {
    const char *from, *to;
    const struct rename *inside; /* what may follow the prefix; NULL: anything, kept as it is */
};
struct keymap {
    struct rule *rules;
    int count, room;
    struct arena *arena;
};

/* The inside of blocks: diffusers' names on the left, native ones on the right. */
static const struct rename unet_resnet[] = {
    {"norm1.", "in_layers.0."},
    {"conv1.", "in_layers.2."},
    {"time_emb_proj.", "emb_layers.1."},
    {"norm2.", "out_layers.0."},
    {"conv2.", "out_layers.3."},
    {"conv_shortcut.", "skip_connection."},
    {NULL, NULL},
};
static const struct rename vae_resnet[] = {
    {"norm1.", "norm1."},
    {"conv1.", "conv1."},
    {"norm2.", "norm2."},
    {"conv2.", "conv2."},
    {"conv_shortcut.", "nin_shortcut."},
    {NULL, NULL},
};
static const struct rename vae_attention[] = {
    {"group_norm.", "norm."},
    {"to_q.", "q."},
    {"to_k.", "k."},
    {"to_v.", "v."},
    {"to_out.0.", "proj_out."},
    /* folders saved before diffusers 0.18 */
    {"query.", "q."},
    {"key.", "k."},
    {"value.", "v."},
    {"proj_attn.", "proj_out."},
    {NULL, NULL},
};
static const struct rule unet_fixed[] = {
    {"conv_in.", "input_blocks.0.0.", NULL},
    {"time_embedding.linear_1.", "time_embed.0.", NULL},
    {"time_embedding.linear_2.", "time_embed.2.", NULL},
    {"time_embedding.cond_proj.", "time_embed.cond_proj.", NULL},
    {"add_embedding.linear_1.", "label_emb.0.0.", NULL},
    {"add_embedding.linear_2.", "label_emb.0.2.", NULL},
    {"mid_block.resnets.0.", "middle_block.0.", unet_resnet},
    {"mid_block.attentions.0.", "middle_block.1.", NULL},
    {"mid_block.resnets.1.", "middle_block.2.", unet_resnet},
    {"conv_norm_out.", "out.0.", NULL},
    {"conv_out.", "out.2.", NULL},
};
static const struct rule vae_fixed[] = {
    {"quant_conv.", "quant_conv.", NULL},
    {"post_quant_conv.", "post_quant_conv.", NULL},
    {"encoder.conv_in.", "encoder.conv_in.", NULL},
    {"encoder.mid_block.resnets.0.", "encoder.mid.block_1.", vae_resnet},
    {"encoder.mid_block.attentions.0.", "encoder.mid.attn_1.", vae_attention},
    {"encoder.mid_block.resnets.1.", "encoder.mid.block_2.", vae_resnet},
    {"encoder.conv_norm_out.", "encoder.norm_out.", NULL},
    {"encoder.conv_out.", "encoder.conv_out.", NULL},
    {"decoder.conv_in.", "decoder.conv_in.", NULL},
    {"decoder.mid_block.resnets.0.", "decoder.mid.block_1.", vae_resnet},
    {"decoder.mid_block.attentions.0.", "decoder.mid.attn_1.", vae_attention},
    {"decoder.mid_block.resnets.1.", "decoder.mid.block_2.", vae_resnet},
    {"decoder.conv_norm_out.", "decoder.norm_out.", NULL},
    {"decoder.conv_out.", "decoder.conv_out.", NULL},
};

static struct keymap *keymap_new(struct arena *a, const struct rule *fixed, size_t count, int more)
{
    struct keymap *k = ARENA_NEW(a, struct keymap);

    k->arena = a;
    k->room = (int)count + more;
    k->rules = arena_alloc(a, (size_t)k->room * sizeof *k->rules);
    for (size_t i = 0; i < count; i++)
        k->rules[k->count++] = fixed[i];
    return k;
}

static void add(struct keymap *k, const char *from, const char *to, const struct rename *inside)
{
    if (k->count == k->room)
        abort();
    k->rules[k->count++] = (struct rule){from, to, inside};
}

#define NAME(...) arena_printf(k->arena, __VA_ARGS__)

/* LDM numbers the blocks of all levels through: each residual block (with its attention) and each
 * change of size is one. */
struct keymap *keymap_unet(struct arena *a, const struct unet_config *u)
{
    int layers = 0, block = 1;
    for (int i = 0; i < u->levels; i++)
        layers += u->layers[i] + 1;
    struct keymap *k =
        keymap_new(a, unet_fixed, sizeof unet_fixed / sizeof *unet_fixed, 5 * layers);

    for (int level = 0; level < u->levels; level++) {
        for (int i = 0; i < u->layers[level]; i++, block++) {
            add(k, NAME("down_blocks.%d.resnets.%d.", level, i), NAME("input_blocks.%d.0.", block),
                unet_resnet);
            add(k, NAME("down_blocks.%d.attentions.%d.", level, i),
                NAME("input_blocks.%d.1.", block), NULL);
        }
        if (level < u->levels - 1)
            add(k, NAME("down_blocks.%d.downsamplers.0.conv.", level),
                NAME("input_blocks.%d.0.op.", block++), NULL);
    }
    block = 0;
    for (int up = 0; up < u->levels; up++) {
        int level = u->levels - 1 - up;
        for (int i = 0; i <= u->layers[level]; i++, block++) {
            add(k, NAME("up_blocks.%d.resnets.%d.", up, i), NAME("output_blocks.%d.0.", block),
                unet_resnet);
            add(k, NAME("up_blocks.%d.attentions.%d.", up, i), NAME("output_blocks.%d.1.", block),
                NULL);
        }
        if (level > 0)
            add(k, NAME("up_blocks.%d.upsamplers.0.conv.", up),
                NAME("output_blocks.%d.%d.conv.", block - 1, u->attention_up[level] ? 2 : 1), NULL);
    }
    return k;
}

struct keymap *keymap_vae(struct arena *a, const struct vae_config *v)
{
    struct keymap *k = keymap_new(a, vae_fixed, sizeof vae_fixed / sizeof *vae_fixed,
                                  2 * v->levels * (v->layers + 2));

    for (int level = 0; level < v->levels; level++) {
        int up = v->levels - 1 - level;
        for (int i = 0; i < v->layers; i++)
            add(k, NAME("encoder.down_blocks.%d.resnets.%d.", level, i),
                NAME("encoder.down.%d.block.%d.", level, i), vae_resnet);
        add(k, NAME("encoder.down_blocks.%d.downsamplers.0.conv.", level),
            NAME("encoder.down.%d.downsample.conv.", level), NULL);
        for (int i = 0; i <= v->layers; i++)
            add(k, NAME("decoder.up_blocks.%d.resnets.%d.", up, i),
                NAME("decoder.up.%d.block.%d.", level, i), vae_resnet);
        add(k, NAME("decoder.up_blocks.%d.upsamplers.0.conv.", up),
            NAME("decoder.up.%d.upsample.conv.", level), NULL);
    }
    return k;
}

bool keymap_name(const struct keymap *k, struct arena *a, struct str name, struct str *out)
{
    for (int i = 0; i < k->count; i++) {
        const struct rule *rule = &k->rules[i];
        const struct rename *inside = rule->inside;
        struct str rest = name;
        const char *middle = "";

        if (!str_skip(&rest, rule->from))
            continue;
        if (inside) {
            while (inside->from && !str_skip(&rest, inside->from))
                inside++;
            if (!inside->from)
                return false;
            middle = inside->to;
        }
        *out = str_from(arena_printf(a, "%s%s%.*s", rule->to, middle, (int)rest.n, rest.p));
        return true;
    }
    return false;
}
