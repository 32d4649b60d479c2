#include "api/generation_json.h"

#include "api/auth.h"
#include "api/live.h"
#include "base/clock.h"
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EXACT_MAX ((uint64_t)1 << 53)
/* The longest prompts, six bytes a character when all of it is escaped, and a recipe of them. */
#define ONE_MAX ((size_t)4 << 20)

/* ==== seeds and recipes ==== */

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

/* ==== writing ==== */

/* A text that grows; the first failure stays. */
struct writer {
    struct buf *out;
    int rc;
};

static void raw(struct writer *w, const char *text, size_t n)
{
    if (!w->rc)
        w->rc = buf_add(w->out, text, n);
}

#define RAW(w, literal) raw((w), "" literal, sizeof(literal) - 1)

static void text(struct writer *w, const char *value)
{
    if (!w->rc)
        w->rc = json_write_text(value, w->out);
}

static void integer(struct writer *w, int64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)value);

    raw(w, digits, (size_t)n);
}

static void real(struct writer *w, double value)
{
    if (!w->rc)
        w->rc = json_write_real(value, w->out);
}

static void flag(struct writer *w, bool value)
{
    if (value)
        RAW(w, "true");
    else
        RAW(w, "false");
}

static void time_or_null(struct writer *w, int64_t unix_ms)
{
    char when[CLOCK_TEXT];

    if (unix_ms)
        clock_format(unix_ms, when);
    text(w, unix_ms ? when : NULL);
}

static void seed(struct writer *w, uint64_t value)
{
    char digits[32];
    const char *quote = value < EXACT_MAX ? "" : "\"";
    int n = snprintf(digits, sizeof digits, "%s%llu%s", quote, (unsigned long long)value, quote);

    raw(w, digits, (size_t)n);
}

/* JSON that the program wrote itself. */
static void stored(struct writer *w, const char *json, const char *fallback)
{
    json = json && json[0] ? json : fallback;
    raw(w, json, strlen(json));
}

/* A stored recipe has its seed as text. The search finds nothing else: within a prompt the
 * quotation marks are escaped. */
static void recipe(struct writer *w, const struct generation *g)
{
    static const char mark[] = "\"seed\":\"";
    const char *json = g->parameters && g->parameters[0] ? g->parameters : "{}";
    const char *at = g->seed < EXACT_MAX ? strstr(json, mark) : NULL;
    const char *end = at ? strchr(at + sizeof mark - 1, '"') : NULL;

    if (!end) {
        raw(w, json, strlen(json));
        return;
    }
    raw(w, json, (size_t)(at - json) + sizeof mark - 2);
    raw(w, at + sizeof mark - 1, (size_t)(end - at) - (sizeof mark - 1));
    raw(w, end + 1, strlen(end + 1));
}

static void picture(struct writer *w, const struct generation *g)
{
    if (!g->sha256) {
        RAW(w, "null");
        return;
    }
    RAW(w, "{\"url\":\"/api/v1/generations/");
    raw(w, g->id, strlen(g->id));
    RAW(w, "/image\",\"thumbnail_url\":\"/api/v1/generations/");
    raw(w, g->id, strlen(g->id));
    RAW(w, "/thumbnail\",\"sha256\":");
    text(w, g->sha256);
    RAW(w, ",\"format\":");
    text(w, g->format ? g->format : "png");
    RAW(w, ",\"bytes\":");
    integer(w, g->bytes);
    RAW(w, ",\"width\":");
    integer(w, g->width);
    RAW(w, ",\"height\":");
    integer(w, g->height);
    RAW(w, "}");
}

static void failure(struct writer *w, const struct generation *g)
{
    if (!g->error_code && !g->error) {
        RAW(w, "null");
        return;
    }
    RAW(w, "{\"code\":");
    text(w, g->error_code ? g->error_code : "failed");
    RAW(w, ",\"message\":");
    text(w, g->error ? g->error : "");
    RAW(w, "}");
}

static void tags(struct writer *w, const char *const *list)
{
    RAW(w, "[");
    for (size_t i = 0; list && list[i]; i++) {
        if (i)
            RAW(w, ",");
        text(w, list[i]);
    }
    RAW(w, "]");
}

static void progress(struct writer *w, const struct generation *g, struct live *live)
{
    struct live_step step;

    if (!live || g->status != GENERATION_RUNNING || !live_step(live, g->id, &step)) {
        RAW(w, "null");
        return;
    }
    RAW(w, "{\"step\":");
    integer(w, step.step);
    RAW(w, ",\"steps\":");
    integer(w, step.steps);
    RAW(w, "}");
}

