/*
 * names.h: samplers and schedules by any of their names: ours, A1111's, ComfyUI's.
 *
 *   const struct sampler_entry *s = find_sampler("DPM++ 2M", &arena);      s->name is "dpmpp_2m"
 *
 * Threads: pure. Ownership: results live in the arena.
 */
#ifndef API_NAMES_H
#define API_NAMES_H

#include "providers/provider.h"

/* NULL for NULL and for names that nobody has. */
const struct sampler_entry *find_sampler(const char *name, struct arena *a);
const struct schedule_entry *find_schedule(const char *name, struct arena *a);

#endif
