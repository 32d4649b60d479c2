/*
 * bench_kernels.c: the kernels at the sizes that Stable Diffusion has.
 *
 *   bench_kernels                                       everything, best table of this CPU
 *   bench_kernels attention --isa avx2 --threads 2 --rounds 5
 *
 * Prints the best of several runs: milliseconds (with --cpu: of processor time, shared by the
 * threads, for machines that are busy with something else), then GFLOP/s for products (2 operations
 * per multiply-add; a softmax counts nothing) or ns per number and GB/s for what waits for memory.
 */
#include "engine/kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench {
    const struct kernels *k;
    int threads, rounds;
    clockid_t clock;
};

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *take(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 128) & ~(size_t)63);
    if (!p) {
        fprintf(stderr, "bench_kernels: out of memory (%zu bytes)\n", bytes);
        abort();
    }
    memset(p, 0, bytes);
    return p;
}

/* Numbers in -1..1. */
static float *numbers(size_t n)
{
    float *x = take(n * sizeof *x);
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(int32_t)state * 0x1p-31f;
    }
    return x;
}

/* The least time of one call of `call(arg)`, in seconds. */
static double best(const struct bench *b, void (*call)(const void *), const void *arg)
{
    double least = INFINITY;
    for (int i = 0; i <= b->rounds; i++) { /* the first one warms up */
        double start = now(b->clock);
        call(arg);
        double took = now(b->clock) - start;
        if (i && took < least)
            least = took;
    }
    return b->clock == CLOCK_MONOTONIC ? least : least / b->threads;
}

static void print_flops(const char *op, const char *text, double seconds, double flops)
{
    printf("%-10s %-44s %9.3f ms %8.1f GFLOP/s\n", op, text, seconds * 1e3, flops / seconds * 1e-9);
    fflush(stdout);
}

static void print_bytes(const char *op, const char *text, double seconds, double count,
                        double bytes)
{
    printf("%-10s %-44s %9.3f ms %8.3f ns each %7.1f GB/s\n", op, text, seconds * 1e3,
           seconds / count * 1e9, bytes / seconds * 1e-9);
    fflush(stdout);
}

struct product_call {
    const struct kernels *k;
    struct linear_args linear;
    struct conv_args conv;
    struct tensor tensor;
    struct packed weight;
};

static void call_linear(const void *p)
{
    const struct product_call *c = p;
    c->k->linear(&c->linear);
}

static void call_conv(const void *p)
{
    const struct product_call *c = p;
    c->k->conv(&c->conv);
}

/* Random f16 weights, as most files have them. */
static void take_weight(struct product_call *c, struct weight_source source, enum compute compute)
{
    size_t n = (size_t)source.rows * source.in * (size_t)(source.kh * source.kw);
    uint16_t *data = take(n * sizeof *data);
    float *x = numbers(n);
    struct pack_hint hint = {.compute = compute, .width = 1, .stride = 1};

    for (size_t i = 0; i < n; i++)
        data[i] = f16_from_f32(x[i] * 0.05f);
    free(x);
    c->tensor = (struct tensor){.dtype = DTYPE_F16, .dims = 1, .shape = {(int64_t)n}, .data = data};
    source.parts = 1;
    source.part[0] = &c->tensor;
    c->weight = (struct packed){.source = source, .bytes = c->k->pack_size(&source, &hint)};
    c->weight.data = c->weight.bytes ? take(c->weight.bytes) : NULL;
    c->k->pack(&c->weight, &hint, 1);
}

static bool has_bf16(const struct bench *b)
{
    return strcmp(b->k->isa, "avx512bf16") == 0;
}

