/* classes.c: the samplers, each with the diffusers class it equals and that class's defaults. */
#include "engine/sampling/family.h"

#define SIGMA_BETAS  .beta_start = 0.0001, .beta_end = 0.02, .betas = BETA_LINEAR
#define LATENT_BETAS .beta_start = 0.00085, .beta_end = 0.012

const struct sampler_class sampler_classes[SAMPLER_COUNT] = {
    [SAMPLER_EULER] = {"euler", "EulerDiscreteScheduler", &family_euler,
                       READS_SPACING | READS_CURVES | READS_ZERO_SNR, SIGMA_BETAS,
                       .spacing = SPACING_LINSPACE},
    [SAMPLER_EULER_ANCESTRAL] = {"euler_ancestral", "EulerAncestralDiscreteScheduler",
                                 &family_euler_ancestral, READS_SPACING | READS_ZERO_SNR,
                                 SIGMA_BETAS, .spacing = SPACING_LINSPACE},
    [SAMPLER_HEUN] = {"heun", "HeunDiscreteScheduler", NULL,
                      READS_SPACING | READS_CURVES | READS_CLIP, LATENT_BETAS, .betas = BETA_LINEAR,
                      .spacing = SPACING_LINSPACE},
    [SAMPLER_DPM_2] = {"dpm_2", "KDPM2DiscreteScheduler", NULL, READS_SPACING | READS_CURVES,
                       LATENT_BETAS, .betas = BETA_LINEAR, .spacing = SPACING_LINSPACE},
    [SAMPLER_DPM_2_ANCESTRAL] = {"dpm_2_ancestral", "KDPM2AncestralDiscreteScheduler", NULL,
                                 READS_SPACING | READS_CURVES, LATENT_BETAS, .betas = BETA_LINEAR,
                                 .spacing = SPACING_LINSPACE},
    [SAMPLER_LMS] = {"lms", "LMSDiscreteScheduler", NULL, READS_SPACING | READS_CURVES, SIGMA_BETAS,
                     .spacing = SPACING_LINSPACE},
    [SAMPLER_DPMPP_2M] = {"dpmpp_2m", "DPMSolverMultistepScheduler", NULL,
                          READS_SPACING | READS_CURVES | READS_ZERO_SNR | READS_ALGORITHM,
                          SIGMA_BETAS, .spacing = SPACING_LINSPACE, .lower_order_final = true},
    [SAMPLER_DPMPP_2M_SDE] = {"dpmpp_2m_sde", "DPMSolverMultistepScheduler", NULL,
                              READS_SPACING | READS_CURVES | READS_ZERO_SNR | READS_ALGORITHM,
                              SIGMA_BETAS, .spacing = SPACING_LINSPACE, .lower_order_final = true},
    [SAMPLER_DPMPP_2S] = {"dpmpp_2s", "DPMSolverSinglestepScheduler", NULL,
                          READS_CURVES | READS_ALGORITHM, SIGMA_BETAS, .spacing = SPACING_LINSPACE},
    [SAMPLER_DPMPP_SDE] = {"dpmpp_sde", "DPMSolverSDEScheduler", NULL, READS_SPACING | READS_CURVES,
                           LATENT_BETAS, .betas = BETA_LINEAR, .spacing = SPACING_LINSPACE},
    [SAMPLER_UNI_PC] = {"uni_pc", "UniPCMultistepScheduler", NULL,
                        READS_SPACING | READS_CURVES | READS_ZERO_SNR, SIGMA_BETAS,
                        .spacing = SPACING_LINSPACE, .lower_order_final = true},
    [SAMPLER_DEIS] = {"deis", "DEISMultistepScheduler", NULL, READS_SPACING | READS_CURVES,
                      SIGMA_BETAS, .spacing = SPACING_LINSPACE, .lower_order_final = true},
    [SAMPLER_DDIM] = {"ddim", "DDIMScheduler", &family_ddim,
                      READS_SPACING | READS_ZERO_SNR | READS_ETA | READS_CLIP, SIGMA_BETAS,
                      .spacing = SPACING_LEADING, .clip = true, .alpha_to_one = true},
    [SAMPLER_DDPM] = {"ddpm", "DDPMScheduler", NULL, READS_SPACING | READS_ZERO_SNR | READS_CLIP,
                      SIGMA_BETAS, .spacing = SPACING_LEADING, .clip = true},
    [SAMPLER_PNDM] = {"pndm", "PNDMScheduler", NULL, READS_SPACING, SIGMA_BETAS,
                      .spacing = SPACING_LEADING},
    [SAMPLER_LCM] = {"lcm", "LCMScheduler", NULL, READS_ZERO_SNR | READS_CLIP, LATENT_BETAS,
                     .betas = BETA_SCALED_LINEAR, .spacing = SPACING_LEADING, .alpha_to_one = true},
    [SAMPLER_TCD] = {"tcd", "TCDScheduler", NULL, READS_ZERO_SNR | READS_ETA, LATENT_BETAS,
                     .betas = BETA_SCALED_LINEAR, .spacing = SPACING_LEADING, .alpha_to_one = true},
};

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
