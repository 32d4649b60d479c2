/*
 * template.h: texts with parts in braces, for names of objects, prompts and metadata; private to
 * tasks/.
 *
 *   const struct template_value values[] = {{"record_id", "7"}, {"seed", "42"}, {0}};
 *   if (template_name("{record_id}/{seed}.png", values, record, 1024, &arena, &name, &problem, &e))
 *
 * {NAME} is one of the values, {field:PATH} a scalar of the record, {{ and }} are braces. Without
 * values every {PATH} is a scalar of the record.
 *
 * Names are made safe: what is not a letter, a digit (of any script) or one of "-_.~ " becomes "-",
 * also "/", but in {field:...}; and a part between two "/" that is empty, "." or ".." becomes "-".
 * So no value leads out of the destination, whatever is in a record. Different values may give one
 * name (a?b, a-b); who stores them finds that.
 * Errors: ERR_ARG with *problem. Threads: pure. Ownership: the arena's.
 */
#ifndef TASKS_TEMPLATE_H
#define TASKS_TEMPLATE_H

#include "tasks/kind.h"

enum { TEMPLATE_MOST = 2000 }; /* bytes of a template */

struct template_value {
    const char *name, *value; /* a list ends with name NULL */
};

/* NULL, or what is wrong with it. `names` NULL-ended; NULL: paths alone. */
const char *template_problem(const char *text, const char *const *names, struct arena *a);
/* The same for names of objects, whose own text must be fit for one. */
const char *template_name_problem(const char *text, const char *const *names, struct arena *a);
/* Whether {NAME}, or {NAME:...}, is in it. */
bool template_uses(const char *text, const char *name);

WARN_UNUSED_RESULT int template_name(const char *text, const struct template_value *values,
                                     const json_t *record, size_t most, struct arena *a,
                                     const char **out, struct mapping_problem *problem,
                                     struct err *e);
/* As it is; `values` NULL: paths alone. */
WARN_UNUSED_RESULT int template_text(const char *text, const struct template_value *values,
                                     const json_t *record, size_t most, struct arena *a,
                                     const char **out, struct mapping_problem *problem,
                                     struct err *e);

#endif
