/*
 * model_configs.h: model configurations: named, versioned documents that say with which model and
 * parameters records are drawn.
 *
 *   json_t *config;
 *   if (model_config_find(from, "product-shots", 3, &access, &config, &e)) ...   version 0: newest
 *
 * `from` is {"type": "mongodb", "connection"|"uri", "database", "collection"} or {"type": "jsonl",
 * "path"}. A configuration is {"name", "version" (1, 2, ...), "model", "digest"? ("sha256:..." or
 * hex digits: the model's digest must begin with it), "parameters"? (of a generation), "notes"?};
 * other members are errors, so that a misspelt one is not overlooked; MongoDB's _id and a
 * created_at are fine. Two documents of one name and version: ERR_CONFLICT.
 * Errors: as dataset.h; ERR_NOT_FOUND names the configuration and the nearest name.
 */
#ifndef DATASETS_MODEL_CONFIGS_H
#define DATASETS_MODEL_CONFIGS_H

#include "datasets/dataset.h"

WARN_UNUSED_RESULT int model_config_check(const json_t *from, const struct dataset_access *access,
                                          struct arena *a, struct dataset_problem *problem,
                                          struct err *e);
/* A new reference. */
WARN_UNUSED_RESULT int model_config_find(const json_t *from, const char *name, int64_t version,
                                         const struct dataset_access *access, json_t **out,
                                         struct err *e);
/* The same checks for a document that is at hand. */
WARN_UNUSED_RESULT int model_config_valid(const json_t *config, struct arena *a,
                                          struct dataset_problem *problem, struct err *e);

#endif