static void bench_linear(const struct bench *b)
{
    static const struct {
        int m, in, rows;
        bool geglu;
    } shapes[] = {
        {8192, 320, 320, false},   {8192, 320, 2560, true},  {8192, 1280, 320, false},
        {2048, 640, 640, false},   {2048, 640, 5120, true},  {2048, 2560, 640, false},
        {512, 1280, 1280, false},  {512, 1280, 10240, true}, {128, 1280, 10240, true},
        {154, 768, 640, false},    {2, 1280, 1280, false},   {4096, 1280, 10240, true},
        {4096, 5120, 1280, false},
    };

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int bf16 = 0; bf16 <= has_bf16(b); bf16++) {
            int m = shapes[i].m, in = shapes[i].in, rows = shapes[i].rows;
            bool geglu = shapes[i].geglu;
            struct product_call c = {.k = b->k};
            char text[64];
            take_weight(
                &c,
                (struct weight_source){.rows = rows, .in = in, .kh = 1, .kw = 1, .geglu = geglu},
                bf16 ? COMPUTE_BF16 : COMPUTE_F32);
            c.linear = (struct linear_args){
                .y = numbers((size_t)m * rows),
                .x = numbers((size_t)m * in),
                .ldx = in,
                .m = m,
                .rows_per_picture = m / 2,
                .w = &c.weight,
                .bias = numbers((size_t)rows),
                .act = geglu ? ACT_GEGLU : ACT_NONE,
                .threads = b->threads,
            };
            c.linear.residual = geglu ? NULL : c.linear.y;
            c.linear.scratch = take(b->k->linear_scratch(&c.linear));
            snprintf(text, sizeof text, "%5d x %4d x %5d %-5s %s", m, in, rows,
                     geglu ? "geglu" : "", bf16 ? "bf16" : "f32");
            print_flops("linear", text, best(b, call_linear, &c), 2.0 * m * in * rows);
            free(c.linear.y), free((void *)c.linear.x), free((void *)c.linear.bias);
            free(c.linear.scratch), free(c.weight.data), free((void *)c.tensor.data);
        }
}

static void bench_conv(const struct bench *b)
{
    static const struct {
        const char *text;
        int pictures, side, in, rows, window, stride;
        bool upsample;
    } shapes[] = {
        {"SD1.5", 2, 64, 320, 320, 3, 1, false},   {"SD1.5", 2, 32, 640, 640, 3, 1, false},
        {"SD1.5", 2, 16, 1280, 1280, 3, 1, false}, {"SD1.5", 2, 8, 1280, 1280, 3, 1, false},
        {"SD1.5", 2, 64, 320, 320, 3, 2, false},   {"SD1.5", 2, 32, 640, 640, 3, 1, true},
        {"SD1.5", 2, 64, 640, 320, 1, 1, false},   {"SD1.5", 2, 64, 4, 320, 3, 1, false},
        {"SD1.5", 2, 64, 320, 4, 3, 1, false},     {"VAE", 1, 64, 512, 512, 3, 1, false},
        {"VAE", 1, 128, 512, 512, 3, 1, false},    {"VAE", 1, 256, 256, 256, 3, 1, false},
        {"VAE", 1, 512, 128, 128, 3, 1, false},    {"VAE", 1, 512, 128, 3, 3, 1, false},
    };

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int bf16 = 0; bf16 <= has_bf16(b); bf16++) {
            int in = shapes[i].in, rows = shapes[i].rows, window = shapes[i].window;
            int side = shapes[i].side, pictures = shapes[i].pictures;
            int out = shapes[i].upsample ? 2 * side : side / shapes[i].stride;
            size_t pixels = (size_t)pictures * out * out;
            struct product_call c = {.k = b->k};
            char text[80];
            take_weight(&c,
                        (struct weight_source){.rows = rows, .in = in, .kh = window, .kw = window},
                        bf16 ? COMPUTE_BF16 : COMPUTE_F32);
            c.conv = (struct conv_args){
                .y = numbers(pixels * rows),
                .x = numbers((size_t)pictures * side * side * in),
                .pictures = pictures,
                .h = side,
                .w = side,
                .oh = out,
                .ow = out,
                .stride = shapes[i].stride,
                .pad_top = window / 2,
                .pad_left = window / 2,
                .upsample = shapes[i].upsample,
                .weight = &c.weight,
                .bias = numbers((size_t)rows),
                .threads = b->threads,
            };
            c.conv.residual = c.conv.y;
            c.conv.scratch = take(b->k->conv_scratch(&c.conv));
            snprintf(text, sizeof text, "%s %dx%d %d x %dx%d %d -> %d%s%s %s", shapes[i].text,
                     window, window, pictures, side, side, in, rows,
                     shapes[i].stride == 2 ? " stride 2" : "",
                     shapes[i].upsample ? " upsampled" : "", bf16 ? "bf16" : "f32");
            print_flops("conv", text, best(b, call_conv, &c),
                        2.0 * (double)pixels * rows * in * window * window);
            free(c.conv.y), free((void *)c.conv.x), free((void *)c.conv.bias);
            free(c.conv.scratch), free(c.weight.data), free((void *)c.tensor.data);
        }
}

