/*
 * batch.h: the "ids" of a body and the rows that they name.
 *
 *   const char **ids = batch_ids(r, &count);
 *   if (generations_pick(tx, ids, count, a, &rows, &found, e)) ...
 *   batch_match(r, ids, count, rows, found, by_id);
 *
 * Threads, ownership: the request's.
 */
#ifndef API_BATCH_H
#define API_BATCH_H

#include "api/app.h"
#include "storage/generations.h"

/* Each once, in their order. */
const char **batch_ids(struct request *r, size_t *count);
/* out[i]: the row of ids[i]; NULL when there is none or it is somebody else's. */
void batch_match(struct request *r, const char *const *ids, size_t count, struct generation *rows,
                 size_t found, struct generation **out);

#endif
