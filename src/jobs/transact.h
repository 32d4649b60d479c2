/*
 * transact.h: one transaction of several steps, repeated when the database asks for it.
 *
 *   struct claim c = {...};
 *   if (transact(db, claim, &c, &e)) ...
 *
 * The step runs again from its start after ERR_NETWORK (busy, deadlock, a server that restarts), at
 * most a few times within half a second; so what it fills in must not depend on the times before.
 * When the answer to the commit was lost, nothing is repeated, for it may have happened:
 * ERR_NETWORK, and who must know looks. Threads: any.
 */
#ifndef JOBS_TRANSACT_H
#define JOBS_TRANSACT_H

#include "storage/db.h"

typedef int (*transact_step)(struct tx *tx, void *user, struct err *e);

WARN_UNUSED_RESULT int transact(struct db *db, transact_step step, void *user, struct err *e);

/* Seconds to wait before try `attempt` (1, 2, ...): `first` doubled each time, at most `most`, and
 * a quarter more or less by chance, so that those who failed together do not come back together. */
double backoff(int attempt, double first, double most);

#endif
