#include "storage/votes.h"

#include "storage/query.h"

#define COLUMNS                                                                                    \
    "v.id, v.experiment_id, v.user_id, v.left_id, v.right_id, v.choice, v.seconds, v.created_at"

static const char *const choices[] = {
    [VOTE_LEFT] = "left", [VOTE_RIGHT] = "right", [VOTE_TIE] = "tie", [VOTE_SKIP] = "skip"};
enum { CHOICES = sizeof choices / sizeof *choices };

const char *vote_choice_name(enum vote_choice c)
{
    return choices[c];
}

bool vote_choice_by_name(struct str name, enum vote_choice *out)
{
    for (int i = 0; i < CHOICES; i++)
        if (str_is(name, choices[i])) {
            *out = (enum vote_choice)i;
            return true;
        }
    return false;
}

static void from_row(const struct db_rows *r, size_t row, struct vote *out)
{
    enum vote_choice choice = VOTE_SKIP;

    (void)vote_choice_by_name(str_from(db_str(r, row, 5)), &choice);
    *out = (struct vote){
        .id = db_str(r, row, 0),
        .experiment_id = db_str(r, row, 1),
        .user_id = db_str(r, row, 2),
        .left = db_str(r, row, 3),
        .right = db_str(r, row, 4),
        .choice = choice,
        .seconds = db_f64(r, row, 6),
        .created_at = db_i64(r, row, 7),
    };
}

int votes_insert(struct tx *tx, const struct vote *v, bool *existed, struct err *e)
{
    int64_t changed;
    int rc = tx_exec(tx,
                     "INSERT INTO votes (id, experiment_id, user_id, left_id, right_id, choice, "
                     "seconds, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
                     "ON CONFLICT (id) DO NOTHING",
                     DB_ARGS(db_text(v->id), db_text(v->experiment_id), db_text(v->user_id),
                             db_text(v->left), db_text(v->right), db_text(choices[v->choice]),
                             db_real(v->seconds), db_int(v->created_at)),
                     &changed, e);

    if (rc == 0)
        *existed = changed == 0;
    return rc;
}

int votes_get(struct tx *tx, const char *id, struct arena *a, struct vote *out, struct err *e)
{
    struct db_rows rows;
    int rc = query_one(tx, "SELECT " COLUMNS " FROM votes v WHERE v.id = $1", DB_ARGS(db_text(id)),
                       "vote", id, a, &rows, e);

    if (rc == 0)
        from_row(&rows, 0, out);
    return rc;
}

int votes_delete(struct tx *tx, const char *id, struct err *e)
{
    return exec_one(tx, "DELETE FROM votes WHERE id = $1", DB_ARGS(db_text(id)), "vote", id, e);
}

static int add_cursor(struct query *q, const char *text, struct err *e)
{
    struct cursor c;
    int64_t time;
    int rc = cursor_read(text, 'v', q->a, &c, e);

    if (rc)
        return rc;
    if (!str_to_i64(str_from(c.key), &time))
        return ERR(e, ERR_ARG, "not a cursor of this list");
    query_and(q, "(v.created_at, v.id) < (", db_int(time));
    query_add(q, ", ");
    query_arg(q, db_text(c.id));
    query_add(q, ")");
    return 0;
}

int votes_list(struct tx *tx, const struct vote_filter *f, struct arena *a, struct vote **out,
               size_t *count, const char **next, struct err *e)
{
    size_t most = (size_t)page_limit(f->limit);
    struct db_rows rows;
    struct query q;

    query_init(&q, a);
    query_add(&q, "SELECT " COLUMNS " FROM votes v JOIN experiments x ON x.id = v.experiment_id "
                  "WHERE x.deleted_at IS NULL");
    if (f->user_id)
        query_and(&q, "v.user_id = ", db_text(f->user_id));
    else
        query_add(&q, " AND v.user_id IS NULL");
    if (f->experiment_id)
        query_and(&q, "v.experiment_id = ", db_text(f->experiment_id));
    int rc = f->cursor ? add_cursor(&q, f->cursor, e) : 0;
    query_add(&q, " ORDER BY v.created_at DESC, v.id DESC LIMIT ");
    query_arg(&q, db_int((int64_t)most + 1));
    if (rc == 0)
        rc = query_run(&q, tx, &rows, e);
    if (rc)
        return rc;
    size_t n = rows.count > most ? most : rows.count;
    struct vote *list = arena_alloc(a, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++)
        from_row(&rows, i, &list[i]);
    *next = NULL;
    if (rows.count > n)
        *next = cursor_write(
            a, (struct cursor){'v', arena_printf(a, "%lld", (long long)list[n - 1].created_at),
                               list[n - 1].id});
    *count = n;
    *out = list;
    return 0;
}

int votes_of_experiment(struct tx *tx, const char *experiment_id, struct arena *a,
                        struct vote_seen **out, size_t *count, struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx,
                      "SELECT v.user_id, v.left_id, v.right_id, v.choice, l.axes, r.axes "
                      "FROM votes v JOIN generations l ON l.id = v.left_id "
                      "JOIN generations r ON r.id = v.right_id WHERE v.experiment_id = $1",
                      DB_ARGS(db_text(experiment_id)), a, &rows, e);

    if (rc)
        return rc;
    struct vote_seen *list = arena_try(a, rows.count + 1, sizeof *list);
    if (!list)
        return ERR(e, ERR_NOMEM, "no memory for %zu votes", rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        struct vote v = {.experiment_id = experiment_id,
                         .user_id = db_str(&rows, i, 0),
                         .left = db_str(&rows, i, 1),
                         .right = db_str(&rows, i, 2),
                         .choice = VOTE_SKIP};
        (void)vote_choice_by_name(str_from(db_str(&rows, i, 3)), &v.choice);
        list[i] = (struct vote_seen){v, db_str(&rows, i, 4), db_str(&rows, i, 5)};
    }
    *count = rows.count;
    *out = list;
    return 0;
}
