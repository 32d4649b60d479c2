/*
 * dpmpp_sde.c: DPM-Solver++ (SDE), a stochastic midpoint method whose noise is a Brownian path over
 * sigma (Katherine Crowson, k-diffusion). diffusers: scheduling_dpmsolver_sde.py with
 * noise_sampler_seed = the request's seed.
 */
#include "engine/sampling/brownian.h"
#include "engine/sampling/family.h"

#include <string.h>

struct sde {
    bool second;
    float middle; /* the sigma of the second evaluation */
    struct brownian *path;
};

static int prepare(struct sampler *s, struct err *e)
{
    struct points p = schedule_points(s, SPACING_FRACTIONAL, false, false);
    struct sde *d = s->state;
    float least = INFINITY, most = 0;

    schedule_reserve(s, 2 * p.count - 1);
    for (int i = 0; i < s->evaluations; i++) {
        int k = (i + 1) / 2;
        s->sigmas[i] = (float)p.sigma[k];
        s->timesteps[i] = p.t[k];
        if (i % 2) {
            double a = -log(p.sigma[k - 1]), b = -log(p.sigma[k]);
            s->timesteps[i] = schedule_sigma_to_t(s, exp(-(a + (b - a) * 0.5)));
        }
        least = fminf(least, s->sigmas[i]);
        most = fmaxf(most, s->sigmas[i]);
    }
    s->sigmas[s->evaluations] = 0;
    return brownian_new(&s->arena, s->seed, (double)least, (double)most, s->count, &d->path, e);
}

static float level(const struct sampler *s)
{
    const struct sde *d = s->state;
    return d->second ? d->middle : s->sigmas[s->at];
}

static void step_euler(struct sampler *s, float sigma)
{
    for (size_t i = 0; i < s->count; i++)
        s->x[i] += (s->x[i] - s->clean[i]) / sigma * -sigma;
}

/* From latents `from` at -log sigma = t to t_next: down further, and up with the path's noise. */
static void walk(struct sampler *s, const float *from, float t, float t_next)
{
    const struct sde *d = s->state;
    float a = expf(-t), b = expf(-t_next);
    float up = fminf(b, sqrtf(b * b * (a * a - b * b) / (a * a)));
    float down = sqrtf(b * b - up * up), t_down = -logf(down);
    float keep = expf(-t_down) / expf(-t), move = (float)expm1((double)(t - t_down));
    float scale = sqrtf(fabsf(b - a));

    brownian_increment(d->path, (double)b, (double)a, s->draw);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] = keep * from[i] - move * s->clean[i] + -s->draw[i] / scale * up;
}

static void step(struct sampler *s, const float *output)
{
    struct sde *d = s->state;
    float sigma = s->sigmas[s->at - d->second], next = s->sigmas[s->at + 1 - d->second];
    float t = -logf(sigma), t_next = -logf(next), t_middle = t + (t_next - t) * 0.5f;
    float *from = s->history[0];

    clean_from_sigma(s, output, d->second ? expf(-t_middle) : sigma);
    if (next == 0) {
        step_euler(s, sigma);
        return;
    }
    if (!d->second)
        memcpy(from, s->x, s->count * sizeof *from);
    walk(s, from, t, d->second ? t_next : t_middle);
    d->middle = expf(-t_middle);
    d->second = !d->second;
}

const struct family family_dpmpp_sde = {.space = SPACE_SIGMA,
                                        .order = 2,
                                        .vectors = 1,
                                        .state = sizeof(struct sde),
                                        .no_sample = true,
                                        .prepare = prepare,
                                        .step = step,
                                        .level = level};
