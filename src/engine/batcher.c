#include "base/clock.h"
#include "engine/networks/networks.h"
#include "engine/pipeline.h"

#include <stdlib.h>
#include <string.h>

void batcher_add(struct batcher *b, struct job *j)
{
    struct job **end = &b->jobs;

    while (*end)
        end = &(*end)->next;
    *end = j;
}

void batcher_release(struct batcher *b)
{
    while (b->jobs) {
        struct job *j = b->jobs;
        b->jobs = j->next;
        job_free(j);
    }
}

/* The oldest job decides the size; others of that size join in the order of their arrival while
 * their rows fit. The same jobs go on together until one ends, so the text's part of the plan stays
 * as it is. */
static int choose(const struct batcher *b, struct job **chosen, int *rows)
{
    const struct job *first = b->jobs;
    int count = 0;

    *rows = 0;
    for (struct job *j = b->jobs; j; j = j->next)
        if (j->h == first->h && j->w == first->w &&
            (j == first || *rows + job_rows(j) <= b->model->max_rows)) {
            chosen[count++] = j;
            *rows += job_rows(j);
        }
    return count;
}

/* What the kept inputs of a row hold: equal numbers for equal contents (FNV-1a). */
static uint64_t row_identity(const struct cauldron_model *m, const struct job *j, int row)
{
    const struct condition *c = row || !j->uncond ? j->cond : j->uncond;
    const struct {
        const float *p;
        int n;
    } parts[] = {{j->added[c == j->cond], m->files->unet.class_embed_in},
                 {j->guidance, m->files->unet.time_cond_dim}};
    uint64_t id = c->id * 0x9e3779b97f4a7c15u;

    for (int k = 0; k < 2; k++)
        for (size_t i = 0; parts[k].p && i < (size_t)parts[k].n * sizeof(float); i++)
            id = (id ^ ((const unsigned char *)parts[k].p)[i]) * 1099511628211u;
    return id ? id : 1;
}

static void fill_kept(struct cauldron_model *m, struct pass *p, const struct job *j, int row,
                      int at)
{
    const struct unet_config *u = &m->files->unet;
    const struct condition *c = row || !j->uncond ? j->cond : j->uncond;
    size_t context = (size_t)TOKENS * (size_t)u->context;

    memcpy(pass_value(m, p, "context") + (size_t)at * context, c->context, context * sizeof(float));
    if (u->text_time)
        memcpy(pass_value(m, p, "added") + (size_t)at * (size_t)u->class_embed_in,
               j->added[c == j->cond], (size_t)u->class_embed_in * sizeof(float));
    if (u->time_cond_dim)
        memcpy(pass_value(m, p, "guidance") + (size_t)at * (size_t)u->time_cond_dim, j->guidance,
               (size_t)u->time_cond_dim * sizeof(float));
}

/* Channels last: the latents; on inpainting models then the mask and the latents of the rest. */
static void fill_latents(const struct cauldron_model *m, float *out, const struct job *j)
{
    size_t pixels = (size_t)j->h * (size_t)j->w, channels = (size_t)m->files->unet.in_channels;
    size_t latent = (size_t)m->files->vae.latent_channels;

    for (size_t i = 0; i < pixels; i++) {
        float *x = out + i * channels;
        for (size_t c = 0; c < latent; c++)
            x[c] = j->want.input[c * pixels + i];
        if (!m->files->inpainting)
            continue;
        x[latent] = j->mask[i];
        for (size_t c = 0; c < latent; c++)
            x[latent + 1 + c] = j->masked[c * pixels + i];
    }
}

/* One evaluation for all chosen jobs; answers: [rows][channels][h][w]. */
static int evaluate(struct cauldron_model *m, struct job *const *jobs, int count, int rows,
                    float *answers, struct err *e)
{
    const struct unet_config *u = &m->files->unet;
    size_t pixels = (size_t)jobs[0]->h * (size_t)jobs[0]->w;
    uint64_t composition[MAX_ROWS] = {0};
    struct pass *p;
    int at = 0, rc = pass_get(m, NETWORK_UNET, rows, jobs[0]->h, jobs[0]->w, 0, &p, e);

    if (rc)
        return rc;
    float *latents = pass_value(m, p, "latents"), *time = pass_value(m, p, "time");
    for (int i = 0; i < count; i++)
        for (int row = 0; row < job_rows(jobs[i]); row++, at++) {
            composition[at] = row_identity(m, jobs[i], row);
            fill_latents(m, latents + (size_t)at * pixels * (size_t)u->in_channels, jobs[i]);
            time_embedding(time + at * u->channels[0], jobs[i]->want.timestep, u->channels[0],
                           u->flip_sin_to_cos, (double)u->freq_shift);
        }
    bool same = memcmp(composition, p->composition, sizeof composition) == 0;
    if (!same) {
        memset(p->composition, 0,
               sizeof p->composition); /* a run that is cut off leaves it undefined */
        at = 0;
        for (int i = 0; i < count; i++)
            for (int row = 0; row < job_rows(jobs[i]); row++)
                fill_kept(m, p, jobs[i], row, at++);
    }
    rc = pass_run(m, p, same ? PLAN_STEP : PLAN_ALL, e);
    if (rc)
        return rc;
    memcpy(p->composition, composition, sizeof composition);
    const float *out = pass_value(m, p, "out");
    for (int i = 0; i < rows; i++)
        to_channels_first(answers + (size_t)i * pixels * (size_t)u->out_channels,
                          out + (size_t)i * pixels * (size_t)u->out_channels, u->out_channels,
                          pixels);
    return 0;
}

