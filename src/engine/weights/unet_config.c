#include "engine/weights/configs.h"

#include "base/file.h"

#include <string.h>

/* UNet2DConditionModel.__init__ (models/unets/unet_2d_condition.py): one value each. */
static const struct config_fixed fixed[] = {
    {"act_fn", "[\"silu\", \"swish\"]"},
    {"attention_type", "[\"default\"]"},
    {"center_input_sample", "[false]"},
    {"class_embed_type", "[null]"},
    {"class_embeddings_concat", "[false]"},
    {"conv_in_kernel", "[3]"},
    {"conv_out_kernel", "[3]"},
    {"cross_attention_norm", "[null]"},
    {"downsample_padding", "[1]"},
    {"dual_cross_attention", "[false]"},
    {"encoder_hid_dim", "[null]"},
    {"encoder_hid_dim_type", "[null]"},
    {"mid_block_only_cross_attention", "[null, false]"},
    {"mid_block_scale_factor", "[1]"},
    {"num_attention_heads", "[null]"}, /* diffusers refuses it, too: issue 2011 */
    {"num_class_embeds", "[null]"},
    {"only_cross_attention", "[false]"},
    {"resnet_out_scale_factor", "[1]"},
    {"resnet_skip_time_act", "[false]"},
    {"resnet_time_scale_shift", "[\"default\"]"},
    {"time_embedding_act_fn", "[null]"},
    {"time_embedding_type", "[\"positional\"]"},
    {"timestep_post_act", "[null]"},
};

static const char *const harmless[] = {
    "dropout",                       /* training only */
    "upcast_attention",              /* attention is computed in f32 anyway */
    "addition_embed_type_num_heads", /* used by addition_embed_type "text" alone */
    NULL,
};

/* Block types: whether level i has attention; anything but the two kinds is refused. */
static void block_types(struct config *c, const char *key, const char *with, const char *without,
                        bool first_is_attention, int levels, bool *out)
{
    json_t *list = config_take(c, key);

    for (int i = 0; i < levels; i++) {
        if (!list) {
            out[i] = first_is_attention ? i < levels - 1 : i > 0;
            continue;
        }
        const char *type = json_string_value(json_array_get(list, (size_t)i));
        if (type && strncmp(type, "UNetRes", 7) == 0)
            type += 7; /* the same blocks under the name of old configs */
        if (type && (strcmp(type, with) == 0 || strcmp(type, without) == 0))
            out[i] = strcmp(type, with) == 0;
        else
            config_fail(c, ERR_UNSUPPORTED, "'%s' has the block type '%.100s', not %s or %s", key,
                        type ? type : "?", with, without);
    }
}

/* The number of levels and their widths. */
static void widths(struct config *c, struct unet_config *u)
{
    static const int standard[] = {320, 640, 1280, 1280};
    static const char *const lists[] = {"block_out_channels", "down_block_types", "up_block_types"};

    u->levels = 4;
    for (int i = 0; i < 3; i++) {
        int n = config_length(c, lists[i]);
        bool absent = !json_object_get(c->root, lists[i]);
        if (absent)
            n = 4;
        if (n < 1 || n > MAX_LEVELS)
            config_fail(c, ERR_UNSUPPORTED, "'%s' must list 1 to %d levels", lists[i], MAX_LEVELS);
        else if (i > 0 && n != u->levels)
            config_fail(c, ERR_FORMAT, "'%s' has %d entries for %d levels", lists[i], n, u->levels);
        else
            u->levels = n;
    }
    if (c->rc)
        u->levels = 1;
    if (json_object_get(c->root, "block_out_channels"))
        config_ints(c, "block_out_channels", 1, 1, MAX_WIDTH, u->levels, u->channels);
    else
        memcpy(u->channels, standard, sizeof standard);
}

static void context(struct config *c, struct unet_config *u)
{
    int width[MAX_LEVELS];

    config_ints(c, "cross_attention_dim", 1280, 1, MAX_WIDTH, u->levels, width);
    for (int i = 1; i < u->levels; i++)
        if (width[i] != width[0])
            config_fail(c, ERR_UNSUPPORTED, "'cross_attention_dim' differs between levels");
    u->context = width[0];
}

