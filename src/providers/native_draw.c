/*
 * native_draw.c: recipes to pictures. One call is one slot: it takes a picture from the source,
 * opens its model, and lets others of the same model and size join its batch between any two steps
 * (continuous batching, Yu et al. 2022), until the batch runs empty and the next picture decides.
 */
#include "base/clock.h"
#include "base/log.h"
#include "providers/native.h"

#include <stdlib.h>
#include <string.h>

/* One slot at work. */
struct drawing {
    struct native *native;
    const struct draw_source *source;
    struct opened *opened;
    struct batcher batcher;
    struct draw *other;  /* it came to join, but is of another model: drawn next */
    int rows;            /* of all jobs in the batch */
    double pass_seconds; /* of the last pass; under the lock */
};

/* One picture of the batch. */
struct picture {
    struct picture *next; /* of all that are being drawn; under the lock */
    struct drawing *drawing;
    struct draw *draw;
    struct cauldron_picture out;
    struct image init, mask;
    int rows;
    double last_preview;
    char *warning;
};

static void phase(const struct draw_source *s, const char *name, double seconds)
{
    if (s->phase && seconds > 0)
        s->phase(s->user, name, seconds);
}

/* ==== handing results out ==== */

static void fail(const struct drawing *d, struct draw *draw, const struct err *e)
{
    struct draw_result r = {.code = e->code, .message = e->message, .device = "cpu"};

    d->source->done(d->source->user, draw, &r);
}

static struct picture *picture_new(struct drawing *d, struct draw *draw)
{
    struct picture *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    *p = (struct picture){.drawing = d, .draw = draw};
    pthread_mutex_lock(&d->native->lock);
    p->next = d->native->pictures;
    d->native->pictures = p;
    pthread_mutex_unlock(&d->native->lock);
    return p;
}

