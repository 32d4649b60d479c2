/*
 * ddpm.c: Ho et al. 2020, "Denoising diffusion probabilistic models", with the posterior's variance
 * ("fixed_small"). diffusers: scheduling_ddpm.py.
 */
#include "engine/sampling/family.h"

/* Formula (7). */
static void step(struct sampler *s, const float *output)
{
    int t = (int)s->timesteps[s->at];
    int next = s->at + 1 < s->evaluations ? (int)s->timesteps[s->at + 1] : -1;
    float a = alpha_at(s, t), b = next >= 0 ? alpha_at(s, next) : 1;
    float alpha = a / b, beta = 1 - alpha;
    float of_clean = sqrtf(b) * beta / (1 - a), of_x = sqrtf(alpha) * (1 - b) / (1 - a);
    float variance = fmaxf((1 - b) / (1 - a) * beta, 1e-20f), deviation = sqrtf(variance);

    clean_from_alpha(s, output, a, NULL);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] = of_clean * s->clean[i] + of_x * s->x[i];
    if (t <= 0)
        return;
    draw_noise(s);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] += deviation * s->draw[i];
}

const struct family family_ddpm = {
    .space = SPACE_ALPHA, .order = 1, .prepare = schedule_prepare_alphas, .step = step};
