/*
 * hub_settings.h: where models are downloaded from and kept, as the environment says it to
 * huggingface_hub and to us.
 *
 *   struct model_hub hub;
 *   if (hub_from_environment(&hub, &arena, &e)) ...
 *   hub.watch = (struct model_watch){...};
 *   if (hub_pull(&hub, ...)) ...
 *
 * Threads: any, while nobody changes the environment. Ownership: texts live in the arena or the
 * environment.
 */
#ifndef CLI_HUB_SETTINGS_H
#define CLI_HUB_SETTINGS_H

#include "models/hub.h"

/* Endpoint, token and cache as HF_ENDPOINT, HF_TOKEN, HF_HUB_CACHE, HF_HOME and XDG_CACHE_HOME say.
 * ERR_ARG when they make no sense. */
WARN_UNUSED_RESULT int hub_from_environment(struct model_hub *out, struct arena *a, struct err *e);
/* HF_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub or ~/.cache/huggingface/hub, in this
 * order; NULL without a home. */
const char *hub_cache_folder(struct arena *a);
/* HF_HUB_OFFLINE: the sentence that refuses downloads, NULL where they are allowed. */
const char *hub_offline(void);

#endif
