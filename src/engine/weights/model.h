/*
 * model.h: a model on disk: its components, what its configs say, its tensors.
 *
 *   struct model *m;
 *   if (model_open("models/demo", NULL, &m, &e)) ...   a Diffusers folder or a .safetensors file
 *   const struct tensor *w = weights_get(&m->unet_weights, "input_blocks.0.0.weight");
 *   model_close(m);
 *
 * Everything in a file is checked before it is used; a bad file is an error that names file, tensor
 * and reason. Every config field that changes the result is honoured or refused by name.
 * Threads: read-only after opening. Ownership: the model owns its mappings, tensors and strings.
 */
#ifndef ENGINE_MODEL_H
#define ENGINE_MODEL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/reading.h"
#include "engine/sampling/sampler.h"
#include "engine/weights/weights.h"

enum architecture { ARCH_SD1, ARCH_SD2, ARCH_SDXL };
enum { MAX_LEVELS = 8 };

struct clip_config {
    int width, ffn, layers, heads, positions, vocab;
    int projection;  /* columns of text_projection; 0: the encoder has none */
    bool quick_gelu; /* else gelu (erf) */
    float eps;
    int eos; /* eos_token_id; 2: the pooled token is argmax(ids), as old configs mean it */
};

struct unet_config {
    int in_channels, out_channels;
    int sample_size, sample_width; /* height and width of native latents; 0: not said */
    int levels;
    int channels[MAX_LEVELS];
    bool attention_down[MAX_LEVELS],
        attention_up[MAX_LEVELS]; /* CrossAttn blocks; up in the order of the levels (0 = finest) */
    int layers[MAX_LEVELS];       /* resnets per down block; up blocks have one more */
    int transformer_layers[MAX_LEVELS],
        transformer_layers_mid; /* depth of the transformers per level */
    int transformer_layers_up[MAX_LEVELS];
    int heads[MAX_LEVELS]; /* NUMBER of heads per level (diffusers' misnamed attention_head_dim) */
    bool mid_attention;    /* else the middle is one residual block (UNetMidBlock2D) */
    int context;           /* cross_attention_dim */
    bool linear_projection;
    int groups;
    float eps;
    bool flip_sin_to_cos;
    float freq_shift;
    bool text_time;                        /* SDXL's added conditioning */
    int addition_time_dim, class_embed_in; /* 256, 2816 */
    int time_cond_dim; /* LCM's guidance embedding (time_cond_proj_dim); 0: none */
};

struct vae_config {
    int in_channels, out_channels, latent_channels;
    int levels;
    int channels[MAX_LEVELS];
    int layers; /* per level of the encoder; the decoder has one more */
    int groups;
    float scaling, shift;
    bool mid_attention;
    bool quant_conv, post_quant_conv;
};

struct model {
    struct arena arena;
    const char *name; /* as asked for */
    const char *path;
    enum architecture architecture;
    bool single_file;

    int encoders; /* 1, or 2 for SDXL */
    struct clip_config clip[2];
    struct weights clip_weights[2];
    struct str vocab[2], merges[2], tokenizer_config[2],
        special_tokens[2]; /* contents; empty: the standard vocabulary */
    bool pad_with_zero[2]; /* for the standard vocabulary */

    struct unet_config unet;
    struct weights unet_weights;
    struct vae_config vae;
    struct weights vae_weights;
    bool taesd; /* a taesd decoder was found beside the model */
    struct weights taesd_weights;

    struct scheduler_config scheduler; /* see model_scheduler */
    bool corrects_scheduler;           /* as its diffusers pipeline does */
    bool force_zeros_for_empty_prompt;
    bool inpainting;           /* 9 input channels */
    struct model_files *files; /* mappings; private to weights/ */
};

/* `variant`: "fp16" prefers *.fp16.safetensors, NULL takes the plain files and falls back to a
 * single variant when there are only such. */
WARN_UNUSED_RESULT int model_open(const char *path, const char *variant, struct model **out,
                                  struct err *e);
void model_close(struct model *m);

/* The scheduler config as a sampler of this kind gets it. The constructors of diffusers' SD 1 and 2
 * pipelines correct what they take for outdated (pipeline_stable_diffusion*.py): steps_offset
 * becomes 1, clip_sample false, or for inpainting skip_prk_steps true, also where the class's
 * default is meant. Another sampler made from that config inherits only the keys that the file had.
 */
struct scheduler_config model_scheduler(const struct model *m, enum sampler_kind kind,
                                        bool inpaint);

enum component { COMPONENT_TEXT_1, COMPONENT_TEXT_2, COMPONENT_UNET, COMPONENT_VAE };
/* Let the resident pages of a component's mapped weights go (they are read again when touched). */
void model_forget(const struct model *m, enum component c);

/* SHA-256 over all tensors of the model: in the order of their names, name, dtype, shape and bytes;
 * 64 hex digits. The same numbers give the same digest whether they lie in one file, in shards or
 * in variants of a folder. `reading` may be NULL. */
WARN_UNUSED_RESULT int model_digest(const struct model *m, const struct reading *reading,
                                    char out[65], struct err *e);
size_t model_bytes(const struct model *m);
const char *architecture_name(enum architecture a); /* "sd1", "sd2", "sdxl" */

#endif
