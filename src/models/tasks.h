/*
 * tasks.h: pulls and checks of models in the background: one after the other on a thread of its
 * own, watched, cancelled, remembered for a day.
 *
 *   struct model_tasks_options o = {.hub = hub, .data_folder = "data", .changed = publish, ...};
 *   struct model_tasks *tasks;
 *   struct model_task task;
 *   if (model_tasks_open(&o, &tasks, &e)) ...
 *   if (model_tasks_pull(tasks, "org/name", "main", NULL, &arena, &task, &e)) ...
 *   if (model_tasks_get(tasks, task.id, &arena, &task, &e)) ...
 *   model_tasks_close(tasks);                       stops what runs; a later pull goes on from
 * there
 *
 * What waits for its turn is running with nothing done. Everything is in the memory of this
 * process: tasks that it leaves unfinished are forgotten, their bytes on the disk are not.
 * Threads: any. Ownership: texts of a struct model_task live in the arena given, those that
 * `changed` gets for the call.
 */
#ifndef MODELS_TASKS_H
#define MODELS_TASKS_H

#include "models/hub.h"

struct model_tasks;

enum model_task_kind { MODEL_PULL, MODEL_VERIFY };
enum model_task_status {
    MODEL_TASK_RUNNING,
    MODEL_TASK_SUCCEEDED,
    MODEL_TASK_FAILED,
    MODEL_TASK_CANCELLED
};

struct model_task {
    const char *id; /* UUID */
    enum model_task_kind kind;
    enum model_task_status status;
    const char *model;
    int64_t done, total;     /* bytes; total -1: not known yet */
    const char *file;        /* at present, NULL: none */
    double bytes_per_second; /* -1: not known */
    double eta_seconds;      /* -1: not known */
    const char *detail;      /* what was found, NULL unless it succeeded */
    enum err_code code;      /* when it failed */
    const char *error;
    int64_t created_at, finished_at; /* 0: not finished */
};

struct model_tasks_options {
    struct model_hub hub;    /* its watch is not used; texts outlive the tasks */
    const char *no_hub;      /* why nothing can be pulled; NULL: it can */
    const char *data_folder; /* of remembered digests */
    void *user;
    /* A task began, went on (at most four times a second), ended; must not block. The last state of
     * a task comes last. */
    void (*changed)(void *user, const struct model_task *t);
    /* A pull is complete, before anybody is told so. */
    void (*pulled)(void *user);
};

WARN_UNUSED_RESULT int model_tasks_open(const struct model_tasks_options *o,
                                        struct model_tasks **out, struct err *e);
void model_tasks_close(struct model_tasks *all); /* NULL: nothing happens */

/* As hub_pull. ERR_ARG for what is no name or revision, ERR_UNSUPPORTED when nothing can be pulled,
 * ERR_CONFLICT when the same is on its way already or too many wait. */
WARN_UNUSED_RESULT int model_tasks_pull(struct model_tasks *all, const char *name,
                                        const char *revision, const char *variant, struct arena *a,
                                        struct model_task *out, struct err *e);
/* As model_check, of the model called `name` at `path`. ERR_CONFLICT likewise. */
WARN_UNUSED_RESULT int model_tasks_verify(struct model_tasks *all, const char *name,
                                          const char *path, struct arena *a, struct model_task *out,
                                          struct err *e);
/* Newest first; ended ones for a day. */
void model_tasks_list(struct model_tasks *all, struct arena *a, struct model_task **out,
                      size_t *count);
/* ERR_NOT_FOUND. */
WARN_UNUSED_RESULT int model_tasks_get(struct model_tasks *all, const char *id, struct arena *a,
                                       struct model_task *out, struct err *e);
/* Again is the same. ERR_NOT_FOUND; ERR_CONFLICT when it has ended otherwise. */
WARN_UNUSED_RESULT int model_tasks_cancel(struct model_tasks *all, const char *id, struct arena *a,
                                          struct model_task *out, struct err *e);

#endif
