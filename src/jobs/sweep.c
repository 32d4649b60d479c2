#include "jobs/sweep.h"

#include "jobs/transact.h"
#include "storage/jobs.h"
#include "storage/trash.h"

struct sweep {
    const char *id;
    const char **ids;
    size_t count;
    int64_t before;
    bool more;
    struct arena a;
};

static int move_step(struct tx *tx, void *user, struct err *e)
{
    struct sweep *s = user;

    return trash_move(tx, s->id, TRASH_PIECE, &s->more, e);
}

int sweep_cells(struct db *db, const char *experiment_id, struct err *e)
{
    struct sweep s = {.id = experiment_id, .more = true};
    int rc = 0;

    while (rc == 0 && s.more)
        rc = transact(db, move_step, &s, e);
    return rc;
}

static int moving_step(struct tx *tx, void *user, struct err *e)
{
    struct sweep *s = user;

    return trash_moving(tx, &s->a, &s->ids, &s->count, e);
}

static int sweep_step(struct tx *tx, void *user, struct err *e)
{
    struct sweep *s = user;

    return trash_sweep(tx, s->before, TRASH_PIECE, &s->more, e);
}

int sweep_trash(struct db *db, int64_t before, int pieces, struct err *e)
{
    struct sweep s = {.before = before, .more = true};
    int rc = transact(db, moving_step, &s, e);

    for (size_t i = 0; i < s.count && rc == 0; i++)
        rc = sweep_cells(db, s.ids[i], e);
    for (int i = 0; i < pieces && rc == 0 && s.more; i++)
        rc = transact(db, sweep_step, &s, e);
    arena_release(&s.a);
    return rc;
}

static int prune_step(struct tx *tx, void *user, struct err *e)
{
    struct sweep *s = user;

    return jobs_prune(tx, s->before, JOBS_PIECE, &s->count, e);
}

int sweep_jobs(struct db *db, int64_t before, int pieces, struct err *e)
{
    struct sweep s = {.before = before, .count = JOBS_PIECE};
    int rc = 0;

    for (int i = 0; i < pieces && rc == 0 && s.count == JOBS_PIECE; i++)
        rc = transact(db, prune_step, &s, e);
    return rc;
}
