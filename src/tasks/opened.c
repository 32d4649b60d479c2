#include "tasks/opened.h"

#include <stdlib.h>
#include <string.h>

static void close_all(struct opened *o)
{
    if (!o)
        return;
    opened_source_close(o);
    opened_results_close(o);
    if (o->kind_is_open && o->document->kind->close)
        o->document->kind->close(&o->kind);
    objects_close(o->destination);
    task_document_free(o->document);
    arena_release(&o->arena);
    free(o);
}

static int load(struct opened *o, const char *id, struct err *e)
{
    struct tx *tx;

    if (tx_begin(o->tasks->submitter->db, TX_READ, &tx, e))
        return e->code;
    int rc = tasks_get(tx, id, &o->arena, &o->task, e);
    tx_rollback(tx);
    return rc ? rc : task_document_of(o->tasks, &o->task, &o->document, e);
}

static bool is_of(const struct opened *o, const struct task *task)
{
    return strcmp(o->task.id, task->id) == 0 && o->task.version == task->version &&
           o->task.rounds == task->rounds;
}

static struct opened **least_used(struct opened_cache *c)
{
    struct opened **out = &c->at[0];

    for (size_t i = 0; i < OPENED_KEPT; i++) {
        if (!c->at[i])
            return &c->at[i];
        if (c->at[i]->used < (*out)->used)
            out = &c->at[i];
    }
    return out;
}

int opened_get(struct opened_cache *c, const struct tasks *t, const struct task *task,
               struct opened **out, struct err *e)
{
    struct opened *o;

    for (size_t i = 0; i < OPENED_KEPT; i++)
        if (c->at[i] && is_of(c->at[i], task)) {
            *out = c->at[i];
            c->at[i]->used = ++c->uses;
            return 0;
        }
    opened_drop(c, task->id);
    o = calloc(1, sizeof *o);
    if (!o)
        return ERR(e, ERR_NOMEM, "no memory for a task");
    o->tasks = t;
    int rc = load(o, task->id, e);
    if (rc) {
        close_all(o);
        return rc;
    }
    struct opened **place = least_used(c);
    close_all(*place);
    o->used = ++c->uses;
    *out = *place = o;
    return 0;
}

int opened_destination(struct opened *o, struct err *e)
{
    return o->destination ? 0 : task_destination_open(o->tasks, o->document, &o->destination, e);
}

int opened_kind(struct opened *o, struct err *e)
{
    const struct task_kind *k = o->document->kind;

    if (o->kind_is_open)
        return 0;
    if (opened_destination(o, e))
        return e->code;
    o->kind = (struct kind_context){.tasks = o->tasks,
                                    .document = o->document,
                                    .task = &o->task,
                                    .destination = o->destination};
    if (k->open && k->open(&o->kind, e))
        return e->code;
    o->kind_is_open = true;
    return 0;
}

int opened_results(struct opened *o, struct err *e)
{
    if (o->results)
        return 0;
    if (!o->document->results)
        return ERR(e, ERR_ARG, "the task '%s' writes nothing back", o->task.name);
    return results_open(o->document->results, o->document->source, &o->document->results_access,
                        &o->results, e);
}

void opened_results_close(struct opened *o)
{
    results_close(o->results);
    o->results = NULL;
}

static bool stands(const struct opened *o, const char *position)
{
    if (!o->position || !position)
        return !o->position && !position;
    return strcmp(o->position, position) == 0;
}

void opened_source_moved(struct opened *o, const char *position)
{
    free(o->position);
    o->position = position ? strdup(position) : NULL;
    if (position && !o->position) /* no memory: it is opened again */
        opened_source_close(o);
}

int opened_source(struct opened *o, const char *position, struct err *e)
{
    if (!o->source) {
        if (dataset_open(o->document->source, &o->document->access, &o->source, e))
            return e->code;
        opened_source_moved(o, NULL);
    } else if (stands(o, position)) {
        return 0;
    }
    if (dataset_seek(o->source, position, e)) {
        opened_source_close(o);
        return e->code;
    }
    opened_source_moved(o, position);
    return 0;
}

void opened_source_close(struct opened *o)
{
    dataset_close(o->source);
    o->source = NULL;
    free(o->position);
    o->position = NULL;
}

void opened_drop(struct opened_cache *c, const char *task_id)
{
    for (size_t i = 0; i < OPENED_KEPT; i++)
        if (c->at[i] && strcmp(c->at[i]->task.id, task_id) == 0) {
            close_all(c->at[i]);
            c->at[i] = NULL;
        }
}

void opened_release(struct opened_cache *c)
{
    for (size_t i = 0; i < OPENED_KEPT; i++)
        close_all(c->at[i]);
    *c = (struct opened_cache){0};
}
