/*
 * values.h: the values of an axis in all their written forms; private to experiments/.
 *
 *   json_t *list = values_read(parameter_by_name("steps"), json_string("10..50 by 5"), ...);
 *
 * The result is an array of {"value": scalar, "label"?: text, "set"?: object}, never longer than
 * SPEC_MAX_VALUES, whatever was written.
 */
#ifndef EXPERIMENTS_VALUES_H
#define EXPERIMENTS_VALUES_H

#include "experiments/parameters.h"

/* The longest label, in code points. */
enum { VALUES_LABEL = 200 };

/* `p` NULL: the values of a variable or replacement. `settings`: of an axis of named settings,
 * which have a label and a set but no value. A new reference, or NULL with the problems noted. */
json_t *values_read(const struct parameter *p, bool settings, const json_t *written,
                    struct spec_problems *problems, const struct at *at);

/* A number without the dust of binary fractions (0.1 + 2 * 0.1 is 0.3): rounded to so many
 * significant digits. */
double values_tidy(double x, int digits);

#endif
