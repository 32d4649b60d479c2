/* judge.c: pairs to judge, and the scores that follow from the votes. */
#include "experiments/judge.h"

#include "api/access.h"
#include "api/api_routes.h"
#include "api/auth.h"
#include "api/batch.h"
#include "api/experiment_json.h"
#include "api/generation_json.h"
#include "base/json.h"
#include "storage/votes.h"

#include <math.h>
#include <string.h>

/* ==== what an experiment's votes say ==== */

struct court {
    struct experiment x;
    struct run run; /* id NULL: never started */
    struct spec *spec;
    struct judge *judge;
    struct vote_seen *votes;
    size_t count;
};

static void court_release(struct court *c)
{
    judge_free(c->judge);
    spec_free(c->spec);
}

/* The spec of the run; base_generation decides no axis. */
static int read_spec(struct court *c, struct err *e)
{
    struct spec_problems problems = {0};
    json_t *document;
    int rc = json_read(str_from(c->run.id ? c->run.spec : c->x.config), &document, e);

    if (rc)
        return rc;
    if (spec_read(document, NULL, &c->spec, &problems))
        rc = ERR(e, ERR_IO, "a stored spec: %s", spec_problems_line(&problems));
    spec_problems_release(&problems);
    json_decref(document);
    return rc;
}

static bool same_user(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : !a && !b;
}

/* The votes of all, or of the asker; skipped ones say nothing. */
static void hear(struct court *c, const char *user, bool all)
{
    static const double won[] = {[VOTE_LEFT] = 1, [VOTE_RIGHT] = 0, [VOTE_TIE] = 0.5};

    for (size_t i = 0; i < c->count; i++) {
        const struct vote *v = &c->votes[i].vote;
        if (v->choice != VOTE_SKIP && (all || same_user(v->user_id, user)))
            judge_add(c->judge, &(struct judge_vote){v->left, c->votes[i].left_axes, v->right,
                                                     c->votes[i].right_axes, won[v->choice]});
    }
}

static int open_court(struct request *r, struct tx *tx, int64_t number, struct court *c,
                      struct err *e)
{
    struct arena *a = request_arena(r);
    int rc = experiment_of(r, tx, &c->x, e);

    if (rc == 0 && (c->x.runs || number))
        rc = run_of(r, tx, c->x.id, number, &c->run, e);
    if (rc == 0)
        rc = votes_of_experiment(tx, c->x.id, a, &c->votes, &c->count, e);
    if (rc == 0)
        rc = read_spec(c, e);
    if (rc == 0)
        c->judge = judge_new(c->spec);
    return rc;
}

/* ==== scores ==== */

static int by_strength(const void *a, const void *b)
{
    const struct judge_value *x = *(const struct judge_value *const *)a,
                             *y = *(const struct judge_value *const *)b;

    if (isnan(x->strength) || isnan(y->strength))
        return isnan(x->strength) - isnan(y->strength);
    return x->strength > y->strength ? -1 : x->strength < y->strength;
}

static json_t *number_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *value_json(const struct judge_value *v)
{
    return json_pack("{s:s, s:O, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "label", v->label,
                     "value", v->value, "votes", (json_int_t)v->votes, "wins", (json_int_t)v->wins,
                     "losses", (json_int_t)v->losses, "ties", (json_int_t)v->ties, "strength",
                     number_or_null(v->strength), "low", number_or_null(v->low), "high",
                     number_or_null(v->high), "win_rate", number_or_null(v->win_rate));
}

static json_t *axis_json(const struct judge_axis *axis, struct arena *a)
{
    const struct judge_value **order = arena_alloc(a, (axis->count + 1) * sizeof *order);
    json_t *values = json_array();

    for (size_t i = 0; i < axis->count; i++)
        order[i] = &axis->values[i];
    qsort(order, axis->count, sizeof *order, by_strength);
    for (size_t i = 0; i < axis->count; i++)
        json_array_append_new(values, value_json(order[i]));
    return json_pack("{s:s, s:I, s:o}", "name", axis->name, "votes", (json_int_t)axis->votes,
                     "values", values);
}

