#include "engine/weights/model.h"

#include "engine/weights/files.h"
#include "engine/weights/keymap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *architecture_name(enum architecture a)
{
    static const char *const names[] = {
        [ARCH_SD1] = "sd1",
        [ARCH_SD2] = "sd2",
        [ARCH_SDXL] = "sdxl",
    };
    return names[a];
}

/* Whether the parts belong together: widths that one hands to the next. */
static int check_fit(const struct model *m, struct err *e)
{
    const struct unet_config *u = &m->unet;
    int context = m->clip[0].width, latent = m->vae.latent_channels;

    if (m->encoders == 2)
        context += m->clip[1].width;
    if (context != u->context)
        return ERR(e, ERR_FORMAT,
                   "'%s': the text encoders give %d numbers a token, the unet takes "
                   "%d (cross_attention_dim)",
                   m->path, context, u->context);
    if (u->out_channels != latent || (u->in_channels != latent && u->in_channels != 2 * latent + 1))
        return ERR(e, ERR_UNSUPPORTED,
                   "'%s': a unet of %d channels in and %d out does not fit a vae of %d (text to "
                   "image: the same, inpainting: twice and one in)",
                   m->path, u->in_channels, u->out_channels, latent);
    if (u->text_time != (m->encoders == 2))
        return ERR(e, ERR_UNSUPPORTED,
                   "'%s': the unet's addition_embed_type does not fit %d text "
                   "encoder%s",
                   m->path, m->encoders, m->encoders == 2 ? "s" : "");
    if (u->text_time && u->class_embed_in != 6 * u->addition_time_dim + m->clip[1].projection)
        return ERR(e, ERR_FORMAT,
                   "'%s': the unet's projection_class_embeddings_input_dim is %d, but six sizes of "
                   "%d and a pooled text of %d make %d",
                   m->path, u->class_embed_in, u->addition_time_dim, m->clip[1].projection,
                   6 * u->addition_time_dim + m->clip[1].projection);
    if (m->encoders == 2 && m->clip[0].positions != m->clip[1].positions)
        return ERR(e, ERR_UNSUPPORTED, "'%s': text encoders of different lengths", m->path);
    return 0;
}

struct scheduler_config model_scheduler(const struct model *m, enum sampler_kind kind, bool inpaint)
{
    struct scheduler_config c = m->scheduler;
    bool own = kind == c.kind;

    if (!m->corrects_scheduler)
        return c;
    if (own || c.steps_offset >= 0)
        c.steps_offset = 1;
    if (inpaint && (own || c.skip_prk_steps == OPTION_FALSE))
        c.skip_prk_steps = OPTION_TRUE;
    if (!inpaint && (own || c.clip_sample == OPTION_TRUE))
        c.clip_sample = OPTION_FALSE;
    return c;
}

int model_open(const char *path, const char *variant, struct model **out, struct err *e)
{
    struct model *m = calloc(1, sizeof *m);
    int rc;

    if (!m)
        return ERR(e, ERR_NOMEM, "no memory to open '%s'", path);
    m->files = ARENA_NEW(&m->arena, struct model_files);
    m->name = m->path = arena_strdup(&m->arena, path);
    scheduler_config_init(&m->scheduler);
    m->single_file = !file_is_dir(path);
    if (!m->single_file)
        rc = folder_open(m, variant, e);
    else if (files_is_pickle(path) && file_exists(path))
        rc = files_refuse_pickle(path, e);
    else
        rc = single_file_open(m, e);
    if (rc == 0)
        rc = check_fit(m, e);
    if (rc == 0)
        rc = taesd_open(m, e);
    if (rc) {
        model_close(m);
        return rc;
    }
    for (int i = 0; i < m->encoders; i++)
        keymap_trim_clip(&m->clip_weights[i], &m->clip[i]);
    m->inpainting = m->unet.in_channels != m->vae.latent_channels;
    if (!m->unet.sample_size)
        m->unet.sample_size = m->unet.sample_width = m->architecture == ARCH_SDXL ? 128 : 64;
    *out = m;
    return 0;
}

void model_close(struct model *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->files->count; i++)
        file_unmap(&m->files->maps[i]);
    for (int i = 0; i < 2; i++)
        map_release(&m->clip_weights[i].tensors);
    map_release(&m->unet_weights.tensors);
    map_release(&m->vae_weights.tensors);
    map_release(&m->taesd_weights.tensors);
    arena_release(&m->arena);
    free(m);
}

static const struct weights *component(const struct model *m, enum component c)
{
    switch (c) {
    case COMPONENT_TEXT_1:
        return &m->clip_weights[0];
    case COMPONENT_TEXT_2:
        return &m->clip_weights[1];
    case COMPONENT_UNET:
        return &m->unet_weights;
    case COMPONENT_VAE:
        break;
    }
    return &m->vae_weights;
}

/* The whole pages of the file that a tensor touches. Neighbours on a shared page are read again. */
static void forget(const struct model *m, const struct tensor *t)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t)t->data;
    uintptr_t to = from + (size_t)tensor_count(t) * (size_t)dtype_size(t->dtype);

    for (int i = 0; i < m->files->count; i++) {
        const struct mapping *map = &m->files->maps[i];
        uintptr_t start = (uintptr_t)map->p;
        if (!map->p || from < start || to > start + map->n)
            continue;
        from -= from % page;
        file_forget(&(struct mapping){(const unsigned char *)from, to - from});
        return;
    }
}

void model_forget(const struct model *m, enum component c)
{
    const struct map *tensors = &component(m, c)->tensors;

    for (size_t i = 0; i < tensors->room; i++)
        if (tensors->slots[i].value)
            forget(m, tensors->slots[i].value);
}

size_t model_bytes(const struct model *m)
{
    size_t bytes = 0;

    for (enum component c = COMPONENT_TEXT_1; c <= COMPONENT_VAE; c++) {
        const struct map *tensors = &component(m, c)->tensors;
        for (size_t i = 0; i < tensors->room; i++) {
            const struct tensor *t = tensors->slots[i].value;
            if (t)
                bytes += (size_t)tensor_count(t) * (size_t)dtype_size(t->dtype);
        }
    }
    return bytes;
}
