/*
 * Pages of generations. A page is found by keyset: the row after the last one of the page before,
 * in an index that has the order, so that page 1000 costs what page 1 costs.
 */
#include "base/uuid.h"
#include "storage/generations_rows.h"
#include "storage/generations_terms.h"
#include "storage/query.h"

#include <math.h>
#include <stdlib.h>

/* How rows are sorted. Equal keys: by identifier, in the same direction. */
struct order {
    char tag;        /* in cursors */
    const char *key; /* NULL: by identifier alone */
    bool real, falling;
    const char *condition; /* rows that have no key are left out */
    const char *index;     /* that has the order */
};
static const struct order orders[] = {
    [SORT_NEWEST] = {'n', NULL, false, true, NULL, "sqlite_autoindex_generations_1"},
    [SORT_OLDEST] = {'o', NULL, false, false, NULL, "sqlite_autoindex_generations_1"},
    [SORT_RATING] = {'r', "g.rating", false, true, NULL, "generations_rating"},
    [SORT_STEPS] = {'s', "g.steps", false, false, NULL, "generations_steps"},
    [SORT_SECONDS] = {'t', "g.seconds", true, false, "g.seconds IS NOT NULL",
                      "generations_seconds"},
    [SORT_CELL] = {'c', "g.cell", false, false, NULL, "generations_cell"},
};

struct generation_filter generation_filter(void)
{
    return (struct generation_filter){.cfg_min = NAN,
                                      .cfg_max = NAN,
                                      .favourite = -1,
                                      .status = -1,
                                      .sort = SORT_NEWEST,
                                      .limit = PAGE};
}

/* Where rows come from, and what stands for their identifier: the table that has the order wanted.
 */
struct source {
    const char *from, *id;
    bool number; /* the identifier is generations.seq */
    bool words, tag;
    bool rare; /* PostgreSQL: few rows have the words, so these come first */
};

/* Nothing else is asked for than words and the order of identifiers: generations are not needed. */
static bool words_alone(const struct generation_filter *f, const struct order *o)
{
    struct terms terms;

    terms_of(f, &terms);
    return terms.count == 0 && !f->tag && !o->key && !f->created_after && !f->created_before;
}

static struct source source_for(enum db_dialect dialect, const struct generation_filter *f,
                                const struct order *o, bool search)
{
    if (search && dialect == DIALECT_SQLITE && !o->key)
        return (struct source){"generation_words w CROSS JOIN generations g ON g.seq = w.rowid",
                               "w.rowid",
                               true,
                               true,
                               false,
                               false};
    if (search && dialect == DIALECT_POSTGRES && words_alone(f, o))
        return (struct source){"generation_words w", "w.generation_id", false, true, false, false};
    if (search && dialect == DIALECT_POSTGRES)
        return (struct source){"generation_words w JOIN generations g ON g.id = w.generation_id",
                               o->key ? "g.id" : "w.generation_id",
                               false,
                               true,
                               false,
                               false};
    if (f->tag && !o->key)
        return (struct source){"generation_tags t CROSS JOIN generations g",
                               "t.generation_id",
                               false,
                               false,
                               true,
                               false};
    return (struct source){"generations g", "g.id", false, false, false, false};
}

static void add_words(struct query *q, const struct source *s, enum db_dialect dialect,
                      const char *words)
{
    if (dialect == DIALECT_POSTGRES) {
        query_and(q, "w.words @@ CAST(", db_text(words));
        query_add(q, " AS tsquery)");
    } else if (s->words) {
        query_and(q, "w.generation_words MATCH ", db_text(words));
    } else {
        query_and(q, "g.seq IN (SELECT rowid FROM generation_words WHERE generation_words MATCH ",
                  db_text(words));
        query_add(q, ")");
    }
}

static void add_tag(struct query *q, const struct source *s, const char *tag)
{
    if (s->tag) {
        query_add(q, " AND g.id = t.generation_id");
        query_and(q, "t.tag = ", db_text(tag));
        return;
    }
    query_and(q,
              "EXISTS (SELECT 1 FROM generation_tags t WHERE t.generation_id = g.id AND "
              "t.tag = ",
              db_text(tag));
    query_add(q, ")");
}

