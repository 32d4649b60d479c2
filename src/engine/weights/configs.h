/*
 * configs.h: what the config.json of each kind of network says; private to weights/.
 *
 *   struct unet_config u;
 *   if (unet_config_read(&arena, "model/unet/config.json", &u, e)) ...
 *
 * Defaults are those of diffusers 0.42's and transformers 5's own classes. Every field either
 * decides a member of the struct, or has the one value that this engine does, or is known not to
 * change a picture; anything else is ERR_UNSUPPORTED with the field's name.
 */
#ifndef ENGINE_CONFIGS_H
#define ENGINE_CONFIGS_H

#include "engine/weights/config_json.h"
#include "engine/weights/model.h"

/* Bounds against absurd files; far above any published model. */
enum { MAX_WIDTH = 16384, MAX_LAYERS = 64, MAX_HEADS = 1024, MAX_VOCAB = 1 << 20 };

WARN_UNUSED_RESULT int unet_config_read(struct arena *a, const char *path, struct unet_config *out,
                                        struct err *e);
WARN_UNUSED_RESULT int vae_config_read(struct arena *a, const char *path, struct vae_config *out,
                                       struct err *e);
/* projected: CLIPTextModelWithProjection, else CLIPTextModel, which has no projection whatever its
 * config says. */
WARN_UNUSED_RESULT int clip_config_read(struct arena *a, const char *path, bool projected,
                                        struct clip_config *out, struct err *e);
/* An AutoencoderTiny that is TAESD: any other shape is ERR_UNSUPPORTED. */
WARN_UNUSED_RESULT int taesd_config_read(struct arena *a, const char *path, struct err *e);

/* The same from text. */
WARN_UNUSED_RESULT int unet_config_parse(struct arena *a, struct str json, const char *path,
                                         struct unet_config *out, struct err *e);
WARN_UNUSED_RESULT int vae_config_parse(struct arena *a, struct str json, const char *path,
                                        struct vae_config *out, struct err *e);
WARN_UNUSED_RESULT int clip_config_parse(struct arena *a, struct str json, const char *path,
                                         bool projected, struct clip_config *out, struct err *e);

/* Whether the parts fit together, whoever found them: divisibility of widths by heads and groups.
 */
WARN_UNUSED_RESULT int unet_config_check(const struct unet_config *u, const char *path,
                                         struct err *e);
WARN_UNUSED_RESULT int vae_config_check(const struct vae_config *v, const char *path,
                                        struct err *e);
WARN_UNUSED_RESULT int clip_config_check(const struct clip_config *t, const char *path,
                                         struct err *e);

#endif
