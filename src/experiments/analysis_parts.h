/*
 * analysis_parts.h: what the files of the analysis share; private to experiments/.
 *
 *   struct analyser w = {plan, results, analysis, response};
 *   analyse_curves(&w);
 */
#ifndef EXPERIMENTS_ANALYSIS_PARTS_H
#define EXPERIMENTS_ANALYSIS_PARTS_H

#include "experiments/analysis.h"
#include "experiments/groups.h"

struct analyser {
    const struct plan *plan;
    const struct results *results;
    struct analysis *out;
    double *response;            /* the measure of every cell; NAN: none */
    double *scratch;             /* room for one number per cell */
    bool setting[SPEC_MAX_AXES]; /* axes that make up a setting; the others are averaged over */
};

void analyse_curves(struct analyser *w);
void analyse_factors(struct analyser *w);
void analyse_ranking(struct analyser *w);

/* {axis: value} over these axes, owned by the analysis; "sampler euler, steps 20" in its arena. */
const json_t *setting_json(struct analyser *w, size_t cell, const bool *axes);
const char *setting_label(struct analyser *w, size_t cell, const bool *axes);
/* The mean of one measure over cells; the response where `m` is the analysis's own measure. */
struct mean mean_over(struct analyser *w, const size_t *cells, size_t n, enum measure m);
bool measure_is_similarity(enum measure m);

#endif
