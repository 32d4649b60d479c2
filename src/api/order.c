#include "api/order.h"

#include "api/access.h"
#include "api/generation_json.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "ops/metrics.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The bus only hints: between two hints the database is asked this often. */
static const double LOOK_SECONDS = 3;

/* ==== parameters ==== */

/* A number or decimal text; -1, null or nothing: random, below 2^32 as torch's users expect. */
static bool read_seed(const json_t *value, uint64_t *out)
{
    const char *text = json_string_value(value);
    uint32_t random;

    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *out = (uint64_t)json_integer_value(value);
        return true;
    }
    if (!text) {
        random_bytes(&random, sizeof random);
        *out = random;
        return !value || json_is_null(value) || json_integer_value(value) == -1;
    }
    errno = 0;
    *out = strtoull(text, NULL, 10);
    return errno == 0 && text[0] && strspn(text, "0123456789") == strlen(text);
}

const char **tag_list(const json_t *tags, struct arena *a)
{
    size_t n = json_array_size(tags), kept = 0, k;
    const char **list = arena_alloc(a, (n + 1) * sizeof *list);

    for (size_t i = 0; i < n; i++) {
        const char *tag = json_string_value(json_array_get(tags, i));
        for (k = 0; k < kept && strcmp(list[k], tag) != 0; k++)
            ;
        if (k == kept)
            list[kept++] = arena_strdup(a, tag);
    }
    return list;
}

static const char *outer_name(const struct order_wishes *wishes, const char *name)
{
    for (size_t i = 0; wishes->names && wishes->names[i][0]; i++)
        if (strcmp(wishes->names[i][0], name) == 0)
            return wishes->names[i][1];
    return name;
}

static int answer_parameters(struct request *r, struct response *w,
                             const struct order_wishes *wishes,
                             const struct parameter_problem *problems, const struct err *why)
{
    respond_problem(w, 422, "invalid", "%s", why->message);
    for (; problems && problems->name; problems++)
        problem_field(w, arena_printf(request_arena(r), "/%s", outer_name(wishes, problems->name)),
                      "%s", problems->expected);
    return 1;
}

int answer_model_missing(struct request *r, struct response *w, const struct err *why)
{
    struct provider_model *models;
    size_t count = 0;
    struct err ignored;
    json_t *names = json_array();

    if (provider_models(app_of(r)->provider, request_arena(r), &models, &count, &ignored))
        count = 0;
    for (size_t i = 0; i < count; i++)
        if (!models[i].error)
            json_array_append_new(names, json_string(models[i].name));
    respond_problem(w, 404, "model_not_found", "%s", why->message);
    problem_add(w, "models", names);
    return 1;
}

static int submit_wishes(struct request *r, struct response *w, const struct order_wishes *what,
                         const struct wish *wishes, struct generation **out, struct err *e)
{
    struct parameter_problem *problems = NULL;
    size_t bad = 0;
    int rc = submit(app_of(r)->submitter, wishes, (size_t)what->count, request_arena(r), out,
                    &problems, &bad, e);

    if (rc == ERR_ARG)
        return answer_parameters(r, w, what, problems, e);
    if (rc == ERR_NOT_FOUND)
        return answer_model_missing(r, w, e);
    for (int i = 0; rc == 0 && i < what->count; i++)
        if ((*out)[i].reused)
            metrics_add(app_of(r)->metrics, METRIC_CELLS_REUSED, "", 1);
    return rc;
}

/* ==== orders ==== */

bool generation_ended(const struct generation *g)
{
    return g->status != GENERATION_QUEUED && g->status != GENERATION_RUNNING;
}

bool order_ended(const struct order *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (!generation_ended(&o->generations[i]))
            return false;
    return true;
}

/* Those that may have changed; a picture that was there before is not in the rows of submit. */
static bool is_stale(const struct generation *g)
{
    return !generation_ended(g) || (g->status == GENERATION_SUCCEEDED && !g->sha256);
}

int order_refresh(struct order *o, struct request *r, struct err *e)
{
    struct tx *tx;
    int rc;

    if ((rc = tx_begin(o->app->db, TX_READ, &tx, e)))
        return rc;
    for (size_t i = 0; i < o->count && !rc; i++) {
        struct generation *g = &o->generations[i], now;
        if (!is_stale(g))
            continue;
        rc = generations_get(tx, g->id, request_arena(r), &now, e);
        if (rc == 0)
            *g = now;
        if (rc == ERR_NOT_FOUND) { /* deleted by somebody: nothing will come */
            g->status = GENERATION_CANCELLED;
            rc = 0;
        }
    }
    tx_rollback(tx);
    return rc;
}

int order_place(struct request *r, struct response *w, const struct order_wishes *what,
                struct order **out, struct err *e)
{
    struct arena *a = request_arena(r);
    struct wish *wishes = arena_alloc(a, (size_t)what->count * sizeof *wishes);
    struct order *o = ARENA_NEW(a, struct order);
    uint64_t seed;
    int rc;

