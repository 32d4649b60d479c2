/*
 * document.h: the JSON that says what a task does, checked and completed.
 *
 *   struct task_document *d;
 *   if (task_document_read(t, json, trusted, folder, &d, &problems, &e)) ...  every problem, placed
 *   task_document_free(d);
 *
 * The document (an object; members not listed are errors; docs/tasks.md has examples):
 *
 *   version      1 (required)
 *   name         text, 1..200 characters of letters, digits, ".", "_", "-", " " (required): running
 *                a document of the same name again goes on with the same task
 *   kind         "image" (default), "caption": kind.h
 *   source       where records come from (required): datasets/dataset.h
 *   model        how they are drawn (kind image): {"config": NAME, "version"?: N (default: newest),
 *                "from": where configurations lie, datasets/model_configs.h}, or written here:
 *                {"model", "digest"?, "parameters"?}
 *   fields       object: which fields of a record are what. For kind image:
 *                  prompt (default "prompt"), negative_prompt ("negative_prompt"), seed ("seed"),
 *                  overrides ("overrides": object of parameters), model_config (none: the NAME, or
 *                  NAME@VERSION, of another configuration for this record), parameters (object
 *                  {PARAMETER: field})
 *                A field is a name, or a path with dots ("text.en", "tags.0"), or {"value": V} for
 *                a constant, or {"template": "a photo of {name}"} with paths in braces. A default
 *                that a record lacks is left out; one that was named must be there, unless
 *                {"field": PATH, "optional": true}. For kind caption: image, hint
 *   seed         of records without one: {"base": N} (seed = N + number of the record), "record"
 *                (default: made from the task's name and the record's id), or N
 *   count        pictures of a record, with seeds seed, seed + 1, ...: 1..100, default 1
 *   destination  {"url": "gs://...|s3://...|file:...", "object"?: template, default
 *                "{dataset}/{record_id}/{seed}.{ext}", "if_exists"?: "fail" (default) | "replace",
 *                "format"?: "png" | "jpeg" | "webp", "quality"?: 1..100, "recipe"?: true (a JSON
 *                beside each object, its name with ".json" for the ending), "cache_control"?,
 *                "metadata"?: object of texts (templates)} (required)
 *   results      where it is written back: datasets/results.h; or left out
 *   callbacks    {"url": https, "secret"?: NAME (CAULDRON_SECRET_<NAME>), "on": array of "record",
 *                "batch", "end", "canary" (default ["end"]), "batch"?: records of a batch (100),
 *                "headers"?: object of texts, "timeout_seconds"?: 1..60 (10),
 *                "give_up_after_hours"?: 0.01..168 (24), "allow_private"?: false}
 *   canary       {"count": 1..200, "by"?: array of fields (strata; default: the model configuration
 *                and how long the prompt is), "seed"?: N}; or left out
 *   priority     "batch" (default) | "interactive"
 *   window       records drawn ahead at most: 1..100000, default 500
 *   cost         {"per_hour": F, "currency"?: "EUR"}: of drawing; for estimates and the report
 *   notes        text
 *
 * Templates: {dataset}, {task}, {record_id}, {number}, {seed}, {key} (of the recipe), {key8},
 * {model}, {config}, {ext}, {date} (that the task was made, YYYY-MM-DD) and {field:PATH}; {{ and
 * }} are braces. Values are made safe for names: what is not a letter, a digit, or one of "-_.~ "
 * becomes
 * "-" ("/" too, but in {field:...}), and no part is "." or "..".
 *
 * Threads: a document is constant once read. Ownership: it keeps its own copy.
 */
#ifndef TASKS_DOCUMENT_H
#define TASKS_DOCUMENT_H

#include "tasks/task.h"

struct task_kind;

struct task_callbacks {
    const char *url, *secret;
    bool on_record, on_batch, on_end, on_canary;
    int64_t batch;
    const char *const *headers; /* "Name: value", NULL-ended */
    double timeout, give_up;    /* seconds */
    bool allow_private;
};

/* Of a record that brings no seed of its own. */
enum task_seed {
    TASK_SEED_RECORD, /* from the task's name and the record's id */
    TASK_SEED_BASE,   /* base + number of the record */
    TASK_SEED_FIXED,
};

struct task_document {
    struct arena arena;
    const char *name;
    const char *dataset; /* what the records are called in names of objects */
    const struct task_kind *kind;
    const json_t *written;          /* the whole, as it is stored */
    const json_t *source, *results; /* results NULL: none */
    const json_t *model; /* the configuration: {"model", "digest", "parameters", ...}; resolved by
                            task_document_resolve when it comes from elsewhere; NULL for kinds
                            without */
    const json_t *from;  /* where configurations lie; NULL: nowhere */
    const json_t *fields;
    enum task_seed seed_rule;
    bool seed_written; /* else a seed among the configuration's parameters counts */
    uint64_t seed;
    const json_t *canary_by; /* array, or NULL */
    int canary_count;        /* 0: none */
    uint64_t canary_seed;
    int count;
    const char *url, *object, *format, *cache_control;
    int quality;
    bool replace, recipe;
    const json_t *metadata;          /* object of templates, or NULL */
    struct task_callbacks callbacks; /* url NULL: none */
    int priority;
    int64_t window;
    double cost_per_hour; /* NAN: unknown */
    const char *currency;
    struct dataset_access access;         /* with which source and configurations are opened */
    struct dataset_access results_access; /* with which results are opened */
};

/* ERR_ARG with all problems, whose texts live in the arena. `folder`: of relative paths. */
WARN_UNUSED_RESULT int task_document_read(const struct tasks *t, const json_t *json, bool trusted,
                                          const char *folder, struct arena *a,
                                          struct task_document **out,
                                          struct task_problems *problems, struct err *e);
/* The same of a stored task. */
WARN_UNUSED_RESULT int task_document_of(const struct tasks *t, const struct task *task,
                                        struct task_document **out, struct err *e);
/* Look the model configuration up (MongoDB), so that one run draws with one version: ERR_NETWORK,
 * ERR_NOT_FOUND. `written` then has it in full, as "model.resolved", and that is what is stored. */
WARN_UNUSED_RESULT int task_document_resolve(const struct tasks *t, struct task_document *d,
                                             struct err *e);
void task_document_free(struct task_document *d); /* NULL is fine */
/* Whether only this machine can reach its files. */
bool task_document_is_local(const struct task_document *d);
/* The destination. */
WARN_UNUSED_RESULT int task_destination_open(const struct tasks *t, const struct task_document *d,
                                             struct objects **out, struct err *e);

#endif
