/*
 * analysis.h: what an experiment shows: convergence curves with their knees, effects of every value
 * with 95 % intervals, importance of every axis, ranking, cost.
 *
 *   struct analysis *a;
 *   if (analysis_new(plan, results, &(struct analysis_options){0}, &a, &e)) ...
 *   json_t *json = analysis_to_json(a);
 *   analysis_free(a);
 *
 * Axes of prompts, variables, replacements and seeds, and the replicates, are what is averaged
 * over; the others make up a setting. Every number comes with n, the samples that it rests on.
 * docs/experiments.md has the formulas. Threads: pure. Ownership: plan and results are borrowed.
 */
#ifndef EXPERIMENTS_ANALYSIS_H
#define EXPERIMENTS_ANALYSIS_H

#include "experiments/measures.h"

struct analysis_options {
    const char *measure; /* NULL: ssim in convergence experiments; else ssim, or the first measure
                            that is known */
    double tolerance;    /* similarity lost to the reference that does not matter; 0: 0.05 */
};

struct mean {
    size_t n;
    double mean, low, high; /* 95 %, Student's t; NAN for n < 2 */
};

struct curve_point {
    double x; /* value on the axis */
    struct mean y, seconds;
    bool reference;
};
struct curve { /* one setting along the reference's axis */
    const json_t *setting;
    const char *label;
    struct curve_point *points; /* in the order of x */
    size_t count;
    size_t knee;      /* index; SIZE_MAX: none */
    size_t converged; /* first index from which all stay within the tolerance; SIZE_MAX: none */
};

struct effect { /* of one value of one axis */
    const char *label;
    const json_t *value;
    struct mean mean;    /* over all its cells */
    struct mean against; /* paired difference from the axis's first value */
};
struct factor { /* one axis, or the replicates */
    const char *name;
    struct effect *effects;
    size_t count;
    double share; /* of the variance; NAN when nothing varies */
    size_t n;
};
struct interaction {
    size_t a, b; /* factors */
    double share;
    size_t n;
};
struct rank {
    const json_t *setting;
    const char *label;
    struct mean y, seconds, memory, steps_per_second;
    bool frontier; /* no other setting is both better and faster */
};

struct analysis {
    enum measure measure;
    double tolerance;
    size_t cells, done, failed, impossible, measured;
    struct curve *curves;
    size_t curve_count;
    const char *curve_axis;                /* NULL: no curves */
    size_t cheapest_curve, cheapest_point; /* SIZE_MAX: none */
    struct factor *factors;
    size_t factor_count;
    struct interaction *interactions; /* in complete grids only */
    size_t interaction_count;
    double rest; /* share of the variance that none of these explains; NAN in incomplete grids */
    struct rank *ranking; /* the best first */
    size_t rank_count;
    struct mean seconds, steps_per_second, memory; /* over all cells */
    struct arena arena;
    json_t *keep; /* owns the settings */
};

/* ERR_ARG for an unknown measure. */
WARN_UNUSED_RESULT int analysis_new(const struct plan *plan, const struct results *results,
                                    const struct analysis_options *options, struct analysis **out,
                                    struct err *e);
void analysis_free(struct analysis *a);
json_t *analysis_to_json(const struct analysis *a); /* a new reference */

#endif
