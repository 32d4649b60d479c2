/*
 * check_kernels.c: every executor of this machine against kernels_ref, on random cases.
 *
 *   check_kernels                          everything
 *   check_kernels conv                     one operation
 *   check_kernels conv --isa avx2 --seed 5 --rounds 1    one case, as a failure prints it
 *
 * Ends with one line that counts cases and failures; exit status 1 when one failed.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    void (*run)(struct check *c);
    int rounds;
} operations[] = {
    {"linear", check_linear, 300},
    {"conv", check_conv, 300},
    {"attention", check_attention, 200},
    {"group_norm", check_group_norm, 300},
    {"layer_norm", check_layer_norm, 300},
    {"activate", check_activate, 300},
    {"add", check_add, 100},
    {"concat", check_concat, 100},
    {"resize", check_resize, 100},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

struct options {
    const char *op, *isa;
    uint32_t seed;
    int rounds; /* 0: the operation's own */
};

/* Look at the canaries and free what a case took. */
static void finish_case(struct check *c)
{
    for (int i = 0; i < c->used; i++) {
        const struct block *b = &c->blocks[i];
        for (size_t j = 0; b->guarded && j < CANARY; j++)
            if (b->base[j] != CANARY_BYTE || b->from[b->bytes + j] != CANARY_BYTE) {
                check_fail(c, "wrote outside of a buffer of %zu bytes", b->bytes);
                break;
            }
        free(b->base);
    }
    c->used = 0;
}

/* Returns the number of failed cases. */
static int run_operation(const struct kernels *k, int op, const struct options *o)
{
    int failures = 0, rounds = o->rounds ? o->rounds : operations[op].rounds;

    for (int i = 0; i < rounds && failures < 10; i++) {
        uint32_t seed = o->seed + (uint32_t)i;
        struct check c = {.k = k, .op = operations[op].name, .seed = seed};
        c.state = seed * 0x9e3779b97f4a7c15u; /* neighbouring seeds, distant states */
        pick(&c, 2);
        operations[op].run(&c);
        finish_case(&c);
        failures += c.failed;
    }
    printf("%-10s %-11s %4d cases, %d failed\n", k->isa, operations[op].name, rounds, failures);
    fflush(stdout);
    return failures;
}

static int parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (argv[i][0] != '-' && !o->op)
            o->op = argv[i];
        else if (next && strcmp(argv[i], "--seed") == 0)
            o->seed = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (next && strcmp(argv[i], "--rounds") == 0)
            o->rounds = (int)strtol(argv[++i], NULL, 10);
        else if (next && strcmp(argv[i], "--isa") == 0)
            o->isa = argv[++i];
        else
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const char *isas[] = {"avx2", "avx512", "avx512bf16"};
    struct options o = {.seed = 1};
    int ran = 0, failures = 0;
    struct err e;

    if (parse(&o, argc, argv)) {
        fprintf(stderr, "usage: check_kernels [OPERATION] [--isa ISA] [--seed N] [--rounds N]\n");
        return 2;
    }
    for (int i = 0; i < 3; i++) {
        const struct kernels *k;
        if (o.isa && strcmp(o.isa, isas[i]) != 0)
            continue;
        if (kernels_pick("cpu", isas[i], &k, &e)) {
            printf("%s: %s\n", isas[i], e.message);
            continue;
        }
        for (int op = 0; op < OPERATIONS; op++)
            if (!o.op || strcmp(o.op, operations[op].name) == 0) {
                failures += run_operation(k, op, &o);
                ran++;
            }
    }
    printf("check_kernels: %d operations of executors, %d failed cases\n", ran, failures);
    if (ran == 0 && o.op)
        fprintf(stderr, "check_kernels: nothing ran; is '%s' an operation?\n", o.op);
    return failures || (o.op && ran == 0);
}