static void leave(struct batcher *b, struct job *j, const struct err *e)
{
    for (struct job **at = &b->jobs; *at; at = &(*at)->next)
        if (*at == j) {
            *at = j->next;
            break;
        }
    if (b->ended)
        b->ended(b->user, j, e);
    job_free(j);
}

void batcher_ask(struct batcher *b)
{
    struct err cancelled = {0};

    atomic_store(&b->model->cancel, false);
    (void)ERR(&cancelled, ERR_CANCELLED, "cancelled");
    for (struct job *j = b->jobs, *next; j; j = next) {
        next = j->next;
        if (!b->wanted(b->user, j))
            leave(b, j, &cancelled);
    }
}

static struct job *finished(const struct batcher *b)
{
    struct job *j = b->jobs;

    while (j && j->wants)
        j = j->next;
    return j;
}

/* Jobs that want nothing more are drawn. */
static int finish(struct batcher *b, struct err *e)
{
    struct job *j;

    while ((j = finished(b))) {
        struct err error = {0};
        int rc = job_finish(b->model, j, &error);
        if (rc == ERR_CANCELLED && b->wanted) {
            batcher_ask(b);
            continue;
        }
        leave(b, j, &error);
        if (rc && !b->ended) {
            *e = error;
            return rc;
        }
    }
    return 0;
}

/* A pass, and what it cost, divided by rows. */
static int pass(struct batcher *b, struct job *const *chosen, int count, int rows, float *answers,
                struct err *e)
{
    double started = clock_seconds();
    int rc;

    b->model->workspace_used = 0;
    rc = evaluate(b->model, chosen, count, rows, answers, e);
    if (rc)
        return rc;
    b->pass_seconds = clock_seconds() - started;
    b->pass_rows = rows;
    for (int i = 0; i < count; i++) {
        struct job_cost *cost = &chosen[i]->cost;
        cost->steps += b->pass_seconds * job_rows(chosen[i]) / rows;
        cost->evaluations++;
        if (b->model->workspace_used > cost->workspace)
            cost->workspace = b->model->workspace_used;
    }
    return 0;
}

/* Hand out the answers; who is cancelled by its own callback leaves, the others go on. */
static void feed(struct batcher *b, struct job *const *chosen, int count, const float *answers)
{
    for (int i = 0; i < count; i++) {
        struct err error = {0};
        size_t taken = (size_t)job_rows(chosen[i]) * chosen[i]->count;
        if (job_feed(b->model, chosen[i], answers, &error)) {
            chosen[i]->out->status = CAULDRON_CANCELLED;
            leave(b, chosen[i], &error);
        }
        answers += taken;
    }
}

/* One evaluation for those whose turn it is. */
static int advance(struct batcher *b, struct err *e)
{
    struct job *chosen[MAX_ROWS] = {b->jobs};
    int rows, count = choose(b, chosen, &rows), rc;
    float *answers = malloc((size_t)rows * chosen[0]->count * sizeof *answers);

    if (!answers)
        abort();
    rc = pass(b, chosen, count, rows, answers, e);
    if (rc == ERR_NOMEM && count > 1) { /* together they are too large: one after the other */
        count = 1;
        rc = pass(b, chosen, count, job_rows(chosen[0]), answers, e);
    }
    if (rc == 0)
        feed(b, chosen, count, answers);
    free(answers);
    if (rc == ERR_CANCELLED && b->wanted) {
        batcher_ask(b);
        rc = 0;
    } else if (rc && b->ended) {
        struct err error = *e;
        for (int i = 0; i < count; i++)
            leave(b, chosen[i], &error);
        rc = 0;
    }
    return rc;
}

int batcher_step(struct batcher *b, int *left, struct err *e)
{
    int rc;

    b->pass_rows = 0;
    rc = finish(b, e);
    if (rc == 0 && b->jobs)
        rc = advance(b, e);
    if (rc == 0)
        rc = finish(b, e);
    *left = 0;
    for (const struct job *j = b->jobs; j; j = j->next)
        ++*left;
    return rc;
}