static void picture_free(struct picture *p)
{
    struct native *n = p->drawing->native;

    pthread_mutex_lock(&n->lock);
    for (struct picture **at = &n->pictures; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    pthread_mutex_unlock(&n->lock);
    cauldron_picture_free(&p->out);
    image_release(&p->init);
    image_release(&p->mask);
    free(p->warning);
    free(p);
}

static void count_picture(struct native *n)
{
    pthread_mutex_lock(&n->lock);
    n->stats.pictures++;
    pthread_mutex_unlock(&n->lock);
}

/* The batcher's word for each job that leaves. */
static void on_ended(void *user, struct job *j, const struct err *e)
{
    struct drawing *d = user;
    struct picture *p = j->request.user;
    const struct cauldron_info *info = &d->opened->info;
    const struct job_cost *cost = &j->cost;
    struct draw_result r = {
        .code = e->code,
        .message = e->code ? e->message : "",
        .seconds = cost->begin + cost->steps + cost->finish,
        .step_seconds = cost->evaluations ? cost->steps / cost->evaluations : 0,
        .memory_used =
            (int64_t)(info->weight_bytes + d->opened->model->packs.bytes + cost->workspace),
        .device = "cpu",
        .dtype = info->dtype,
        .isa = info->isa,
        .warning = p->warning};

    if (!e->code) {
        r.image = (struct image){p->out.width, p->out.height, 3, p->out.pixels};
        p->out.pixels = NULL;
        phase(d->source, "decode", cost->finish);
        count_picture(d->native);
    }
    d->rows -= p->rows;
    d->source->done(d->source->user, p->draw, &r);
    picture_free(p);
}

/* ==== while it is drawn ==== */

void native_interrupt(struct provider *provider, const struct draw *d)
{
    static const double SHORT = 1; /* second: the end of such a pass can be waited for */
    struct native *n = provider_state(provider);

    pthread_mutex_lock(&n->lock);
    for (struct picture *p = n->pictures; p; p = p->next)
        if (p->draw == d && !(p->drawing->pass_seconds > 0 && p->drawing->pass_seconds < SHORT))
            cauldron_cancel(p->drawing->opened->model);
    pthread_mutex_unlock(&n->lock);
}

static bool is_wanted(const struct picture *p, int step, int steps)
{
    const struct draw_source *s = p->drawing->source;
    return s->progress(s->user, p->draw, step, steps, NULL) == DRAW_GO_ON;
}

static void on_warning(void *user, const char *text)
{
    struct picture *p = user;

    if (!p->warning)
        p->warning = native_copy(text);
}

/* A picture of the current state, when somebody watches and the last one is old enough. */
static bool preview(struct picture *p, const struct cauldron_progress *progress,
                    struct cauldron_picture *out)
{
    const struct drawing *d = p->drawing;
    double interval = d->source->preview_seconds > 0 ? d->source->preview_seconds : 0.5;
    double clock = clock_seconds();
    struct cauldron_error error;

    if (!p->draw->preview || progress->step == progress->steps ||
        (p->last_preview > 0 && clock - p->last_preview < interval))
        return false;
    p->last_preview = clock;
    return cauldron_preview(d->opened->model, progress, out, &error) == 0;
}

static int on_progress(void *user, const struct cauldron_progress *progress)
{
    struct picture *p = user;
    const struct draw_source *s = p->drawing->source;
    struct cauldron_picture small = {0};
    bool shown = preview(p, progress, &small);
    struct image image = {small.width, small.height, 3, small.pixels};
    enum draw_answer answer =
        s->progress(s->user, p->draw, progress->step, progress->steps, shown ? &image : NULL);

    cauldron_picture_free(&small);
    return answer != DRAW_GO_ON;
}

/* ==== beginning ==== */

/* RGB over white, or grey for masks, as `cauldron generate` reads its pictures. */
static int convert(const struct image *raw, bool mask, struct image *out, struct err *e)
{
    struct image flat = {0};
    int rc = image_flatten(raw, &flat, e);

    if (rc == 0)
        rc = mask ? image_to_grey(&flat, out, e) : image_to_rgb(&flat, out, e);
    image_release(&flat);
    return rc;
}

static int take_pictures(struct picture *p, struct err *e)
{
    const struct draw *d = p->draw;
    int rc = 0;

    if ((d->recipe.init && !d->init.pixels) || (d->recipe.mask && !d->mask.pixels))
        return ERR(e, ERR_ARG, "the recipe has %s, but the picture is not there",
                   d->init.pixels ? "a mask" : "an init picture");
    if (d->recipe.init)
        rc = convert(&d->init, false, &p->init, e);
    if (rc == 0 && d->recipe.mask)
        rc = convert(&d->mask, true, &p->mask, e);
    return rc;
}

static struct cauldron_request make_request(struct picture *p)
{
    const struct recipe *r = &p->draw->recipe;

    return (struct cauldron_request){
        .prompt = r->prompt,
        .negative = r->negative,
        .seed = r->seed,
        .steps = r->steps,
        .guidance = r->guidance,
        .guidance_rescale = r->guidance_rescale,
        .width = r->width,
        .height = r->height,
        .sampler = r->sampler,
        .schedule = r->schedule,
        .spacing = r->spacing,
        .rng = r->rng,
        .eta = r->eta,
        .clip_skip = r->clip_skip,
        .init = {p->init.width, p->init.height, p->init.pixels},
        .mask = {p->mask.width, p->mask.height, p->mask.pixels},
        .strength = r->strength,
        .original_width = r->original_width,
        .original_height = r->original_height,
        .crop_left = r->crop_left,
        .crop_top = r->crop_top,
        .target_width = r->target_width,
        .target_height = r->target_height,
        .user = p,
        .on_progress = on_progress,
        .on_warning = on_warning,
    };
}

/* Whether the finished latents can be decoded: better known before the steps than after them. */
static int check_decoder(struct cauldron_model *m, const struct job *j, struct err *e)
{
    struct pass *ignored;
    return pass_get(m, NETWORK_DECODER, 1, j->h, j->w, 0, &ignored, e);
}

static int make_job(struct picture *p, struct job **out, struct err *e)
{
    struct cauldron_model *m = p->drawing->opened->model;
    struct cauldron_request request;
    struct job *j;
    int rc = take_pictures(p, e);

    if (rc)
        return rc;
    request = make_request(p);
    do { /* somebody interrupts while the text is encoded: it may be about another one */
        rc = job_new(m, &request, 0, &p->out, &j, e);
        if (rc == ERR_CANCELLED)
            batcher_ask(&p->drawing->batcher);
    } while (rc == ERR_CANCELLED && is_wanted(p, 0, request.steps));
    if (rc == 0 && (rc = check_decoder(m, j, e)))
        job_free(j);
    if (rc == 0)
        *out = j;
    return rc;
}

/* Put a picture into the batch; what is wrong with it is its own affair. */
static void join(struct drawing *d, struct draw *draw)
{
    struct log_context former = log_enter((struct log_context){
        .request_id = draw->request_id, .trace_id = draw->trace_id, .job = draw->job});
    struct picture *p = picture_new(d, draw);
    struct job *j = NULL;
    struct err error = {0};

    if (make_job(p, &j, &error)) {
        fail(d, draw, &error);
        picture_free(p);
    } else {
        p->rows = job_rows(j);
        d->rows += p->rows;
        phase(d->source, "encode", j->cost.begin);
        batcher_add(&d->batcher, j);
    }
    pass_finished(d->opened->model, COMPONENT_TEXT_1);
    log_leave(former);
}

/* ==== the batch ==== */

static bool joins(const struct drawing *d, const struct recipe *r)
{
    bool bf16 = r->dtype && strcmp(r->dtype, "bf16") == 0;

    return r->digest && strcmp(r->digest, d->opened->digest) == 0 && bf16 == d->opened->bf16;
}

/* Rows that a pass may have. Together, small pictures take up to a fifth less time, because the
 * weights are read once for all; from PASS_PIXELS latents on there is nothing to gain on a CPU, and
 * one after the other the first is ready sooner. */
static int most_rows(const struct drawing *d, int width, int height)
{
    enum { PASS_PIXELS = 8192 };
    const struct native *n = d->native;
    int64_t pixels = (int64_t)width * height / d->opened->info.multiple / d->opened->info.multiple;

    if (!n->rows_by_size || pixels * n->max_rows <= PASS_PIXELS)
        return n->max_rows;
    return pixels > PASS_PIXELS / 2 ? 2 : (int)(PASS_PIXELS / pixels);
}

/* Others while a guided one fits, and while no other slot waits for this one's memory. */
static void let_join(struct drawing *d, int width, int height)
{
    const struct draw_source *s = d->source;
    int most = most_rows(d, width, height);
    struct draw *draw;

    while (!d->other && d->rows + 2 <= most && !pool_wanted(d->native) &&
           (draw = s->next(s->user, d->opened->digest, width, height)))
        if (joins(d, &draw->recipe))
            join(d, draw);
        else
            d->other = draw;
}

static bool on_wanted(void *user, const struct job *j)
{
    (void)user;
    return is_wanted(j->request.user, sampler_evaluation(j->sampler),
                     sampler_evaluations(j->sampler));
}

static void count_pass(struct drawing *d)
{
    struct native *n = d->native;

    phase(d->source, "step", d->batcher.pass_seconds);
    pthread_mutex_lock(&n->lock);
    n->stats.steps++;
    n->stats.rows += d->batcher.pass_rows;
    n->stats.step_seconds += d->batcher.pass_seconds;
    d->pass_seconds = d->batcher.pass_seconds;
    pthread_mutex_unlock(&n->lock);
}

/* Draw the first picture, and all that join it. */
static void draw_batch(struct drawing *d, struct draw *first)
{
    int width = first->recipe.width, height = first->recipe.height;
    bool measured = false;
    struct err error;

    d->batcher = (struct batcher){
        .model = d->opened->model, .ended = on_ended, .wanted = on_wanted, .user = d};
    d->rows = 0;
    join(d, first);
    for (int left = 1; left;) {
        let_join(d, width, height);
        if (batcher_step(&d->batcher, &left, &error))
            break;
        if (d->batcher.pass_rows)
            count_pass(d);
        if (!measured)
            pool_measure(d->native, d->opened);
        measured = true;
    }
    batcher_release(&d->batcher);
}

/* ==== the slot ==== */

struct waiting {
    const struct draw_source *source;
    struct draw *draw;
};

static bool still_wanted(void *user)
{
    const struct waiting *w = user;

    return w->source->progress(w->source->user, w->draw, 0, w->draw->recipe.steps, NULL) ==
           DRAW_GO_ON;
}

static void draw_one(struct drawing *d, struct draw *first)
{
    struct waiting waiting = {d->source, first};
    double seconds;
    struct err error = {0};

    if (pool_take(d->native, &first->recipe, still_wanted, &waiting, &d->opened, &seconds,
                  &error)) {
        fail(d, first, &error);
        return;
    }
    phase(d->source, "load", seconds);
    draw_batch(d, first);
    pool_release(d->native, d->opened);
}

int native_draw(struct provider *p, const char *device, const struct draw_source *source,
                struct err *e)
{
    struct drawing d = {.native = provider_state(p), .source = source};
    struct draw *draw;

    if (strcmp(device, "auto") != 0 && strcmp(device, "cpu") != 0)
        return ERR(e, ERR_UNSUPPORTED,
                   "device '%.50s' is not there: this provider draws on the CPU", device);
    while ((draw = d.other ? d.other : source->next(source->user, NULL, 0, 0))) {
        d.other = NULL;
        draw_one(&d, draw);
    }
    return 0;
}
