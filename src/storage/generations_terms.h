/*
 * generations_terms.h: the conditions of a list, each with the index that finds its rows, and the
 * choice of one for SQLite, whose planner knows no numbers of rows.
 */
#ifndef STORAGE_GENERATIONS_TERMS_H
#define STORAGE_GENERATIONS_TERMS_H

#include "storage/generations.h"
#include "storage/query.h"

enum { TERMS = 16 };
struct term {
    const char *column, *index; /* index NULL: there is none */
    const char *literal;        /* written out instead of low and high: for partial indexes */
    struct db_value low, high;  /* DB_NULL: open; equal texts or numbers: this value */
    bool range;
};
struct terms {
    struct term items[TERMS];
    size_t count;
};
void terms_of(const struct generation_filter *f, struct terms *out);
/* " AND g.column = $n" for all. */
void terms_add(struct query *q, const struct terms *t);

/* The index that a list should use, NULL to leave it to the planner. `order` is the index that has
 * the list's order. */
WARN_UNUSED_RESULT int terms_index(struct tx *tx, const struct terms *t, const char *order,
                                   bool by_id, struct arena *a, const char **out, struct err *e);

#endif
