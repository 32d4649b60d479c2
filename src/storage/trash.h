/*
 * trash.h: what was deleted and may be restored for a day.
 *
 *   if (trash_put(tx, ids, count, now, e)) ...                 gone from everything
 *   if (trash_take(tx, ids, count, e)) ...                     back as it was
 *
 *   if (trash_experiment(tx, id, keep_cells, now, e)) ...      one row is marked; commit
 *   do { begin; trash_move(tx, id, TRASH_PIECE, &more, e); commit; } while (more);
 *
 * Deleted generations are in a table of their own (deleted_generations), so that lists, searches,
 * counts and their indexes are what they would be without them. An experiment's row is the truth
 * about its cells: they follow it in pieces, one short transaction each, in either direction, and
 * what a crash leaves half-way is finished by whoever sweeps (`moving` in the row). Cells of an
 * experiment that is deleted without them become generations of their own; detached_cells knows
 * what they were.
 *
 * Threads: as the transaction. Ownership: texts live in the arena.
 */
#ifndef STORAGE_TRASH_H
#define STORAGE_TRASH_H

#include "storage/experiments.h"
#include "storage/generations.h"

enum { TRASH_PIECE = 500 };
#define TRASH_MS ((int64_t)24 * 3600 * 1000) /* how long something may be restored */

/* Those of these generations that have ended; the others stay where they are. */
WARN_UNUSED_RESULT int trash_put(struct tx *tx, const char *const *ids, size_t count, int64_t now,
                                 struct err *e);
/* The reverse; what is not in the trash is passed over. A cell's experiment must be there. */
WARN_UNUSED_RESULT int trash_take(struct tx *tx, const char *const *ids, size_t count,
                                  struct err *e);
/* Those of these that are in the trash, by identifier, without their tags. */
WARN_UNUSED_RESULT int trash_find(struct tx *tx, const char *const *ids, size_t count,
                                  struct arena *a, struct generation **out, size_t *found,
                                  struct err *e);

/* Mark it; ERR_NOT_FOUND also when it is deleted already, ERR_CONFLICT while it runs. What waits in
 * its paused runs is cancelled. */
WARN_UNUSED_RESULT int trash_experiment(struct tx *tx, const char *id, bool keep_cells, int64_t now,
                                        struct err *e);
/* ERR_NOT_FOUND unless it is deleted. */
WARN_UNUSED_RESULT int trash_experiment_find(struct tx *tx, const char *id, struct arena *a,
                                             struct experiment *out, struct err *e);
WARN_UNUSED_RESULT int trash_experiment_take(struct tx *tx, const char *id, struct err *e);
/* Bring at most `limit` cells to where the experiment's row says. */
WARN_UNUSED_RESULT int trash_move(struct tx *tx, const char *experiment_id, int limit, bool *more,
                                  struct err *e);
/* Experiments whose cells are on the way. */
WARN_UNUSED_RESULT int trash_moving(struct tx *tx, struct arena *a, const char ***ids,
                                    size_t *count, struct err *e);

/* Remove for good at most `limit` generations, or one experiment, deleted before `before`. Pictures
 * stay until gc finds that nobody wants them. */
WARN_UNUSED_RESULT int trash_sweep(struct tx *tx, int64_t before, int limit, bool *more,
                                   struct err *e);

#endif
