/* storage_tasks.h: tasks and records for the tests of their tables. */
#ifndef TESTS_UNIT_STORAGE_TASKS_H
#define TESTS_UNIT_STORAGE_TASKS_H

#include "storage_jobs.h"

#include "storage/tasks.h"

enum { SECOND = 1000, START = 1000000 };

static inline const char *a_task(struct fixture *f, struct tx *tx, const char *name)
{
    struct task t = {.id = new_id(f),
                     .name = name,
                     .kind = "image",
                     .spec = "{}",
                     .status = TASK_RUNNING,
                     .phase = TASK_RECORDS,
                     .created_at = START};

    ok(tasks_insert(tx, &t, &f->e));
    return t.id;
}

/* Lease it, as the one reader "r" of this moment. */
static inline void read_task(struct fixture *f, struct tx *tx, const char *id)
{
    struct task t;

    ok(tasks_take(tx, "r", NULL, NULL, START, START + 60 * SECOND, &f->a, &t, &f->e));
    assert_string_equal(t.id, id);
}

/* A record named by its number; its object's name is made of it. */
static inline struct task_record a_record(struct fixture *f, int64_t number,
                                          enum record_status status)
{
    return (struct task_record){
        .record_id = arena_printf(&f->a, "rec%lld", (long long)number),
        .key = key_of(f, arena_printf(&f->a, "%lld", (long long)number)),
        .number = number,
        .status = status,
        .request = "{}",
        .object = arena_printf(&f->a, "%lld.png", (long long)number),
    };
}

static inline int add_records(struct fixture *f, struct tx *tx, const char *task,
                              struct task_record *rows, size_t n, bool read_all)
{
    struct task_read r = {.task_id = task, .reader = "r", .position = "here", .read_all = read_all};

    return tasks_read(tx, &r, rows, n, START, &f->e);
}

/* Ready ones from number `from` on. */
static inline void add_ready(struct fixture *f, struct tx *tx, const char *task, int64_t from,
                             int64_t n)
{
    struct task_record *rows = arena_alloc(&f->a, (size_t)n * sizeof *rows);

    for (int64_t i = 0; i < n; i++)
        rows[i] = a_record(f, from + i, RECORD_READY);
    ok(add_records(f, tx, task, rows, (size_t)n, true));
}

static inline struct task task_now(struct fixture *f, struct tx *tx, const char *id)
{
    struct task t;

    ok(tasks_get(tx, id, &f->a, &t, &f->e));
    return t;
}

static inline struct task_record record_now(struct fixture *f, struct tx *tx, const char *id)
{
    struct task_record r;

    ok(task_records_get(tx, id, &f->a, &r, &f->e));
    return r;
}

/* As many leases as there are, at most `limit`. */
static inline size_t take(struct fixture *f, struct tx *tx, enum record_status status, int limit,
                          int64_t now, struct task_record **out)
{
    size_t n;

    ok(task_records_take(tx, status, limit, "here", NULL, now, now + 60 * SECOND, &f->a, out, &n,
                         &f->e));
    return n;
}

static inline int store(struct fixture *f, struct tx *tx, const struct task_record *r, int64_t now)
{
    struct task_record done = *r;

    done.url = "gs://b/x.png";
    done.https = "https://b/x.png";
    done.crc32c = "AAAAAA==";
    done.sha256 = "ab";
    done.bytes = 100;
    done.outcome = "{}";
    done.seconds_making = 2;
    done.seconds_storing = 0.5;
    return task_records_stored(tx, record_lease_of(r), &done, now, &f->e);
}

/* The counters are what the rows say. */
static inline void assert_exact(struct fixture *f, struct tx *tx)
{
    static const char *const wrong[] = {
        "SELECT count(*) FROM tasks t WHERE waiting <> (SELECT count(*) FROM task_records r WHERE "
        "r.task_id = t.id AND r.status = 'waiting')",
        "SELECT count(*) FROM tasks t WHERE ready <> (SELECT count(*) FROM task_records r WHERE "
        "r.task_id = t.id AND r.status = 'ready')",
        "SELECT count(*) FROM tasks t WHERE stored <> (SELECT count(*) FROM task_records r WHERE "
        "r.task_id = t.id AND r.status = 'stored')",
        "SELECT count(*) FROM tasks t WHERE failing <> (SELECT count(*) FROM task_records r WHERE "
        "r.task_id = t.id AND r.status = 'failing')",
        "SELECT count(*) FROM tasks t WHERE succeeded <> (SELECT count(*) FROM task_records r "
        "WHERE r.task_id = t.id AND r.status = 'succeeded')",
        "SELECT count(*) FROM tasks t WHERE failed <> (SELECT count(*) FROM task_records r WHERE "
        "r.task_id = t.id AND r.status = 'failed')",
        "SELECT count(*) FROM tasks t WHERE cancelled <> (SELECT count(*) FROM task_records r "
        "WHERE r.task_id = t.id AND r.status = 'cancelled')",
        "SELECT count(*) FROM tasks t WHERE reused <> (SELECT count(*) FROM task_records r WHERE "
        "r.task_id = t.id AND r.reused = 1 AND r.status IN ('stored', 'succeeded'))",
        "SELECT count(*) FROM tasks t WHERE ended < (SELECT count(*) FROM task_records r WHERE "
        "r.task_id = t.id AND r.end_number > 0)",
        "SELECT count(*) FROM task_records r WHERE (r.end_number > 0) <> "
        "(r.status IN ('succeeded', 'failed'))",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (number(f, tx, wrong[i]) != 0)
            fail_msg("%s", wrong[i]);
}

#endif
