/* Diffusers folders: model_index.json names the parts, every part has a folder of its own. */
#include "engine/weights/files.h"

#include "engine/weights/configs.h"
#include "engine/weights/keymap.h"
#include "engine/weights/tokenizer_files.h"

#include <string.h>

static const struct pipeline_class {
    const char *name;
    bool xl, corrects;
} pipelines[] = {
    {"StableDiffusionPipeline", .corrects = true},
    {"StableDiffusionImg2ImgPipeline", .corrects = true},
    {"StableDiffusionInpaintPipeline", .corrects = true},
    {"LatentConsistencyModelPipeline"},
    {"LatentConsistencyModelImg2ImgPipeline"},
    {"StableDiffusionXLPipeline", .xl = true},
    {"StableDiffusionXLImg2ImgPipeline", .xl = true},
    {"StableDiffusionXLInpaintPipeline", .xl = true},
};

/* What a component's folder must hold. `anyway`: refuse a folder without it even when its
 * model_index.json does not name it. */
static const struct part {
    const char *name, *class;
    const char *files[3];
    bool anyway, xl_only, weights; /* weights: some must be there though nobody reads them */
} parts[] = {
    {"unet", "UNet2DConditionModel", {"config.json"}, true, false},
    {"vae", "AutoencoderKL", {"config.json"}, true, false},
    {"text_encoder", "CLIPTextModel", {"config.json"}, true, false},
    {"tokenizer", "CLIPTokenizer", {NULL}, true, false},
    {"scheduler", NULL, {"scheduler_config.json"}, true, false},
    {"text_encoder_2", "CLIPTextModelWithProjection", {"config.json"}, true, true},
    {"tokenizer_2", "CLIPTokenizer", {NULL}, true, true},
    /* Never run here, but a folder that lacks what it names is not complete. */
    {"safety_checker", NULL, {"config.json"}, .weights = true},
    {"image_encoder", NULL, {"config.json"}, .weights = true},
    {"feature_extractor", NULL, {"preprocessor_config.json"}, false, false},
};

struct folder {
    struct model *m;
    const char *root; /* where model_index.json is */
    const char *variant;
    bool configs_only; /* the weights are in a single file, and perhaps the tokenizer is CLIP's */
    const struct pipeline_class *class;
};

static const char *inside(struct folder *f, const char *part, const char *file)
{
    return arena_printf(&f->m->arena, "%s/%s/%s", f->root, part, file);
}

/* One entry of model_index.json: [library, class], [null, null] for a part that is left out. */
static int check_part(struct folder *f, const struct part *part, const json_t *value, struct err *e)
{
    const char *class = json_string_value(json_array_get(value, 1));
    const char *folder = arena_printf(&f->m->arena, "%s/%s", f->root, part->name);

    if (!class) {
        if (part->anyway && (f->class->xl || !part->xl_only))
            return ERR(e, ERR_UNSUPPORTED, "'%s': its model_index.json has no component '%s'",
                       f->root, part->name);
        return 0;
    }
    if (part->class && strcmp(class, part->class) != 0 &&
        !(strcmp(part->class, "CLIPTokenizer") == 0 && strcmp(class, "CLIPTokenizerFast") == 0))
        return ERR(e, ERR_UNSUPPORTED, "'%s': the component '%s' is a %.100s, not a %s", f->root,
                   part->name, class, part->class);
    if (f->configs_only && !part->anyway)
        return 0;
    bool there = file_is_dir(folder);
    if (!there && f->configs_only && part->class && strcmp(part->class, "CLIPTokenizer") == 0)
        return 0;
    if (!there)
        return ERR(e, ERR_NOT_FOUND,
                   "'%s': its model_index.json names the component '%s', but there is no such "
                   "folder",
                   f->root, part->name);
    for (int i = 0; i < ARRAY_COUNT(part->files) && part->files[i]; i++)
        if (!file_exists(inside(f, part->name, part->files[i])))
            return ERR(e, ERR_NOT_FOUND, "'%s': the component '%s' has no %s", f->root, part->name,
                       part->files[i]);
    if (part->weights && !files_any_weights(folder))
        return ERR(e, ERR_NOT_FOUND, "'%s': the component '%s' has no weights", f->root,
                   part->name);
    return 0;
}

static const struct part *part_by_name(const char *name)
{
    for (int i = 0; i < ARRAY_COUNT(parts); i++)
        if (strcmp(parts[i].name, name) == 0)
            return &parts[i];
    return NULL;
}

static int pick_class(struct folder *f, const char *name, struct err *e)
{
    for (int i = 0; i < ARRAY_COUNT(pipelines); i++)
        if (name && strcmp(pipelines[i].name, name) == 0) {
            f->class = &pipelines[i];
            return 0;
        }
    return ERR(e, ERR_UNSUPPORTED,
               "'%s' is a %.100s: this engine draws Stable Diffusion 1, 2 and XL pipelines "
               "(StableDiffusionPipeline, StableDiffusionXLPipeline and their Img2Img and Inpaint "
               "forms)",
               f->root, name ? name : "model without a class name");
}

static const char *const harmless_index[] = {
    "requires_safety_checker", /* the checker is never run */
    "add_watermarker",         /* invisible_watermark is not installed with diffusers */
    NULL,
};
static const struct config_fixed fixed_index[] = {
    {"requires_aesthetics_score", "[false]"}, /* the SDXL refiner */
};

