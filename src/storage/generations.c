#include "storage/generations.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "storage/experiments.h"
#include "storage/generations_rows.h"
#include "storage/jobs.h"
#include "storage/query.h"
#include "storage/trash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const statuses[] = {
    [GENERATION_QUEUED] = "queued",       [GENERATION_RUNNING] = "running",
    [GENERATION_SUCCEEDED] = "succeeded", [GENERATION_FAILED] = "failed",
    [GENERATION_CANCELLED] = "cancelled", [GENERATION_IMPOSSIBLE] = "impossible",
};
enum { STATUSES = sizeof statuses / sizeof *statuses };

const char *generation_status_name(enum generation_status s)
{
    return statuses[s];
}

bool generation_status_by_name(struct str name, enum generation_status *out)
{
    for (int i = 0; i < STATUSES; i++)
        if (str_is(name, statuses[i])) {
            *out = (enum generation_status)i;
            return true;
        }
    return false;
}

/*
 * Inserting: many rows with one statement. A row that comes as succeeded (its picture existed) gets
 * what it repeats of the picture from there.
 */
enum { INSERT_WIDTH = 32, INSERT_KEY = 8, AT_ONCE = 32 };

static void fill(const struct generation *g, struct db_value *v, struct arena *a)
{
    bool drawn = g->status == GENERATION_SUCCEEDED;
    char *hash = arena_alloc(a, 17);

    prompt_hash(g->prompt, hash);
    const struct db_value values[INSERT_WIDTH] = {
        db_text(g->id),
        db_text(g->user_id),
        db_text(g->run_id),
        db_text(g->experiment_id),
        db_int(g->cell),
        db_int(g->replicate),
        db_text(g->axes),
        db_text(g->key),
        db_text(statuses[g->status]),
        db_int(g->reused),
        db_text(g->prompt),
        db_text(hash),
        db_text(g->negative_prompt),
        db_text(g->model_name),
        db_text(g->model_digest),
        db_text(g->sampler),
        db_text(g->schedule),
        db_text(g->provider),
        db_text(arena_printf(a, "%" PRIu64, g->seed)),
        db_int(g->steps),
        db_int(g->width),
        db_int(g->height),
        db_real(g->cfg_scale),
        db_text(g->parameters),
        db_text(g->metadata),
        db_text(g->error_code),
        db_text(g->error),
        db_int(g->attempts),
        db_int(g->rating),
        db_int(g->favourite),
        db_int(g->created_at),
        db_int_or_null(drawn && !g->generated_at ? g->created_at : g->generated_at),
    };
    memcpy(v, values, sizeof values);
}

static const char *insert_sql(size_t rows, struct arena *a)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    int rc = buf_addf(&b, "INSERT INTO generations (" GENERATION_STORED ") VALUES ");
    for (size_t row = 0; row < rows; row++) {
        size_t base = row * INSERT_WIDTH;
        for (size_t i = 1; i <= INSERT_WIDTH; i++)
            rc |= buf_addf(&b, "%s$%zu", i > 1 ? ", " : row ? ", (" : "(", base + i);
        rc |= buf_addf(&b,
                       ", (SELECT i.seconds FROM images i WHERE i.key = $%zu), (SELECT "
                       "substr(i.sha256, 1, 2) || '/' || substr(i.sha256, 3, 2) || '/' || i.sha256 "
                       "FROM images i WHERE i.key = $%zu))",
                       base + INSERT_KEY, base + INSERT_KEY);
    }
    const char *sql = rc ? NULL : arena_strdup(a, b.p);
    buf_release(&b);
    if (!sql)
        abort(); /* a small allocation: AT_ONCE bounds it */
    return sql;
}

