/*
 * brownian.h: a Brownian path that is a function of its seed alone, whatever is asked of it and in
 * which order; private to this room.
 *
 *   struct brownian *b;
 *   if (brownian_new(arena, seed, 0.03, 14.6, count, &b, &e)) ...
 *   brownian_increment(b, 0.5, 1.2, out);         W(1.2) - W(0.5), [count]
 *
 * Reference: torchsde 0.2.6, BrownianInterval(tol=1e-6, pool_size=24, halfway_tree=True): a binary
 * tree of halved intervals; each node's noise comes from torch's CPU generator, seeded from numpy's
 * SeedSequence of (seed, place of the node). Threads: one at a time. Ownership: all in the arena.
 */
#ifndef ENGINE_SAMPLING_BROWNIAN_H
#define ENGINE_SAMPLING_BROWNIAN_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct brownian;

WARN_UNUSED_RESULT int brownian_new(struct arena *a, uint64_t seed, double start, double end,
                                    size_t count, struct brownian **out, struct err *e);
/* from <= to; both are kept within the path's ends and rounded to six decimals. */
void brownian_increment(struct brownian *b, double from, double to, float *out);

/* numpy.random.SeedSequence(entropy, spawn_key=(key, depth), pool_size=24).generate_state(n);
 * spawned false: no spawn_key. n is at most 4. */
void seed_sequence(uint64_t entropy, bool spawned, uint32_t key, uint32_t depth, uint32_t *state,
                   int n);

#endif
