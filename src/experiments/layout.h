/*
 * layout.h: which axes become rows, columns and tables of an export; private to experiments/.
 *
 *   struct layout l;
 *   if (layout_of(plan, options, &l, &e)) ...
 *   size_t cell = layout_cell(plan, &l, table, row, column);
 *   const char *label = layout_table(plan, &l, table, &arena);
 *
 * Axis axis_count stands for the replicates. Threads: pure functions.
 */
#ifndef EXPERIMENTS_LAYOUT_H
#define EXPERIMENTS_LAYOUT_H

#include "experiments/export.h"

struct layout {
    size_t row_axis, column_axis;     /* SIZE_MAX: none */
    size_t rows, columns, tables;     /* at least 1 each */
    size_t others[SPEC_MAX_AXES + 1]; /* axes that tell tables apart */
    size_t other_count;
};

/* Columns are the reference's axis or the last one, rows the longest of the others, unless the
 * options say something else. ERR_ARG for names that are no axes. */
WARN_UNUSED_RESULT int layout_of(const struct plan *plan, const struct export_options *o,
                                 struct layout *out, struct err *e);
size_t layout_cell(const struct plan *plan, const struct layout *l, size_t table, size_t row,
                   size_t column);
const char *layout_row(const struct plan *plan, const struct layout *l, size_t row,
                       struct arena *a);
const char *layout_column(const struct plan *plan, const struct layout *l, size_t column,
                          struct arena *a);
const char *layout_table(const struct plan *plan, const struct layout *l, size_t table,
                         struct arena *a);
const char *layout_axis(const struct plan *plan, size_t axis); /* its name; "" for none */

#endif
