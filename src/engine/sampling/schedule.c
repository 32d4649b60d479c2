/*
 * schedule.c: noise tables, spacings and curves of diffusers' schedulers. Types follow numpy and
 * torch: tables are float32, everything that is computed from a chosen sigma is double.
 */
#include "engine/sampling/family.h"

#include <string.h>

/* ---- tables ---- */

/* torch.linspace in float32 (ATen/native/cpu/RangeFactoriesKernel.cpp): from both ends, with the
 * multiply-adds fused as torch's x86 builds have them. */
static float linspace32(float start, float end, int n, int i)
{
    float step = (end - start) / (float)(n - 1);
    if (n == 1)
        return start;
    return i < n / 2 ? fmaf(step, (float)i, start) : fmaf(-step, (float)(n - i - 1), end);
}

/* Nichol & Dhariwal 2021, "squaredcos_cap_v2". */
static double cosine_bar(double t)
{
    double c = cos((t + 0.008) / 1.008 * 3.14159265358979323846 / 2);
    return c * c;
}

static float beta_at(const struct options *o, int i)
{
    double n = o->train;
    float root;

    switch (o->betas) {
    case BETA_SCALED_LINEAR:
        root = linspace32((float)sqrt(o->beta_start), (float)sqrt(o->beta_end), o->train, i);
        return root * root;
    case BETA_SQUAREDCOS:
        return (float)fmin(1 - cosine_bar((i + 1) / n) / cosine_bar(i / n), 0.999);
    case BETA_LINEAR:
        break;
    }
    return linspace32((float)o->beta_start, (float)o->beta_end, o->train, i);
}

/* torch.cumprod of 1 - betas: float32 in and out, a double in between. */
static void cumulate(float *alphas, const float *betas, int n)
{
    double product = 1;
    for (int i = 0; i < n; i++) {
        product *= (double)(1.0f - betas[i]);
        alphas[i] = (float)product;
    }
}

/* Lin et al. 2023, "Common diffusion noise schedules and sample steps are flawed", algorithm 1. */
static void rescale_zero_snr(float *betas, float *bar, int n)
{
    cumulate(bar, betas, n);
    for (int i = 0; i < n; i++)
        bar[i] = sqrtf(bar[i]);
    float first = bar[0], last = bar[n - 1], scale = first / (first - last);
    for (int i = 0; i < n; i++) {
        float root = (bar[i] - last) * scale;
        bar[i] = root * root;
    }
    for (int i = 0; i < n; i++)
        betas[i] = 1 - (i ? bar[i] / bar[i - 1] : bar[0]);
}

int schedule_tables(struct sampler *s, struct err *e)
{
    int n = s->o.train;
    float *betas = arena_try(&s->arena, (size_t)n, sizeof *betas);

    s->alphas = arena_try(&s->arena, (size_t)n, sizeof *s->alphas);
    s->table = arena_try(&s->arena, (size_t)n, sizeof *s->table);
    s->logs = arena_try(&s->arena, (size_t)n, sizeof *s->logs);
    if (!betas || !s->alphas || !s->table || !s->logs)
        return ERR(e, ERR_NOMEM, "no memory for a schedule of %d training timesteps", n);
    for (int i = 0; i < n; i++)
        betas[i] = beta_at(&s->o, i);
    if (s->o.zero_snr)
        rescale_zero_snr(betas, s->alphas, n);
    cumulate(s->alphas, betas, n);
    if (s->o.zero_snr && s->family->space != SPACE_ALPHA)
        s->alphas[n - 1] = 0x1p-24f; /* so that the largest sigma is finite: 4096 */
    for (int i = 0; i < n; i++) {
        s->table[i] = sqrtf((1 - s->alphas[i]) / s->alphas[i]);
        s->logs[i] = schedule_log32(s->table[i]);
    }
    return 0;
}

/* ---- spacing ---- */

/* numpy.linspace(start, end, n)[i] */
static double linspace(double start, double end, int n, int i)
{
    if (n > 1 && i == n - 1)
        return end;
    return n > 1 ? (double)i * ((end - start) / (n - 1)) + start : start;
}

/* round(arange(T, 0, -T / n)) - 1. arange repeats its first difference, so a count that does not
 * divide T may give one entry more than asked for. */
