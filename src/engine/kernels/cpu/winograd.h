/*
 * cpu/winograd.h: 3x3 convolutions of stride 1 with a quarter of the multiplications.
 *
 *   if (winograd_applies(a))
 *       winograd_run(a);
 *
 * Winograd's minimal filtering F(4x4, 3x3) (Lavin & Gray 2016, "Fast Algorithms for Convolutional
 * Neural Networks"): a tile of 4x4 outputs needs 6x6 inputs. Inputs, weights and outputs pass
 * through small fixed matrices, and between them stand 36 independent matrix products over the
 * channels: 36 multiplications a tile and channel pair instead of 144. All in f32: the matrices
 * magnify rounding errors a few times (relative RMS 2e-6), which bf16 would not survive.
 */
#ifndef ENGINE_KERNELS_CPU_WINOGRAD_H
#define ENGINE_KERNELS_CPU_WINOGRAD_H

#include "engine/kernels/cpu/gemm.h"

#define winograd_applies ISA(winograd_applies)
#define winograd_run     ISA(winograd_run)
#define winograd_scratch ISA(winograd_scratch)

/* Decided by the layer and the size of one picture alone. */
bool winograd_applies(const struct product *p);

void winograd_run(const struct product *p, int threads, void *scratch);
size_t winograd_scratch(const struct product *p, int threads);

#endif
