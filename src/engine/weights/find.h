/*
 * find.h: models by name: where they lie on this machine, and which there are.
 *
 *   const char *folders[] = {"data/models", "/usr/share/cauldron/models"};
 *   struct model_paths paths = {folders, 2, "/home/me/.cache/huggingface/hub"};
 *   char *path;
 *   if (model_find(&arena, "demo", &paths, &path, &e)) ...
 *   if (model_open(path, NULL, &model, &e)) ...
 *
 * Looked up in order: a path; every folder (FOLDER/NAME with a model_index.json, or
 * FOLDER/NAME.safetensors); the Hugging Face cache (models--ORG--NAME/snapshots of refs/main;
 * NAME@REVISION for another, NAME/FILE.safetensors for a checkpoint in it). Nothing reads the
 * environment: who calls says where to look. Threads: any. Ownership: results live in the arena.
 */
#ifndef ENGINE_FIND_H
#define ENGINE_FIND_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

struct model_paths {
    const char *const *folders; /* in the order of preference; need not exist */
    int count;
    const char *hub; /* the Hugging Face cache's hub folder, or NULL */
};

/* ERR_NOT_FOUND says what is installed and how to get more. */
WARN_UNUSED_RESULT int model_find(struct arena *a, const char *name,
                                  const struct model_paths *paths, char **path, struct err *e);

/* The same by name alone: what comes from strangers is no path of this machine. */
WARN_UNUSED_RESULT int model_find_installed(struct arena *a, const char *name,
                                            const struct model_paths *paths, char **path,
                                            struct err *e);

struct model_entry {
    const char *name; /* what model_find takes */
    const char *path;
    const char *architecture; /* "sd1", "sd2", "sdxl", or "?" when the files do not say */
    int64_t bytes;            /* of its .safetensors files */
    int where;                /* index into model_paths.folders; count: the Hugging Face cache */
};

/* All models in the folders and the cache, by place and name. A name that an earlier place has is
 * listed again, with its own path. Places that cannot be read are skipped. */
void model_list(struct arena *a, const struct model_paths *paths, struct model_entry **out,
                int *count);

#endif
