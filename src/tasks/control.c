#include "tasks/control.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/transact.h"
#include "storage/experiments.h"
#include "tasks/call_back.h"
#include "tasks/control_check.h"
#include "tasks/document_parts.h"
#include "tasks/record_json.h"

#include <string.h>

/* ==== before anything is written ==== */

/* The document with the canary that was asked for; a new reference. */
static json_t *with_canary(const struct task_create *c)
{
    json_t *json = json_deep_copy(c->json), *canary = json_object_get(json, "canary");

    if (c->canary == 0)
        json_object_del(json, "canary");
    if (c->canary <= 0 || !json_is_object(json))
        return json;
    if (!json_is_object(canary)) {
        canary = json_object();
        json_object_set_new(json, "canary", canary);
    }
    json_object_set_new(canary, "count", json_integer(c->canary));
    return json;
}

/* Connections and secrets are known by name to the operator alone. */
static void check_names(const struct tasks *t, const struct task_document *d, struct arena *a,
                        struct task_problems *problems)
{
    const struct {
        const json_t *object;
        const char *pointer;
    } places[] = {{d->source, "/source"}, {d->results, "/results"}, {d->from, "/model/from"}};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *name = json_text(places[i].object, "connection", NULL);
        if (name && (!t->connection || !t->connection(t->outside, name)))
            task_problem(problems, a, part_pointer(a, places[i].pointer, "connection"),
                         "a connection that this server knows (CAULDRON_CONNECTION_%s)", name);
    }
    const char *secret = d->callbacks.url ? d->callbacks.secret : NULL;
    if (secret && (!t->secret || !t->secret(t->outside, secret)))
        task_problem(problems, a, "/callbacks/secret",
                     "a secret that this server knows (CAULDRON_SECRET_%s)", secret);
}

int control_read(const struct tasks *t, const struct task_create *c, struct arena *a,
                 struct task_document **out, struct task_problems *problems, struct err *e)
{
    struct task_document *d = NULL;
    json_t *json = with_canary(c);
    int rc = task_document_read(t, json, c->trusted, c->folder, a, &d, problems, e);

    json_decref(json);
    if (rc)
        return rc;
    check_names(t, d, a, problems);
    if (problems->count) {
        task_document_free(d);
        return ERR(e, ERR_ARG, "%s: expected %s", problems->at[0].pointer,
                   problems->at[0].expected);
    }
    *out = d;
    return 0;
}

int control_try_kind(const struct tasks *t, const struct task_document *d, const struct task *task,
                     struct err *e)
{
    struct kind_context context = {.tasks = t, .document = d, .task = task};

    if (!d->kind->open)
        return 0;
    int rc = d->kind->open(&context, e);
    if (!rc)
        d->kind->close(&context);
    return rc;
}

struct task control_row(const struct tasks *t, const struct task_create *c,
                        const struct task_document *d, struct arena *a)
{
    char *id = arena_alloc(a, UUID_TEXT);
    int64_t now = clock_unix_ms();

    uuid_v7(id);
    return (struct task){.id = id,
                         .name = arena_strdup(a, d->name),
                         .kind = d->kind->name,
                         .user_id = c->user_id,
                         .spec = json_compact(d->written, a),
                         .folder = c->folder,
                         .host = task_document_is_local(d) ? t->host : NULL,
                         .trusted = c->trusted,
                         .status = TASK_RUNNING,
                         .phase = d->canary_count ? TASK_SAMPLE : TASK_RECORDS,
                         .version = 1,
                         .rounds = 1,
                         .records = -1,
                         .created_at = now,
                         .started_at = now};
}

/* ==== create, run again ==== */

struct creating {
    const struct task_create *c;
    const struct task *row;
    struct arena *a;
    struct task found;
    bool existed;
};

static bool is_active(const struct task *t)
{
    return t->status == TASK_RUNNING || t->status == TASK_PAUSED ||
           t->status == TASK_AWAITING_APPROVAL;
}

