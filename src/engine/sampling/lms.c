/*
 * lms.c: linear multistep of order 4 (Katherine Crowson, k-diffusion): Adams-Bashforth with the
 * unequal steps of a sigma schedule. diffusers: scheduling_lms_discrete.py.
 */
#include "engine/sampling/family.h"

enum { ORDER = 4 };

/* The j-th Lagrange polynomial through the last `order` sigmas. */
static double lagrange(const float *sigmas, int order, int j, double x)
{
    double product = 1;

    for (int k = 0; k < order; k++)
        if (k != j)
            product *= (x - (double)sigmas[-k]) / ((double)sigmas[-j] - (double)sigmas[-k]);
    return product;
}

/* Its integral from sigmas[0] to sigmas[1]: Gauss's rule of three points is exact for cubics. */
static double coefficient(const float *sigmas, int order, int j)
{
    double a = (double)sigmas[0], b = (double)sigmas[1], middle = (a + b) / 2, half = (b - a) / 2;
    double off = half * sqrt(0.6);

    return half / 9 *
           (5 * lagrange(sigmas, order, j, middle - off) + 8 * lagrange(sigmas, order, j, middle) +
            5 * lagrange(sigmas, order, j, middle + off));
}

/* Where strength skipped steps, the order counts them all the same but their slopes are missing
 * and add nothing: as in diffusers. */
static void step(struct sampler *s, const float *output)
{
    float sigma = s->sigmas[s->at], *slope = history_push(s, ORDER);
    int order = s->at + 1 < ORDER ? s->at + 1 : ORDER;
    float weights[ORDER] = {0};

    clean_from_sigma(s, output, sigma);
    for (int j = 0; j < order; j++)
        weights[j] = (float)coefficient(s->sigmas + s->at, order, j);
    if (order > s->known)
        order = s->known;
    for (size_t i = 0; i < s->count; i++) {
        float sum = 0;
        slope[i] = (s->x[i] - s->clean[i]) / sigma;
        for (int j = 0; j < order; j++)
            sum += weights[j] * s->history[j][i];
        s->x[i] += sum;
    }
}

const struct family family_lms = {.space = SPACE_SIGMA,
                                  .order = 1,
                                  .vectors = ORDER,
                                  .prepare = schedule_prepare_sigmas,
                                  .step = step};
