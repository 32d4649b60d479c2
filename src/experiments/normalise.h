/*
 * normalise.h: from a document as written to the general form, with every problem noted; private to
 * experiments/. The general form is itself a document that means the same:
 *
 *   {"version", "type", "name", "notes", "base", "base_generation"?, "axes": [{"parameter" |
 *    "variable" | "replace" | (settings) | "zip", "name", "values": [{"value", "label", "set"?}]}],
 *    "constraints", "replicates": {"seeds"}, "budget", "order", "reference": {"axis", "value"}?}
 */
#ifndef EXPERIMENTS_NORMALISE_H
#define EXPERIMENTS_NORMALISE_H

#include "experiments/problems.h"

/* A new reference; NULL with problems noted. */
json_t *spec_normalise(const json_t *document, const struct spec_lookup *lookup,
                       struct spec_problems *problems);

/* The axes of the short forms and of `axes`, in the general form, and where they are written. */
struct axes {
    json_t *list, *variables; /* owned; variables: an object whose keys are their names */
    struct at root, parameters_at, axes_at, at[SPEC_MAX_AXES];
};
/* Fills *out always; the places point into it, so it stays where it is. */
void axes_read(const json_t *document, struct axes *out, struct spec_problems *problems);
void axes_release(struct axes *axes);
/* What can be seen only over all axes: names and targets twice, values twice, words that no prompt
 * has, too many cells. `texts_known`: whether every prompt is there to look into. */
void axes_check(const struct axes *axes, const json_t *base, size_t seeds, bool texts_known,
                struct spec_problems *problems);
/* The seeds of every cell, put into the general form; returns how many there are (1 where the axes
 * have seeds). */
size_t replicates_read(const json_t *document, const struct axes *axes, json_t *general,
                       struct spec_problems *problems);
/* Parts of an axis of the general form: the members of a zip, or the axis itself. */
size_t axis_parts(const json_t *axis);
const json_t *axis_part(const json_t *axis, size_t part);
size_t axis_points(const json_t *axis);
/* Label of a value of the general form that has none. */
const char *axes_label(const json_t *point, struct arena *a);

#endif
