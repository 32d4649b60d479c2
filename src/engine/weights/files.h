/*
 * files.h: the weight files of an open model; private to weights/.
 *
 *   if (files_visit(m, "models/x/unet", "diffusion_pytorch_model", "fp16", put_unet, map, e)) ...
 *
 * Mappings belong to the model and end with it.
 */
#ifndef ENGINE_MODEL_FILES_H
#define ENGINE_MODEL_FILES_H

#include "engine/weights/model.h"
#include "engine/weights/safetensors.h"

enum { MAX_WEIGHT_FILES = 512 };

struct model_files {
    struct mapping maps[MAX_WEIGHT_FILES];
    int count;
};

/* Open a file and keep it as long as the model; the result borrows. */
WARN_UNUSED_RESULT int files_load(struct model *m, const char *path, struct safetensors *out,
                                  struct err *e);

/* Called for every tensor of a component. */
typedef int tensor_visitor(struct model *m, const char *file, const struct tensor *t, void *data,
                           struct err *e);

/* The weights of one component's folder: BASE.safetensors, BASE.VARIANT.safetensors or what
 * BASE.safetensors.index.json lists. `base`: "model" (transformers), "diffusion_pytorch_model". */
WARN_UNUSED_RESULT int files_visit(struct model *m, const char *folder, const char *base,
                                   const char *variant, tensor_visitor *visit, void *data,
                                   struct err *e);

/* Whether a folder holds any weight file, of whatever format. */
bool files_any_weights(const char *folder);

/* Whether a name ends as PyTorch's pickles do, and the sentence that refuses one. */
bool files_is_pickle(const char *name);
WARN_UNUSED_RESULT int files_refuse_pickle(const char *path, struct err *e);

/* Fill a model that has its path and an empty list of files. */
WARN_UNUSED_RESULT int folder_open(struct model *m, const char *variant, struct err *e);
WARN_UNUSED_RESULT int single_file_open(struct model *m, struct err *e);
/* Configs, scheduler and tokenizers of a Diffusers folder, without its weights: for a single file
 * that has them beside it. The architecture must be the one already set. */
WARN_UNUSED_RESULT int folder_configs(struct model *m, const char *root, struct err *e);

/* Find a TAESD decoder in the model's folder or beside the model; without one nothing happens. */
WARN_UNUSED_RESULT int taesd_open(struct model *m, struct err *e);

#endif
