/*
 * idempotency.h: the header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request
 * that is sent again, because its answer was lost, is not done again.
 *
 *   const char **ids;
 *   if ((rc = idempotency_claim(r, w, &ids, e)))
 *       return rc < 0 ? rc : 0;                    1: a problem was answered
 *   if (ids) ... these are the generations of the first time ...
 *   ... place the order ...
 *   idempotency_keep(r, ids of the order, count);  or idempotency_drop(r) when it failed
 *
 * A key belongs to its user and holds for a day. Keys are kept in a fixed number of rows of the
 * table settings, KEYS_PER_ROW newest of each, so that nobody can fill the database with them.
 * Threads: any; two requests with one key at the same time: one of them is answered 409.
 */
#ifndef API_IDEMPOTENCY_H
#define API_IDEMPOTENCY_H

#include "api/app.h"
#include "storage/generations.h"

enum { IDEMPOTENCY_ROWS = 4096, KEYS_PER_ROW = 16, IDEMPOTENCY_MAX = 255 };

/* 0; 1 when a problem was answered: the key was used for another body (422), or its first request
 * is still being done (409). *ids: NULL-ended, in the request's arena; NULL without a header or for
 * a key that was not used yet. */
WARN_UNUSED_RESULT int idempotency_claim(struct request *r, struct response *w, const char ***ids,
                                         struct err *e);
/* Failures are logged: the request itself was done. Without a header they do nothing. */
void idempotency_keep(struct request *r, const struct generation *rows, size_t count);
void idempotency_drop(struct request *r);

#endif
