/*
 * find_model.h: where the command line looks for models.
 *
 *   char *path;
 *   if (find_model(&arena, "demo", &path, &e)) ...
 *
 * In order: a path; $CAULDRON_MODELS (./data/models by default); models/ of the installation
 * (beside the program, or one folder up, or ../share/cauldron/models); the Hugging Face cache. The
 * digests that the command line remembers come with it (digests.h). Threads: any.
 */
#ifndef CLI_FIND_MODEL_H
#define CLI_FIND_MODEL_H

#include "engine/weights/digests.h"
#include "engine/weights/find.h"

/* The path of a model by name or path; ERR_NOT_FOUND lists what is installed. */
WARN_UNUSED_RESULT int find_model(struct arena *a, const char *name, char **path, struct err *e);

/* $CAULDRON_DATA, ./data by default: what the program keeps, the digests of models among it. */
const char *data_folder(void);
/* The web app of the installation (../share/cauldron/web beside the program, else ../frontend/dist
 * as it is built in the tree), NULL when there is none. */
const char *app_folder(struct arena *a);
/* All the places, the user's own folder first. */
struct model_paths model_places(struct arena *a);
/* $CAULDRON_MODELS, ./data/models by default: where `models add` puts things. */
const char *models_folder(struct arena *a);

#endif