/* As PostgreSQL writes a list of texts; words hold nothing that needs care but may read NULL. */
static const char *list_of(struct words w, struct arena *a)
{
    size_t bytes = 3;

    for (size_t i = 0; i < w.count; i++)
        bytes += strlen(w.items[i]) + 3;
    char *list = arena_alloc(a, bytes), *p = list;
    *p++ = '{';
    for (size_t i = 0; i < w.count; i++)
        p += snprintf(p, bytes - (size_t)(p - list), "%s\"%s\"", i ? "," : "", w.items[i]);
    *p++ = '}';
    *p = 0;
    return list;
}

/* At most AT_ONCE rows. */
static int insert_some_words(struct tx *tx, const struct generation *rows, size_t n,
                             struct arena *a, struct err *e)
{
    const char *sql = "INSERT INTO generation_words (generation_id, words) VALUES ";
    struct db_value values[2 * AT_ONCE];

    for (size_t i = 0; i < n; i++) {
        sql = arena_printf(a, "%s%s($%zu, array_to_tsvector(CAST($%zu AS text[])))", sql,
                           i ? ", " : "", 2 * i + 1, 2 * i + 2);
        values[2 * i] = db_text(rows[i].id);
        values[2 * i + 1] = db_text(list_of(words_of(rows[i].prompt, true, a), a));
    }
    return tx_exec(tx, sql, (struct db_args){values, 2 * n}, NULL, e);
}

int generations_insert_words(struct tx *tx, const struct generation *rows, size_t count,
                             struct arena *a, struct err *e)
{
    int rc = 0;

    if (db_dialect(tx_db(tx)) == DIALECT_SQLITE)
        return 0; /* has a trigger */
    for (size_t done = 0, n; done < count && rc == 0; done += n) {
        n = count - done >= AT_ONCE ? AT_ONCE : 1; /* two statements to prepare, not 32 */
        rc = insert_some_words(tx, &rows[done], n, a, e);
    }
    return rc;
}

static int insert_tags(struct tx *tx, const char *id, const char *const *tags, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; tags && tags[i] && rc == 0; i++)
        rc = tx_exec(tx,
                     "INSERT INTO generation_tags (generation_id, tag) VALUES ($1, $2) "
                     "ON CONFLICT DO NOTHING",
                     DB_ARGS(db_text(id), db_text(tags[i])), NULL, e);
    return rc;
}

int generations_insert(struct tx *tx, const struct generation *rows, size_t count, struct err *e)
{
    int rc = 0;

    for (size_t done = 0, n; done < count && rc == 0; done += n) {
        struct arena a = {0};
        n = count - done >= AT_ONCE ? AT_ONCE : 1;
        struct db_value *values = arena_alloc(&a, n * INSERT_WIDTH * sizeof *values);
        for (size_t i = 0; i < n; i++)
            fill(&rows[done + i], &values[i * INSERT_WIDTH], &a);
        rc = tx_exec(tx, insert_sql(n, &a), (struct db_args){values, n * INSERT_WIDTH}, NULL, e);
        if (rc == 0)
            rc = generations_insert_words(tx, &rows[done], n, &a, e);
        for (size_t i = 0; i < n && rc == 0; i++)
            rc = insert_tags(tx, rows[done + i].id, rows[done + i].tags, e);
        arena_release(&a);
    }
    return rc;
}

