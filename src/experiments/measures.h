/*
 * measures.h: numbers of every cell: what it cost, how alike it is to the reference and to its
 * neighbour, how sharp, rich in contrast and colourful it is.
 *
 *   struct results *results = results_new(plan->count);
 *   ... results->at[cell].state = RESULT_DONE; .values[MEASURE_SECONDS] = 3.1; ...
 *   if (measures_run(plan, &loader, NULL, results, &e)) ...
 *   results_free(results);
 *
 * Cells are walked along the reference's axis, so every picture is decoded once, and the reference
 * of each line once more at most. Threads: one at a time per results. Ownership: the loader gives
 * pictures away; they are released here.
 */
#ifndef EXPERIMENTS_MEASURES_H
#define EXPERIMENTS_MEASURES_H

#include "experiments/plan.h"
#include "image/image.h"

enum measure {
    MEASURE_SSIM,           /* to the reference; NAN for the reference itself */
    MEASURE_MS_SSIM,        /* from 176 pixels a side */
    MEASURE_PSNR,           /* dB; infinite for equal pictures */
    MEASURE_SSIM_NEIGHBOUR, /* to the cell before it on the reference's axis */
    MEASURE_PSNR_NEIGHBOUR,
    MEASURE_SHARPNESS,
    MEASURE_CONTRAST,
    MEASURE_COLOURFULNESS,
    MEASURE_SECONDS,
    MEASURE_STEPS_PER_SECOND,
    MEASURE_MEMORY, /* bytes */
    MEASURE_COUNT,
};
struct measure_info {
    const char *name, *title, *unit; /* "ms_ssim", "MS-SSIM to the reference", "" */
    int better;                      /* 1: more, -1: less, 0: neither */
    int digits;                      /* after the point, when shown */
};
extern const struct measure_info measure_infos[MEASURE_COUNT];
/* MEASURE_COUNT when there is none. */
enum measure measure_by_name(const char *name);

enum result_state { RESULT_NONE, RESULT_WAITING, RESULT_DONE, RESULT_FAILED };
struct result {
    enum result_state state;
    double values[MEASURE_COUNT]; /* NAN: not known */
    char sha256[65];              /* of the picture's file; "" when unknown */
    const char *generation;       /* identifier; NULL */
    const char *error;            /* why it failed; NULL */
};
struct results {
    struct result *at; /* one per cell of the plan */
    size_t count;
    struct arena arena; /* for texts */
};
struct results *results_new(size_t count); /* everything unknown */
void results_free(struct results *r);

/* The picture of a cell. ERR_NOT_FOUND: there is none, go on; other errors end the run. */
struct measure_loader {
    void *user;
    int (*load)(void *user, size_t cell, struct image *out, struct err *e);
    bool (*enough)(void *user); /* asked after each cell: true ends the run. NULL: never */
};

/* The cell that `cell` is compared with; SIZE_MAX when there is none (no reference axis). */
size_t measure_reference(const struct plan *plan, size_t cell);
/* The cell before it on the reference's axis (in the order of values); SIZE_MAX for the first. */
size_t measure_neighbour(const struct plan *plan, size_t cell);

/* Fill in the measures of all cells that are done. `known` NULL, or per cell: measured already; set
 * for those that are measured here. Pictures of unequal sizes are not compared. */
WARN_UNUSED_RESULT int measures_run(const struct plan *plan, const struct measure_loader *loader,
                                    bool *known, struct results *results, struct err *e);
/* One picture; reference and neighbour may be NULL. */
WARN_UNUSED_RESULT int measure_picture(const struct image *im, const struct image *reference,
                                       const struct image *neighbour, double values[MEASURE_COUNT],
                                       struct err *e);
/* {name: number, ...} of the known ones; infinity is the text "infinity". A new reference. */
json_t *measures_to_json(const double values[MEASURE_COUNT]);
/* The reverse; what is missing stays as it is. */
void measures_from_json(const json_t *object, double values[MEASURE_COUNT]);

#endif
