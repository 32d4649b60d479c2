/* consistency.h: what lcm.c and tcd.c share; private to this room. */
#ifndef ENGINE_SAMPLING_CONSISTENCY_H
#define ENGINE_SAMPLING_CONSISTENCY_H

#include "engine/sampling/family.h"

/* Timesteps chosen evenly from the original_inference_steps of the distillation. */
int consistency_prepare(struct sampler *s, struct err *e);

#endif
