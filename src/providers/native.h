/*
 * native.h: the provider that draws with this program's engine; private to native*.c, the only
 * files of the room that know the engine.
 *
 *   native.c            open and close, hardware, settings, counters: the row of the table
 *   native_names.c      samplers and schedules, from the engine's tables
 *   native_models.c     which models are installed, and what each is like
 *   native_complete.c   parameters -> recipe
 *   native_pool.c       open models, shared by the slots under one budget of memory
 *   native_draw.c       recipes -> pictures, several at once
 *
 * Threads: everything here may be called by any thread; `lock` guards what changes. Ownership:
 * struct native owns the folders' names, facts and open models.
 */
#ifndef PROVIDERS_NATIVE_H
#define PROVIDERS_NATIVE_H

#include "engine/pipeline.h"
#include "engine/weights/digests.h"
#include "engine/weights/find.h"
#include "providers/hardware.h"
#include "providers/provider.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Unless asked for otherwise, as cauldron_request has them. */
enum { NATIVE_STEPS = 20 };
#define NATIVE_STRENGTH 0.8

/* What is known of an installed model without keeping it open. */
struct facts {
    const char *path;
    struct model_stamp stamp; /* the state of the files that this describes */
    char digest[65];          /* "" until somebody needed it */
    enum architecture architecture;
    struct scheduler_config schedulers[2]
                                      [2]; /* [as the model's own sampler gets it][with a mask] */
    enum sampler_kind sampler;
    uint64_t reading; /* which reading of the files this comes from: differs when they changed */
    int width, height, multiple;
    int train_steps, clip_layers; /* the most steps; the most layers that clip_skip leaves out */
    double guidance;              /* default */
    bool inpainting;
};

/* Facts that are remembered, by path. */
struct known {
    struct known *next;
    struct facts facts;
    char *name;     /* under which it was looked up last; NULL: only listed */
    double checked; /* when its files were looked at */
};

/* An open model: one thread at a time uses it. */
struct opened {
    struct opened *next;
    struct cauldron_model *model; /* NULL while it is being opened */
    struct cauldron_info info;
    char *path;
    char digest[65];
    bool bf16, busy;
    int64_t weights; /* bytes of its mapped files: shared by all handles of a path */
    int64_t own;     /* bytes that only this handle takes: packed weights, values, plans */
    uint64_t used;   /* when last: counts up */
};

/* A sampler that a model was found to run: an experiment asks ten thousand times about a few dozen.
 * Direct-mapped: another one with the same hash takes its place. */
enum { ALLOWED = 256 };
struct allowed {
    uint64_t reading; /* 0: empty */
    struct sampler_spec spec;
    bool picture, masked;
};

struct native {
    struct arena arena; /* names of folders, device */
    struct model_paths paths;
    const char *data_folder, *default_model;
    const char *isa; /* asked for; NULL: the best */
    const struct kernels *kernels;
    bool bf16, low_memory;
    int threads, slots, max_rows; /* settled */
    bool rows_by_size;            /* fewer rows than max_rows where pictures are large */
    int64_t budget;
    struct hardware hardware;

    pthread_mutex_t lock;
    pthread_mutex_t digesting; /* one digest is computed at a time; taken before `lock` */
    pthread_cond_t released;   /* a model was given back */
    struct known *known;
    struct allowed allowed[ALLOWED];
    uint64_t readings; /* counts up */
    struct opened *opened;
    struct waiter *waiters;   /* who waits for room, the first first */
    struct picture *pictures; /* being drawn, of all slots */
    uint64_t clock;
    struct provider_stats stats;
};

/* Texts that live longer than any arena here. */
static inline char *native_copy(const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        abort();
    return copy;
}

/* What the engine's public functions say, as an error of this house; never 0. */
static inline int native_error(const struct cauldron_error *from, struct err *e)
{
    (void)ERR(e, (enum err_code)from->code, "%s", from->message);
    return from->code < 0 ? from->code : ERR_FORMAT;
}

/* ==== native_models.c ==== */

/* A model by name, as it is on disk; with its digest when asked for (slow the first time). Names of
 * installed models only: no paths. */
WARN_UNUSED_RESULT int native_facts(struct native *n, const char *name, bool digest,
                                    struct arena *a, struct facts *out, struct err *e);
/* The same with its digest, but a look at the files that is less than a second old will do: a plan
 * asks for one model ten thousand times. */
WARN_UNUSED_RESULT int native_facts_recent(struct native *n, const char *name, struct arena *a,
                                           struct facts *out, struct err *e);
/* How diffusers configures this sampler for the model. */
const struct scheduler_config *facts_scheduler(const struct facts *f, enum sampler_kind k,
                                               bool masked);
/* The same as facts_allow, remembered when the answer is yes. */
WARN_UNUSED_RESULT int native_allow(struct native *n, const struct facts *f,
                                    const struct sampler_spec *spec, bool picture, bool masked,
                                    struct err *e);
/* ERR_ARG or ERR_UNSUPPORTED when the model's sampler cannot be run like this, from noise or from a
 * picture. */
WARN_UNUSED_RESULT int facts_allow(const struct facts *f, const struct sampler_spec *spec,
                                   bool picture, bool masked, struct err *e);
WARN_UNUSED_RESULT int native_models(struct provider *p, struct arena *a,
                                     struct provider_model **out, size_t *count, struct err *e);
WARN_UNUSED_RESULT int native_model(struct provider *p, const char *name, struct arena *a,
                                    struct provider_model *out, struct err *e);
void native_refresh(struct provider *p);
void native_facts_free(struct native *n);

/* ==== native_complete.c ==== */

WARN_UNUSED_RESULT int native_complete(struct provider *p, const json_t *parameters,
                                       struct arena *a, struct recipe *out,
                                       struct parameter_problem **problems, struct err *e);

/* ==== native_pool.c ==== */

/* The model of a recipe, for this thread alone until pool_release. When there is no room for it
 * beside models in use, waits for room, asking `go_on` about once a second whether to:
 * ERR_CANCELLED when it says no. A model that is larger than the whole budget is opened alone.
 * *load_seconds: 0 when it was open. */
WARN_UNUSED_RESULT int pool_take(struct native *n, const struct recipe *r,
                                 bool (*go_on)(void *user), void *user, struct opened **out,
                                 double *load_seconds, struct err *e);
/* Whether somebody waits for room: who holds a model should come to an end with it. */
bool pool_wanted(struct native *n);
/* Count what it takes by now; others that nobody uses make room. */
void pool_measure(struct native *n, struct opened *o);
void pool_release(struct native *n, struct opened *o);
/* Close what nobody uses. */
void pool_close_idle(struct native *n);
void pool_free(struct native *n);
bool pool_holds(struct native *n, const char *path);
/* Models, and bytes that they take. */
void pool_totals(struct native *n, int64_t *models, int64_t *bytes);

/* ==== native_draw.c ==== */

WARN_UNUSED_RESULT int native_draw(struct provider *p, const char *device,
                                   const struct draw_source *source, struct err *e);
void native_interrupt(struct provider *p, const struct draw *d);

#endif
