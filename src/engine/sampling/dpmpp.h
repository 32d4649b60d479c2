/*
 * dpmpp.h: what the DPM-Solver++ samplers share (Lu et al. 2022, "DPM-Solver++"): exact integration
 * in h = the step of log(alpha / sigma), with the clean latents D0 and their divided differences.
 *
 *   x' = x * w.x + D0 * w.mean [+ D1 * w.half or w.slope] [+ D2 * w.bend] [+ noise * w.noise]
 *
 * Private to this room.
 */
#ifndef ENGINE_SAMPLING_DPMPP_H
#define ENGINE_SAMPLING_DPMPP_H

#include "engine/sampling/family.h"

struct dpmpp_weights {
    float x, mean;
    float half;  /* of D1, solver_type midpoint */
    float slope; /* of D1, solver_type heun, and third order */
    float bend;  /* of D2, third order */
    float noise; /* 0 unless sde */
};

/* From one noise level to another; sde: "sde-dpmsolver++". */
struct dpmpp_weights dpmpp_weigh(struct vp from, struct vp to, bool sde);

/* Whole timesteps and sigmas of the DPM-Solver classes and their kin; round_karras: round the
 * timesteps of Karras sigmas, where all other fractional ones are cut. last: the final sigma. */
void dpmpp_prepare(struct sampler *s, bool round_karras, float last);

#endif
