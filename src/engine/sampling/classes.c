/* classes.c: the samplers, each with the diffusers class it equals and that class's defaults. */
#include "engine/sampling/family.h"

#define PLAIN_BETAS  .beta_start = 0.0001, .beta_end = 0.02, .betas = BETA_LINEAR
#define LATENT_BETAS .beta_start = 0.00085, .beta_end = 0.012

const struct sampler_class sampler_classes[SAMPLER_COUNT] = {
    [SAMPLER_EULER] = {"euler", "EulerDiscreteScheduler", &family_euler,
                       READS_SPACING | READS_CURVES | READS_ZERO_SNR | READS_FINAL, PLAIN_BETAS,
                       .spacing = SPACING_LINSPACE},
    [SAMPLER_EULER_ANCESTRAL] = {"euler_ancestral", "EulerAncestralDiscreteScheduler",
                                 &family_euler_ancestral, READS_SPACING | READS_ZERO_SNR,
                                 PLAIN_BETAS, .spacing = SPACING_LINSPACE, .stochastic = true},
    [SAMPLER_HEUN] = {"heun", "HeunDiscreteScheduler", &family_heun,
                      READS_SPACING | READS_CURVES | READS_CLIP, LATENT_BETAS, .betas = BETA_LINEAR,
                      .spacing = SPACING_LINSPACE},
    [SAMPLER_DPM_2] = {"dpm_2", "KDPM2DiscreteScheduler", &family_dpm_2,
                       READS_SPACING | READS_CURVES, LATENT_BETAS, .betas = BETA_LINEAR,
                       .spacing = SPACING_LINSPACE},
    [SAMPLER_DPM_2_ANCESTRAL] = {"dpm_2_ancestral", "KDPM2AncestralDiscreteScheduler",
                                 &family_dpm_2_ancestral, READS_SPACING | READS_CURVES,
                                 LATENT_BETAS, .betas = BETA_LINEAR, .spacing = SPACING_LINSPACE,
                                 .stochastic = true},
    [SAMPLER_LMS] = {"lms", "LMSDiscreteScheduler", &family_lms, READS_SPACING | READS_CURVES,
                     PLAIN_BETAS, .spacing = SPACING_LINSPACE},
    [SAMPLER_DPMPP_2M] = {"dpmpp_2m", "DPMSolverMultistepScheduler", &family_dpmpp_multistep,
                          READS_SPACING | READS_CURVES | READS_ZERO_SNR | READS_FINAL, PLAIN_BETAS,
                          .spacing = SPACING_LINSPACE, .lower_order_final = true},
    [SAMPLER_DPMPP_2M_SDE] = {"dpmpp_2m_sde", "DPMSolverMultistepScheduler",
                              &family_dpmpp_multistep,
                              READS_SPACING | READS_CURVES | READS_ZERO_SNR | READS_FINAL,
                              PLAIN_BETAS, .spacing = SPACING_LINSPACE, .lower_order_final = true,
                              .stochastic = true},
    [SAMPLER_DPMPP_2S] = {"dpmpp_2s", "DPMSolverSinglestepScheduler", &family_dpmpp_singlestep,
                          READS_CURVES | READS_FINAL, PLAIN_BETAS, .spacing = SPACING_LINSPACE},
    [SAMPLER_DPMPP_SDE] = {"dpmpp_sde", "DPMSolverSDEScheduler", &family_dpmpp_sde,
                           READS_SPACING | READS_CURVES, LATENT_BETAS, .betas = BETA_LINEAR,
                           .spacing = SPACING_LINSPACE, .stochastic = true},
    [SAMPLER_UNI_PC] = {"uni_pc", "UniPCMultistepScheduler", &family_uni_pc,
                        READS_SPACING | READS_CURVES | READS_ZERO_SNR | READS_FINAL, PLAIN_BETAS,
                        .spacing = SPACING_LINSPACE, .lower_order_final = true},
    [SAMPLER_DEIS] = {"deis", "DEISMultistepScheduler", &family_deis, READS_SPACING | READS_CURVES,
                      PLAIN_BETAS, .spacing = SPACING_LINSPACE, .lower_order_final = true},
    [SAMPLER_DDIM] = {"ddim", "DDIMScheduler", &family_ddim,
                      READS_SPACING | READS_ZERO_SNR | READS_ETA | READS_CLIP, PLAIN_BETAS,
                      .spacing = SPACING_LEADING, .clip = true, .alpha_to_one = true},
    [SAMPLER_DDPM] = {"ddpm", "DDPMScheduler", &family_ddpm,
                      READS_SPACING | READS_ZERO_SNR | READS_CLIP, PLAIN_BETAS,
                      .spacing = SPACING_LEADING, .clip = true, .stochastic = true},
    [SAMPLER_PNDM] = {"pndm", "PNDMScheduler", &family_pndm, READS_SPACING, PLAIN_BETAS,
                      .spacing = SPACING_LEADING},
    [SAMPLER_LCM] = {"lcm", "LCMScheduler", &family_lcm, READS_ZERO_SNR | READS_CLIP, LATENT_BETAS,
                     .betas = BETA_SCALED_LINEAR, .spacing = SPACING_LEADING, .alpha_to_one = true,
                     .stochastic = true},
    [SAMPLER_TCD] = {"tcd", "TCDScheduler", &family_tcd, READS_ZERO_SNR | READS_ETA, LATENT_BETAS,
                     .betas = BETA_SCALED_LINEAR, .spacing = SPACING_LEADING, .alpha_to_one = true},
};

struct sampler_traits sampler_traits(enum sampler_kind k)
{
    const struct sampler_class *c = &sampler_classes[k];

    return (struct sampler_traits){.second_order = c->family->order == 2,
                                   .stochastic = c->stochastic,
                                   .eta = c->reads & READS_ETA,
                                   .spacing = c->reads & READS_SPACING};
}

bool sampler_has_schedule(enum sampler_kind k, enum schedule_kind s)
{
    unsigned reads = sampler_classes[k].reads;

    switch (s) {
    case SCHEDULE_KARRAS:
    case SCHEDULE_EXPONENTIAL:
    case SCHEDULE_BETA:
        return reads & READS_CURVES;
    case SCHEDULE_SGM_UNIFORM:
        return reads & READS_SPACING;
    default:
        return true;
    }
}
