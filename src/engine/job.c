#include "base/clock.h"
#include "engine/networks/networks.h"
#include "engine/pipeline.h"
#include "image/image.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void job_trace(const struct job *j, const char *name, const float *data, int dims, int64_t a,
               int64_t b, int64_t c)
{
    const struct cauldron_request *r = &j->request;

    if (r->on_trace)
        r->on_trace(r->user, &(struct cauldron_trace){j->index, name, dims, {a, b, c}, data});
}

static void trace_latents(const struct cauldron_model *m, const struct job *j, const char *name,
                          const float *x)
{
    job_trace(j, name, x, 3, m->files->vae.latent_channels, j->h, j->w);
}

static float *numbers(struct job *j, size_t count)
{
    return arena_alloc(&j->arena, count * sizeof(float));
}

/* ==== what is asked for ==== */

static int check(const struct cauldron_model *m, const struct cauldron_request *r, struct err *e)
{
    int multiple = latent_scale(m);
    const int sizes[] = {r->width, r->height};

    if (!r->prompt)
        return ERR(e, ERR_ARG, "no prompt given");
    for (int i = 0; i < 2; i++) {
        int low = sizes[i] / multiple * multiple;
        if (sizes[i] < multiple || sizes[i] > 8192)
            return ERR(e, ERR_ARG, "%s %d: must be %d to 8192 pixels", i ? "height" : "width",
                       sizes[i], multiple);
        if (sizes[i] % multiple)
            return ERR(e, ERR_ARG, "%s %d: must be a multiple of %d; the nearest are %d and %d",
                       i ? "height" : "width", sizes[i], multiple, low ? low : multiple,
                       low + multiple);
    }
    if ((int64_t)r->width * r->height > (int64_t)4096 * 4096)
        return ERR(e, ERR_ARG, "%dx%d is more than the 4096x4096 pixels that one picture may have",
                   r->width, r->height);
    if (!isfinite(r->guidance) || !isfinite(r->guidance_rescale) || r->guidance_rescale < 0 ||
        r->guidance_rescale > 1)
        return ERR(e, ERR_ARG, "guidance must be a finite number and its rescale in 0..1");
    if (r->mask.pixels && !r->init.pixels)
        return ERR(e, ERR_ARG,
                   "a mask needs a picture to be filled in: give an init image as well");
    if (m->files->inpainting && !r->mask.pixels)
        return ERR(e, ERR_ARG, "this model fills in masks: give an init image and a mask");
    if (r->init.pixels && !(r->strength > 0 && r->strength <= 1))
        return ERR(e, ERR_ARG, "strength %g: must be above 0 and at most 1", r->strength);
    return 0;
}

static int sampler_spec(const struct cauldron_model *m, const struct job *j,
                        struct sampler_spec *out, struct err *e)
{
    const struct cauldron_request *r = &j->request;
    struct sampler_spec s = {.kind = m->files->scheduler.kind,
                             .schedule = SCHEDULE_MODEL,
                             .spacing = SPACING_MODEL,
                             .steps = r->steps,
                             .eta = r->eta,
                             .count = j->count,
                             .strength = r->init.pixels ? r->strength : 1};

    if (r->sampler && !sampler_by_name(str_from(r->sampler), &s.kind, &s.schedule))
        return ERR(e, ERR_ARG,
                   "sampler '%s' is not known; see 'cauldron generate --help' for the names",
                   r->sampler);
    if (r->schedule && !schedule_by_name(str_from(r->schedule), &s.schedule))
        return ERR(e, ERR_ARG,
                   "schedule '%s' is not known: take model, uniform, karras, exponential, beta or "
                   "sgm_uniform",
                   r->schedule);
    if (r->spacing && !spacing_by_name(str_from(r->spacing), &s.spacing))
        return ERR(e, ERR_ARG, "spacing '%s' is not known: take leading, linspace or trailing",
                   r->spacing);
    *out = s;
    return 0;
}

/* ==== text ==== */

static bool guided(const struct cauldron_model *m, const struct cauldron_request *r)
{
    return r->guidance > 1 && !m->files->unet.time_cond_dim;
}

/* SDXL's added conditioning: the pooled text, then six sizes as sinusoids (Podell et al. 2023,
 * section 2.2). */
