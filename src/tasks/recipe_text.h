/*
 * recipe_text.h: the JSON that lies beside an object, and texts that fit into HTTP headers.
 *
 *   name = recipe_name("set/7.png", &arena)                  "set/7.json"
 *   bytes = recipe_text(&task, &row, &made, &arena)
 *
 * Equal for equal works, however often they are delivered: no times, no attempts. Threads: any.
 * Ownership: the arena's.
 */
#ifndef TASKS_RECIPE_TEXT_H
#define TASKS_RECIPE_TEXT_H

#include "tasks/kind.h"

const char *recipe_name(const char *object, struct arena *a);
struct str recipe_text(const struct task *task, const struct task_record *row,
                       const struct made *made, struct arena *a);
/* Printable ASCII: everything else, and '%', as %XX (RFC 3986). NULL gives NULL. */
const char *header_text(const char *text, struct arena *a);

#endif