/* Who voted, and how many votes count. */
static void count_votes(const struct court *c, const char *user, bool all, int64_t *counted,
                        int64_t *skipped, int64_t *judges)
{
    struct map seen = {0};

    *counted = *skipped = *judges = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct vote *v = &c->votes[i].vote;
        if (!all && !same_user(v->user_id, user))
            continue;
        *skipped += v->choice == VOTE_SKIP;
        *counted += v->choice != VOTE_SKIP;
        if (v->choice != VOTE_SKIP)
            *judges += map_put(&seen, str_from(v->user_id ? v->user_id : ""), &seen) == NULL;
    }
    map_release(&seen);
}

int api_get_scores(struct request *r, struct response *w, struct err *e)
{
    bool all = strcmp(json_text(request_query(r), "by", "all"), "all") == 0;
    int64_t counted, skipped, judges;
    struct court c = {.count = 0};
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = open_court(r, tx, 0, &c, e);
    tx_rollback(tx);
    if (rc == 0) {
        hear(&c, access_user(r), all);
        rc = judge_fit(c.judge, e);
    }
    if (rc == 0) {
        json_t *axes = json_array();
        for (size_t i = 0; i < c.judge->axis_count; i++)
            json_array_append_new(axes, axis_json(&c.judge->axes[i], request_arena(r)));
        count_votes(&c, access_user(r), all, &counted, &skipped, &judges);
        rc = respond_json(w, 200,
                          json_pack("{s:I, s:I, s:I, s:o}", "votes", (json_int_t)counted, "skipped",
                                    (json_int_t)skipped, "judges", (json_int_t)judges, "axes",
                                    axes));
    }
    court_release(&c);
    return rc;
}

/* ==== pairs ==== */

/* Which axes may differ: those named, or all that make up a setting. */
static int read_axes(struct request *r, const struct spec *spec, bool *may_differ, struct err *e)
{
    const char *names = json_text(request_query(r), "axes", NULL);
    struct str rest = str_from(names), name;

    if (!names)
        for (size_t i = 0; i < spec->axis_count; i++)
            may_differ[i] = spec_axis_is_setting(&spec->axes[i]);
    while (names && str_cut(&rest, ',', &name)) {
        size_t axis = spec_axis_by_name(spec, arena_str(request_arena(r), name));
        if (axis == SIZE_MAX)
            return ERR(e, ERR_ARG, "axes: the experiment has no axis '%.*s'", (int)name.n, name.p);
        if (!spec_axis_is_setting(&spec->axes[axis]))
            return ERR(e, ERR_ARG, "axes: a pair has the same prompt and seed, so '%.*s' is out",
                       (int)name.n, name.p);
        may_differ[axis] = true;
    }
    return 0;
}

/* The asker's: shown in any way, skipped too. */
static size_t judged_by(const struct court *c, const char *user, const char *(*out)[2])
{
    size_t n = 0;

    for (size_t i = 0; i < c->count; i++)
        if (same_user(c->votes[i].vote.user_id, user)) {
            out[n][0] = c->votes[i].vote.left;
            out[n++][1] = c->votes[i].vote.right;
        }
    return n;
}

struct asked {
    struct judge_picture *pictures;
    struct judge_pair *pairs;
    size_t count;
    int64_t remaining, judged;
};

/* Cells beyond the plan, of a run that was cut off while it was renumbered, are left out. */
static int choose(struct request *r, struct tx *tx, struct court *c, struct asked *out,
                  struct err *e)
{
    struct arena *a = request_arena(r);
    bool may_differ[SPEC_MAX_AXES] = {false};
    struct judge_wanted w = {.may_differ = may_differ,
                             .limit = (size_t)json_int(request_query(r), "limit", 20)};
    struct cell_picture *cells;
    size_t count;
    int rc = read_axes(r, c->spec, may_differ, e);

