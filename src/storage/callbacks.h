/*
 * callbacks.h: the table of callbacks: what a task's receiver is told, each at least once.
 *
 * A row is an event with its body, written in the transaction of what it tells; its id is the
 * event's id in every try, also of other processes and of replays, so that the receiver can tell
 * that it knows it. Taking a row sets due_at into the future, which is its lease (as in
 * push_subscriptions.h), and counts the attempt, which fences it. waiting -> delivered | dead; a
 * replay makes it waiting again.
 * Threads: as its transaction. Ownership: texts live in the arena.
 */
#ifndef STORAGE_CALLBACKS_H
#define STORAGE_CALLBACKS_H

#include "storage/db.h"

enum callback_status { CALLBACK_WAITING, CALLBACK_DELIVERED, CALLBACK_DEAD };
const char *callback_status_name(enum callback_status s);
bool callback_status_by_name(struct str name, enum callback_status *out);

struct callback {
    const char *id; /* of the event, UUID v7 */
    const char *task_id;
    const char *kind;    /* "record", "batch", "end", "canary" */
    const char *subject; /* unique in its task and kind: call_back_events.c says what */
    const char *body;    /* JSON */
    enum callback_status status;
    int attempts;
    int64_t due_at, created_at, delivered_at;
    int64_t since;     /* when it was created, or replayed */
    int last_status;   /* of HTTP; 0: no answer yet */
    const char *error; /* of the last try; NULL */
};

/* One that exists (task, kind, subject) stays as it is. */
WARN_UNUSED_RESULT int callbacks_add(struct tx *tx, const struct callback *rows, size_t count,
                                     struct err *e);
/* Those that are due, the oldest first, at most `limit`, and of one task so many that at most
 * `of_one` are on their way at once: a receiver that hangs does not keep others waiting. Leased
 * until `until`, attempts + 1. Also of tasks that are paused or ended. */
WARN_UNUSED_RESULT int callbacks_take(struct tx *tx, int limit, int of_one, int64_t now,
                                      int64_t until, struct arena *a, struct callback **out,
                                      size_t *count, struct err *e);
/* What became of try `attempt`: ERR_CONFLICT when the lease is lost (nothing is changed). */
WARN_UNUSED_RESULT int callbacks_delivered(struct tx *tx, const char *id, int attempt, int status,
                                           int64_t now, struct err *e);
WARN_UNUSED_RESULT int callbacks_failed(struct tx *tx, const char *id, int attempt, int status,
                                        const char *error, bool dead, int64_t due_at,
                                        struct err *e);
/* All of a task that are delivered or dead (status -1: both), or one of them (`id`; ERR_NOT_FOUND
 * when the task has none of it): waiting again, attempts 0. *count of them. */
WARN_UNUSED_RESULT int callbacks_replay(struct tx *tx, const char *task_id, const char *id,
                                        int status, int64_t now, int64_t *count, struct err *e);
/* Newest first. */
struct callback_filter {
    const char *task_id;
    int status;       /* -1: any */
    const char *kind; /* NULL: any */
    int limit;
    const char *cursor;
};
WARN_UNUSED_RESULT int callbacks_list(struct tx *tx, const struct callback_filter *f,
                                      struct arena *a, struct callback **out, size_t *count,
                                      const char **next, struct err *e);
struct callback_totals {
    int64_t waiting, delivered, dead;
    int64_t oldest_waiting; /* ms; 0: none */
};
/* task_id NULL: of all tasks. */
WARN_UNUSED_RESULT int callbacks_totals(struct tx *tx, const char *task_id,
                                        struct callback_totals *out, struct err *e);

#endif
