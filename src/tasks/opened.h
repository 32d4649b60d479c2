/*
 * opened.h: the tasks that a thread works for: document, kind, source, destination and results,
 * each opened when it is first needed and kept for a while.
 *
 *   struct opened *o;
 *   if (opened_get(&cache, tasks, &task, &o, &e)) ...       again, when its document has changed
 *   if (opened_destination(o, &e)) ... object_put(o->destination, ...)
 *   opened_release(&cache);
 *
 * Threads: a cache belongs to one. Ownership: what is in an opened task lives until it is dropped,
 * at the earliest by the next opened_get of the same cache.
 */
#ifndef TASKS_OPENED_H
#define TASKS_OPENED_H

#include "datasets/results.h"
#include "tasks/kind.h"

enum { OPENED_KEPT = 4 };

struct opened {
    const struct tasks *tasks;
    struct arena arena;
    struct task task; /* when it was opened: what does not move */
    struct task_document *document;
    struct objects *destination;
    struct kind_context kind;
    bool kind_is_open;
    struct results *results;
    struct dataset *source;
    char *position; /* where `source` stands; NULL: its beginning */
    int failures;   /* of the reader, in a row */
    uint64_t used;
};
struct opened_cache {
    struct opened *at[OPENED_KEPT];
    uint64_t uses;
};

/* The task with its document; `task` names id, version and round. */
WARN_UNUSED_RESULT int opened_get(struct opened_cache *c, const struct tasks *t,
                                  const struct task *task, struct opened **out, struct err *e);
WARN_UNUSED_RESULT int opened_destination(struct opened *o, struct err *e);
WARN_UNUSED_RESULT int opened_kind(struct opened *o, struct err *e); /* and its destination */
/* ERR_ARG when the document has none. */
WARN_UNUSED_RESULT int opened_results(struct opened *o, struct err *e);
/* The source, standing behind `position`. */
WARN_UNUSED_RESULT int opened_source(struct opened *o, const char *position, struct err *e);
void opened_source_moved(struct opened *o, const char *position);
/* Close what is connected: it will be opened again. */
void opened_source_close(struct opened *o);
void opened_results_close(struct opened *o);
void opened_drop(struct opened_cache *c, const char *task_id);
void opened_release(struct opened_cache *c);

#endif
