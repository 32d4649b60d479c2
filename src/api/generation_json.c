#include "api/generation_json.h"

#include "api/auth.h"
#include "api/live.h"
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EXACT_MAX ((uint64_t)1 << 53)

json_t *seed_json(uint64_t seed)
{
    char digits[24];

    if (seed < EXACT_MAX)
        return json_integer((json_int_t)seed);
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)seed);
    return json_string(digits);
}

json_t *recipe_answer(const char *stored)
{
    struct err ignored;
    json_t *recipe = NULL;
    int64_t seed;

    if (!stored || json_read(str_from(stored), &recipe, &ignored))
        return json_object();
    const char *digits = json_text(recipe, "seed", NULL);
    if (digits && str_to_i64(str_from(digits), &seed) && seed >= 0 && (uint64_t)seed < EXACT_MAX)
        json_object_set_new(recipe, "seed", json_integer(seed));
    return recipe;
}

json_t *failure_json(const char *code, const char *message)
{
    if (!code && !message)
        return json_null();
    return json_pack("{s:s, s:s}", "code", code ? code : "failed", "message",
                     message ? message : "");
}

/* A stored JSON value, or null. */
static json_t *stored_json(const char *text)
{
    struct err ignored;
    json_t *value;

    return text && json_read(str_from(text), &value, &ignored) == 0 ? value : json_null();
}

static json_t *picture_json(const struct generation *g, const char *url)
{
    char image[128], thumbnail[128];

    if (!g->sha256)
        return json_null();
    snprintf(image, sizeof image, "%s/image", url);
    snprintf(thumbnail, sizeof thumbnail, "%s/thumbnail", url);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:i, s:i}", "url", image, "thumbnail_url",
                     thumbnail, "sha256", g->sha256, "format", g->format ? g->format : "png",
                     "bytes", (json_int_t)g->bytes, "width", g->width, "height", g->height);
}

static json_t *progress_json(const struct generation *g, struct live *live)
{
    struct live_step step;

    if (!live || g->status != GENERATION_RUNNING || !live_step(live, g->id, &step))
        return json_null();
    return json_pack("{s:i, s:i}", "step", step.step, "steps", step.steps);
}

static json_t *tags_json(const char *const *tags)
{
    json_t *list = json_array();

    for (; tags && *tags; tags++)
        json_array_append_new(list, json_string(*tags));
    return list;
}

/* What the wish was, and where it stands in an experiment. */
static void set_wish(json_t *o, const struct generation *g)
{
    bool cell = g->cell >= 0;

    json_object_set_new(o, "prompt", json_string(g->prompt ? g->prompt : ""));
    json_object_set_new(o, "negative_prompt", json_text_or_null(g->negative_prompt));
    json_object_set_new(o, "model", json_string(g->model_name ? g->model_name : ""));
    json_object_set_new(o, "model_digest", json_text_or_null(g->model_digest));
    json_object_set_new(o, "parameters", recipe_answer(g->parameters));
    json_object_set_new(o, "sampler", json_string(g->sampler ? g->sampler : ""));
    json_object_set_new(o, "schedule", json_string(g->schedule ? g->schedule : ""));
    json_object_set_new(o, "steps", json_integer(g->steps));
    json_object_set_new(o, "cfg_scale", json_real(isfinite(g->cfg_scale) ? g->cfg_scale : 0));
    json_object_set_new(o, "seed", seed_json(g->seed));
    json_object_set_new(o, "width", json_integer(g->width));
    json_object_set_new(o, "height", json_integer(g->height));
    json_object_set_new(o, "user_id", json_text_or_null(g->user_id));
    json_object_set_new(o, "experiment_id", json_text_or_null(g->experiment_id));
    json_object_set_new(o, "run_id", json_text_or_null(g->run_id));
    json_object_set_new(o, "cell", cell ? json_integer(g->cell) : json_null());
    json_object_set_new(o, "replicate", cell ? json_integer(g->replicate) : json_null());
    json_object_set_new(o, "axes", stored_json(g->axes));
}

/* What became of it. */
static void set_outcome(json_t *o, const struct generation *g, const char *url)
{
    bool drawn = g->sha256 != NULL;
    json_t *metadata = stored_json(g->metadata);

    json_object_set_new(o, "image", picture_json(g, url));
    json_object_set_new(o, "generation_time",
                        drawn && isfinite(g->seconds) ? json_real(g->seconds) : json_null());
    json_object_set_new(o, "memory_used",
                        drawn && g->memory_used > 0 ? json_integer(g->memory_used) : json_null());
    json_object_set_new(o, "reused", json_boolean(g->reused));
    json_object_set_new(o, "measures", stored_json(g->measures));
    json_object_set_new(o, "error", failure_json(g->error_code, g->error));
    json_object_set_new(o, "attempts", json_integer(g->attempts));
    json_object_set_new(o, "rating", g->rating ? json_integer(g->rating) : json_null());
    json_object_set_new(o, "favourite", json_boolean(g->favourite));
    json_object_set_new(o, "tags", tags_json(g->tags));
    if (!json_is_object(metadata)) {
        json_decref(metadata);
        metadata = json_object();
    }
    json_object_set_new(o, "metadata", metadata);
}

json_t *generation_json(const struct generation *g, struct live *live)
{
    json_t *o = json_object();
    char url[96];

    snprintf(url, sizeof url, "/api/v1/generations/%s", g->id);
    json_object_set_new(o, "id", json_string(g->id));
    json_object_set_new(o, "status", json_string(generation_status_name(g->status)));
    set_wish(o, g);
    set_outcome(o, g, url);
    json_object_set_new(o, "progress", progress_json(g, live));
    json_object_set_new(o, "created_at", json_time_or_null(g->created_at));
    json_object_set_new(o, "generated_at", json_time_or_null(g->generated_at));
    json_object_set_new(o, "url", json_string(url));
    return o;
}

json_t *generations_json(const struct generation *rows, size_t count, struct live *live)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, generation_json(&rows[i], live));
    return list;
}

static int read_seen(struct request *r, struct tx *tx, const char *id, struct generation *out,
                     struct err *e)
{
    struct generation g;
    int rc = uuid_valid(str_from(id)) ? generations_get(tx, id, request_arena(r), &g, e)
                                      : ERR(e, ERR_NOT_FOUND, "not an id");

    if (rc == ERR_NOT_FOUND || (rc == 0 && !auth_owns(r, g.user_id)))
        return ERR(e, ERR_NOT_FOUND, "there is no generation '%.64s'", id);
    if (rc == 0)
        *out = g;
    return rc;
}

int generation_of(struct request *r, struct tx *tx, struct generation *out, struct err *e)
{
    return read_seen(r, tx, request_param(r, "id"), out, e);
}

int generation_read(struct request *r, const char *id, struct generation *out, struct err *e)
{
    struct tx *tx;
    int rc;

    if ((rc = tx_begin(app_of(r)->db, TX_READ, &tx, e)))
        return rc;
    rc = read_seen(r, tx, id, out, e);
    tx_rollback(tx);
    return rc;
}
