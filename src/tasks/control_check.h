/*
 * control_check.h: what is looked at before a task is made; private to tasks/.
 *
 *   if (control_read(t, c, &arena, &document, &problems, &e)) ...    read, names found
 *   if (control_try_kind(t, document, &task, &e)) ...                what it draws with is there
 *
 * Threads: any. Ownership: the caller frees the document.
 */
#ifndef TASKS_CONTROL_CHECK_H
#define TASKS_CONTROL_CHECK_H

#include "tasks/control.h"
#include "tasks/kind.h"

WARN_UNUSED_RESULT int control_read(const struct tasks *t, const struct task_create *c,
                                    struct arena *a, struct task_document **out,
                                    struct task_problems *problems, struct err *e);
/* Open the kind and close it. */
WARN_UNUSED_RESULT int control_try_kind(const struct tasks *t, const struct task_document *d,
                                        const struct task *task, struct err *e);
/* The row that a task of this document would be; texts in the arena or the document. */
struct task control_row(const struct tasks *t, const struct task_create *c,
                        const struct task_document *d, struct arena *a);

#endif
