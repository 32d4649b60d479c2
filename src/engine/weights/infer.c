#include "engine/weights/infer.h"

#include "engine/weights/configs.h"

#include <stdarg.h>
#include <stdio.h>

enum { GROUPS = 32, HEAD_WIDTH = 64, HEADS_SD1 = 8 };

static const struct tensor *get(const struct weights *w, const char *format, va_list args)
    PRINTF_LIKE(2, 0);
static const struct tensor *get(const struct weights *w, const char *format, va_list args)
{
    char name[256];

    vsnprintf(name, sizeof name, format, args);
    return weights_get(w, name);
}

static bool has(const struct weights *w, const char *format, ...) PRINTF_LIKE(2, 3);
static bool has(const struct weights *w, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    bool found = get(w, format, args) != NULL;
    va_end(args);
    return found;
}

/* shape[dim] of a tensor; 0 when there is no such tensor or dimension, or it is absurd. */
static int extent(const struct weights *w, int dim, const char *format, ...) PRINTF_LIKE(3, 4);
static int extent(const struct weights *w, int dim, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const struct tensor *t = get(w, format, args);
    va_end(args);
    return t && dim < t->dims && t->shape[dim] <= MAX_VOCAB ? (int)t->shape[dim] : 0;
}

static int missing(const char *path, const char *name, struct err *e)
{
    return ERR(e, ERR_FORMAT, "'%s': tensor '%s' is missing or has no usable shape", path, name);
}

/* How many blocks a transformer has; 0: there is no transformer. */
static int depth(const struct weights *w, const char *transformer)
{
    int n = 0;

    while (n < MAX_LAYERS && has(w, "%s.transformer_blocks.%d.attn2.to_k.weight", transformer, n))
        n++;
    return n;
}

static int block_depth(const struct weights *w, const char *kind, int block)
{
    char transformer[64];

    snprintf(transformer, sizeof transformer, "%s.%d.1", kind, block);
    return depth(w, transformer);
}

static int uneven(const char *path, int level, struct err *e)
{
    return ERR(e, ERR_UNSUPPORTED,
               "'%s': the blocks of level %d of the unet differ in width or depth", path, level);
}

/* input_blocks: residual blocks of one level until a convolution halves the size. */
static int walk_down(const struct weights *w, const char *path, struct unet_config *u,
                     struct err *e)
{
    int level = 0;

    for (int block = 1; block < MAX_LEVELS * (MAX_LAYERS + 1); block++) {
        if (has(w, "input_blocks.%d.0.op.weight", block)) {
            if (++level == MAX_LEVELS)
                return ERR(e, ERR_UNSUPPORTED, "'%s': a unet of more than %d levels", path,
                           MAX_LEVELS);
            continue;
        }
        int width = extent(w, 0, "input_blocks.%d.0.out_layers.3.weight", block);
        if (!width)
            break;
        int deep = block_depth(w, "input_blocks", block);
        if (u->layers[level] == 0) {
            u->channels[level] = width;
            u->attention_down[level] = deep > 0;
            u->transformer_layers[level] = deep ? deep : 1;
        } else if (u->channels[level] != width || u->attention_down[level] != (deep > 0) ||
                   (deep && u->transformer_layers[level] != deep)) {
            return uneven(path, level, e);
        }
        if (++u->layers[level] > MAX_LAYERS)
            return ERR(e, ERR_UNSUPPORTED, "'%s': level %d of the unet has more than %d blocks",
                       path, level, MAX_LAYERS);
    }
    u->levels = level + 1;
    for (int i = 0; i < u->levels; i++)
        if (!u->layers[i])
            return missing(path, "model.diffusion_model.input_blocks.1.0.out_layers.3.weight", e);
    return 0;
}

static int walk_up(const struct weights *w, const char *path, struct unet_config *u, struct err *e)
{
    int block = 0;

    for (int level = u->levels - 1; level >= 0; level--)
        for (int i = 0; i <= u->layers[level]; i++, block++) {
            int width = extent(w, 0, "output_blocks.%d.0.out_layers.3.weight", block);
            int deep = block_depth(w, "output_blocks", block);
            if (i == 0) {
                u->attention_up[level] = deep > 0;
                u->transformer_layers_up[level] = deep ? deep : 1;
            } else if (u->attention_up[level] != (deep > 0) ||
                       (deep && u->transformer_layers_up[level] != deep)) {
                return uneven(path, level, e);
            }
            if (width != u->channels[level])
                return uneven(path, level, e);
        }
    return 0;
}

/* Where any transformer of the network is: "middle_block.1" or "input_blocks.N.1". */
static void transformer_of(const struct unet_config *u, char *name, size_t room)
{
    snprintf(name, room, "middle_block.1");
    for (int level = 0, block = 1; level < u->levels && !u->mid_attention; level++) {
        if (u->attention_down[level]) {
            snprintf(name, room, "input_blocks.%d.1", block);
            return;
        }
        block += u->layers[level] + 1;
    }
}

