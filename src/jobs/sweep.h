/*
 * sweep.h: the trash (storage/trash.h) and the jobs that ended long ago in many short transactions,
 * so that nobody waits for ten thousand cells.
 *
 *   if (sweep_cells(db, experiment_id, &e)) ...      after an experiment was marked or restored
 *   if (sweep_trash(db, now - TRASH_MS, 20, &e)) ... now and then: what is too old goes for good
 *
 *   if (sweep_jobs(db, now - job_ms, 20, &e)) ...    the same for rows of jobs
 *
 * All may be cut off anywhere and called again; several processes may do so at once. Threads: any.
 */
#ifndef JOBS_SWEEP_H
#define JOBS_SWEEP_H

#include "storage/db.h"

enum { JOBS_PIECE = 500 };

/* Move all cells of an experiment to where its row says. */
WARN_UNUSED_RESULT int sweep_cells(struct db *db, const char *experiment_id, struct err *e);
/* Finish what sweep_cells left somewhere, then remove at most so many pieces (TRASH_PIECE each) of
 * what was deleted before `before`. */
WARN_UNUSED_RESULT int sweep_trash(struct db *db, int64_t before, int pieces, struct err *e);
/* Remove at most so many pieces (JOBS_PIECE each) of jobs_prune. */
WARN_UNUSED_RESULT int sweep_jobs(struct db *db, int64_t before, int pieces, struct err *e);

#endif
