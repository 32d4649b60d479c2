/*
 * sampler.h: samplers as step machines. A sampler never calls the network: it says what it wants
 * evaluated and is fed the answer, so that the wants of several requests can share one pass.
 *
 *   struct sampler *s;
 *   if (sampler_new(&spec, &config, noise, start, &s, &e)) ...
 *   struct sampler_want want;
 *   while (sampler_next(s, &want)) {
 *       network(want.input, want.timestep, output);
 *       sampler_feed(s, output);
 *   }
 *   memcpy(latents, sampler_latents(s), ...);
 *   sampler_free(s);
 *
 * Reference: diffusers 0.42 schedulers (src/diffusers/schedulers), default values included: a key
 * that is absent from the model's scheduler_config.json takes the default of the sampler's own
 * diffusers class. Layout: all vectors hold spec.count numbers in torch's order [c][h][w]. Threads:
 * one thread at a time per sampler. Ownership: the sampler copies `start` and borrows `noise` until
 * it is freed.
 */
#ifndef ENGINE_SAMPLER_H
#define ENGINE_SAMPLER_H

#include "base/err.h"
#include "base/str.h"
#include "engine/sampling/noise.h"

#include <stdbool.h>
#include <stddef.h>

enum sampler_kind {
    SAMPLER_EULER,
    SAMPLER_EULER_ANCESTRAL,
    SAMPLER_HEUN,
    SAMPLER_DPM_2,
    SAMPLER_DPM_2_ANCESTRAL,
    SAMPLER_LMS,
    SAMPLER_DPMPP_2M,
    SAMPLER_DPMPP_2M_SDE,
    SAMPLER_DPMPP_2S,
    SAMPLER_DPMPP_SDE,
    SAMPLER_UNI_PC,
    SAMPLER_DEIS,
    SAMPLER_DDIM,
    SAMPLER_DDPM,
    SAMPLER_PNDM,
    SAMPLER_LCM,
    SAMPLER_TCD,
    SAMPLER_COUNT
};
enum schedule_kind {
    SCHEDULE_MODEL,
    SCHEDULE_UNIFORM,
    SCHEDULE_KARRAS,
    SCHEDULE_EXPONENTIAL,
    SCHEDULE_BETA,
    SCHEDULE_SGM_UNIFORM,
    SCHEDULE_COUNT
};
enum spacing_kind {
    SPACING_MODEL,
    SPACING_LEADING,
    SPACING_LINSPACE,
    SPACING_TRAILING,
    SPACING_COUNT
};
enum prediction_kind { PREDICT_EPSILON, PREDICT_V, PREDICT_SAMPLE };
enum beta_kind { BETA_LINEAR, BETA_SCALED_LINEAR, BETA_SQUAREDCOS };

/* A tri-state for keys whose absence means "the class's default". */
enum option { OPTION_ABSENT, OPTION_FALSE, OPTION_TRUE };

/* What a scheduler_config.json says. Numbers that were absent are NAN (or -1 for integers). */
struct scheduler_config {
    enum sampler_kind kind; /* of _class_name: the model's own sampler */
    int num_train_timesteps;
    double beta_start, beta_end;
    enum beta_kind beta_schedule;
    bool beta_schedule_absent, prediction_absent;
    enum prediction_kind prediction;
    enum spacing_kind spacing; /* SPACING_MODEL: absent */
    int steps_offset;
    enum option set_alpha_to_one, clip_sample, rescale_betas_zero_snr, skip_prk_steps,
        lower_order_final, euler_at_final, use_karras_sigmas, use_exponential_sigmas,
        use_beta_sigmas, final_sigma_min /* final_sigmas_type: "sigma_min" TRUE, "zero" FALSE */;
    double clip_sample_range;
    int solver_order;
    enum option sde;         /* algorithm_type: "sde-dpmsolver++" TRUE, "dpmsolver++" FALSE */
    enum option solver_heun; /* solver_type of DPM-Solver: "heun" TRUE, "midpoint" FALSE */
    enum option uni_bh1;     /* solver_type of UniPC: "bh1" TRUE, "bh2" FALSE */
    double original_inference_steps, timestep_scaling; /* LCM, TCD */
};

