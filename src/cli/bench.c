/*
 * bench.c: `cauldron bench`: how long the parts of a picture take, and where the time goes.
 *
 * Every figure is the best and the median of several runs after one that is not counted. GFLOP/s
 * count a multiply and an add as two and every convolution as if it were done directly, so
 * Winograd's can exceed the peak.
 */
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/find_model.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "engine/pipeline.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct want {
    const char *model, *dtype, *executor, *variant;
    int width, height, threads, runs;
    bool json, ops, low;
};

static const struct opt table[] = {
    {.name = "model",
     .letter = 'm',
     .type = OPT_STRING,
     OPT_INTO(struct want, model),
     .value = "NAME|DIR|FILE",
     .initial = "demo",
     .help = "the model to measure"},
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
    {.name = "dtype",
     .type = OPT_STRING,
     OPT_INTO(struct want, dtype),
     .value = "f32|bf16",
     .initial = "f32"},
    {.name = "executor",
     .type = OPT_STRING,
     OPT_INTO(struct want, executor),
     .value = "ref|cpu",
     .initial = "cpu"},
    {.name = "variant", .type = OPT_STRING, OPT_INTO(struct want, variant), .value = "NAME"},
    {.name = "threads",
     .type = OPT_INT,
     OPT_INTO(struct want, threads),
     .value = "N",
     .min = 1,
     .max = 1024},
    {.name = "runs",
     .type = OPT_INT,
     OPT_INTO(struct want, runs),
     .value = "N",
     .min = 1,
     .max = 1000,
     .initial = "3",
     .help = "of each part"},
    {.name = "low-memory",
     .type = OPT_FLAG,
     OPT_INTO(struct want, low),
     .help = "let the memory of each network go when its part is done"},
    {.name = "ops",
     .type = OPT_FLAG,
     OPT_INTO(struct want, ops),
     .help = "time and GFLOP/s per kind of operation, with the share of this machine's peak"},
    {.name = "json",
     .type = OPT_FLAG,
     OPT_INTO(struct want, json),
     .help = "print one JSON object"},
    {0},
};

static const struct opt_spec spec = {
    .command = "bench",
    .usage = "[options]",
    .summary = "Measure text encoding, a guided step, decoding, loading and memory.",
    .table = table,
};

/* One part of a picture, measured. */
struct part {
    const char *name;
    double first, best, median; /* seconds; first: with packing the weights */
    struct profile profile;     /* of one run */
};

struct bench {
    struct want want;
    struct cauldron_model *model;
    int h, w;
    double load, first_image, peak; /* peak: GFLOP/s */
    struct part parts[4];
    int count;
};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int run_text(struct bench *b, struct err *e)
{
    struct condition *c;

    conditions_free(b->model); /* what is remembered would cost nothing */
    return condition_get(b->model, "a photograph of an astronaut riding a horse", 0, &c, e);
}

static int run_step(struct bench *b, struct err *e)
{
    struct pass *p;
    int rc = pass_get(b->model, NETWORK_UNET, 2, b->h, b->w, 0, &p, e);

    if (rc)
        return rc;
    /* Inputs of zero would make every product exact and, on some machines, quick. */
    struct noise noise;
    noise_init(&noise, NOISE_CPU, 1);
    noise_normal(&noise, pass_value(b->model, p, "latents"),
                 2u * (size_t)(b->h * b->w * b->model->files->unet.in_channels));
    noise_normal(&noise, pass_value(b->model, p, "time"),
                 2u * (size_t)b->model->files->unet.channels[0]);
    bool prepared = p->composition[0] != 0;
    if (!prepared) {
        noise_normal(&noise, pass_value(b->model, p, "context"),
                     2u * TOKENS * (size_t)b->model->files->unet.context);
        float *added = pass_value(b->model, p, "added"),
              *guidance = pass_value(b->model, p, "guidance");
        if (added)
            noise_normal(&noise, added, 2u * (size_t)b->model->files->unet.class_embed_in);
        if (guidance)
            noise_normal(&noise, guidance, 2u * (size_t)b->model->files->unet.time_cond_dim);
        p->composition[0] = 1;
    }
    return pass_run(b->model, p, prepared ? PLAN_STEP : PLAN_ALL, e);
}

