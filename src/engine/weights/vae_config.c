#include "engine/weights/configs.h"

#include "base/file.h"

#include <math.h>
#include <string.h>

/* AutoencoderKL.__init__ (models/autoencoders/autoencoder_kl.py). shift_factor, latents_mean and
 * latents_std belong to pipelines of other architectures. */
static const struct config_fixed fixed[] = {
    {"act_fn", "[\"silu\", \"swish\"]"},
    {"down_block_types", "[\"DownEncoderBlock2D\"]"},
    {"up_block_types", "[\"UpDecoderBlock2D\"]"},
    {"shift_factor", "[null, 0]"},
    {"latents_mean", "[null, 0]"},
    {"latents_std", "[null, 1]"},
};

static const char *const harmless[] = {
    "force_upcast", /* about float16, in which the VAE never runs here */
    "sample_size",  /* where tiling starts, which is off */
    NULL,
};

int vae_config_check(const struct vae_config *v, const char *path, struct err *e)
{
    for (int i = 0; i < v->levels; i++)
        if (v->channels[i] % v->groups)
            return ERR(e, ERR_FORMAT, "'%s': %d channels do not divide into %d groups", path,
                       v->channels[i], v->groups);
    if (v->in_channels != 3 || v->out_channels != 3)
        return ERR(e, ERR_UNSUPPORTED, "'%s': pictures of %d and %d channels, not 3", path,
                   v->in_channels, v->out_channels);
    if (!(v->scaling > 0) || !isfinite(v->scaling))
        return ERR(e, ERR_FORMAT, "'%s': 'scaling_factor' must be positive", path);
    return 0;
}

int vae_config_parse(struct arena *a, struct str json, const char *path, struct vae_config *out,
                     struct err *e)
{
    struct config c;
    struct vae_config v = {0};
    int rc = config_parse(json, path, &c, e);

    if (rc)
        return rc;
    const char *class = config_text(&c, a, "_class_name");
    if (class && strcmp(class, "AutoencoderKL") != 0)
        config_fail(&c, ERR_UNSUPPORTED, "the class is %.100s, not AutoencoderKL", class);

    bool absent = !json_object_get(c.root, "block_out_channels");
    v.levels = absent ? 1 : config_length(&c, "block_out_channels");
    if (v.levels < 1 || v.levels > MAX_LEVELS) {
        config_fail(&c, ERR_UNSUPPORTED, "'block_out_channels' must list 1 to %d levels",
                    MAX_LEVELS);
        v.levels = 1;
    }
    static const char *const lists[] = {"down_block_types", "up_block_types"};
    for (int i = 0; i < 2; i++) {
        int n = json_object_get(c.root, lists[i]) ? config_length(&c, lists[i]) : 1;
        if (n != v.levels)
            config_fail(&c, ERR_FORMAT, "'%s' has %d entries for %d levels", lists[i], n, v.levels);
    }
    config_ints(&c, "block_out_channels", 64, 1, MAX_WIDTH, v.levels, v.channels);
    v.in_channels = config_int(&c, "in_channels", 3, 1, 64);
    v.out_channels = config_int(&c, "out_channels", 3, 1, 64);
    v.latent_channels = config_int(&c, "latent_channels", 4, 1, 64);
    v.layers = config_int(&c, "layers_per_block", 1, 1, MAX_LAYERS);
    v.groups = config_int(&c, "norm_num_groups", 32, 1, MAX_WIDTH);
    v.scaling = (float)config_real(&c, "scaling_factor", 0.18215);
    v.mid_attention = config_bool(&c, "mid_block_add_attention", true);
    v.quant_conv = config_bool(&c, "use_quant_conv", true);
    v.post_quant_conv = config_bool(&c, "use_post_quant_conv", true);
    config_fixed(&c, fixed, ARRAY_COUNT(fixed));
    rc = config_close(&c, harmless);
    if (rc == 0)
        rc = vae_config_check(&v, path, e);
    if (rc == 0)
        *out = v;
    return rc;
}

int vae_config_read(struct arena *a, const char *path, struct vae_config *out, struct err *e)
{
    struct str text;
    int rc = file_read(a, path, CONFIG_MAX_BYTES, &text, e);

    return rc ? rc : vae_config_parse(a, text, path, out, e);
}

/* AutoencoderTiny.__init__: previews know TAESD's own shape only. */
static const struct config_fixed tiny_fixed[] = {
    {"act_fn", "[\"relu\"]"},
    {"upsample_fn", "[\"nearest\"]"},
    {"in_channels", "[3]"},
    {"out_channels", "[3]"},
    {"latent_channels", "[4]"},
    {"decoder_block_out_channels", "[[64, 64, 64, 64]]"},
    {"num_decoder_blocks", "[[3, 3, 3, 1]]"},
    {"upsampling_scaling_factor", "[2]"},
    {"scaling_factor", "[1]"},
    {"shift_factor", "[0]"},
};
static const char *const tiny_harmless[] = {
    "encoder_block_out_channels", /* the decoder alone is used */
    "num_encoder_blocks",
    "latent_magnitude", /* the scaled range of saved latents, not of the decoder */
    "latent_shift",
    "force_upcast",
    "block_out_channels", /* derived by diffusers from the fields above */
    NULL,
};

int taesd_config_read(struct arena *a, const char *path, struct err *e)
{
    struct config c;
    int rc = config_open(a, path, &c, e);

    if (rc)
        return rc;
    const char *class = config_text(&c, a, "_class_name");
    if (class && strcmp(class, "AutoencoderTiny") != 0)
        config_fail(&c, ERR_UNSUPPORTED, "the class is %.100s, not AutoencoderTiny", class);
    config_fixed(&c, tiny_fixed, ARRAY_COUNT(tiny_fixed));
    return config_close(&c, tiny_harmless);
}