static int set_added(const struct cauldron_model *m, struct job *j, int row,
                     const struct condition *c, struct err *e)
{
    const struct unet_config *u = &m->files->unet;
    const struct cauldron_request *r = &j->request;
    int pooled = pooled_width(m), dim = u->addition_time_dim;
    const int sizes[] = {r->original_height ? r->original_height : r->height,
                         r->original_width ? r->original_width : r->width,
                         r->crop_top,
                         r->crop_left,
                         r->target_height ? r->target_height : r->height,
                         r->target_width ? r->target_width : r->width};

    if (pooled + 6 * dim != u->class_embed_in)
        return ERR(e, ERR_FORMAT,
                   "%s: the U-Net takes %d added numbers, but text and sizes give %d",
                   m->files->path, u->class_embed_in, pooled + 6 * dim);
    float *x = numbers(j, (size_t)u->class_embed_in);
    if (c->pooled)
        memcpy(x, c->pooled, sizeof *x * (size_t)pooled);
    for (int i = 0; i < 6; i++)
        time_embedding(x + pooled + i * dim, sizes[i], dim, u->flip_sin_to_cos,
                       (double)u->freq_shift);
    j->added[row] = x;
    return 0;
}

static int set_text(struct cauldron_model *m, struct job *j, struct err *e)
{
    const struct cauldron_request *r = &j->request;
    const char *negative = r->negative;
    int rc = condition_get(m, r->prompt, r->clip_skip, &j->cond, e);

    if (rc)
        return rc;
    j->cond->users++;
    if (guided(m, r)) {
        if (!negative &&
            !(m->files->architecture == ARCH_SDXL && m->files->force_zeros_for_empty_prompt))
            negative = "";
        rc = condition_get(m, negative, 0, &j->uncond, e);
        if (rc)
            return rc;
        j->uncond->users++;
    }
    for (int row = 0; row < 2; row++) {
        const struct condition *c = row ? j->cond : j->uncond;
        if (!c)
            continue;
        if (c->width != m->files->unet.context)
            return ERR(e, ERR_FORMAT,
                       "%s: the U-Net takes text of width %d, but the text encoders give %d",
                       m->files->path, m->files->unet.context, c->width);
        if (c->warning && r->on_warning)
            r->on_warning(r->user, c->warning);
        job_trace(j, row ? "text.cond" : "text.uncond", c->context, 2, TOKENS, c->width, 0);
        if (c->pooled)
            job_trace(j, row ? "text.cond.pooled" : "text.uncond.pooled", c->pooled, 1,
                      pooled_width(m), 0, 0);
        if (m->files->unet.text_time && (rc = set_added(m, j, row, c, e)))
            return rc;
    }
    if (m->files->unet
            .time_cond_dim) { /* latent consistency models take the guidance as a number */
        j->guidance = numbers(j, (size_t)m->files->unet.time_cond_dim);
        time_embedding(j->guidance, (r->guidance - 1) * 1000, m->files->unet.time_cond_dim, false,
                       1);
    }
    return 0;
}

/* ==== pictures ==== */

/* Resized as PIL does it (Lanczos), as [channels][height][width] in 0..1. */
static int read_pixels(struct job *j, const struct cauldron_pixels *p, int channels, float **out,
                       struct err *e)
{
    const struct cauldron_request *r = &j->request;
    size_t pixels = (size_t)r->width * (size_t)r->height;
    struct image resized = {0};
    const struct image source = {p->width, p->height, channels,
                                 (unsigned char *)(uintptr_t)p->pixels};
    int rc = image_resize(&source, r->width, r->height, IMAGE_LANCZOS, &resized, e);

    if (rc)
        return rc;
    float *x = numbers(j, pixels * (size_t)channels);
    for (size_t i = 0; i < pixels; i++)
        for (int c = 0; c < channels; c++)
            x[(size_t)c * pixels + i] = (float)resized.pixels[i * (size_t)channels + (size_t)c] /
                                        255.0f;
    image_release(&resized);
    *out = x;
    return 0;
}

/* A sample of the encoder's distribution, scaled: diffusers retrieve_latents(vae.encode(x)) *
 * scaling_factor. */
static int encode(struct cauldron_model *m, struct job *j, const float *pixels, float **out,
                  struct err *e)
{
    float *moments = numbers(j, 2 * j->count), *x = numbers(j, j->count);
    int rc = pass_encode(m, pixels, j->h, j->w, moments, e);

    if (rc)
        return rc;
    noise_normal(&j->noise, x, j->count);
    for (size_t i = 0; i < j->count; i++) {
        float logvar = fminf(fmaxf(moments[j->count + i], -30.0f), 20.0f);
        x[i] = (moments[i] + expf(0.5f * logvar) * x[i]) * m->files->vae.scaling;
    }
    *out = x;
    return 0;
}

