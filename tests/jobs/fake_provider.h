/*
 * fake_provider.h: a provider that draws in milliseconds, for tests of the jobs.
 *
 *   struct fake fake = {.step_ms = 1};
 *   struct provider *p;
 *   if (fake_open(&fake, &p, &e)) ...
 *
 * A picture is a pattern of its prompt and seed, so equal recipes give equal bytes. Prompts say
 * what goes wrong: "io N" fails as ERR_IO for the first N times that its seed is drawn, "format"
 * always as ERR_FORMAT. Models are "fake" and "other"; each has a digest. Threads: as provider.h.
 */
#ifndef TESTS_JOBS_FAKE_PROVIDER_H
#define TESTS_JOBS_FAKE_PROVIDER_H

#include "providers/provider.h"

#include <pthread.h>
#include <stdatomic.h>

enum { FAKE_SLOTS = 1, FAKE_BATCH = 8, FAKE_SEEDS = 4096 };

struct fake {
    int step_ms;                                     /* of one pass over all pictures of a batch */
    int slots;                                       /* 0: FAKE_SLOTS */
    atomic_int strangers;                            /* given to a batch of another model or size */
    atomic_int passes, pictures, begun, loads, most; /* most: pictures in one pass */
    atomic_int failures[FAKE_SEEDS];                 /* by seed % FAKE_SEEDS */
    atomic_bool hold;                                /* no pass is made while set */
};

int fake_open(struct fake *f, struct provider **out, struct err *e);

#endif
