/*
 * Which jobs go to the queue next. Strictly by priority; in one priority every free place goes to
 * the user who has the fewest jobs in flight (max-min fairness, without any state to keep), and
 * within a user to the smallest position.
 *
 * The index jobs_ready holds what is due and not handed out, by priority, user and run. Its groups
 * are found by skipping from one to the next, so a run that is paused, with however many jobs,
 * costs one step; the jobs that were handed out or wait for their time are not in it at all.
 */
#include "base/json.h"
#include "base/map.h"
#include "base/uuid.h"
#include "storage/jobs.h"
#include "storage/jobs_inside.h"
#include "storage/query.h"

#include <stdlib.h>
#include <string.h>

#define READY "j.status = 'queued' AND j.handed_at = 0 AND j.run_after = 0"

enum { GROUPS = 256 };

struct candidate {
    const char *id;
    int64_t position;
};
struct line_of {
    const char *user;
    int64_t priority, flight; /* running, or handed and waiting */
    struct candidate *jobs;   /* by position */
    size_t count, taken;
};

/* Jobs whose time has come, or that were handed out and never taken, come back into the index. */
static int make_ready(struct tx *tx, int64_t now, int64_t again_ms, struct arena *a, struct err *e)
{
    const char *lock = for_update_free(tx);
    int rc =
        tx_exec(tx,
                arena_printf(a,
                             "UPDATE jobs SET handed_at = 0 WHERE id IN (SELECT id FROM jobs "
                             "WHERE status = 'queued' AND handed_at > 0 AND handed_at <= $1%s)",
                             lock),
                DB_ARGS(db_int(now - again_ms)), NULL, e);

    if (rc)
        return rc;
    return tx_exec(tx,
                   arena_printf(a,
                                "UPDATE jobs SET run_after = 0 WHERE id IN (SELECT id FROM jobs "
                                "WHERE status = 'queued' AND run_after > 0 AND run_after <= $1%s)",
                                lock),
                   DB_ARGS(db_int(now)), NULL, e);
}

/* Groups (priority, user, run, paused) from one on: a skip scan. The three steps, to the next run,
 * user or priority, are one search in the index each; SQLite would use only the first column of a
 * comparison of rows. */
static int groups_from(struct tx *tx, int64_t priority, const char *user, struct arena *a,
                       struct db_rows *rows, struct err *e)
{
    static const char sql[] =
        "WITH RECURSIVE g(priority, user_id, run_id) AS ("
        "SELECT * FROM (SELECT j.priority, j.user_id, j.run_id FROM jobs j WHERE " READY
        " AND (j.priority, j.user_id, j.run_id) >= ($1, $2, '') "
        "ORDER BY j.priority, j.user_id, j.run_id LIMIT 1) first "
        "UNION ALL SELECT k.priority, k.user_id, k.run_id FROM g JOIN jobs k ON k.id = coalesce("
        "(SELECT j.id FROM jobs j WHERE " READY " AND j.priority = g.priority AND "
        "j.user_id = g.user_id AND j.run_id > g.run_id ORDER BY j.run_id LIMIT 1), "
        "(SELECT j.id FROM jobs j WHERE " READY " AND j.priority = g.priority AND "
        "j.user_id > g.user_id ORDER BY j.user_id, j.run_id LIMIT 1), "
        "(SELECT j.id FROM jobs j WHERE " READY " AND j.priority > g.priority "
        "ORDER BY j.priority, j.user_id, j.run_id LIMIT 1))) "
        "SELECT g.priority, g.user_id, g.run_id, CASE WHEN " RUN_PAUSED(
            "g.run_id") " THEN 1 ELSE 0 END FROM g LIMIT $3";

    return tx_query(tx, sql, DB_ARGS(db_int(priority), db_text(user), db_int(GROUPS)), a, rows, e);
}

/* The first jobs of all groups with one question: (number of the group, id, position). */
static int heads_at_once(struct tx *tx, const struct db_rows *groups, int64_t most, struct arena *a,
                         struct db_rows *rows, struct err *e)
{
    json_t *list = json_array();

    for (size_t i = 0; i < groups->count; i++)
        json_array_append_new(list, json_pack("{sIsIssss}", "n", (json_int_t)i, "p",
                                              (json_int_t)db_i64(groups, i, 0), "u",
                                              db_str(groups, i, 1), "r", db_str(groups, i, 2)));
    const char *text = json_compact(list, a);
    json_decref(list);
    return tx_query(tx,
                    "SELECT g.n, h.id, h.position FROM json_to_recordset(CAST($1 AS json)) AS "
                    "g(n bigint, p bigint, u text, r text) CROSS JOIN LATERAL (SELECT j.id, "
                    "j.position FROM jobs j WHERE " READY " AND j.priority = g.p AND "
                    "j.user_id = g.u COLLATE \"C\" AND j.run_id = g.r COLLATE \"C\" "
                    "ORDER BY j.position, j.id LIMIT $2) h ORDER BY g.n, h.position, h.id",
                    DB_ARGS(db_text(text), db_int(most)), a, rows, e);
}