    if (rc || (rc = runs_pictures(tx, c->run.id, a, &cells, &count, e)))
        return rc;
    const char *(*judged)[2] = arena_try(a, c->count + 1, sizeof *judged);
    out->pictures = arena_try(a, count + 1, sizeof *out->pictures);
    if (!judged || !out->pictures)
        return ERR(e, ERR_NOMEM, "no memory for %zu cells", count);
    for (size_t i = 0; i < count; i++)
        if (cells[i].cell >= 0 && (uint64_t)cells[i].cell < c->spec->cells)
            out->pictures[w.count++] = (struct judge_picture){cells[i].id, cells[i].sha256,
                                                              cells[i].prompt_hash, cells[i].seed,
                                                              (size_t)cells[i].cell};
    w.pictures = out->pictures;
    w.judged = (const char *const(*)[2])judged;
    w.judged_count = judged_by(c, access_user(r), judged);
    random_bytes(&w.chance, sizeof w.chance);
    hear(c, NULL, true);
    rc = judge_fit(c->judge, e);
    if (rc == 0)
        rc = judge_pairs(c->judge, c->spec, &w, a, &out->pairs, &out->count, &out->remaining, e);
    out->judged = (int64_t)w.judged_count;
    return rc;
}

static json_t *side_json(const struct generation *g, struct live *live)
{
    json_t *whole = generation_json(g, live), *axes = json_object_get(whole, "axes");
    json_t *o = json_pack("{s:s, s:O, s:O}", "generation_id", g->id, "image",
                          json_object_get(whole, "image"), "axes", axes);

    json_decref(whole);
    return o;
}

static json_t *differs(const struct generation *left, const struct generation *right)
{
    json_t *x = NULL, *y = NULL, *names = json_array(), *value;
    const char *name;
    struct err e;

    if (json_read(str_from(left->axes), &x, &e) == 0 &&
        json_read(str_from(right->axes), &y, &e) == 0)
        json_object_foreach(x, name, value) if (!json_equal(value, json_object_get(y, name)))
            json_array_append_new(names, json_string(name));
    json_decref(x);
    json_decref(y);
    return names;
}

static int answer_pairs(struct request *r, struct tx *tx, const struct asked *q, json_t **out,
                        struct err *e)
{
    struct arena *a = request_arena(r);
    size_t n = q->count * 2, found;
    const char **ids = arena_alloc(a, (n + 1) * sizeof *ids);
    struct generation *rows, **by_id = arena_alloc(a, (n + 1) * sizeof *by_id);
    struct live *live = app_of(r)->live;

    for (size_t i = 0; i < q->count; i++) {
        ids[2 * i] = q->pictures[q->pairs[i].left].id;
        ids[2 * i + 1] = q->pictures[q->pairs[i].right].id;
    }
    int rc = generations_pick(tx, ids, n, a, &rows, &found, e);
    if (rc)
        return rc;
    batch_match(r, ids, n, rows, found, by_id);
    json_t *items = json_array();
    for (size_t i = 0; i < n; i += 2)
        if (by_id[i] && by_id[i + 1])
            json_array_append_new(
                items, json_pack("{s:o, s:o, s:s, s:o}", "left", side_json(by_id[i], live), "right",
                                 side_json(by_id[i + 1], live), "prompt", by_id[i]->prompt,
                                 "differs", differs(by_id[i], by_id[i + 1])));
    *out = json_pack("{s:o, s:I, s:I}", "items", items, "remaining", (json_int_t)q->remaining,
                     "judged", (json_int_t)q->judged);
    return 0;
}

int api_list_pairs(struct request *r, struct response *w, struct err *e)
{
    struct court c = {.count = 0};
    struct asked asked = {.count = 0};
    json_t *answer = NULL;
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = open_court(r, tx, json_int(request_query(r), "run", 0), &c, e);
    if (rc == 0 && !c.run.id)
        rc = ERR(e, ERR_CONFLICT, "the experiment has not been started");
    if (rc == 0)
        rc = choose(r, tx, &c, &asked, e);
    if (rc == 0)
        rc = answer_pairs(r, tx, &asked, &answer, e);
    tx_rollback(tx);
    court_release(&c);
    return rc ? rc : respond_json(w, 200, answer);
}