static int run_decode(struct bench *b, struct err *e)
{
    size_t n = (size_t)b->h * (size_t)b->w * (size_t)b->model->files->vae.latent_channels;
    size_t scale = (size_t)latent_scale(b->model);
    float *latents = calloc(n, sizeof *latents);
    float *pixels = malloc(3 * scale * scale * (size_t)b->h * (size_t)b->w * sizeof *pixels);
    struct noise noise;
    int rc = ERR_NOMEM;

    if (latents && pixels) {
        noise_init(&noise, NOISE_CPU, 1);
        noise_normal(&noise, latents, n);
        rc = pass_decode(b->model, latents, b->h, b->w, pixels, e);
    }
    free(latents);
    free(pixels);
    return rc;
}

static int measure(struct bench *b, const char *name, int (*part)(struct bench *, struct err *),
                   struct err *e)
{
    struct part *p = &b->parts[b->count];
    double seconds[1000], start = clock_seconds();
    int rc = part(b, e);

    p->name = name;
    p->first = clock_seconds() - start;
    for (int i = 0; i < b->want.runs && rc == 0; i++) {
        if (interrupted())
            return ERR(e, ERR_CANCELLED, "cancelled");
        p->profile = (struct profile){0};
        b->model->profile = &p->profile;
        start = clock_seconds();
        rc = part(b, e);
        seconds[i] = clock_seconds() - start;
    }
    b->model->profile = NULL;
    if (rc)
        return rc;
    qsort(seconds, (size_t)b->want.runs, sizeof *seconds, ascending);
    p->best = seconds[0];
    p->median = seconds[b->want.runs / 2];
    b->count++;
    return 0;
}

/* The largest resident set of this process, in MB. */
static double peak_memory(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss * 1024 / 1e6 : NAN;
}

static int measure_all(struct bench *b, struct err *e)
{
    const struct want *w = &b->want;
    struct cauldron_options o = cauldron_options();
    struct cauldron_error error;
    struct arena arena = {0};
    char *path;
    double start = clock_seconds();
    int rc = find_model(&arena, w->model, &path, e);

    if (rc)
        goto out;
    o.executor = w->executor;
    o.isa = getenv("CAULDRON_ISA");
    o.dtype = w->dtype;
    o.variant = w->variant;
    o.threads = w->threads;
    o.low_memory = w->low;
    if (cauldron_open(path, &o, &b->model, &error)) {
        rc = ERR(e, error.code, "%s", error.message);
        goto out;
    }
    b->load = clock_seconds() - start;
    b->h = w->height ? w->height / latent_scale(b->model) : b->model->files->unet.sample_size;
    b->w = w->width ? w->width / latent_scale(b->model) : b->model->files->unet.sample_width;
    const struct plan_context *c = &b->model->context;
    b->peak = c->kernels->peak ? c->kernels->peak(c->compute, c->threads) / 1e9 : NAN;
    if ((rc = measure(b, "text", run_text, e)) || (rc = measure(b, "guided step", run_step, e)) ||
        (rc = measure(b, "decode", run_decode, e)))
        goto out;
    for (int i = 0; i < b->count; i++)
        b->first_image += b->parts[i].first;
    b->first_image += b->load;
out:
    arena_release(&arena);
    return rc;
}

/* ==== printing ==== */

static double total_flops(const struct profile *p)
{
    double sum = 0;

    for (int i = 0; i < OP_COUNT; i++)
        sum += p->flops[i];
    return sum;
}

