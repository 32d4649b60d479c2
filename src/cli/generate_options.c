/* generate_options.c: the options of `cauldron generate`, alone and on top of a picture's recipe.
 */
#include "base/file.h"
#include "cli/generate.h"

#include <string.h>

static const struct opt table[] = {
    {.name = "model",
     .letter = 'm',
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, model),
     .value = "NAME|DIR|FILE",
     .initial = "demo",
     .help = "installed model, Diffusers folder or single .safetensors checkpoint"},
    {.name = "negative",
     .letter = 'n',
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, negative),
     .value = "TEXT",
     .help = "what the picture should not show"},
    {.name = "seed",
     .letter = 's',
     .type = OPT_SEED,
     OPT_INTO(struct generate_want, seed),
     .value = "N",
     .initial = "0",
     .help = "where the noise starts; the same seed gives the same picture"},
    {.name = "count",
     .letter = 'c',
     .type = OPT_INT,
     OPT_INTO(struct generate_want, count),
     .value = "N",
     .min = 1,
     .max = 10000,
     .initial = "1",
     .help = "how many pictures per prompt; picture i uses seed N+i and equals a run with that "
             "seed alone"},
    {.name = "steps",
     .letter = 't',
     .type = OPT_INT,
     OPT_INTO(struct generate_want, steps),
     .value = "N",
     .min = 1,
     .max = 1000,
     .initial = "20",
     .help = "denoising steps"},
    {.name = "cfg",
     .letter = 'g',
     .type = OPT_F64,
     OPT_INTO(struct generate_want, guidance),
     .value = "F",
     .min = -100,
     .max = 1000,
     .help = "guidance scale; at or below 1 there is none (default: 7.5, SDXL 5)"},
    {.name = "width",
     .letter = 'W',
     .type = OPT_INT,
     OPT_INTO(struct generate_want, width),
     .value = "N",
     .min = 1,
     .max = 8192,
     .help = "in pixels (default: the model's native size, or the init picture's)"},
    {.name = "height",
     .letter = 'H',
     .type = OPT_INT,
     OPT_INTO(struct generate_want, height),
     .value = "N",
     .min = 1,
     .max = 8192},

    {.heading = "Sampling"},
    {.name = "sampler",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, sampler),
     .value = "NAME",
     .help = "euler euler_ancestral heun dpm_2 dpm_2_ancestral lms dpmpp_2m dpmpp_2m_sde dpmpp_2s "
             "dpmpp_sde uni_pc deis "
             "ddim ddpm pndm lcm tcd (default: the model's own)"},
    {.name = "schedule",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, schedule),
     .value = "NAME",
     .help = "model uniform karras exponential beta sgm_uniform (default: model)"},
    {.name = "spacing",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, spacing),
     .value = "NAME",
     .help = "of the timesteps: leading linspace trailing (default: as the model says)"},
    {.name = "eta",
     .type = OPT_F64,
     OPT_INTO(struct generate_want, eta),
     .value = "F",
     .min = 0,
     .max = 1,
     .initial = "0",
     .help = "noise added in every step by ddim and tcd"},
    {.name = "rng",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, rng),
     .value = "cpu|cuda",
     .initial = "cpu",
     .help = "whose random numbers: torch's on the CPU or on CUDA"},
    {.name = "clip-skip",
     .type = OPT_INT,
     OPT_INTO(struct generate_want, clip_skip),
     .value = "N",
     .min = 0,
     .max = 100,
     .initial = "0",
     .help = "leave out the last N layers of the text encoder"},
    {.name = "guidance-rescale",
     .type = OPT_F64,
     OPT_INTO(struct generate_want, guidance_rescale),
     .value = "F",
     .min = 0,
     .max = 1,
     .initial = "0",
     .help = "against overexposure with zero-SNR models"},

    {.heading = "From a picture"},
    {.name = "init",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, init),
     .value = "IMAGE",
     .help = "start from this picture"},
    {.name = "strength",
     .type = OPT_F64,
     OPT_INTO(struct generate_want, strength),
     .value = "F",
     .min = 0,
     .max = 1,
     .initial = "0.8",
     .help = "how much of the init picture is drawn anew"},
    {.name = "mask",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, mask),
     .value = "IMAGE",
     .help = "draw only where this picture is white"},

    {.heading = "SDXL conditioning (default: the picture's size, no crop)"},
    {.name = "original-width",
     .type = OPT_INT,
     OPT_INTO(struct generate_want, original_width),
     .value = "N",
     .max = 65536},
    {.name = "original-height",
     .type = OPT_INT,
     OPT_INTO(struct generate_want, original_height),
     .value = "N",
     .max = 65536},
    {.name = "crop-left",
     .type = OPT_INT,
     OPT_INTO(struct generate_want, crop_left),
     .value = "N",
     .max = 65536},
    {.name = "crop-top",
     .type = OPT_INT,
     OPT_INTO(struct generate_want, crop_top),
     .value = "N",
     .max = 65536},
    {.name = "target-width",
     .type = OPT_INT,
     OPT_INTO(struct generate_want, target_width),
     .value = "N",
     .max = 65536},
    {.name = "target-height",
     .type = OPT_INT,
     OPT_INTO(struct generate_want, target_height),
     .value = "N",
     .max = 65536},

    {.heading = "Machine"},
    {.name = "dtype",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, dtype),
     .value = "auto|f32|bf16",
     .initial = "auto",
     .help = "auto is f32, which equals the reference; bf16 is faster where the CPU multiplies it"},
    {.name = "device",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, device),
     .value = "auto|cpu",
     .initial = "auto"},
    {.name = "executor",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, executor),
     .value = "ref|cpu",
     .initial = "cpu",
     .help = "ref is the plain C definition: slow"},
    {.name = "threads",
     .type = OPT_INT,
     OPT_INTO(struct generate_want, threads),
     .value = "N",
     .min = 1,
     .max = 1024,
     .help = "(default: one per core)"},
    {.name = "memory",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, memory),
     .value = "normal|low",
     .initial = "normal",
     .help = "low lets the memory of each network go when its part is done"},
    {.name = "variant",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, variant),
     .value = "NAME",
     .help = "of a folder's weight files, e.g. fp16"},

    {.heading = "Output"},
    {.name = "output",
     .letter = 'o',
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, output),
     .value = "FILE|DIR",
     .help = ".png, .jpg or .webp (default: ./cauldron-<seed>.png)"},
    {.name = "from",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, from),
     .value = "FILE",
     .help = "draw the recipe of this picture again; other options change it"},
    {.name = "json",
     .type = OPT_FLAG,
     OPT_INTO(struct generate_want, json),
     .help = "one JSON object per picture on stdout"},
    {.name = "trace",
     .type = OPT_STRING,
     OPT_INTO(struct generate_want, trace),
     .value = "FILE.safetensors",
     .help = "write text, noise, the latents of every step and the picture as tensors"},
    {.name = "quiet",
     .letter = 'q',
     .type = OPT_FLAG,
     OPT_INTO(struct generate_want, quiet),
     .help = "no progress, no warnings"},
    {0},
};