static int spaced_trailing(int train, int n, double *t)
{
    double ratio = (double)train / n, difference = (train - ratio) - train;
    int count = (int)ceil(-(double)train / -ratio);

    if (count > n + 1)
        count = n + 1;
    for (int i = 0; i < count; i++)
        t[i] = rint(train + i * difference) - 1;
    return count;
}

int schedule_spaced(const struct sampler *s, enum spacing_style style, double *t)
{
    int n = s->steps, train = s->o.train, points = style == SPACING_WITHOUT_END ? n + 1 : n;
    int stride = train / points;

    if (s->o.spacing == SPACING_TRAILING)
        return spaced_trailing(train, n, t);
    for (int i = 0; i < n; i++) {
        int from_start = points - 1 - i;
        if (s->o.spacing == SPACING_LEADING) {
            t[i] = from_start * stride + s->o.offset;
        } else {
            t[i] = linspace(0, train - 1, points, from_start);
            if (style != SPACING_FRACTIONAL)
                t[i] = rint(t[i]);
        }
    }
    return n;
}

/* numpy.interp(t, arange(T), table) */
static double table_at(const struct sampler *s, double t)
{
    int last = s->o.train - 1;
    if (!(t > 0))
        return (double)s->table[0];
    if (t >= last)
        return (double)s->table[last];
    int i = (int)t;
    double low = (double)s->table[i], slope = (double)s->table[i + 1] - low;
    return slope * (t - i) + low;
}

/* ---- curves ---- */

double schedule_beta_ppf(double p, double a)
{
    if (p <= 0 || p >= 1 || p == 0.5)
        return p <= 0 ? 0 : p >= 1 ? 1 : 0.5;
    if (p > 0.5)
        return 1 - schedule_beta_ppf(1 - p, a);

    /* Newton on the power series of the incomplete beta function, which for x <= 1/2 gains a bit a
     * term: I(x) = x^a / B(a, a) * sum over k of (1 - a)_k / k! / (a + k) * x^k. */
    double whole = tgamma(a) * tgamma(a) / tgamma(2 * a);
    double x = fmin(pow(p * a * whole, 1 / a), 0.5);
    for (int round = 0; round < 50; round++) {
        double sum = 0, term = 1;
        for (int k = 0; k < 64; k++) {
            sum += term / (a + k);
            term *= (1 - a + k) / (k + 1) * x;
        }
        double over = (pow(x, a) * sum / whole - p) * whole / (pow(x, a - 1) * pow(1 - x, a - 1));
        x = fmin(fmax(x - over, x / 2), 0.5);
        if (fabs(over) <= 1e-16 * x)
            break;
    }
    return x;
}

static double curve_at(enum schedule_kind curve, double low, double high, int n, int i)
{
    double a, b;

    switch (curve) {
    case SCHEDULE_KARRAS: /* Karras et al. 2022, rho = 7 */
        a = pow(high, 1 / 7.0);
        b = pow(low, 1 / 7.0);
        return pow(a + linspace(0, 1, n, i) * (b - a), 7);
    case SCHEDULE_EXPONENTIAL:
        return exp(linspace(log(high), log(low), n, i));
    default: /* SCHEDULE_BETA: Lee et al. 2024, "Beta sampling is all you need" */
        return low + schedule_beta_ppf(1 - linspace(0, 1, n, i), 0.6) * (high - low);
    }
}

struct points schedule_points(struct sampler *s, enum spacing_style style, bool whole_table,
                              bool timesteps_f32)
{
    size_t room = (size_t)s->steps + 1;
    struct points p = {.t = arena_alloc(&s->arena, room * sizeof(double)),
                       .sigma = arena_alloc(&s->arena, room * sizeof(double))};

    p.count = schedule_spaced(s, style, p.t);
    for (int i = 0; i < p.count; i++) {
        if (timesteps_f32)
            p.t[i] = (double)(float)p.t[i];
        p.sigma[i] = table_at(s, p.t[i]);
    }
    if (s->o.curve == SCHEDULE_UNIFORM)
        return p;

    double low = whole_table ? (double)s->table[0] : p.sigma[p.count - 1];
    double high = whole_table ? (double)s->table[s->o.train - 1] : p.sigma[0];
    p.count = s->steps;
    for (int i = 0; i < p.count; i++) {
        p.sigma[i] = curve_at(s->o.curve, low, high, p.count, i);
        p.t[i] = schedule_sigma_to_t(s, p.sigma[i]);
    }
    return p;
}

