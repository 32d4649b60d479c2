/*
 * family.h: what the sampler families share; private to this room.
 *
 * A sampler is a list of timesteps and one rule that turns the network's answer at one of them into
 * the latents at the next. sampler.c owns the loop, the files named after families own the rules:
 *
 *   static int prepare(struct sampler *s, struct err *e)       fills timesteps and sigmas
 *   static void step(struct sampler *s, const float *output)   s->x at s->at becomes s->x at s->at
 * + 1 const struct family family_euler = {.prepare = prepare, .step = step, ...};
 *
 * Scalars are float and combined in the order of diffusers' 0-dimensional tensors, so that latents
 * agree to the last digits. Ownership: everything hangs on the sampler's arena.
 */
#ifndef ENGINE_SAMPLING_FAMILY_H
#define ENGINE_SAMPLING_FAMILY_H

#include "base/arena.h"
#include "engine/sampling/sampler.h"

#include <math.h>
#include <stdint.h>

/* A scheduler_config after the class's defaults and the request's wishes. */
struct options {
    int train; /* num_train_timesteps */
    double beta_start, beta_end;
    enum beta_kind betas;
    enum prediction_kind prediction;
    enum spacing_kind spacing; /* never SPACING_MODEL */
    enum schedule_kind curve;  /* SCHEDULE_UNIFORM, _KARRAS, _EXPONENTIAL or _BETA */
    int offset;                /* steps_offset */
    bool alpha_to_one, clip, zero_snr, skip_prk, lower_order_final, euler_at_final;
    bool final_sigma_min, sde, heun, bh1;
    float clip_range;
    int order;          /* solver_order, 1 to 3 */
    int original_steps; /* LCM, TCD */
    double timestep_scaling;
};

/* How latents and noise are mixed. */
enum space {
    SPACE_SIGMA, /* x + sigma noise; the network sees x / sqrt(sigma^2 + 1) */
    SPACE_VP,    /* (x + sigma noise) / sqrt(sigma^2 + 1), by a list of sigmas */
    SPACE_ALPHA, /* the same by a table of alphas_cumprod over timesteps */
};

struct family {
    enum space space;
    int order;      /* evaluations in a step of the user's counting: diffusers' `order` */
    int vectors;    /* how many [count] vectors of history the rule needs: s->history */
    size_t state;   /* size of the rule's own zeroed struct: s->state */
    bool no_sample; /* sample prediction is not done in diffusers */
    int (*prepare)(struct sampler *s, struct err *e);
    void (*step)(struct sampler *s, const float *output);
    float (*level)(const struct sampler *s); /* the input's sigma; NULL: sigmas[at] */
};

extern const struct family family_euler, family_euler_ancestral, family_heun, family_dpm_2,
    family_dpm_2_ancestral, family_lms, family_dpmpp_multistep, family_dpmpp_singlestep,
    family_dpmpp_sde, family_uni_pc, family_deis, family_ddim, family_ddpm, family_pndm, family_lcm,
    family_tcd;

/* Which keys of a config a diffusers class reads. */
enum {
    READS_SPACING = 1, /* timestep_spacing and steps_offset */
    READS_CURVES = 2,  /* use_karras_sigmas and its two sisters */
    READS_ZERO_SNR = 4,
    READS_ETA = 8,
    READS_CLIP = 16,
    READS_FINAL = 32, /* final_sigmas_type */
};

/* A diffusers scheduler class with its defaults. */
struct sampler_class {
    const char *name, *class_name;
    const struct family *family;
    unsigned reads;
    double beta_start, beta_end;
    enum beta_kind betas;
    enum spacing_kind spacing;
    bool clip, alpha_to_one, lower_order_final;
    bool stochastic; /* draws noise in every step, also at eta 0 */
};
extern const struct sampler_class sampler_classes[SAMPLER_COUNT];

struct sampler {
    struct arena arena;
    const struct family *family;
    struct options o;
    struct noise *noise; /* borrowed */
    uint64_t seed;
    int steps; /* as the user counts */
    double eta;
    size_t count;

