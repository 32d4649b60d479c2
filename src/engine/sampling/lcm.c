/* lcm.c: Luo et al. 2023, "Latent consistency models". diffusers: scheduling_lcm.py. */
#include "engine/sampling/consistency.h"

int consistency_prepare(struct sampler *s, struct err *e)
{
    int all = s->o.original_steps, stride = s->o.train / all;

    if (all > s->o.train)
        return ERR(e, ERR_FORMAT,
                   "scheduler config: original_inference_steps %d is more than the %d of training",
                   all, s->o.train);
    if (s->steps > all)
        return ERR(e, ERR_ARG, "%d steps asked for; this sampler takes 1 to %d", s->steps, all);
    schedule_reserve(s, s->steps);
    for (int i = 0; i < s->steps; i++) {
        int index = (int)floor(i * ((double)all / s->steps));
        s->timesteps[i] = (all - index) * stride - 1;
    }
    return 0;
}

static void step(struct sampler *s, const float *output)
{
    int t = (int)s->timesteps[s->at];
    bool last = s->at + 1 == s->evaluations;
    float a = alpha_at(s, t), scaled = (float)t * (float)s->o.timestep_scaling;
    float square = scaled * scaled + 0.25f; /* sigma_data is 0.5 */
    float skip = 0.25f / square, out = scaled / sqrtf(square);

    clean_from_alpha(s, output, a, NULL);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] = s->clean[i] = out * s->clean[i] + skip * s->x[i];
    if (last)
        return;
    float b = alpha_at(s, (int)s->timesteps[s->at + 1]), keep = sqrtf(b), fresh = sqrtf(1 - b);
    draw_noise(s);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] = keep * s->x[i] + fresh * s->draw[i];
}

const struct family family_lcm = {
    .space = SPACE_ALPHA, .order = 1, .prepare = consistency_prepare, .step = step};
