#include "storage/images.h"

#include "storage/query.h"

#define COLUMNS                                                                                    \
    "i.key, i.sha256, i.format, i.width, i.height, i.bytes, i.seconds, i.step_seconds, "           \
    "i.memory_used, i.provider, i.device, i.dtype, i.isa, i.measures, i.created_at"

static void from_row(const struct db_rows *r, size_t row, struct picture_row *out)
{
    *out = (struct picture_row){
        .key = db_str(r, row, 0),
        .sha256 = db_str(r, row, 1),
        .format = db_str(r, row, 2),
        .width = (int)db_i64(r, row, 3),
        .height = (int)db_i64(r, row, 4),
        .bytes = db_i64(r, row, 5),
        .seconds = db_f64(r, row, 6),
        .step_seconds = db_f64(r, row, 7),
        .memory_used = db_i64(r, row, 8),
        .provider = db_str(r, row, 9),
        .device = db_str(r, row, 10),
        .dtype = db_str(r, row, 11),
        .isa = db_str(r, row, 12),
        .measures = db_str(r, row, 13),
        .created_at = db_i64(r, row, 14),
    };
}

int images_get(struct tx *tx, const char *key, struct arena *a, struct picture_row *out,
               struct err *e)
{
    struct db_rows rows;
    int rc = query_one(tx, "SELECT " COLUMNS " FROM images i WHERE i.key = $1",
                       DB_ARGS(db_text(key)), "picture", key, a, &rows, e);

    if (rc == 0)
        from_row(&rows, 0, out);
    return rc;
}

int images_insert(struct tx *tx, const struct picture_row *p, bool *existed, struct err *e)
{
    int64_t changed;
    int rc = tx_exec(tx,
                     "INSERT INTO images (key, sha256, format, width, height, bytes, seconds, "
                     "step_seconds, memory_used, provider, device, dtype, isa, measures, "
                     "created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
                     "$14, $15) ON CONFLICT (key) DO NOTHING",
                     DB_ARGS(db_text(p->key), db_text(p->sha256), db_text(p->format),
                             db_int(p->width), db_int(p->height), db_int(p->bytes),
                             db_real(p->seconds), db_real(p->step_seconds), db_int(p->memory_used),
                             db_text(p->provider), db_text(p->device), db_text(p->dtype),
                             db_text(p->isa), db_text(p->measures), db_int(p->created_at)),
                     &changed, e);

    if (rc == 0)
        *existed = changed == 0;
    return rc;
}

int images_replace(struct tx *tx, const struct picture_row *p, struct err *e)
{
    int rc = exec_one(tx,
                      "UPDATE images SET sha256 = $2, format = $3, width = $4, height = $5, "
                      "bytes = $6, seconds = $7, step_seconds = $8, memory_used = $9, "
                      "provider = $10, device = $11, dtype = $12, isa = $13, measures = $14, "
                      "created_at = $15 WHERE key = $1",
                      DB_ARGS(db_text(p->key), db_text(p->sha256), db_text(p->format),
                              db_int(p->width), db_int(p->height), db_int(p->bytes),
                              db_real(p->seconds), db_real(p->step_seconds), db_int(p->memory_used),
                              db_text(p->provider), db_text(p->device), db_text(p->dtype),
                              db_text(p->isa), db_text(p->measures), db_int(p->created_at)),
                      "picture", p->key, e);

    /* Those who have it already repeat two of its facts. */
    if (rc == 0)
        rc = tx_exec(
            tx,
            "UPDATE generations SET seconds = $2, file_path = "
            "substr(CAST($3 AS TEXT), 1, 2) || '/' || substr(CAST($3 AS TEXT), 3, 2) || '/' || $3 "
            "WHERE key = $1 AND status = 'succeeded'",
            DB_ARGS(db_text(p->key), db_real(p->seconds), db_text(p->sha256)), NULL, e);
    return rc;
}

int images_set_measures(struct tx *tx, const char *key, const char *measures, struct err *e)
{
    return exec_one(tx, "UPDATE images SET measures = $2 WHERE key = $1",
                    DB_ARGS(db_text(key), db_text(measures)), "picture", key, e);
}