struct attention_call {
    const struct kernels *k;
    struct attention_args args;
};

static void call_attention(const void *p)
{
    const struct attention_call *c = p;
    c->k->attention(&c->args);
}

static void bench_attention(const struct bench *b)
{
    static const struct {
        const char *text;
        int heads, nq, nk, dim;
    } shapes[] = {
        {"SD1.5 64x64", 8, 4096, 4096, 40},    {"SD1.5 32x32", 8, 1024, 1024, 80},
        {"SD1.5 16x16", 8, 256, 256, 160},     {"SD1.5 64x64 text", 8, 4096, 77, 40},
        {"SD1.5 32x32 text", 8, 1024, 77, 80}, {"SD2.1 96x96", 5, 9216, 9216, 64},
        {"SDXL 64x64", 10, 4096, 4096, 64},    {"SDXL 32x32", 20, 1024, 1024, 64},
        {"SDXL 64x64 text", 10, 4096, 77, 64}, {"VAE 64x64", 1, 4096, 4096, 512},
        {"VAE 128x128", 1, 16384, 16384, 512},
    };

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int bf16 = 0; bf16 <= has_bf16(b); bf16++) {
            int width = shapes[i].heads * shapes[i].dim;
            size_t q = (size_t)shapes[i].nq * width, k = (size_t)shapes[i].nk * width;
            struct attention_call c = {.k = b->k};
            c.args = (struct attention_args){
                .y = numbers(q),
                .q = numbers(q),
                .k = numbers(k),
                .v = numbers(k),
                .ldy = width,
                .ldq = width,
                .ldk = width,
                .ldv = width,
                .pictures = 1,
                .heads = shapes[i].heads,
                .dim = shapes[i].dim,
                .nq = shapes[i].nq,
                .nk = shapes[i].nk,
                .scale = 1 / sqrtf((float)shapes[i].dim),
                .compute = bf16 ? COMPUTE_BF16 : COMPUTE_F32,
                .threads = b->threads,
            };
            c.args.scratch = take(b->k->attention_scratch(&c.args));
            char text[80];
            snprintf(text, sizeof text, "%-16s %2d x %5d x %5d x %3d %s", shapes[i].text,
                     shapes[i].heads, shapes[i].nq, shapes[i].nk, shapes[i].dim,
                     bf16 ? "bf16" : "f32");
            print_flops("attention", text, best(b, call_attention, &c),
                        4.0 * (double)q * shapes[i].nk);
            free(c.args.y), free((void *)c.args.q), free((void *)c.args.k);
            free((void *)c.args.v), free(c.args.scratch);
        }
}

struct norm_call {
    const struct kernels *k;
    struct group_norm_args group;
    struct layer_norm_args layer;
};

static void call_group_norm(const void *p)
{
    const struct norm_call *c = p;
    c->k->group_norm(&c->group);
}

static void call_layer_norm(const void *p)
{
    const struct norm_call *c = p;
    c->k->layer_norm(&c->layer);
}

static void bench_group_norm(const struct bench *b)
{
    static const struct {
        const char *text;
        int pictures, pixels, channels, channels2;
    } shapes[] = {
        {"SD1.5 2 x 64x64 x 320", 2, 4096, 320, 0},
        {"SD1.5 2 x 64x64 x 640 + 320", 2, 4096, 640, 320},
        {"SD1.5 2 x 8x8 x 1280 + 1280", 2, 64, 1280, 1280},
        {"SDXL 2 x 128x128 x 320", 2, 16384, 320, 0},
        {"VAE 512x512 x 128", 1, 262144, 128, 0},
    };

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        int all = shapes[i].channels + shapes[i].channels2;
        size_t pixels = (size_t)shapes[i].pictures * shapes[i].pixels, n = pixels * (size_t)all;
        struct norm_call c = {.k = b->k};
        c.group = (struct group_norm_args){
            .y = numbers(n),
            .x = numbers(pixels * shapes[i].channels),
            .x2 = shapes[i].channels2 ? numbers(pixels * shapes[i].channels2) : NULL,
            .pictures = shapes[i].pictures,
            .pixels = shapes[i].pixels,
            .channels = shapes[i].channels,
            .channels2 = shapes[i].channels2,
            .groups = 32,
            .scale = numbers((size_t)all),
            .shift = numbers((size_t)all),
            .eps = 1e-5f,
            .act = ACT_SILU,
            .threads = b->threads,
        };
        c.group.scratch = take(b->k->group_norm_scratch(&c.group));
        print_bytes("group_norm", shapes[i].text, best(b, call_group_norm, &c), (double)n,
                    12.0 * (double)n);
        free(c.group.y), free((void *)c.group.x), free((void *)c.group.x2);
        free((void *)c.group.scale), free((void *)c.group.shift), free(c.group.scratch);
    }
}

