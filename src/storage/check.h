/*
 * check.h: whether the database does what it is for: a write, a read back, and how long they take.
 *
 *   struct db_health h;
 *   if (db_check(db, 20, &h, &e)) ...
 *
 * The schema must be there (migrate_check). Threads: any; several at once do not meet, each has a
 * name of its own.
 */
#ifndef STORAGE_CHECK_H
#define STORAGE_CHECK_H

#include "storage/db.h"

struct db_health {
    double read, write; /* median seconds of a transaction that reads or writes one row */
    double slowest;
};
/* `rounds` of each, 1 to 1000. ERR_IO when something else is read than was written. */
WARN_UNUSED_RESULT int db_check(struct db *db, int rounds, struct db_health *out, struct err *e);

#endif
