/*
 * check.h: the harness of the kernel checks, after dav1d's checkasm.
 *
 *   void check_add(struct check *c)
 *   {
 *       size_t n = 1 + pick(c, 1000);
 *       float *a = check_input(c, n, 0, 1), *want = check_output(c, n), *got = check_output(c, n);
 *       check_case(c, "n=%zu", n);
 *       kernels_ref.add(want, a, a, n, 1);
 *       c->k->add(got, a, a, n, threads);
 *       check_close(c, got, want, n, 1e-6, 1e-6);
 *   }
 *
 * A check draws one case at random from c's generator and compares an executor with kernels_ref.
 * The case's seed is printed with a failure: `check_kernels add --seed N --rounds 1` repeats it.
 * Memory is freed by the runner after each case, which also looks at the canaries around every
 * output and scratch. Threads: none of its own. Ownership: everything belongs to struct check.
 */
#ifndef TESTS_KERNELS_CHECK_H
#define TESTS_KERNELS_CHECK_H

#include "engine/kernels/kernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHECK_BLOCKS = 64, CHECK_THREADS = 3, CANARY = 64, CANARY_BYTE = 0xa5 };

struct block {
    unsigned char *base, *from;
    size_t bytes;
    bool guarded;
};

struct check {
    const struct kernels *k;
    const char *op;
    uint64_t state; /* of the generator */
    uint32_t seed;
    char text[512]; /* the case in words */
    struct block blocks[CHECK_BLOCKS];
    int used;
    bool failed; /* this case */
};

/* A whole number below `below`; one of the values listed. */
uint32_t pick(struct check *c, uint32_t below);
#define PICK_OF(c, ...)                                                                            \
    ((int[]){__VA_ARGS__}[pick((c), sizeof((int[]){__VA_ARGS__}) / sizeof(int))])

/* Numbers in mean +- spread. What may be read beyond the end is NaN, so that using it shows. */
float *check_input(struct check *c, size_t n, float mean, float spread);
/* NaN until written; canaries on both sides. */
float *check_output(struct check *c, size_t n);
float *check_copy(struct check *c, const float *x, size_t n);
/* Exactly `bytes`, 64-byte aligned, full of NaN; canaries on both sides. */
void *check_scratch(struct check *c, size_t bytes);
/* Exactly `bytes`: the address sanitizer sees any access beyond. */
void *check_exact(struct check *c, size_t bytes);

/* Describe the case for messages. */
void check_case(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Every |got - want| <= worst * max(1, |want|), and the RMS of the difference is at most `rms`
 * times the RMS of want. */
void check_close(struct check *c, const float *got, const float *want, size_t n, double worst,
                 double rms);
/* The same bits; `what` says which two runs. */
void check_same(struct check *c, const float *a, const float *b, size_t n, const char *what);
void check_fail(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

void check_linear(struct check *c);
void check_conv(struct check *c);
void check_attention(struct check *c);
void check_group_norm(struct check *c);
void check_layer_norm(struct check *c);
void check_activate(struct check *c);
void check_add(struct check *c);
void check_concat(struct check *c);
void check_resize(struct check *c);

#endif
