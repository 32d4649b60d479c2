/*
 * euler.c: Euler's method on dx/dsigma = (x - clean) / sigma, plain and ancestral (Karras et al.
 * 2022; k-diffusion). diffusers: scheduling_euler_discrete.py,
 * scheduling_euler_ancestral_discrete.py.
 */
#include "engine/sampling/family.h"

static void walk(struct sampler *s, const float *output, float sigma, float target)
{
    float dt = target - sigma;

    clean_from_sigma(s, output, sigma);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] += (s->x[i] - s->clean[i]) / sigma * dt;
}

static void step(struct sampler *s, const float *output)
{
    walk(s, output, s->sigmas[s->at], s->sigmas[s->at + 1]);
}

/* Ancestral: go down further than asked for and come back up with fresh noise. It is drawn on the
 * last step too, where it counts for nothing, as in diffusers. */
static void step_ancestral(struct sampler *s, const float *output)
{
    float from = s->sigmas[s->at], to = s->sigmas[s->at + 1];
    float up = sqrtf(to * to * (from * from - to * to) / (from * from));
    float down = sqrtf(to * to - up * up);

    walk(s, output, from, down);
    draw_noise(s);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] += s->draw[i] * up;
}

const struct family family_euler = {
    .space = SPACE_SIGMA, .order = 1, .prepare = schedule_prepare_sigmas, .step = step};
const struct family family_euler_ancestral = {.space = SPACE_SIGMA,
                                              .order = 1,
                                              .no_sample = true,
                                              .prepare = schedule_prepare_sigmas,
                                              .step = step_ancestral};
