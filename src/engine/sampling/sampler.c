/* sampler.c: the step machine: start and loop. The rules are in the families' files. */
#include "engine/sampling/family.h"

#include <stdlib.h>
#include <string.h>

/* ---- from the network's answer to clean latents and back ---- */

static float clamp(const struct sampler *s, float x)
{
    return x < -s->o.clip_range ? -s->o.clip_range : x > s->o.clip_range ? s->o.clip_range : x;
}

void clean_from_sigma(struct sampler *s, const float *output, float sigma)
{
    float square = sigma * sigma + 1, out = -sigma / sqrtf(square);

    for (size_t i = 0; i < s->count; i++)
        switch (s->o.prediction) {
        case PREDICT_EPSILON:
            s->clean[i] = s->x[i] - sigma * output[i];
            break;
        case PREDICT_V:
            s->clean[i] = output[i] * out + s->x[i] / square;
            break;
        case PREDICT_SAMPLE:
            s->clean[i] = output[i];
            break;
        }
    for (size_t i = 0; s->o.clip && i < s->count; i++)
        s->clean[i] = clamp(s, s->clean[i]);
}

void clean_from_vp(struct sampler *s, const float *output, struct vp v)
{
    for (size_t i = 0; i < s->count; i++)
        switch (s->o.prediction) {
        case PREDICT_EPSILON:
            s->clean[i] = (s->x[i] - v.sigma * output[i]) / v.alpha;
            break;
        case PREDICT_V:
            s->clean[i] = v.alpha * s->x[i] - v.sigma * output[i];
            break;
        case PREDICT_SAMPLE:
            s->clean[i] = output[i];
            break;
        }
}

void clean_from_alpha(struct sampler *s, const float *output, float a, float *epsilon)
{
    float signal = sqrtf(a), spread = sqrtf(1 - a);

    for (size_t i = 0; i < s->count; i++) {
        float x = s->x[i], o = output[i], noise = o;
        switch (s->o.prediction) {
        case PREDICT_EPSILON:
            s->clean[i] = (x - spread * o) / signal;
            break;
        case PREDICT_V:
            s->clean[i] = signal * x - spread * o;
            noise = signal * o + spread * x;
            break;
        case PREDICT_SAMPLE:
            s->clean[i] = o;
            noise = (x - signal * o) / spread;
            break;
        }
        if (epsilon)
            epsilon[i] = noise;
        if (s->o.clip)
            s->clean[i] = clamp(s, s->clean[i]);
    }
}

float *history_push(struct sampler *s, int n)
{
    float *oldest = s->history[n - 1];

    for (int i = n - 1; i > 0; i--)
        s->history[i] = s->history[i - 1];
    s->history[0] = oldest;
    if (s->known < n)
        s->known++;
    return oldest;
}

void draw_noise(struct sampler *s)
{
    noise_normal(s->noise, s->draw, s->count);
}

/* diffusers' add_noise at entry `at` of the timesteps. */
static void add_noise(const struct sampler *s, int at, const float *known, const float *noise,
                      float *out)
{
    float signal = 1, spread = 0;

    switch (s->family->space) {
    case SPACE_SIGMA:
        spread = s->sigmas[at];
        break;
    case SPACE_VP:
        signal = vp_of(s->sigmas[at]).alpha;
        spread = vp_of(s->sigmas[at]).sigma;
        break;
    case SPACE_ALPHA:
        signal = sqrtf(alpha_at(s, (int)s->timesteps[at]));
        spread = sqrtf(1 - alpha_at(s, (int)s->timesteps[at]));
        break;
    }
    for (size_t i = 0; i < s->count; i++)
        out[i] = signal * known[i] + spread * noise[i];
}

/* ---- the machine ---- */

static int reserve(struct sampler *s, struct err *e)
{
    int vectors = 4 + s->family->vectors;
    float *all = s->count > SIZE_MAX / sizeof(float) / 8
                     ? NULL
                     : arena_try(&s->arena, s->count * (size_t)vectors, sizeof(float));

    if (!all)
        return ERR(e, ERR_NOMEM, "no memory for latents of %zu numbers", s->count);
    s->x = all;
    s->input = all + s->count;
    s->clean = all + 2 * s->count;
    s->draw = all + 3 * s->count;
    for (int i = 0; i < s->family->vectors; i++)
        s->history[i] = all + (size_t)(4 + i) * s->count;
    if (s->family->state)
        s->state = arena_alloc(&s->arena, s->family->state);
    return 0;
}

