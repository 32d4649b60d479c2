/* Single checkpoint files: all networks in one .safetensors, told apart by prefixes. */
#include "engine/weights/files.h"

#include "engine/weights/config_json.h"
#include "engine/weights/configs.h"
#include "engine/weights/infer.h"
#include "engine/weights/keymap.h"

#include <stdio.h>
#include <string.h>

enum place { UNET, VAE, VAE_NEWER, CLIP, OPEN_CLIP, XL_CLIP, XL_OPEN_CLIP, PLACES };
static const char *const prefixes[PLACES] = {
    [UNET] = "model.diffusion_model.",
    [VAE] = "first_stage_model.",
    [VAE_NEWER] = "vae.",
    [CLIP] = "cond_stage_model.transformer.",
    [OPEN_CLIP] = "cond_stage_model.model.",
    [XL_CLIP] = "conditioner.embedders.0.transformer.",
    [XL_OPEN_CLIP] = "conditioner.embedders.1.model.",
};

/* Names that only other kinds of files have. */
static const struct {
    const char *prefix, *what;
} foreign[] = {
    {"control_model.", "a ControlNet"},
    {"lora_unet_", "a LoRA: give it with --lora"},
    {"lora_te_", "a LoRA: give it with --lora"},
    {"unet.down_blocks.", "a LoRA: give it with --lora"},
    {"conditioner.embedders.0.model.", "an SDXL refiner, which this engine does not do"},
    {"model.diffusion_model.joint_blocks.", "a Stable Diffusion 3, which this engine does not do"},
    {"model.diffusion_model.double_blocks.", "a Flux, which this engine does not do"},
    {"double_blocks.", "a Flux, which this engine does not do"},
    {"edm_mean", "a Playground 2.5, which this engine does not do"},
    {"down_blocks.", "one part of a Diffusers folder: give the folder"},
    {"encoder.down_blocks.", "one part of a Diffusers folder: give the folder"},
    {"text_model.", "one part of a Diffusers folder: give the folder"},
};

struct checkpoint {
    struct model *m;
    struct safetensors file;
    int count[PLACES]; /* tensors with the prefix */
    bool projected;    /* SD 2: the whole OpenCLIP model, its last layer included */
};

static int count_places(struct checkpoint *c, struct err *e)
{
    for (int i = 0; i < c->file.count; i++) {
        struct str name = c->file.tensors[i].name;
        for (int p = 0; p < PLACES; p++)
            c->count[p] += str_starts(name, prefixes[p]);
        if (str_is(name, "cond_stage_model.model.text_projection"))
            c->projected = true;
    }
    for (int i = 0; i < c->file.count; i++)
        for (int f = 0; f < ARRAY_COUNT(foreign); f++)
            if (str_starts(c->file.tensors[i].name, foreign[f].prefix))
                return ERR(e, ERR_UNSUPPORTED, "'%s' is %s", c->m->path, foreign[f].what);
    if (!c->count[UNET])
        return ERR(e, ERR_UNSUPPORTED,
                   "'%s' is not a Stable Diffusion checkpoint: it has no tensors named "
                   "model.diffusion_model.*",
                   c->m->path);
    if (!c->count[VAE] && !c->count[VAE_NEWER])
        return ERR(e, ERR_UNSUPPORTED,
                   "'%s' has no VAE (tensors named first_stage_model.* or vae.*)", c->m->path);
    return 0;
}

static int pick_architecture(struct checkpoint *c, struct err *e)
{
    struct model *m = c->m;

    if (c->count[XL_CLIP] && c->count[XL_OPEN_CLIP])
        m->architecture = ARCH_SDXL;
    else if (c->count[OPEN_CLIP])
        m->architecture = ARCH_SD2;
    else if (c->count[CLIP])
        m->architecture = ARCH_SD1;
    else
        return ERR(e, ERR_UNSUPPORTED,
                   "'%s' has no text encoder (tensors named cond_stage_model.* or conditioner.*)",
                   m->path);
    m->encoders = m->architecture == ARCH_SDXL ? 2 : 1;
    m->pad_with_zero[0] = m->architecture == ARCH_SD2;
    m->pad_with_zero[1] = true;
    return 0;
}

/* One tensor into the networks that own it. */
static int put(struct checkpoint *c, const struct tensor *t, struct err *e)
{
    struct model *m = c->m;
    struct arena *a = &m->arena;
    enum place vae = c->count[VAE_NEWER] ? VAE_NEWER : VAE; /* as diffusers' LDM_VAE_KEYS */

    for (enum place p = UNET; p < PLACES; p++) {
        struct tensor own = *t;
        if (!str_skip(&own.name, prefixes[p]))
            continue;
        if (p == UNET)
            weights_put(a, &m->unet_weights, own.name, &own);
        else if (p == vae)
            weights_put(a, &m->vae_weights, own.name, &own);
        else if (p == CLIP && m->architecture == ARCH_SD1)
            keymap_put_clip(a, &m->clip_weights[0], &own);
        else if (p == OPEN_CLIP && m->architecture == ARCH_SD2 &&
                 !str_is(own.name, "text_projection"))
            return keymap_put_open_clip(a, m->path, &m->clip_weights[0], &own, e);
        else if (p == XL_CLIP && m->architecture == ARCH_SDXL)
            keymap_put_clip(a, &m->clip_weights[0], &own);
        else if (p == XL_OPEN_CLIP && m->architecture == ARCH_SDXL)
            return keymap_put_open_clip(a, m->path, &m->clip_weights[1], &own, e);
        return 0;
    }
    return 0;
}

static bool has_tensor(const struct checkpoint *c, const char *name, const struct tensor **out)
{
    for (int i = 0; i < c->file.count; i++)
        if (str_is(c->file.tensors[i].name, name)) {
            *out = &c->file.tensors[i];
            return true;
        }
    return false;
}

