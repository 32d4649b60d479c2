/* votes.c: verdicts on pairs. */
#include "storage/votes.h"

#include "api/access.h"
#include "api/api_routes.h"
#include "api/app.h"
#include "api/batch.h"
#include "base/clock.h"
#include "base/json.h"

#include <math.h>
#include <string.h>

static bool same_user(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : !a && !b;
}

static json_t *vote_json(const struct vote *v)
{
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:o, s:o}", "id", v->id, "experiment_id",
                     v->experiment_id, "user_id", json_text_or_null(v->user_id), "left", v->left,
                     "right", v->right, "choice", vote_choice_name(v->choice), "seconds",
                     isnan(v->seconds) ? json_null() : json_real(v->seconds), "created_at",
                     json_time_or_null(v->created_at));
}

int api_list_votes(struct request *r, struct response *w, struct err *e)
{
    const json_t *query = request_query(r);
    const struct vote_filter f = {.user_id = access_user(r),
                                  .experiment_id = json_text(query, "experiment_id", NULL),
                                  .cursor = json_text(query, "cursor", NULL),
                                  .limit = (int)json_int(query, "limit", 50)};
    const char *next;
    struct vote *rows;
    size_t count;
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = votes_list(tx, &f, request_arena(r), &rows, &count, &next, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, vote_json(&rows[i]));
    return respond_json(
        w, 200, json_pack("{s:o, s:o}", "items", items, "next_cursor", json_text_or_null(next)));
}

/* Both must be finished cells of one experiment, alike in what people would judge instead. */
static int check_pair(struct request *r, struct tx *tx, struct vote *v, struct err *e)
{
    const char *ids[] = {v->left, v->right};
    struct generation *rows, *pair[2];
    size_t found;
    int rc = generations_pick(tx, ids, 2, request_arena(r), &rows, &found, e);

    if (rc)
        return rc;
    batch_match(r, ids, 2, rows, found, pair);
    for (size_t i = 0; i < 2; i++) {
        if (!pair[i])
            return ERR(e, ERR_NOT_FOUND, "there is no generation '%.64s'", ids[i]);
        if (!pair[i]->experiment_id)
            return ERR(e, ERR_ARG, "generation %s is no cell of an experiment", ids[i]);
        if (pair[i]->status != GENERATION_SUCCEEDED)
            return ERR(e, ERR_ARG, "generation %s is %s: only finished ones are judged", ids[i],
                       generation_status_name(pair[i]->status));
    }
    if (strcmp(v->left, v->right) == 0)
        return ERR(e, ERR_ARG, "left and right are the same generation");
    if (strcmp(pair[0]->experiment_id, pair[1]->experiment_id) != 0)
        return ERR(e, ERR_ARG, "left and right are cells of different experiments");
    if (strcmp(pair[0]->prompt, pair[1]->prompt) != 0 || pair[0]->seed != pair[1]->seed)
        return ERR(e, ERR_ARG, "left and right have different prompts or seeds");
    v->experiment_id = pair[0]->experiment_id;
    return 0;
}

static bool same_vote(const struct vote *a, const struct vote *b)
{
    return same_user(a->user_id, b->user_id) && strcmp(a->left, b->left) == 0 &&
           strcmp(a->right, b->right) == 0 && a->choice == b->choice;
}

/* What is there under this identifier already: ERR_NOT_FOUND, or ERR_CONFLICT when it is another
 * vote. */
static int find_known(struct request *r, struct tx *tx, const struct vote *v, struct vote *out,
                      struct err *e)
{
    struct vote known;
    int rc = votes_get(tx, v->id, request_arena(r), &known, e);

    if (rc == 0 && !same_vote(&known, v))
        return ERR(e, ERR_CONFLICT, "another vote has the id %s", v->id);
    if (rc == 0)
        *out = known;
    return rc;
}

static int store(struct request *r, struct tx *tx, struct vote *v, bool *known, struct err *e)
{
    int rc = find_known(r, tx, v, v, e);

    *known = rc == 0;
    if (rc != ERR_NOT_FOUND)
        return rc;
    if ((rc = check_pair(r, tx, v, e)) || (rc = votes_insert(tx, v, known, e)))
        return rc;
    return *known ? find_known(r, tx, v, v, e) : 0; /* somebody was first, just now */
}

static struct vote vote_of(struct request *r)
{
    const json_t *body = request_json(r);
    int64_t now = clock_unix_ms(), when = 0;
    struct vote v = {.id = json_text(body, "id", ""),
                     .user_id = access_user(r),
                     .left = json_text(body, "left", ""),
                     .right = json_text(body, "right", ""),
                     .seconds = json_num(body, "seconds", NAN),
                     .created_at = now};
    const char *text = json_text(body, "voted_at", NULL);

    (void)vote_choice_by_name(str_from(json_text(body, "choice", "")), &v.choice);
    if (text && clock_parse(str_from(text), &when) && when < now)
        v.created_at = when; /* clocks of telephones may be ahead */
    return v;
}

int api_create_vote(struct request *r, struct response *w, struct err *e)
{
    struct vote v = vote_of(r);
    bool known;
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e);

    if (rc)
        return rc;
    if ((rc = store(r, tx, &v, &known, e))) {
        tx_rollback(tx);
        return rc;
    }
    rc = tx_commit(tx, e);
    return rc ? rc : respond_json(w, known ? 200 : 201, vote_json(&v));
}

int api_delete_vote(struct request *r, struct response *w, struct err *e)
{
    const char *id = request_param(r, "id");
    struct vote v;
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e);

    if (rc)
        return rc;
    rc = votes_get(tx, id, request_arena(r), &v, e);
    if (rc == 0 && !same_user(v.user_id, access_user(r)))
        rc = ERR(e, ERR_NOT_FOUND, "there is no vote '%.64s' of yours", id);
    if (rc == 0)
        rc = votes_delete(tx, id, e);
    if (rc) {
        tx_rollback(tx);
        return rc;
    }
    rc = tx_commit(tx, e);
    return rc ? rc : respond_empty(w, 204);
}
