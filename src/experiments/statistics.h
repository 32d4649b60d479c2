/*
 * statistics.h: means with intervals, and knees of curves; private to experiments/.
 *
 *   struct mean m = mean_of(values, n);         m.low .. m.high holds the truth 95 times of 100
 *   size_t knee = knee_of(x, y, n);             SIZE_MAX: none
 *
 * Threads: pure functions.
 */
#ifndef EXPERIMENTS_STATISTICS_H
#define EXPERIMENTS_STATISTICS_H

#include "experiments/analysis.h"

/* n, mean and mean -+ t s / sqrt(n), where s is the sample's standard deviation (n - 1) and t the
 * 0.975 quantile of Student's distribution with n - 1 degrees of freedom. */
struct mean mean_of(const double *values, size_t n);

/* The 0.975 quantile of Student's t distribution; degrees >= 1. */
double student_975(double degrees);
/* The regularised incomplete beta function I_x(a, b), for 0 <= x <= 1 and a, b > 0. */
double incomplete_beta(double x, double a, double b);

/* Kneedle: Satopaa, Albrecht, Irwin, Raghavan 2011, "Finding a 'Kneedle' in a Haystack", for an
 * increasing concave curve, sensitivity 1, without smoothing, as the Python package kneed does it:
 * the first local maximum of normalised y - x after which that difference falls by more than the
 * mean distance of the x before it rises again. x is ascending. SIZE_MAX: no knee, fewer than 3
 * points, or a flat curve. */
size_t knee_of(const double *x, const double *y, size_t n);

#endif
