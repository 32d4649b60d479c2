#include "storage/jobs.h"

#include "base/clock.h"
#include "storage/events.h"
#include "storage/jobs_inside.h"
#include "storage/query.h"

#include <string.h>

static const char *const statuses[] = {
    [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running",     [JOB_SUCCEEDED] = "succeeded",
    [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled",
};
enum { STATUSES = sizeof statuses / sizeof *statuses };

const char *job_status_name(enum job_status s)
{
    return statuses[s];
}

bool job_status_by_name(struct str name, enum job_status *out)
{
    for (int i = 0; i < STATUSES; i++)
        if (str_is(name, statuses[i])) {
            *out = (enum job_status)i;
            return true;
        }
    return false;
}

static const char *or_null(const char *text)
{
    return text && text[0] ? text : NULL;
}

void job_from_row(const struct db_rows *r, size_t row, struct job_row *out)
{
    enum job_status status = JOB_QUEUED;

    (void)job_status_by_name(str_from(db_str(r, row, 11)), &status);
    *out = (struct job_row){
        .id = db_str(r, row, 0),
        .key = db_str(r, row, 1),
        .recipe = db_str(r, row, 2),
        .provider = db_str(r, row, 3),
        .model = db_str(r, row, 4),
        .user_id = or_null(db_str(r, row, 5)),
        .run_id = or_null(db_str(r, row, 6)),
        .request_id = db_str(r, row, 7),
        .trace_id = db_str(r, row, 8),
        .priority = (int)db_i64(r, row, 9),
        .position = db_i64(r, row, 10),
        .status = status,
        .attempts = (int)db_i64(r, row, 12),
        .max_attempts = (int)db_i64(r, row, 13),
        .run_after = db_i64(r, row, 14),
        .worker = db_str(r, row, 15),
        .lease_until = db_i64(r, row, 16),
        .created_at = db_i64(r, row, 17),
        .started_at = db_i64(r, row, 18),
        .finished_at = db_i64(r, row, 19),
        .error_code = db_str(r, row, 20),
        .error = db_str(r, row, 21),
        .dead = db_i64(r, row, 22) != 0,
    };
}

/*
 * The row of the live job is the lock of its key: this upsert takes it, or waits for a worker who
 * is ending it. In the latter case a fresh row is inserted after the picture was committed, which
 * the next statement sees.
 */
#define TAKES_OVER                                                                                 \
    "WHEN (excluded.priority < jobs.priority OR " RUN_PAUSED(                                      \
        "jobs.run_id") ") AND NOT " RUN_PAUSED("excluded.run_id") " "
static const char upsert[] =
    "INSERT INTO jobs (id, key, recipe, provider, model, user_id, run_id, request_id, trace_id, "
    "priority, position, status, max_attempts, run_after, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'queued', $12, $13, $14) "
    "ON CONFLICT (key) WHERE status IN ('queued', 'running') DO UPDATE SET "
    "priority = CASE WHEN excluded.priority < jobs.priority THEN excluded.priority "
    "ELSE jobs.priority END, "
    "handed_at = CASE WHEN excluded.priority < jobs.priority THEN 0 ELSE jobs.handed_at END, "
    "user_id = CASE " TAKES_OVER "THEN excluded.user_id ELSE jobs.user_id END, "
    "run_id = CASE " TAKES_OVER "THEN excluded.run_id ELSE jobs.run_id END, "
    "position = CASE " TAKES_OVER "THEN excluded.position ELSE jobs.position END "
    "RETURNING id, status, attempts";

static int picture_exists(struct tx *tx, const char *key, struct arena *a, bool *out, struct err *e)
{
    struct db_rows rows;
    const char *lock = db_dialect(tx_db(tx)) == DIALECT_SQLITE ? "" : " FOR KEY SHARE";
    int rc = tx_query(tx, arena_printf(a, "SELECT 1 FROM images WHERE key = $1%s", lock),
                      DB_ARGS(db_text(key)), a, &rows, e);

    if (rc == 0)
        *out = rows.count > 0;
    return rc;
}

int jobs_put(struct tx *tx, const struct job_row *j, struct arena *a, const char **id,
             struct err *e)
{
    struct db_rows rows;
    bool drawn = false;
    int rc =
        tx_query(tx, upsert,
                 DB_ARGS(db_text(j->id), db_text(j->key), db_text(j->recipe), db_text(j->provider),
                         db_text(j->model), db_text(j->user_id ? j->user_id : ""),
                         db_text(j->run_id ? j->run_id : ""), db_text(j->request_id),
                         db_text(j->trace_id), db_int(j->priority), db_int(j->position),
                         db_int(j->max_attempts > 0 ? j->max_attempts : 1), db_int(j->run_after),
                         db_int(j->created_at)),
                 a, &rows, e);

    if (rc)
        return rc;
    const char *got = db_str(&rows, 0, 0);
    bool ours = strcmp(got, j->id) == 0;
    if (ours && !j->redraw)
        rc = picture_exists(tx, j->key, a, &drawn, e);
    else if (strcmp(db_str(&rows, 0, 1), "running") == 0)
        rc = wishes_show(tx, j->key, true, (int)db_i64(&rows, 0, 2), e);
    if (rc == 0 && drawn)
        rc = tx_exec(tx, "DELETE FROM jobs WHERE id = $1", DB_ARGS(db_text(j->id)), NULL, e);
    if (rc == 0)
        *id = drawn ? NULL : got;
    return rc;
}

int jobs_add(struct tx *tx, const struct job_row *job, struct arena *a, const char **id,
             struct err *e)
{
    struct changes c = {.a = a};
    struct job_outcome outcome;
    int64_t now = clock_unix_ms();
    int rc = jobs_put(tx, job, a, id, e);

    if (rc || *id)
        return rc;
    rc = wishes_end(tx, &c, job->key, GENERATION_SUCCEEDED, true, NULL, NULL, now, e);
    return rc ? rc : changes_apply(tx, &c, now, &outcome, e);
}

int jobs_get(struct tx *tx, const char *id, struct arena *a, struct job_row *out, struct err *e)
{
    struct db_rows rows;
    int rc = query_one(tx, "SELECT " JOB_COLUMNS " FROM jobs j WHERE j.id = $1",
                       DB_ARGS(db_text(id)), "job", id, a, &rows, e);

    if (rc == 0)
        job_from_row(&rows, 0, out);
    return rc;
}

int jobs_set_priority(struct tx *tx, const char *id, int priority, struct err *e)
{
    struct arena a = {0};
    struct job_row job;
    int64_t changed;
    /* Handed again, so that a queue that has it at the old place gets it at the new one. */
    int rc = tx_exec(tx,
                     "UPDATE jobs SET priority = $2, handed_at = 0 "
                     "WHERE id = $1 AND status = 'queued'",
                     DB_ARGS(db_text(id), db_int(priority)), &changed, e);

    if (rc == 0 && changed == 0) {
        rc = jobs_get(tx, id, &a, &job, e);
        if (rc == 0)
            rc = ERR(e, ERR_CONFLICT, "the job is %s: it has no place in the queue",
                     statuses[job.status]);
    }
    arena_release(&a);
    return rc;
}

int jobs_list(struct tx *tx, const struct job_filter *f, struct arena *a, struct job_row **out,
              size_t *count, const char **next, struct err *e)
{
    size_t most = (size_t)page_limit(f->limit);
    struct db_rows rows;
    struct cursor from;
    struct query q;

    query_init(&q, a);
    query_add(&q, "SELECT " JOB_COLUMNS " FROM jobs j WHERE 1 = 1");
    if (f->status >= 0 && f->status < STATUSES) /* written out, for the partial indexes */
        query_add(&q,
                  arena_printf(a, " AND j.status = '%s'%s", statuses[f->status],
                               f->status == JOB_SUCCEEDED ? "" : " AND j.status <> 'succeeded'"));
    if (f->priority >= 0)
        query_and(&q, "j.priority = ", db_int(f->priority));
    if (f->dead >= 0)
        query_add(&q, f->dead ? " AND j.dead = 1" : " AND j.dead = 0");
    if (f->run_id) {
        query_and(&q, "j.run_id <> '' AND j.run_id = ", db_text(f->run_id));
    }
    if (f->user_id)
        query_and(&q, "j.user_id = ", db_text(f->user_id));
    if (f->cursor) {
        int bad = cursor_read(f->cursor, 'j', a, &from, e);
        if (bad)
            return bad;
        query_and(&q, "j.id < ", db_text(from.id));
    }
    query_add(&q, " ORDER BY j.id DESC LIMIT ");
    query_arg(&q, db_int((int64_t)most + 1));
    int rc = query_run(&q, tx, &rows, e);
    if (rc)
        return rc;
    size_t n = rows.count > most ? most : rows.count;
    struct job_row *jobs = arena_alloc(a, n * sizeof *jobs);
    for (size_t i = 0; i < n; i++)
        job_from_row(&rows, i, &jobs[i]);
    *next = rows.count > n ? cursor_write(a, (struct cursor){'j', "", jobs[n - 1].id}) : NULL;
    *count = n;
    *out = jobs;
    return 0;
}

int jobs_depth(struct tx *tx, struct queue_depth *out, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int rc = tx_query(
        tx,
        "SELECT (SELECT count(*) FROM jobs WHERE status = 'queued'), "
        "(SELECT count(*) FROM jobs WHERE status = 'running'), "
        "(SELECT count(*) FROM jobs WHERE status = 'queued' AND priority <= 0), "
        "(SELECT count(*) FROM jobs WHERE dead = 1), "
        "(SELECT count(*) FROM jobs WHERE status = 'queued' AND run_after > 0 AND run_after > $1), "
        "(SELECT min(created_at) FROM jobs WHERE status = 'queued')",
        DB_ARGS(db_int(clock_unix_ms())), &a, &rows, e);

    if (rc == 0)
        *out = (struct queue_depth){
            .queued = db_i64(&rows, 0, 0),
            .running = db_i64(&rows, 0, 1),
            .interactive = db_i64(&rows, 0, 2),
            .dead = db_i64(&rows, 0, 3),
            .delayed = db_i64(&rows, 0, 4),
            .oldest_ms = db_i64(&rows, 0, 5),
        };
    arena_release(&a);
    return rc;
}

/*
 * By the rule of jobs_feed: better priorities first; in the same one, the user's own earlier jobs,
 * and as many of every other user as have their turn meanwhile.
 */
int jobs_place(struct tx *tx, const char *id, int64_t *out, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    struct job_row job;
    int rc = jobs_get(tx, id, &a, &job, e);

    if (rc == 0 && job.status != JOB_QUEUED) {
        *out = -1;
        goto out;
    }
    if (rc == 0)
        rc = tx_query(tx,
                      "SELECT count(*) FROM jobs WHERE status = 'queued' AND priority = $1 AND "
                      "user_id = $2 AND (position, id) < ($3, $4)",
                      DB_ARGS(db_int(job.priority), db_text(job.user_id ? job.user_id : ""),
                              db_int(job.position), db_text(id)),
                      &a, &rows, e);
    if (rc)
        goto out;
    int64_t own = db_i64(&rows, 0, 0);
    rc = tx_query(
        tx,
        "SELECT (SELECT count(*) FROM jobs WHERE status = 'queued' AND priority < $1), "
        "(SELECT CAST(coalesce(sum(CASE WHEN n < $3 THEN n ELSE $3 END), 0) AS BIGINT) "
        "FROM (SELECT CAST(count(*) AS BIGINT) AS n FROM jobs WHERE status = 'queued' "
        "AND priority = $1 AND user_id <> $2 GROUP BY user_id) others)",
        DB_ARGS(db_int(job.priority), db_text(job.user_id ? job.user_id : ""), db_int(own)), &a,
        &rows, e);
    if (rc == 0)
        *out = own + db_i64(&rows, 0, 0) + db_i64(&rows, 0, 1);
out:
    arena_release(&a);
    return rc;
}

int jobs_run_paused(struct tx *tx, const char *run_id, bool *out, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int rc =
        tx_query(tx, "SELECT 1 WHERE " RUN_PAUSED("$1"), DB_ARGS(db_text(run_id)), &a, &rows, e);

    if (rc == 0)
        *out = rows.count > 0;
    arena_release(&a);
    return rc;
}

int jobs_paused(struct tx *tx, bool *out, struct err *e)
{
    struct arena a = {0};
    const char *value;
    int rc = settings_get(tx, "jobs.paused", &a, &value, e);

    if (rc == 0)
        *out = value && strcmp(value, "true") == 0;
    arena_release(&a);
    return rc;
}

int jobs_pause(struct tx *tx, bool paused, struct err *e)
{
    return settings_set(tx, "jobs.paused", paused ? "true" : "false", e);
}
