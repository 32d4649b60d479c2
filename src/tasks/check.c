/* check.c: the dry run: everything is read and asked, nothing is written. */
#include "base/json.h"
#include "base/map.h"
#include "datasets/results.h"
#include "tasks/call_back.h"
#include "tasks/check_seen.h"
#include "tasks/control_check.h"
#include "tasks/mapping.h"
#include "tasks/record_json.h"

#include <math.h>
#include <string.h>

enum { AT_ONCE = 200, PROBLEMS = 20, EXAMPLES = 5, PARTS = 8 };

struct checking {
    const struct tasks *t;
    const struct task_check_options *o;
    struct task_document *d;
    struct task task; /* as it would be */
    struct kind_context kind;
    bool kind_is_open;
    struct dataset *source;
    int64_t total;
    struct arena *a; /* of what is told */
    struct task_check *out;
    struct seen pairs, keys, names;
    bool full;
    struct map costs; /* settings of a picture -> struct cost_history */
    struct arena cost_arena;
    int64_t estimated, wanted; /* works to be drawn */
};

/* ==== what must be there ==== */

static void part(struct checking *x, const char *name, int rc, const char *detail,
                 const struct err *e)
{
    struct task_check *out = x->out;

    if (out->part_count < PARTS)
        out->parts[out->part_count++] =
            (struct task_check_part){name, rc == 0, arena_strdup(x->a, rc ? e->message : detail)};
}

static void check_source(struct checking *x)
{
    struct err e = {0};
    int rc = dataset_open(x->d->source, &x->d->access, &x->source, &e);

    x->total = -1;
    if (!rc)
        rc = dataset_count(x->source, &x->total, &e);
    if (!rc)
        rc = dataset_seek(x->source, NULL, &e);
    part(x, "source", rc,
         x->total < 0 ? x->d->dataset
                      : arena_printf(x->a, "%s, %lld records", x->d->dataset, (long long)x->total),
         &e);
    if (rc) {
        dataset_close(x->source);
        x->source = NULL;
    }
}

static void check_model(struct checking *x)
{
    const struct task_kind *kind = x->d->kind;
    struct err e = {0};
    int rc = task_document_resolve(x->t, x->d, &e);
    const char *detail = kind->summary;

    x->kind = (struct kind_context){.tasks = x->t, .document = x->d, .task = &x->task};
    if (!rc && kind->open)
        rc = kind->open(&x->kind, &e);
    x->kind_is_open = !rc;
    const char *config = json_text(x->d->model, "name", NULL);
    if (!rc && config)
        detail = arena_printf(x->a, "%s, configuration %s version %lld",
                              json_text(x->d->model, "model", ""), config,
                              (long long)json_int(x->d->model, "version", 1));
    else if (!rc && kind->draws)
        detail = json_text(x->d->model, "model", "");
    part(x, "model", rc, detail, &e);
}

static void check_destination(struct checking *x)
{
    struct objects *store = NULL;
    struct err e = {0};
    int rc = task_destination_open(x->t, x->d, &store, &e);

    if (!rc)
        rc = objects_check(store, &e);
    objects_close(store);
    part(x, "destination", rc, x->d->url, &e);
}

static void check_results(struct checking *x)
{
    struct results *r = NULL;
    struct err e = {0};
    int rc = results_open(x->d->results, x->d->source, &x->d->results_access, &r, &e);

    if (!rc)
        rc = results_ping(r, &e);
    results_close(r);
    part(x, "results", rc, json_text(x->d->results, "type", ""), &e);
}

static void check_parts(struct checking *x)
{
    struct err e = {0};

    check_source(x);
    check_model(x);
    check_destination(x);
    if (x->d->results)
        check_results(x);
    if (x->d->callbacks.url)
        part(x, "callbacks", call_back_check(x->t, &x->d->callbacks, &e), x->d->callbacks.url, &e);
}

/* ==== records ==== */

static void add_problem(struct checking *x, const struct record *record, const char *field,
                        const char *message)
{
    struct task_check *out = x->out;
    size_t i = out->problem_count;

    if (i >= PROBLEMS)
        return;
    out->problems[i].record_id = record->id ? arena_strdup(x->a, record->id) : NULL;
    out->problems[i].field = field ? arena_strdup(x->a, field) : NULL;
    out->problems[i].message = arena_strdup(x->a, message ? message : "it cannot be mapped");
    out->problems[i].number = record->number;
    out->problem_count++;
}

static const char *prompt_of(const struct work *w, struct arena *a)
{
    json_t *request = NULL;
    const char *text = w->wish.recipe ? w->wish.recipe->prompt : NULL;
    struct err e;

    if (!text && w->request && json_read(str_from(w->request), &request, &e) == 0)
        text = json_text(request, "hint", json_text(request, "image", NULL));
    text = text ? arena_strdup(a, text) : NULL;
    json_decref(request);
    return text;
}

