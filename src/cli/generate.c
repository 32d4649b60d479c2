/* generate.c: `cauldron generate`: prompts to picture files. */
#include "cli/generate.h"

#include "base/file.h"
#include "base/sha256.h"
#include "cli/commands.h"
#include "cli/find_model.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ==== pictures that come in ==== */

/* As RGB over white, or as grey for masks; `digest` is the SHA-256 of the file. */
static int read_picture(struct generate *s, const char *path, bool mask, struct image *out,
                        const char **digest, struct err *e)
{
    struct image raw = {0}, flat = {0};
    struct str bytes;
    char *hex = arena_alloc(&s->arena, 65);
    int rc = file_read(&s->arena, path, (size_t)256 << 20, &bytes, e);

    if (rc)
        return rc;
    sha256_hex(bytes.p, bytes.n, hex);
    *digest = hex;
    if ((rc = image_decode(bytes.p, bytes.n, &raw, NULL, e)) == 0 &&
        (rc = image_flatten(&raw, &flat, e)) == 0)
        rc = mask ? image_to_grey(&flat, out, e) : image_to_rgb(&flat, out, e);
    image_release(&raw);
    image_release(&flat);
    return rc ? err_prefix(e, "'%s'", path) : 0;
}

static int read_pictures(struct generate *s, struct err *e)
{
    const struct generate_want *w = &s->want;
    struct recipe former = s->base;
    int rc;

    s->base.init = s->base.mask = NULL;
    if (w->init && (rc = read_picture(s, w->init, false, &s->init, &s->base.init, e)))
        return rc;
    if (w->mask && (rc = read_picture(s, w->mask, true, &s->mask, &s->base.mask, e)))
        return rc;
    if (former.init && s->base.init && strcmp(former.init, s->base.init) != 0 &&
        !options_given(&s->options, "strength"))
        return ERR(e, ERR_ARG, "'%s' is not the init picture that '%s' was drawn from", w->init,
                   w->from);
    return 0;
}
/* ==== drawing ==== */

static int on_progress(void *user, const struct cauldron_progress *p)
{
    struct generate *s = user;
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
    const struct generate *s = user;

    if (!s->want.quiet)
        fprintf(stderr, "cauldron: warning: %s\n", text);
}

static void on_trace(void *user, const struct cauldron_trace *t)
{
    const struct generate *s = user;

    trace_add(s->trace, t);
}

static struct cauldron_request make_request(struct generate *s, const char *prompt, uint64_t seed)
{
    const struct generate_want *w = &s->want;
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
static int draw_group(struct generate *s, const int *prompts,
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
            rc = generate_write(s, prompts[i], &requests[i], &pictures[i], e);
        cauldron_picture_free(&pictures[i]);
    }
    s->drawn += count;
    return rc;
}

static int draw_all(struct generate *s, struct err *e)
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

static int open_model(struct generate *s, struct err *e)
{
    const struct generate_want *w = &s->want;
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
    if ((rc = model_digest_cached(&s->arena, data_folder(), path, w->variant, digest, e)))
        return rc;
    if (s->base.digest && strcmp(s->base.digest, digest) != 0)
        return ERR(e, ERR_ARG, "'%s' was drawn with other weights (digest %.12s..., here %.12s...)",
                   w->from, s->base.digest, digest);
    s->base.digest = digest;
    cauldron_describe(s->model, &s->info);
    return 0;
}

static int draw(struct generate *s, struct err *e)
{
    struct generate_want *w = &s->want;
    int rc;

    if (w->from && (rc = generate_read_from(s, e)))
        return rc;
    if (!w->from && !s->options.rest_count)
        return ERR(e, ERR_ARG, "no prompt given; see 'cauldron generate --help'");
    s->total = w->count * (s->options.rest_count ? s->options.rest_count : 1);
    if ((rc = generate_check(s, e)) || (rc = read_pictures(s, e)) || (rc = open_model(s, e)))
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
    struct generate s = {0};
    struct err e = {0};
    int status = options_parse(&generate_spec, argc, argv, &s.want, &s.options);

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
