/*
 * deis.c: Zhang & Chen 2022, "Fast sampling of diffusion models with exponential integrator":
 * Adams-Bashforth on epsilon over rho = sigma / alpha, with polynomials in log rho. diffusers:
 * scheduling_deis_multistep.py.
 */
#include "engine/sampling/dpmpp.h"

/* It never ends at zero: the last sigma is the table's least, and is repeated for the curves. */
static int prepare(struct sampler *s, struct err *e)
{
    (void)e;
    dpmpp_prepare(s, true, s->table[0]);
    if (s->o.curve != SCHEDULE_UNIFORM)
        s->sigmas[s->evaluations] = s->sigmas[s->evaluations - 1];
    return 0;
}

static int order_now(const struct sampler *s)
{
    int left = s->evaluations - s->at, order = s->o.order;

    if (s->o.lower_order_final && s->evaluations < 15 && order > left)
        order = left;
    return order < s->known ? order : s->known;
}

/* Antiderivatives of the Lagrange polynomials in log t that are 1 at b and 0 at c (and d). */
static float integral2(float t, float b, float c)
{
    return t * (-schedule_log32(c) + schedule_log32(t) - 1) /
           (schedule_log32(b) - schedule_log32(c));
}

static float integral3(float t, float b, float c, float d)
{
    float lt = schedule_log32(t), lb = schedule_log32(b);
    float lc = schedule_log32(c), ld = schedule_log32(d);
    float numerator = t * (lc * (ld - lt + 1) - ld * lt + ld + lt * lt - 2 * lt + 2);

    return numerator / ((lb - lc) * (lb - ld));
}

static void step_first(struct sampler *s, struct vp from, struct vp to)
{
    const float *m0 = s->history[0];
    float keep = to.alpha / from.alpha, move = to.sigma * (expf(to.lambda - from.lambda) - 1);

    for (size_t i = 0; i < s->count; i++)
        s->x[i] = keep * s->x[i] - move * m0[i];
}

static void step_multi(struct sampler *s, int order, struct vp from, struct vp to)
{
    const float *m0 = s->history[0], *m1 = s->history[1], *m2 = s->history[2];
    struct vp past = vp_of(s->sigmas[s->at - 1]);
    float rt = to.sigma / to.alpha, r0 = from.sigma / from.alpha, r1 = past.sigma / past.alpha;
    float c0, c1, c2 = 0;

    if (order == 2) {
        c0 = integral2(rt, r0, r1) - integral2(r0, r0, r1);
        c1 = integral2(rt, r1, r0) - integral2(r0, r1, r0);
    } else {
        struct vp older = vp_of(s->sigmas[s->at - 2]);
        float r2 = older.sigma / older.alpha;
        c0 = integral3(rt, r0, r1, r2) - integral3(r0, r0, r1, r2);
        c1 = integral3(rt, r1, r2, r0) - integral3(r0, r1, r2, r0);
        c2 = integral3(rt, r2, r0, r1) - integral3(r0, r2, r0, r1);
    }
    for (size_t i = 0; i < s->count; i++) {
        float sum = s->x[i] / from.alpha + c0 * m0[i] + c1 * m1[i];
        s->x[i] = to.alpha * (order == 3 ? sum + c2 * m2[i] : sum);
    }
}

static void step(struct sampler *s, const float *output)
{
    struct vp from = vp_of(s->sigmas[s->at]), to = vp_of(s->sigmas[s->at + 1]);
    float *epsilon = history_push(s, s->o.order);
    int order = order_now(s);

    clean_from_vp(s, output, from);
    for (size_t i = 0; i < s->count; i++)
        epsilon[i] = (s->x[i] - from.alpha * s->clean[i]) / from.sigma;
    if (order == 1)
        step_first(s, from, to);
    else
        step_multi(s, order, from, to);
}

const struct family family_deis = {
    .space = SPACE_VP, .order = 1, .vectors = 3, .prepare = prepare, .step = step};
