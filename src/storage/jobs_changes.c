/* Generations that change together, and the counters of their runs. */
#include "storage/jobs_inside.h"
#include "storage/query.h"

#include <stdlib.h>
#include <string.h>

#define WAITING "status IN ('queued', 'running')"

static void push(struct changes *c, struct change one)
{
    if (c->count == c->room) {
        size_t room = c->room ? c->room * 2 : 8;
        struct change *more = arena_alloc(c->a, room * sizeof *more);
        if (c->count)
            memcpy(more, c->items, c->count * sizeof *more);
        c->items = more;
        c->room = room;
    }
    c->items[c->count++] = one;
}

void changes_add(struct changes *c, const struct db_rows *rows, enum generation_status from,
                 enum generation_status to, bool reused, double seconds)
{
    for (size_t i = 0; i < rows->count; i++)
        push(c, (struct change){db_str(rows, i, 0), db_str(rows, i, 1), from, to, reused, seconds});
}

int wishes_end(struct tx *tx, struct changes *c, const char *key, enum generation_status to,
               bool reused, const char *code, const char *message, int64_t now, struct err *e)
{
    bool drawn = to == GENERATION_SUCCEEDED;
    struct db_rows rows;
    int rc;

    if (drawn)
        rc = tx_query(tx,
                      "UPDATE generations SET status = 'succeeded', generated_at = $2, reused = $3,"
                      " error_code = NULL, error = NULL, "
                      "seconds = (SELECT i.seconds FROM images i WHERE i.key = $1), "
                      "file_path = (SELECT substr(i.sha256, 1, 2) || '/' || "
                      "substr(i.sha256, 3, 2) || '/' || i.sha256 FROM images i WHERE i.key = $1) "
                      "WHERE key = $1 AND " WAITING " RETURNING id, run_id, seconds",
                      DB_ARGS(db_text(key), db_int(now), db_int(reused)), c->a, &rows, e);
    else
        rc = tx_query(tx,
                      "UPDATE generations SET status = $2, error_code = $3, error = $4 "
                      "WHERE key = $1 AND " WAITING " RETURNING id, run_id",
                      DB_ARGS(db_text(key), db_text(generation_status_name(to)), db_text(code),
                              db_text(message)),
                      c->a, &rows, e);
    if (rc == 0)
        changes_add(c, &rows, GENERATION_QUEUED, to, reused,
                    drawn && !reused && rows.count ? db_f64(&rows, 0, 2) : 0);
    return rc;
}

int wishes_wait(struct tx *tx, struct changes *c, const char *key, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "UPDATE generations SET status = 'queued', error_code = NULL, error = NULL, "
                      "attempts = 0 WHERE key = $1 AND status = 'failed' RETURNING id, run_id",
                      DB_ARGS(db_text(key)), c->a, &rows, e);

    if (rc == 0)
        changes_add(c, &rows, GENERATION_FAILED, GENERATION_QUEUED, false, 0);
    return rc;
}

int wishes_show(struct tx *tx, const char *key, bool running, int attempts, struct err *e)
{
    if (running)
        return tx_exec(tx,
                       "UPDATE generations SET status = 'running', attempts = $2 "
                       "WHERE key = $1 AND " WAITING,
                       DB_ARGS(db_text(key), db_int(attempts)), NULL, e);
    return tx_exec(tx,
                   "UPDATE generations SET status = 'queued', attempts = $2 "
                   "WHERE key = $1 AND " WAITING,
                   DB_ARGS(db_text(key), db_int(attempts)), NULL, e);
}

static int by_run(const void *a, const void *b)
{
    const struct change *const *x = a, *const *y = b;
    int order = strcmp((*x)->run_id, (*y)->run_id);

    return order ? order : strcmp((*x)->generation, (*y)->generation);
}

struct deltas {
    int64_t completed, failed, cancelled, reused, waiting;
    double seconds;
};

static void count(struct deltas *d, enum generation_status status, int by)
{
    switch (status) {
    case GENERATION_SUCCEEDED:
        d->completed += by;
        break;
    case GENERATION_FAILED:
        d->failed += by;
        break;
    case GENERATION_CANCELLED:
        d->cancelled += by;
        break;
    case GENERATION_QUEUED:
    case GENERATION_RUNNING:
        d->waiting += by;
        break;
    case GENERATION_IMPOSSIBLE:
        break;
    }
}

