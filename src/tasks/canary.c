/* canary.c: a sample of the records is drawn first, as an experiment, and looked at by people. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "experiments/launch.h"
#include "jobs/transact.h"
#include "tasks/runner_inside.h"
#include "tasks/sample.h"

#include <string.h>

enum { AT_ONCE = 200, LABEL_MOST = 150, NAME_MOST = 180 };

/* ============================== Choosing ============================== */

/* Only the first picture of a record: the others differ in their seeds alone. */
static int offer(struct reading *x, struct sample *s, const struct record *record, struct arena *a,
                 struct err *e)
{
    struct opened *o = x->opened;
    const struct task_kind *k = o->document->kind;
    struct mapping_problem problem;
    struct work *works = NULL;
    size_t count = 0;

    if (record->problem || !record->fields)
        return 0;
    int rc = k->plan(&o->kind, record, a, &works, &count, &problem, e);
    if (rc == ERR_ARG || (rc == 0 && !count))
        return 0; /* it will fail by itself, with its reason */
    if (rc)
        return rc;
    if (sample_offer(s, works[0].stratum, record->id, works[0].key)) {
        json_t *value = k->sample(&o->kind, &works[0], record);
        if (value)
            json_object_set_new(
                value, "value",
                json_sprintf("%llu", (unsigned long long)works[0].wish.recipe->seed));
        sample_keep(s, value);
    }
    return 0;
}

static int offer_all(struct reading *x, struct sample *s, struct err *e)
{
    struct opened *o = x->opened;
    int rc = opened_source(o, NULL, e);
    bool more = true;

    while (rc == 0 && more) {
        struct arena a = {0};
        struct record *records = NULL;
        size_t count = 0;
        rc = dataset_next(o->source, AT_ONCE, &a, &records, &count, e);
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = offer(x, s, &records[i], &a, e);
        records_release(records, count);
        arena_release(&a);
        more = count > 0;
        if (rc == 0 && atomic_load(&x->hand->r->stopping))
            rc = ERR(e, ERR_CANCELLED, "the runner stops");
    }
    opened_source_close(o); /* it stands at its end */
    return rc;
}

/* ============================== The experiment ============================== */

/* At most `most` bytes, whole characters. */
static const char *cut(const char *text, size_t most, struct arena *a)
{
    struct str rest = str_from(text);
    size_t n = 0, step;

    while (rest.n && (step = str_character(rest)) && n + step <= most) {
        n += step;
        rest.p += step;
        rest.n -= step;
    }
    return rest.n ? arena_printf(a, "%.*s...", (int)n, text) : text;
}

/* Labels of an axis are unique, and people read them. */
static void name_values(json_t *values, struct arena *a)
{
    struct map seen = {0};
    json_t *value;
    size_t i;

    json_array_foreach(values, i, value)
    {
        const char *label = cut(json_text(value, "label", "record"), LABEL_MOST, a);
        if (map_put(&seen, str_from(label), value))
            label = arena_printf(a, "%s (%zu)", label, i + 1);
        map_put(&seen, str_from(label), value);
        json_object_set_new(value, "label", json_string(label));
    }
    map_release(&seen);
}

/* An axis of the seed, whose values set everything else: a replicate's seed would go over one that
 * is set. */
static json_t *spec_of(const struct reading *x, json_t *values)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:[{s:s, s:s, s:O}]}", "version", SPEC_VERSION, "type",
                     "parameter_sweep", "name",
                     arena_printf(x->a, "%s sample", cut(x->task.name, NAME_MOST, x->a)), "notes",
                     arena_printf(x->a, "sample of the task %s", x->task.id), "axes", "parameter",
                     "seed", "name", "record", "values", values);
}

struct beginning {
    struct reading *x;
    struct experiment experiment;
    bool empty;
};

static int begin_step(struct tx *tx, void *user, struct err *e)
{
    struct beginning *b = user;
    struct task_change change = reading_no_change();

    change.phase = b->empty ? TASK_RECORDS : TASK_CANARY;
    change.experiment_id = b->empty ? NULL : b->experiment.id;
    if (!b->empty && experiments_insert(tx, &b->experiment, e))
        return e->code;
    return tasks_change(tx, b->x->task.id, b->x->hand->name, &change, clock_unix_ms(), e);
}

