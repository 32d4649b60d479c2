/* tasks_fixture.h: documents and contexts for the tests of tasks, over the workshop of the jobs. */
#ifndef TESTS_UNIT_TASKS_FIXTURE_H
#define TESTS_UNIT_TASKS_FIXTURE_H

#include "../jobs/workshop.h"

#include "base/clock.h"
#include "base/json.h"
#include "tasks/control.h"
#include "tasks/kind.h"

#include "test.h"

struct bench {
    struct workshop shop;
    struct tasks tasks;
    struct task task;
    struct task_document *d;
    struct kind_context context;
    struct arena a;
    struct err e;
};

static inline json_t *json_of(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);

    if (!json)
        fail_msg("%s: %s", error.text, text);
    return json;
}

static inline void bench_open(struct bench *b)
{
    *b = (struct bench){.e = {0}};
    workshop_open(&b->shop, false);
    b->tasks =
        (struct tasks){.submitter = &b->shop.submitter, .data = b->shop.folder, .host = "here"};
    b->task = (struct task){.id = "01890000-0000-7000-8000-000000000001",
                            .name = "set",
                            .trusted = true,
                            .created_at = 1000};
}

/* The document, and its kind opened. */
static inline int bench_read(struct bench *b, const char *text)
{
    struct task_problems problems = {0};
    json_t *json = json_of(text);
    int rc =
        task_document_read(&b->tasks, json, true, b->shop.folder, &b->a, &b->d, &problems, &b->e);

    json_decref(json);
    if (rc)
        fail_msg("%s", b->e.message);
    b->context = (struct kind_context){.tasks = &b->tasks, .document = b->d, .task = &b->task};
    return b->d->kind->open(&b->context, &b->e);
}

static inline void bench_forget(struct bench *b)
{
    if (b->context.own)
        b->d->kind->close(&b->context);
    task_document_free(b->d);
    b->d = NULL;
}

static inline void bench_close(struct bench *b)
{
    bench_forget(b);
    arena_release(&b->a);
    workshop_close(&b->shop);
}

#endif
