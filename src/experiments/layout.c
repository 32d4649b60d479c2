#include "experiments/layout.h"

#include <string.h>

static size_t length_of(const struct plan *p, size_t axis)
{
    if (axis == SIZE_MAX)
        return 1;
    return axis < p->spec->axis_count ? p->spec->axes[axis].point_count : p->spec->seed_count;
}

const char *layout_axis(const struct plan *p, size_t axis)
{
    if (axis == SIZE_MAX)
        return "";
    return axis < p->spec->axis_count ? p->spec->axes[axis].name : "replicate";
}

static int named(const struct plan *p, const char *name, size_t *out, struct err *e)
{
    for (size_t i = 0; i <= p->spec->axis_count; i++)
        if (strcmp(layout_axis(p, i), name) == 0) {
            *out = i;
            return 0;
        }
    return ERR(e, ERR_ARG, "there is no axis '%.100s'", name);
}

/* The longest axis but one; the first of equals; SIZE_MAX when no other has two points. */
static size_t longest(const struct plan *p, size_t but)
{
    size_t best = SIZE_MAX, most = 1;

    for (size_t i = 0; i <= p->spec->axis_count; i++)
        if (i != but && length_of(p, i) > most) {
            best = i;
            most = length_of(p, i);
        }
    return best;
}

static size_t last_long(const struct plan *p)
{
    for (size_t i = p->spec->axis_count + 1; i-- > 0;)
        if (i < p->spec->axis_count && length_of(p, i) > 1)
            return i;
    return p->spec->seed_count > 1 ? p->spec->axis_count : SIZE_MAX;
}

int layout_of(const struct plan *p, const struct export_options *o, struct layout *out,
              struct err *e)
{
    struct layout l = {.row_axis = SIZE_MAX, .column_axis = SIZE_MAX, .tables = 1};

    if (o->columns && named(p, o->columns, &l.column_axis, e))
        return e->code;
    if (o->rows && named(p, o->rows, &l.row_axis, e))
        return e->code;
    if (o->rows && o->columns && l.row_axis == l.column_axis)
        return ERR(e, ERR_ARG, "rows and columns cannot both be '%.100s'", o->rows);
    if (!o->columns)
        l.column_axis = p->spec->reference_axis != SIZE_MAX &&
                                length_of(p, p->spec->reference_axis) > 1 &&
                                p->spec->reference_axis != l.row_axis
                            ? p->spec->reference_axis
                        : last_long(p) != l.row_axis ? last_long(p)
                                                     : longest(p, l.row_axis);
    if (!o->rows)
        l.row_axis = longest(p, l.column_axis);
    l.rows = length_of(p, l.row_axis);
    l.columns = length_of(p, l.column_axis);
    for (size_t i = 0; i <= p->spec->axis_count; i++)
        if (i != l.row_axis && i != l.column_axis && length_of(p, i) > 1) {
            l.others[l.other_count++] = i;
            l.tables *= length_of(p, i);
        }
    *out = l;
    return 0;
}

static void place(const struct plan *p, size_t axis, size_t index, size_t *points,
                  size_t *replicate)
{
    if (axis == SIZE_MAX)
        return;
    if (axis < p->spec->axis_count)
        points[axis] = index;
    else
        *replicate = index;
}

size_t layout_cell(const struct plan *p, const struct layout *l, size_t table, size_t row,
                   size_t column)
{
    size_t points[SPEC_MAX_AXES] = {0}, replicate = 0;

    for (size_t i = l->other_count; i-- > 0;) {
        place(p, l->others[i], table % length_of(p, l->others[i]), points, &replicate);
        table /= length_of(p, l->others[i]);
    }
    place(p, l->row_axis, row, points, &replicate);
    place(p, l->column_axis, column, points, &replicate);
    return plan_index(p, points, replicate);
}

static const char *label(const struct plan *p, size_t axis, size_t index, struct arena *a)
{
    if (axis == SIZE_MAX)
        return "";
    if (axis < p->spec->axis_count)
        return p->spec->axes[axis].points[index].label;
    return arena_printf(a, "seed %llu", (unsigned long long)p->spec->seeds[index]);
}

const char *layout_row(const struct plan *p, const struct layout *l, size_t row, struct arena *a)
{
    return label(p, l->row_axis, row, a);
}

const char *layout_column(const struct plan *p, const struct layout *l, size_t column,
                          struct arena *a)
{
    return label(p, l->column_axis, column, a);
}

const char *layout_table(const struct plan *p, const struct layout *l, size_t table,
                         struct arena *a)
{
    const char *text = "";

    for (size_t i = l->other_count; i-- > 0;) {
        size_t axis = l->others[i], n = length_of(p, axis);
        const char *one = label(p, axis, table % n, a);
        one = axis < p->spec->axis_count ? arena_printf(a, "%s: %s", layout_axis(p, axis), one)
                                         : one;
        text = text[0] ? arena_printf(a, "%s  |  %s", one, text) : one;
        table /= n;
    }
    return text;
}