/* Depths of the transformers: down, middle (the last level's), up. */
static void depths(struct config *c, struct unet_config *u)
{
    static const char down[] = "transformer_layers_per_block",
                      up[] = "reverse_transformer_layers_per_block";
    int reversed[MAX_LEVELS];
    bool own_up = !config_is_null(c, up);

    config_ints(c, down, 1, 1, MAX_LAYERS, u->levels, u->transformer_layers);
    u->transformer_layers_mid = u->transformer_layers[u->levels - 1];
    memcpy(u->transformer_layers_up, u->transformer_layers, sizeof u->transformer_layers_up);
    if (own_up) {
        config_ints(c, up, 1, 1, MAX_LAYERS, u->levels, reversed);
        for (int i = 0; i < u->levels; i++)
            u->transformer_layers_up[u->levels - 1 - i] = reversed[i];
    }
}

/* UNetMidBlock2D is one residual block without attention; null would leave the middle out. */
static bool middle(struct config *c, struct arena *a)
{
    bool absent = !json_object_get(c->root, "mid_block_type");
    const char *type = config_text(c, a, "mid_block_type");

    if (absent || (type && strcmp(type, "UNetMidBlock2DCrossAttn") == 0))
        return true;
    if (!type || strcmp(type, "UNetMidBlock2D") != 0)
        config_fail(c, ERR_UNSUPPORTED, "'mid_block_type' is %.100s, which this engine does not do",
                    type ? type : "null");
    return false;
}

static void sample_size(struct config *c, struct unet_config *u)
{
    const json_t *value = config_take(c, "sample_size");
    const json_t *side[2] = {value, value};

    u->sample_size = u->sample_width = 0;
    if (!value || json_is_null(value))
        return;
    if (json_is_array(value) && json_array_size(value) == 2)
        for (int i = 0; i < 2; i++)
            side[i] = json_array_get(value, (size_t)i);
    for (int i = 0; i < 2; i++)
        if (!json_is_integer(side[i]) || json_integer_value(side[i]) < 1 ||
            json_integer_value(side[i]) > MAX_WIDTH) {
            config_fail(c, ERR_FORMAT, "'sample_size' must be one or two numbers of 1 to %d",
                        MAX_WIDTH);
            return;
        }
    u->sample_size = (int)json_integer_value(side[0]);
    u->sample_width = (int)json_integer_value(side[1]);
}

/* diffusers' SD 1 pipelines take the size 64 for smaller ones that were written before 0.9, when
 * the class's default of 32 went into published configs. */
static void correct_old_size(struct config *c, struct arena *a, struct unet_config *u)
{
    const char *version = config_text(c, a, "_diffusers_version");

    if (version && strncmp(version, "0.", 2) == 0 && version[2] >= '0' && version[2] <= '8' &&
        version[3] == '.' && !u->text_time && u->sample_size && u->sample_size == u->sample_width &&
        u->sample_size < 64)
        u->sample_size = u->sample_width = 64;
}

/* SDXL's added conditioning: sizes and crop as sinusoids beside the pooled text. */
static void added(struct config *c, struct arena *a, struct unet_config *u)
{
    const char *type = config_text(c, a, "addition_embed_type");

    u->text_time = type && strcmp(type, "text_time") == 0;
    if (type && !u->text_time)
        config_fail(c, ERR_UNSUPPORTED,
                    "'addition_embed_type' is '%.100s', which this engine does not do", type);
    if (u->text_time) {
        u->addition_time_dim = config_int(c, "addition_time_embed_dim", 0, 2, MAX_WIDTH);
        u->class_embed_in =
            config_int(c, "projection_class_embeddings_input_dim", 0, 1, 4 * MAX_WIDTH);
        if (!u->addition_time_dim || !u->class_embed_in)
            config_fail(c, ERR_FORMAT,
                        "'addition_embed_type' text_time needs addition_time_embed_dim and "
                        "projection_class_embeddings_input_dim");
    } else {
        /* Without effect: nothing reads them. */
        config_take(c, "addition_time_embed_dim");
        config_take(c, "projection_class_embeddings_input_dim");
    }
}

