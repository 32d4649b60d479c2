/*
 * charts.h: an analysis as inline SVG; private to experiments/.
 *
 *   chart_curves(&page, analysis);
 *
 * Colours are the page's CSS variables --c0 .. --c7; everything else is plain SVG 1.1.
 */
#ifndef EXPERIMENTS_CHARTS_H
#define EXPERIMENTS_CHARTS_H

#include "experiments/analysis.h"
#include "experiments/page.h"

/* Measure along the reference's axis: a line each setting, knees and points of convergence marked.
 */
void chart_curves(struct page *p, const struct analysis *a);
/* Share of the variance of every axis. */
void chart_importance(struct page *p, const struct analysis *a);
/* Mean and interval of every value of one axis. */
void chart_effects(struct page *p, const struct analysis *a, const struct factor *f);
/* Time against measure of every setting, those that nothing beats joined. */
void chart_frontier(struct page *p, const struct analysis *a);

/* Charts and tables of the whole analysis; NULL: that there is none yet. */
void report_analysis(struct page *p, const struct analysis *a);

/* A scale from data to pixels with round ticks; for tests, too. */
struct scale {
    double low, high, from, to; /* data, pixels */
    double tick;                /* distance of ticks */
};
struct scale scale_of(double low, double high, double from, double to, int ticks);
double scale_at(const struct scale *s, double x);

#endif
