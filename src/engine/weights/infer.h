/*
 * infer.h: what a single checkpoint file does not say but shows: the configs of its networks, from
 * the names and shapes of their tensors; private to weights/.
 *
 *   if (infer_unet(&m->unet_weights, path, true, &m->unet, e)) ...
 *
 * After loaders/single_file_utils.py of diffusers where that has a rule; what no shape shows
 * (groups, epsilons, head counts) is what every published model of the kind has. A model of other
 * proportions needs its configs beside it (see README.md).
 */
#ifndef ENGINE_INFER_H
#define ENGINE_INFER_H

#include "engine/weights/model.h"

/* sample_size, class_embed_in's split (addition_time_dim) are left to the caller. Heads: 8 a level
 * for SD 1 (convolutions as projections), width / 64 for SD 2 and XL. */
WARN_UNUSED_RESULT int infer_unet(const struct weights *w, const char *path,
                                  struct unet_config *out, struct err *e);
WARN_UNUSED_RESULT int infer_vae(const struct weights *w, const char *path, double scaling,
                                 struct vae_config *out, struct err *e);
/* From transformers' names. open_clip: gelu and a projection, else quick_gelu and none. */
WARN_UNUSED_RESULT int infer_clip(const struct weights *w, const char *path, bool open_clip,
                                  struct clip_config *out, struct err *e);

#endif
