/* batch.c: many generations changed at once; the tags in use. */
#include "api/batch.h"

#include "api/access.h"
#include "api/api_routes.h"
#include "api/auth.h"
#include "api/order.h"
#include "api/page_cache.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "storage/trash.h"

#include <string.h>

enum { MOST_TAGS = 32 }; /* of one generation: schema Tags */

const char **batch_ids(struct request *r, size_t *count)
{
    const json_t *ids = json_object_get(request_json(r), "ids"), *id;
    const char **list = arena_alloc(request_arena(r), (json_array_size(ids) + 1) * sizeof *list);
    struct map seen = {0};
    size_t n = 0, i;

    json_array_foreach(ids, i, id) if (!map_put(&seen, str_from(json_string_value(id)), list))
        list[n++] = json_string_value(id);
    map_release(&seen);
    *count = n;
    return list;
}

void batch_match(struct request *r, const char *const *ids, size_t count, struct generation *rows,
                 size_t found, struct generation **out)
{
    struct map by_id = {0};

    for (size_t i = 0; i < found; i++)
        if (auth_owns(r, rows[i].user_id))
            map_put(&by_id, str_from(rows[i].id), &rows[i]);
    for (size_t i = 0; i < count; i++)
        out[i] = map_get(&by_id, str_from(ids[i]));
    map_release(&by_id);
}

/* ==== batch ==== */

struct batch {
    struct request *r;
    struct tx *tx;
    const char **ids, **changed;
    size_t count, changes;
    struct generation **rows; /* of each id; NULL: not there, or somebody else's */
    json_t *skipped;
};

static void skip(struct batch *b, const char *id, const char *reason)
{
    json_array_append_new(b->skipped, json_pack("{s:s, s:s}", "id", id, "reason", reason));
}

static bool holds(const char *const *list, const char *text)
{
    for (; list && *list; list++)
        if (strcmp(*list, text) == 0)
            return true;
    return false;
}

static size_t tags_after(const struct generation *g, const struct generation_changes *c)
{
    size_t n = 0;

    for (const char *const *t = g->tags; t && *t; t++)
        n += !holds(c->remove_tags, *t) && !holds(c->add_tags, *t);
    for (const char *const *t = c->add_tags; t && *t; t++)
        n++;
    return n;
}

static int update(struct batch *b, struct err *e)
{
    const json_t *body = request_json(b->r), *add = json_object_get(body, "add_tags"),
                 *removed = json_object_get(body, "remove_tags");
    struct arena *a = request_arena(b->r);
    struct generation_changes c = {.rating = -1, .favourite = -1};

    if (json_object_get(body, "rating"))
        c.rating = (int)json_int(body, "rating", 0);
    if (json_object_get(body, "favourite"))
        c.favourite = json_flag(body, "favourite", false);
    c.add_tags = add ? tag_list(add, a) : NULL;
    c.remove_tags = removed ? tag_list(removed, a) : NULL;
    for (size_t i = 0; i < b->count; i++)
        if (!b->rows[i])
            skip(b, b->ids[i], "there is no such generation");
        else if (c.add_tags && c.add_tags[0] && tags_after(b->rows[i], &c) > MOST_TAGS)
            skip(b, b->ids[i], "it would have more than 32 tags");
        else
            b->changed[b->changes++] = b->ids[i];
    return generations_update_many(b->tx, b->changed, b->changes, &c, e);
}

static int delete(struct batch *b, struct err *e)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct generation *g = b->rows[i];
        if (!g)
            skip(b, b->ids[i], "there is no such generation");
        else if (g->status == GENERATION_QUEUED || g->status == GENERATION_RUNNING)
            skip(b, b->ids[i], "it is not finished: cancel it first");
        else if (g->run_id)
            skip(b, b->ids[i], "it is a cell of an experiment: delete the experiment instead");
        else
            b->changed[b->changes++] = b->ids[i];
    }
    for (size_t i = 0; i < b->changes; i++)
        audit(b->r, b->tx, "generation_deleted", b->changed[i], NULL);
    return trash_put(b->tx, b->changed, b->changes, clock_unix_ms(), e);
}

static int restore(struct batch *b, struct err *e)
{
    struct generation **deleted =
                          arena_alloc(request_arena(b->r), (b->count + 1) * sizeof *deleted),
                      *rows;
    size_t found;
    int rc = trash_find(b->tx, b->ids, b->count, request_arena(b->r), &rows, &found, e);

    if (rc)
        return rc;
    batch_match(b->r, b->ids, b->count, rows, found, deleted);
    for (size_t i = 0; i < b->count; i++)
        if (!deleted[i])
            skip(b, b->ids[i], b->rows[i] ? "it is not deleted" : "there is no such generation");
        else if (deleted[i]->run_id)
            skip(b, b->ids[i], "it is a cell of an experiment: restore the experiment instead");
        else
            b->changed[b->changes++] = b->ids[i];
    for (size_t i = 0; i < b->changes; i++)
        audit(b->r, b->tx, "generation_restored", b->changed[i], NULL);
    return trash_take(b->tx, b->changed, b->changes, e);
}

static int change(struct batch *b, struct err *e)
{
    static const struct {
        const char *name;
        int (*act)(struct batch *b, struct err *e);
    } actions[] = {{"update", update}, {"delete", delete}, {"restore", restore}};
    const char *action = json_text(request_json(b->r), "action", "");
    struct generation *rows;
    size_t found;
    int rc = generations_pick(b->tx, b->ids, b->count, request_arena(b->r), &rows, &found, e);

    if (rc)
        return rc;
    batch_match(b->r, b->ids, b->count, rows, found, b->rows);
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i].name, action) == 0)
            return actions[i].act(b, e);
    return ERR(e, ERR_ARG, "action: update, delete or restore");
}

int api_batch_generations(struct request *r, struct response *w, struct err *e)
{
    struct arena *a = request_arena(r);
    struct batch b = {.r = r, .skipped = json_array()};

    b.ids = batch_ids(r, &b.count);
    b.changed = arena_alloc(a, (b.count + 1) * sizeof *b.changed);
    b.rows = arena_alloc(a, (b.count + 1) * sizeof *b.rows);
    int rc = tx_begin(app_of(r)->db, TX_WRITE, &b.tx, e);
    if (rc == 0 && (rc = change(&b, e)))
        tx_rollback(b.tx);
    else if (rc == 0)
        rc = tx_commit(b.tx, e);
    if (rc) {
        json_decref(b.skipped);
        return rc;
    }
    json_t *changed = json_array();
    for (size_t i = 0; i < b.changes; i++)
        json_array_append_new(changed, json_string(b.changed[i]));
    return respond_json(w, 200, json_pack("{s:o, s:o}", "changed", changed, "skipped", b.skipped));
}

/* ==== tags ==== */

static int tags(struct request *r, struct buf *out, struct err *e)
{
    struct tag_use *list;
    size_t count;
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = generations_tags(tx, access_filter(r), json_text(request_query(r), "q", NULL),
                          request_arena(r), &list, &count, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            items, json_pack("{s:s, s:I}", "tag", list[i].tag, "count", (json_int_t)list[i].count));
    json_t *answer = json_pack("{s:o}", "items", items);
    rc = json_write(answer, out);
    json_decref(answer);
    return rc ? ERR(e, ERR_NOMEM, "no memory for the list of tags") : 0;
}

int api_list_tags(struct request *r, struct response *w, struct err *e)
{
    return page_cached(app_of(r)->pages, r, w, tags, e);
}
