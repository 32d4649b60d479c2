/* Many generations at once, and their tags. */
#include "storage/generations.h"
#include "storage/query.h"

/* One statement a tag, over all of them. */
static int each_tag(struct tx *tx, const char *sql, const char *ids, const char *const *tags,
                    struct err *e)
{
    int rc = 0;

    for (size_t i = 0; tags && tags[i] && rc == 0; i++)
        rc = tx_exec(tx, sql, DB_ARGS(db_text(ids), db_text(tags[i])), NULL, e);
    return rc;
}

int generations_update_many(struct tx *tx, const char *const *ids, size_t count,
                            const struct generation_changes *c, struct err *e)
{
    struct arena a = {0};
    const char *list = json_texts(&a, ids, count), *in = in_texts(tx, 1, &a);
    int rc = 0;

    if (c->rating >= 0)
        rc = tx_exec(tx,
                     arena_printf(&a, "UPDATE generations SET rating = $2 WHERE id IN (%s)", in),
                     DB_ARGS(db_text(list), db_int(c->rating)), NULL, e);
    if (rc == 0 && c->favourite >= 0)
        rc = tx_exec(tx,
                     arena_printf(&a, "UPDATE generations SET favourite = $2 WHERE id IN (%s)", in),
                     DB_ARGS(db_text(list), db_int(c->favourite)), NULL, e);
    if (rc == 0)
        rc = each_tag(
            tx,
            arena_printf(&a, "DELETE FROM generation_tags WHERE tag = $2 AND generation_id IN (%s)",
                         in),
            list, c->remove_tags, e);
    if (rc == 0)
        rc = each_tag(tx,
                      arena_printf(&a,
                                   "INSERT INTO generation_tags (generation_id, tag) SELECT id, "
                                   "CAST($2 AS TEXT) FROM generations WHERE id IN (%s) "
                                   "ON CONFLICT DO NOTHING",
                                   in),
                      list, c->add_tags, e);
    arena_release(&a);
    return rc;
}

int generations_tags(struct tx *tx, const char *user_id, const char *beginning, struct arena *a,
                     struct tag_use **out, size_t *count, struct err *e)
{
    enum { MOST = 1000 };
    struct db_rows rows;
    struct query q;

    query_init(&q, a);
    query_add(&q, "SELECT t.tag, count(*) FROM generation_tags t");
    if (user_id)
        query_add(&q, " JOIN generations g ON g.id = t.generation_id");
    query_add(&q, " WHERE 1 = 1");
    if (user_id)
        query_and(&q, "g.user_id = ", db_text(user_id));
    if (beginning) {
        query_and(&q, "lower(substr(t.tag, 1, length(CAST(", db_text(beginning));
        query_add(&q, " AS TEXT)))) = lower(CAST($");
        query_add(&q, arena_printf(a, "%zu AS TEXT))", q.count));
    }
    query_add(&q, " GROUP BY t.tag ORDER BY count(*) DESC, t.tag LIMIT ");
    query_arg(&q, db_int(MOST));
    int rc = query_run(&q, tx, &rows, e);
    if (rc)
        return rc;
    struct tag_use *list = arena_alloc(a, (rows.count + 1) * sizeof *list);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = (struct tag_use){db_str(&rows, i, 0), db_i64(&rows, i, 1)};
    *count = rows.count;
    *out = list;
    return 0;
}
