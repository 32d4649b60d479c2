#include "storage/experiments.h"

#include "storage/query.h"
#include "storage/trash.h"

#include <string.h>

#define COLUMNS                                                                                    \
    "x.id, x.name, x.type, x.config, x.status, x.user_id, x.created_at, x.updated_at, x.runs, "    \
    "x.version"

static const char *const statuses[] = {
    [EXPERIMENT_DRAFT] = "draft",   [EXPERIMENT_RUNNING] = "running",
    [EXPERIMENT_PAUSED] = "paused", [EXPERIMENT_COMPLETED] = "completed",
    [EXPERIMENT_FAILED] = "failed", [EXPERIMENT_CANCELLED] = "cancelled",
};
enum { STATUSES = sizeof statuses / sizeof *statuses };

const char *experiment_status_name(enum experiment_status s)
{
    return statuses[s];
}

bool experiment_status_by_name(struct str name, enum experiment_status *out)
{
    for (int i = 0; i < STATUSES; i++)
        if (str_is(name, statuses[i])) {
            *out = (enum experiment_status)i;
            return true;
        }
    return false;
}

static void from_row(const struct db_rows *r, size_t row, struct experiment *out)
{
    enum experiment_status status = EXPERIMENT_DRAFT;

    (void)experiment_status_by_name(str_from(db_str(r, row, 4)), &status);
    *out = (struct experiment){
        .id = db_str(r, row, 0),
        .name = db_str(r, row, 1),
        .type = db_str(r, row, 2),
        .config = db_str(r, row, 3),
        .status = status,
        .user_id = db_str(r, row, 5),
        .created_at = db_i64(r, row, 6),
        .updated_at = db_i64(r, row, 7),
        .runs = (int)db_i64(r, row, 8),
        .version = db_i64(r, row, 9),
    };
}

int experiments_insert(struct tx *tx, const struct experiment *x, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO experiments (id, name, type, config, status, user_id, created_at, "
                   "updated_at, runs, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 1)",
                   DB_ARGS(db_text(x->id), db_text(x->name), db_text(x->type), db_text(x->config),
                           db_text(statuses[x->status]), db_text(x->user_id), db_int(x->created_at),
                           db_int(x->updated_at)),
                   NULL, e);
}

static int get(struct tx *tx, const char *sql, const char *what, const char *id, struct arena *a,
               struct experiment *out, struct err *e)
{
    struct db_rows rows;
    int rc = query_one(tx, sql, DB_ARGS(db_text(id)), what, id, a, &rows, e);

    if (rc == 0)
        from_row(&rows, 0, out);
    return rc;
}

int experiments_get(struct tx *tx, const char *id, struct arena *a, struct experiment *out,
                    struct err *e)
{
    return get(tx, "SELECT " COLUMNS " FROM experiments x WHERE x.id = $1 AND x.deleted_at IS NULL",
               "experiment", id, a, out, e);
}

int trash_experiment_find(struct tx *tx, const char *id, struct arena *a, struct experiment *out,
                          struct err *e)
{
    return get(tx,
               "SELECT " COLUMNS " FROM experiments x WHERE x.id = $1 AND "
               "x.deleted_at IS NOT NULL",
               "deleted experiment", id, a, out, e);
}

int experiments_update(struct tx *tx, const char *id, int64_t version, const char *name,
                       const char *type, const char *config, int64_t now, struct err *e)
{
    struct arena a = {0};
    struct experiment x;
    int64_t changed;
    int rc = tx_exec(tx,
                     "UPDATE experiments SET name = $3, type = $4, config = $5, updated_at = $6, "
                     "version = version + 1 WHERE id = $1 AND version = $2 AND "
                     "deleted_at IS NULL",
                     DB_ARGS(db_text(id), db_int(version), db_text(name), db_text(type),
                             db_text(config), db_int(now)),
                     &changed, e);

    if (rc == 0 && changed == 0) {
        rc = experiments_get(tx, id, &a, &x, e);
        if (rc == 0)
            rc = ERR(e, ERR_CONFLICT, "the experiment was changed meanwhile: it has version %lld",
                     (long long)x.version);
    }
    arena_release(&a);
    return rc;
}

/* LIKE with the person's text taken literally. */
static const char *like(const char *text, struct arena *a)
{
    char *out = arena_alloc(a, strlen(text) * 2 + 3), *p = out;

    *p++ = '%';
    for (; *text; text++) {
        if (strchr("%_\\", *text))
            *p++ = '\\';
        *p++ = *text;
    }
    *p++ = '%';
    *p = 0;
    return out;
}

int experiments_list(struct tx *tx, const struct experiment_filter *f, struct arena *a,
                     struct experiment **out, size_t *count, const char **next, struct err *e)
{
    size_t most = (size_t)page_limit(f->limit);
    struct db_rows rows;
    struct cursor from;
    struct query q;

    query_init(&q, a);
    query_add(&q, "SELECT " COLUMNS " FROM experiments x WHERE x.deleted_at IS NULL");
    if (f->user_id)
        query_and(&q, "x.user_id = ", db_text(f->user_id));
    if (f->type)
        query_and(&q, "x.type = ", db_text(f->type));
    if (f->status >= 0 && f->status < STATUSES)
        query_and(&q, "x.status = ", db_text(statuses[f->status]));
    if (f->text) {
        query_and(&q, "lower(x.name) LIKE lower(", db_text(like(f->text, a)));
        query_add(&q, ") ESCAPE '\\'");
    }
    if (f->cursor) {
        int bad = cursor_read(f->cursor, 'x', a, &from, e);
        if (bad)
            return bad;
        query_and(&q, "x.id < ", db_text(from.id));
    }
    query_add(&q, " ORDER BY x.id DESC LIMIT ");
    query_arg(&q, db_int((int64_t)most + 1));
    int rc = query_run(&q, tx, &rows, e);
    if (rc)
        return rc;
    size_t n = rows.count > most ? most : rows.count;
    struct experiment *list = arena_alloc(a, n * sizeof *list);
    for (size_t i = 0; i < n; i++)
        from_row(&rows, i, &list[i]);
    *next = rows.count > n ? cursor_write(a, (struct cursor){'x', "", list[n - 1].id}) : NULL;
    *count = n;
    *out = list;
    return 0;
}
