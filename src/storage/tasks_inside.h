/*
 * tasks_inside.h: what the files of tasks and their records share (tasks*.c, task_records*.c); not
 * for callers.
 *
 * Locks are taken in this order: the task's row, then its records, then jobs and what follows them
 * (jobs_inside.h). Every change of a record's status holds the row of its task, because the
 * counters there change with it; so with that row held, statuses stand still. Leases alone
 * (task_records_take, _upload, _later) change a record without its task, hold nothing else and wait
 * for nobody.
 */
#ifndef STORAGE_TASKS_INSIDE_H
#define STORAGE_TASKS_INSIDE_H

#include "storage/query.h"
#include "storage/tasks.h"

/* Bare names: SQLite's RETURNING knows no alias. */
#define TASK_COLUMNS                                                                               \
    "id, name, kind, user_id, spec, folder, host, trusted, status, phase, version, rounds, "       \
    "position, read_all, records, experiment_id, approved, reader, lease_until, waiting, ready, "  \
    "stored, failing, succeeded, failed, cancelled, reused, known, missing, ended, bytes, "        \
    "seconds_making, error_code, error, created_at, started_at, finished_at"
void task_from_row(const struct db_rows *r, size_t row, struct task *out);

#define RECORD_COLUMNS                                                                             \
    "id, task_id, record_id, key, number, end_number, status, generation_id, request, object, "    \
    "upload, url, https, crc32c, md5, sha256, object_version, bytes, recipe_url, reused, "         \
    "outcome, attempts, tries, lease, due_at, error_class, error_code, error, seconds_making, "    \
    "seconds_storing, created_at, ready_at, stored_at, ended_at"
void task_record_from_row(const struct db_rows *r, size_t row, struct task_record *out);
struct task_record *task_records_from_rows(const struct db_rows *r, struct arena *a);

/* Tasks whose records move. */
#define TASK_MOVES "t.status IN ('running', 'cancelled', 'failed')"
/* Records that have not ended. */
#define TASK_OPEN "waiting + ready + stored + failing"

/* The row, held until the transaction ends. */
WARN_UNUSED_RESULT int task_lock(struct tx *tx, const char *id, struct arena *a, struct task *out,
                                 struct err *e);
/* What is added to the counters of a task. */
struct task_delta {
    int64_t counts[RECORD_STATUSES];
    int64_t reused, missing, ended, bytes;
    double seconds_making;
};
WARN_UNUSED_RESULT int task_move(struct tx *tx, const char *id, const struct task_delta *d,
                                 struct err *e);

#endif
