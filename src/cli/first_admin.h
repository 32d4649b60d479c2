/*
 * first_admin.h: the first user of a server that nobody can log in to yet, from its options: what
 * containers have instead of a terminal for `cauldron user add`.
 *
 *   if (first_admin(db, "admin", password, &e)) ...
 *
 * Does nothing when there is a user, whatever that user's name and password are. Several servers
 * may start on one empty database at once: one of them adds the user. Threads: any, on its own.
 * Ownership: nothing is kept.
 */
#ifndef CLI_FIRST_ADMIN_H
#define CLI_FIRST_ADMIN_H

#include "storage/db.h"

WARN_UNUSED_RESULT int first_admin(struct db *db, const char *name, const char *password,
                                   struct err *e);

#endif