static void add_example(struct checking *x, const struct record *record, const struct work *w)
{
    struct task_check *out = x->out;
    size_t i = out->example_count;

    if (i >= EXAMPLES)
        return;
    out->examples[i].record_id = arena_strdup(x->a, record->id);
    out->examples[i].object = arena_strdup(x->a, w->object);
    out->examples[i].prompt = prompt_of(w, x->a);
    out->example_count++;
}

/* Pictures of the same settings cost the same: the history is asked once for each. */
static const struct cost_history *cost_of(struct checking *x, const struct recipe *r,
                                          struct arena *a)
{
    const char *settings = arena_printf(a, "%s %d %d %d %d", r->digest ? r->digest : r->model,
                                        r->width, r->height, r->steps, r->guidance > 1);
    struct cost_history *known = map_get(&x->costs, str_from(settings));
    struct tx *tx;
    struct err e;

    if (known)
        return known;
    known = ARENA_NEW(&x->cost_arena, struct cost_history);
    if (tx_begin(x->t->submitter->db, TX_READ, &tx, &e) == 0) {
        if (generations_cost(tx, r, r->guidance > 1, known, &e))
            known->samples = 0;
        tx_rollback(tx);
    }
    map_put(&x->costs, str_from(settings), known);
    return known;
}

static void estimate(struct checking *x, const struct work *w, struct arena *a)
{
    const struct recipe *r = w->wish.recipe;
    const struct cost_history *c = r ? cost_of(x, r, a) : NULL;

    x->wanted++;
    if (!c || !c->samples)
        return;
    x->estimated++;
    x->out->seconds += c->seconds_fixed + c->seconds_per_step * r->steps;
    x->out->bytes += c->bytes;
}

struct planned {
    const struct record *record;
    const struct work *work;
};

static void look_at(struct checking *x, const struct planned *p, bool drawn, struct arena *a)
{
    const struct work *w = p->work;
    struct task_check *out = x->out;
    enum seen_answer pair = seen_add(&x->pairs, arena_printf(a, "%s\n%s", w->key, p->record->id));

    out->works++;
    out->drawn += drawn;
    x->full |= pair == SEEN_FULL;
    if (seen_add(&x->keys, w->key) == SEEN_BEFORE)
        out->duplicates++;
    else if (!drawn)
        estimate(x, w, a);
    if (pair == SEEN_BEFORE)
        return; /* the same record again */
    if (seen_add(&x->names, w->object) == SEEN_BEFORE) {
        out->collisions++;
        add_problem(x, p->record, "object",
                    arena_printf(a, "an earlier record has the object '%s' already", w->object));
    }
    add_example(x, p->record, w);
}

static int find_drawn(struct checking *x, const struct planned *all, size_t count, bool *drawn,
                      struct arena *a, struct err *e)
{
    const char **keys = arena_alloc(a, (count + 1) * sizeof *keys);
    struct tx *tx;
    int rc;

