/* native.c: this program's engine as a provider. */
#include "providers/native.h"

#include "providers/backends.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 8 /* of one pass, unless asked for otherwise */ };

/* ==== settings ==== */

static void copy_folders(struct native *n, const struct provider_options *o)
{
    int count = 0;

    while (o->model_folders && o->model_folders[count])
        count++;
    const char **folders = arena_alloc(&n->arena, ((size_t)count + 1) * sizeof *folders);
    for (int i = 0; i < count; i++)
        folders[i] = arena_strdup(&n->arena, o->model_folders[i]);
    n->paths = (struct model_paths){folders, count,
                                    o->hub_cache ? arena_strdup(&n->arena, o->hub_cache) : NULL};
}

static int check_options(const struct provider_options *o, struct err *e)
{
    const char *dtype = o->dtype ? o->dtype : "auto";

    if (strcmp(dtype, "auto") != 0 && strcmp(dtype, "f32") != 0 && strcmp(dtype, "bf16") != 0)
        return ERR(e, ERR_ARG, "dtype '%.50s' is not known: take auto, f32 or bf16", dtype);
    if (o->threads < 0 || o->threads > 1024)
        return ERR(e, ERR_ARG, "%d threads: must be 1 to 1024, or 0 for all cores", o->threads);
    if (o->slots < 0 || o->slots > 64)
        return ERR(e, ERR_ARG, "%d slots: must be 1 to 64, or 0 for 1", o->slots);
    if (o->max_rows < 0 || o->max_rows > MAX_ROWS)
        return ERR(e, ERR_ARG, "max_rows %d: must be 1 to %d, or 0 for the default", o->max_rows,
                   MAX_ROWS);
    if (o->memory_budget < 0)
        return ERR(e, ERR_ARG, "the memory budget is negative");
    return 0;
}

static int settle(struct native *n, const struct provider_options *o, struct err *e)
{
    const char *isa = o->isa && o->isa[0] ? o->isa : NULL;
    int rc = check_options(o, e);

    if (rc || (rc = kernels_pick("cpu", isa, &n->kernels, e)))
        return rc;
    n->bf16 = o->dtype && strcmp(o->dtype, "bf16") == 0;
    if (n->bf16 && strcmp(n->kernels->isa, "avx512bf16") != 0)
        return ERR(e, ERR_UNSUPPORTED,
                   "dtype bf16 needs a CPU with AVX-512 BF16; this runs '%s': leave it out",
                   n->kernels->isa);
    hardware_read("/", &n->arena, &n->hardware);
    n->isa = isa ? arena_strdup(&n->arena, isa) : NULL;
    n->data_folder = o->data_folder ? arena_strdup(&n->arena, o->data_folder) : NULL;
    n->default_model = arena_strdup(&n->arena, o->default_model ? o->default_model : "demo");
    n->low_memory = o->low_memory;
    n->slots = o->slots ? o->slots : 1;
    n->threads = o->threads                     ? o->threads
                 : n->hardware.cores > n->slots ? n->hardware.cores / n->slots
                                                : 1;
    n->max_rows = o->max_rows ? o->max_rows : ROWS;
    n->rows_by_size = !o->max_rows;
    n->budget = o->memory_budget ? o->memory_budget : n->hardware.memory / 2;
    copy_folders(n, o);
    return 0;
}

/* ==== life ==== */

static void native_close(struct provider *p)
{
    struct native *n = provider_state(p);

    pool_free(n);
    native_facts_free(n);
    pthread_mutex_destroy(&n->lock);
    pthread_mutex_destroy(&n->digesting);
    pthread_cond_destroy(&n->released);
    arena_release(&n->arena);
    free(n);
}

static int native_open(struct provider *p, const struct provider_options *o, struct err *e)
{
    struct native *n = calloc(1, sizeof *n);
    pthread_condattr_t monotonic;

    if (!n)
        abort();
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&n->lock, NULL);
    pthread_mutex_init(&n->digesting, NULL);
    pthread_cond_init(&n->released, &monotonic);
    pthread_condattr_destroy(&monotonic);
    provider_set_state(p, n);
    int rc = settle(n, o, e);
    if (rc)
        native_close(p);
    return rc;
}

/* ==== hardware ==== */

static int native_hardware(struct provider *p, struct arena *a, struct hardware_info *out,
                           struct err *e)
{
    struct native *n = provider_state(p);
    struct hardware hw = n->hardware;

    (void)e;
    hardware_read_memory("/", &hw);
    struct hardware_device *devices = arena_alloc(a, (hw.gpu_count + 1) * sizeof *devices);
    devices[0] = (struct hardware_device){.id = "cpu",
                                          .name = hw.cpu,
                                          .kind = "cpu",
                                          .cores = hw.cores,
                                          .threads = n->threads,
                                          .slots = n->slots,
                                          .features = hw.features,
                                          .isa = n->kernels->isa,
                                          .memory = hw.memory,
                                          .memory_free = hw.memory_free};
    pool_totals(n, &devices[0].models, &devices[0].models_bytes);
    for (size_t i = 0; i < hw.gpu_count; i++) /* there, though this engine does not draw on them */
        devices[i + 1] = (struct hardware_device){.id = arena_printf(a, "cuda:%zu", i),
                                                  .name = hw.gpus[i].name,
                                                  .kind = "cuda",
                                                  .features = "",
                                                  .isa = ""};
    *out = (struct hardware_info){.os = hw.os,
                                  .machine = hw.machine,
                                  .devices = devices,
                                  .device_count = hw.gpu_count + 1,
                                  .memory = hw.memory,
                                  .memory_free = hw.memory_free};
    return 0;
}

static int native_optimize(struct provider *p, const char *device, json_t **out, struct err *e)
{
    struct native *n = provider_state(p);

    if (strcmp(device, "auto") != 0 && strcmp(device, "cpu") != 0)
        return ERR(e, ERR_UNSUPPORTED,
                   "device '%.50s' is not there: this provider draws on the CPU", device);
    json_t *chosen = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:b, s:i, s:I, s:b}", "device",
                               "cpu", "isa", n->kernels->isa, "dtype", n->bf16 ? "bf16" : "f32",
                               "cores", n->hardware.cores, "threads", n->threads, "slots", n->slots,
                               "rows_by_size", n->rows_by_size, "max_rows", n->max_rows,
                               "memory_budget", (json_int_t)n->budget, "low_memory", n->low_memory);
    if (!chosen)
        return ERR(e, ERR_NOMEM, "no memory for the settings");
    *out = chosen;
    return 0;
}

static void native_stats(struct provider *p, struct provider_stats *out)
{
    struct native *n = provider_state(p);

    pthread_mutex_lock(&n->lock);
    *out = n->stats;
    pthread_mutex_unlock(&n->lock);
}

const struct provider_backend native_backend = {
    .name = "native",
    .version = "1",
    .open = native_open,
    .close = native_close,
    .models = native_models,
    .model = native_model,
    .refresh = native_refresh,
    .hardware = native_hardware,
    .optimize = native_optimize,
    .complete = native_complete,
    .draw = native_draw,
    .stats = native_stats,
    .interrupt = native_interrupt,
};
