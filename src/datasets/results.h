/*
 * results.h: what became of records, written back to where people look: into a MongoDB collection
 * of results, into the records themselves, or into a JSON Lines file.
 *
 *   struct results *r;
 *   if (results_open(document, source, &access, &r, &e)) ...
 *   if (results_put(r, rows, count, &e)) ...        durable when it returns 0
 *   results_close(r);
 *
 * `document` is an object:
 *   {"type": "mongodb", "connection"?|"uri"?, "database"?, "collection": ...}  a document each;
 * what is left out is the source's
 *   {"type": "record", "field"?: "cauldron"}   into that field of the source's record; a path with
 *       dots is fine. Needs a MongoDB source
 *   {"type": "jsonl", "path": ...}             a line each
 *
 * Putting is safe to repeat and to do twice at once: the document with _id `key` (or the field of
 * the record) is replaced by equal content, a file keeps the last line for each key. So however
 * often a task is killed and run again, there is one result per key. A record that has vanished
 * from its collection is no error: *missing counts it.
 * Files are written beside the final one (PATH.part, appended and fsynced) and get their name,
 * sorted by number and with one line per key, by results_finish.
 * Errors: as dataset.h; ERR_NETWORK: worth another try. Threads: one at a time. Ownership: rows are
 * borrowed for the call.
 */
#ifndef DATASETS_RESULTS_H
#define DATASETS_RESULTS_H

#include "datasets/dataset.h"

struct result {
    const char *key;       /* of (task, record, recipe): hex digits */
    const char *record_id; /* text, as dataset.h makes it */
    int64_t number;        /* of the record */
    const json_t *body;    /* object; times in it are {"$date": "..."}, as extended JSON has them */
};

struct results;
WARN_UNUSED_RESULT int results_check(const json_t *document, const json_t *source,
                                     const struct dataset_access *access, struct arena *a,
                                     struct dataset_problem *problem, struct err *e);
WARN_UNUSED_RESULT int results_open(const json_t *document, const json_t *source,
                                    const struct dataset_access *access, struct results **out,
                                    struct err *e);
void results_close(struct results *r); /* NULL is fine */
/* Whether it answers, without being written to. */
WARN_UNUSED_RESULT int results_ping(struct results *r, struct err *e);
WARN_UNUSED_RESULT int results_put(struct results *r, const struct result *rows, size_t count,
                                   int64_t *missing, struct err *e);
/* The task has ended: give a file its name. Safe to repeat. */
WARN_UNUSED_RESULT int results_finish(struct results *r, struct err *e);
bool results_are_local(const json_t *document); /* only this machine can write them */

#endif