static void print_text(const struct bench *b)
{
    struct cauldron_info info;

    cauldron_describe(b->model, &info);
    printf("%s  %s  %dx%d  %s (%s, %s)  %d threads  peak %.0f GFLOP/s\n", b->want.model,
           info.architecture, b->w * latent_scale(b->model), b->h * latent_scale(b->model),
           info.executor, info.isa, info.dtype, info.threads, b->peak);
    printf("%-12s %9s %9s %9s %10s %8s\n", "part", "first s", "best s", "median s", "GFLOP/s",
           "of peak");
    for (int i = 0; i < b->count; i++) {
        const struct part *p = &b->parts[i];
        double rate = total_flops(&p->profile) / p->best / 1e9;
        printf("%-12s %9.3f %9.3f %9.3f %10.1f %7.0f%%\n", p->name, p->first, p->best, p->median,
               rate, 100 * rate / b->peak);
    }
    printf("open %.3f s, open to a one-step image %.3f s, packed weights %.0f MB, peak memory %.0f "
           "MB\n",
           b->load, b->first_image, (double)info.packed_bytes / 1e6, peak_memory());
    for (int i = 0; i < b->count && b->want.ops; i++) {
        const struct profile *p = &b->parts[i].profile;
        double all = 0;
        for (int k = 0; k < OP_COUNT; k++)
            all += p->seconds[k];
        printf("\n%s: %-12s %6s %9s %7s %10s %8s\n", b->parts[i].name, "op", "calls", "ms", "share",
               "GFLOP/s", "of peak");
        for (int k = 0; k < OP_COUNT; k++) {
            if (!p->calls[k] || k == OP_INPUT)
                continue;
            double rate = p->flops[k] / p->seconds[k] / 1e9;
            printf("%*s%-12s %6d %9.2f %6.1f%% %10.1f %7.0f%%\n", (int)strlen(b->parts[i].name) + 2,
                   "", op_name((enum op)k), p->calls[k], 1e3 * p->seconds[k],
                   100 * p->seconds[k] / all, rate, 100 * rate / b->peak);
        }
    }
}

static json_t *ops_json(const struct profile *p, double peak)
{
    json_t *list = json_array();

    for (int k = 0; k < OP_COUNT; k++)
        if (p->calls[k] && k != OP_INPUT)
            json_array_append_new(list,
                                  json_pack("{s:s, s:i, s:f, s:f, s:f}", "op", op_name((enum op)k),
                                            "calls", p->calls[k], "seconds", p->seconds[k],
                                            "gflops", p->flops[k] / p->seconds[k] / 1e9, "of_peak",
                                            p->flops[k] / p->seconds[k] / 1e9 / peak));
    return list;
}

static void print_json(const struct bench *b)
{
    struct cauldron_info info;

    cauldron_describe(b->model, &info);
    json_t *root = json_pack("{s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:i, s:f, s:f, s:f, s:f, s:f}",
                             "model", b->want.model, "architecture", info.architecture, "width",
                             b->w * latent_scale(b->model), "height", b->h * latent_scale(b->model),
                             "executor", info.executor, "isa", info.isa, "dtype", info.dtype,
                             "threads", info.threads, "peak_gflops", b->peak, "open_seconds",
                             b->load, "first_image_seconds", b->first_image, "packed_mb",
                             (double)info.packed_bytes / 1e6, "peak_memory_mb", peak_memory());
    json_t *parts = json_object();
    for (int i = 0; i < b->count; i++) {
        const struct part *p = &b->parts[i];
        json_t *part = json_pack("{s:f, s:f, s:f, s:f}", "first_seconds", p->first, "best_seconds",
                                 p->best, "median_seconds", p->median, "gflops",
                                 total_flops(&p->profile) / p->best / 1e9);
        if (b->want.ops)
            json_object_set_new(part, "ops", ops_json(&p->profile, b->peak));
        json_object_set_new(parts, p->name, part);
    }
    json_object_set_new(root, "parts", parts);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static int run(int argc, char **argv)
{
    struct bench b = {0};
    struct options o;
    struct err e = {0};
    int status = options_parse(&spec, argc, argv, &b.want, &o);

    if (status >= 0)
        return status;
    interrupt_catch();
    if (measure_all(&b, &e)) {
        status = interrupted() ? interrupt_status() : fail(EXIT_FAILED, &e);
    } else {
        status = EXIT_DONE;
        if (b.want.json)
            print_json(&b);
        else
            print_text(&b);
    }
    cauldron_close(b.model);
    options_release(&o);
    return status;
}

const struct command command_bench = {
    .name = "bench",
    .summary = "measure the engine on this machine",
    .run = run,
};
