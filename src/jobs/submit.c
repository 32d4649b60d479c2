/* submit.c: wishes become rows: complete, look up, insert, tell the feeder. */
#include "jobs/submit.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/transact.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_ATTEMPTS = 5, MAX_PICTURE = 64 << 20, LOOKS = 5 };

/* A submission on its way; arrays have one element per wish. */
struct submission {
    struct submitter *s;
    const struct wish *wishes;
    size_t count;
    const struct submit_also *also; /* or NULL */
    struct arena *a;
    const struct recipe **recipes; /* NULL for what cannot be drawn */
    const char **keys;
    struct provider **providers;
    struct generation *rows;
    size_t jobs; /* that wait now */
};

static struct provider *find_provider(struct submitter *s, const char *name)
{
    for (size_t i = 0; s->providers && s->providers[i]; i++)
        if (!name || strcmp(provider_name(s->providers[i]), name) == 0)
            return s->providers[i];
    return NULL;
}

/* ==== from wishes to recipes ==== */

static int complete(struct submission *x, size_t i, struct parameter_problem **problems,
                    struct err *e)
{
    const struct wish *w = &x->wishes[i];
    struct provider *p = find_provider(x->s, w->provider);
    char key[65];

    if (!p)
        return ERR(e, ERR_NOT_FOUND, "no provider '%s'", w->provider ? w->provider : "");
    x->providers[i] = p;
    if (w->impossible)
        return 0;
    if (w->recipe) {
        if (w->key)
            memcpy(key, w->key, strnlen(w->key, 64) + 1);
        else
            recipe_key(w->recipe, provider_name(p), provider_version(p), key);
        x->recipes[i] = w->recipe;
    } else {
        struct recipe *r = ARENA_NEW(x->a, struct recipe);
        int rc = provider_complete(p, w->parameters, x->a, r, key, problems, e);
        if (rc)
            return rc;
        x->recipes[i] = r;
    }
    x->keys[i] = arena_strdup(x->a, key);
    return 0;
}

static void fill_from_recipe(struct generation *g, const struct recipe *r, struct arena *a)
{
    json_t *parameters = recipe_to_json(r);

    g->prompt = r->prompt;
    g->negative_prompt = r->negative;
    g->model_name = r->model;
    g->model_digest = r->digest;
    g->sampler = r->sampler;
    g->schedule = r->schedule;
    g->seed = r->seed;
    g->steps = r->steps;
    g->width = r->width;
    g->height = r->height;
    g->cfg_scale = r->guidance;
    g->parameters = json_compact(parameters, a);
    json_decref(parameters);
}

/* What was asked for, as far as it says: for the grid and for lists. */
static void fill_from_parameters(struct generation *g, const json_t *p, struct arena *a)
{
    const char *seed = json_text(p, "seed", NULL);
    int64_t number = json_int(p, "seed", 0);

    if (seed)
        (void)str_to_i64(str_from(seed), &number);
    g->prompt = arena_strdup(a, json_text(p, "prompt", ""));
    g->negative_prompt = json_text(p, "negative_prompt", NULL);
    g->model_name = arena_strdup(a, json_text(p, "model", ""));
    g->sampler = json_text(p, "sampler", NULL);
    g->schedule = json_text(p, "schedule", NULL);
    g->seed = (uint64_t)number;
    g->steps = (int)json_int(p, "steps", 0);
    g->width = (int)json_int(p, "width", 0);
    g->height = (int)json_int(p, "height", 0);
    g->cfg_scale = json_num(p, "cfg_scale", 0);
    g->parameters = p ? json_compact(p, a) : "{}";
}

static void fill(struct submission *x, size_t i, int64_t now)
{
    const struct wish *w = &x->wishes[i];
    struct generation *g = &x->rows[i];
    char *id = arena_alloc(x->a, UUID_TEXT);

    uuid_v7(id);
    *g = (struct generation){.id = id,
                             .user_id = w->user_id,
                             .run_id = w->run_id,
                             .experiment_id = w->experiment_id,
                             .cell = w->run_id ? w->cell : -1,
                             .replicate = w->replicate,
                             .axes = w->axes,
                             .key = x->keys[i],
                             .status = GENERATION_QUEUED,
                             .provider = provider_name(x->providers[i]),
                             .tags = w->tags,
                             .created_at = now};
    if (w->impossible) {
        g->status = GENERATION_IMPOSSIBLE;
        g->error_code = "impossible";
        g->error = w->impossible;
    }
    if (x->recipes[i])
        fill_from_recipe(g, x->recipes[i], x->a);
    else if (w->recipe)
        fill_from_recipe(g, w->recipe, x->a);
    else
        fill_from_parameters(g, w->parameters, x->a);
}

/* ==== from recipes to rows ==== */

static void end_wish(struct generation *g)
{
    g->status = GENERATION_SUCCEEDED;
    g->reused = true;
    g->generated_at = g->created_at;
}

/* Pictures that exist end their wishes at once; they are looked up in the transaction that inserts
 * the wishes, so that none is missed between. */
static int find_drawn(struct submission *x, struct tx *tx, struct err *e)
{
    const char **keys = arena_alloc(x->a, x->count * sizeof *keys);
    size_t *where = arena_alloc(x->a, x->count * sizeof *where);
    bool *found = arena_alloc(x->a, x->count);
    size_t n = 0;

    for (size_t i = 0; i < x->count; i++) {
        x->rows[i].reused = false;
        if (!x->keys[i])
            continue;
        x->rows[i].status = GENERATION_QUEUED;
        if (x->wishes[i].redraw)
            continue;
        keys[n] = x->keys[i];
        where[n++] = i;
    }
    int rc = n ? generations_drawn(tx, keys, n, found, e) : 0;
    for (size_t i = 0; i < n && !rc; i++)
        if (found[i])
            end_wish(&x->rows[where[i]]);
    return rc;
}

