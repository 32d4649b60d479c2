/*
 * models.h: which model is meant, for doors where a request need not name one.
 *
 *   const struct provider_model *m = default_model(models, count);
 *
 * Threads: pure. Ownership: points into the list given.
 */
#ifndef API_MODELS_H
#define API_MODELS_H

#include "providers/provider.h"

/* The one that provider_complete takes when none is named: "demo", else the first that can be used;
 * NULL without any. */
const struct provider_model *default_model(const struct provider_model *models, size_t count);

#endif
