/*
 * runner.h: the threads that move tasks along: one reads, some deliver, one writes back and ends,
 * one sends callbacks.
 *
 *   struct task_runner *r;
 *   if (task_runner_start(&(struct task_runner_options){.tasks = &t}, &r, &e)) ...
 *   task_runner_stop(r);                        what is on its way is finished or left to others
 *
 * Any number of processes run one. Every step is leased and fenced in the database, so killing any
 * of them at any moment leaves its work to the others, who do it again where that is safe and find
 * it done where it was. What went out, and is not known to have arrived, is sent again in a way
 * that cannot double it: objects are put only where nothing else is, results replace themselves,
 * callbacks carry the same event id.
 *
 * Steps (each names the module): read.c records -> rows and jobs; deliver.c ready rows -> objects;
 * write_back.c stored and failing rows -> results, ends, callbacks; call_back.c callbacks -> HTTP;
 * canary.c the sample. Errors that may pass are repeated with backoff (5 s to 10 minutes for
 * storage and MongoDB, up to `attempts` times; to an hour for callbacks).
 * Threads: start and stop from one. Ownership: the options are borrowed until stop returns.
 */
#ifndef TASKS_RUNNER_H
#define TASKS_RUNNER_H

#include "tasks/task.h"

struct task_runner;

struct task_runner_options {
    const struct tasks *tasks;
    const char *name;      /* NULL: host:pid:random */
    const char *only;      /* this task alone; NULL: all */
    int deliver;           /* threads that put objects; 0: 4 */
    int calls;             /* callbacks on their way at once; 0: 8 */
    int attempts;          /* to deliver a record; 0: 30 (about four hours) */
    double lease_seconds;  /* 0: 60 */
    double period_seconds; /* between looks when there is nothing to do; 0: 0.5 */
    /* First and longest wait between attempts: 0: 2 and 600 s. */
    double backoff_seconds, backoff_max_seconds;
};
WARN_UNUSED_RESULT int task_runner_start(const struct task_runner_options *o,
                                         struct task_runner **out, struct err *e);
void task_runner_stop(struct task_runner *r); /* NULL is fine */
/* Look at once: something was created, approved, resumed. */
void task_runner_wake(struct task_runner *r);

#endif