/* The experiment's row and the task's word of it in one transaction: there is never a second. */
static int begin(struct reading *x, json_t *values, struct err *e)
{
    char id[UUID_TEXT];
    int64_t now = clock_unix_ms();
    struct beginning b = {.x = x, .empty = json_array_size(values) == 0};

    name_values(values, x->a);
    json_t *spec = spec_of(x, values);
    uuid_v7(id);
    b.experiment = (struct experiment){.id = id,
                                       .name = json_text(spec, "name", "sample"),
                                       .type = "parameter_sweep",
                                       .config = json_compact(spec, x->a),
                                       .status = EXPERIMENT_DRAFT,
                                       .user_id = x->task.user_id,
                                       .created_at = now,
                                       .updated_at = now};
    int rc = transact(x->hand->r->db, begin_step, &b, e);
    json_decref(spec);
    if (rc == 0)
        runner_mark(x->hand->r, x->task.id);
    return rc;
}

int canary_sample(struct reading *x, struct err *e)
{
    const struct task_document *d = x->opened->document;
    struct sample *s = sample_new(d->canary_count, d->canary_seed);

    if (!s)
        return ERR(e, ERR_NOMEM, "no memory for a sample");
    int rc = offer_all(x, s, e);
    if (rc == 0) {
        json_t *values = sample_take(s);
        rc = begin(x, values, e);
        json_decref(values);
    }
    sample_free(s);
    return rc;
}

/* ============================== Its run ============================== */

static int ready_step(struct tx *tx, void *user, struct err *e)
{
    struct reading *x = user;
    int64_t now = clock_unix_ms();
    struct task_change change = reading_no_change();
    struct task task;

    change.status = TASK_AWAITING_APPROVAL;
    if (tasks_change(tx, x->task.id, x->hand->name, &change, now, e) ||
        tasks_get(tx, x->task.id, x->a, &task, e))
        return e->code;
    return call_back_canary(tx, x->opened->document, &task, now, x->a, e);
}

static int look(struct reading *x, struct experiment *experiment, struct run *run, struct err *e)
{
    struct tx *tx;

    if (tx_begin(x->hand->r->db, TX_READ, &tx, e))
        return e->code;
    int rc = experiments_get(tx, x->task.experiment_id, x->a, experiment, e);
    if (rc == 0 && runs_last(tx, x->task.experiment_id, x->a, run, e) && e->code != ERR_NOT_FOUND)
        rc = e->code;
    tx_rollback(tx);
    return rc;
}

static int start(struct reading *x, const struct experiment *experiment, struct err *e)
{
    struct launch l = {.submitter = x->hand->r->tasks->submitter,
                       .user_id = x->task.user_id,
                       .owner = x->task.user_id,
                       .priority = x->opened->document->priority};
    struct spec_problems problems = {0};
    struct run run;
    int rc = launch_start(&l, experiment, x->a, &run, &problems, e);

    spec_problems_release(&problems);
    return rc == ERR_CONFLICT ? 0 : rc; /* somebody started it: it runs */
}

int canary_look(struct reading *x, struct err *e)
{
    struct experiment experiment;
    struct run run = {0};
    int rc = x->task.experiment_id ? look(x, &experiment, &run, e) : ERR_NOT_FOUND;

    x->wait = x->hand->r->o.period_seconds;
    if (rc && rc != ERR_NOT_FOUND)
        return rc;
    if (rc == 0 && (!run.id || (run.status == EXPERIMENT_PAUSED && !run.started_at)))
        return start(x, &experiment, e);
    if (rc == 0 && (run.status == EXPERIMENT_RUNNING || run.status == EXPERIMENT_PAUSED))
        return 0;
    /* Ended; or deleted, and then there is nothing more to look at. */
    rc = transact(x->hand->r->db, ready_step, x, e);
    if (rc == 0) {
        runner_mark(x->hand->r, x->task.id);
        call_back_wake(x->hand->r->calls);
    }
    return rc;
}
