/*
 * compare.h: two runs cell by cell: did an upgrade change pictures?
 *
 *   json_t *report;
 *   if (compare_runs(&(struct compare_side){plan_a, results_a, &loader_a}, &b, &report, &e)) ...
 *
 * Cells are matched by id, so the runs may be of different plans (an extended one, for instance).
 * Pictures with the same SHA-256 are equal without being looked at; of the others PSNR and SSIM are
 * computed where a loader is given. Pictures whose files differ but whose pixels do not are equal.
 * Threads: pure, but for the loaders.
 */
#ifndef EXPERIMENTS_COMPARE_H
#define EXPERIMENTS_COMPARE_H

#include "experiments/measures.h"

enum compare_state {
    COMPARE_SAME,      /* the same pixels */
    COMPARE_DIFFERENT, /* other pixels */
    COMPARE_UNKNOWN,   /* other files; pictures could not be loaded */
    COMPARE_ONLY_A,    /* no picture in b */
    COMPARE_ONLY_B,
    COMPARE_NEITHER,
    COMPARE_STATES,
};
struct compare_side {
    const struct plan *plan;
    const struct results *results;
    const struct measure_loader *loader; /* NULL: files are compared, not pixels */
};
struct compare_cell {
    char id[PLAN_ID];
    size_t a, b; /* cells; SIZE_MAX: not in that plan */
    enum compare_state state;
    double psnr, ssim; /* NAN unless different and measured */
};
struct compare {
    struct compare_cell *cells; /* those of a as listed, then what b alone has */
    size_t count;
    size_t states[COMPARE_STATES];
};

WARN_UNUSED_RESULT int compare_runs(const struct compare_side *a, const struct compare_side *b,
                                    struct arena *arena, struct compare *out, struct err *e);
/* {"totals": {...}, "cells": [...]} with coordinates; only cells in which the runs differ unless
 * `all`. A new reference. */
json_t *compare_to_json(const struct compare *c, const struct compare_side *a,
                        const struct compare_side *b, bool all);
const char *compare_state_name(enum compare_state state);

#endif
