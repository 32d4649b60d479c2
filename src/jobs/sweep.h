/*
 * sweep.h: the trash (storage/trash.h) in many short transactions, so that nobody waits for ten
 * thousand cells.
 *
 *   if (sweep_cells(db, experiment_id, &e)) ...      after an experiment was marked or restored
 *   if (sweep_trash(db, now - TRASH_MS, 20, &e)) ... now and then: what is too old goes for good
 *
 * Both may be cut off anywhere and called again; several processes may do so at once. Threads: any.
 */
#ifndef JOBS_SWEEP_H
#define JOBS_SWEEP_H

#include "storage/db.h"

/* Move all cells of an experiment to where its row says. */
WARN_UNUSED_RESULT int sweep_cells(struct db *db, const char *experiment_id, struct err *e);
/* Finish what sweep_cells left somewhere, then remove at most so many pieces (TRASH_PIECE each) of
 * what was deleted before `before`. */
WARN_UNUSED_RESULT int sweep_trash(struct db *db, int64_t before, int pieces, struct err *e);

#endif