static enum experiment_status last_status(const struct run *run)
{
    if (run->completed || run->total == 0)
        return EXPERIMENT_COMPLETED;
    return run->cancelled && !run->failed ? EXPERIMENT_CANCELLED : EXPERIMENT_FAILED;
}

static bool open_run(const struct run *run)
{
    /* One that is being filled is paused and has not started: it does not end. */
    return run->status == EXPERIMENT_RUNNING ||
           (run->status == EXPERIMENT_PAUSED && run->started_at);
}

int runs_settle(struct tx *tx, const struct run *run, int64_t waiting, int64_t now, struct err *e)
{
    if (waiting == 0 && open_run(run))
        return runs_store_status(tx, run->id, last_status(run), now, e);
    if (waiting && (run->status == EXPERIMENT_COMPLETED || run->status == EXPERIMENT_FAILED))
        return runs_store_status(tx, run->id, EXPERIMENT_RUNNING, now, e);
    return 0;
}

static int move_run(struct tx *tx, const char *id, const struct deltas *d, int64_t now,
                    struct arena *a, struct run_progress *out, struct err *e)
{
    struct db_rows rows;
    struct run run;
    int rc = query_one(tx,
                       "UPDATE experiment_runs SET completed = completed + $2, "
                       "failed = failed + $3, cancelled = cancelled + $4, reused = reused + $5, "
                       "seconds_drawing = seconds_drawing + $6 WHERE id = $1 "
                       "RETURNING (SELECT x.user_id FROM experiments x WHERE x.id = experiment_id)",
                       DB_ARGS(db_text(id), db_int(d->completed), db_int(d->failed),
                               db_int(d->cancelled), db_int(d->reused), db_real(d->seconds)),
                       "run", id, a, &rows, e);

    if (rc == 0)
        rc = runs_get(tx, id, a, &run, e);
    if (rc)
        return rc;
    int64_t left = run.total - run.completed - run.failed - run.cancelled - run.impossible;
    bool ends = left <= 0 && d->waiting <= 0 && open_run(&run);
    if (ends)
        rc = runs_store_status(tx, id, last_status(&run), now, e);
    else if (d->waiting > 0 && !open_run(&run) && run.status != EXPERIMENT_PAUSED)
        rc = runs_store_status(tx, id, EXPERIMENT_RUNNING, now, e);
    if (rc)
        return rc;
    *out = (struct run_progress){
        .run_id = id,
        .experiment_id = run.experiment_id,
        .user_id = db_str(&rows, 0, 0),
        .total = run.total,
        .completed = run.completed,
        .failed = run.failed,
        .cancelled = run.cancelled,
        .impossible = run.impossible,
        .ended = ends,
    };
    return 0;
}

static size_t sort_by_run(const struct changes *c, struct change **sorted)
{
    size_t n = 0;

    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].run_id)
            sorted[n++] = &c->items[i];
    if (n)
        qsort(sorted, n, sizeof *sorted, by_run);
    return n;
}

int changes_apply(struct tx *tx, const struct changes *c, int64_t now, struct job_outcome *out,
                  struct err *e)
{
    const char **ended = arena_alloc(c->a, (c->count + 1) * sizeof *ended);
    struct change **sorted = arena_alloc(c->a, (c->count + 1) * sizeof *sorted);
    struct run_progress *runs = arena_alloc(c->a, (c->count + 1) * sizeof *runs);
    size_t n = sort_by_run(c, sorted), run_count = 0, ended_count = 0;
    int rc = 0;

    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].to != GENERATION_QUEUED)
            ended[ended_count++] = c->items[i].generation;
    for (size_t i = 0, next; i < n && rc == 0; i = next) {
        struct deltas d = {0};
        const char *last = NULL;
        for (next = i; next < n && strcmp(sorted[next]->run_id, sorted[i]->run_id) == 0; next++) {
            count(&d, sorted[next]->from, -1);
            count(&d, sorted[next]->to, 1);
            d.reused += sorted[next]->reused;
            d.seconds += sorted[next]->seconds;
            if (sorted[next]->to != GENERATION_QUEUED)
                last = sorted[next]->generation;
        }
        rc = move_run(tx, sorted[i]->run_id, &d, now, c->a, &runs[run_count], e);
        if (rc == 0)
            runs[run_count++].last_generation = last;
    }
    if (rc == 0)
        *out = (struct job_outcome){ended, runs, run_count};
    return rc;
}
