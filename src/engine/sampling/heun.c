/*
 * heun.c: Heun's second-order method (Karras et al. 2022, algorithm 1 without churn). Every step
 * but the last evaluates twice: at sigma, and at the point where Euler's step ends. diffusers:
 * scheduling_heun_discrete.py.
 */
#include "engine/sampling/family.h"

#include <string.h>

struct heun {
    bool second;
    float dt;
};

static int prepare(struct sampler *s, struct err *e)
{
    struct points p = schedule_points(s, SPACING_FRACTIONAL, false, true);

    (void)e;
    schedule_reserve(s, 2 * p.count - 1);
    for (int i = 0; i < s->evaluations; i++) {
        s->timesteps[i] = (double)(float)p.t[(i + 1) / 2];
        s->sigmas[i] = (float)p.sigma[(i + 1) / 2];
    }
    s->sigmas[s->evaluations] = 0;
    return 0;
}

static void step(struct sampler *s, const float *output)
{
    struct heun *h = s->state;
    float *from = s->history[0], *slope = s->history[1];

    if (!h->second) {
        float sigma = s->sigmas[s->at];
        h->dt = s->sigmas[s->at + 1] - sigma;
        clean_from_sigma(s, output, sigma);
        memcpy(from, s->x, s->count * sizeof *from);
        for (size_t i = 0; i < s->count; i++) {
            slope[i] = (s->x[i] - s->clean[i]) / sigma;
            s->x[i] += slope[i] * h->dt;
        }
    } else {
        float sigma = s->sigmas[s->at];
        clean_from_sigma(s, output, sigma);
        for (size_t i = 0; i < s->count; i++) {
            float both = (slope[i] + (s->x[i] - s->clean[i]) / sigma) / 2;
            s->x[i] = from[i] + both * h->dt;
        }
    }
    h->second = !h->second;
}

const struct family family_heun = {.space = SPACE_SIGMA,
                                   .order = 2,
                                   .vectors = 2,
                                   .state = sizeof(struct heun),
                                   .prepare = prepare,
                                   .step = step};