    if (!read_seed(json_object_get(what->parameters, "seed"), &seed)) {
        respond_problem(w, 422, "invalid", "the seed cannot be used");
        problem_field(w, arena_printf(a, "/%s", outer_name(what, "seed")),
                      "an integer from 0 to 18446744073709551615, or -1");
        return 1;
    }
    const char **tags = tag_list(what->tags, a);
    for (int i = 0; i < what->count; i++) {
        json_t *parameters = json_copy((json_t *)what->parameters);
        json_object_set_new(parameters, "seed", seed_json(seed + (uint64_t)i));
        wishes[i] = (struct wish){.parameters = parameters,
                                  .user_id = access_user(r),
                                  .request_id = request_id(r),
                                  .trace_id = log_here().trace_id,
                                  .priority = what->priority,
                                  .cell = -1,
                                  .tags = tags};
    }
    rc = submit_wishes(r, w, what, wishes, &o->generations, e);
    for (int i = 0; i < what->count; i++)
        json_decref((json_t *)wishes[i].parameters);
    if (rc)
        return rc;
    o->app = app_of(r);
    o->count = (size_t)what->count;
    for (size_t i = 0; i < o->count; i++)
        if (is_stale(&o->generations[i]) && generation_ended(&o->generations[i])) {
            if ((rc = order_refresh(o, r, e)))
                return rc;
            break;
        }
    *out = o;
    return 0;
}

int order_recall(struct request *r, const char *const *ids, struct order **out, struct err *e)
{
    struct arena *a = request_arena(r);
    struct order *o = ARENA_NEW(a, struct order);
    size_t room = 0;
    struct tx *tx;
    int rc;

    while (ids[room])
        room++;
    o->app = app_of(r);
    o->generations = arena_alloc(a, (room + 1) * sizeof *o->generations);
    if ((rc = tx_begin(o->app->db, TX_READ, &tx, e)))
        return rc;
    for (size_t i = 0; i < room && !rc; i++) {
        rc = generations_get(tx, ids[i], a, &o->generations[o->count], e);
        if (rc == 0)
            o->count++;
        else if (rc == ERR_NOT_FOUND) /* deleted since */
            rc = 0;
    }
    tx_rollback(tx);
    if (rc)
        return rc;
    if (!o->count)
        return ERR(e, ERR_NOT_FOUND, "the generations of this Idempotency-Key have been deleted");
    *out = o;
    return 0;
}

/* ==== waiting ==== */

/* A generation ended: told by the bus, or seen in the database; counts once. */
static void count_one(struct order_wait *one)
{
    if (!atomic_exchange(&one->counted, true) && atomic_fetch_sub(&one->order->pending, 1) == 1)
        later_finish(one->order->later);
}

/* On the bus's thread. */
static void one_ended(void *user, const char *generation_id)
{
    (void)generation_id;
    count_one(user);
}

static void forget_waits(struct order *o)
{
    for (size_t i = 0; i < o->count; i++) {
        if (o->waits[i].wait)
            wait_forget(o->app->submitter, o->waits[i].wait);
        o->waits[i].wait = NULL;
    }
}

static int go_on(struct request *r, struct response *w, void *user, struct err *e);

/* Wait for hints that all have ended, or for a while. */
static int sleep_on_it(struct order *o, struct request *r, struct response *w, double seconds,
                       struct err *e)
{
    int pending = 0, rc;

    for (size_t i = 0; i < o->count; i++) {
        bool ended = generation_ended(&o->generations[i]);
        o->waits[i].order = o;
        atomic_store(&o->waits[i].counted, ended);
        pending += !ended;
    }
    atomic_store(&o->pending, pending);
    seconds = seconds < LOOK_SECONDS ? seconds : LOOK_SECONDS;
    o->look_at = clock_seconds() + seconds;
    o->later = respond_later(r, w, seconds, go_on, o);
    for (size_t i = 0; i < o->count; i++)
        if (!generation_ended(&o->generations[i]))
            o->waits[i].wait =
                wait_for(o->app->submitter, o->generations[i].id, one_ended, &o->waits[i]);
    /* What ended before it was waited for gives no hint. */
    if ((rc = order_refresh(o, r, e))) {
        forget_waits(o);
        return rc;
    }
    for (size_t i = 0; i < o->count; i++)
        if (generation_ended(&o->generations[i]))
            count_one(&o->waits[i]);
    return 0;
}

static int go_on(struct request *r, struct response *w, void *user, struct err *e)
{
    struct order *o = user;
    int rc;

    forget_waits(o);
    if ((rc = order_refresh(o, r, e)))
        return rc;
    double now = clock_seconds(), left = o->until - now;
    /* Woken early although something is still waited for: the server stops. */
    bool stopping = now < o->look_at - 0.1 && atomic_load(&o->pending) > 0;
    o->timed_out = !order_ended(o) && (left <= 0 || stopping);
    if (order_ended(o) || o->timed_out || request_gone(r))
        return o->answer(r, w, o, e);
    return sleep_on_it(o, r, w, left, e);
}

int order_wait(struct order *o, struct request *r, struct response *w, double seconds,
               order_answer *answer, void *user, struct err *e)
{
    o->answer = answer;
    o->user = user;
    o->until = clock_seconds() + seconds;
    if (order_ended(o))
        return answer(r, w, o, e);
    o->waits = arena_alloc(request_arena(r), o->count * sizeof *o->waits);
    return sleep_on_it(o, r, w, seconds, e);
}