/* Identifiers begin with their time, so a range of time is a range of the index that has the order;
 * a minute of slack is for clocks, created_at decides. */
static void add_times(struct query *q, const struct source *s, const struct generation_filter *f)
{
    enum { SLACK = 60000 };
    char floor[UUID_TEXT];

    if (f->created_after) {
        uuid_v7_floor(f->created_after > SLACK ? f->created_after - SLACK : 0, floor);
        query_and(q, "g.created_at >= ", db_int(f->created_after));
        if (!s->number)
            query_and(q, arena_printf(q->a, "%s >= ", s->id), db_text(arena_strdup(q->a, floor)));
    }
    if (f->created_before) {
        uuid_v7_floor(f->created_before + SLACK, floor);
        query_and(q, "g.created_at < ", db_int(f->created_before));
        if (!s->number)
            query_and(q, arena_printf(q->a, "%s < ", s->id), db_text(arena_strdup(q->a, floor)));
    }
}

static int add_cursor(struct query *q, const struct source *s, const struct order *o,
                      const char *text, struct err *e)
{
    char tag = s->number ? (char)(o->tag - 32) : o->tag; /* 'N', 'O': by number */
    struct db_value id, key = {0};
    struct cursor c;
    int64_t number;
    double real;
    int rc = cursor_read(text, tag, q->a, &c, e);

    if (rc)
        return rc;
    id = db_text(c.id);
    if (s->number) {
        if (!str_to_i64(str_from(c.id), &number))
            return ERR(e, ERR_ARG, "not a cursor of this list");
        id = db_int(number);
    }
    if (o->key && o->real) {
        if (!str_to_f64(str_from(c.key), &real))
            return ERR(e, ERR_ARG, "not a cursor of this list");
        key = db_real(real);
    } else if (o->key) {
        if (!str_to_i64(str_from(c.key), &number))
            return ERR(e, ERR_ARG, "not a cursor of this list");
        key = db_int(number);
    }
    const char *sign = o->falling ? "<" : ">";
    if (!o->key) {
        query_and(q, arena_printf(q->a, "%s %s ", s->id, sign), id);
        return 0;
    }
    query_and(q, arena_printf(q->a, "(%s, %s) %s (", o->key, s->id, sign), key);
    query_add(q, ", ");
    query_arg(q, id);
    query_add(q, ")");
    return 0;
}

static void add_order(struct query *q, const struct source *s, const struct order *o)
{
    const char *way = o->falling ? " DESC" : "";

    query_add(q, " ORDER BY ");
    if (o->key)
        query_add(q, arena_printf(q->a, "%s%s, ", o->key, way));
    query_add(q, s->id);
    query_add(q, way);
}

/* OFFSET 0 keeps PostgreSQL from mixing the parts: it would walk over all generations to meet the
 * few that have the words. */
static void add_source(struct query *q, const struct source *s, const char *words)
{
    if (!s->rare) {
        query_add(q, s->from);
        return;
    }
    query_add(q, "(SELECT generation_id FROM generation_words WHERE words @@ CAST(");
    query_arg(q, db_text(words));
    query_add(q, " AS tsquery) OFFSET 0) w JOIN generations g ON g.id = w.generation_id");
}

/* Whether so few rows have the words that these are fetched first. */
static int judge_words(struct tx *tx, const struct generation_filter *f, const char *words,
                       struct arena *a, bool *rare, struct err *e)
{
    enum { RARE = 2500 };
    struct db_rows rows;

    *rare = false;
    if (!words || db_dialect(tx_db(tx)) != DIALECT_POSTGRES || words_alone(f, &orders[f->sort]))
        return 0;
    int rc = tx_query(tx,
                      DB_ONCE "SELECT count(*) FROM (SELECT 1 FROM generation_words WHERE "
                              "words @@ CAST($1 AS tsquery) LIMIT $2) few",
                      DB_ARGS(db_text(words), db_int(RARE + 1)), a, &rows, e);
    if (rc == 0)
        *rare = db_i64(&rows, 0, 0) <= RARE;
    return rc;
}

/* The page's identifiers first, from indexes alone where they have all that is asked for; then the
 * rows and pictures of these only. */