static int read_index(struct folder *f, struct err *e)
{
    struct config c;
    struct model *m = f->m;
    int rc = config_open(&m->arena, arena_printf(&m->arena, "%s/model_index.json", f->root), &c, e);

    if (rc)
        return rc;
    if ((rc = pick_class(f, config_text(&c, &m->arena, "_class_name"), e))) {
        json_decref(c.root);
        return rc;
    }
    config_fixed(&c, fixed_index, ARRAY_COUNT(fixed_index));
    /* StableDiffusionXLPipeline.__init__: True unless the index says otherwise. */
    m->force_zeros_for_empty_prompt = config_bool(&c, "force_zeros_for_empty_prompt", true) &&
                                      f->class->xl;
    for (int i = 0; i < ARRAY_COUNT(parts) && !c.rc; i++)
        c.rc = check_part(f, &parts[i], config_take(&c, parts[i].name), e);

    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(c.root, next, key, value)
    {
        /* [null, null]: an optional component of the class that this folder does without. */
        if (json_is_array(value) && json_is_null(json_array_get(value, 1)) && !part_by_name(key))
            json_object_del(c.root, key);
    }
    return config_close(&c, harmless_index);
}

struct mapped_component {
    struct keymap *map;
    struct weights *weights;
};

static int put_mapped(struct model *m, const char *file, const struct tensor *t, void *data,
                      struct err *e)
{
    const struct mapped_component *to = data;
    struct str name;

    (void)file, (void)e;
    if (keymap_name(to->map, &m->arena, t->name, &name))
        weights_put(&m->arena, to->weights, name, t);
    return 0;
}

static int put_clip(struct model *m, const char *file, const struct tensor *t, void *data,
                    struct err *e)
{
    (void)file, (void)e;
    keymap_put_clip(&m->arena, data, t);
    return 0;
}

static int load_mapped(struct folder *f, const char *part, struct keymap *map, struct weights *to,
                       struct err *e)
{
    struct mapped_component data = {map, to};

    return files_visit(f->m, arena_printf(&f->m->arena, "%s/%s", f->root, part),
                       "diffusion_pytorch_model", f->variant, put_mapped, &data, e);
}

static const char *encoder_name(int i)
{
    return i ? "text_encoder_2" : "text_encoder";
}

static int load_weights(struct folder *f, struct err *e)
{
    struct model *m = f->m;
    int rc = load_mapped(f, "unet", keymap_unet(&m->arena, &m->unet), &m->unet_weights, e);

    if (rc == 0)
        rc = load_mapped(f, "vae", keymap_vae(&m->arena, &m->vae), &m->vae_weights, e);
    for (int i = 0; i < m->encoders && rc == 0; i++)
        rc = files_visit(m, arena_printf(&m->arena, "%s/%s", f->root, encoder_name(i)), "model",
                         f->variant, put_clip, &m->clip_weights[i], e);
    return rc;
}

static int load_scheduler(struct folder *f, struct err *e)
{
    struct str text = {0};
    const char *path = inside(f, "scheduler", "scheduler_config.json");
    int rc = file_read(&f->m->arena, path, CONFIG_MAX_BYTES, &text, e);

    if (rc)
        return rc;
    return scheduler_config_parse(text, &f->m->scheduler, e) ? err_prefix(e, "'%s'", path) : 0;
}

static int load_configs(struct folder *f, struct err *e)
{
    struct model *m = f->m;
    struct arena *a = &m->arena;
    int rc = read_index(f, e);

    if (rc == 0)
        rc = unet_config_read(a, inside(f, "unet", "config.json"), &m->unet, e);
    if (rc == 0)
        rc = vae_config_read(a, inside(f, "vae", "config.json"), &m->vae, e);
    if (rc == 0)
        rc = load_scheduler(f, e);
    if (rc)
        return rc;
    m->encoders = f->class->xl ? 2 : 1;
    m->corrects_scheduler = f->class->corrects;
    for (int i = 0; i < m->encoders && rc == 0; i++) {
        rc = clip_config_read(a, inside(f, encoder_name(i), "config.json"), i == 1, &m->clip[i], e);
        const char *tokenizer = arena_printf(a, "%s/tokenizer%s", f->root, i ? "_2" : "");
        if (rc == 0 && (!f->configs_only || file_is_dir(tokenizer)))
            rc = tokenizer_files_read(m, i, tokenizer, e);
    }
    return rc;
}

int folder_open(struct model *m, const char *variant, struct err *e)
{
    struct folder f = {.m = m, .root = m->path, .variant = variant};
    int rc = load_configs(&f, e);

    if (rc)
        return rc;
    m->architecture = f.class->xl ? ARCH_SDXL : m->unet.linear_projection ? ARCH_SD2 : ARCH_SD1;
    return load_weights(&f, e);
}

int folder_configs(struct model *m, const char *root, struct err *e)
{
    struct folder f = {.m = m, .root = root, .configs_only = true};
    int rc = load_configs(&f, e);

    if (rc)
        return rc;
    if (f.class->xl != (m->architecture == ARCH_SDXL))
        return ERR(e, ERR_FORMAT, "'%s' has the configs of a %s, but '%s' is %s SDXL checkpoint",
                   root, f.class->name, m->path, f.class->xl ? "no" : "an");
    return 0;
}
