/* generate.c: `cauldron generate`: prompts to picture files. */
#include "base/file.h"
#include "base/sha256.h"
#include "cauldron.h"
#include "cli/commands.h"
#include "cli/find_model.h"
#include "cli/options.h"
#include "cli/recipe.h"
#include "cli/terminal.h"
#include "cli/trace.h"
#include "engine/sampling/sampler.h"
#include "image/image.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOGETHER = 2 /* pictures drawn in one pass of the network */ };

struct want {
    const char *model, *negative, *from, *output, *trace, *init, *mask, *variant;
    const char *sampler, *schedule, *spacing, *rng, *dtype, *device, *executor, *memory;
    uint64_t seed;
    int count, steps, width, height, clip_skip, threads;
    int original_width, original_height, crop_left, crop_top, target_width, target_height;
    double guidance, guidance_rescale, eta, strength;
    bool json, quiet;
};

static const struct opt table[] = {
    {.name = "model",
     .letter = 'm',
     .type = OPT_STRING,
     OPT_INTO(struct want, model),
     .value = "NAME|DIR|FILE",
     .initial = "demo",
     .help = "installed model, Diffusers folder or single .safetensors checkpoint"},
    {.name = "negative",
     .letter = 'n',
     .type = OPT_STRING,
     OPT_INTO(struct want, negative),
     .value = "TEXT",
     .help = "what the picture should not show"},
    {.name = "seed",
     .letter = 's',
     .type = OPT_SEED,
     OPT_INTO(struct want, seed),
     .value = "N",
     .initial = "0",
     .help = "where the noise starts; the same seed gives the same picture"},
    {.name = "count",
     .letter = 'c',
     .type = OPT_INT,
     OPT_INTO(struct want, count),
     .value = "N",
     .min = 1,
     .max = 10000,
     .initial = "1",
     .help = "how many pictures per prompt; picture i uses seed N+i and equals a run with that "
             "seed alone"},
    {.name = "steps",
     .letter = 't',
     .type = OPT_INT,
     OPT_INTO(struct want, steps),
     .value = "N",
     .min = 1,
     .max = 1000,
     .initial = "20",
     .help = "denoising steps"},
    {.name = "cfg",
     .letter = 'g',
     .type = OPT_F64,
     OPT_INTO(struct want, guidance),
     .value = "F",
     .min = -100,
     .max = 1000,
     .help = "guidance scale; at or below 1 there is none (default: 7.5, SDXL 5)"},
    {.name = "width",
     .letter = 'W',
     .type = OPT_INT,
     OPT_INTO(struct want, width),
     .value = "N",
     .min = 1,
     .max = 8192,
     .help = "in pixels (default: the model's native size, or the init picture's)"},
    {.name = "height",
     .letter = 'H',
     .type = OPT_INT,
     OPT_INTO(struct want, height),
     .value = "N",
     .min = 1,
     .max = 8192},

    {.heading = "Sampling"},
    {.name = "sampler",
     .type = OPT_STRING,
     OPT_INTO(struct want, sampler),
     .value = "NAME",
     .help = "euler euler_ancestral heun dpm_2 dpm_2_ancestral lms dpmpp_2m dpmpp_2m_sde dpmpp_2s "
             "dpmpp_sde uni_pc deis "
             "ddim ddpm pndm lcm tcd (default: the model's own)"},
    {.name = "schedule",
     .type = OPT_STRING,
     OPT_INTO(struct want, schedule),
     .value = "NAME",
     .help = "model uniform karras exponential beta sgm_uniform (default: model)"},
    {.name = "spacing",
     .type = OPT_STRING,
     OPT_INTO(struct want, spacing),
     .value = "NAME",
     .help = "of the timesteps: leading linspace trailing (default: as the model says)"},
    {.name = "eta",
     .type = OPT_F64,
     OPT_INTO(struct want, eta),
     .value = "F",
     .min = 0,
     .max = 1,
     .initial = "0",
     .help = "noise added in every step by ddim and tcd"},
    {.name = "rng",
     .type = OPT_STRING,
     OPT_INTO(struct want, rng),
     .value = "cpu|cuda",
     .initial = "cpu",
     .help = "whose random numbers: torch's on the CPU or on CUDA"},
    {.name = "clip-skip",
     .type = OPT_INT,
     OPT_INTO(struct want, clip_skip),
     .value = "N",
     .min = 0,
     .max = 100,
     .initial = "0",
     .help = "leave out the last N layers of the text encoder"},
    {.name = "guidance-rescale",
     .type = OPT_F64,
     OPT_INTO(struct want, guidance_rescale),
     .value = "F",
     .min = 0,
     .max = 1,
     .initial = "0",
     .help = "against overexposure with zero-SNR models"},

    {.heading = "From a picture"},
    {.name = "init",
     .type = OPT_STRING,
     OPT_INTO(struct want, init),
     .value = "IMAGE",
     .help = "start from this picture"},
    {.name = "strength",
     .type = OPT_F64,
     OPT_INTO(struct want, strength),
     .value = "F",
     .min = 0,
     .max = 1,
     .initial = "0.8",
     .help = "how much of the init picture is drawn anew"},
    {.name = "mask",
     .type = OPT_STRING,
     OPT_INTO(struct want, mask),
     .value = "IMAGE",
     .help = "draw only where this picture is white"},

    {.heading = "SDXL conditioning (default: the picture's size, no crop)"},
    {.name = "original-width",
     .type = OPT_INT,
     OPT_INTO(struct want, original_width),
     .value = "N",
     .max = 65536},
    {.name = "original-height",
     .type = OPT_INT,
     OPT_INTO(struct want, original_height),
     .value = "N",
     .max = 65536},
    {.name = "crop-left",
     .type = OPT_INT,
     OPT_INTO(struct want, crop_left),
     .value = "N",
     .max = 65536},
    {.name = "crop-top",
     .type = OPT_INT,
     OPT_INTO(struct want, crop_top),
     .value = "N",
     .max = 65536},
    {.name = "target-width",
     .type = OPT_INT,
     OPT_INTO(struct want, target_width),
     .value = "N",
     .max = 65536},
    {.name = "target-height",
     .type = OPT_INT,
     OPT_INTO(struct want, target_height),
     .value = "N",
     .max = 65536},

    {.heading = "Machine"},
    {.name = "dtype",
     .type = OPT_STRING,
     OPT_INTO(struct want, dtype),
     .value = "auto|f32|bf16",
     .initial = "auto",
     .help = "auto is f32, which equals the reference; bf16 is faster where the CPU multiplies it"},
    {.name = "device",
     .type = OPT_STRING,
     OPT_INTO(struct want, device),
     .value = "auto|cpu",
     .initial = "auto"},
    {.name = "executor",
     .type = OPT_STRING,
     OPT_INTO(struct want, executor),
     .value = "ref|cpu",
     .initial = "cpu",
     .help = "ref is the plain C definition: slow"},
    {.name = "threads",
     .type = OPT_INT,
     OPT_INTO(struct want, threads),
     .value = "N",
     .min = 1,
     .max = 1024,
     .help = "(default: one per core)"},
    {.name = "memory",
     .type = OPT_STRING,
     OPT_INTO(struct want, memory),
     .value = "normal|low",
     .initial = "normal",
     .help = "low keeps no packed copy of the weights"},
    {.name = "variant",
     .type = OPT_STRING,
     OPT_INTO(struct want, variant),
     .value = "NAME",
     .help = "of a folder's weight files, e.g. fp16"},

    {.heading = "Output"},
    {.name = "output",
     .letter = 'o',
     .type = OPT_STRING,
     OPT_INTO(struct want, output),
     .value = "FILE|DIR",
     .help = ".png, .jpg or .webp (default: ./cauldron-<seed>.png)"},
    {.name = "from",
     .type = OPT_STRING,
     OPT_INTO(struct want, from),
     .value = "FILE",
     .help = "draw the recipe of this picture again; other options change it"},
    {.name = "json",
     .type = OPT_FLAG,
     OPT_INTO(struct want, json),
     .help = "one JSON object per picture on stdout"},
    {.name = "trace",
     .type = OPT_STRING,
     OPT_INTO(struct want, trace),
     .value = "FILE.safetensors",
     .help = "write text, noise, the latents of every step and the picture as tensors"},
    {.name = "quiet",
     .letter = 'q',
     .type = OPT_FLAG,
     OPT_INTO(struct want, quiet),
     .help = "no progress, no warnings"},
    {0},
};

