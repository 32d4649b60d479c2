/*
 * provider.h: who draws. One table of functions per provider: native.c (this program's engine);
 * others (ComfyUI, a diffusers side-car, video) have the same shape.
 *
 *   struct provider *p;
 *   if (provider_open("native", &options, &p, &e)) ...
 *   if (provider_complete(p, parameters, &arena, &recipe, key, &e)) ...      defaults, legality
 *   struct draw_source source = {.user = w, .next = next, .progress = progress, .done = done};
 *   if (provider_draw(p, device, &source, &e)) ...          draws until next() has nothing more
 *   provider_close(p);
 *
 * Threads: any thread may call any function; provider_draw is called by one thread per slot of a
 * device and blocks. Ownership: results live in the arena given; a recipe handed to a provider is
 * borrowed until its done().
 */
#ifndef PROVIDERS_PROVIDER_H
#define PROVIDERS_PROVIDER_H

#include "base/arena.h"
#include "base/err.h"
#include "image/image.h"
#include "recipe/recipe.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct provider;

struct provider_options {
    const char *const *model_folders; /* NULL-ended, in order */
    const char *hub_cache;            /* of Hugging Face; NULL: none */
    const char *dtype, *isa;          /* NULL: the default */
    int threads;                      /* of one device slot; 0: all cores shared by the slots */
    int slots;                        /* pictures' batches drawn at once on the CPU; 0: 1 */
    int64_t memory_budget; /* bytes for models kept open, all slots together; 0: half of the
                              machine's memory */
    int max_rows;          /* of one pass of the network; 0: by the size of the pictures, up to 8 */
    bool low_memory;
    const char *data_folder;   /* where digests.json remembers digests; NULL: nowhere */
    const char *default_model; /* of requests that name none; NULL: "demo" */
};

/* get_available_models */
struct provider_model {
    const char *name, *path, *architecture;
    const char *digest; /* 64 hex digits; NULL while it is not known yet */
    int64_t bytes;
    int width, height, multiple; /* native size; sizes are multiples of this many pixels */
    const char *sampler;         /* its own */
    const char *const *samplers; /* legal ones, NULL-ended */
    int steps;                   /* defaults */
    double cfg_scale;
    bool inpainting, loaded;
    const char *error; /* why it cannot be used, or NULL */
};

/* get_hardware_info */
struct hardware_device {
    const char *id;   /* "cpu", "cuda:0" */
    const char *name; /* "AMD EPYC ..." */
    const char *kind; /* "cpu", "cuda" */
    int cores, threads, slots;
    const char *features;         /* "avx2 avx512 avx512bf16" */
    const char *isa;              /* that the engine uses */
    int64_t memory, memory_free;  /* bytes */
    int64_t models, models_bytes; /* kept open */
};
struct hardware_info {
    const char *os, *machine;
    const struct hardware_device *devices;
    size_t device_count;
    int64_t memory, memory_free; /* of the machine */
};

/* A picture on its way through provider_draw. */
struct draw {
    struct recipe recipe;    /* complete */
    struct image init, mask; /* pixels NULL: none */
    bool preview; /* whether somebody watches: progress() then comes with pictures, at most a few a
                     second */
    const char *request_id, *trace_id, *job; /* for logs */
    void *user;
};
struct draw_result {
    int code; /* 0, or an err_code */
    const char *message;
    struct image image;  /* the receiver takes it; pixels NULL unless code is 0 */
    double seconds;      /* its share of the work: of each pass the part of its rows, and all of
                            its encoding and decoding; without waiting and loading */
    double step_seconds; /* mean of one evaluation, its share likewise */
    int64_t memory_used; /* bytes that drawing it takes: weights, packed weights, the values of its
                            largest pass; the same however often and beside whatever it is drawn */
    const char *device, *dtype, *isa;
    const char *warning; /* e.g. what of the prompt was cut off; NULL: none */
};
enum draw_answer {
    DRAW_GO_ON,
    DRAW_CANCEL,
    DRAW_YIELD /* give it back undone: done(code
                    ERR_CANCELLED) follows */
};
struct draw_source {
    void *user;
    /* Another picture to draw, or NULL. Called between steps; must not block. model NULL: any, this
     * is the first one; else only one of this model digest and size can join the running batch. */
    struct draw *(*next)(void *user, const char *model, int width, int height);
    /* After each evaluation; preview (borrowed for the call) NULL unless one was made for this
     * step: d->preview may change at any call. Also about once a second while the picture waits for
     * room for its model, with step 0, and after provider_interrupt. */
    enum draw_answer (*progress)(void *user, struct draw *d, int step, int steps,
                                 const struct image *preview);
    /* Exactly once for each picture that next() gave. */
    void (*done)(void *user, struct draw *d, struct draw_result *r);
    /* Phases for metrics: "load", "encode", "step", "decode", in seconds. May be NULL. */
    void (*phase)(void *user, const char *phase, double seconds);
    double preview_seconds; /* between two previews of one picture; 0: 0.5 */
};

WARN_UNUSED_RESULT int provider_open(const char *name, const struct provider_options *o,
                                     struct provider **out, struct err *e);
