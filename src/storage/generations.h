/*
 * generations.h: the table of generations: every picture that somebody asked for.
 *
 * A generation is a wish ("this recipe, for this user, in this cell of that run"). The picture it
 * gets is a row of images.h, found by the recipe's key, and drawn by the job (jobs.h) with that
 * key; wishes with equal keys share both. So a generation's status is its own (it may be cancelled
 * alone), and jobs_finish brings all that wait for a key to their end together.
 *
 * Threads: as its transaction. Ownership: texts live in the arena given.
 */
#ifndef STORAGE_GENERATIONS_H
#define STORAGE_GENERATIONS_H

#include "base/uuid.h"
#include "recipe/recipe.h"
#include "storage/db.h"

enum generation_status {
    GENERATION_QUEUED,
    GENERATION_RUNNING,
    GENERATION_SUCCEEDED,
    GENERATION_FAILED,
    GENERATION_CANCELLED,
    GENERATION_IMPOSSIBLE, /* a cell of an experiment that its model cannot draw; error says why */
};
const char *generation_status_name(enum generation_status s);
bool generation_status_by_name(struct str name, enum generation_status *out);

struct generation {
    const char *id;                     /* UUID v7: sorts by creation */
    const char *user_id;                /* NULL: nobody (loopback without login) */
    const char *run_id, *experiment_id; /* NULL outside experiments */
    int64_t cell;                       /* index in its run, -1 outside */
    int replicate;
    const char *axes; /* JSON object: axis -> value, NULL outside */
    const char *key;  /* recipe_key; NULL when impossible */
    enum generation_status status;
    bool reused; /* the picture was there before */
    const char *prompt, *negative_prompt, *model_name, *model_digest, *sampler, *schedule;
    const char *provider;
    uint64_t seed;
    int steps, width, height;
    double cfg_scale;
    const char *parameters; /* JSON: the recipe, complete; what was asked for when impossible */
    const char *metadata;   /* JSON object */
    const char *error_code, *error;
    int attempts;
    int rating; /* 0: none, 1..5 */
    bool favourite;
    const char *const *tags;          /* NULL-ended */
    int64_t created_at, generated_at; /* ms; 0: not yet */
    /* of the picture, when there is one */
    const char *sha256, *format;
    int64_t bytes, memory_used;
    double seconds;       /* to draw */
    const char *measures; /* JSON object or NULL */
};

WARN_UNUSED_RESULT int generations_insert(struct tx *tx, const struct generation *rows,
                                          size_t count, struct err *e);
WARN_UNUSED_RESULT int generations_get(struct tx *tx, const char *id, struct arena *a,
                                       struct generation *out, struct err *e);

/* Those of these that exist, by identifier. */
WARN_UNUSED_RESULT int generations_pick(struct tx *tx, const char *const *ids, size_t count,
                                        struct arena *a, struct generation **out, size_t *found,
                                        struct err *e);

enum generation_sort {
    SORT_NEWEST,
    SORT_OLDEST,
    SORT_RATING,
    SORT_STEPS,
    SORT_SECONDS,
    SORT_CELL,
};
struct generation_filter {
    const char *user_id; /* NULL everywhere: no filter */
    const char *model, *sampler, *schedule, *experiment_id, *run_id, *tag, *key;
    const char *text; /* words in the prompt */
    const char *seed;
    int steps_min, steps_max; /* 0: none */
    double cfg_min, cfg_max;  /* NAN: none */
    int rating_min;
    int favourite;                         /* -1: any */
    int status;                            /* -1: any */
    int64_t created_after, created_before; /* ms; 0: none */
    enum generation_sort sort;
    int limit;
    const char *cursor; /* of the page before; NULL: the first */
};
struct generation_filter generation_filter(void); /* no filter, newest first, 50 */
/* *next: the cursor of the next page, NULL at the end. ERR_ARG for a bad cursor. */
WARN_UNUSED_RESULT int generations_list(struct tx *tx, const struct generation_filter *f,
                                        struct arena *a, struct generation **out, size_t *count,
                                        const char **next, struct err *e);

struct generation_change {
    int rating;              /* -1: leave */
    int favourite;           /* -1: leave */
    const char *const *tags; /* NULL: leave */
};
WARN_UNUSED_RESULT int generations_update(struct tx *tx, const char *id,
                                          const struct generation_change *change, struct err *e);
/* The same for many, in a few statements; those that do not exist are passed over. */
struct generation_changes {
    int rating;                                       /* -1: leave */
    int favourite;                                    /* -1: leave */
    const char *const *add_tags, *const *remove_tags; /* NULL: none; what is in both is added */
};
WARN_UNUSED_RESULT int generations_update_many(struct tx *tx, const char *const *ids, size_t count,
                                               const struct generation_changes *c, struct err *e);
/* Tags in use and by how many generations, the most used first, at most 1000. user_id NULL:
 * anybody's; beginning NULL: any, else in any case of ASCII letters. */
struct tag_use {
    const char *tag;
    int64_t count;
};
WARN_UNUSED_RESULT int generations_tags(struct tx *tx, const char *user_id, const char *beginning,
                                        struct arena *a, struct tag_use **out, size_t *count,
                                        struct err *e);
/* Into the trash (trash.h); one that waits is cancelled first. The picture stays until gc finds
 * that nobody wants it. */
WARN_UNUSED_RESULT int generations_delete(struct tx *tx, const char *id, struct err *e);

/* Those of these keys whose picture exists: found[i] is set. */
WARN_UNUSED_RESULT int generations_drawn(struct tx *tx, const char *const *keys, size_t count,
                                         bool *found, struct err *e);
/* Pictures with the nearest recipes: same prompt or model, distance over steps, guidance, sampler,
 * seed; at most `limit`. */
WARN_UNUSED_RESULT int generations_similar(struct tx *tx, const struct generation *to, int limit,
                                           struct arena *a, struct generation **out, size_t *count,
                                           struct err *e);

/* Measured history: mean seconds and bytes per picture for that model, size and steps (nearest
 * first; the caller scales by steps). samples 0: nothing known. */
struct cost_history {
    int samples;
    double seconds_per_step, seconds_fixed, bytes;
};
WARN_UNUSED_RESULT int generations_cost(struct tx *tx, const struct recipe *r, int guided,
                                        struct cost_history *out, struct err *e);

#endif
