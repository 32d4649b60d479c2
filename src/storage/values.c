/* Arguments and rows of db.h. */
#include "storage/connection.h"

#include <math.h>
#include <string.h>

struct db_value db_text(const char *s)
{
    if (!s)
        return (struct db_value){0};
    return (struct db_value){.type = DB_TEXT, .s = s, .n = strlen(s)};
}

struct db_value db_int(int64_t i)
{
    return (struct db_value){.type = DB_INT, .i = i};
}

struct db_value db_real(double r)
{
    if (isnan(r))
        return (struct db_value){0};
    return (struct db_value){.type = DB_REAL, .r = r};
}

struct db_value db_int_or_null(int64_t i)
{
    return (struct db_value){.type = i ? DB_INT : DB_NULL, .i = i};
}

const struct db_value *db_at(const struct db_rows *rows, size_t row, size_t column)
{
    return &rows->values[row * rows->columns + column];
}

const char *db_str(const struct db_rows *rows, size_t row, size_t column)
{
    return db_at(rows, row, column)->s; /* the backends keep the text of numbers, too */
}

int64_t db_i64(const struct db_rows *rows, size_t row, size_t column)
{
    const struct db_value *v = db_at(rows, row, column);
    int64_t i = 0;

    if (v->type == DB_INT)
        return v->i;
    if (v->type == DB_REAL && v->r > -9e18 && v->r < 9e18)
        return (int64_t)v->r;
    if (v->type == DB_TEXT && !str_to_i64((struct str){v->s, v->n}, &i))
        return 0;
    return i;
}

double db_f64(const struct db_rows *rows, size_t row, size_t column)
{
    const struct db_value *v = db_at(rows, row, column);
    double r = NAN;

    if (v->type == DB_INT)
        return (double)v->i;
    if (v->type == DB_REAL)
        return v->r;
    if (v->type == DB_TEXT && !str_to_f64((struct str){v->s, v->n}, &r))
        return NAN;
    return r;
}

struct db_value *rows_add(struct rows_builder *b)
{
    if (b->count == b->room) {
        size_t room = b->room ? b->room * 2 : 4;
        struct db_value *more = arena_try(b->a, room, b->columns * sizeof *more);
        if (!more)
            return NULL;
        if (b->count)
            memcpy(more, b->values, b->count * b->columns * sizeof *more);
        b->values = more;
        b->room = room;
    }
    return &b->values[b->count++ * b->columns];
}
