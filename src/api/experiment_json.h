/*
 * experiment_json.h: experiments, runs and plans as the API shows them (schemas Experiment, Run,
 * Plan of openapi.yaml), and finding the ones that a path names.
 *
 * Threads: as the transaction. Ownership: new references; rows live in the request's arena.
 */
#ifndef API_EXPERIMENT_JSON_H
#define API_EXPERIMENT_JSON_H

#include "api/app.h"
#include "experiments/launch.h"
#include "storage/experiments.h"

/* `run` NULL: none. */
json_t *experiment_json(const struct experiment *x, const struct run *run);
json_t *run_json(const struct run *run);
/* The axes of a spec: names, parameters, values with labels. */
json_t *axes_json(const struct spec *spec);
json_t *plan_answer(const struct plan *plan, size_t cells);

/* The experiment that {id} names; ERR_NOT_FOUND also when it is somebody else's. */
WARN_UNUSED_RESULT int experiment_of(struct request *r, struct tx *tx, struct experiment *out,
                                     struct err *e);
/* The same with a transaction of its own. */
WARN_UNUSED_RESULT int experiment_read(struct request *r, struct experiment *out, struct err *e);
/* Its run with that number, 0 for the newest. */
WARN_UNUSED_RESULT int run_of(struct request *r, struct tx *tx, const char *experiment_id,
                              int64_t number, struct run *out, struct err *e);
/* Answer with the experiment that {id} names and its newest run. */
WARN_UNUSED_RESULT int respond_experiment(struct request *r, struct response *w, unsigned status,
                                          const char *id, struct err *e);
/* 422 with a pointer for every problem of a spec; `place` is where the spec is in the body. */
int respond_spec_problems(struct request *r, struct response *w, const char *place,
                          const struct spec_problems *problems);
struct launch launch_of(struct request *r, int priority);

#endif
