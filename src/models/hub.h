/*
 * hub.h: downloads a Diffusers pipeline from a server that speaks the Hugging Face Hub's protocol,
 * into the cache layout that huggingface_hub keeps, so that each finds what the other brought:
 *
 *   models--ORG--NAME/blobs/<etag>                      the contents, once
 *   models--ORG--NAME/snapshots/<commit>/unet/...       links to them
 *   models--ORG--NAME/refs/<revision>                   the commit that a branch or tag meant
 *
 *   struct model_hub hub = {.endpoint = "https://huggingface.co", .token = NULL, .cache = folder};
 *   struct hub_result got;
 *   if (hub_pull(&hub, "stable-diffusion-v1-5/stable-diffusion-v1-5", "main", "fp16", &a, &got,
 * &e))
 *       ...
 *
 * Only what a pipeline needs is fetched: configs, tokenizers and one variant of the safetensors. A
 * broken download goes on where it stopped (blobs/<etag>.incomplete); every file is checked against
 * the size and the hash that the server announced before it gets its name. The server is not
 * trusted: names that leave the folder, sizes and redirects are checked, and the token goes to the
 * endpoint's own origin only. A host that the egress list does not have is ERR_DENIED. Threads: one
 * pull per struct model_hub at a time; two processes pulling the same file are kept apart by a
 * lock. curl_global_init must have been called.
 */
#ifndef MODELS_HUB_H
#define MODELS_HUB_H

#include "models/watch.h"

struct egress; /* net/egress.h */
struct model_hub {
    const char *endpoint; /* http(s)://host[:port][/prefix], no slash at the end */
    const char *token;    /* NULL: none */
    const char *cache;    /* usually ~/.cache/huggingface/hub */
    struct model_watch watch;
    const struct egress *egress; /* hosts that may be asked, also by redirects; NULL: every one */
};

struct hub_result {
    const char *snapshot; /* the folder that model_open takes */
    const char *commit;
    int files, fetched; /* all, and those that were not there yet */
    int64_t bytes;      /* of all */
};

/* revision: a branch, tag or commit. variant: "fp16" or NULL for the plain files (or the only
 * variant there is). Texts of the result live in `a`. */
WARN_UNUSED_RESULT int hub_pull(const struct model_hub *hub, const char *name, const char *revision,
                                const char *variant, struct arena *a, struct hub_result *out,
                                struct err *e);
/* A file of this name in a model's folder says that hub_pull made the folder. */
#define HUB_MARK ".pulled-by-cauldron"
/* The cache's folder of a model: CACHE/models--ORG--NAME. */
const char *hub_folder(const char *cache, const char *name, struct arena *a);

/* NAME or ORG/NAME as the Hub allows them: letters, digits, '.', '_', '-'; no "..", no "--". */
bool hub_name_ok(const char *name);
/* A relative path of plain components: nothing that leaves the folder it is put in. */
bool hub_path_ok(const char *path);
/* Which of a repository's files a pipeline needs; 0, or ERR_NOT_FOUND naming what is not there.
 * `index`: the content of model_index.json. */
WARN_UNUSED_RESULT int hub_choose(struct str index, const char *const *files, size_t count,
                                  const char *variant, struct arena *a, const char ***out,
                                  size_t *out_count, struct err *e);

#endif