/* The same for one group: SQLite, which is not asked over a wire, has no LATERAL. */
static int heads_of(struct tx *tx, const struct db_rows *groups, size_t i, int64_t most,
                    struct arena *a, struct db_rows *rows, struct err *e)
{
    return tx_query(
        tx,
        "SELECT 0, j.id, j.position FROM jobs j WHERE " READY
        " AND j.priority = $1 AND j.user_id = $2 AND j.run_id = $3 "
        "ORDER BY j.position, j.id LIMIT $4",
        DB_ARGS(*db_at(groups, i, 0), *db_at(groups, i, 1), *db_at(groups, i, 2), db_int(most)), a,
        rows, e);
}

static int by_position(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* Rows from `from` on that are of group `number`; returns where the next group begins. */
static size_t join_line(struct line_of *l, const struct db_rows *rows, size_t from, int64_t number,
                        struct arena *a)
{
    size_t end = from;

    while (end < rows->count && db_i64(rows, end, 0) == number)
        end++;
    struct candidate *jobs = arena_alloc(a, (l->count + end - from + 1) * sizeof *jobs);
    if (l->count)
        memcpy(jobs, l->jobs, l->count * sizeof *jobs);
    for (size_t i = from; i < end; i++)
        jobs[l->count + i - from] = (struct candidate){db_str(rows, i, 1), db_i64(rows, i, 2)};
    l->count += end - from;
    l->jobs = jobs;
    qsort(jobs, l->count, sizeof *jobs, by_position);
    return end;
}

/* Lines by priority and user, of the groups that are not paused. */
static int gather(struct tx *tx, const struct db_rows *groups, int limit, struct line_of *lines,
                  size_t *count, struct arena *a, struct err *e)
{
    bool wire = db_dialect(tx_db(tx)) == DIALECT_POSTGRES;
    size_t most = (size_t)limit, n = 0, from = 0;
    struct db_rows heads = {0};
    int rc = 0;

    if (groups->count > 1 && most > 8) /* a line that runs dry is filled at the next feeding */
        most = 8 + 4 * most / groups->count < most ? 8 + 4 * most / groups->count : most;
    if (wire && groups->count)
        rc = heads_at_once(tx, groups, (int64_t)most, a, &heads, e);
    for (size_t i = 0; i < groups->count && rc == 0; i++) {
        const char *user = db_str(groups, i, 1);
        int64_t priority = db_i64(groups, i, 0);
        bool paused = db_i64(groups, i, 3) != 0;
        struct line_of unused = {0}, *line = &unused;
        if (!paused &&
            (n == 0 || lines[n - 1].priority != priority || strcmp(lines[n - 1].user, user) != 0))
            lines[n++] = (struct line_of){.user = user, .priority = priority};
        if (!paused)
            line = &lines[n - 1];
        else if (!wire)
            continue;
        if (!wire)
            rc = heads_of(tx, groups, i, (int64_t)most, a, &heads, e);
        if (rc == 0)
            from = join_line(line, &heads, wire ? from : 0, wire ? (int64_t)i : 0, a);
    }
    *count = n;
    return rc;
}

static int count_flight(struct tx *tx, struct line_of *lines, size_t count, struct arena *a,
                        struct err *e)
{
    struct db_rows rows;
    struct map flights = {0};
    /* Of very many that were handed out, the latest show well enough whose turn it is. Grouped by
     * an expression: for the column, SQLite would walk over all jobs in an index of it. */
    int rc =
        tx_query(tx,
                 "SELECT user_id || '', count(*) FROM jobs WHERE status = 'running' GROUP BY 1 "
                 "UNION ALL SELECT user_id || '', count(*) FROM (SELECT user_id FROM jobs "
                 "WHERE status = 'queued' AND handed_at > 0 ORDER BY handed_at DESC "
                 "LIMIT 500) handed GROUP BY 1",
                 DB_NONE, a, &rows, e);

    if (rc)
        return rc;
    int64_t *totals = arena_alloc(a, (rows.count + 1) * sizeof *totals);
    for (size_t i = 0; i < rows.count; i++) {
        struct str user = str_from(db_str(&rows, i, 0));
        int64_t *total = map_get(&flights, user);
        if (!total) {
            total = &totals[i];
            map_put(&flights, user, total);
        }
        *total += db_i64(&rows, i, 1);
    }
    for (size_t i = 0; i < count; i++) {
        int64_t *total = map_get(&flights, str_from(lines[i].user));
        lines[i].flight = total ? *total : 0;
    }
    map_release(&flights);
    return 0;
}

/* Give places one by one; returns how many were given. */
static size_t choose(struct line_of *lines, size_t count, size_t limit, const char **chosen)
{
    size_t n = 0;

    while (n < limit) {
        struct line_of *best = NULL;
        for (size_t i = 0; i < count; i++) {
            struct line_of *l = &lines[i];
            if (l->taken == l->count)
                continue;
            if (!best || l->priority < best->priority ||
                (l->priority == best->priority && l->flight < best->flight))
                best = l;
        }
        if (!best)
            break;
        chosen[n++] = best->jobs[best->taken++].id;
        best->flight++;
    }
    return n;
}

static int mark(struct tx *tx, const char *const *ids, size_t n, int64_t now, struct arena *a,
                struct job_row **out, size_t *count, struct err *e)
{
    struct map by_id = {0};
    struct db_rows rows;
    const char *sql = arena_printf(a,
                                   "UPDATE jobs AS j SET handed_at = $2 WHERE j.id IN (%s) "
                                   "AND " READY " RETURNING " JOB_COLUMNS,
                                   in_texts(tx, 1, a));
    int rc = tx_query(tx, sql, DB_ARGS(db_text(json_texts(a, ids, n)), db_int(now)), a, &rows, e);

    if (rc)
        return rc;
    struct job_row *got = arena_alloc(a, (rows.count + 1) * sizeof *got), *jobs;
    size_t marked = 0;
    for (size_t i = 0; i < rows.count; i++) {
        job_from_row(&rows, i, &got[i]);
        map_put(&by_id, str_from(got[i].id), &got[i]);
    }
    jobs = arena_alloc(a, (rows.count + 1) * sizeof *jobs);
    for (size_t i = 0; i < n; i++) {
        const struct job_row *job = map_get(&by_id, str_from(ids[i]));
        if (job)
            jobs[marked++] = *job;
    }
    map_release(&by_id);
    *count = marked;
    *out = jobs;
    return 0;
}

/* Whether this one may feed: two at once would only wait for each other. Advisory locks belong to
 * the whole database, installations to their schemas. */
static int may_feed(struct tx *tx, struct arena *a, bool *out, struct err *e)
{
    struct db_rows rows;
    bool paused;
    int rc = jobs_paused(tx, &paused, e);

    *out = false;
    if (rc || paused)
        return rc;
    if (db_dialect(tx_db(tx)) == DIALECT_SQLITE) {
        *out = true;
        return 0;
    }
    rc = tx_query(
        tx, "SELECT CAST(pg_try_advisory_xact_lock(709384, hashtext(current_schema())) AS int)",
        DB_NONE, a, &rows, e);
    if (rc == 0)
        *out = db_i64(&rows, 0, 0) != 0;
    return rc;
}

/* All groups; of too many, the first ones and some from a random user on, so that over time
 * everybody has a turn. */
static int find_lines(struct tx *tx, int limit, struct arena *a, struct line_of *lines, size_t *n,
                      struct err *e)
{
    struct db_rows groups, others = {0};
    char user[UUID_TEXT];
    int rc = groups_from(tx, INT32_MIN, "", a, &groups, e);

    *n = 0;
    if (rc == 0 && groups.count == GROUPS) {
        random_hex(user, 4);
        rc = groups_from(tx, db_i64(&groups, 0, 0), user, a, &others, e);
    }
    if (rc == 0 && others.count == GROUPS)
        rc = gather(tx, &others, limit, lines, n, a, e);
    else if (rc == 0)
        rc = gather(tx, &groups, limit, lines, n, a, e);
    return rc;
}

int jobs_feed(struct tx *tx, int limit, int64_t now, int64_t again_ms, struct arena *a,
              struct job_row **out, size_t *count, struct err *e)
{
    size_t most = (size_t)page_limit(limit), n = 0;
    const char **chosen = arena_alloc(a, most * sizeof *chosen);
    struct line_of *lines = arena_alloc(a, GROUPS * sizeof *lines);
    bool may;
    int rc = may_feed(tx, a, &may, e);

    if (rc == 0 && may)
        rc = make_ready(tx, now, again_ms, a, e);
    if (rc == 0 && may)
        rc = find_lines(tx, (int)most, a, lines, &n, e);
    if (rc == 0 && n)
        rc = count_flight(tx, lines, n, a, e);
    if (rc)
        return rc;
    size_t chosen_count = choose(lines, n, most, chosen);
    if (chosen_count)
        return mark(tx, chosen, chosen_count, now, a, out, count, e);
    *count = 0;
    *out = arena_alloc(a, sizeof **out);
    return 0;
}