/* The mask at the size of the latents (nearest), and the latents of what it leaves. */
static int set_mask(struct cauldron_model *m, struct job *j, const float *picture,
                    const float *mask, struct err *e)
{
    const struct cauldron_request *r = &j->request;
    size_t pixels = (size_t)r->width * (size_t)r->height;
    int scale = latent_scale(m);
    float *rest = numbers(j, 3 * pixels);

    for (size_t i = 0; i < 3 * pixels; i++)
        rest[i] = picture[i] * (mask[i % pixels] < 0.5f ? 1.0f : 0.0f);
    j->mask = numbers(j, (size_t)j->h * (size_t)j->w);
    for (int y = 0; y < j->h; y++)
        for (int x = 0; x < j->w; x++)
            j->mask[y * j->w + x] =
                mask[(size_t)y * (size_t)scale * (size_t)r->width + (size_t)(x * scale)];
    return encode(m, j, rest, &j->masked, e);
}

/* The first latents, drawn in the order of diffusers' pipelines: the picture's posterior, the
 * noise, what the mask leaves. */
static int set_latents(struct cauldron_model *m, struct job *j, float **start, float **fresh,
                       struct err *e)
{
    const struct cauldron_request *r = &j->request;
    float *picture = NULL, *mask = NULL, *known = NULL, *noise = numbers(j, j->count);
    bool masked = r->init.pixels && r->mask.pixels,
         from_noise = !r->init.pixels || (masked && r->strength >= 1);
    size_t pixels = (size_t)r->width * (size_t)r->height;
    int rc;

    if (r->init.pixels) {
        if ((rc = read_pixels(j, &r->init, 3, &picture, e)))
            return rc;
        for (size_t i = 0; i < 3 * pixels; i++)
            picture[i] = 2.0f * picture[i] - 1.0f;
    }
    if (masked) {
        if ((rc = read_pixels(j, &r->mask, 1, &mask, e)))
            return rc;
        for (size_t i = 0; i < pixels; i++)
            mask[i] = mask[i] < 0.5f ? 0.0f : 1.0f;
    }
    if (!from_noise || (masked && !m->files->inpainting))
        if ((rc = encode(m, j, picture, &known, e)))
            return rc;
    noise_normal(&j->noise, noise, j->count);
    trace_latents(m, j, "noise", noise);
    if (masked && (rc = set_mask(m, j, picture, mask, e)))
        return rc;
    if (masked && !m->files->inpainting) {
        j->known = known;
        j->known_noise = noise;
    }
    *start = from_noise ? noise : known;
    *fresh = from_noise ? NULL : noise;
    return 0;
}

/* ==== life ==== */

int job_new(struct cauldron_model *m, const struct cauldron_request *r, int index,
            struct cauldron_picture *out, struct job **job, struct err *e)
{
    struct sampler_spec spec;
    float *start, *fresh;
    int rc = check(m, r, e);

    if (rc)
        return rc;
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        abort();
    j->index = index;
    j->request = *r;
    j->out = out;
    j->started = clock_seconds();
    m->workspace_used = 0;
    j->h = r->height / latent_scale(m);
    j->w = r->width / latent_scale(m);
    j->count = (size_t)m->files->vae.latent_channels * (size_t)j->h * (size_t)j->w;
    if (r->rng && strcmp(r->rng, "cpu") != 0 && strcmp(r->rng, "cuda") != 0) {
        rc = ERR(e, ERR_ARG, "rng '%s' is not known: take cpu or cuda", r->rng);
        goto out;
    }
    noise_init(&j->noise, r->rng && strcmp(r->rng, "cuda") == 0 ? NOISE_CUDA : NOISE_CPU, r->seed);
    if ((rc = sampler_spec(m, j, &spec, e)) || (rc = set_text(m, j, e)) ||
        (rc = set_latents(m, j, &start, &fresh, e)))
        goto out;
    struct scheduler_config config = model_scheduler(m->files, spec.kind, r->mask.pixels != NULL);
    rc = sampler_new(&spec, &config, &j->noise, r->seed, start, fresh, &j->sampler, e);
    if (rc)
        goto out;
    j->wants = sampler_next(j->sampler, &j->want);
    j->cost.begin = clock_seconds() - j->started;
    j->cost.workspace = m->workspace_used;
    *job = j;
out:
    if (rc)
        job_free(j);
    return rc;
}

void job_free(struct job *j)
{
    if (j->cond)
        j->cond->users--;
    if (j->uncond)
        j->uncond->users--;
    sampler_free(j->sampler);
    arena_release(&j->arena);
    free(j);
}

int job_rows(const struct job *j)
{
    return j->uncond ? 2 : 1;
}

static double deviation(const float *x, size_t n)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    for (size_t i = 0; i < n; i++)
        squares += pow((double)x[i] - sum / (double)n, 2);
    return sqrt(squares / (double)(n - 1));
}

