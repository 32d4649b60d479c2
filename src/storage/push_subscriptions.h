/*
 * push_subscriptions.h: the tables push_subscriptions (browsers that want messages) and
 * push_messages (what waits to be sent to them).
 *
 *   tx_begin(TX_WRITE); runs_untold(...); for each: push_messages_add(...); tx_commit
 *   tx_begin(TX_WRITE); push_messages_take(...); tx_commit; send; push_messages_sent / _later / ...
 *
 * The end of a run is told by whoever changes its told_at, in the transaction that adds the
 * messages: one process of many, and none is lost when it dies. A message that was taken is due
 * again after a while, unless its end is written. Threads: as its transaction. Ownership: texts
 * live in the arena.
 */
#ifndef STORAGE_PUSH_SUBSCRIPTIONS_H
#define STORAGE_PUSH_SUBSCRIPTIONS_H

#include "storage/db.h"
#include "storage/experiments.h"

struct push_subscription {
    const char *id;
    const char *user_id; /* NULL: of a server without users */
    const char *endpoint, *p256dh, *auth;
    const char *agent; /* or NULL */
    int64_t created_at;
    int64_t expires_at; /* 0: never */
    int64_t sent_at;    /* the last message that was taken; 0: none */
    const char *error;  /* of the last message, or NULL */
};

/* Keep it, or renew the one with this endpoint: *added says which, and id, created_at, sent_at are
 * those of the row afterwards. A browser that was another user's changes hands when its keys are
 * the same; else ERR_DENIED: somebody knows the endpoint only. ERR_CONFLICT: the user has `most`.
 */
WARN_UNUSED_RESULT int push_subscriptions_keep(struct tx *tx, struct push_subscription *s, int most,
                                               struct arena *a, bool *added, struct err *e);
/* Of that user (NULL: nobody), oldest first. */
WARN_UNUSED_RESULT int push_subscriptions_list(struct tx *tx, const char *user_id, struct arena *a,
                                               struct push_subscription **out, size_t *count,
                                               struct err *e);
/* ERR_NOT_FOUND also when it is another user's. */
WARN_UNUSED_RESULT int push_subscriptions_get(struct tx *tx, const char *id, const char *user_id,
                                              struct arena *a, struct push_subscription *out,
                                              struct err *e);
WARN_UNUSED_RESULT int push_subscriptions_delete(struct tx *tx, const char *id, const char *user_id,
                                                 struct err *e);
/* The end of a message: error NULL: it was taken. A row that is gone is no error. */
WARN_UNUSED_RESULT int push_subscriptions_result(struct tx *tx, const char *id, const char *error,
                                                 int64_t now, struct err *e);
/* The browser has unsubscribed. */
WARN_UNUSED_RESULT int push_subscriptions_drop(struct tx *tx, const char *id, struct err *e);
WARN_UNUSED_RESULT int push_subscriptions_expire(struct tx *tx, int64_t now, struct err *e);

/* Whether there is anything for runs_untold or push_messages_take; a TX_READ is enough. */
WARN_UNUSED_RESULT int push_work(struct tx *tx, int64_t now, bool *out, struct err *e);

struct ended_run {
    struct run run; /* without spec and plan */
    const char *name, *user_id;
    bool over_budget; /* that is why it was cancelled */
};
/* Ended runs that nobody was told of, at most `limit`; they count as told when tx commits. */
WARN_UNUSED_RESULT int runs_untold(struct tx *tx, int limit, struct arena *a,
                                   struct ended_run **out, size_t *count, struct err *e);

struct push_message_row {
    const char *id, *text, *topic;
    struct push_subscription to;
    int attempts; /* with this one */
    int64_t created_at;
};
/* One for each subscription of the user; one that still waits for the same run is replaced. */
WARN_UNUSED_RESULT int push_messages_add(struct tx *tx, const char *user_id, const char *run_id,
                                         const char *text, const char *topic, int64_t now,
                                         struct err *e);
/* At most `limit` that are due, due again at `again`. */
WARN_UNUSED_RESULT int push_messages_take(struct tx *tx, int64_t now, int64_t again, int limit,
                                          struct arena *a, struct push_message_row **out,
                                          size_t *count, struct err *e);
WARN_UNUSED_RESULT int push_messages_delete(struct tx *tx, const char *id, struct err *e);
/* Try again then. `back`: it was not tried, so the attempt does not count. */
WARN_UNUSED_RESULT int push_messages_later(struct tx *tx, const char *id, int64_t due_at, bool back,
                                           struct err *e);

#endif
