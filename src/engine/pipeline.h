/*
 * pipeline.h: a model ready to draw. What is behind the handles of cauldron.h; private to the
 * engine's top level.
 *
 *   passes.c     one pass of a network: its plan (made once per size), its inputs, its outputs
 *   condition.c  prompt -> embeddings, remembered by prompt
 *   job.c        one request: noise, first latents, sampler, masks, the picture at the end
 *   batcher.c    several jobs: who takes part in the next pass
 *   preview.c    latents -> a small picture
 *   pipeline.c   the public functions
 *
 * Threads: one at a time per model. Ownership: struct cauldron_model owns everything.
 */
#ifndef ENGINE_PIPELINE_H
#define ENGINE_PIPELINE_H

#include "cauldron.h"
#include "engine/graph/plan.h"
#include "engine/sampling/sampler.h"
#include "engine/text/tokenizer.h"
#include "engine/weights/model.h"

enum network {
    NETWORK_TEXT_1,
    NETWORK_TEXT_2,
    NETWORK_UNET,
    NETWORK_DECODER,
    NETWORK_ENCODER,
    NETWORK_PREVIEW
};

/* A plan for one network and size. */
struct pass {
    struct pass *next;
    enum network network;
    int pictures, h, w, variant; /* h, w in latents; variant: which layer a text encoder stops at */
    struct plan *plan;
    uint64_t composition[32]; /* whose text the kept part holds: one id a row; 0: none yet */
};

/* What a prompt means to the network. */
struct condition {
    struct condition *next; /* most recently used first */
    uint64_t id;            /* never 0; different for different contents */
    int users;              /* jobs that hold it */
    char *prompt;           /* NULL: SDXL's zeros */
    int clip_skip;
    int width;      /* of a token, all encoders together */
    float *context; /* [tokens][width] */
    float *pooled;  /* [pooled width] or NULL */
    char *warning;  /* what was cut off, or NULL */
};

struct cauldron_model {
    struct model *files;
    const struct kernels *kernels;
    struct plan_context context;
    struct pack_cache packs;
    struct workspace workspace;
    size_t workspace_used; /* the largest since somebody set it to 0 */
    size_t workspace_most; /* that a pass may take; 0: no limit */
    struct pass *passes;
    struct tokenizer *tokenizer[2];
    struct condition *conditions;
    uint64_t last_id;
    int max_rows;
    atomic_bool cancel;
    float to_rgb[17][3]; /* preview.c: latents to colours, the last row is the offset */
    bool to_rgb_fitted;
    struct profile *profile; /* NULL, or where the time of every operation is counted */
};

enum { TOKENS = 77, MAX_ROWS = 32, CONDITIONS_KEPT = 64, PASSES_KEPT = 32 };

/* ==== passes.c ==== */

/* The plan for that network and size, with its workspace reserved: fill the inputs, then pass_run.
 */
WARN_UNUSED_RESULT int pass_get(struct cauldron_model *m, enum network n, int pictures, int h,
                                int w, int variant, struct pass **out, struct err *e);
float *pass_value(struct cauldron_model *m, const struct pass *p, const char *name);
WARN_UNUSED_RESULT int pass_run(struct cauldron_model *m, struct pass *p, enum plan_part part,
                                struct err *e);
/* Under low_memory: what a component needs in memory is not needed for a while. */
void pass_finished(struct cauldron_model *m, enum component c);
void passes_free(struct cauldron_model *m);
/* Bytes that the model takes beside its mapped files: packed weights, plans, values, texts. */
size_t passes_bytes(const struct cauldron_model *m);

/* latents: [channels][h][w]; pixels [3][8h][8w] in -1..1. */
WARN_UNUSED_RESULT int pass_decode(struct cauldron_model *m, const float *latents, int h, int w,
                                   float *pixels, struct err *e);
/* moments: [2 * channels][h][w]. */
WARN_UNUSED_RESULT int pass_encode(struct cauldron_model *m, const float *pixels, int h, int w,
                                   float *moments, struct err *e);

/* [c][pixels] to [pixels][c] and back. */
void to_channels_last(float *out, const float *in, int channels, size_t pixels);
void to_channels_first(float *out, const float *in, int channels, size_t pixels);

