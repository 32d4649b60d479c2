/*
 * tasks.h: the tables tasks and task_records: datasets on their way to object storage.
 *
 * A task (a document, named) reads records; each record becomes a row of task_records, found by
 * (task, record, key of its recipe), and walks through
 *
 *   waiting -> ready -> stored -> succeeded        failing -> failed        cancelled
 *
 *   waiting    its generation is queued or running (jobs.h)
 *   ready      what it wants exists: to be put into object storage by whoever holds the lease
 *   stored     its object is there and verified; the result is to be written back
 *   failing    it cannot be had; that is to be written back
 *   succeeded, failed, cancelled   ended
 *
 * Every function is one step, all or nothing in its transaction, and names the lease it acts for;
 * so a process that was thought dead changes nothing. A row is leased by `due_at`: taking it sets
 * it into the future and counts; the lease is (id, lease), and no number of a row comes twice. The
 * task itself is leased in the same way by the one process that reads its dataset.
 *
 * A record that succeeds or fails gets the next `end_number` of its task (1, 2, ... without gaps),
 * and its callbacks (callbacks.h) are added in the same transaction; so batches are the same
 * however often somebody is killed. One that is cancelled gets none, for nobody is told of it; one
 * that is retried gets another when it ends again. The counters of a task move with its records and
 * are always exact.
 *
 * Records move while their task runs, and also when it was cancelled or has failed: what was begun
 * is finished. Nothing moves while it is paused.
 * Threads: as its transaction. Ownership: texts live in the arena.
 */
#ifndef STORAGE_TASKS_H
#define STORAGE_TASKS_H

#include "base/uuid.h"
#include "storage/db.h"
#include "storage/generations.h"

enum task_status {
    TASK_RUNNING,
    TASK_AWAITING_APPROVAL, /* its sample is drawn */
    TASK_PAUSED,
    TASK_COMPLETED, /* every record ended, some perhaps failed */
    TASK_FAILED,    /* it could not be run: error says why */
    TASK_CANCELLED,
};
/* Where a task that runs, or is paused, stands. */
enum task_phase {
    TASK_SAMPLE,  /* the records of the canary are chosen */
    TASK_CANARY,  /* they are drawn, as an experiment */
    TASK_RECORDS, /* records are read, drawn, delivered */
    TASK_END,     /* every record ended; files are finished, the last callback is added */
};
enum record_status {
    RECORD_WAITING,
    RECORD_READY,
    RECORD_STORED,
    RECORD_FAILING,
    RECORD_SUCCEEDED,
    RECORD_FAILED,
    RECORD_CANCELLED,
    RECORD_STATUSES,
};
const char *task_status_name(enum task_status s);
const char *task_phase_name(enum task_phase p);
const char *record_status_name(enum record_status s);
bool task_status_by_name(struct str name, enum task_status *out);
bool record_status_by_name(struct str name, enum record_status *out);

struct task {
    const char *id, *name, *kind;
    const char *user_id; /* NULL: nobody */
    const char *spec;    /* JSON: the document, without secrets */
    const char *folder;  /* that relative paths of the document are below */
    const char *host;    /* only processes there can reach its files; NULL: any */
    bool trusted;        /* the document came from the command line: any path, any URI */
    enum task_status status;
    enum task_phase phase;
    int64_t version;           /* of the document: running it again with another one counts */
    int64_t rounds;            /* how often it was run */
    const char *position;      /* of the last record read; NULL: none */
    bool read_all;             /* the source has no more */
    int64_t records;           /* in the source; -1: unknown */
    const char *experiment_id; /* of the canary; NULL: none */
    bool approved;
    const char *reader; /* who reads, and until when; NULL: nobody */
    int64_t lease_until;
    /* Records by status: counts[RECORD_...]; their sum is how many were read. */
    int64_t counts[RECORD_STATUSES];
    int64_t reused;        /* of those stored or succeeded: pictures that existed before */
    int64_t known;         /* records of this round that had ended in a former one */
    int64_t missing;       /* results whose record had vanished */
    int64_t ended;         /* the last end_number */
    int64_t bytes;         /* of objects that were put */
    double seconds_making; /* of drawing (or what the kind does), without what existed */
    const char *error_code, *error;
    int64_t created_at, started_at, finished_at; /* of the last round */
};

struct task_record {
    const char *id, *task_id;
    const char *record_id; /* text of the source's id */
    const char *key;       /* of its recipe; of what was wrong when it could not be mapped */
    int64_t number;        /* of the record in its source */
    int64_t end_number;    /* 0: not ended */
    enum record_status status;
    const char *generation_id; /* NULL: the kind makes it itself, or it could not be mapped */
    const char *request;       /* JSON: what is to be made, of the kind */
    const char *object;        /* name within the destination */
    const char *upload;        /* session of an upload that was begun; NULL */
    /* of the stored object: */
    const char *url, *https, *crc32c, *md5, *sha256, *object_version;
    int64_t bytes;
    const char *recipe_url; /* of the JSON beside it; NULL */
    bool reused;
    const char *outcome; /* JSON: of the kind (recipe, model digest, timings, caption) */
    int attempts;        /* to deliver it; drawing has its own */
    int tries;           /* of the step that it is at: limits and pauses go by them */
    int lease;           /* record_lease_of */
    int64_t due_at;
    const char *error_class; /* mapping, draw, storage, conflict, results, cancelled, internal */
    const char *error_code, *error;
    double seconds_making, seconds_storing; /* the last successful attempt */
    int64_t created_at, ready_at, stored_at, ended_at;
};

