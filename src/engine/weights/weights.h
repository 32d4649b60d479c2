/*
 * weights.h: the tensors of one component (a U-Net, a VAE, a text encoder), found by name.
 *
 * Names are those of LDM checkpoints with the component's prefix removed
 * ("input_blocks.0.0.weight", "decoder.conv_in.weight"); text encoders use transformers' names
 * ("text_model.encoder.layers.0.self_attn.q_proj.weight", "text_projection.weight"). Diffusers' and
 * OpenCLIP's names are mapped onto them when a model is opened. Shapes are the file's own: trailing
 * extents of one carry no meaning (a 1x1 convolution may be [c, c] or [c, c, 1, 1]). Threads:
 * read-only after opening. Ownership: tensors live in mapped files owned by the model.
 */
#ifndef ENGINE_WEIGHTS_H
#define ENGINE_WEIGHTS_H

#include "base/map.h"
#include "engine/tensor.h"

struct weights {
    struct map tensors; /* name -> struct tensor * */
};

/* NULL when there is none of that name. */
const struct tensor *weights_get(const struct weights *w, const char *name);

#endif