/* What the network predicts. SD 2: diffusers' rule (v unless the training stopped at step 875,000,
 * as 2-base did); inpainting and the rest: epsilon. A tensor "v_pred" or the ModelSpec's own word
 * in the metadata are believed before that. */
static enum prediction_kind prediction(const struct checkpoint *c)
{
    const struct tensor *t;
    struct str told = safetensors_note(&c->file, "modelspec.prediction_type");

    if (str_is(told, "epsilon"))
        return PREDICT_EPSILON;
    if (str_is(told, "v") || has_tensor(c, "v_pred", &t))
        return PREDICT_V;
    if (c->m->architecture != ARCH_SD2 || c->m->unet.in_channels != c->m->vae.latent_channels)
        return PREDICT_EPSILON;
    if (has_tensor(c, "global_step", &t) && tensor_count(t) == 1 && tensor_at(t, 0) == 875000)
        return PREDICT_EPSILON;
    return PREDICT_V;
}

/* diffusers' SCHEDULER_DEFAULT_CONFIG with the class that the published folders of each
 * architecture name. */
static int set_scheduler(struct checkpoint *c, struct err *e)
{
    static const char *const classes[] = {
        [ARCH_SD1] = "PNDMScheduler",
        [ARCH_SD2] = "DDIMScheduler",
        [ARCH_SDXL] = "EulerDiscreteScheduler",
    };
    const struct tensor *t;
    const char *json = arena_printf(
        &c->m->arena,
        "{\"_class_name\": \"%s\", \"beta_start\": 0.00085, \"beta_end\": 0.012, "
        "\"beta_schedule\": \"scaled_linear\", \"num_train_timesteps\": 1000, "
        "\"set_alpha_to_one\": false, \"skip_prk_steps\": true, \"clip_sample\": false, "
        "\"steps_offset\": 1, \"timestep_spacing\": \"leading\", \"prediction_type\": \"%s\"%s}",
        classes[c->m->architecture], prediction(c) == PREDICT_V ? "v_prediction" : "epsilon",
        has_tensor(c, "ztsnr", &t) ? ", \"rescale_betas_zero_snr\": true" : "");

    return scheduler_config_parse(str_from(json), &c->m->scheduler, e);
}

/* SDXL's label embedding takes six sizes and the pooled text. */
static int split_added(struct model *m, struct err *e)
{
    int sizes = m->unet.class_embed_in - m->clip[1].projection;

    if (m->architecture != ARCH_SDXL && m->unet.text_time)
        return ERR(e, ERR_UNSUPPORTED, "'%s': class conditioning (unCLIP) is not done here",
                   m->path);
    if (m->architecture != ARCH_SDXL)
        return 0;
    if (!m->unet.text_time || sizes <= 0 || sizes % 12)
        return ERR(e, ERR_FORMAT, "'%s': label_emb does not fit the second text encoder", m->path);
    m->unet.addition_time_dim = sizes / 6;
    return 0;
}

static int infer(struct checkpoint *c, struct err *e)
{
    struct model *m = c->m;
    bool xl = m->architecture == ARCH_SDXL;
    int rc = infer_unet(&m->unet_weights, m->path, &m->unet, e);

    if (rc == 0)
        rc = infer_vae(&m->vae_weights, m->path, xl ? 0.13025 : 0.18215, &m->vae, e);
    for (int i = 0; i < m->encoders && rc == 0; i++)
        rc = infer_clip(&m->clip_weights[i], m->path, m->architecture == ARCH_SD2 || i == 1,
                        &m->clip[i], e);
    if (rc == 0)
        rc = split_added(m, e);
    if (rc == 0)
        rc = set_scheduler(c, e);
    if (rc)
        return rc;
    /* Stable Diffusion 2 takes the layer before the last; its text encoder's folder leaves the
     * last one out. */
    if (m->architecture == ARCH_SD2 && (c->projected || m->clip[0].layers == 24))
        m->clip[0].layers--;
    bool large = m->architecture == ARCH_SD2 && m->scheduler.prediction == PREDICT_V;
    m->unet.sample_size = m->unet.sample_width = xl ? 128 : large ? 96 : 64;
    m->force_zeros_for_empty_prompt = xl;
    m->corrects_scheduler = !xl;
    return unet_config_check(&m->unet, m->path, e);
}

/* Configs of a Diffusers folder beside the file, where shapes do not tell enough: FILE.config,
 * the file's name with .config for .safetensors, or the plain name without its ending. */
static const char *config_folder(struct model *m)
{
    struct str stem = str_from(m->path);

    if (str_ends(stem, ".safetensors"))
        stem.n -= strlen(".safetensors");
    const char *const candidates[] = {
        arena_printf(&m->arena, "%s.config", m->path),
        arena_printf(&m->arena, "%.*s.config", (int)stem.n, stem.p),
        arena_printf(&m->arena, "%.*s", (int)stem.n, stem.p),
    };
    for (int i = 0; i < ARRAY_COUNT(candidates); i++)
        if (file_exists(arena_printf(&m->arena, "%s/model_index.json", candidates[i])))
            return candidates[i];
    return NULL;
}

int single_file_open(struct model *m, struct err *e)
{
    struct checkpoint c = {.m = m};
    int rc = files_load(m, m->path, &c.file, e);

    if (rc == 0)
        rc = count_places(&c, e);
    if (rc == 0)
        rc = pick_architecture(&c, e);
    for (int i = 0; rc == 0 && i < c.file.count; i++)
        rc = put(&c, &c.file.tensors[i], e);
    if (rc)
        return rc;
    const char *configs = config_folder(m);
    return configs ? folder_configs(m, configs, e) : infer(&c, e);
}
