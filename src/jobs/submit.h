/*
 * submit.h: from wishes to rows: complete the parameters, find what is drawn already, add jobs for
 * the rest. Everybody who wants pictures comes through here: the API, experiments, tasks.
 *
 *   struct submitter s = {.db = db, .blobs = blobs, .queue = q, .bus = bus, .providers = all};
 *   if (submitter_open(&s, &e)) ...
 *   struct wish wish = {.parameters = json, .user_id = user, .priority = PRIORITY_INTERACTIVE};
 *   if (submit(s, &wish, 1, &arena, &generations, &e)) ...
 *
 * A submission is one transaction: when it returns 0 everything is accepted and durable; otherwise
 * nothing is. Threads: any. Ownership: results live in the arena, their texts there or in
 * the wishes; a struct submitter stays where it is between submitter_open and submitter_close.
 */
#ifndef JOBS_SUBMIT_H
#define JOBS_SUBMIT_H

#include "jobs/bus.h"
#include "jobs/queue.h"
#include "providers/provider.h"
#include "storage/blob.h"
#include "storage/generations.h"
#include "storage/jobs.h"

struct submitter {
    struct db *db;
    struct blobs *blobs;
    struct queue *queue;
    struct bus *bus;
    struct provider *const *providers; /* NULL-ended; the first one is the default */
    int max_attempts;                  /* 0: 5 */
    /* How events show a generation, a new reference; NULL: a short form. */
    json_t *(*describe)(const struct generation *g);
    struct hub *hub; /* of submitter_open */
};
/* Start what tells the screens; the fields above are filled in. Closed after the workers and before
 * the bus. */
WARN_UNUSED_RESULT int submitter_open(struct submitter *s, struct err *e);
void submitter_close(struct submitter *s);

struct wish {
    /* Either what was asked for (completed here) ... */
    const json_t *parameters;
    const char *provider; /* NULL: the default */
    /* ... or, from a plan, what is complete already: */
    const struct recipe *recipe;
    const char *key;
    const char *impossible; /* this cell cannot be drawn, because ...; parameters are kept */

    const char *user_id, *request_id, *trace_id;
    int priority;
    int64_t position; /* in the order of its run */
    const char *run_id, *experiment_id;
    const char *task_id; /* whose jobs are paused with it; no generation of a run has one */
    int64_t cell;        /* -1 outside runs */
    int replicate;
    const char *axes;        /* JSON object or NULL */
    const char *const *tags; /* NULL-ended or NULL */
    bool redraw;             /* also when the picture exists: what is drawn takes its place */
};
/* Parameter problems of wish i come back in *problems (may be NULL) with ERR_ARG, *bad = i. */
WARN_UNUSED_RESULT int submit(struct submitter *s, const struct wish *wishes, size_t count,
                              struct arena *a, struct generation **out,
                              struct parameter_problem **problems, size_t *bad, struct err *e);

/* The same, and in the same transaction `also` (rows of whoever submits); what it returns decides.
 * It may run several times, each time from the start. Rows that have succeeded are drawn already;
 * others may be by the time of the commit. count 0: the step alone, and when the answer to the
 * commit is lost, ERR_NETWORK: the caller looks. */
struct submit_also {
    int (*step)(struct tx *tx, const struct generation *rows, size_t count, void *user,
                struct err *e);
    void *user;
};
WARN_UNUSED_RESULT int submit_with(struct submitter *s, const struct wish *wishes, size_t count,
                                   const struct submit_also *also, struct arena *a,
                                   struct generation **out, struct parameter_problem **problems,
                                   size_t *bad, struct err *e);

/* Cancel, retry, change priority: the row first, then whoever draws it is told. */
WARN_UNUSED_RESULT int cancel_generation(struct submitter *s, const char *id, struct err *e);
WARN_UNUSED_RESULT int cancel_job(struct submitter *s, const char *id, struct err *e);
WARN_UNUSED_RESULT int cancel_run(struct submitter *s, const char *run_id, struct err *e);
WARN_UNUSED_RESULT int retry_generation(struct submitter *s, const char *id, struct err *e);
/* All failed and cancelled cells of a run; *count of them. */
WARN_UNUSED_RESULT int retry_run(struct submitter *s, const char *run_id, int64_t *count,
                                 struct err *e);
WARN_UNUSED_RESULT int pause_run(struct submitter *s, const char *run_id, bool paused,
                                 struct err *e);
WARN_UNUSED_RESULT int pause_queue(struct submitter *s, bool paused, struct err *e);

/* A picture that was sent in (init, mask), in the blob store. */
struct sent_picture {
    char sha256[65]; /* what the recipe names */
    int width, height;
};
/* A file: decoded first; ERR_FORMAT for what is not a picture. */
WARN_UNUSED_RESULT int submit_picture(struct submitter *s, struct str bytes,
                                      struct sent_picture *out, struct err *e);
/* The same for a picture in a text: a file as base64 or data URL, or the id of a generation of
 * `owner` (NULL: of anybody) that has one. ERR_NOT_FOUND, ERR_ARG, ERR_FORMAT, ERR_UNSUPPORTED. */
WARN_UNUSED_RESULT int submit_picture_text(struct submitter *s, const char *text, const char *owner,
                                           struct sent_picture *out, struct err *e);
/* Replace the text that the parameter `name` holds (if any) by the picture's hash; the picture to
 * begin with also gives the size, unless the parameters do. */
WARN_UNUSED_RESULT int submit_picture_parameter(struct submitter *s, json_t *parameters,
                                                const char *name, const char *owner, struct err *e);
/* The bytes of base64 or of a data URL, in the arena. */
WARN_UNUSED_RESULT int picture_bytes(struct arena *a, const char *text, struct str *out,
                                     struct err *e);

/* Tell the screens what a step of the state machine moved (progress.c; at most 10/s per experiment,
 * the last one always). */
void publish_outcome(struct submitter *s, const struct job_outcome *o);
/* The counters of a run changed otherwise: it started, was extended, paused. */
void publish_run(struct submitter *s, const char *run_id);
/* The room of a user's sockets: "user:{id}", and "user:nobody" for NULL or "" (no login). */
enum { USER_ROOM = UUID_TEXT + 8 };
void user_room(const char *user_id, char out[USER_ROOM]);
/* Wait for one generation to end, without a thread: `ended` is called once, from a thread of the
 * submitter's, soon also when it has ended already; the caller has its own timeout. wait_forget
 * frees it and must be called, once, whether or not `ended` was: no call of it runs afterwards. It
 * may be called from `ended`. NULL when memory ends. */
struct wait;
struct wait *wait_for(struct submitter *s, const char *generation_id,
                      void (*ended)(void *user, const char *generation_id), void *user);
void wait_forget(struct submitter *s, struct wait *w);

#endif