    float *alphas;       /* [o.train] alphas_cumprod */
    float *table, *logs; /* [o.train] sigma of every timestep, and its logarithm as numpy has it */
    double *timesteps;   /* [evaluations] */
    float *sigmas;       /* [evaluations + 1] or more; not in SPACE_ALPHA */
    int evaluations, begin, at; /* at counts from 0, also where strength skips up to begin */

    float *x, *input, *clean, *draw; /* [count] each; draw: fresh noise */
    float *history[5];               /* [count] each */
    int known;                       /* vectors pushed to the history, up to its length */
    void *state;
};

/* ---- schedule.c ---- */

/* s->alphas, s->table and s->logs. */
int schedule_tables(struct sampler *s, struct err *e);

enum spacing_style {
    SPACING_FRACTIONAL, /* Euler and its kin */
    SPACING_ROUNDED,    /* DDIM and its kin */
    SPACING_WITHOUT_END /* DPM-Solver and its kin: of steps + 1 points the last is dropped */
};
/* The spaced timesteps, falling; returns how many (steps, or one more for some trailing ones).
 * t: [steps + 1]. */
int schedule_spaced(const struct sampler *s, enum spacing_style style, double *t);

struct points {
    int count;
    double *t, *sigma;
};
/* Spaced timesteps and their sigmas, bent to the curve asked for; the curve's ends are the chosen
 * sigmas or those of the whole table. timesteps_f32: np.float32 as most classes have it. */
struct points schedule_points(struct sampler *s, enum spacing_style style, bool whole_table,
                              bool timesteps_f32);

/* Space for n timesteps and n + 1 sigmas in s, with s->evaluations = n. */
void schedule_reserve(struct sampler *s, int n);

/* The whole of `prepare` for those who take the points as they are: fractional timesteps with
 * sigmas, and rounded timesteps without. */
int schedule_prepare_sigmas(struct sampler *s, struct err *e);
int schedule_prepare_alphas(struct sampler *s, struct err *e);

double schedule_sigma_to_t(const struct sampler *s, double sigma);
float schedule_sigma_to_t_f32(const struct sampler *s, float sigma); /* of a float32 tensor */
float schedule_log32(float x);                /* numpy's float32 logarithm, to the bit */
double schedule_beta_ppf(double p, double a); /* the inverse of the symmetric beta distribution */

/* ---- options.c ---- */

WARN_UNUSED_RESULT int options_resolve(struct options *o, const struct sampler_spec *spec,
                                       const struct scheduler_config *c, struct err *e);

/* ---- sampler.c ---- */

/* alphas_cumprod[t] as Python indexes: -1 is the last. */
static inline float alpha_at(const struct sampler *s, int t)
{
    if (t < 0)
        t += s->o.train;
    return s->alphas[t < 0 ? 0 : t >= s->o.train ? s->o.train - 1 : t];
}

/* A sigma as the pair of variance-preserving space. */
struct vp {
    float alpha, sigma, lambda;
};
static inline struct vp vp_of(float sigma)
{
    float alpha = 1 / sqrtf(sigma * sigma + 1), scaled = sigma * alpha;
    return (struct vp){alpha, scaled, logf(alpha) - logf(scaled)};
}

/* s->clean = the clean latents that output stands for, in the space of sigmas or of VP pairs. */
void clean_from_sigma(struct sampler *s, const float *output, float sigma);
void clean_from_vp(struct sampler *s, const float *output, struct vp v);
/* The same by a = alphas_cumprod[t], with clip_sample; epsilon: [count] or NULL. */
void clean_from_alpha(struct sampler *s, const float *output, float a, float *epsilon);
/* Make room for a new newest vector in front of the first n of s->history; returns it. s->known
 * counts up to n. */
float *history_push(struct sampler *s, int n);
/* s->draw = count new numbers. */
void draw_noise(struct sampler *s);

#endif
