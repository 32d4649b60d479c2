#include "engine/networks/networks.h"
#include "engine/pipeline.h"

#include <stdlib.h>
#include <string.h>

static void build(struct g *g, const struct cauldron_model *m, enum network n, int pictures, int h,
                  int w, int variant)
{
    const struct model *f = m->files;
    int encoder = n == NETWORK_TEXT_2;

    switch (n) {
    case NETWORK_TEXT_1:
    case NETWORK_TEXT_2:
        graph_init(g, &f->clip_weights[encoder], pictures);
        clip_build(g, &f->clip[encoder], variant, f->architecture != ARCH_SDXL, encoder == 1);
        break;
    case NETWORK_UNET:
        graph_init(g, &f->unet_weights, pictures);
        unet_build(g, &f->unet, h, w, TOKENS);
        break;
    case NETWORK_DECODER:
        graph_init(g, &f->vae_weights, pictures);
        vae_decoder_build(g, &f->vae, h, w);
        break;
    case NETWORK_ENCODER:
        graph_init(g, &f->vae_weights, pictures);
        vae_encoder_build(g, &f->vae, h * latent_scale(m), w * latent_scale(m));
        break;
    case NETWORK_PREVIEW:
        graph_init(g, &f->taesd_weights, pictures);
        taesd_build(g, h, w);
        break;
    }
}

/* Found ones move to the front. */
static struct pass *find(struct cauldron_model *m, enum network n, int pictures, int h, int w,
                         int variant)
{
    for (struct pass **at = &m->passes; *at; at = &(*at)->next) {
        struct pass *p = *at;
        if (p->network != n || p->pictures != pictures || p->h != h || p->w != w ||
            p->variant != variant)
            continue;
        *at = p->next;
        p->next = m->passes;
        return m->passes = p;
    }
    return NULL;
}

static void pass_free(struct pass *p)
{
    graph_plan_free(p->plan);
    free(p);
}

/* Sizes are the users' choice: what was not used for long goes. */
static void forget_oldest(struct cauldron_model *m)
{
    struct pass **at = &m->passes;

    for (int kept = 0; *at && kept < PASSES_KEPT; kept++)
        at = &(*at)->next;
    while (*at) {
        struct pass *old = *at;
        *at = old->next;
        pass_free(old);
    }
}

int pass_get(struct cauldron_model *m, enum network n, int pictures, int h, int w, int variant,
             struct pass **out, struct err *e)
{
    struct pass *p = find(m, n, pictures, h, w, variant);
    struct g g;
    int rc;

    if (!p) {
        struct plan *plan;
        build(&g, m, n, pictures, h, w, variant);
        rc = graph_plan(&g, &m->context, &plan, e);
        if (rc) {
            err_prefix(e, "%s", m->files->path);
            return rc;
        }
        p = calloc(1, sizeof *p);
        if (!p)
            abort();
        *p = (struct pass){m->passes, n, pictures, h, w, variant, plan, {0}};
        m->passes = p;
        forget_oldest(m);
    }
    if (m->workspace_most && plan_workspace(p->plan) > m->workspace_most)
        return ERR(e, ERR_NOMEM,
                   "a pass over %d of %dx%d pixels takes %.1f GB of memory; %.1f GB are allowed",
                   pictures, w * latent_scale(m), h * latent_scale(m),
                   (double)plan_workspace(p->plan) / 1e9, (double)m->workspace_most / 1e9);
    rc = workspace_reserve(&m->workspace, plan_workspace(p->plan), e);
    if (rc)
        return rc;
    if (plan_workspace(p->plan) > m->workspace_used)
        m->workspace_used = plan_workspace(p->plan);
    *out = p;
    return 0;
}

float *pass_value(struct cauldron_model *m, const struct pass *p, const char *name)
{
    return plan_value(p->plan, &m->workspace, name);
}

int pass_run(struct cauldron_model *m, struct pass *p, enum plan_part part, struct err *e)
{
    if (plan_run(p->plan, &m->workspace, part, &m->cancel, m->profile))
        return ERR(e, ERR_CANCELLED, "cancelled");
    return 0;
}

void pass_finished(struct cauldron_model *m, enum component c)
{
    if (!m->context.low_memory)
        return;
    model_forget(m->files, c);
    workspace_release(&m->workspace);
}

void passes_free(struct cauldron_model *m)
{
    while (m->passes) {
        struct pass *p = m->passes;
        m->passes = p->next;
        pass_free(p);
    }
}

size_t passes_bytes(const struct cauldron_model *m)
{
    size_t bytes = m->packs.bytes + m->workspace.n;

    for (const struct pass *p = m->passes; p; p = p->next)
        bytes += plan_kept(p->plan);
    for (const struct condition *c = m->conditions; c; c = c->next)
        bytes += TOKENS * sizeof *c->context * (size_t)c->width;
    return bytes;
}

void to_channels_last(float *out, const float *in, int channels, size_t pixels)
{
    for (int c = 0; c < channels; c++)
        for (size_t p = 0; p < pixels; p++)
            out[p * (size_t)channels + (size_t)c] = in[(size_t)c * pixels + p];
}

void to_channels_first(float *out, const float *in, int channels, size_t pixels)
{
    for (int c = 0; c < channels; c++)
        for (size_t p = 0; p < pixels; p++)
            out[(size_t)c * pixels + p] = in[p * (size_t)channels + (size_t)c];
}

int latent_scale(const struct cauldron_model *m)
{
    return 1 << (m->files->vae.levels - 1);
}

int pass_decode(struct cauldron_model *m, const float *latents, int h, int w, float *pixels,
                struct err *e)
{
    const struct vae_config *c = &m->files->vae;
    size_t count = (size_t)h * (size_t)w * (size_t)c->latent_channels,
           scale = (size_t)latent_scale(m);
    struct pass *p;
    int rc = pass_get(m, NETWORK_DECODER, 1, h, w, 0, &p, e);

    if (rc)
        return rc;
    float *in = pass_value(m, p, "latents");
    to_channels_last(in, latents, c->latent_channels, (size_t)h * (size_t)w);
    for (size_t i = 0; i < count; i++)
        in[i] /= c->scaling;
    rc = pass_run(m, p, PLAN_ALL, e);
    if (rc)
        return rc;
    to_channels_first(pixels, pass_value(m, p, "image"), c->out_channels,
                      (size_t)h * scale * (size_t)w * scale);
    pass_finished(m, COMPONENT_VAE);
    return 0;
}

int pass_encode(struct cauldron_model *m, const float *pixels, int h, int w, float *moments,
                struct err *e)
{
    const struct vae_config *c = &m->files->vae;
    size_t scale = (size_t)latent_scale(m);
    struct pass *p;
    int rc = pass_get(m, NETWORK_ENCODER, 1, h, w, 0, &p, e);

    if (rc)
        return rc;
    to_channels_last(pass_value(m, p, "image"), pixels, c->in_channels,
                     (size_t)h * scale * (size_t)w * scale);
    rc = pass_run(m, p, PLAN_ALL, e);
    if (rc)
        return rc;
    to_channels_first(moments, pass_value(m, p, "moments"), 2 * c->latent_channels,
                      (size_t)h * (size_t)w);
    pass_finished(m, COMPONENT_VAE);
    return 0;
}
