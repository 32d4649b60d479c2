/* generations.c: list, get, change, delete, restore, retry, cancel, recipe, similar. */
#include "api/access.h"
#include "api/app.h"
#include "api/auth.h"
#include "api/generation_json.h"
#include "api/names.h"
#include "api/order.h"
#include "api/page_cache.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/sha256.h"
#include "recipe/recipe.h"
#include "storage/trash.h"

#include "api/api_routes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ==== list ==== */

static enum generation_sort sort_by_name(const char *name)
{
    static const struct {
        const char *name;
        enum generation_sort sort;
    } sorts[] = {{"created", SORT_OLDEST},
                 {"-rating", SORT_RATING},
                 {"steps", SORT_STEPS},
                 {"time", SORT_SECONDS}};

    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
        if (strcmp(sorts[i].name, name) == 0)
            return sorts[i].sort;
    return SORT_NEWEST;
}

static int64_t time_of(const json_t *query, const char *name)
{
    const char *text = json_text(query, name, NULL);
    int64_t ms = 0;

    if (text)
        clock_parse(str_from(text), &ms);
    return ms;
}

/* Seeds of the database have no leading zeros. */
static const char *plain_seed(const char *digits)
{
    while (digits && digits[0] == '0' && digits[1])
        digits++;
    return digits;
}

/* The database has our names; other programs' are understood too. */
static const char *plain_sampler(const char *name, struct arena *a)
{
    const struct sampler_entry *s = find_sampler(name, a);

    return s ? s->name : name;
}

static const char *plain_schedule(const char *name, struct arena *a)
{
    const struct schedule_entry *s = find_schedule(name, a);

    return s ? s->name : name;
}

static void narrow(struct generation_filter *f, const json_t *query, struct arena *a)
{
    enum generation_status status;
    int steps = (int)json_int(query, "steps", 0);

    f->model = json_text(query, "model", NULL);
    f->sampler = plain_sampler(json_text(query, "sampler", NULL), a);
    f->schedule = plain_schedule(json_text(query, "schedule", NULL), a);
    f->experiment_id = json_text(query, "experiment_id", NULL);
    f->run_id = json_text(query, "run_id", NULL);
    f->tag = json_text(query, "tag", NULL);
    f->text = json_text(query, "q", NULL);
    f->seed = plain_seed(json_text(query, "seed", NULL));
    f->steps_min = steps ? steps : (int)json_int(query, "steps_min", 0);
    f->steps_max = steps ? steps : (int)json_int(query, "steps_max", 0);
    f->cfg_min = f->cfg_max = json_num(query, "cfg_scale", NAN);
    f->rating_min = (int)json_int(query, "rating_min", 0);
    if (json_object_get(query, "favourite"))
        f->favourite = json_flag(query, "favourite", false);
    if (generation_status_by_name(str_from(json_text(query, "status", "")), &status))
        f->status = (int)status;
    f->created_after = time_of(query, "created_after");
    f->created_before = time_of(query, "created_before");
}

