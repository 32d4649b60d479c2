/* The tiny decoder for previews, when somebody put it beside the model. */
#include "engine/weights/files.h"

#include "engine/weights/configs.h"
#include "engine/weights/keymap.h"

#include <string.h>

static int put(struct model *m, const char *file, const struct tensor *t, void *data, struct err *e)
{
    (void)file, (void)data, (void)e;
    keymap_put_taesd(&m->arena, &m->taesd_weights, t);
    return 0;
}

/* FOLDER/taesd_decoder.safetensors, or an AutoencoderTiny in FOLDER/taesd. */
static int look_in(struct model *m, const char *folder, const char *name, struct err *e)
{
    struct safetensors file = {0};
    const char *path = arena_printf(&m->arena, "%s/%s_decoder.safetensors", folder, name);
    const char *diffusers = arena_printf(&m->arena, "%s/%s", folder, name);
    const char *config = arena_printf(&m->arena, "%s/config.json", diffusers);
    int rc = 0;

    if (file_exists(path)) {
        rc = files_load(m, path, &file, e);
        for (int i = 0; rc == 0 && i < file.count; i++)
            rc = put(m, path, &file.tensors[i], NULL, e);
    } else if (file_exists(config)) {
        rc = taesd_config_read(&m->arena, config, e);
        if (rc == 0)
            rc = files_visit(m, diffusers, "diffusion_pytorch_model", NULL, put, NULL, e);
    }
    m->taesd = rc == 0 && m->taesd_weights.tensors.count > 0;
    return rc;
}

int taesd_open(struct model *m, struct err *e)
{
    const char *name = m->architecture == ARCH_SDXL ? "taesdxl" : "taesd";
    const char *slash = strrchr(m->path, '/');
    struct str parent = slash ? (struct str){m->path, (size_t)(slash - m->path)} : STR(".");
    int rc = 0;

    /* It decodes 4 channels to 8 times the size, whatever the model is. */
    if (m->vae.latent_channels != 4 || m->vae.levels != 4)
        return 0;
    if (!m->single_file)
        rc = look_in(m, m->path, name, e);
    if (rc == 0 && !m->taesd && parent.n)
        rc = look_in(m, arena_str(&m->arena, parent), name, e);
    return rc;
}
