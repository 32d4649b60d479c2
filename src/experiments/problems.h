/*
 * problems.h: where in a document something is wrong; private to experiments/.
 *
 *   struct at here = {up, "steps", 0};
 *   problem(problems, &here, "an integer from %d to %d", 1, 1000);
 *
 * A place is a list on the stack, made into a JSON pointer only when there is a problem there.
 * Threads: none shared. Ownership: texts live in the problems' arena.
 */
#ifndef EXPERIMENTS_PROBLEMS_H
#define EXPERIMENTS_PROBLEMS_H

#include "experiments/spec.h"

struct at {
    const struct at *up; /* NULL: the document itself */
    const char *key;     /* NULL: index */
    size_t index;
};

/* Remember what was expected there; beyond SPEC_MAX_PROBLEMS only the first are kept. */
void problem(struct spec_problems *p, const struct at *at, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Complain about members that are not in the list (NULL-ended). */
void problem_members(struct spec_problems *p, const struct at *at, const json_t *object,
                     const char *const *known);

#endif
