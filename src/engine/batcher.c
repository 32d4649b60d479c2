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

static void leave(struct batcher *b, struct job *j)
{
    for (struct job **at = &b->jobs; *at; at = &(*at)->next)
        if (*at == j) {
            *at = j->next;
            break;
        }
    job_free(j);
}

/* Jobs that want nothing more are drawn; returns 1 if there was one. */
static int finish_one(struct batcher *b, struct err *e)
{
    for (struct job *j = b->jobs; j; j = j->next)
        if (!j->wants) {
            int rc = job_finish(b->model, j, e);
            leave(b, j);
            return rc ? rc : 1;
        }
    return 0;
}

int batcher_step(struct batcher *b, int *left, struct err *e)
{
    struct cauldron_model *m = b->model;
    struct job *chosen[MAX_ROWS];
    int rows, rc = 0;

    while ((rc = finish_one(b, e)) > 0)
        ;
    if (rc == 0 && b->jobs) {
        int count = choose(b, chosen, &rows);
        size_t one = chosen[0]->count;
        float *answers = malloc((size_t)rows * one * sizeof *answers);
        if (!answers)
            abort();
        rc = evaluate(m, chosen, count, rows, answers, e);
        const float *answer = answers;
        for (int i = 0; i < count && rc == 0; i++) {
            int taken = job_rows(chosen[i]);
            rc = job_feed(m, chosen[i], answer, e);
            answer += (size_t)taken * one;
            if (rc == ERR_CANCELLED) { /* its own callback's wish: the others go on */
                chosen[i]->out->status = CAULDRON_CANCELLED;
                leave(b, chosen[i]);
                rc = 0;
            }
        }
        free(answers);
        if (rc == 0)
            while ((rc = finish_one(b, e)) > 0)
                ;
    }
    *left = 0;
    for (const struct job *j = b->jobs; j; j = j->next)
        ++*left;
    return rc;
}
