/*
 * results_inside.h: the table behind results.h: results_mongo.c (a collection, the records
 * themselves) and results_jsonl.c.
 */
#ifndef DATASETS_RESULTS_INSIDE_H
#define DATASETS_RESULTS_INSIDE_H

#include "datasets/inside.h"
#include "datasets/results.h"

struct results_backend {
    const char *type;
    bool local;
    int (*check)(const json_t *document, const json_t *source, const struct dataset_access *access,
                 struct arena *a, struct dataset_problem *problem, struct err *e);
    int (*open)(struct results *r, const json_t *document, const json_t *source,
                const struct dataset_access *access, struct err *e);
    void (*close)(struct results *r);
    int (*ping)(struct results *r, struct err *e);
    int (*put)(struct results *r, const struct result *rows, size_t count, int64_t *missing,
               struct err *e);
    int (*finish)(struct results *r, struct err *e);
};
struct results {
    const struct results_backend *backend;
    void *state; /* of the backend */
};
extern const struct results_backend results_collection, results_record, results_jsonl;

#endif