const struct opt_spec generate_spec = {
    .command = "generate",
    .usage = "[options] PROMPT...",
    .summary = "Draw pictures from prompts. Each further argument is a prompt of its own.",
    .table = table,
    .min_rest = 0,
    .max_rest = -1,
    .rest = "a prompt",
};
int generate_read_from(struct generate *s, struct err *e)
{
    struct generate_want *w = &s->want;
    struct image_meta meta = {0};
    struct recipe *r = &s->base;
    int rc = image_read_meta(w->from, &meta, e);

    if (rc)
        return rc;
    rc = meta.recipe ? recipe_parse(str_from(meta.recipe), &s->arena, r, e)
                     : ERR(e, ERR_FORMAT, "holds no recipe of this program");
    image_meta_release(&meta);
    if (rc)
        return err_prefix(e, "'%s'", w->from);
#define TAKE(option, field)                                                                        \
    if (!options_given(&s->options, option))                                                       \
    w->field = r->field
    TAKE("model", model);
    TAKE("negative", negative);
    TAKE("seed", seed);
    TAKE("steps", steps);
    TAKE("cfg", guidance);
    TAKE("width", width);
    TAKE("height", height);
    TAKE("sampler", sampler);
    TAKE("schedule", schedule);
    TAKE("spacing", spacing);
    TAKE("eta", eta);
    TAKE("rng", rng);
    TAKE("clip-skip", clip_skip);
    TAKE("guidance-rescale", guidance_rescale);
    TAKE("strength", strength);
    TAKE("dtype", dtype);
    TAKE("original-width", original_width);
    TAKE("original-height", original_height);
    TAKE("crop-left", crop_left);
    TAKE("crop-top", crop_top);
    TAKE("target-width", target_width);
    TAKE("target-height", target_height);
#undef TAKE
    if (r->init && !w->init)
        return ERR(e, ERR_ARG, "'%s' was drawn from an init picture: give it with --init", w->from);
    if (r->mask && !w->mask)
        return ERR(e, ERR_ARG, "'%s' was drawn with a mask: give it with --mask", w->from);
    return 0;
}

/* Found out before the drawing, not after it. */
static int check_folder_of(const char *path, struct err *e)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    struct arena a = {0};
    int rc = 0;

    if (slash && slash != path && slash[1]) {
        const char *folder = arena_str(&a, (struct str){path, (size_t)(slash - path)});
        if (!file_is_dir(folder))
            rc = ERR(e, ERR_IO, "cannot write '%s': there is no folder '%s'", path, folder);
    }
    arena_release(&a);
    return rc;
}

int generate_check(const struct generate *s, struct err *e)
{
    const struct generate_want *w = &s->want;
    const char *extensions[] = {".png", ".jpg", ".jpeg", ".webp"};
    bool known = !w->output || file_is_dir(w->output) || str_ends(str_from(w->output), "/");

    if (strcmp(w->device, "auto") != 0 && strcmp(w->device, "cpu") != 0)
        return ERR(e, ERR_ARG, "device '%s' is not supported: this program draws on the CPU",
                   w->device);
    if (strcmp(w->memory, "normal") != 0 && strcmp(w->memory, "low") != 0)
        return ERR(e, ERR_ARG, "memory '%s' is not known: take normal or low", w->memory);
    if (w->mask && !w->init)
        return ERR(e, ERR_ARG, "--mask needs --init: the picture to be filled in");
    for (int i = 0; i < 4 && !known; i++)
        known = str_ends(str_from(w->output), extensions[i]);
    if (!known)
        return ERR(e, ERR_ARG,
                   "cannot tell the format of '%s': name it .png, .jpg or .webp, or give a folder",
                   w->output);
    if (w->trace && s->total != 1)
        return ERR(e, ERR_ARG,
                   "--trace writes one picture's tensors, but %d pictures are asked for", s->total);
    int rc = check_folder_of(w->output, e);
    return rc ? rc : check_folder_of(w->trace, e);
}