/* Drawn, or sent in and named by a recipe; each branch is answered by an index. */
int images_uses_blob(struct tx *tx, const char *sha256, bool *out, struct err *e)
{
    static const char *const questions[] = {
        [DIALECT_SQLITE] =
            "SELECT 1 FROM images WHERE sha256 = $1 UNION ALL "
            "SELECT 1 FROM generations WHERE json_extract(parameters, '$.init_sha256') = $1 "
            "UNION ALL "
            "SELECT 1 FROM generations WHERE json_extract(parameters, '$.mask_sha256') = $1 "
            "UNION ALL SELECT 1 FROM deleted_generations WHERE "
            "json_extract(parameters, '$.init_sha256') = $1 "
            "UNION ALL SELECT 1 FROM deleted_generations WHERE "
            "json_extract(parameters, '$.mask_sha256') = $1 "
            "LIMIT 1",
        [DIALECT_POSTGRES] =
            "SELECT 1 FROM images WHERE sha256 = $1 UNION ALL "
            "SELECT 1 FROM generations WHERE (CAST(parameters AS JSON) ->> 'init_sha256') = $1 "
            "UNION ALL "
            "SELECT 1 FROM generations WHERE (CAST(parameters AS JSON) ->> 'mask_sha256') = $1 "
            "UNION ALL SELECT 1 FROM deleted_generations WHERE "
            "(CAST(parameters AS JSON) ->> 'init_sha256') = $1 "
            "UNION ALL SELECT 1 FROM deleted_generations WHERE "
            "(CAST(parameters AS JSON) ->> 'mask_sha256') = $1 "
            "LIMIT 1",
    };
    struct arena a = {0};
    struct db_rows rows;
    int rc = tx_query(tx, questions[db_dialect(tx_db(tx))], DB_ARGS(db_text(sha256)), &a, &rows, e);

    if (rc == 0)
        *out = rows.count > 0;
    arena_release(&a);
    return rc;
}

int images_orphans(struct tx *tx, int64_t before_ms, int limit, struct arena *a,
                   struct picture_row **out, size_t *count, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT " COLUMNS " FROM images i WHERE i.created_at < $1 AND NOT EXISTS "
                      "(SELECT 1 FROM generations g WHERE g.key = i.key) AND NOT EXISTS "
                      "(SELECT 1 FROM deleted_generations d WHERE d.key = i.key) "
                      "ORDER BY i.created_at LIMIT $2",
                      DB_ARGS(db_int(before_ms), db_int(page_limit(limit))), a, &rows, e);

    if (rc)
        return rc;
    struct picture_row *pictures = arena_alloc(a, rows.count * sizeof *pictures);
    for (size_t i = 0; i < rows.count; i++)
        from_row(&rows, i, &pictures[i]);
    *count = rows.count;
    *out = pictures;
    return 0;
}

/* Who asks for a picture that exists holds its row (generations_drawn) until the wish is stored, so
 * the wish is seen by the second statement, which begins after the row was had. */
int images_delete(struct tx *tx, const char *key, struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int64_t changed = 0;
    const char *lock = db_dialect(tx_db(tx)) == DIALECT_SQLITE ? "" : " FOR UPDATE";
    int rc = query_one(tx, arena_printf(&a, "SELECT 1 FROM images WHERE key = $1%s", lock),
                       DB_ARGS(db_text(key)), "picture", key, &a, &rows, e);

    if (rc == 0)
        rc = tx_exec(tx,
                     "DELETE FROM images WHERE key = $1 AND NOT EXISTS "
                     "(SELECT 1 FROM generations g WHERE g.key = $1) AND NOT EXISTS "
                     "(SELECT 1 FROM deleted_generations d WHERE d.key = $1)",
                     DB_ARGS(db_text(key)), &changed, e);
    if (rc == 0 && changed == 0)
        rc = ERR(e, ERR_CONFLICT, "the picture '%s' is wanted", key);
    arena_release(&a);
    return rc;
}