/* How many pixels a latent stands for, in each direction. */
int latent_scale(const struct cauldron_model *m);

/* ==== condition.c ==== */

/* Encode a prompt, or find it among those remembered; NULL prompt: SDXL's zeros. The caller counts
 * itself in `users` if it holds it beyond the next call. */
WARN_UNUSED_RESULT int condition_get(struct cauldron_model *m, const char *prompt, int clip_skip,
                                     struct condition **out, struct err *e);
void conditions_free(struct cauldron_model *m);
int pooled_width(const struct cauldron_model *m); /* 0 without pooled text */

/* ==== job.c ==== */

/* What a job took. Of a pass it is charged the part of its own rows, so that the figures do not
 * depend on who else was drawn. */
struct job_cost {
    double begin, steps, finish; /* seconds: text and first latents, passes, decoding */
    int evaluations;
    size_t workspace; /* bytes of the largest pass it took part in */
};

/* A request on its way. */
struct job {
    struct job *next;
    int index; /* in the array of requests */
    struct cauldron_request request;
    int h, w; /* of the latents */
    size_t count;
    struct condition *cond, *uncond; /* uncond: NULL when not guided */
    float *added[2];                 /* SDXL: [class_embed_in] for uncond, cond */
    float *guidance;                 /* LCM: [time_cond_dim] */
    struct noise noise;
    struct sampler *sampler;
    struct sampler_want want;
    bool wants;
    float *known, *known_noise, *mask; /* inpainting: latents, their noise, mask [h][w] */
    float *masked; /* 9 channels: latents of the picture without what the mask covers */
    struct arena arena;
    double started;
    struct job_cost cost;
    struct cauldron_picture *out;
};

WARN_UNUSED_RESULT int job_new(struct cauldron_model *m, const struct cauldron_request *r,
                               int index, struct cauldron_picture *out, struct job **job,
                               struct err *e);
void job_free(struct job *j);
int job_rows(const struct job *j); /* 2 when guided, else 1 */
/* The network's answer for its rows, [uncond, cond] or [cond], each [channels][h][w]. Returns
 * ERR_CANCELLED when the callback says so. */
WARN_UNUSED_RESULT int job_feed(struct cauldron_model *m, struct job *j, const float *rows,
                                struct err *e);
/* Decode and fill j->out. */
WARN_UNUSED_RESULT int job_finish(struct cauldron_model *m, struct job *j, struct err *e);
void job_trace(const struct job *j, const char *name, const float *data, int dims, int64_t a,
               int64_t b, int64_t c);

/* ==== preview.c ==== */

WARN_UNUSED_RESULT int preview_draw(struct cauldron_model *m, const struct cauldron_progress *p,
                                    struct cauldron_picture *out, struct err *e);

/* ==== batcher.c ==== */

/*
 * Jobs of one model that take their steps together (continuous batching, Yu et al. 2022): every
 * call of batcher_step evaluates the network once for as many waiting jobs of one size as fit, in
 * turn. Jobs may be added between any two steps.
 */
struct batcher {
    struct cauldron_model *model;
    struct job *jobs;
    /* Told of every job that leaves, drawn (code 0), cancelled by its own callback or failed,
     * before it is freed; the others go on. NULL: the first failure ends the step. */
    void (*ended)(void *user, struct job *j, const struct err *e);
    /* Whether to go on with it, asked about every job when cauldron_cancel has ended a pass: who is
     * not wanted leaves, the others lose that pass and nothing else. NULL: all leave. */
    bool (*wanted)(void *user, const struct job *j);
    void *user;
    double pass_seconds; /* of the last step's pass */
    int pass_rows;       /* 0: it had none */
};
void batcher_add(struct batcher *b, struct job *j);
/* One pass; jobs that end are finished and freed. Returns 0 while fine; *left says how many jobs
 * remain. With `ended` it does not fail. */
WARN_UNUSED_RESULT int batcher_step(struct batcher *b, int *left, struct err *e);
/* Forget the cancel, and ask about every job. */
void batcher_ask(struct batcher *b);
void batcher_release(struct batcher *b);

#endif