/* Ho & Salimans 2022; the rescale is Lin et al. 2023, section 3.4 (diffusers rescale_noise_cfg). */
static void guide(float *out, const float *uncond, const float *cond, size_t n, double scale,
                  double rescale)
{
    float g = (float)scale;

    for (size_t i = 0; i < n; i++)
        out[i] = uncond[i] + g * (cond[i] - uncond[i]);
    if (rescale > 0) {
        float ratio = (float)(deviation(cond, n) / deviation(out, n)), phi = (float)rescale;
        for (size_t i = 0; i < n; i++)
            out[i] = phi * (out[i] * ratio) + (1 - phi) * out[i];
    }
}

/* On 4-channel models the known part is put back after every step, at the noise level of the next.
 */
static void keep_known(struct job *j)
{
    size_t pixels = (size_t)j->h * (size_t)j->w;
    float *x = malloc(2 * j->count * sizeof *x);

    if (!x)
        abort();
    float *known = x + j->count;
    sampler_noised(j->sampler, j->known, j->known_noise, known);
    memcpy(x, sampler_latents(j->sampler), j->count * sizeof *x);
    for (size_t i = 0; i < j->count; i++)
        x[i] = (1 - j->mask[i % pixels]) * known[i] + j->mask[i % pixels] * x[i];
    sampler_replace(j->sampler, x);
    free(x);
}

int job_feed(struct cauldron_model *m, struct job *j, const float *rows, struct err *e)
{
    const struct cauldron_request *r = &j->request;
    char name[32];

    if (j->uncond) {
        float *out = malloc(j->count * sizeof *out);
        if (!out)
            abort();
        guide(out, rows, rows + j->count, j->count, r->guidance, r->guidance_rescale);
        sampler_feed(j->sampler, out);
        free(out);
    } else {
        sampler_feed(j->sampler, rows);
    }
    if (j->known)
        keep_known(j);
    int fed = sampler_evaluation(j->sampler);
    snprintf(name, sizeof name, "latent.%03d", fed - 1);
    trace_latents(m, j, name, sampler_latents(j->sampler));
    if (r->on_progress) {
        struct cauldron_progress p = {.request = j->index,
                                      .step = fed,
                                      .steps = sampler_evaluations(j->sampler),
                                      .latents = sampler_latents(j->sampler),
                                      .predicted = sampler_predicted(j->sampler),
                                      .latent_channels = m->files->vae.latent_channels,
                                      .latent_width = j->w,
                                      .latent_height = j->h};
        if (r->on_progress(r->user, &p))
            return ERR(e, ERR_CANCELLED, "cancelled");
    }
    j->wants = sampler_next(j->sampler, &j->want);
    return 0;
}

int job_finish(struct cauldron_model *m, struct job *j, struct err *e)
{
    const struct cauldron_request *r = &j->request;
    size_t pixels = (size_t)r->width * (size_t)r->height;
    struct cauldron_picture *out = j->out;
    double started = clock_seconds();
    float *x = malloc(3 * pixels * sizeof *x);
    int rc = ERR_NOMEM;

    unsigned char *bytes = malloc(3 * pixels);
    if (!x || !bytes) {
        (void)ERR(e, ERR_NOMEM, "no memory for a picture of %dx%d", r->width, r->height);
        goto out;
    }
    pass_finished(m, COMPONENT_UNET);
    m->workspace_used = j->cost.workspace;
    rc = pass_decode(m, sampler_latents(j->sampler), j->h, j->w, x, e);
    if (rc)
        goto out;
    size_t broken = 0;
    for (size_t i = 0; i < 3 * pixels; i++) {
        broken += isnan(x[i]);
        x[i] = fminf(fmaxf(x[i] / 2 + 0.5f, 0), 1); /* NaN becomes 0 */
    }
    if (broken && r->on_warning)
        r->on_warning(r->user, "the picture is not made of numbers (NaN): the model's weights are "
                               "broken, or overflow");
    job_trace(j, "image", x, 3, 3, r->height, r->width);
    for (size_t i = 0; i < pixels; i++)
        for (size_t c = 0; c < 3; c++)
            bytes[3 * i + c] = (unsigned char)rintf(x[c * pixels + i] * 255.0f);
    *out = (struct cauldron_picture){.width = r->width,
                                     .height = r->height,
                                     .pixels = bytes,
                                     .seconds = clock_seconds() - j->started};
    bytes = NULL;
    j->cost.finish = clock_seconds() - started;
    j->cost.workspace = m->workspace_used;
out:
    free(x);
    free(bytes);
    return rc;
}
