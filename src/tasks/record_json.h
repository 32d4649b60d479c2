/*
 * record_json.h: what names of objects may hold, and how numbers of a task are written; private to
 * tasks/.
 *
 *   wrong = template_name_problem(text, task_template_names(kind), &arena);
 *
 * Threads: pure.
 */
#ifndef TASKS_RECORD_JSON_H
#define TASKS_RECORD_JSON_H

#include "tasks/control.h"
#include "tasks/kind.h"

/* The placeholders of that kind's names of objects, NULL-ended; kind NULL: of all. */
const char *const *task_template_names(const struct task_kind *kind);

/* A number, or null for NAN: a new reference. */
json_t *json_real_or_null(double x);
/* {"waiting": n, ...} of a task, {"waiting", "delivered", "dead"} of its callbacks: new references.
 */
json_t *task_counts_to_json(const struct task *task);
WARN_UNUSED_RESULT int task_callbacks_to_json(struct tx *tx, const char *task_id, json_t **out,
                                              struct err *e);
/* task_report in a transaction of somebody else's. */
WARN_UNUSED_RESULT int task_report_in(struct tx *tx, const char *id, json_t **out, struct err *e);
/* So many seconds of drawing at the document's price; NAN: it names none. */
double task_cost(const json_t *document, double seconds, const char **currency);

#endif