    if (!x->d->kind->draws || !count)
        return 0;
    for (size_t i = 0; i < count; i++)
        keys[i] = all[i].work->key;
    rc = tx_begin(x->t->submitter->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = generations_drawn(tx, keys, count, drawn, e);
    tx_rollback(tx);
    return rc;
}

static int plan_one(struct checking *x, const struct record *record, struct planned *all,
                    size_t *count, struct arena *a, struct err *e)
{
    struct mapping_problem problem = {0};
    struct work *works;
    size_t n = 0;
    int rc = record->problem ? ERR_ARG : 0;

    x->out->records++;
    if (rc)
        problem.message = record->problem;
    else
        rc = x->d->kind->plan(&x->kind, record, a, &works, &n, &problem, e);
    if (rc == ERR_ARG) {
        x->out->invalid++;
        add_problem(x, record, problem.field, problem.message);
        return 0;
    }
    for (size_t i = 0; i < n && !rc; i++)
        all[(*count)++] = (struct planned){record, &works[i]};
    return rc;
}

static int read_batch(struct checking *x, size_t limit, bool *end, struct err *e)
{
    struct arena a = {0};
    struct record *records = NULL;
    size_t n = 0, count = 0;
    int rc = dataset_next(x->source, limit, &a, &records, &n, e);

    if (rc) {
        arena_release(&a);
        return rc;
    }
    struct planned *all = arena_alloc(&a, (n * (size_t)x->d->count + 1) * sizeof *all);
    bool *drawn = arena_alloc(&a, n * (size_t)x->d->count + 1);
    for (size_t i = 0; i < n && !rc; i++)
        rc = plan_one(x, &records[i], all, &count, &a, e);
    if (!rc)
        rc = find_drawn(x, all, count, drawn, &a, e);
    for (size_t i = 0; i < count && !rc; i++)
        look_at(x, &all[i], drawn[i], &a);
    records_release(records, n);
    arena_release(&a);
    *end = n == 0;
    return rc;
}

static int read_records(struct checking *x, struct err *e)
{
    struct task_check *out = x->out;
    int64_t most = x->o && x->o->limit > 0 ? x->o->limit : INT64_MAX;
    bool end = false;
    int rc = 0;

    while (!rc && !end && !x->full && out->records < most) {
        int64_t left = most - out->records;
        rc = read_batch(x, left < AT_ONCE ? (size_t)left : AT_ONCE, &end, e);
        if (!rc && x->o && x->o->tell && x->o->tell(x->o->user, out->records, x->total))
            rc = ERR(e, ERR_CANCELLED, "the check was stopped");
    }
    out->complete = !rc && (end || out->records == x->total);
    return rc;
}

/* ==== the whole ==== */

/* Of what is not known of some pictures, the mean of the others is taken. */
static void settle_estimates(struct checking *x)
{
    struct task_check *out = x->out;
    const json_t *cost = json_object_get(x->d->written, "cost");

    if (!out->works || (x->wanted && !x->estimated)) {
        out->seconds = out->bytes = NAN;
    } else if (x->wanted) {
        out->seconds *= (double)x->wanted / (double)x->estimated;
        out->bytes *= (double)x->wanted / (double)x->estimated;
    }
    out->cost = cost ? x->d->cost_per_hour * out->seconds / 3600 : NAN;
}

int task_check(const struct tasks *t, const struct task_create *c,
               const struct task_check_options *o, struct arena *a, struct task_check *out,
               struct task_problems *problems, struct err *e)
{
    struct task_check check = {.complete = false};
    struct checking x = {.t = t, .o = o, .a = a, .out = &check};
    struct err why;
    int rc = control_read(t, c, a, &x.d, problems, e);

    if (rc)
        return rc;
    x.task = control_row(t, c, x.d, a);
    check_parts(&x);
    if (x.source && x.kind_is_open)
        rc = read_records(&x, &why);
    if (rc && rc != ERR_CANCELLED) {
        part(&x, "records", rc, "", &why);
        rc = 0;
    }
    settle_estimates(&x);
    if (x.kind_is_open && x.d->kind->close)
        x.d->kind->close(&x.kind);
    dataset_close(x.source);
    seen_release(&x.pairs);
    seen_release(&x.keys);
    seen_release(&x.names);
    map_release(&x.costs);
    arena_release(&x.cost_arena);
    task_document_free(x.d);
    if (rc)
        return ERR(e, rc, "%s", why.message);
    *out = check;
    return 0;
}

json_t *task_check_to_json(const struct task_check *c)
{
    json_t *parts = json_array(), *problems = json_array(), *examples = json_array();
    bool ok = !c->invalid && !c->collisions;

    for (size_t i = 0; i < c->part_count; i++) {
        ok = ok && c->parts[i].ok;
        json_array_append_new(parts, json_pack("{s:s, s:b, s:s}", "part", c->parts[i].part, "ok",
                                               (int)c->parts[i].ok, "detail", c->parts[i].detail));
    }
    for (size_t i = 0; i < c->problem_count; i++)
        json_array_append_new(problems, json_pack("{s:o, s:I, s:o, s:s}", "record_id",
                                                  json_text_or_null(c->problems[i].record_id),
                                                  "number", (json_int_t)c->problems[i].number,
                                                  "field", json_text_or_null(c->problems[i].field),
                                                  "message", c->problems[i].message));
    for (size_t i = 0; i < c->example_count; i++)
        json_array_append_new(examples,
                              json_pack("{s:s, s:s, s:o}", "record_id", c->examples[i].record_id,
                                        "object", c->examples[i].object, "prompt",
                                        json_text_or_null(c->examples[i].prompt)));
    return json_pack("{s:b, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:b}", "ok",
                     (int)ok, "parts", parts, "records", (json_int_t)c->records, "works",
                     (json_int_t)c->works, "drawn", (json_int_t)c->drawn, "duplicates",
                     (json_int_t)c->duplicates, "invalid", (json_int_t)c->invalid, "collisions",
                     (json_int_t)c->collisions, "problems", problems, "examples", examples,
                     "seconds", json_real_or_null(c->seconds), "bytes", json_real_or_null(c->bytes),
                     "cost", json_real_or_null(c->cost), "complete", (int)c->complete);
}
