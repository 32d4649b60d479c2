/*
 * dataset.h: where records come from: a MongoDB collection (mongo.c), a JSON Lines file (jsonl.c),
 * a CSV file (csv.c), behind one table of functions.
 *
 *   struct dataset *d;
 *   if (dataset_open(source, &access, &d, &problem, &e)) ...      `source` as below
 *   if (dataset_seek(d, position, &e)) ...                        NULL: the beginning
 *   while (dataset_next(d, 200, &arena, &records, &count, &e) == 0 && count)
 *       for (size_t i = 0; i < count; i++) ... records[i].id, .fields, .position, .problem
 *   dataset_close(d);
 *
 * `source` is an object (members not listed are errors, reported with their JSON pointer):
 *   {"type": "mongodb", "connection": NAME | "uri": "mongodb://..." , "database": ...,
 * "collection":
 *    ..., "query"?: object (extended JSON), "projection"?: object, "id"?: "_id"}
 *   {"type": "jsonl", "path": ..., "id"?: field; default: "id", else the line's number}
 *   {"type": "csv", "path": ..., "id"?: column; the same, "delimiter"?: ","; the first row names
 *    the columns (RFC 4180)}
 *
 * Records come in one fixed order, so that `position` (of the last record that was taken) is where
 * another process goes on: MongoDB by ascending id, files by their bytes. A file that is not the
 * one that the position belongs to (cut, or its beginning changed) is ERR_CONFLICT.
 * A record that cannot be read (not JSON, no id, too large) comes with `problem` set and the next
 * one is still read. The text of an id: a string as it is, ObjectId as 24 hex digits, numbers in
 * decimal, others as canonical extended JSON.
 * Errors: ERR_NETWORK (MongoDB away: worth another try), ERR_DENIED (login, egress list), ERR_ARG
 * (what was asked for makes no sense), ERR_NOT_FOUND (no such file or connection), ERR_IO.
 * Threads: one at a time per dataset. Ownership: records live in the arena; the JSON in `fields`
 * belongs to the dataset's caller (records_release).
 */
#ifndef DATASETS_DATASET_H
#define DATASETS_DATASET_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "net/egress.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DATASET_RECORD_MOST = 16 << 20, /* bytes of a record: MongoDB's own limit */
    DATASET_ID_MOST = 512,          /* bytes of an id's text */
};

/* How documents reach what they name. Connections keep passwords out of documents: NAME stands for
 * CAULDRON_CONNECTION_<NAME in capitals>, which the command line resolves. */
struct dataset_access {
    const char *(*connection)(void *user, const char *name); /* a URI, or NULL: no such name */
    void *user;
    const char *folder; /* relative paths are below it; NULL: the current folder */
    bool inside;        /* refuse paths that leave the folder, absolute ones, and uri: who sent the
                           document is not trusted with them */
    const struct egress *egress;
};

/* What is wrong with a document. */
struct dataset_problem {
    const char *pointer;  /* RFC 6901, within the source */
    const char *expected; /* "a text" */
};

struct record {
    const char *id;
    const char *position; /* opaque text, at most 1024 bytes */
    int64_t number;       /* 1, 2, ...: line of JSON Lines, row of CSV, place in MongoDB's order */
    json_t *fields;       /* an object; NULL with a problem */
    const char *problem;  /* why it could not be read */
};

struct dataset;

/* Around everything else, once in a process: libmongoc's beginning and end, its words to the log.
 */
void datasets_init(void);
void datasets_end(void);

/* The document alone, without opening anything: ERR_ARG with *problem (in the arena). */
WARN_UNUSED_RESULT int dataset_check(const json_t *source, const struct dataset_access *access,
                                     struct arena *a, struct dataset_problem *problem,
                                     struct err *e);
/* Files are opened; MongoDB is not asked before the first dataset_next or dataset_count. */
WARN_UNUSED_RESULT int dataset_open(const json_t *source, const struct dataset_access *access,
                                    struct dataset **out, struct err *e);
void dataset_close(struct dataset *d); /* NULL is fine */
WARN_UNUSED_RESULT int dataset_seek(struct dataset *d, const char *position, struct err *e);
/* At most `limit` (fewer when they are large); *count is 0 at the end alone. After an error it may
 * be called again and goes on behind the last record that was returned. */
WARN_UNUSED_RESULT int dataset_next(struct dataset *d, size_t limit, struct arena *a,
                                    struct record **out, size_t *count, struct err *e);
void records_release(struct record *records, size_t count);
/* How many records there are; -1 when that cannot be said cheaply. */
WARN_UNUSED_RESULT int dataset_count(struct dataset *d, int64_t *out, struct err *e);
/* What the records are called in object names: the collection, or the file's name without ending.
 */
const char *dataset_name(const struct dataset *d);
/* Whether only this machine has it (a file). */
bool dataset_is_local(const json_t *source);

struct dataset_backend {
    const char *type;
    bool local;
    int (*check)(const json_t *source, const struct dataset_access *access, struct arena *a,
                 struct dataset_problem *problem, struct err *e);
    int (*open)(struct dataset *d, const json_t *source, const struct dataset_access *access,
                struct err *e);
    void (*close)(struct dataset *d);
    int (*seek)(struct dataset *d, const char *position, struct err *e);
    int (*next)(struct dataset *d, size_t limit, struct arena *a, struct record **out,
                size_t *count, struct err *e);
    int (*count)(struct dataset *d, int64_t *out, struct err *e);
};

#endif
