/*
 * kdpm2.c: DPM-Solver-2 in sigma space (Lu et al. 2022; Karras et al. 2022, algorithm 2): a
 * midpoint method whose midpoint is the geometric mean of two sigmas. diffusers:
 * scheduling_k_dpm_2_discrete.py, scheduling_k_dpm_2_ancestral_discrete.py.
 */
#include "engine/sampling/family.h"

#include <string.h>

struct kdpm2 {
    bool second;
    float *middle, *up, *down; /* [steps + 1], of every step */
};

/* torch.lerp(log a, log b, 0.5).exp() */
static float geometric_mean(float a, float b)
{
    float start = logf(a), end = logf(b);
    return expf(end - (end - start) * 0.5f);
}

/* Timesteps and sigmas of the steps, with room for the middles between them. */
static int prepare_points(struct sampler *s)
{
    struct points p = schedule_points(s, SPACING_FRACTIONAL, false, true);
    struct kdpm2 *k = s->state;
    size_t room = (size_t)p.count + 1;

    k->middle = arena_alloc(&s->arena, room * sizeof *k->middle);
    k->up = arena_alloc(&s->arena, room * sizeof *k->up);
    k->down = arena_alloc(&s->arena, room * sizeof *k->down);
    schedule_reserve(s, 2 * p.count - 1);
    for (int i = 0; i < s->evaluations; i++) {
        double t = p.t[(i + 1) / 2];
        s->timesteps[i] = s->o.curve == SCHEDULE_KARRAS ? rint(t) : t;
        s->sigmas[i] = (float)p.sigma[(i + 1) / 2];
    }
    s->sigmas[s->evaluations] = 0;
    return p.count;
}

static void set_middle_timesteps(struct sampler *s, int steps)
{
    const struct kdpm2 *k = s->state;

    for (int i = 0; i + 1 < steps; i++)
        s->timesteps[2 * i + 1] = (double)schedule_sigma_to_t_f32(s, k->middle[i]);
}

static float sigma_of_step(const struct sampler *s, int i)
{
    return s->sigmas[2 * i < s->evaluations ? 2 * i : s->evaluations];
}

static int prepare(struct sampler *s, struct err *e)
{
    int steps = prepare_points(s);
    struct kdpm2 *k = s->state;

    (void)e;
    for (int i = 0; i < steps; i++)
        k->middle[i] = geometric_mean(sigma_of_step(s, i + 1), sigma_of_step(s, i));
    set_middle_timesteps(s, steps);
    return 0;
}

static int prepare_ancestral(struct sampler *s, struct err *e)
{
    int steps = prepare_points(s);
    struct kdpm2 *k = s->state;

    (void)e;
    for (int i = 0; i < steps; i++) {
        float from = sigma_of_step(s, i), to = sigma_of_step(s, i + 1);
        k->up[i] = sqrtf(to * to * (from * from - to * to) / (from * from));
        k->down[i] = sqrtf(to * to - k->up[i] * k->up[i]);
        k->middle[i] = i + 1 < steps ? geometric_mean(from, k->down[i]) : 0;
    }
    set_middle_timesteps(s, steps);
    return 0;
}

static float level(const struct sampler *s)
{
    const struct kdpm2 *k = s->state;
    return k->second ? k->middle[s->at / 2] : s->sigmas[s->at];
}

/* From the saved start by the slope at `sigma`; start: s->history[0]. */
static void walk(struct sampler *s, const float *output, float sigma, float dt)
{
    struct kdpm2 *k = s->state;
    float *from = s->history[0];

    if (!k->second)
        memcpy(from, s->x, s->count * sizeof *from);
    clean_from_sigma(s, output, sigma);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] = from[i] + (s->x[i] - s->clean[i]) / sigma * dt;
    k->second = !k->second;
}

static void step(struct sampler *s, const float *output)
{
    struct kdpm2 *k = s->state;
    float start = s->sigmas[s->at - k->second], middle = k->middle[s->at / 2];

    if (k->second)
        walk(s, output, middle, s->sigmas[s->at] - start);
    else
        walk(s, output, start, middle - start);
}

static void step_ancestral(struct sampler *s, const float *output)
{
    struct kdpm2 *k = s->state;
    int i = s->at / 2;
    float start = s->sigmas[s->at - k->second];

    if (!k->second) {
        walk(s, output, start, k->middle[i] - start);
        return;
    }
    walk(s, output, k->middle[i], k->down[i] - start);
    draw_noise(s);
    for (size_t j = 0; j < s->count; j++)
        s->x[j] += s->draw[j] * k->up[i];
}

const struct family family_dpm_2 = {.space = SPACE_SIGMA,
                                    .order = 2,
                                    .vectors = 1,
                                    .state = sizeof(struct kdpm2),
                                    .no_sample = true,
                                    .prepare = prepare,
                                    .step = step,
                                    .level = level};
const struct family family_dpm_2_ancestral = {.space = SPACE_SIGMA,
                                              .order = 2,
                                              .vectors = 1,
                                              .state = sizeof(struct kdpm2),
                                              .no_sample = true,
                                              .prepare = prepare_ancestral,
                                              .step = step_ancestral,
                                              .level = level};
