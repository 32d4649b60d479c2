/* judge_fit.c: strengths by Newton's method, which for this model is iteratively reweighted least
 * squares (McCullagh and Nelder 1989, "Generalized Linear Models", 4.4). */
#include "experiments/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A vote as the model sees it: +1 for these parameters, -1 for those. */
struct contrast {
    size_t plus[SPEC_MAX_AXES], minus[SPEC_MAX_AXES], n;
    size_t unknown; /* values without a parameter, on axes where the two differ */
};

static void contrast_of(const struct judge *j, const size_t *left, const size_t *right,
                        struct contrast *c)
{
    c->n = c->unknown = 0;
    for (size_t i = 0; i < j->axis_count; i++) {
        if (left[i] == right[i] || left[i] == SIZE_MAX || right[i] == SIZE_MAX)
            continue;
        c->plus[c->n] = j->axes[i].values[left[i]].parameter;
        c->minus[c->n] = j->axes[i].values[right[i]].parameter;
        c->unknown += (c->plus[c->n] == SIZE_MAX) + (c->minus[c->n] == SIZE_MAX);
        c->n++;
    }
}

static double logistic(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static double at(const double *strengths, size_t parameter)
{
    return parameter == SIZE_MAX ? 0 : strengths[parameter];
}

static double log_odds(const struct contrast *c, const double *strengths)
{
    double x = 0;

    for (size_t i = 0; i < c->n; i++)
        x += at(strengths, c->plus[i]) - at(strengths, c->minus[i]);
    return x;
}

/* log(1 + e^x) without overflow. */
static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

struct fit {
    const struct judge *j;
    size_t n;
    double *strengths, *step, *trial, *gradient, *information;
};

/* The penalised log-likelihood; votes on values without a parameter are left out. */
static double objective(const struct fit *f, const double *strengths)
{
    struct contrast c;
    double sum = 0;

    for (size_t i = 0; i < f->j->verdict_count; i++) {
        const struct judge_verdict *v = &f->j->verdicts[i];
        contrast_of(f->j, v->left, v->right, &c);
        if (!c.unknown) {
            double x = log_odds(&c, strengths);
            sum += v->won * x - softplus(x);
        }
    }
    for (size_t i = 0; i < f->n; i++)
        sum -= strengths[i] * strengths[i] / (2 * JUDGE_PRIOR * JUDGE_PRIOR);
    return sum;
}

static void add_outer(struct fit *f, const struct contrast *c, double weight)
{
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->n; k++) {
            f->information[c->plus[i] * f->n + c->plus[k]] += weight;
            f->information[c->minus[i] * f->n + c->minus[k]] += weight;
            f->information[c->plus[i] * f->n + c->minus[k]] -= weight;
            f->information[c->minus[i] * f->n + c->plus[k]] -= weight;
        }
}

/* First and (negative) second derivatives. */
static void derive(struct fit *f)
{
    const double precision = 1 / (JUDGE_PRIOR * JUDGE_PRIOR);
    struct contrast c;

    memset(f->information, 0, f->n * f->n * sizeof *f->information);
    for (size_t i = 0; i < f->n; i++) {
        f->gradient[i] = -precision * f->strengths[i];
        f->information[i * f->n + i] = precision;
    }
    for (size_t i = 0; i < f->j->verdict_count; i++) {
        const struct judge_verdict *v = &f->j->verdicts[i];
        contrast_of(f->j, v->left, v->right, &c);
        if (c.unknown)
            continue;
        double p = logistic(log_odds(&c, f->strengths));
        for (size_t k = 0; k < c.n; k++) {
            f->gradient[c.plus[k]] += v->won - p;
            f->gradient[c.minus[k]] -= v->won - p;
        }
        add_outer(f, &c, p * (1 - p));
    }
}

/* A = L L' in place; A is positive definite, for the prior is in it. */
static void cholesky(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k <= i; k++) {
            double sum = a[i * n + k];
            for (size_t m = 0; m < k; m++)
                sum -= a[i * n + m] * a[k * n + m];
            a[i * n + k] = i == k ? sqrt(sum) : sum / a[k * n + k];
        }
}

/* L L' x = b, in place. */
static void solve(const double *l, size_t n, double *b)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= l[i * n + k] * b[k];
        b[i] /= l[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            b[i] -= l[k * n + i] * b[k];
        b[i] /= l[i * n + i];
    }
}

/* The function is strictly concave, so Newton's step goes upwards; it is halved while it goes too
 * far. The largest change of a strength. */
