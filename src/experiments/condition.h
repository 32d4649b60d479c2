/*
 * condition.h: tests over a cell's parameters; private to experiments/.
 *
 *   {"model": "demo", "steps": {"min": 10, "not": {"in": [20, 30]}}}
 *
 * A parameter that is left to the model's default is unknown until the cell is complete, so a
 * condition holds, fails, or is unknown (Kleene's three values).
 */
#ifndef EXPERIMENTS_CONDITION_H
#define EXPERIMENTS_CONDITION_H

#include "experiments/problems.h"

enum truth { TRUTH_FALSE, TRUTH_UNKNOWN, TRUTH_TRUE };

/* Note what is wrong with a condition. `variables`: object whose keys are the variables. */
void condition_check(const json_t *condition, const json_t *variables,
                     struct spec_problems *problems, const struct at *at);
/* Does it hold for a cell with these parameters and variables? */
enum truth condition_truth(const json_t *condition, const json_t *parameters,
                           const json_t *variables);
/* In words: "model demo and steps at least 10". */
const char *condition_text(const json_t *condition, struct arena *a);

#endif