static void bench_layer_norm(const struct bench *b)
{
    static const int shapes[][2] = {{8192, 320}, {2048, 640}, {512, 1280}, {8192, 640}};

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        int rows = shapes[i][0], channels = shapes[i][1];
        size_t n = (size_t)rows * channels;
        struct norm_call c = {.k = b->k};
        char text[40];
        c.layer = (struct layer_norm_args){
            .y = numbers(n),
            .x = numbers(n),
            .rows = rows,
            .channels = channels,
            .scale = numbers((size_t)channels),
            .shift = numbers((size_t)channels),
            .eps = 1e-5f,
            .threads = b->threads,
        };
        snprintf(text, sizeof text, "%d x %d", rows, channels);
        print_bytes("layer_norm", text, best(b, call_layer_norm, &c), (double)n, 8.0 * (double)n);
        free(c.layer.y), free((void *)c.layer.x);
        free((void *)c.layer.scale), free((void *)c.layer.shift);
    }
}

struct activate_call {
    const struct kernels *k;
    float *x;
    size_t n;
    enum act act;
    int threads;
};

static void call_activate(const void *p)
{
    const struct activate_call *c = p;
    c->k->activate(c->x, c->x, c->n, c->act, c->threads);
}

static void bench_activate(const struct bench *b)
{
    static const char *const names[] = {"none", "silu", "gelu", "quick_gelu", "relu"};

    for (int act = ACT_SILU; act <= ACT_RELU; act++) {
        struct activate_call c = {b->k, numbers(1 << 16), 1 << 16, (enum act)act, b->threads};
        print_bytes("activate", names[act], best(b, call_activate, &c), (double)c.n,
                    8.0 * (double)c.n);
        free(c.x);
    }
}

static const struct {
    const char *name;
    void (*run)(const struct bench *);
} benches[] = {
    {"linear", bench_linear},         {"conv", bench_conv},
    {"attention", bench_attention},   {"group_norm", bench_group_norm},
    {"layer_norm", bench_layer_norm}, {"activate", bench_activate},
};

int main(int argc, char **argv)
{
    struct bench b = {.threads = 1, .rounds = 5, .clock = CLOCK_MONOTONIC};
    const char *op = NULL, *isa = NULL;
    struct err e;

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (argv[i][0] != '-')
            op = argv[i];
        else if (strcmp(argv[i], "--cpu") == 0)
            b.clock = CLOCK_PROCESS_CPUTIME_ID;
        else if (strcmp(argv[i], "--isa") == 0)
            isa = value, i++;
        else if (strcmp(argv[i], "--threads") == 0)
            b.threads = (int)strtol(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--rounds") == 0)
            b.rounds = (int)strtol(value, NULL, 10), i++;
    }
    if (b.threads < 1 || b.rounds < 1) {
        fprintf(stderr, "usage: bench_kernels [OPERATION] [--isa ISA] [--threads N] [--rounds N] "
                        "[--cpu]\n");
        return 2;
    }
    if (kernels_pick("cpu", isa, &b.k, &e)) {
        fprintf(stderr, "bench_kernels: %s\n", e.message);
        return 1;
    }
    printf("%s, %d threads, best of %d\n", b.k->isa, b.threads, b.rounds);
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++)
        if (!op || strcmp(op, benches[i].name) == 0)
            benches[i].run(&b);
    return 0;
}