void provider_close(struct provider *p);
const char *provider_name(const struct provider *p);
const char *provider_version(const struct provider *p); /* part of every key */

WARN_UNUSED_RESULT int provider_models(struct provider *p, struct arena *a,
                                       struct provider_model **out, size_t *count, struct err *e);
/* One by name; ERR_NOT_FOUND names what is installed and how to get it. Reads the digest (slow the
 * first time: remembered by path, size and time). */
WARN_UNUSED_RESULT int provider_model(struct provider *p, const char *name, struct arena *a,
                                      struct provider_model *out, struct err *e);
/* Forget what was remembered about the folders. */
void provider_refresh(struct provider *p);
WARN_UNUSED_RESULT int provider_hardware(struct provider *p, struct arena *a,
                                         struct hardware_info *out, struct err *e);
/* optimize_for_hardware: settle threads, dtype and batch for "cpu", "cuda", "auto"; what was chosen
 * as JSON, a new reference. ERR_UNSUPPORTED for a device that is not there. */
WARN_UNUSED_RESULT int provider_optimize(struct provider *p, const char *device, json_t **out,
                                         struct err *e);

/* A bad parameter: where, and what was expected. */
struct parameter_problem {
    const char *name, *expected;
};
/* From what was asked for to a complete, legal recipe and its key. Parameters have the names of the
 * generate request or of a recipe's JSON; absent ones (or null) take the model's defaults, A1111's
 * and ComfyUI's names of samplers are accepted, unknown parameters are bad. "seed" is an integer or
 * decimal text; absent or -1: random, below 2^32. "init_image" and "mask" are the SHA-256 of the
 * files; "init_width" and "init_height", from who has the picture, are then the default size,
 * rounded down to the model's multiple.
 * ERR_ARG lists every bad parameter in *problems (may be NULL; ended by a row with name NULL);
 * ERR_NOT_FOUND for the model names what is installed. */
WARN_UNUSED_RESULT int provider_complete(struct provider *p, const json_t *parameters,
                                         struct arena *a, struct recipe *out, char key[65],
                                         struct parameter_problem **problems, struct err *e);

/* generate_image: blocks, drawing what source.next gives, several at once where they fit. Returns 0
 * when next() had nothing more; errors of single pictures go to their done(). */
WARN_UNUSED_RESULT int provider_draw(struct provider *p, const char *device,
                                     const struct draw_source *source, struct err *e);

/* A pass of the network takes up to a minute on large models: do not wait for its end to ask
 * progress() about this picture, with the step it is at. Pictures of the batch that are still
 * wanted lose that pass, nothing else. Any thread; nothing happens when it is not being drawn. */
void provider_interrupt(struct provider *p, const struct draw *d);

struct provider_stats {
    int64_t loads, hits, evictions, pictures, steps, rows;
    double load_seconds, step_seconds;
};
void provider_stats(struct provider *p, struct provider_stats *out);

/* One kind of provider: a row of the table in provider.c. Every function is needed. */
struct provider_backend {
    const char *name, *version;
    int (*open)(struct provider *p, const struct provider_options *o, struct err *e);
    void (*close)(struct provider *p);
    int (*models)(struct provider *p, struct arena *a, struct provider_model **out, size_t *count,
                  struct err *e);
    int (*model)(struct provider *p, const char *name, struct arena *a, struct provider_model *out,
                 struct err *e);
    void (*refresh)(struct provider *p);
    int (*hardware)(struct provider *p, struct arena *a, struct hardware_info *out, struct err *e);
    int (*optimize)(struct provider *p, const char *device, json_t **out, struct err *e);
    int (*complete)(struct provider *p, const json_t *parameters, struct arena *a,
                    struct recipe *out, struct parameter_problem **problems, struct err *e);
    int (*draw)(struct provider *p, const char *device, const struct draw_source *source,
                struct err *e);
    void (*stats)(struct provider *p, struct provider_stats *out);
    void (*interrupt)(struct provider *p, const struct draw *d); /* NULL: it waits */
};
/* A provider of a table that provider_open does not list: for tests of those who call providers.
 * The table outlives it. */
WARN_UNUSED_RESULT int provider_from_backend(const struct provider_backend *backend,
                                             const struct provider_options *o,
                                             struct provider **out, struct err *e);
/* What a backend keeps for itself: set by its open, NULL before. */
void provider_set_state(struct provider *p, void *state);
void *provider_state(const struct provider *p);

/* ==== what there is to choose from, whoever draws; results live in the arena ==== */

struct sampler_entry {
    const char *name, *label;     /* "dpmpp_2m", "DPM++ 2M" (A1111's) */
    const char *const *aliases;   /* NULL-ended */
    const char *const *schedules; /* legal together, NULL-ended */
    bool second_order;            /* two evaluations of the network in a step */
    bool stochastic;              /* draws new noise in every step */
    bool uses_eta, uses_spacing;
};
const struct sampler_entry *provider_samplers(struct arena *a, size_t *count);
struct schedule_entry {
    const char *name, *label;
    const char *const *aliases; /* NULL-ended */
};
const struct schedule_entry *provider_schedules(struct arena *a, size_t *count);

#endif
