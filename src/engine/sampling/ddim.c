/* ddim.c: Song et al. 2020, "Denoising diffusion implicit models". diffusers: scheduling_ddim.py.
 */
#include "engine/sampling/family.h"

/* Formulas (12) and (16). */
static void step(struct sampler *s, const float *output)
{
    int t = (int)s->timesteps[s->at], next = t - s->o.train / s->steps;
    float a = alpha_at(s, t), final = s->o.alpha_to_one ? 1 : s->alphas[0];
    float b = next >= 0 ? alpha_at(s, next) : final;
    float variance = (1 - b) / (1 - a) * (1 - a / b);
    float deviation = (float)s->eta * sqrtf(variance);
    float keep = sqrtf(b), direction = sqrtf(1 - b - deviation * deviation);
    float *epsilon = s->history[0];

    clean_from_alpha(s, output, a, epsilon);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] = keep * s->clean[i] + direction * epsilon[i];
    if (!(s->eta > 0))
        return;
    draw_noise(s);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] += deviation * s->draw[i];
}

const struct family family_ddim = {.space = SPACE_ALPHA,
                                   .order = 1,
                                   .vectors = 1,
                                   .prepare = schedule_prepare_alphas,
                                   .step = step};