static void from_row(const struct db_rows *r, size_t row, struct generation *g)
{
    static const char *const no_tags[] = {NULL};
    enum generation_status status = GENERATION_QUEUED;

    (void)generation_status_by_name(str_from(db_str(r, row, 8)), &status);
    *g = (struct generation){
        .id = db_str(r, row, 0),
        .user_id = db_str(r, row, 1),
        .run_id = db_str(r, row, 2),
        .experiment_id = db_str(r, row, 3),
        .cell = db_i64(r, row, 4),
        .replicate = (int)db_i64(r, row, 5),
        .axes = db_str(r, row, 6),
        .key = db_str(r, row, 7),
        .status = status,
        .reused = db_i64(r, row, 9) != 0,
        .prompt = db_str(r, row, 10),
        .negative_prompt = db_str(r, row, 11),
        .model_name = db_str(r, row, 12),
        .model_digest = db_str(r, row, 13),
        .sampler = db_str(r, row, 14),
        .schedule = db_str(r, row, 15),
        .provider = db_str(r, row, 16),
        .seed = strtoull(db_str(r, row, 17), NULL, 10),
        .steps = (int)db_i64(r, row, 18),
        .width = (int)db_i64(r, row, 19),
        .height = (int)db_i64(r, row, 20),
        .cfg_scale = db_f64(r, row, 21),
        .parameters = db_str(r, row, 22),
        .metadata = db_str(r, row, 23),
        .error_code = db_str(r, row, 24),
        .error = db_str(r, row, 25),
        .attempts = (int)db_i64(r, row, 26),
        .rating = (int)db_i64(r, row, 27),
        .favourite = db_i64(r, row, 28) != 0,
        .tags = no_tags,
        .created_at = db_i64(r, row, 29),
        .generated_at = db_i64(r, row, 30),
        .sha256 = db_str(r, row, 31),
        .format = db_str(r, row, 32),
        .bytes = db_i64(r, row, 33),
        .memory_used = db_i64(r, row, 34),
        .seconds = db_at(r, row, 35)->type == DB_NULL ? 0 : db_f64(r, row, 35),
        .measures = db_str(r, row, 36),
    };
}

/* The tags of all these, in one query. */
static int attach_tags(struct tx *tx, struct generation *g, size_t count, struct arena *a,
                       struct err *e)
{
    const char **ids = arena_alloc(a, (count + 1) * sizeof *ids);
    struct db_rows rows;

    for (size_t i = 0; i < count; i++)
        ids[i] = g[i].id;
    const char *sql = arena_printf(a,
                                   "SELECT generation_id, tag FROM generation_tags WHERE "
                                   "generation_id IN (%s) ORDER BY generation_id, tag",
                                   in_texts(tx, 1, a));
    int rc = tx_query(tx, sql, DB_ARGS(db_text(json_texts(a, ids, count))), a, &rows, e);
    if (rc)
        return rc;
    struct map by_id = {0};
    for (size_t i = 0; i < count && rows.count; i++)
        map_put(&by_id, str_from(g[i].id), &g[i]);
    for (size_t row = 0, next; row < rows.count; row = next) {
        const char *id = db_str(&rows, row, 0);
        for (next = row; next < rows.count && strcmp(db_str(&rows, next, 0), id) == 0;)
            next++;
        const char **tags = arena_alloc(a, (next - row + 1) * sizeof *tags);
        for (size_t i = row; i < next; i++)
            tags[i - row] = db_str(&rows, i, 1);
        ((struct generation *)map_get(&by_id, str_from(id)))->tags = tags;
    }
    map_release(&by_id);
    return 0;
}

int generations_from_rows(struct tx *tx, const struct db_rows *rows, size_t count, struct arena *a,
                          struct generation **out, struct err *e)
{
    struct generation *g = arena_alloc(a, count * sizeof *g);
    int rc = 0;

    for (size_t i = 0; i < count; i++)
        from_row(rows, i, &g[i]);
    if (count)
        rc = attach_tags(tx, g, count, a, e);
    if (rc == 0)
        *out = g;
    return rc;
}

int generations_get(struct tx *tx, const char *id, struct arena *a, struct generation *out,
                    struct err *e)
{
    struct generation *one;
    struct db_rows rows;
    int rc = query_one(tx,
                       "SELECT " GENERATION_COLUMNS " FROM generations g" GENERATION_PICTURE
                       " WHERE g.id = $1",
                       DB_ARGS(db_text(id)), "generation", id, a, &rows, e);

    if (rc == 0)
        rc = generations_from_rows(tx, &rows, 1, a, &one, e);
    if (rc == 0)
        *out = *one;
    return rc;
}