int infer_unet(const struct weights *w, const char *path, struct unet_config *out, struct err *e)
{
    char transformer[64];
    struct unet_config u = {
        .groups = GROUPS, .eps = 1e-5f, .flip_sin_to_cos = true, .freq_shift = 0};
    int rc = walk_down(w, path, &u, e);

    if (rc == 0)
        rc = walk_up(w, path, &u, e);
    if (rc)
        return rc;
    u.in_channels = extent(w, 1, "input_blocks.0.0.weight");
    u.out_channels = extent(w, 0, "out.2.weight");
    if (!u.in_channels || !u.out_channels)
        return missing(path, "model.diffusion_model.input_blocks.0.0.weight", e);
    u.transformer_layers_mid = depth(w, "middle_block.1");
    u.mid_attention = u.transformer_layers_mid > 0;

    transformer_of(&u, transformer, sizeof transformer);
    u.context = extent(w, 1, "%s.transformer_blocks.0.attn2.to_k.weight", transformer);
    if (!u.context)
        return ERR(e, ERR_UNSUPPORTED, "'%s': a unet without cross-attention", path);
    u.linear_projection = extent(w, 3, "%s.proj_in.weight", transformer) == 0;
    u.class_embed_in = extent(w, 1, "label_emb.0.0.weight");
    u.text_time = u.class_embed_in > 0;
    u.time_cond_dim = extent(w, 1, "time_embed.cond_proj.weight");
    for (int i = 0; i < u.levels; i++) {
        u.heads[i] = u.linear_projection ? u.channels[i] / HEAD_WIDTH : HEADS_SD1;
        if (u.channels[i] % GROUPS || !u.heads[i] || u.channels[i] % u.heads[i])
            return ERR(e, ERR_UNSUPPORTED,
                       "'%s': a unet of %d channels has other head counts than the published "
                       "models: put its configs beside it, in a folder '%s.config'",
                       path, u.channels[i], path);
    }
    *out = u;
    return 0;
}

int infer_vae(const struct weights *w, const char *path, double scaling, struct vae_config *out,
              struct err *e)
{
    struct vae_config v = {.groups = GROUPS, .scaling = (float)scaling};

    while (v.levels < MAX_LEVELS) {
        int width = extent(w, 0, "decoder.up.%d.block.0.conv2.weight", v.levels);
        if (!width)
            break;
        v.channels[v.levels++] = width;
    }
    if (!v.levels)
        return missing(path, "first_stage_model.decoder.up.0.block.0.conv2.weight", e);
    while (v.layers < MAX_LAYERS && has(w, "decoder.up.0.block.%d.conv2.weight", v.layers + 1))
        v.layers++;
    v.in_channels = v.out_channels = extent(w, 0, "decoder.conv_out.weight");
    v.latent_channels = extent(w, 1, "decoder.conv_in.weight");
    if (!v.out_channels || !v.latent_channels)
        return missing(path, "first_stage_model.decoder.conv_in.weight", e);
    v.mid_attention = has(w, "decoder.mid.attn_1.q.weight");
    v.quant_conv = has(w, "quant_conv.weight");
    v.post_quant_conv = has(w, "post_quant_conv.weight");
    for (int i = 0; i < v.levels; i++)
        if (v.channels[i] % GROUPS)
            return ERR(e, ERR_UNSUPPORTED,
                       "'%s': a vae of %d channels has other groups than the published models: "
                       "put its configs beside it, in a folder '%s.config'",
                       path, v.channels[i], path);
    *out = v;
    return vae_config_check(&v, path, e);
}

int infer_clip(const struct weights *w, const char *path, bool open_clip, struct clip_config *out,
               struct err *e)
{
    struct clip_config t = {.quick_gelu = !open_clip, .eps = 1e-5f, .eos = 2};

    t.vocab = extent(w, 0, "text_model.embeddings.token_embedding.weight");
    t.width = extent(w, 1, "text_model.embeddings.token_embedding.weight");
    t.positions = extent(w, 0, "text_model.embeddings.position_embedding.weight");
    t.ffn = extent(w, 0, "text_model.encoder.layers.0.mlp.fc1.weight");
    while (t.layers < MAX_LAYERS && has(w, "text_model.encoder.layers.%d.mlp.fc1.weight", t.layers))
        t.layers++;
    if (t.vocab < 2 || !t.width || t.positions < 2 || t.positions > 4096 || !t.ffn)
        return missing(path, "text_model.embeddings.token_embedding.weight", e);
    t.heads = t.width / HEAD_WIDTH;
    if (!t.heads || t.width % HEAD_WIDTH)
        return ERR(e, ERR_UNSUPPORTED,
                   "'%s': a text encoder of width %d has other head counts than the published "
                   "models: put its configs beside it, in a folder '%s.config'",
                   path, t.width, path);
    if (open_clip)
        t.projection = extent(w, 0, "text_projection.weight");
    *out = t;
    return 0;
}
