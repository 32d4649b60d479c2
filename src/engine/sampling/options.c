/* options.c: what holds for a run: the class's defaults, the model's config, the request's wishes.
 */
#include "engine/sampling/family.h"

#include <string.h>

static bool is(enum option o, bool absent)
{
    return o == OPTION_ABSENT ? absent : o == OPTION_TRUE;
}

static double number(double value, double absent)
{
    return isnan(value) ? absent : value;
}

/* The schedules of a sampler, for messages: "model, uniform, karras". */
static const char *legal_schedules(enum sampler_kind k, char *text, size_t room)
{
    size_t n = 0;

    text[0] = 0;
    for (int i = 0; i < SCHEDULE_COUNT; i++)
        if (sampler_has_schedule(k, (enum schedule_kind)i)) {
            const char *name = schedule_name((enum schedule_kind)i);
            if (n + strlen(name) + 3 > room)
                break;
            if (n)
                n = (size_t)(stpcpy(text + n, ", ") - text);
            n = (size_t)(stpcpy(text + n, name) - text);
        }
    return text;
}

static int resolve_schedule(struct options *o, const struct sampler_spec *spec,
                            const struct scheduler_config *c, struct err *e)
{
    const struct sampler_class *class = &sampler_classes[spec->kind];
    bool curves = class->reads & READS_CURVES, spaces = class->reads & READS_SPACING;
    char legal[200];

    if (!sampler_has_schedule(spec->kind, spec->schedule))
        return ERR(e, ERR_ARG, "sampler %s has no %s schedule; it has %s", class->name,
                   schedule_name(spec->schedule), legal_schedules(spec->kind, legal, sizeof legal));
    if (spec->spacing != SPACING_MODEL && !spaces)
        return ERR(e, ERR_ARG, "sampler %s has its own timestep spacing; leave out --spacing",
                   class->name);
    if (spec->schedule == SCHEDULE_SGM_UNIFORM && spec->spacing != SPACING_MODEL &&
        spec->spacing != SPACING_TRAILING)
        return ERR(e, ERR_ARG,
                   "schedule sgm_uniform means trailing spacing; it does not go with %s",
                   spacing_name(spec->spacing));

    o->spacing = c->spacing != SPACING_MODEL && spaces ? c->spacing : class->spacing;
    if (spec->spacing != SPACING_MODEL)
        o->spacing = spec->spacing;
    o->curve = SCHEDULE_UNIFORM;
    if (spec->schedule == SCHEDULE_SGM_UNIFORM) {
        o->spacing = SPACING_TRAILING;
    } else if (spec->schedule != SCHEDULE_MODEL) {
        o->curve = spec->schedule;
    } else if (curves) {
        int asked = 0;
        if (is(c->use_karras_sigmas, false))
            o->curve = SCHEDULE_KARRAS, asked++;
        if (is(c->use_exponential_sigmas, false))
            o->curve = SCHEDULE_EXPONENTIAL, asked++;
        if (is(c->use_beta_sigmas, false))
            o->curve = SCHEDULE_BETA, asked++;
        if (asked > 1)
            return ERR(e, ERR_FORMAT,
                       "the scheduler config asks for several of karras, "
                       "exponential and beta sigmas; choose one with --schedule");
    }
    return 0;
}

static int check(const struct sampler_spec *spec, const struct options *o, struct err *e)
{
    if (spec->steps < 1 || spec->steps > o->train)
        return ERR(e, ERR_ARG, "%d steps asked for; this model allows 1 to %d", spec->steps,
                   o->train);
    if (!(spec->strength >= 0 && spec->strength <= 1))
        return ERR(e, ERR_ARG, "strength %g is not between 0 and 1", spec->strength);
    if (!(spec->eta >= 0 && spec->eta <= 1))
        return ERR(e, ERR_ARG, "eta %g is not between 0 and 1", spec->eta);
    if (spec->eta > 0 && !(sampler_classes[spec->kind].reads & READS_ETA))
        return ERR(e, ERR_ARG, "sampler %s takes no eta; ddim and tcd do",
                   sampler_classes[spec->kind].name);
    if (!spec->count)
        return ERR(e, ERR_ARG, "latents of size 0");
    return 0;
}

int options_resolve(struct options *o, const struct sampler_spec *spec,
                    const struct scheduler_config *c, struct err *e)
{
    const struct sampler_class *class = &sampler_classes[spec->kind];
    int rc;

    *o = (struct options){
        .train = c->num_train_timesteps < 0 ? 1000 : c->num_train_timesteps,
        .beta_start = number(c->beta_start, class->beta_start),
        .beta_end = number(c->beta_end, class->beta_end),
        .betas = c->beta_schedule_absent ? class->betas : c->beta_schedule,
        .prediction = c->prediction_absent ? PREDICT_EPSILON : c->prediction,
        .offset = c->steps_offset < 0 ? 0 : c->steps_offset,
        .alpha_to_one = is(c->set_alpha_to_one, class->alpha_to_one),
        .clip = (class->reads & READS_CLIP) && is(c->clip_sample, class->clip),
        .zero_snr = (class->reads & READS_ZERO_SNR) && is(c->rescale_betas_zero_snr, false),
        .skip_prk = is(c->skip_prk_steps, false),
        .lower_order_final = is(c->lower_order_final, class->lower_order_final),
        .euler_at_final = is(c->euler_at_final, false),
        .final_sigma_min = (class->reads & READS_FINAL) && is(c->final_sigma_min, false),
        .sde = is(c->sde, false),
        .heun = is(c->solver_heun, false),
        .bh1 = is(c->uni_bh1, false),
        .clip_range = (float)number(c->clip_sample_range, 1),
        .order = c->solver_order < 0 ? 2 : c->solver_order,
        .original_steps = (int)number(c->original_inference_steps, 50),
        .timestep_scaling = number(c->timestep_scaling, 10),
    };
    if (spec->kind == SAMPLER_DPMPP_2M || spec->kind == SAMPLER_DPMPP_2M_SDE)
        o->sde = spec->kind == SAMPLER_DPMPP_2M_SDE;
    if (spec->kind == SAMPLER_DEIS && o->sde)
        return ERR(e, ERR_UNSUPPORTED,
                   "sampler deis does not go with algorithm_type sde-dpmsolver++ of the model's "
                   "scheduler config");
    if (class->family->no_sample && o->prediction == PREDICT_SAMPLE)
        return ERR(e, ERR_UNSUPPORTED, "sampler %s does not do sample prediction", class->name);
    if ((rc = check(spec, o, e)))
        return rc;
    return resolve_schedule(o, spec, c, e);
}