void schedule_reserve(struct sampler *s, int n)
{
    s->evaluations = n;
    s->timesteps = arena_alloc(&s->arena, (size_t)n * sizeof *s->timesteps);
    s->sigmas = arena_alloc(&s->arena, ((size_t)n + 1) * sizeof *s->sigmas);
}

int schedule_prepare_sigmas(struct sampler *s, struct err *e)
{
    struct points p = schedule_points(s, SPACING_FRACTIONAL, false, true);

    (void)e;
    schedule_reserve(s, p.count);
    for (int i = 0; i < p.count; i++) {
        s->timesteps[i] = (double)(float)p.t[i];
        s->sigmas[i] = (float)p.sigma[i];
    }
    s->sigmas[p.count] = s->o.final_sigma_min ? s->table[0] : 0;
    return 0;
}

int schedule_prepare_alphas(struct sampler *s, struct err *e)
{
    double *t = arena_alloc(&s->arena, ((size_t)s->steps + 1) * sizeof *t);
    int n = schedule_spaced(s, SPACING_ROUNDED, t);

    (void)e;
    schedule_reserve(s, n);
    memcpy(s->timesteps, t, (size_t)n * sizeof *t);
    return 0;
}

/* ---- from sigma back to a timestep: linear in log sigma ---- */

static int last_not_above(const struct sampler *s, double log_sigma)
{
    int i = s->o.train - 1;
    while (i > 0 && log_sigma < (double)s->logs[i])
        i--;
    return i < s->o.train - 2 ? i : s->o.train - 2;
}

double schedule_sigma_to_t(const struct sampler *s, double sigma)
{
    double log_sigma = log(fmax(sigma, 1e-10));
    if (s->o.train < 2)
        return 0;
    int i = last_not_above(s, log_sigma);
    float low = s->logs[i], high = s->logs[i + 1];
    double w = ((double)low - log_sigma) / (double)(low - high);
    w = fmin(fmax(w, 0), 1);
    return (1 - w) * i + w * (i + 1);
}

float schedule_sigma_to_t_f32(const struct sampler *s, float sigma)
{
    float log_sigma = schedule_log32(fmaxf(sigma, 1e-10f));
    if (s->o.train < 2)
        return 0;
    int i = last_not_above(s, (double)log_sigma);
    float low = s->logs[i], high = s->logs[i + 1];
    float w = (low - log_sigma) / (low - high);
    w = fminf(fmaxf(w, 0), 1);
    return (1 - w) * (float)i + w * (float)(i + 1);
}

/* A ratio of two polynomials (numpy/_core/src/umath/loops_exponent_log, the AVX2 and AVX-512
 * kernels): up to 3.8 units in the last place from the true logarithm, so libm is no substitute
 * where a timestep hangs on the table's last digit. */
float schedule_log32(float x)
{
    int e;
    float m = frexpf(x, &e);

    if (!(x > 0) || isinf(x))
        return logf(x);
    if (m <= 0.70710678118654752440f) {
        m += m;
        e--;
    }
    float y = m - 1;
    float p = 2.589979117907922693523e-02f, q = 5.875095403124574342950e-03f;
    p = fmaf(p, y, 3.808837741388407920751e-01f);
    p = fmaf(p, y, 1.480000633576506585156e+00f);
    p = fmaf(p, y, 2.112677543073053063722e+00f);
    p = fmaf(p, y, 9.999999999999998702752e-01f);
    p = fmaf(p, y, 0.0f);
    q = fmaf(q, y, 1.546476374983906719538e-01f);
    q = fmaf(q, y, 9.864942958519418960339e-01f);
    q = fmaf(q, y, 2.453006071784736363091e+00f);
    q = fmaf(q, y, 2.612677543073109236779e+00f);
    q = fmaf(q, y, 1.0f);
    return fmaf((float)e, 0.69314718055994530942f, p / q);
}
