/*
 * noise.h: random numbers as torch draws them, so that a seed means the same picture everywhere.
 *
 *   struct noise n;
 *   noise_init(&n, NOISE_CPU, seed);
 *   noise_normal(&n, x, 4 * 64 * 64);            as torch.randn(1, 4, 64, 64, generator=g)
 *
 * NOISE_CPU: mt19937 and Box-Muller of torch's CPU generator
 * (ATen/native/cpu/DistributionTemplates.h, CPUGeneratorImpl.cpp): sixteen or more values are drawn
 * in blocks of 16, fewer one by one in double precision with a cached second value. NOISE_CUDA:
 * Philox4x32-10 (Salmon et al. 2011) as in ATen/native/cuda/DistributionTemplates.h. Threads: a
 * struct noise belongs to one thread. It owns no memory.
 */
#ifndef ENGINE_NOISE_H
#define ENGINE_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum noise_kind { NOISE_CPU, NOISE_CUDA };

struct noise {
    enum noise_kind kind;
    uint32_t mt[624];
    int at; /* the next word of mt; 624: twist first */
    bool have_next;
    double next; /* the second value of a pair, for draws of fewer than 16 */
    uint64_t key, offset;
};

/* Only the low 32 bits of the seed matter to NOISE_CPU, as in torch. */
void noise_init(struct noise *n, enum noise_kind kind, uint64_t seed);
/* `count` numbers of N(0, 1): one call of torch.randn. */
void noise_normal(struct noise *n, float *out, size_t count);

#endif
