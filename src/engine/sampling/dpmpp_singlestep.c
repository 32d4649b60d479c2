/*
 * dpmpp_singlestep.c: DPM-Solver++(2S) and (3S): groups of one, two or three evaluations that each
 * start from the same latents. Not ancestral. diffusers: scheduling_dpmsolver_singlestep.py.
 */
#include "engine/sampling/dpmpp.h"

#include <string.h>

struct singlestep {
    unsigned char *orders; /* [evaluations] */
};

/* get_order_list: 1, 2, 1, 2, ... or 1, 2, 3, 1, 2, 3, ...; lower_order_final mends what the count
 * of steps leaves over, and a final sigma of zero needs first order. */
static void list_orders(struct sampler *s, unsigned char *orders)
{
    int n = s->evaluations, order = s->o.order;
    bool lower = s->o.lower_order_final || n % order || !s->o.final_sigma_min;

    for (int i = 0; i < n; i++)
        orders[i] = (unsigned char)(i % order + 1);
    if (lower && order == 3 && n % 3 == 0)
        orders[n - 1] = 1;
    if (lower && order == 2 && n % 2 == 0)
        orders[n - 1] = 1;
    if (!s->o.final_sigma_min)
        orders[n - 1] = 1;
}

static int prepare(struct sampler *s, struct err *e)
{
    struct singlestep *state = s->state;

    (void)e;
    dpmpp_prepare(s, true, s->o.final_sigma_min ? s->table[0] : 0);
    state->orders = arena_alloc(&s->arena, (size_t)s->evaluations);
    list_orders(s, state->orders);
    return 0;
}

static void step_second(struct sampler *s, const struct vp *at, struct vp to)
{
    struct dpmpp_weights w = dpmpp_weigh(at[1], to, s->o.sde);
    const float *m0 = s->history[0], *m1 = s->history[1], *from = s->history[3];
    float h = to.lambda - at[1].lambda, r0 = (at[0].lambda - at[1].lambda) / h, scale = 1 / r0;
    float slope = s->o.heun ? w.slope : w.half;

    for (size_t i = 0; i < s->count; i++)
        s->x[i] = w.x * from[i] + w.mean * m1[i] + slope * (scale * (m0[i] - m1[i]));
}

static void step_third(struct sampler *s, const struct vp *at, struct vp to)
{
    struct dpmpp_weights w = dpmpp_weigh(at[2], to, s->o.sde);
    const float *m0 = s->history[0], *m1 = s->history[1], *m2 = s->history[2];
    const float *from = s->history[3];
    float h = to.lambda - at[2].lambda;
    float r0 = (at[0].lambda - at[2].lambda) / h, r1 = (at[1].lambda - at[2].lambda) / h;
    float scale0 = 1 / r0, scale1 = 1 / r1;

    for (size_t i = 0; i < s->count; i++) {
        float near = scale1 * (m1[i] - m2[i]), far = scale0 * (m0[i] - m2[i]);
        float x = w.x * from[i] + w.mean * m2[i];
        if (s->o.heun) {
            float slope = (r0 * near - r1 * far) / (r0 - r1);
            float bend = 2 * (far - near) / (r0 - r1);
            s->x[i] = x + w.slope * slope + w.bend * bend;
        } else {
            s->x[i] = x + w.slope * far;
        }
    }
}

static void step(struct sampler *s, const float *output)
{
    const struct singlestep *state = s->state;
    struct vp at[3] = {{0}}, to = vp_of(s->sigmas[s->at + 1]);
    float *from = s->history[3];
    int order = state->orders[s->at];

    at[0] = vp_of(s->sigmas[s->at]);
    clean_from_vp(s, output, at[0]);
    memcpy(history_push(s, s->o.order), s->clean, s->count * sizeof *s->clean);
    if (order > s->known)
        order = s->known;
    for (int i = 1; i < order; i++)
        at[i] = vp_of(s->sigmas[s->at - i]);

    struct dpmpp_weights w = dpmpp_weigh(at[order - 1], to, s->o.sde);
    if (order == 1) {
        memcpy(from, s->x, s->count * sizeof *from);
        for (size_t i = 0; i < s->count; i++)
            s->x[i] = w.x * from[i] + w.mean * s->clean[i];
    } else if (order == 2) {
        step_second(s, at, to);
    } else {
        step_third(s, at, to);
    }
    if (!s->o.sde)
        return;
    draw_noise(s);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] += w.noise * s->draw[i];
}

const struct family family_dpmpp_singlestep = {.space = SPACE_VP,
                                               .order = 1,
                                               .vectors = 4,
                                               .state = sizeof(struct singlestep),
                                               .prepare = prepare,
                                               .step = step};
