/*
 * pndm.c: Liu et al. 2022, "Pseudo numerical methods for diffusion models on manifolds": linear
 * multistep of order 4 (PLMS), started by repeating the second timestep or, unless skip_prk_steps,
 * by three Runge-Kutta steps of four evaluations. diffusers: scheduling_pndm.py.
 */
#include "engine/sampling/family.h"

#include <string.h>

enum { PRK_EVALUATIONS = 12 };

struct pndm {
    int counter; /* evaluations of this run: what strength skips does not count */
};

/* The evaluations of the Runge-Kutta start, from the four largest timesteps a < b < c < d: d, then
 * c + half twice, c twice, ..., a + half twice, a. */
static void list_prk(struct sampler *s, const double *t)
{
    int half = s->o.train / s->steps / 2, n = 0;

    s->timesteps[n++] = t[0];
    for (int i = 1; i < 4; i++) {
        s->timesteps[n] = s->timesteps[n + 1] = t[i] + half;
        n += 2;
        for (int k = i < 3 ? 2 : 1; k > 0; k--)
            s->timesteps[n++] = t[i];
    }
}

static int prepare(struct sampler *s, struct err *e)
{
    double *t = arena_alloc(&s->arena, ((size_t)s->steps + 1) * sizeof *t);
    int n = schedule_spaced(s, SPACING_ROUNDED, t);

    if (s->o.skip_prk) {
        schedule_reserve(s, n > 1 ? n + 1 : n);
        for (int i = 0; i < s->evaluations; i++)
            s->timesteps[i] = t[i < 2 ? i : i - 1];
        return 0;
    }
    if (n < 4)
        return ERR(e, ERR_ARG,
                   "sampler pndm with Runge-Kutta steps (skip_prk_steps is not set in the model's "
                   "scheduler config) needs at least 4 steps");
    schedule_reserve(s, PRK_EVALUATIONS + n - 3);
    list_prk(s, t);
    for (int i = 3; i < n; i++)
        s->timesteps[PRK_EVALUATIONS + i - 3] = t[i];
    return 0;
}

/* Formula (9): from timestep t to `next` with the combined answer m. */
static void transfer(struct sampler *s, const float *from, int t, int next, const float *m)
{
    float a = alpha_at(s, t), final = s->o.alpha_to_one ? 1 : s->alphas[0];
    float b = next >= 0 ? alpha_at(s, next) : final;
    float signal = sqrtf(a), spread = sqrtf(1 - a), keep = sqrtf(b / a), gap = b - a;
    float divisor = a * sqrtf(1 - b) + sqrtf(a * (1 - a) * b);

    for (size_t i = 0; i < s->count; i++) {
        float x = from[i], epsilon = m[i];
        if (s->o.prediction == PREDICT_V)
            epsilon = signal * epsilon + spread * x;
        s->clean[i] = (x - spread * epsilon) / signal;
        s->x[i] = keep * x - gap * epsilon / divisor;
    }
}

static void step_prk(struct sampler *s, struct pndm *p, const float *output)
{
    float *sum = s->draw, *from = s->history[4];
    int half = p->counter % 2 ? 0 : s->o.train / s->steps / 2, phase = p->counter % 4;
    int next = (int)s->timesteps[s->at] - half, t = (int)s->timesteps[p->counter / 4 * 4];
    float sixth = (float)(1 / 6.0), third = (float)(1 / 3.0);

    if (phase == 0) {
        memcpy(history_push(s, 4), output, s->count * sizeof *output);
        memcpy(from, s->x, s->count * sizeof *from);
        for (size_t i = 0; i < s->count; i++)
            sum[i] = sixth * output[i];
    } else {
        for (size_t i = 0; i < s->count; i++)
            sum[i] += (phase == 3 ? sixth : third) * output[i];
    }
    transfer(s, from, t, next, phase == 3 ? sum : output);
}

static void combine(const struct sampler *s, const float *output, bool redo, float *m)
{
    const float *a = s->history[0], *b = s->history[1], *c = s->history[2], *d = s->history[3];

    for (size_t i = 0; i < s->count; i++) {
        if (redo)
            m[i] = (output[i] + a[i]) / 2;
        else if (s->known == 1)
            m[i] = a[i];
        else if (s->known == 2)
            m[i] = (3 * a[i] - b[i]) / 2;
        else if (s->known == 3)
            m[i] = (23 * a[i] - 16 * b[i] + 5 * c[i]) / 12;
        else
            m[i] = (float)(1 / 24.0) * (55 * a[i] - 59 * b[i] + 37 * c[i] - 9 * d[i]);
    }
}

static void step_plms(struct sampler *s, const struct pndm *p, const float *output)
{
    int stride = s->o.train / s->steps, t = (int)s->timesteps[s->at], next = t - stride;
    float *m = s->draw, *from = s->history[4];
    bool redo = p->counter == 1; /* the second timestep again, now with two slopes */

    if (redo) {
        next = t;
        t += stride;
    } else {
        memcpy(history_push(s, 4), output, s->count * sizeof *output);
    }
    combine(s, output, redo, m);
    if (p->counter == 0)
        memcpy(from, s->x, s->count * sizeof *from);
    transfer(s, redo ? from : s->x, t, next, m);
}

static void step(struct sampler *s, const float *output)
{
    struct pndm *p = s->state;

    if (!s->o.skip_prk && p->counter < PRK_EVALUATIONS)
        step_prk(s, p, output);
    else
        step_plms(s, p, output);
    p->counter++;
}

const struct family family_pndm = {.space = SPACE_ALPHA,
                                   .order = 1,
                                   .vectors = 5,
                                   .state = sizeof(struct pndm),
                                   .no_sample = true,
                                   .prepare = prepare,
                                   .step = step};