/* The steps that strength keeps: s->begin. */
static int skip(struct sampler *s, double strength, struct err *e)
{
    int kept = (int)(s->steps * strength), skipped;

    if (kept < 1)
        return ERR(e, ERR_ARG,
                   "strength %g of %d steps leaves nothing to do; raise strength or steps",
                   strength, s->steps);
    skipped = s->steps - (kept < s->steps ? kept : s->steps);
    s->begin = skipped * s->family->order;
    s->at = s->begin;
    return 0;
}

static int check_timesteps(const struct sampler *s, struct err *e)
{
    for (int i = 0; s->family->space == SPACE_ALPHA && i < s->evaluations; i++)
        if (s->timesteps[i] >= s->o.train || s->timesteps[i] < -1)
            return ERR(e, ERR_ARG,
                       "%d steps with steps_offset %d reach timestep %g, beyond the %d of "
                       "training; take fewer steps",
                       s->steps, s->o.offset, s->timesteps[i], s->o.train);
    return 0;
}

static void scale_start(struct sampler *s, const float *start)
{
    float most = 0;

    if (s->family->space != SPACE_SIGMA) {
        memcpy(s->x, start, s->count * sizeof *start);
        return;
    }
    for (int i = 0; i <= s->evaluations; i++)
        most = fmaxf(most, s->sigmas[i]);
    if (s->o.spacing == SPACING_LEADING)
        most = sqrtf(most * most + 1);
    for (size_t i = 0; i < s->count; i++)
        s->x[i] = start[i] * most;
}

int sampler_new(const struct sampler_spec *spec, const struct scheduler_config *config,
                struct noise *noise, uint64_t seed, const float *start, const float *fresh,
                struct sampler **out, struct err *e)
{
    const struct sampler_class *class = &sampler_classes[spec->kind];
    struct sampler *s = NULL;
    struct options o;
    int rc;

    if ((rc = options_resolve(&o, spec, config, e)))
        return rc;
    s = calloc(1, sizeof *s);
    if (!s)
        return ERR(e, ERR_NOMEM, "no memory for a sampler");
    s->family = class->family;
    s->o = o;
    s->noise = noise;
    s->seed = seed;
    s->steps = spec->steps;
    s->eta = spec->eta;
    s->count = spec->count;
    if ((rc = reserve(s, e)) || (rc = schedule_tables(s, e)) || (rc = s->family->prepare(s, e)) ||
        (rc = check_timesteps(s, e)))
        goto out;
    if (fresh) {
        if ((rc = skip(s, spec->strength, e)))
            goto out;
        add_noise(s, s->begin, start, fresh, s->x);
    } else {
        scale_start(s, start);
    }
    *out = s;
    s = NULL;
out:
    sampler_free(s);
    return rc;
}

void sampler_free(struct sampler *s)
{
    if (!s)
        return;
    arena_release(&s->arena);
    free(s);
}

static float level(const struct sampler *s)
{
    float a;

    if (s->family->level)
        return s->family->level(s);
    if (s->family->space != SPACE_ALPHA)
        return s->sigmas[s->at];
    a = alpha_at(s, (int)s->timesteps[s->at]);
    return sqrtf((1 - a) / a);
}

bool sampler_next(struct sampler *s, struct sampler_want *want)
{
    const float *input = s->x;
    float sigma;

    if (s->at >= s->evaluations)
        return false;
    sigma = level(s);
    if (s->family->space == SPACE_SIGMA) {
        float scale = sqrtf(sigma * sigma + 1);
        for (size_t i = 0; i < s->count; i++)
            s->input[i] = s->x[i] / scale;
        input = s->input;
    }
    *want = (struct sampler_want){input, s->timesteps[s->at], (double)sigma};
    return true;
}

void sampler_feed(struct sampler *s, const float *output)
{
    if (s->at >= s->evaluations)
        return;
    s->family->step(s, output);
    s->at++;
}

const float *sampler_latents(const struct sampler *s)
{
    return s->x;
}

const float *sampler_predicted(const struct sampler *s)
{
    return s->clean;
}

int sampler_evaluations(const struct sampler *s)
{
    return s->evaluations - s->begin;
}

int sampler_evaluation(const struct sampler *s)
{
    return s->at - s->begin;
}

bool sampler_at_step_end(const struct sampler *s)
{
    return s->at > s->begin;
}

void sampler_noised(const struct sampler *s, const float *known, const float *noise, float *out)
{
    if (s->at >= s->evaluations)
        memcpy(out, known, s->count * sizeof *known);
    else
        add_noise(s, s->at, known, noise, out);
}

void sampler_replace(struct sampler *s, const float *latents)
{
    memcpy(s->x, latents, s->count * sizeof *latents);
}