/* What two specs say; `bare`: whatever version of a configuration they were resolved to, and
 * whether or not a sample comes first. */
static bool same_spec(const char *left, const char *right, bool bare, struct arena *a)
{
    json_t *x = NULL, *y = NULL;
    struct err e;
    bool same = false;

    if (json_read(str_from(left), &x, &e) == 0 && json_read(str_from(right), &y, &e) == 0) {
        if (bare) {
            json_object_del(json_object_get(x, "model"), "resolved");
            json_object_del(json_object_get(y, "model"), "resolved");
            json_object_del(x, "canary");
            json_object_del(y, "canary");
        }
        same = strcmp(json_canonical(x, a), json_canonical(y, a)) == 0;
    }
    json_decref(x);
    json_decref(y);
    return same;
}

static int existing(struct creating *x, struct tx *tx, struct err *e)
{
    const struct task *found = &x->found, *row = x->row;
    const char *folder = found->folder ? found->folder : "", *here = row->folder ? row->folder : "";
    bool sample = row->phase == TASK_SAMPLE && (x->c->canary > 0 || !found->approved);

    x->existed = true;
    if (!x->c->again)
        return ERR(e, ERR_CONFLICT,
                   "there is a task '%s' already: run it again, or name this one "
                   "differently",
                   row->name);
    if (strcmp(folder, here) != 0 || found->trusted != row->trusted)
        return ERR(e, ERR_CONFLICT,
                   "task '%s' was made %s%s: run it there, or name this one "
                   "differently",
                   row->name, folder[0] ? "in folder " : "by somebody else", folder);
    if (strcmp(found->kind, row->kind) != 0)
        return ERR(e, ERR_CONFLICT, "task '%s' is of kind %s", row->name, found->kind);
    if (is_active(found) && same_spec(found->spec, row->spec, true, x->a))
        return 0; /* it is on its way already */
    if (is_active(found))
        return ERR(e, ERR_CONFLICT, "task '%s' is %s with another document: cancel it first",
                   row->name, task_status_name(found->status));
    const char *spec = same_spec(found->spec, row->spec, false, x->a) ? NULL : row->spec;
    return tasks_again(tx, found->id, spec, sample ? TASK_SAMPLE : TASK_RECORDS, row->started_at,
                       e);
}

static int create_step(struct tx *tx, void *user, struct err *e)
{
    struct creating *x = user;
    int rc = tasks_by_name(tx, x->row->user_id, x->row->name, x->a, &x->found, e);

    x->existed = false;
    if (rc == 0)
        return existing(x, tx, e);
    return rc == ERR_NOT_FOUND ? tasks_insert(tx, x->row, e) : rc;
}