/* ==== tasks ==== */

/* ERR_CONFLICT: this user has a task of that name. */
WARN_UNUSED_RESULT int tasks_insert(struct tx *tx, const struct task *t, struct err *e);
WARN_UNUSED_RESULT int tasks_get(struct tx *tx, const char *id, struct arena *a, struct task *out,
                                 struct err *e);
WARN_UNUSED_RESULT int tasks_by_name(struct tx *tx, const char *user_id, const char *name,
                                     struct arena *a, struct task *out, struct err *e);
struct task_filter {
    const char *user_id; /* NULL: anybody's */
    int status;          /* -1: any */
    int limit;
    const char *cursor;
};
WARN_UNUSED_RESULT int tasks_list(struct tx *tx, const struct task_filter *f, struct arena *a,
                                  struct task **out, size_t *count, const char **next,
                                  struct err *e);
/* Only of a task that has ended, with its records and callbacks; ERR_CONFLICT otherwise. */
WARN_UNUSED_RESULT int tasks_delete(struct tx *tx, const char *id, struct err *e);

/* Run it (again): the source is read from its beginning, records that are known are passed over;
 * those that were cancelled are forgotten, so they are made this time.
 * `spec` NULL: as it was. ERR_CONFLICT while it runs or is paused. */
WARN_UNUSED_RESULT int tasks_again(struct tx *tx, const char *id, const char *spec,
                                   enum task_phase phase, int64_t now, struct err *e);
/* running <-> paused. ERR_CONFLICT with the status for a change that makes no sense. */
WARN_UNUSED_RESULT int tasks_pause(struct tx *tx, const char *id, bool paused, struct err *e);
/* Records that wait, and ready ones of which nothing was sent, are cancelled; what was begun is
 * still delivered and written back, so that no object is left without its record. Their generations
 * are the caller's to cancel. */
WARN_UNUSED_RESULT int tasks_cancel(struct tx *tx, const char *id, int64_t now, struct err *e);
/* awaiting_approval -> running, or cancelled. */
WARN_UNUSED_RESULT int tasks_approve(struct tx *tx, const char *id, bool approved, int64_t now,
                                     struct err *e);
/* Failed records whose class is one of `classes` (NULL-ended; NULL: any) wait, or are ready, again;
 * an ended task runs again, one that was cancelled without reading on. Those that could not be
 * mapped stay. *out: all of them; the generations of those that wait are the caller's to retry, in
 * the same transaction. */
WARN_UNUSED_RESULT int tasks_retry(struct tx *tx, const char *id, const char *const *classes,
                                   int64_t now, struct arena *a, struct task_record **out,
                                   size_t *count, struct err *e);

/* ==== reading: one process at a time ==== */

/* Lease a running task that nobody reads and that this host can reach; *out has id NULL when there
 * is none. Those with something to do: not in phase records with read_all set. `only`: that task or
 * none; NULL: any. */
WARN_UNUSED_RESULT int tasks_take(struct tx *tx, const char *reader, const char *host,
                                  const char *only, int64_t now, int64_t until, struct arena *a,
                                  struct task *out, struct err *e);
/* ERR_CONFLICT: the lease is lost, or the task does not run any more. */
WARN_UNUSED_RESULT int tasks_keep(struct tx *tx, const char *id, const char *reader, int64_t until,
                                  struct err *e);
WARN_UNUSED_RESULT int tasks_leave(struct tx *tx, const char *id, const char *reader,
                                   struct err *e);
/* What the reader did: rows for records (waiting, ready or failing), how far it is. All fields of
 * `rows` that matter are filled in; a row whose (task, record, key) exists is ERR_CONFLICT (look
 * with task_records_known first), and one whose object name another record of the task has becomes
 * a failing one of class "mapping". ERR_CONFLICT when the lease is lost. */
struct task_read {
    const char *task_id, *reader;
    const char *position;
    bool read_all;
    int64_t known; /* records passed over in this step */
};
WARN_UNUSED_RESULT int tasks_read(struct tx *tx, const struct task_read *r,
                                  struct task_record *rows, size_t count, int64_t now,
                                  struct err *e);
struct record_key {
    const char *record_id, *key;
};
WARN_UNUSED_RESULT int task_records_known(struct tx *tx, const char *task_id,
                                          const struct record_key *keys, size_t count, bool *known,
                                          struct err *e);
/* Fields of the task that the reader found out; NULL or -1: leave; an error of "": none.
 * ERR_CONFLICT when the lease is lost; reader NULL: whoever holds it. */