int generations_pick(struct tx *tx, const char *const *ids, size_t count, struct arena *a,
                     struct generation **out, size_t *found, struct err *e)
{
    bool lock = tx_mode(tx) == TX_WRITE && db_dialect(tx_db(tx)) == DIALECT_POSTGRES;
    struct db_rows rows;
    int rc =
        tx_query(tx,
                 arena_printf(a,
                              "SELECT " GENERATION_COLUMNS " FROM generations g" GENERATION_PICTURE
                              " WHERE g.id IN (%s) ORDER BY g.id%s",
                              in_texts(tx, 1, a), lock ? " FOR NO KEY UPDATE OF g" : ""),
                 DB_ARGS(db_text(json_texts(a, ids, count))), a, &rows, e);

    if (rc == 0)
        rc = generations_from_rows(tx, &rows, rows.count, a, out, e);
    if (rc == 0)
        *found = rows.count;
    return rc;
}

int generations_update(struct tx *tx, const char *id, const struct generation_change *change,
                       struct err *e)
{
    int rc = exec_one(tx,
                      "UPDATE generations SET "
                      "rating = CASE WHEN CAST($2 AS BIGINT) < 0 THEN rating ELSE $2 END, "
                      "favourite = CASE WHEN CAST($3 AS BIGINT) < 0 THEN favourite ELSE $3 END "
                      "WHERE id = $1",
                      DB_ARGS(db_text(id), db_int(change->rating), db_int(change->favourite)),
                      "generation", id, e);

    if (rc || !change->tags)
        return rc;
    rc = tx_exec(tx, "DELETE FROM generation_tags WHERE generation_id = $1", DB_ARGS(db_text(id)),
                 NULL, e);
    return rc ? rc : insert_tags(tx, id, change->tags, e);
}

/* One that waits is cancelled first, so that its job follows; its run has a cell less. */
int generations_delete(struct tx *tx, const char *id, struct err *e)
{
    struct arena a = {0};
    struct job_outcome outcome;
    struct db_rows rows;
    struct run run;
    int64_t now = clock_unix_ms();
    int rc = query_one(tx, "SELECT status, run_id FROM generations WHERE id = $1",
                       DB_ARGS(db_text(id)), "generation", id, &a, &rows, e);

    if (rc == 0 && (strcmp(db_str(&rows, 0, 0), "queued") == 0 ||
                    strcmp(db_str(&rows, 0, 0), "running") == 0)) {
        rc = jobs_cancel_generation(tx, id, now, &a, &outcome, e);
        if (rc == ERR_CONFLICT) /* it ended just now */
            rc = 0;
    }
    if (rc == 0)
        rc = trash_put(tx, &id, 1, now, e);
    if (rc == 0 && db_str(&rows, 0, 1))
        rc = runs_recount(tx, db_str(&rows, 0, 1), now, &a, &run, e);
    arena_release(&a);
    return rc;
}

/* In a transaction that writes, the pictures found are kept from gc until it ends. */
int generations_drawn(struct tx *tx, const char *const *keys, size_t count, bool *found,
                      struct err *e)
{
    struct arena a = {0};
    struct map drawn = {0};
    struct db_rows rows;
    bool lock = tx_mode(tx) == TX_WRITE && db_dialect(tx_db(tx)) == DIALECT_POSTGRES;
    const char *sql = arena_printf(&a, "SELECT key FROM images WHERE key IN (%s) ORDER BY key%s",
                                   in_texts(tx, 1, &a), lock ? " FOR KEY SHARE" : "");
    int rc = tx_query(tx, sql, DB_ARGS(db_text(json_texts(&a, keys, count))), &a, &rows, e);

    for (size_t i = 0; rc == 0 && i < rows.count; i++)
        map_put(&drawn, str_from(db_str(&rows, i, 0)), &a);
    for (size_t i = 0; rc == 0 && i < count; i++)
        found[i] = map_get(&drawn, str_from(keys[i])) != NULL;
    map_release(&drawn);
    arena_release(&a);
    return rc;
}
