/* transact.c: see transact.h. */
#include "jobs/transact.h"

#include "base/uuid.h"

#include <math.h>
#include <time.h>

enum { TRIES = 5 };

double backoff(int attempt, double first, double most)
{
    unsigned char chance;
    int doublings = attempt < 1 ? 0 : attempt > 31 ? 30 : attempt - 1;

    random_bytes(&chance, 1);
    return fmin(first * (double)(1LL << doublings), most) * (0.75 + 0.5 * chance / 255);
}

/* *again: nothing has happened, and another try may go better. */
static int once(struct db *db, transact_step step, void *user, bool *again, struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(db, TX_WRITE, &tx, e);

    *again = rc == ERR_NETWORK;
    if (rc)
        return rc;
    rc = step(tx, user, e);
    *again = rc == ERR_NETWORK;
    if (rc) {
        tx_rollback(tx);
        return rc;
    }
    return tx_commit(tx, e);
}

int transact(struct db *db, transact_step step, void *user, struct err *e)
{
    bool again;
    int rc = once(db, step, user, &again, e);

    for (int i = 1; again && i < TRIES; i++) {
        double seconds = backoff(i, 0.02, 0.2);
        nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
        rc = once(db, step, user, &again, e);
    }
    return rc;
}