static double improve(struct fit *f)
{
    double before = objective(f, f->strengths), largest = 0, scale = 1;

    derive(f);
    cholesky(f->information, f->n);
    memcpy(f->step, f->gradient, f->n * sizeof *f->step);
    solve(f->information, f->n, f->step);
    for (int halvings = 0; halvings < 30; halvings++) {
        for (size_t i = 0; i < f->n; i++)
            f->trial[i] = f->strengths[i] + scale * f->step[i];
        if (objective(f, f->trial) >= before - 1e-12 * fabs(before))
            break;
        scale /= 2;
    }
    for (size_t i = 0; i < f->n; i++)
        largest = fmax(largest, fabs(f->trial[i] - f->strengths[i]));
    memcpy(f->strengths, f->trial, f->n * sizeof *f->strengths);
    return largest;
}

/* Rows of the inverse of the information at the maximum. */
static void invert(struct fit *f, double *out)
{
    derive(f);
    cholesky(f->information, f->n);
    for (size_t i = 0; i < f->n; i++) {
        double *row = &out[i * f->n];
        memset(row, 0, f->n * sizeof *row);
        row[i] = 1;
        solve(f->information, f->n, row);
    }
}

/* Variance of strength i less the mean of the axis's `k` strengths. */
static double centred_variance(const struct judge *j, size_t i, const size_t *of, size_t k)
{
    double own = 0, all = 0;

    for (size_t m = 0; m < k; m++) {
        own += j->covariance[i * j->parameters + of[m]];
        for (size_t l = 0; l < k; l++)
            all += j->covariance[of[m] * j->parameters + of[l]];
    }
    return j->covariance[i * j->parameters + i] - 2 * own / (double)k + all / (double)(k * k);
}

static void score_axis(struct judge *j, struct judge_axis *axis)
{
    const double z = 1.959963984540054; /* 0.975 quantile of the normal distribution */
    size_t of[JUDGE_PARAMETERS], k = 0;
    double mean = 0;

    for (size_t i = 0; i < axis->count; i++)
        if (axis->values[i].parameter != SIZE_MAX)
            mean += j->strengths[of[k++] = axis->values[i].parameter];
    for (size_t i = 0; i < axis->count; i++) {
        struct judge_value *v = &axis->values[i];
        if (v->parameter == SIZE_MAX)
            continue;
        double spread = z * sqrt(fmax(0, centred_variance(j, v->parameter, of, k)));
        v->strength = j->strengths[v->parameter] - mean / (double)k;
        v->low = v->strength - spread;
        v->high = v->strength + spread;
        v->win_rate = logistic(v->strength);
    }
}

int judge_fit(struct judge *j, struct err *e)
{
    enum { STEPS = 100 };
    size_t n = j->parameters, square = n * n * sizeof(double);
    struct arena a = {0};
    struct fit f = {.j = j, .n = n};

    free(j->strengths);
    free(j->covariance);
    f.strengths = j->strengths = calloc(n + 1, sizeof *j->strengths);
    j->covariance = malloc(square + 1);
    f.information = arena_try(&a, square + 1, 1);
    if (!j->strengths || !j->covariance || !f.information) {
        arena_release(&a);
        return ERR(e, ERR_NOMEM, "no memory for the strengths of %zu values", n);
    }
    f.step = arena_alloc(&a, (n + 1) * sizeof *f.step);
    f.trial = arena_alloc(&a, (n + 1) * sizeof *f.trial);
    f.gradient = arena_alloc(&a, (n + 1) * sizeof *f.gradient);
    for (int i = 0; i < STEPS && n && improve(&f) > 1e-10; i++)
        ;
    invert(&f, j->covariance);
    for (size_t i = 0; i < j->axis_count; i++)
        score_axis(j, &j->axes[i]);
    arena_release(&a);
    return 0;
}

static double covariance(const struct judge *j, size_t a, size_t b)
{
    return a == SIZE_MAX || b == SIZE_MAX ? 0 : j->covariance[a * j->parameters + b];
}

double judge_gain(const struct judge *j, const size_t *left, const size_t *right)
{
    struct contrast c;

    contrast_of(j, left, right, &c);
    double p = logistic(log_odds(&c, j->strengths));
    double variance = (double)c.unknown * JUDGE_PRIOR * JUDGE_PRIOR; /* nothing is known of them */
    for (size_t i = 0; i < c.n; i++)
        for (size_t k = 0; k < c.n; k++)
            variance += covariance(j, c.plus[i], c.plus[k]) +
                        covariance(j, c.minus[i], c.minus[k]) -
                        covariance(j, c.plus[i], c.minus[k]) - covariance(j, c.minus[i], c.plus[k]);
    return log1p(p * (1 - p) * variance) / 2;
}
