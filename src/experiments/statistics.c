#include "experiments/statistics.h"

#include <math.h>
#include <stdlib.h>

/* Lentz's method for the continued fraction of the incomplete beta function (DLMF 8.17.22). */
static double beta_fraction(double x, double a, double b)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), h;

    d = 1 / (fabs(d) < tiny ? tiny : d);
    h = d;
    for (int m = 1; m <= 500; m++) {
        double term[2] = {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                          -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))};
        double before = h;
        for (int i = 0; i < 2; i++) {
            d = 1 + term[i] * d;
            c = 1 + term[i] / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            h *= c * d;
        }
        if (fabs(h - before) <= 1e-16 * fabs(h))
            break;
    }
    return h;
}

static double log_gamma(double x)
{
    int sign;

    return lgamma_r(x, &sign);
}

double incomplete_beta(double x, double a, double b)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
    /* The fraction converges fast below the mean only. */
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(x, a, b) / a
                                     : 1 - front * beta_fraction(1 - x, b, a) / b;
}

double student_975(double degrees)
{
    double log_scale = log_gamma((degrees + 1) / 2) - log_gamma(degrees / 2) -
                       0.5 * log(degrees * M_PI);
    double t =
        1.959963984540054; /* the normal quantile: below the root for every number of degrees */

    /* The distribution is concave here, so Newton's method climbs to the root without passing it.
     */
    for (int i = 0; i < 60; i++) {
        double tail = 0.5 * incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5);
        double density = exp(log_scale - (degrees + 1) / 2 * log1p(t * t / degrees));
        double step = (tail - 0.025) / density;
        t += step;
        if (fabs(step) <= 1e-14 * t)
            break;
    }
    return t;
}

struct mean mean_of(const double *values, size_t n)
{
    struct mean m = {n, NAN, NAN, NAN};
    double sum = 0, squares = 0;

    if (!n)
        return m;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    m.mean = sum / (double)n;
    if (n < 2)
        return m;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - m.mean) * (values[i] - m.mean);
    double half = student_975((double)(n - 1)) * sqrt(squares / (double)(n - 1) / (double)n);
    m.low = m.mean - half;
    m.high = m.mean + half;
    return m;
}

/* The difference curve of the paper: both axes scaled to 0..1, y - x. False: flat. */
static bool difference(const double *x, const double *y, size_t n, double *out)
{
    double low = y[0], high = y[0];

    for (size_t i = 1; i < n; i++) {
        low = y[i] < low ? y[i] : low;
        high = y[i] > high ? y[i] : high;
    }
    if (!(high > low) || !(x[n - 1] > x[0]))
        return false;
    for (size_t i = 0; i < n; i++)
        out[i] = (y[i] - low) / (high - low) - (x[i] - x[0]) / (x[n - 1] - x[0]);
    return true;
}

size_t knee_of(const double *x, const double *y, size_t n)
{
    double *d = n < 3 ? NULL : calloc(n, sizeof *d), threshold = 0;
    size_t candidate = SIZE_MAX, knee = SIZE_MAX;
    bool active = false;

    if (!d)
        return SIZE_MAX;
    size_t end = difference(x, y, n, d) ? n - 1 : 0;
    for (size_t i = 0; i < end; i++) {
        double before = d[i ? i - 1 : 0], after = d[i + 1];
        if (d[i] >= before && d[i] >= after) {
            candidate = i;
            threshold = d[i] - 1 / (double)(n - 1);
            active = true;
        }
        if (d[i] <= before && d[i] <= after)
            active = false;
        if (active && after < threshold) {
            knee = candidate;
            break;
        }
    }
    free(d);
    return knee;
}