/* What the wish was, and where it stands in an experiment. */
static void wish(struct writer *w, const struct generation *g)
{
    RAW(w, ",\"prompt\":");
    text(w, g->prompt ? g->prompt : "");
    RAW(w, ",\"negative_prompt\":");
    text(w, g->negative_prompt);
    RAW(w, ",\"model\":");
    text(w, g->model_name ? g->model_name : "");
    RAW(w, ",\"model_digest\":");
    text(w, g->model_digest);
    RAW(w, ",\"parameters\":");
    recipe(w, g);
    RAW(w, ",\"sampler\":");
    text(w, g->sampler ? g->sampler : "");
    RAW(w, ",\"schedule\":");
    text(w, g->schedule ? g->schedule : "");
    RAW(w, ",\"steps\":");
    integer(w, g->steps);
    RAW(w, ",\"cfg_scale\":");
    real(w, isfinite(g->cfg_scale) ? g->cfg_scale : 0);
    RAW(w, ",\"seed\":");
    seed(w, g->seed);
    RAW(w, ",\"width\":");
    integer(w, g->width);
    RAW(w, ",\"height\":");
    integer(w, g->height);
    RAW(w, ",\"user_id\":");
    text(w, g->user_id);
    RAW(w, ",\"experiment_id\":");
    text(w, g->experiment_id);
    RAW(w, ",\"run_id\":");
    text(w, g->run_id);
}

static void place(struct writer *w, const struct generation *g)
{
    RAW(w, ",\"cell\":");
    if (g->cell >= 0)
        integer(w, g->cell);
    else
        RAW(w, "null");
    RAW(w, ",\"replicate\":");
    if (g->cell >= 0)
        integer(w, g->replicate);
    else
        RAW(w, "null");
    RAW(w, ",\"axes\":");
    stored(w, g->axes, "null");
}

/* What became of it. */
static void outcome(struct writer *w, const struct generation *g)
{
    RAW(w, ",\"image\":");
    picture(w, g);
    RAW(w, ",\"generation_time\":");
    real(w, g->sha256 ? g->seconds : NAN);
    RAW(w, ",\"memory_used\":");
    if (g->sha256 && g->memory_used > 0)
        integer(w, g->memory_used);
    else
        RAW(w, "null");
    RAW(w, ",\"reused\":");
    flag(w, g->reused);
    RAW(w, ",\"measures\":");
    stored(w, g->measures, "null");
    RAW(w, ",\"error\":");
    failure(w, g);
    RAW(w, ",\"attempts\":");
    integer(w, g->attempts);
    RAW(w, ",\"rating\":");
    if (g->rating)
        integer(w, g->rating);
    else
        RAW(w, "null");
    RAW(w, ",\"favourite\":");
    flag(w, g->favourite);
    RAW(w, ",\"tags\":");
    tags(w, g->tags);
    RAW(w, ",\"metadata\":");
    stored(w, g->metadata, "{}");
}

int generation_write(const struct generation *g, struct live *live, struct buf *out)
{
    struct writer w = {.out = out};

    RAW(&w, "{\"id\":");
    text(&w, g->id);
    RAW(&w, ",\"status\":");
    text(&w, generation_status_name(g->status));
    wish(&w, g);
    place(&w, g);
    outcome(&w, g);
    RAW(&w, ",\"progress\":");
    progress(&w, g, live);
    RAW(&w, ",\"created_at\":");
    time_or_null(&w, g->created_at);
    RAW(&w, ",\"generated_at\":");
    time_or_null(&w, g->generated_at);
    RAW(&w, ",\"url\":\"/api/v1/generations/");
    raw(&w, g->id, strlen(g->id));
    RAW(&w, "\"}");
    return w.rc;
}

int generations_write(const struct generation *rows, size_t count, const char *next,
                      struct live *live, struct buf *out, struct err *e)
{
    struct writer w = {.out = out};

    RAW(&w, "{\"items\":[");
    for (size_t i = 0; i < count && !w.rc; i++) {
        if (i)
            RAW(&w, ",");
        if (!w.rc)
            w.rc = generation_write(&rows[i], live, out);
    }
    RAW(&w, "],\"next_cursor\":");
    text(&w, next);
    RAW(&w, "}");
    return w.rc ? ERR(e, ERR_NOMEM, "a page of generations is larger than its buffer") : 0;
}

/* ==== as trees ==== */

json_t *generation_json(const struct generation *g, struct live *live)
{
    struct buf b;
    struct err ignored;
    json_t *tree = NULL;

    buf_init(&b, ONE_MAX);
    if (generation_write(g, live, &b) || json_read((struct str){b.p, b.n}, &tree, &ignored))
        tree = NULL;
    buf_release(&b);
    return tree;
}

json_t *generations_json(const struct generation *rows, size_t count, struct live *live)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, generation_json(&rows[i], live));
    return list;
}

json_t *generation_describe(const struct generation *g)
{
    return generation_json(g, NULL);
}

json_t *failure_json(const char *code, const char *message)
{
    if (!code && !message)
        return json_null();
    return json_pack("{s:s, s:s}", "code", code ? code : "failed", "message",
                     message ? message : "");
}

/* ==== the one that is meant ==== */

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