static int get_task(const struct tasks *t, const char *id, struct arena *a, struct task *out,
                    struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(t->submitter->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = tasks_get(tx, id, a, out, e);
    tx_rollback(tx);
    return rc;
}

int task_create(const struct tasks *t, const struct task_create *c, struct arena *a,
                struct task *out, bool *existed, struct task_problems *problems, struct err *e)
{
    struct creating x = {.c = c, .a = a};
    struct task_document *d;
    struct task row;
    int rc = control_read(t, c, a, &d, problems, e);

    if (rc)
        return rc;
    if (d->callbacks.url && call_back_check(t, &d->callbacks, e)) {
        task_problem(problems, a, "/callbacks/url", "a URL that may be called: %s", e->message);
        rc = e->code;
    }
    if (!rc)
        rc = task_document_resolve(t, d, e);
    row = control_row(t, c, d, a);
    x.row = &row;
    if (!rc)
        rc = control_try_kind(t, d, &row, e);
    if (!rc)
        rc = transact(t->submitter->db, create_step, &x, e);
    task_document_free(d);
    if (!rc)
        rc = get_task(t, x.existed ? x.found.id : row.id, a, out, e);
    if (!rc)
        *existed = x.existed;
    return rc;
}

/* ==== one step on one task ==== */

struct stepping {
    const struct tasks *t;
    const char *id;
    bool yes;
    const char *const *classes;
    int64_t now;
    struct arena *a;
    const char **generations; /* to be cancelled */
    size_t count;
};

static int again_step(struct tx *tx, void *user, struct err *e)
{
    struct stepping *s = user;

    return tasks_again(tx, s->id, NULL, TASK_RECORDS, s->now, e);
}

int task_run_again(const struct tasks *t, const char *id, struct arena *a, struct task *out,
                   struct err *e)
{
    struct stepping s = {.id = id, .now = clock_unix_ms()};
    int rc = transact(t->submitter->db, again_step, &s, e);

    return rc ? rc : get_task(t, id, a, out, e);
}

static int pause_step(struct tx *tx, void *user, struct err *e)
{
    struct stepping *s = user;

    return tasks_pause(tx, s->id, s->yes, e);
}

/* The canary's run stops and goes on with its task. */
static void pause_canary(const struct tasks *t, const char *id, bool paused)
{
    struct arena a = {0};
    struct task task;
    struct tx *tx;
    struct run run = {0};
    struct err e;

    if (get_task(t, id, &a, &task, &e) || !task.experiment_id ||
        tx_begin(t->submitter->db, TX_READ, &tx, &e)) {
        arena_release(&a);
        return;
    }
    int rc = runs_last(tx, task.experiment_id, &a, &run, &e);
    tx_rollback(tx);
    if (rc == 0 && run.status == (paused ? EXPERIMENT_RUNNING : EXPERIMENT_PAUSED) &&
        pause_run(t->submitter, run.id, paused, &e))
        LOG(LOG_WARNING, "the sample of a task is not paused", LOG_TEXT("task", id), LOG_ERR(&e));
    arena_release(&a);
}

int task_pause(const struct tasks *t, const char *id, bool paused, struct err *e)
{
    struct stepping s = {.id = id, .yes = paused, .now = clock_unix_ms()};
    int rc = transact(t->submitter->db, pause_step, &s, e);

    if (rc)
        return rc;
    bus_tell(t->submitter->bus, paused ? "pause" : "resume", id);
    pause_canary(t, id, paused);
    return 0;
}

/* ==== cancel, approve ==== */

/* Waiting records' generations, before the records forget that they wait. */
static int collect(struct tx *tx, struct stepping *s, struct err *e)
{
    struct record_filter f = {
        .task_id = s->id, .status = RECORD_WAITING, .limit = 1000, .cursor = NULL};
    struct task_record *rows;
    size_t n, room = 0;
    int rc;

    s->count = 0;
    do {
        rc = task_records_list(tx, &f, s->a, &rows, &n, &f.cursor, e);
        for (size_t i = 0; i < n && !rc; i++) {
            if (!rows[i].generation_id)
                continue;
            if (s->count == room) {
                room = room ? 2 * room : 256;
                const char **more = arena_alloc(s->a, room * sizeof *more);
                if (s->count)
                    memcpy(more, s->generations, s->count * sizeof *more);
                s->generations = more;
            }
            s->generations[s->count++] = rows[i].generation_id;
        }
    } while (!rc && f.cursor);
    return rc;
}

/* The end, as its receiver hears it: what was begun may still succeed after it. A document that
 * cannot be read any more (a connection is gone) does not keep its task from being cancelled. */
static int tell_end(struct tx *tx, const struct stepping *s, struct err *e)
{
    struct task_document *d = NULL;
    struct arena a = {0};
    json_t *report = NULL;
    struct task task;
    int rc = tasks_get(tx, s->id, &a, &task, e);
    bool heard = !rc && !task_document_of(s->t, &task, &d, e);

    if (heard)
        rc = task_report_in(tx, s->id, &report, e);
    if (heard && !rc)
        rc = call_back_end(tx, d, &task, report, s->now, &a, e);
    json_decref(report);
    task_document_free(d);
    arena_release(&a);
    return rc;
}

static int cancel_step(struct tx *tx, void *user, struct err *e)
{
    struct stepping *s = user;
    int rc = collect(tx, s, e);

    if (!rc)
        rc = tasks_cancel(tx, s->id, s->now, e);
    return rc ? rc : tell_end(tx, s, e);
}

static void cancel_canary(const struct tasks *t, const struct task *task, struct arena *a)
{
    struct run run;
    struct tx *tx;
    struct err e;

    if (!task->experiment_id || tx_begin(t->submitter->db, TX_READ, &tx, &e))
        return;
    int rc = runs_last(tx, task->experiment_id, a, &run, &e);
    tx_rollback(tx);
    bool active = !rc && (run.status == EXPERIMENT_RUNNING || run.status == EXPERIMENT_PAUSED);
    if (active && cancel_run(t->submitter, run.id, &e))
        LOG(LOG_WARNING, "the sample of a task is not cancelled", LOG_TEXT("task", task->id),
            LOG_ERR(&e));
}

/* Killed in between, some pictures are drawn that nobody asked for any more; no record changes. */
int task_cancel(const struct tasks *t, const char *id, struct err *e)
{
    struct arena a = {0};
    struct stepping s = {.t = t, .id = id, .now = clock_unix_ms(), .a = &a};
    struct task task;
    struct err why;
    int rc = get_task(t, id, &a, &task, e);

    if (!rc)
        rc = transact(t->submitter->db, cancel_step, &s, e);
    for (size_t i = 0; i < s.count && !rc; i++) {
        int left = cancel_generation(t->submitter, s.generations[i], &why);
        if (left && left != ERR_CONFLICT && left != ERR_NOT_FOUND) {
            LOG(LOG_WARNING, "pictures of a cancelled task are drawn nevertheless",
                LOG_TEXT("task", id), LOG_ERR(&why));
            break;
        }
    }
    if (!rc)
        cancel_canary(t, &task, &a);
    arena_release(&a);
    return rc;
}

static int approve_step(struct tx *tx, void *user, struct err *e)
{
    struct stepping *s = user;

    int rc = tasks_approve(tx, s->id, s->yes, s->now, e);

    return rc || s->yes ? rc : tell_end(tx, s, e);
}

int task_approve(const struct tasks *t, const char *id, bool approved, struct err *e)
{
    struct stepping s = {.t = t, .id = id, .yes = approved, .now = clock_unix_ms()};

    return transact(t->submitter->db, approve_step, &s, e);
}

/* ==== retry ==== */

static int retry_generation_of(struct tx *tx, const struct task_record *row, int64_t now,
                               struct err *e)
{
    struct arena a = {0};
    struct generation g;
    const char *job;
    int rc = generations_get(tx, row->generation_id, &a, &g, e);

    if (!rc && (g.status == GENERATION_FAILED || g.status == GENERATION_CANCELLED))
        rc = jobs_retry_generation(tx, g.id, now, &a, &job, e);
    arena_release(&a);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int retry_step(struct tx *tx, void *user, struct err *e)
{
    struct stepping *s = user;
    struct task_record *rows;
    int rc = tasks_retry(tx, s->id, s->classes, s->now, s->a, &rows, &s->count, e);

    for (size_t i = 0; i < s->count && !rc; i++)
        if (rows[i].generation_id)
            rc = retry_generation_of(tx, &rows[i], s->now, e);
    return rc;
}

int task_retry(const struct tasks *t, const char *id, const char *const *classes, int64_t *count,
               struct err *e)
{
    static const char *const usual[] = {"draw",      "storage",  "conflict", "results",
                                        "cancelled", "internal", NULL};
    struct arena a = {0};
    struct stepping s = {
        .id = id, .classes = classes ? classes : usual, .now = clock_unix_ms(), .a = &a};
    int rc = transact(t->submitter->db, retry_step, &s, e);

    if (!rc) {
        bus_tell(t->submitter->bus, "wake", "");
        publish_outcome(t->submitter, &(struct job_outcome){0});
        *count = (int64_t)s.count;
    }
    arena_release(&a);
    return rc;
}
