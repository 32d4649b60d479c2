/*
 * dpmpp_multistep.c: DPM-Solver++(2M), its SDE form and the third order; and what dpmpp.h declares.
 * diffusers: scheduling_dpmsolver_multistep.py.
 */
#include "engine/sampling/dpmpp.h"

struct dpmpp_weights dpmpp_weigh(struct vp from, struct vp to, bool sde)
{
    float h = to.lambda - from.lambda, decay = expf(-h);

    if (!sde)
        return (struct dpmpp_weights){
            .x = to.sigma / from.sigma,
            .mean = -(to.alpha * (decay - 1)),
            .half = -(0.5f * (to.alpha * (decay - 1))),
            .slope = to.alpha * ((decay - 1) / h + 1),
            .bend = -(to.alpha * ((decay - 1 + h) / (h * h) - 0.5f)),
        };
    float twice = expf(-2 * h);
    return (struct dpmpp_weights){
        .x = to.sigma / from.sigma * decay,
        .mean = to.alpha * (1 - twice),
        .half = 0.5f * (to.alpha * (1 - twice)),
        .slope = to.alpha * ((1 - twice) / (-2 * h) + 1),
        .bend = to.alpha * ((1 - twice - 2 * h) / (2 * h * (2 * h)) - 0.5f),
        .noise = to.sigma * sqrtf(1 - twice),
    };
}

void dpmpp_prepare(struct sampler *s, bool round_karras, float last)
{
    struct points p = schedule_points(s, SPACING_WITHOUT_END, true, false);

    schedule_reserve(s, p.count);
    for (int i = 0; i < p.count; i++) {
        bool round = s->o.curve == SCHEDULE_KARRAS && round_karras;
        s->timesteps[i] = round ? rint(p.t[i]) : trunc(p.t[i]);
        s->sigmas[i] = (float)p.sigma[i];
    }
    s->sigmas[p.count] = last;
}

static int prepare(struct sampler *s, struct err *e)
{
    (void)e;
    dpmpp_prepare(s, s->o.betas != BETA_SQUAREDCOS, s->o.final_sigma_min ? s->table[0] : 0);
    return 0;
}

/* The order of this step: it grows with the history and may fall again at the end. */
static int order_now(const struct sampler *s)
{
    int left = s->evaluations - s->at, order = s->o.order;
    bool few = s->o.lower_order_final && s->evaluations < 15;

    if (left == 1 && (s->o.euler_at_final || few || !s->o.final_sigma_min))
        order = 1;
    else if (left == 2 && few && order > 2)
        order = 2;
    return order < s->known ? order : s->known;
}

static void add_second(struct sampler *s, struct dpmpp_weights w, float r0)
{
    const float *m0 = s->history[0], *m1 = s->history[1];
    float slope = s->o.heun ? w.slope : w.half, scale = 1 / r0;

    for (size_t i = 0; i < s->count; i++)
        s->x[i] += slope * (scale * (m0[i] - m1[i]));
}

static void add_third(struct sampler *s, struct dpmpp_weights w, float r0, float r1)
{
    const float *m0 = s->history[0], *m1 = s->history[1], *m2 = s->history[2];
    float scale0 = 1 / r0, scale1 = 1 / r1, share = r0 / (r0 + r1), whole = 1 / (r0 + r1);

    for (size_t i = 0; i < s->count; i++) {
        float a = scale0 * (m0[i] - m1[i]), b = scale1 * (m1[i] - m2[i]);
        s->x[i] = s->x[i] + w.slope * (a + share * (a - b)) + w.bend * (whole * (a - b));
    }
}

static void step(struct sampler *s, const float *output)
{
    const float *sigma = s->sigmas + s->at;
    struct vp to = vp_of(sigma[1]), from = vp_of(sigma[0]);
    struct dpmpp_weights w = dpmpp_weigh(from, to, s->o.sde);
    float h = to.lambda - from.lambda;

    clean_from_vp(s, output, from);
    float *m0 = history_push(s, s->o.order);
    int order = order_now(s);
    for (size_t i = 0; i < s->count; i++) {
        m0[i] = s->clean[i];
        s->x[i] = w.x * s->x[i] + w.mean * m0[i];
    }
    if (order >= 2) {
        float past = vp_of(sigma[-1]).lambda, r0 = (from.lambda - past) / h;
        if (order == 2)
            add_second(s, w, r0);
        else
            add_third(s, w, r0, (past - vp_of(sigma[-2]).lambda) / h);
    }
    if (!s->o.sde)
        return;
    draw_noise(s); /* on every step, the last included */
    for (size_t i = 0; i < s->count; i++)
        s->x[i] += w.noise * s->draw[i];
}

const struct family family_dpmpp_multistep = {
    .space = SPACE_VP, .order = 1, .vectors = 3, .prepare = prepare, .step = step};
