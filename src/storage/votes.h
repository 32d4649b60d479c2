/*
 * votes.h: the table of votes: verdicts on two cells of an experiment.
 *
 *   struct vote v = {.id = id, .experiment_id = x, .left = a, .right = b, .choice = VOTE_LEFT,
 * ...}; if (votes_insert(tx, &v, &existed, e)) ...
 *
 * The identifier is the client's, so a vote that is sent twice is there once. Threads: as the
 * transaction. Ownership: texts live in the arena.
 */
#ifndef STORAGE_VOTES_H
#define STORAGE_VOTES_H

#include "storage/db.h"

enum vote_choice { VOTE_LEFT, VOTE_RIGHT, VOTE_TIE, VOTE_SKIP };
const char *vote_choice_name(enum vote_choice c);
bool vote_choice_by_name(struct str name, enum vote_choice *out);

struct vote {
    const char *id, *experiment_id;
    const char *user_id;      /* NULL: nobody, or somebody who is gone */
    const char *left, *right; /* generations */
    enum vote_choice choice;
    double seconds; /* to decide; NAN: not known */
    int64_t created_at;
};

/* Leaves an existing row alone and says so: *existed. */
WARN_UNUSED_RESULT int votes_insert(struct tx *tx, const struct vote *v, bool *existed,
                                    struct err *e);
WARN_UNUSED_RESULT int votes_get(struct tx *tx, const char *id, struct arena *a, struct vote *out,
                                 struct err *e);
WARN_UNUSED_RESULT int votes_delete(struct tx *tx, const char *id, struct err *e);

/* Of one user (NULL: of nobody), newest first; of one experiment, or of all (NULL) that are not
 * deleted. */
struct vote_filter {
    const char *user_id, *experiment_id, *cursor;
    int limit;
};
WARN_UNUSED_RESULT int votes_list(struct tx *tx, const struct vote_filter *f, struct arena *a,
                                  struct vote **out, size_t *count, const char **next,
                                  struct err *e);

/* All votes of an experiment on cells that are there, with the cells' coordinates (JSON objects).
 */
struct vote_seen {
    struct vote vote; /* id, seconds and created_at are not filled in */
    const char *left_axes, *right_axes;
};
WARN_UNUSED_RESULT int votes_of_experiment(struct tx *tx, const char *experiment_id,
                                           struct arena *a, struct vote_seen **out, size_t *count,
                                           struct err *e);

#endif
