/*
 * control.h: what people do with tasks: check, create, run again, pause, approve, cancel, retry,
 * look at the report.
 *
 *   struct task_create c = {.json = document, .user_id = user, .trusted = true, .folder = cwd};
 *   if (task_check(&t, &c, &options, &check, &problems, &e)) ...        touches nothing
 *   if (task_create(&t, &c, &arena, &task, &problems, &e)) ...
 *
 * Creating reads the document, resolves its model configuration, and writes one row; runners do the
 * rest. Errors: ERR_ARG with problems; ERR_CONFLICT for a change that makes no sense in the task's
 * state; ERR_NETWORK when MongoDB does not answer. Threads: any. Ownership: the arena's.
 */
#ifndef TASKS_CONTROL_H
#define TASKS_CONTROL_H

#include "tasks/document.h"

struct task_create {
    const json_t *json;
    const char *user_id, *request_id;
    const char *folder; /* of relative paths; NULL: DATA/datasets and DATA/exports */
    bool trusted;       /* any path, any URI: the command line, admins */
    int canary;         /* -1: as the document says; 0: none; else its count */
    bool again; /* a task of that name is run again, with this document; else ERR_CONFLICT */
};
/* *existed: it was run again. */
WARN_UNUSED_RESULT int task_create(const struct tasks *t, const struct task_create *c,
                                   struct arena *a, struct task *out, bool *existed,
                                   struct task_problems *problems, struct err *e);
WARN_UNUSED_RESULT int task_run_again(const struct tasks *t, const char *id, struct arena *a,
                                      struct task *out, struct err *e);
WARN_UNUSED_RESULT int task_pause(const struct tasks *t, const char *id, bool paused,
                                  struct err *e);
WARN_UNUSED_RESULT int task_cancel(const struct tasks *t, const char *id, struct err *e);
/* Of the canary's experiment: true goes on with the rest, false cancels. */
WARN_UNUSED_RESULT int task_approve(const struct tasks *t, const char *id, bool approved,
                                    struct err *e);
/* Failed records once more; `classes` NULL: all but "mapping". *count of them. */
WARN_UNUSED_RESULT int task_retry(const struct tasks *t, const char *id, const char *const *classes,
                                  int64_t *count, struct err *e);

/* Dry run: read the source (all of it, or `limit` records), map every record, look what exists, ask
 * the destination, results and callbacks whether they are there and allowed. Writes nothing
 * anywhere. `tell` may be NULL; non-zero from it stops with ERR_CANCELLED. */
struct task_check_options {
    int64_t limit; /* records; 0: all */
    int (*tell)(void *user, int64_t read, int64_t total);
    void *user;
};
struct task_check_part {
    const char *part; /* "source", "model", "destination", "results", "callbacks" */
    bool ok;
    const char *detail;
};
struct task_check {
    struct task_check_part parts[8];
    size_t part_count;
    int64_t records, works, drawn; /* drawn: their picture exists already */
    int64_t duplicates;            /* works whose key an earlier one has */
    int64_t invalid, collisions;   /* records that cannot be mapped; names that two works have */
    struct {
        const char *record_id, *field, *message;
        int64_t number;
    } problems[20]; /* the first of invalid and collisions */
    size_t problem_count;
    double seconds, bytes, cost; /* estimates; NAN when nothing is known */
    bool complete;               /* all records were read */
    struct {
        const char *record_id, *object, *prompt; /* the first works, to look at */
    } examples[5];
    size_t example_count;
};
WARN_UNUSED_RESULT int task_check(const struct tasks *t, const struct task_create *c,
                                  const struct task_check_options *o, struct arena *a,
                                  struct task_check *out, struct task_problems *problems,
                                  struct err *e);
json_t *task_check_to_json(const struct task_check *c);

/* How far it is: JSON as the API and the event task:{id}:progress have it; a new reference. */
WARN_UNUSED_RESULT int task_to_json(const struct tasks *t, struct tx *tx, const struct task *task,
                                    json_t **out, struct err *e);
json_t *task_record_to_json(const struct task_record *r);
/* Counts, failures by class, percentiles, cost, callbacks: a new reference. */
WARN_UNUSED_RESULT int task_report(const struct tasks *t, const char *id, json_t **out,
                                   struct err *e);
/* All records, as CSV (RFC 4180, a header row) or JSON Lines, in pieces. */
enum task_export_format { TASK_EXPORT_CSV, TASK_EXPORT_JSONL };
WARN_UNUSED_RESULT int task_export(const struct tasks *t, const char *id,
                                   enum task_export_format format,
                                   int (*write)(void *user, const char *p, size_t n), void *user,
                                   struct err *e);
/* The document that is written back for a record (datasets/results.h). A new reference. */
json_t *task_result_body(const struct task_document *d, const struct task *task,
                         const struct task_record *r);

#endif