/* The picture may have been drawn since find_drawn looked: then there is no job. */
static int add_job(struct submission *x, size_t i, struct tx *tx, struct err *e)
{
    const struct wish *w = &x->wishes[i];
    char id[UUID_TEXT];
    const char *job;
    struct job_row row = {.id = id,
                          .key = x->keys[i],
                          .recipe = x->rows[i].parameters,
                          .provider = provider_name(x->providers[i]),
                          .model = x->recipes[i]->model,
                          .user_id = w->user_id,
                          .run_id = w->run_id ? w->run_id : w->task_id,
                          .request_id = w->request_id,
                          .trace_id = w->trace_id,
                          .priority = w->priority,
                          .position = w->position,
                          .max_attempts = x->s->max_attempts ? x->s->max_attempts : MAX_ATTEMPTS,
                          .created_at = x->rows[i].created_at,
                          .redraw = w->redraw};

    uuid_v7(id);
    int rc = jobs_add(tx, &row, x->a, &job, e);
    if (rc)
        return rc;
    x->jobs += job != NULL;
    if (!job)
        end_wish(&x->rows[i]);
    return 0;
}

struct keyed {
    const char *key;
    size_t i;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

/* In the order of the keys, so that two submissions never wait for each other. */
static int add_jobs(struct submission *x, struct tx *tx, struct err *e)
{
    struct keyed *all = arena_alloc(x->a, x->count * sizeof *all);
    size_t n = 0;
    int rc = 0;

    x->jobs = 0;
    for (size_t i = 0; i < x->count; i++)
        if (x->rows[i].status == GENERATION_QUEUED)
            all[n++] = (struct keyed){x->keys[i], i};
    qsort(all, n, sizeof *all, by_key);
    for (size_t i = 0; i < n && !rc; i++)
        rc = add_job(x, all[i].i, tx, e);
    return rc;
}

static int insert(struct tx *tx, void *user, struct err *e)
{
    struct submission *x = user;
    int rc = find_drawn(x, tx, e);

    if (!rc)
        rc = generations_insert(tx, x->rows, x->count, e);
    /* Before the jobs: whoever locks a task does so before jobs (storage/tasks.h). */
    if (!rc && x->also)
        rc = x->also->step(tx, x->rows, x->count, x->also->user, e);
    return rc ? rc : add_jobs(x, tx, e);
}

/* The answer to the commit was lost: it happened if and only if the first row is there. */
static bool happened(struct submission *x)
{
    struct generation row;
    struct tx *tx;
    struct err e;
    int rc = ERR_NETWORK;

    for (int i = 1; i <= LOOKS && rc == ERR_NETWORK; i++) {
        double seconds = backoff(i, 0.1, 0.8);
        nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9) % 1000000000}, NULL);
        rc = tx_begin(x->s->db, TX_READ, &tx, &e);
        if (rc)
            continue;
        rc = generations_get(tx, x->rows[0].id, x->a, &row, &e);
        tx_rollback(tx);
    }
    return rc == 0;
}

int submit_with(struct submitter *s, const struct wish *wishes, size_t count,
                const struct submit_also *also, struct arena *a, struct generation **out,
                struct parameter_problem **problems, size_t *bad, struct err *e)
{
    struct submission x = {.s = s, .wishes = wishes, .count = count, .also = also, .a = a};
    int64_t now = clock_unix_ms();
    int rc;

    x.recipes = arena_try(a, count + 1, sizeof *x.recipes);
    x.keys = arena_try(a, count + 1, sizeof *x.keys);
    x.providers = arena_try(a, count + 1, sizeof(struct provider *));
    x.rows = arena_try(a, count + 1, sizeof *x.rows);
    if (!x.recipes || !x.keys || !x.providers || !x.rows)
        return ERR(e, ERR_NOMEM, "no memory for %zu pictures at once", count);
    for (size_t i = 0; i < count; i++) {
        rc = complete(&x, i, problems, e);
        if (rc) {
            if (bad)
                *bad = i;
            return rc;
        }
        fill(&x, i, now);
    }
    rc = transact(s->db, insert, &x, e);
    if (rc && (rc != ERR_NETWORK || !count || !happened(&x)))
        return rc;
    if (x.jobs) {
        bus_tell(s->bus, "wake", "");
        publish_outcome(s, &(struct job_outcome){0}); /* the queue changed */
    }
    *out = x.rows;
    return 0;
}

int submit(struct submitter *s, const struct wish *wishes, size_t count, struct arena *a,
           struct generation **out, struct parameter_problem **problems, size_t *bad, struct err *e)
{
    return submit_with(s, wishes, count, NULL, a, out, problems, bad, e);
}

int submit_picture(struct submitter *s, struct str bytes, struct sent_picture *out, struct err *e)
{
    struct sent_picture sent;
    struct image im;
    int rc;

    if (bytes.n > MAX_PICTURE)
        return ERR(e, ERR_ARG, "a picture of %zu bytes is more than %d", bytes.n, MAX_PICTURE);
    rc = image_decode(bytes.p, bytes.n, &im, NULL, e);
    if (rc)
        return rc;
    sent.width = im.width;
    sent.height = im.height;
    image_release(&im);
    rc = blob_put(s->blobs, bytes.p, bytes.n, sent.sha256, e);
    if (rc == 0)
        *out = sent;
    return rc;
}