static int list(struct request *r, struct buf *out, struct err *e)
{
    const json_t *query = request_query(r);
    struct generation_filter f = generation_filter();
    struct generation *rows;
    const char *next;
    size_t count;
    struct tx *tx;
    int rc;

    narrow(&f, query, request_arena(r));
    f.user_id = access_filter(r);
    f.sort = sort_by_name(json_text(query, "sort", "-created"));
    f.limit = (int)json_int(query, "limit", 50);
    f.cursor = json_text(query, "cursor", NULL);
    if ((rc = tx_begin(app_of(r)->db, TX_READ, &tx, e)))
        return rc;
    rc = generations_list(tx, &f, request_arena(r), &rows, &count, &next, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    return generations_write(rows, count, next, app_of(r)->live, out, e);
}

int api_list_generations(struct request *r, struct response *w, struct err *e)
{
    return page_cached(app_of(r)->pages, r, w, list, e);
}

/* ==== one ==== */

int api_get_generation(struct request *r, struct response *w, struct err *e)
{
    struct generation g;
    char digest[65], etag[40];
    struct buf text;
    int rc;

    if ((rc = generation_read(r, request_param(r, "id"), &g, e)))
        return rc;
    buf_init(&text, (size_t)4 << 20);
    if (generation_write(&g, app_of(r)->live, &text)) {
        rc = ERR(e, ERR_NOMEM, "no memory for a generation");
        goto out;
    }
    sha256_hex(text.p, text.n, digest);
    snprintf(etag, sizeof etag, "\"%.32s\"", digest);
    respond_header(w, "ETag", etag);
    rc = respond_bytes(w, 200, "application/json", (struct str){text.p, text.n});
out:
    buf_release(&text);
    return rc;
}

/* Run `step` on the generation of the path in a transaction; *out: the row before it. */
static int in_one_step(struct request *r,
                       int (*step)(struct request *, struct tx *, const struct generation *,
                                   struct err *),
                       struct generation *out, struct err *e)
{
    struct tx *tx;
    int rc;

    if ((rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e)))
        return rc;
    if ((rc = generation_of(r, tx, out, e)) || (rc = step(r, tx, out, e))) {
        tx_rollback(tx);
        return rc;
    }
    return tx_commit(tx, e);
}

static int answer_generation(struct request *r, struct response *w, unsigned status, struct err *e)
{
    struct generation g;
    int rc = generation_read(r, request_param(r, "id"), &g, e);

    return rc ? rc : respond_json(w, status, generation_json(&g, app_of(r)->live));
}

static int update(struct request *r, struct tx *tx, const struct generation *g, struct err *e)
{
    const json_t *body = request_json(r), *tags = json_object_get(body, "tags");
    struct generation_change c = {.rating = -1, .favourite = -1};

    if (json_object_get(body, "rating"))
        c.rating = (int)json_int(body, "rating", 0);
    if (json_object_get(body, "favourite"))
        c.favourite = json_flag(body, "favourite", false);
    if (tags)
        c.tags = tag_list(tags, request_arena(r));
    return generations_update(tx, g->id, &c, e);
}

int api_update_generation(struct request *r, struct response *w, struct err *e)
{
    struct generation g;
    int rc = in_one_step(r, update, &g, e);

    return rc ? rc : answer_generation(r, w, 200, e);
}

static int delete(struct request *r, struct tx *tx, const struct generation *g, struct err *e)
{
    if (g->status == GENERATION_RUNNING || g->status == GENERATION_QUEUED)
        return ERR(e, ERR_CONFLICT, "generation %s is %s: cancel it first", g->id,
                   generation_status_name(g->status));
    if (g->run_id)
        return ERR(e, ERR_CONFLICT,
                   "generation %s is a cell of experiment %s: delete the experiment instead", g->id,
                   g->experiment_id ? g->experiment_id : "");
    audit(r, tx, "generation_deleted", g->id, NULL);
    return generations_delete(tx, g->id, e);
}

int api_delete_generation(struct request *r, struct response *w, struct err *e)
{
    struct generation g;
    int rc = in_one_step(r, delete, &g, e);

    return rc ? rc : respond_empty(w, 204);
}

static int restore(struct request *r, struct tx *tx, const char *id, struct err *e)
{
    struct generation *g, there;
    size_t found;
    int rc = trash_find(tx, &id, 1, request_arena(r), &g, &found, e);

    if (rc)
        return rc;
    if (!found || !auth_owns(r, g->user_id))
        return generation_of(r, tx, &there, e) == 0
                   ? ERR(e, ERR_CONFLICT, "generation %s is not deleted", id)
                   : ERR(e, ERR_NOT_FOUND,
                         "there is no deleted generation '%.64s': it was swept away, or never was",
                         id);
    if (g->run_id)
        return ERR(e, ERR_CONFLICT,
                   "generation %s is a cell of experiment %s: restore the experiment instead", id,
                   g->experiment_id ? g->experiment_id : "");
    audit(r, tx, "generation_restored", id, NULL);
    return trash_take(tx, &id, 1, e);
}

