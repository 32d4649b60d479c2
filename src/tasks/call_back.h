/*
 * call_back.h: what a task tells its receiver, signed, until it is taken.
 *
 *   POST url
 *   Content-Type: application/json
 *   Webhook-Id: <event id>                      the same in every try and replay
 *   Webhook-Timestamp: <seconds since 1970>
 *   Webhook-Signature: v1,<base64 of HMAC-SHA256(secret, "id.timestamp.body")>
 *   Cauldron-Event: record | batch | canary | end
 *   Cauldron-Attempt: 3
 *
 * The header names and the signed text are those of the Standard Webhooks specification 1.0, so
 * that its libraries verify them. Any 2xx takes the event; 410 gives up at once; redirects are not
 * followed and count as refusals. Refusals, time-outs and cuts are tried again after 5 s, doubled
 * to an hour, with a quarter of chance, or what Retry-After asks for, until give_up: then the event
 * is dead, is listed, and can be replayed. Private addresses are refused at each connection unless
 * the document and the server allow them (SSRF). 64 KiB of an answer are read at most.
 *
 * Threads: the calls run on threads of this module; a receiver that hangs delays only its own.
 */
#ifndef TASKS_CALL_BACK_H
#define TASKS_CALL_BACK_H

#include "storage/callbacks.h"
#include "tasks/document.h"

struct call_back;

struct call_back_options {
    const struct tasks *tasks;
    int at_once;                                   /* 0: 8 */
    double first_retry, last_retry, lease, period; /* seconds; 0: 5, 3600, 120, 1 */
};
WARN_UNUSED_RESULT int call_back_start(const struct call_back_options *o, struct call_back **out,
                                       struct err *e);
void call_back_stop(struct call_back *c); /* NULL is fine */
void call_back_wake(struct call_back *c);

/* The events of ended rows, to be added in the transaction that ends them: for each record, and for
 * each batch that is full. `task` after the step. */
WARN_UNUSED_RESULT int call_back_records(struct tx *tx, const struct task_document *d,
                                         const struct task *task, const struct task_record *ended,
                                         size_t count, int64_t now, struct arena *a, struct err *e);
/* The last batch, if it is not empty, and the end. `report` is part of the body. */
WARN_UNUSED_RESULT int call_back_end(struct tx *tx, const struct task_document *d,
                                     const struct task *task, const json_t *report, int64_t now,
                                     struct arena *a, struct err *e);
/* The sample is drawn and waits for approval. */
WARN_UNUSED_RESULT int call_back_canary(struct tx *tx, const struct task_document *d,
                                        const struct task *task, int64_t now, struct arena *a,
                                        struct err *e);

/* "v1,<base64>" of one try. */
enum { CALL_BACK_SIGNATURE = 48 };
WARN_UNUSED_RESULT int call_back_sign(const char *secret, const char *id, int64_t timestamp,
                                      struct str body, char out[CALL_BACK_SIGNATURE],
                                      struct err *e);
/* Whether a URL may be called at all: ERR_ARG, ERR_DENIED with the reason. */
WARN_UNUSED_RESULT int call_back_check(const struct tasks *t, const struct task_callbacks *c,
                                       struct err *e);

#endif
