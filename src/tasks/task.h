/*
 * task.h: from a dataset of records to objects in storage: what all of this room share.
 *
 *   struct tasks t = {.submitter = s, .net = net, .settings = settings, .connection = ...};
 *   if (task_create(&t, &create, &arena, &task, &problems, &e)) ...       control.h
 *   if (task_runner_start(&(struct task_runner_options){.tasks = &t}, &runner, &e)) ...  runner.h
 *
 * The rows of storage/tasks.h are the truth; any number of servers, workers and command lines run a
 * runner, which reads (one of them at a time), delivers (all of them) and calls back (all of them).
 *
 * Threads: any. Ownership: everything here is borrowed, and stays where it is while it is used.
 */
#ifndef TASKS_TASK_H
#define TASKS_TASK_H

#include "datasets/dataset.h"
#include "jobs/submit.h"
#include "net/http.h"
#include "objects/objects.h"
#include "ops/metrics.h"
#include "plugins/describe.h"
#include "storage/tasks.h"

struct tasks {
    struct submitter *submitter;
    struct net *net;
    struct objects_settings settings;
    /* CAULDRON_CONNECTION_<NAME> and CAULDRON_SECRET_<NAME>; NULL: no such name. */
    const char *(*connection)(void *outside, const char *name);
    const char *(*secret)(void *outside, const char *name);
    void *outside;
    const char *data; /* documents that are not trusted read files below DATA/datasets and write
                         below DATA/exports */
    const char *host; /* of this machine: files of another one are left to it */
    struct describer *describer;  /* for captions; NULL: none is configured */
    struct metrics *metrics;      /* or NULL */
    bool allow_private_callbacks; /* what `callbacks.allow_private` of a document needs */
};

/* What is wrong with a task document. */
struct task_problem {
    const char *pointer; /* RFC 6901 into the document */
    const char *expected;
};
enum { TASK_MAX_PROBLEMS = 50 };
struct task_problems {
    struct task_problem at[TASK_MAX_PROBLEMS];
    size_t count;
};

#endif
