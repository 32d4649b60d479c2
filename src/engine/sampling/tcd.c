/*
 * tcd.c: Zheng et al. 2024, "Trajectory consistency distillation". eta is the paper's gamma; a
 * diffusers pipeline passes 0. diffusers: scheduling_tcd.py.
 */
#include "engine/sampling/consistency.h"

static void step(struct sampler *s, const float *output)
{
    bool last = s->at + 1 == s->evaluations;
    int t = (int)s->timesteps[s->at], next = last ? 0 : (int)s->timesteps[s->at + 1];
    int middle = (int)floorf((float)(1 - s->eta) * (float)next);
    float a = alpha_at(s, t), b = alpha_at(s, next), m = alpha_at(s, middle);
    float signal = sqrtf(m), spread = sqrtf(1 - m);
    float *epsilon = s->history[0];

    clean_from_alpha(s, output, a, epsilon);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] = signal * s->clean[i] + spread * epsilon[i];
    if (!(s->eta > 0) || last)
        return;
    float keep = sqrtf(b / m), fresh = sqrtf(1 - b / m);
    draw_noise(s);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] = keep * s->x[i] + fresh * s->draw[i];
}

const struct family family_tcd = {
    .space = SPACE_ALPHA, .order = 1, .vectors = 1, .prepare = consistency_prepare, .step = step};
