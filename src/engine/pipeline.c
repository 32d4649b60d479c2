#include "engine/pipeline.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int report(struct cauldron_error *out, const struct err *e)
{
    *out = (struct cauldron_error){.code = e->code};
    snprintf(out->message, sizeof out->message, "%s", e->message);
    return e->code;
}

struct cauldron_options cauldron_options(void)
{
    return (struct cauldron_options){.executor = "cpu", .dtype = "auto"};
}

static int usable_cores(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static int read_options(struct cauldron_model *m, const struct cauldron_options *o, struct err *e)
{
    const char *dtype = o->dtype ? o->dtype : "auto";
    bool bf16 = strcmp(dtype, "bf16") == 0;

    if (!bf16 && strcmp(dtype, "auto") != 0 && strcmp(dtype, "f32") != 0)
        return ERR(e, ERR_ARG, "dtype '%s' is not known: take auto, f32 or bf16", dtype);
    if (o->threads < 0 || o->threads > 1024)
        return ERR(e, ERR_ARG, "%d threads: must be 1 to 1024, or 0 for one per core", o->threads);
    if (o->max_rows < 0 || o->max_rows > MAX_ROWS)
        return ERR(e, ERR_ARG, "max_rows %d: must be 1 to %d, or 0 for 4", o->max_rows, MAX_ROWS);
    int rc = kernels_pick(o->executor ? o->executor : "cpu", o->isa, &m->kernels, e);
    if (rc)
        return rc;
    if (bf16 && strcmp(m->kernels->isa, "avx512bf16") != 0)
        return ERR(e, ERR_UNSUPPORTED,
                   "dtype bf16 needs a CPU with AVX-512 BF16; this runs '%s': leave --dtype out",
                   m->kernels->isa);
    m->max_rows = o->max_rows ? o->max_rows : 4;
    m->context = (struct plan_context){.kernels = m->kernels,
                                       .packs = &m->packs,
                                       .compute = bf16 ? COMPUTE_BF16 : COMPUTE_F32,
                                       .low_memory = o->low_memory != 0,
                                       .threads = o->threads ? o->threads : usable_cores()};
    return 0;
}

static int open_tokenizers(struct cauldron_model *m, struct err *e)
{
    const struct model *f = m->files;

    for (int i = 0; i < f->encoders; i++) {
        int rc = f->vocab[i].n ? tokenizer_parse(f->vocab[i], f->merges[i], f->tokenizer_config[i],
                                                 f->special_tokens[i], &m->tokenizer[i], e)
                               : tokenizer_standard(f->pad_with_zero[i], &m->tokenizer[i], e);
        if (rc)
            return err_prefix(e, "%s: tokenizer", f->path);
        if (f->clip[i].positions != TOKENS)
            return ERR(e, ERR_UNSUPPORTED,
                       "%s: the text encoder takes %d tokens; only %d are supported", f->path,
                       f->clip[i].positions, TOKENS);
    }
    return 0;
}

static int open_model(struct cauldron_model *m, const char *path, const struct cauldron_options *o,
                      struct err *e)
{
    int rc = read_options(m, o, e);

    if (rc || (rc = model_open(path, o->variant, &m->files, e)) || (rc = open_tokenizers(m, e)))
        return rc;
    const struct unet_config *u = &m->files->unet;
    int expected = m->files->inpainting ? 2 * m->files->vae.latent_channels + 1
                                        : m->files->vae.latent_channels;
    if (u->in_channels != expected || u->out_channels != m->files->vae.latent_channels)
        return ERR(e, ERR_UNSUPPORTED,
                   "%s: the U-Net maps %d to %d channels, which does not fit latents of %d", path,
                   u->in_channels, u->out_channels, m->files->vae.latent_channels);
    return 0;
}

int cauldron_open(const char *path, const struct cauldron_options *options,
                  struct cauldron_model **out, struct cauldron_error *error)
{
    struct cauldron_model *m = calloc(1, sizeof *m);
    struct err e = {0};

    if (!m)
        abort();
    if (open_model(m, path, options, &e)) {
        cauldron_close(m);
        return report(error, &e);
    }
    *out = m;
    return 0;
}

void cauldron_close(struct cauldron_model *m)
{
    if (!m)
        return;
    passes_free(m);
    conditions_free(m);
    for (int i = 0; i < 2; i++)
        tokenizer_free(m->tokenizer[i]);
    pack_cache_release(&m->packs);
    workspace_release(&m->workspace);
    model_close(m->files);
    free(m);
}

void cauldron_describe(const struct cauldron_model *m, struct cauldron_info *out)
{
    const struct unet_config *u = &m->files->unet;

    *out = (struct cauldron_info){.architecture = architecture_name(m->files->architecture),
                                  .executor = m->kernels == &kernels_ref ? "ref" : "cpu",
                                  .isa = m->kernels->isa,
                                  .dtype = m->context.compute == COMPUTE_BF16 ? "bf16" : "f32",
                                  .sampler = sampler_name(m->files->scheduler.kind),
                                  .threads = m->context.threads,
                                  .width = u->sample_width * latent_scale(m),
                                  .height = u->sample_size * latent_scale(m),
                                  .multiple = latent_scale(m),
                                  .inpainting = m->files->inpainting,
                                  .weight_bytes = model_bytes(m->files),
                                  .packed_bytes = m->packs.bytes};
}

int cauldron_digest(const struct cauldron_model *m, char out[65], struct cauldron_error *error)
{
    struct err e = {0};
    return model_digest(m->files, NULL, out, &e) ? report(error, &e) : 0;
}

struct cauldron_request cauldron_request(const struct cauldron_model *m)
{
    const struct unet_config *u = &m->files->unet;

    return (struct cauldron_request){.steps = 20,
                                     .guidance = m->files->architecture == ARCH_SDXL ? 5.0 : 7.5,
                                     .width = u->sample_width * latent_scale(m),
                                     .height = u->sample_size * latent_scale(m),
                                     .strength = 0.8};
}

static int generate(struct cauldron_model *m, const struct cauldron_request *requests, int count,
                    struct cauldron_picture *out, struct err *e)
{
    struct batcher b = {.model = m};
    int rc = 0, left = 1;

    for (int i = 0; i < count && rc == 0; i++) {
        struct job *j;
        rc = job_new(m, &requests[i], i, &out[i], &j, e);
        if (rc == 0)
            batcher_add(&b, j);
    }
    pass_finished(m, COMPONENT_TEXT_1);
    while (rc == 0 && left)
        rc = batcher_step(&b, &left, e);
    batcher_release(&b);
    return rc;
}

int cauldron_generate(struct cauldron_model *m, const struct cauldron_request *requests, int count,
                      struct cauldron_picture *out, struct cauldron_error *error)
{
    struct cauldron_picture *pictures = calloc((size_t)(count > 0 ? count : 1), sizeof *pictures);
    struct err e = {0};

    if (!pictures)
        abort();
    int rc = generate(m, requests, count, pictures, &e);
    atomic_store(&m->cancel, false);
    if (rc)
        for (int i = 0; i < count; i++)
            cauldron_picture_free(&pictures[i]);
    else
        memcpy(out, pictures, sizeof *out * (size_t)count);
    free(pictures);
    return rc ? report(error, &e) : 0;
}

void cauldron_picture_free(struct cauldron_picture *p)
{
    free(p->pixels);
    *p = (struct cauldron_picture){0};
}

void cauldron_cancel(struct cauldron_model *m)
{
    atomic_store(&m->cancel, true);
}

int cauldron_preview(struct cauldron_model *m, const struct cauldron_progress *progress,
                     struct cauldron_picture *out, struct cauldron_error *error)
{
    struct cauldron_picture picture = {0};
    struct err e = {0};

    if (preview_draw(m, progress, &picture, &e)) {
        cauldron_picture_free(&picture);
        return report(error, &e);
    }
    *out = picture;
    return 0;
}