/* Every field absent. */
void scheduler_config_init(struct scheduler_config *c);
/* Parse a scheduler_config.json. Keys that change the result and that this engine does not do
 * (thresholding, trained_betas, flow sigmas, other variance types, unknown classes, ...) are
 * ERR_UNSUPPORTED with the key's name; broken JSON is ERR_FORMAT. */
WARN_UNUSED_RESULT int scheduler_config_parse(struct str json, struct scheduler_config *out,
                                              struct err *e);

struct sampler_spec {
    enum sampler_kind kind;
    enum schedule_kind schedule;
    enum spacing_kind spacing;
    int steps;       /* 1 .. num_train_timesteps */
    double eta;      /* DDIM, TCD; 0 by default, as a diffusers pipeline passes it */
    size_t count;    /* numbers in one picture's latents */
    double strength; /* 1: text to image; below: image to image keeps min(int(steps * strength),
                        steps) steps (double product) */
};

struct sampler_want {
    const float *input; /* [count], scaled for the network (scale_model_input) */
    double timestep;    /* may be fractional */
    double x0_sigma;    /* sigma at this point, for previews; infinite at a zero terminal SNR */
};

struct sampler;

/* `start`: text to image: N(0,1) noise, which the sampler scales by init_noise_sigma; image to
 * image: the clean latents, to which `fresh` ([count] of N(0,1), NULL for text to image) is added
 * for the first kept timestep. `noise` is drawn from by samplers that need it, in the order in
 * which diffusers draws. dpmpp_sde takes its Brownian tree's seed from `seed`. ERR_ARG names what
 * is not legal together (a schedule that a sampler does not have, too many steps). */
WARN_UNUSED_RESULT int sampler_new(const struct sampler_spec *spec,
                                   const struct scheduler_config *config, struct noise *noise,
                                   uint64_t seed, const float *start, const float *fresh,
                                   struct sampler **out, struct err *e);
/* False when the picture is done. `want` is valid until the feed. */
bool sampler_next(struct sampler *s, struct sampler_want *want);
/* The network's (guided) answer to the last want: epsilon, v or sample, as the config says.
 * [count]. */
void sampler_feed(struct sampler *s, const float *output);
/* As diffusers' callback_on_step_end sees them. */
const float *sampler_latents(const struct sampler *s);
/* The last estimate of the clean latents, for previews; zeros before the first feed. */
const float *sampler_predicted(const struct sampler *s);
/* How many wants there will be in all (first-order: steps; Heun: 2 steps - 1; ...), and how many
 * have been fed. */
int sampler_evaluations(const struct sampler *s);
int sampler_evaluation(const struct sampler *s);
/* The last feed completed a timestep of diffusers' loop: its callback fires on every evaluation. */
bool sampler_at_step_end(const struct sampler *s);
/* For inpainting on 4-channel models: latents of the known picture at the noise level of the
 * timestep after the current one, and a way to put the blend back: out = what diffusers'
 * scheduler.add_noise(known, noise, timesteps[i + 1]) gives; the clean ones after the last. */
void sampler_noised(const struct sampler *s, const float *known, const float *noise, float *out);
void sampler_replace(struct sampler *s, const float *latents);
void sampler_free(struct sampler *s);

/* Names of design 3.4; A1111's and ComfyUI's names are accepted as aliases (case-insensitive;
 * "DPM++ 2M Karras" also sets *schedule). False when unknown. */
bool sampler_by_name(struct str name, enum sampler_kind *out, enum schedule_kind *schedule);
const char *sampler_name(enum sampler_kind k);
const char *sampler_class(enum sampler_kind k); /* diffusers' class, "EulerDiscreteScheduler" */
bool schedule_by_name(struct str name, enum schedule_kind *out);
const char *schedule_name(enum schedule_kind k);
bool spacing_by_name(struct str name, enum spacing_kind *out);
const char *spacing_name(enum spacing_kind k);
/* The i-th alias, NULL beyond the last. */
const char *sampler_alias(enum sampler_kind k, int i);
const char *schedule_alias(enum schedule_kind k, int i);
/* What a sampler is like, whatever the model. */
struct sampler_traits {
    bool second_order; /* two evaluations in a step */
    bool stochastic;   /* draws new noise in every step */
    bool eta, spacing; /* whether it takes these */
};
struct sampler_traits sampler_traits(enum sampler_kind k);
/* Whether the two go together in diffusers. */
bool sampler_has_schedule(enum sampler_kind k, enum schedule_kind s);

#endif