int unet_config_check(const struct unet_config *u, const char *path, struct err *e)
{
    for (int i = 0; i < u->levels; i++) {
        bool attention = u->attention_down[i] || u->attention_up[i] ||
                         (i == u->levels - 1 && u->mid_attention);
        if (u->channels[i] % u->groups)
            return ERR(e, ERR_FORMAT, "'%s': %d channels do not divide into %d groups", path,
                       u->channels[i], u->groups);
        if (attention && u->channels[i] % u->heads[i])
            return ERR(e, ERR_FORMAT, "'%s': %d channels do not divide into %d heads", path,
                       u->channels[i], u->heads[i]);
    }
    if (!(u->eps > 0 && u->eps < 1))
        return ERR(e, ERR_FORMAT, "'%s': 'norm_eps' must lie between 0 and 1", path);
    if (u->channels[0] % 2 || (u->text_time && u->addition_time_dim % 2))
        return ERR(e, ERR_UNSUPPORTED, "'%s': an odd width of the time embedding", path);
    return 0;
}

int unet_config_parse(struct arena *a, struct str json, const char *path, struct unet_config *out,
                      struct err *e)
{
    struct config c;
    struct unet_config u = {0};
    bool reversed[MAX_LEVELS] = {0};
    int rc = config_parse(json, path, &c, e);

    if (rc)
        return rc;
    const char *class = config_text(&c, a, "_class_name");
    if (class && strcmp(class, "UNet2DConditionModel") != 0)
        config_fail(&c, ERR_UNSUPPORTED, "the class is %.100s, not UNet2DConditionModel", class);

    u.in_channels = config_int(&c, "in_channels", 4, 1, 64);
    u.out_channels = config_int(&c, "out_channels", 4, 1, 64);
    widths(&c, &u);
    sample_size(&c, &u);
    block_types(&c, "down_block_types", "CrossAttnDownBlock2D", "DownBlock2D", true, u.levels,
                u.attention_down);
    block_types(&c, "up_block_types", "CrossAttnUpBlock2D", "UpBlock2D", false, u.levels, reversed);
    for (int i = 0; i < u.levels; i++)
        u.attention_up[i] = !c.rc && reversed[u.levels - 1 - i];
    config_ints(&c, "layers_per_block", 2, 1, MAX_LAYERS, u.levels, u.layers);
    /* Misnamed: diffusers takes attention_head_dim as the number of heads (its issue 2011). */
    config_ints(&c, "attention_head_dim", 8, 1, MAX_HEADS, u.levels, u.heads);
    context(&c, &u);
    depths(&c, &u);
    u.mid_attention = middle(&c, a);
    u.linear_projection = config_bool(&c, "use_linear_projection", false);
    u.groups = config_int(&c, "norm_num_groups", 32, 1, MAX_WIDTH);
    u.eps = (float)config_real(&c, "norm_eps", 1e-5);
    u.flip_sin_to_cos = config_bool(&c, "flip_sin_to_cos", true);
    u.freq_shift = (float)config_real(&c, "freq_shift", 0);
    added(&c, a, &u);
    correct_old_size(&c, a, &u);
    if (!config_is_null(&c, "time_cond_proj_dim"))
        u.time_cond_dim = config_int(&c, "time_cond_proj_dim", 0, 1, MAX_WIDTH);
    if (!config_is_null(&c, "time_embedding_dim") &&
        config_int(&c, "time_embedding_dim", 0, 1, 4 * MAX_WIDTH) != 4 * u.channels[0])
        config_fail(&c, ERR_UNSUPPORTED, "'time_embedding_dim' is not 4 times the first width");
    config_fixed(&c, fixed, ARRAY_COUNT(fixed));
    rc = config_close(&c, harmless);
    if (rc == 0)
        rc = unet_config_check(&u, path, e);
    if (rc == 0)
        *out = u;
    return rc;
}

int unet_config_read(struct arena *a, const char *path, struct unet_config *out, struct err *e)
{
    struct str text;
    int rc = file_read(a, path, CONFIG_MAX_BYTES, &text, e);

    return rc ? rc : unet_config_parse(a, text, path, out, e);
}
