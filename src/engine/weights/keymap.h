/*
 * keymap.h: from the names of other libraries to the native (LDM) ones; private to weights/.
 *
 *   struct keymap *map = keymap_unet(&arena, &config);
 *   if (keymap_name(map, &arena, STR("conv_in.weight"), &name)) ...     "input_blocks.0.0.weight"
 *
 * A map is a list of prefixes, made for one config, each with the table of what may follow. After
 * diffusers' loaders/single_file_utils.py, read backwards. Ownership: the arena.
 */
#ifndef ENGINE_KEYMAP_H
#define ENGINE_KEYMAP_H

#include "engine/weights/model.h"

struct keymap;

struct keymap *keymap_unet(struct arena *a, const struct unet_config *u);
struct keymap *keymap_vae(struct arena *a, const struct vae_config *v);

/* The native name, in the arena; false for a name that no rule covers. */
bool keymap_name(const struct keymap *k, struct arena *a, struct str name, struct str *out);

/* Add a text encoder's tensor as transformers names it, with or without "text_model."
 * (transformers 5 saves CLIPTextModel without). */
void keymap_put_clip(struct arena *a, struct weights *w, const struct tensor *t);

/* Leave only the tensors that an encoder of this config uses: no layers past its last, no
 * projection if it has none. */
void keymap_trim_clip(struct weights *w, const struct clip_config *c);

/* Add a tensor of an OpenCLIP text encoder (its prefix already removed) under transformers' names:
 * the fused product is split into views, the projection transposed into the arena. */
WARN_UNUSED_RESULT int keymap_put_open_clip(struct arena *a, const char *file, struct weights *w,
                                            const struct tensor *t, struct err *e);

/* A TAESD decoder's tensor, as diffusers ("decoder.layers.0.weight") or madebyollin ("1.weight")
 * names it. */
void keymap_put_taesd(struct arena *a, struct weights *w, const struct tensor *t);

/* Put a tensor under a name of its own. */
void weights_put(struct arena *a, struct weights *w, struct str name, const struct tensor *t);

#endif
