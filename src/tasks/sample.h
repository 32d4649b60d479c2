/*
 * sample.h: a stratified random sample of a stream: as many of each stratum as its size asks for.
 *
 *   struct sample *s = sample_new(20, seed);
 *   for each record: sample_offer(s, stratum, record_id, key) says whether to keep it; then
 *       sample_keep(s, value)                              takes the reference
 *   chosen = sample_take(s)                                an array of the values, a new reference
 *   sample_free(s);
 *
 * Each thing's place in the lottery is a hash of the seed and its names, so the sample is the same
 * whatever the order and however often it is drawn; the `count` first of each stratum are kept
 * until the sizes are known (bottom-k sampling, Cohen and Kaplan, 2007). Sizes become numbers by
 * largest remainders, with one for each stratum as far as that goes. Beyond SAMPLE_STRATA, further
 * strata are one. Threads: one at a time.
 */
#ifndef TASKS_SAMPLE_H
#define TASKS_SAMPLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAMPLE_MOST = 200, SAMPLE_STRATA = 200 };

struct sample;
struct sample *sample_new(int count, uint64_t seed); /* NULL: no memory */
void sample_free(struct sample *s);                  /* NULL is fine */
/* True: sample_keep comes next. Two with equal keys are one. */
bool sample_offer(struct sample *s, const char *stratum, const char *record_id, const char *key);
void sample_keep(struct sample *s, json_t *value); /* NULL: not after all */
json_t *sample_take(const struct sample *s);

/* How many of each stratum: out[i] at most sizes[i], together `count` or all there are. */
void sample_allocate(const int64_t *sizes, size_t strata, int count, int *out);

#endif