struct task_change {
    int64_t records;
    const char *experiment_id;
    int phase, status;
    const char *error_code, *error;
    bool restart; /* position back to the beginning */
};
WARN_UNUSED_RESULT int tasks_change(struct tx *tx, const char *id, const char *reader,
                                    const struct task_change *c, int64_t now, struct err *e);
/* How many of its records wait for their generations: the reader stops at a limit. */
WARN_UNUSED_RESULT int tasks_outstanding(struct tx *tx, const char *id, int64_t *out,
                                         struct err *e);

/* ==== delivering: any number of threads and processes ==== */

/* Waiting records whose generation has ended become ready, failing or cancelled; of running tasks.
 * *moved of them, at most `limit`. */
WARN_UNUSED_RESULT int task_records_drawn(struct tx *tx, int limit, int64_t now, int64_t *moved,
                                          struct err *e);
/* Lease up to `limit` rows of running tasks in that status (ready; stored or failing together as
 * RECORD_STORED) that are due, of one task, whose files this host can reach. */
WARN_UNUSED_RESULT int task_records_take(struct tx *tx, enum record_status status, int limit,
                                         const char *host, const char *only, int64_t now,
                                         int64_t until, struct arena *a, struct task_record **out,
                                         size_t *count, struct err *e);
struct record_lease {
    const char *id;
    int lease;
};
static inline struct record_lease record_lease_of(const struct task_record *r)
{
    return (struct record_lease){r->id, r->lease};
}
/* The session of an upload that has begun. ERR_CONFLICT: the lease is lost. */
WARN_UNUSED_RESULT int task_records_upload(struct tx *tx, struct record_lease lease,
                                           const char *session, int64_t until, struct err *e);
/* ready -> stored: the fields of the stored object and `outcome` of `row`. */
WARN_UNUSED_RESULT int task_records_stored(struct tx *tx, struct record_lease lease,
                                           const struct task_record *row, int64_t now,
                                           struct err *e);
/* Again at `due_at`, for the reason; the row keeps its status. */
WARN_UNUSED_RESULT int task_records_later(struct tx *tx, struct record_lease lease, int64_t due_at,
                                          const char *error_code, const char *error, struct err *e);
/* ready, stored -> failing. */
WARN_UNUSED_RESULT int task_records_fail(struct tx *tx, struct record_lease lease,
                                         const char *error_class, const char *error_code,
                                         const char *error, int64_t now, struct err *e);
/* stored -> succeeded, failing -> failed, for those of `leases` that are still held: their ended
 * rows, with end_number, in its order. `missing` more results had lost their record. */
WARN_UNUSED_RESULT int task_records_end(struct tx *tx, const char *task_id,
                                        const struct record_lease *leases, size_t count,
                                        int64_t missing, int64_t now, struct arena *a,
                                        struct task_record **out, size_t *ended, struct err *e);

/* Tasks in phase records that have read all and whose records have all ended go to phase end. */
WARN_UNUSED_RESULT int tasks_ripen(struct tx *tx, int64_t now, int64_t *moved, struct err *e);
/* end -> completed. */
WARN_UNUSED_RESULT int tasks_complete(struct tx *tx, const char *id, const char *reader,
                                      int64_t now, struct err *e);

/* ==== looking ==== */

struct record_filter {
    const char *task_id;
    int status;                   /* -1: any */
    const char *error_class;      /* NULL: any */
    const char *record_id;        /* NULL: any */
    int64_t ended_from, ended_to; /* end_number, inclusive; 0: any: of a batch */
    int limit;                    /* at most 1000 */
    const char *cursor;
};
/* By number, then id. */
WARN_UNUSED_RESULT int task_records_list(struct tx *tx, const struct record_filter *f,
                                         struct arena *a, struct task_record **out, size_t *count,
                                         const char **next, struct err *e);
WARN_UNUSED_RESULT int task_records_get(struct tx *tx, const char *id, struct arena *a,
                                        struct task_record *out, struct err *e);
/* For the report: failures by class and code; percentiles (0.5, 0.9, 0.99, 1) of seconds. */
struct failure_count {
    const char *error_class, *error_code, *example; /* the error of one of them */
    int64_t count;
};
struct task_percentiles {
    double making[4], storing[4], total[4]; /* total: from the row's creation to its end; NAN */
};
WARN_UNUSED_RESULT int tasks_failures(struct tx *tx, const char *id, struct arena *a,
                                      struct failure_count **out, size_t *count, struct err *e);
WARN_UNUSED_RESULT int tasks_percentiles(struct tx *tx, const char *id,
                                         struct task_percentiles *out, struct err *e);
/* How many of its records succeeded or failed since then. */
WARN_UNUSED_RESULT int tasks_ended_since(struct tx *tx, const char *id, int64_t since, int64_t *out,
                                         struct err *e);
/* Over all tasks, for metrics. */
struct tasks_totals {
    int64_t by_status[TASK_CANCELLED + 1];
    /* Of tasks that run or are paused; ready, stored and failing ones of all. */
    int64_t records[RECORD_STATUSES];
    int64_t oldest_ready; /* ms; 0: none */
};
WARN_UNUSED_RESULT int tasks_totals(struct tx *tx, struct tasks_totals *out, struct err *e);

#endif