static const struct opt_spec spec = {
    .command = "generate",
    .usage = "[options] PROMPT...",
    .summary = "Draw pictures from prompts. Each further argument is a prompt of its own.",
    .table = table,
    .min_rest = 0,
    .max_rest = -1,
    .rest = "a prompt",
};

struct session {
    struct arena arena;
    struct want want;
    struct options options;
    struct cauldron_model *model;
    struct cauldron_info info;
    struct image init, mask;
    struct recipe base;
    struct trace *trace;
    struct progress bar;
    int drawn, total; /* pictures */
    int steps_done[TOGETHER];
};

/* ==== options ==== */

/* The recipe in the file is the base; what was given on the command line replaces it. */
static int read_from(struct session *s, struct err *e)
{
    struct want *w = &s->want;
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

static int check_want(const struct session *s, struct err *e)
{
    const struct want *w = &s->want;
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
    return 0;
}

/* ==== pictures that come in ==== */

/* As RGB over white, or as grey for masks; `digest` is the SHA-256 of the file. */
static int read_picture(struct session *s, const char *path, bool mask, struct image *out,
                        const char **digest, struct err *e)
{
    struct image raw = {0}, flat = {0};
    struct str bytes;
    char *hex = arena_alloc(&s->arena, 65);
    struct sha256 sum;
    int rc = file_read(&s->arena, path, (size_t)256 << 20, &bytes, e);

    if (rc || (rc = sha256_init(&sum, e)))
        return rc;
    sha256_add(&sum, bytes.p, bytes.n);
    if ((rc = sha256_finish(&sum, hex, e)))
        return rc;
    *digest = hex;
    if ((rc = image_decode(bytes.p, bytes.n, &raw, NULL, e)) == 0 &&
        (rc = image_flatten(&raw, &flat, e)) == 0)
        rc = mask ? image_to_grey(&flat, out, e) : image_to_rgb(&flat, out, e);
    image_release(&raw);
    image_release(&flat);
    return rc ? err_prefix(e, "'%s'", path) : 0;
}

static int read_pictures(struct session *s, struct err *e)
{
    const struct want *w = &s->want;
    struct recipe former = s->base;
    int rc;

    s->base.init = s->base.mask = NULL;
    if (w->init && (rc = read_picture(s, w->init, false, &s->init, &s->base.init, e)))
        return rc;
    if (w->mask && (rc = read_picture(s, w->mask, true, &s->mask, &s->base.mask, e)))
        return rc;
    if (former.init && strcmp(former.init, s->base.init) != 0 &&
        !options_given(&s->options, "strength"))
        return ERR(e, ERR_ARG, "'%s' is not the init picture that '%s' was drawn from", w->init,
                   w->from);
    return 0;
}

/* ==== drawing ==== */

static int on_progress(void *user, const struct cauldron_progress *p)
{
    struct session *s = user;
    int64_t done = (int64_t)s->drawn * p->steps;

    s->steps_done[p->request] = p->step;
    for (int i = 0; i < TOGETHER; i++)
        done += s->steps_done[i];
    s->bar.total = (int64_t)s->total * p->steps;
    if (!s->want.quiet)
        progress_set(&s->bar, done);
    return interrupted();
}

static void on_warning(void *user, const char *text)
{
    const struct session *s = user;

    if (!s->want.quiet)
        fprintf(stderr, "cauldron: warning: %s\n", text);
}

static void on_trace(void *user, const struct cauldron_trace *t)
{
    const struct session *s = user;

    trace_add(s->trace, t);
}

static struct cauldron_request make_request(struct session *s, const char *prompt, uint64_t seed)
{
    const struct want *w = &s->want;
    struct cauldron_request r = cauldron_request(s->model);
    int multiple = s->info.multiple;

    r.prompt = prompt;
    r.negative = w->negative;
    r.seed = seed;
    r.steps = w->steps;
    if (options_given(&s->options, "cfg") || w->from)
        r.guidance = w->guidance;
    r.guidance_rescale = w->guidance_rescale;
    if (s->init.pixels) { /* as diffusers: rounded down to what the autoencoder takes */
        r.width = s->init.width / multiple * multiple;
        r.height = s->init.height / multiple * multiple;
    }
    r.width = w->width ? w->width : r.width;
    r.height = w->height ? w->height : r.height;
    r.sampler = w->sampler;
    r.schedule = w->schedule;
    r.spacing = w->spacing;
    r.rng = w->rng;
    r.eta = w->eta;
    r.clip_skip = w->clip_skip;
    r.init = (struct cauldron_pixels){s->init.width, s->init.height, s->init.pixels};
    r.mask = (struct cauldron_pixels){s->mask.width, s->mask.height, s->mask.pixels};
    r.strength = w->strength;
    r.original_width = w->original_width;
    r.original_height = w->original_height;
    r.crop_left = w->crop_left;
    r.crop_top = w->crop_top;
    r.target_width = w->target_width;
    r.target_height = w->target_height;
    r.user = s;
    r.on_progress = on_progress;
    r.on_warning = on_warning;
    r.on_trace = s->trace ? on_trace : NULL;
    return r;
}

static struct recipe make_recipe(const struct session *s, const struct cauldron_request *r)
{
    const struct want *w = &s->want;
    enum sampler_kind kind;
    enum schedule_kind schedule = SCHEDULE_MODEL;
    struct recipe out = s->base;

    out.sampler = s->info.sampler;
    if (r->sampler && sampler_by_name(str_from(r->sampler), &kind, &schedule))
        out.sampler = sampler_name(kind);
    if (r->schedule)
        schedule_by_name(str_from(r->schedule), &schedule);
    out.schedule = schedule_name(schedule);
    out.spacing = r->spacing;
    out.model = w->model;
    out.architecture = s->info.architecture;
    out.prompt = r->prompt;
    out.negative = r->negative;
    out.rng = r->rng;
    out.dtype = s->info.dtype;
    out.isa = s->info.isa;
    out.seed = r->seed;
    out.steps = r->steps;
    out.width = r->width;
    out.height = r->height;
    out.clip_skip = r->clip_skip;
    out.guidance = r->guidance;
    out.guidance_rescale = r->guidance_rescale;
    out.eta = r->eta;
    out.original_width = r->original_width;
    out.original_height = r->original_height;
    out.crop_left = r->crop_left;
    out.crop_top = r->crop_top;
    out.target_width = r->target_width;
    out.target_height = r->target_height;
    out.strength = r->strength;
    return out;
}

/* ==== pictures that go out ==== */

/* One picture: the name as given. Several: the seed (and the prompt's number, when there are
 * several prompts) before the dot. */
static char *output_path(struct session *s, int prompt, uint64_t seed)
{
    const char *output = s->want.output;
    bool folder = output && (file_is_dir(output) || str_ends(str_from(output), "/"));
    bool many_prompts = s->options.rest_count > 1;
    char *number = many_prompts ? arena_printf(&s->arena, "%d-", prompt + 1) : "";

    if (!output || folder)
        return arena_printf(&s->arena, "%s%scauldron-%s%llu.png", output ? output : "",
                            folder && !str_ends(str_from(output), "/") ? "/" : "", number,
                            (unsigned long long)seed);
    if (s->total == 1)
        return arena_strdup(&s->arena, output);
    const char *dot = strrchr(output, '.');
    return arena_printf(&s->arena, "%.*s-%s%llu%s", (int)(dot - output), output, number,
                        (unsigned long long)seed, dot);
}

static void print_json(const struct recipe *r, const char *path, const struct cauldron_picture *p,
                       struct arena *a)
{
    json_error_t error;
    json_t *root = json_loads(recipe_json(r, a), 0, &error);

    json_object_set_new(root, "file", json_string(path));
    json_object_set_new(root, "seconds", json_real(p->seconds));
    json_dumpf(root, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(root);
}

static int write_picture(struct session *s, int prompt, const struct cauldron_request *r,
                         struct cauldron_picture *p, struct err *e)
{
    struct recipe recipe = make_recipe(s, r);
    const char *path = output_path(s, prompt, r->seed);
    struct image image = {p->width, p->height, 3, p->pixels};
    struct image_meta meta = {.parameters = recipe_parameters(&recipe, &s->arena),
                              .recipe = recipe_json(&recipe, &s->arena)};
    int rc = image_write(path, &image, NULL, &meta, e);

    if (rc)
        return rc;
    if (s->want.json)
        print_json(&recipe, path, p, &s->arena);
    else if (!s->want.quiet)
        fprintf(stderr, "%s  %dx%d  seed %llu  %.2f s\n", path, p->width, p->height,
                (unsigned long long)r->seed, p->seconds);
    return 0;
}

static int draw_group(struct session *s, const int *prompts,
                      const struct cauldron_request *requests, int count, struct err *e)
{
    struct cauldron_picture pictures[TOGETHER] = {0};
    struct cauldron_error error;
    int rc = 0;

    memset(s->steps_done, 0, sizeof s->steps_done);
    if (cauldron_generate(s->model, requests, count, pictures, &error))
        return ERR(e, error.code, "%s", error.message);
    progress_end(&s->bar);
    for (int i = 0; i < count; i++) {
        if (pictures[i].status)
            rc = ERR(e, ERR_CANCELLED, "cancelled");
        if (rc == 0)
            rc = write_picture(s, prompts[i], &requests[i], &pictures[i], e);
        cauldron_picture_free(&pictures[i]);
    }
    s->drawn += count;
    return rc;
}

static int draw_all(struct session *s, struct err *e)
{
    int prompts = s->options.rest_count ? s->options.rest_count : 1, waiting = 0, number[TOGETHER],
        rc = 0;
    struct cauldron_request requests[TOGETHER];

    for (int p = 0; p < prompts; p++)
        for (int i = 0; i < s->want.count && rc == 0; i++) {
            const char *prompt = s->options.rest_count ? s->options.rest[p] : s->base.prompt;
            number[waiting] = p;
            requests[waiting++] = make_request(s, prompt, s->want.seed + (uint64_t)i);
            if (waiting == TOGETHER || (p == prompts - 1 && i == s->want.count - 1)) {
                rc = draw_group(s, number, requests, waiting, e);
                waiting = 0;
            }
        }
    return rc;
}

/* ==== interrupting a pass ==== */

struct watch {
    pthread_t thread;
    struct cauldron_model *model;
    atomic_bool over;
};

/* ^C must not wait for the end of a pass, which takes seconds on large models. */
static void *watch_interrupt(void *p)
{
    struct watch *w = p;

    while (!atomic_load(&w->over)) {
        if (interrupted())
            cauldron_cancel(w->model);
        usleep(50 * 1000);
    }
    return NULL;
}

/* ==== the command ==== */

static int open_model(struct session *s, struct err *e)
{
    const struct want *w = &s->want;
    struct cauldron_options o = cauldron_options();
    struct cauldron_error error;
    char *path, *digest = arena_alloc(&s->arena, 65);
    int rc = find_model(&s->arena, w->model, &path, e);

    if (rc)
        return rc;
    o.executor = w->executor;
    o.isa = getenv("CAULDRON_ISA");
    o.dtype = w->dtype;
    o.variant = w->variant;
    o.threads = w->threads;
    o.low_memory = strcmp(w->memory, "low") == 0;
    o.max_rows = 2 * TOGETHER;
    if (cauldron_open(path, &o, &s->model, &error))
        return ERR(e, error.code, "%s", error.message);
    if ((rc = model_digest_cached(&s->arena, path, w->variant, digest, e)))
        return rc;
    if (s->base.digest && strcmp(s->base.digest, digest) != 0)
        return ERR(e, ERR_ARG, "'%s' was drawn with other weights (digest %.12s..., here %.12s...)",
                   w->from, s->base.digest, digest);
    s->base.digest = digest;
    cauldron_describe(s->model, &s->info);
    return 0;
}

static int draw(struct session *s, struct err *e)
{
    struct want *w = &s->want;
    int rc;

    if (w->from && (rc = read_from(s, e)))
        return rc;
    if (!w->from && !s->options.rest_count)
        return ERR(e, ERR_ARG, "no prompt given; see 'cauldron generate --help'");
    s->total = w->count * (s->options.rest_count ? s->options.rest_count : 1);
    if ((rc = check_want(s, e)) || (rc = read_pictures(s, e)) || (rc = open_model(s, e)))
        return rc;
    if (w->output && str_ends(str_from(w->output), "/") && (rc = file_make_dirs(w->output, e)))
        return rc;
    if (w->trace)
        s->trace = trace_new();
    if (!w->quiet)
        progress_start(&s->bar, "step", (int64_t)s->total * w->steps);
    struct watch watch = {.model = s->model};
    bool watching = pthread_create(&watch.thread, NULL, watch_interrupt, &watch) == 0;
    rc = draw_all(s, e);
    atomic_store(&watch.over, true);
    if (watching)
        pthread_join(watch.thread, NULL);
    progress_end(&s->bar);
    if (rc == 0 && w->trace)
        rc = trace_write(s->trace, w->trace, e);
    return rc;
}

static int run(int argc, char **argv)
{
    struct session s = {0};
    struct err e = {0};
    int status = options_parse(&spec, argc, argv, &s.want, &s.options);

    if (status >= 0)
        return status;
    interrupt_catch();
    int rc = draw(&s, &e);
    status = rc == 0         ? EXIT_DONE
             : interrupted() ? interrupt_status()
                             : fail(rc == ERR_ARG ? EXIT_USAGE : EXIT_FAILED, &e);
    cauldron_close(s.model);
    trace_free(s.trace);
    image_release(&s.init);
    image_release(&s.mask);
    options_release(&s.options);
    arena_release(&s.arena);
    return status;
}

const struct command command_generate = {
    .name = "generate",
    .summary = "draw pictures from prompts",
    .run = run,
};
