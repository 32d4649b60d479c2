/*
 * debug.c: `cauldron debug compare`: a network of a real model on two executors, operation by
 * operation, so that a wrong layer is found by its name. Every operation gets the reference's
 * inputs, so its error is its own.
 */
#include "cli/commands.h"
#include "cli/find_model.h"
#include "cli/options.h"
#include "engine/pipeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const networks[] = {"text", "text2", "unet", "decoder", "encoder", NULL};
static const enum network network_of[] = {NETWORK_TEXT_1, NETWORK_TEXT_2, NETWORK_UNET,
                                          NETWORK_DECODER, NETWORK_ENCODER};

struct want {
    const char *model, *executor, *dtype;
    int network, width, height, threads;
    double tolerance;
    bool all, low;
};

static const struct opt table[] = {
    {.name = "model",
     .letter = 'm',
     .type = OPT_STRING,
     OPT_INTO(struct want, model),
     .value = "NAME|DIR|FILE",
     .initial = "demo",
     .help = "the model whose layers are compared"},
    {.name = "network",
     .type = OPT_CHOICE,
     OPT_INTO(struct want, network),
     .choices = networks,
     .initial = "unet"},
    {.name = "executor",
     .type = OPT_STRING,
     OPT_INTO(struct want, executor),
     .value = "cpu",
     .initial = "cpu",
     .help = "what is compared with ref"},
    {.name = "dtype",
     .type = OPT_STRING,
     OPT_INTO(struct want, dtype),
     .value = "f32|bf16",
     .initial = "f32"},
    {.name = "low-memory",
     .type = OPT_FLAG,
     OPT_INTO(struct want, low),
     .help = "read the weights tile by tile"},
    {.name = "width",
     .letter = 'W',
     .type = OPT_INT,
     OPT_INTO(struct want, width),
     .value = "N",
     .min = 8,
     .max = 8192},
    {.name = "height",
     .letter = 'H',
     .type = OPT_INT,
     OPT_INTO(struct want, height),
     .value = "N",
     .min = 8,
     .max = 8192},
    {.name = "threads",
     .type = OPT_INT,
     OPT_INTO(struct want, threads),
     .value = "N",
     .min = 1,
     .max = 1024},
    {.name = "tolerance",
     .type = OPT_F64,
     OPT_INTO(struct want, tolerance),
     .value = "F",
     .min = 0,
     .max = 1,
     .help = "relative RMS error above which an operation is wrong (default: 1e-5, bf16 1e-2)"},
    {.name = "all",
     .type = OPT_FLAG,
     OPT_INTO(struct want, all),
     .help = "print every operation, not only wrong ones"},
    {0},
};

static const struct opt_spec spec = {
    .command = "debug",
    .usage = "compare [options]",
    .summary = "Compare an executor with the reference, operation by operation, on random inputs.",
    .table = table,
    .min_rest = 1,
    .max_rest = 1,
    .rest = "what to do: compare",
};

static int open_on(const struct want *w, const char *path, const char *executor,
                   struct cauldron_model **out, struct err *e)
{
    struct cauldron_options o = cauldron_options();
    struct cauldron_error error;

    o.executor = executor;
    o.isa = strcmp(executor, "ref") == 0 ? NULL : getenv("CAULDRON_ISA");
    o.dtype = strcmp(executor, "ref") == 0 ? "f32" : w->dtype;
    o.threads = w->threads;
    o.low_memory = w->low;
    return cauldron_open(path, &o, out, &error) ? ERR(e, error.code, "%s", error.message) : 0;
}

static double relative_rms(const float *a, const float *b, size_t n)
{
    double error = 0, size = 0;

    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i];
        error += d * d;
        size += (double)b[i] * (double)b[i];
    }
    return error == 0 ? 0 : sqrt(error / (size > 0 ? size : 1));
}

static int compare(const struct want *w, struct cauldron_model *ref, struct cauldron_model *cpu,
                   int *wrong, struct err *e)
{
    enum network n = network_of[w->network];
    const struct model *f = ref->files;
    int scale = latent_scale(ref), width = (w->width ? w->width / scale : f->unet.sample_size);
    int height = (w->height ? w->height / scale : f->unet.sample_size), variant = 0, rc;
    struct plan_operation want, got;
    struct pass *a, *b;

    if (n == NETWORK_TEXT_1 || n == NETWORK_TEXT_2) {
        if (n == NETWORK_TEXT_2 && f->encoders < 2)
            return ERR(e, ERR_ARG, "this model has one text encoder");
        variant = f->clip[n == NETWORK_TEXT_2].layers;
        width = height = 0;
    }
    if ((rc = pass_get(ref, n, n == NETWORK_UNET ? 2 : 1, height, width, variant, &a, e)) ||
        (rc = pass_get(cpu, n, n == NETWORK_UNET ? 2 : 1, height, width, variant, &b, e)))
        return rc;
    double tolerance = w->tolerance > 0                ? w->tolerance
                       : strcmp(w->dtype, "bf16") == 0 ? 1e-2
                                                       : 1e-5;
    for (int i = 0; i < plan_operations(a->plan); i++) {
        plan_run_operation(a->plan, &ref->workspace, i, &want);
        plan_run_operation(b->plan, &cpu->workspace, i, &got);
        if (want.op == OP_INPUT) {
            struct noise noise;
            noise_init(&noise, NOISE_CPU, (uint64_t)i);
            noise_normal(&noise, (float *)(uintptr_t)want.out, want.count);
        } else {
            double error = relative_rms(got.out, want.out, want.count);
            bool bad = !(error <= tolerance);
            *wrong += bad;
            if (bad || w->all)
                printf("%-5s %5d  %-10s  %9.2e  %s\n", bad ? "WRONG" : "ok", i, op_name(want.op),
                       error, want.name);
        }
        memcpy((float *)(uintptr_t)got.out, want.out, want.count * sizeof *want.out);
    }
    printf("%d operations, %d wrong (relative RMS above %g; %s against ref)\n",
           plan_operations(a->plan), *wrong, tolerance, cpu->kernels->isa);
    return 0;
}

static int run(int argc, char **argv)
{
    struct want w = {0};
    struct options o;
    struct err e = {0};
    struct arena arena = {0};
    struct cauldron_model *ref = NULL, *cpu = NULL;
    char *path;
    int wrong = 0, status = options_parse(&spec, argc, argv, &w, &o);

    if (status >= 0)
        return status;
    if (strcmp(o.rest[0], "compare") != 0)
        status = fail_with(EXIT_USAGE, "debug cannot '%s': take compare", o.rest[0]);
    else if (find_model(&arena, w.model, &path, &e) || open_on(&w, path, "ref", &ref, &e) ||
             open_on(&w, path, w.executor, &cpu, &e) || compare(&w, ref, cpu, &wrong, &e))
        status = fail(EXIT_FAILED, &e);
    else
        status = wrong ? EXIT_FAILED : EXIT_DONE;
    cauldron_close(ref);
    cauldron_close(cpu);
    arena_release(&arena);
    options_release(&o);
    return status;
}

const struct command command_debug = {
    .name = "debug",
    .summary = "compare executors, operation by operation",
    .run = run,
};
