/*
 * unipc.c: Zhao et al. 2023, "UniPC: a unified predictor-corrector framework", predicting clean
 * latents. Each answer first corrects the latents that it was evaluated at, then predicts the next.
 * diffusers: scheduling_unipc_multistep.py.
 */
#include "engine/sampling/dpmpp.h"

#include <string.h>

enum { ORDER_MAX = 3 };

struct unipc {
    int order;   /* of the last prediction: its correction has the same */
    float *last; /* [count] the corrected latents that it started from */
};

static int prepare(struct sampler *s, struct err *e)
{
    struct unipc *u = s->state;

    if (s->o.bh1 && !s->o.final_sigma_min)
        return ERR(
            e, ERR_UNSUPPORTED,
            "sampler uni_pc with solver_type bh1 needs final_sigmas_type sigma_min: at a final "
            "sigma of zero its weights are infinite");
    dpmpp_prepare(s, true, s->o.final_sigma_min ? s->table[0] : 0);
    if (s->o.final_sigma_min && s->o.curve != SCHEDULE_UNIFORM)
        s->sigmas[s->evaluations] = s->sigmas[s->evaluations - 1];
    u->last = s->history[3];
    return 0;
}

/* The system R rho = b of one step (equation 8 and appendix E), from noise level `from` to `to`. */
struct system {
    float r[ORDER_MAX]; /* places of the older answers and, last, 1: (lambda_i - lambda_0) / h */
    float b[ORDER_MAX];
    float phi, weight; /* h phi_1 and B(h) */
};

static struct system set_up(const struct sampler *s, int order, struct vp from, struct vp to,
                            int newest)
{
    struct system y;
    float h = to.lambda - from.lambda, hh = -h;
    float phi_k, factorial = 1;

    for (int i = 1; i < order; i++)
        y.r[i - 1] = (vp_of(s->sigmas[newest - i]).lambda - from.lambda) / h;
    y.r[order - 1] = 1;
    y.phi = (float)expm1((double)hh); /* float's own is a digit off */
    y.weight = s->o.bh1 ? hh : y.phi;
    phi_k = y.phi / hh - 1;
    for (int i = 1; i <= order; i++) {
        y.b[i - 1] = phi_k * factorial / y.weight;
        factorial *= (float)(i + 1);
        phi_k = phi_k / hh - 1 / factorial;
    }
    return y;
}

/* Rows r^0, r^1, ... of the first n places: Gauss's elimination with row pivots, as LAPACK does. */
static void solve(const struct system *y, int n, float *rho)
{
    float a[ORDER_MAX][ORDER_MAX + 1];

    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            a[i][j] = i == 0 ? 1 : i == 1 ? y->r[j] : y->r[j] * y->r[j];
        a[i][n] = y->b[i];
    }
    for (int c = 0; c < n; c++) {
        int pivot = c;
        for (int i = c + 1; i < n; i++)
            if (fabsf(a[i][c]) > fabsf(a[pivot][c]))
                pivot = i;
        for (int j = 0; j <= n; j++) {
            float swap = a[c][j];
            a[c][j] = a[pivot][j];
            a[pivot][j] = swap;
        }
        for (int i = c + 1; i < n; i++)
            for (int j = n; j >= c; j--)
                a[i][j] -= a[i][c] / a[c][c] * a[c][j];
    }
    for (int i = n - 1; i >= 0; i--) {
        rho[i] = a[i][n];
        for (int j = i + 1; j < n; j++)
            rho[i] -= a[i][j] * rho[j];
        rho[i] /= a[i][i];
    }
}

/* The part of the older answers: sum of rho_k (m_k - m_0) / r_k at place i. */
static float older(const struct sampler *s, const struct system *y, const float *rho, int order,
                   size_t i)
{
    float sum = 0;

    for (int k = 1; k < order; k++)
        sum += rho[k - 1] * ((s->history[k][i] - s->history[0][i]) / y->r[k - 1]);
    return sum;
}

/* UniC: the step that led here once more, now that its end has been evaluated (s->clean). */
static void correct(struct sampler *s)
{
    const struct unipc *u = s->state;
    struct vp from = vp_of(s->sigmas[s->at - 1]), to = vp_of(s->sigmas[s->at]);
    struct system y = set_up(s, u->order, from, to, s->at - 1);
    float rho[ORDER_MAX] = {0.5f}, keep = to.sigma / from.sigma, move = to.alpha * y.phi;
    float bend = to.alpha * y.weight;

    if (u->order > 1)
        solve(&y, u->order, rho);
    for (size_t i = 0; i < s->count; i++) {
        float m0 = s->history[0][i], newest = rho[u->order - 1] * (s->clean[i] - m0);
        float rest = older(s, &y, rho, u->order, i);
        s->x[i] = keep * u->last[i] - move * m0 - bend * (rest + newest);
    }
}

/* UniP. */
static void predict(struct sampler *s, int order)
{
    struct vp from = vp_of(s->sigmas[s->at]), to = vp_of(s->sigmas[s->at + 1]);
    struct system y = set_up(s, order, from, to, s->at);
    float rho[ORDER_MAX] = {0.5f}, keep = to.sigma / from.sigma, move = to.alpha * y.phi;
    float bend = to.alpha * y.weight;

    if (order > 2)
        solve(&y, order - 1, rho);
    for (size_t i = 0; i < s->count; i++) {
        float x = keep * s->x[i] - move * s->history[0][i];
        s->x[i] = order > 1 ? x - bend * older(s, &y, rho, order, i) : x;
    }
}

static void step(struct sampler *s, const float *output)
{
    struct unipc *u = s->state;
    int left = s->evaluations - s->at, order = s->o.order;

    clean_from_vp(s, output, vp_of(s->sigmas[s->at]));
    if (s->known)
        correct(s);
    memcpy(history_push(s, s->o.order), s->clean, s->count * sizeof *s->clean);
    if (s->o.lower_order_final && order > left)
        order = left;
    u->order = order < s->known ? order : s->known;
    memcpy(u->last, s->x, s->count * sizeof *s->x);
    predict(s, u->order);
}

const struct family family_uni_pc = {.space = SPACE_VP,
                                     .order = 1,
                                     .vectors = 4,
                                     .state = sizeof(struct unipc),
                                     .prepare = prepare,
                                     .step = step};