int api_restore_generation(struct request *r, struct response *w, struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e);

    if (rc)
        return rc;
    if ((rc = restore(r, tx, request_param(r, "id"), e))) {
        tx_rollback(tx);
        return rc;
    }
    rc = tx_commit(tx, e);
    return rc ? rc : answer_generation(r, w, 200, e);
}

int api_retry_generation(struct request *r, struct response *w, struct err *e)
{
    struct generation g;
    int rc = generation_read(r, request_param(r, "id"), &g, e);

    if (rc || (rc = retry_generation(app_of(r)->submitter, g.id, e)))
        return rc;
    return answer_generation(r, w, 202, e);
}

int api_cancel_generation(struct request *r, struct response *w, struct err *e)
{
    struct generation g;
    int rc = generation_read(r, request_param(r, "id"), &g, e);

    if (!rc && !generation_ended(&g))
        rc = cancel_generation(app_of(r)->submitter, g.id, e);
    if (rc == ERR_CONFLICT) /* it ended meanwhile */
        rc = 0;
    return rc ? rc : answer_generation(r, w, 200, e);
}

/* ==== recipes ==== */

int api_get_generation_recipe(struct request *r, struct response *w, struct err *e)
{
    struct arena *a = request_arena(r);
    struct generation g;
    struct recipe recipe;
    json_t *stored;
    int rc;

    if ((rc = generation_read(r, request_param(r, "id"), &g, e)) ||
        (rc = json_read(str_from(g.parameters), &stored, e)))
        return rc;
    /* What cannot be drawn has no complete recipe, so no text. */
    const char *text = recipe_from_json(stored, a, &recipe, e) == 0 ? recipe_parameters(&recipe, a)
                                                                    : "";
    json_decref(stored);
    return respond_json(
        w, 200, json_pack("{s:o, s:s}", "recipe", recipe_answer(g.parameters), "text", text));
}

/* Names of parameters whose values differ. */
static json_t *differences(const json_t *a, const json_t *b)
{
    static const char *const names[] = {
        "model",      "prompt",    "negative_prompt",  "seed",
        "steps",      "cfg_scale", "sampler",          "schedule",
        "width",      "height",    "guidance_rescale", "eta",
        "rng",        "clip_skip", "spacing",          "init_sha256",
        "mask_sha256"};
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const json_t *x = json_object_get(a, names[i]), *y = json_object_get(b, names[i]);
        bool numbers = json_is_number(x) && json_is_number(y);
        if (numbers ? json_number_value(x) != json_number_value(y) : !json_equal(x, y))
            json_array_append_new(list, json_string(names[i]));
    }
    /* The strength of a picture without a picture to start from means nothing. */
    if (json_is_string(json_object_get(a, "init_sha256")) &&
        json_num(a, "strength", 0) != json_num(b, "strength", 0))
        json_array_append_new(list, json_string("strength"));
    return list;
}

int api_similar_recipes(struct request *r, struct response *w, struct err *e)
{
    struct app *app = app_of(r);
    struct generation g, *rows;
    struct tx *tx;
    size_t count;
    int rc;

    if ((rc = tx_begin(app->db, TX_READ, &tx, e)))
        return rc;
    if (!(rc = generation_of(r, tx, &g, e)))
        rc = generations_similar(tx, &g, (int)json_int(request_query(r), "limit", 12),
                                 request_arena(r), &rows, &count, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *items = json_array(), *recipe = recipe_answer(g.parameters);
    for (size_t i = 0; i < count; i++) {
        if (!auth_owns(r, rows[i].user_id))
            continue;
        json_t *other = recipe_answer(rows[i].parameters);
        json_array_append_new(items, json_pack("{s:o, s:o}", "generation",
                                               generation_json(&rows[i], app->live), "differs",
                                               differences(recipe, other)));
        json_decref(other);
    }
    json_decref(recipe);
    return respond_json(w, 200, json_pack("{s:o}", "items", items));
}
