/*
 * tasks.h: what the routes below /api/v1/tasks share.
 *
 *   struct task task;
 *   if (task_read(r, &task, e))
 *       return e->code;                   ERR_NOT_FOUND also for somebody else's
 *
 * Threads: as the request. Ownership: the request's arena.
 */
#ifndef API_TASKS_H
#define API_TASKS_H

#include "api/app.h"
#include "storage/tasks.h"

/* The task that the path names, if who asks may see it. */
WARN_UNUSED_RESULT int task_of(struct request *r, struct tx *tx, struct task *out, struct err *e);
/* The same in a transaction of its own. */
WARN_UNUSED_RESULT int task_read(struct request *r, struct task *out, struct err *e);

#endif
