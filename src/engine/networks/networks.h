/*
 * networks.h: the networks of Stable Diffusion, written onto a graph (graph/graph.h). One file
 * each, meant to be read.
 *
 *   struct g g;
 *   graph_init(&g, &model->unet_weights, 2);
 *   unet_build(&g, &model->unet, 64, 64, 77);
 *   graph_plan(&g, ...)
 *
 * Each function states its inputs and outputs (names of plan_value) with their shapes per picture,
 * channels last. Threads: any; nothing is kept. Mistakes are recorded in the graph.
 */
#ifndef ENGINE_NETWORKS_H
#define ENGINE_NETWORKS_H

#include "engine/graph/graph.h"
#include "engine/weights/model.h"

/*
 * CLIP's text transformer (Radford et al. 2021; transformers CLIPTextModel,
 * CLIPTextModelWithProjection). in:  "tokens" [positions][1][width], token plus position embedding
 * (clip_embed) out: "hidden" [positions][1][width], what the layers up to `last` (1 .. c->layers)
 * give, normalised if final_norm; "pooled" [positions][1][projection] if pooled and the encoder has
 * a projection, else [..][width]: last layer, normalised, projected; the caller takes the row of
 * the end token.
 */
void clip_build(struct g *g, const struct clip_config *c, int last, bool final_norm, bool pooled);
/* tokens[i] = token_embedding[ids[i]] + position_embedding[i], i < c->positions. ERR_FORMAT names a
 * missing tensor or an id beyond the vocabulary. */
WARN_UNUSED_RESULT int clip_embed(const struct weights *w, const struct clip_config *c,
                                  const int *ids, float *tokens, struct err *e);

/*
 * The denoiser (Ronneberger et al. 2015, Ho et al. 2020, Rombach et al. 2022, Podell et al. 2023;
 * diffusers UNet2DConditionModel). in:  "latents" [h][w][in_channels]; "time" [1][1][channels[0]],
 * sinusoids of the timestep (time_embedding); "context" [tokens][1][context], the text, kept;
 * "added" [1][1][class_embed_in] with text_time, kept; "guidance" [1][1][time_cond_dim] if the
 * config has it, kept out: "out" [h][w][out_channels]
 */
void unet_build(struct g *g, const struct unet_config *c, int h, int w, int tokens);
/* out[dim] = [cos, sin] or [sin, cos] of t * exp(-ln(10000) i / (dim/2 - freq_shift)); diffusers
 * get_timestep_embedding. */
void time_embedding(float *out, double t, int dim, bool flip_sin_to_cos, double freq_shift);

/*
 * The autoencoder (Esser et al. 2021; diffusers AutoencoderKL).
 * decode: in "latents" [h][w][latent_channels] -> out "image" [h * 2^(levels-1)][..][out_channels],
 * about -1..1 encode: in "image" [h][w][in_channels] -> out "moments" [h / 2^(levels-1)][..][2 *
 * latent_channels]: mean, log variance
 */
void vae_decoder_build(struct g *g, const struct vae_config *c, int h, int w);
void vae_encoder_build(struct g *g, const struct vae_config *c, int h, int w);

/* The tiny decoder for previews (madebyollin's TAESD; diffusers AutoencoderTiny). in: "latents"
 * [h][w][4], put through tanh(x / 3) * 3; out: "image" [8h][8w][3], about 0..1. */
void taesd_build(struct g *g, int h, int w);

#endif