static int build(struct query *q, enum db_dialect dialect, const struct generation_filter *f,
                 const char *words, const char *index, bool rare, int limit, struct source *s,
                 struct err *e)
{
    const struct order *o = &orders[f->sort];
    struct source outside = {.id = "g.id"};
    struct terms terms;
    int rc = 0;

    *s = source_for(dialect, f, o, words != NULL);
    if (s->number)
        outside.id = "g.seq";
    terms_of(f, &terms);
    query_add(q, DB_ONCE "SELECT " GENERATION_COLUMNS ", ");
    query_add(q, o->key ? o->key : outside.id);
    query_add(q, arena_printf(q->a, " FROM (SELECT %s AS page FROM ", s->id));
    s->rare = rare;
    add_source(q, s, words);
    if (index)
        query_add(q, arena_printf(q->a, " INDEXED BY %s", index));
    query_add(q, " WHERE 1 = 1");
    if (words && !s->rare)
        add_words(q, s, dialect, words);
    if (f->tag)
        add_tag(q, s, f->tag);
    if (o->condition) {
        query_add(q, " AND ");
        query_add(q, o->condition);
    }
    terms_add(q, &terms);
    add_times(q, s, f);
    if (f->cursor)
        rc = add_cursor(q, s, o, f->cursor, e);
    add_order(q, s, o);
    query_add(q, " LIMIT ");
    query_arg(q, db_int(limit + 1));
    query_add(q, dialect == DIALECT_SQLITE ? ") p CROSS JOIN" : ") p JOIN");
    query_add(q,
              arena_printf(q->a, " generations g ON %s = p.page" GENERATION_PICTURE, outside.id));
    add_order(q, &outside, o);
    return rc;
}

/* What SQLite should walk over; PostgreSQL knows by itself. */
static int choose_index(struct tx *tx, const struct generation_filter *f, bool search,
                        struct arena *a, const char **out, struct err *e)
{
    const struct order *o = &orders[f->sort];
    struct terms terms;

    *out = NULL;
    if (db_dialect(tx_db(tx)) != DIALECT_SQLITE || search || f->tag)
        return 0;
    if (f->sort == SORT_CELL) {
        *out = o->index; /* a run is named, and its cells are in it in their order */
        return 0;
    }
    terms_of(f, &terms);
    return terms_index(tx, &terms,
                       f->sort == SORT_RATING && f->user_id ? "generations_user_rating" : o->index,
                       !o->key, a, out, e);
}

int generations_list(struct tx *tx, const struct generation_filter *f, struct arena *a,
                     struct generation **out, size_t *count, const char **next, struct err *e)
{
    enum db_dialect dialect = db_dialect(tx_db(tx));
    const char *words = f->text ? words_query(dialect, f->text, a) : NULL;
    int limit = page_limit(f->limit);
    const char *index;
    bool rare = false;
    struct generation *page;
    struct db_rows rows;
    struct source s;
    struct query q;

    if ((size_t)f->sort >= sizeof orders / sizeof *orders)
        return ERR(e, ERR_ARG, "no such order of generations");
    if (f->sort == SORT_CELL && !f->run_id)
        return ERR(e, ERR_ARG, "cells are in order within a run: name one");
    query_init(&q, a);
    int rc = choose_index(tx, f, words != NULL, a, &index, e);
    if (rc == 0)
        rc = judge_words(tx, f, words, a, &rare, e);
    if (rc == 0)
        rc = build(&q, dialect, f, words, index, rare, limit, &s, e);
    if (rc == 0)
        rc = query_run(&q, tx, &rows, e);
    if (rc)
        return rc;
    size_t n = rows.count > (size_t)limit ? (size_t)limit : rows.count;
    rc = generations_from_rows(tx, &rows, n, a, &page, e);
    if (rc)
        return rc;
    const struct order *o = &orders[f->sort];
    *next = NULL;
    if (rows.count > n)
        *next = cursor_write(
            a, (struct cursor){s.number ? (char)(o->tag - 32) : o->tag,
                               o->key ? db_str(&rows, n - 1, GENERATION_WIDTH) : "",
                               s.number ? db_str(&rows, n - 1, GENERATION_WIDTH) : page[n - 1].id});
    *count = n;
    *out = page;
    return 0;
}
