/*
 * migrate.h: the schema by numbers: migrations/NNNN-name.{sqlite,postgres}.sql (or .sql for both),
 * embedded in the program with their checksums; each runs in one transaction and is written into
 * the table schema_migrations (number, name, checksum, applied_at).
 *
 *   if (migrate_up(db, MIGRATE_NEWEST, &e)) ...
 *
 * Several processes may start at once: the first one migrates, the others wait (an advisory lock on
 * PostgreSQL, the write lock on SQLite). A migration whose checksum is not the embedded one is an
 * error that names it. Threads: any.
 */
#ifndef STORAGE_MIGRATE_H
#define STORAGE_MIGRATE_H

#include "storage/db.h"

enum { MIGRATE_NEWEST = -1 };

struct migration_state {
    int number;
    const char *name;
    int64_t applied_at; /* 0: not yet */
    bool unknown;       /* in the database, not in this program: it is older than the schema */
    bool changed;       /* the checksum differs */
};
WARN_UNUSED_RESULT int migrate_status(struct db *db, struct arena *a, struct migration_state **out,
                                      size_t *count, struct err *e);
/* Go up to that number; going down is refused. */
WARN_UNUSED_RESULT int migrate_up(struct db *db, int to, struct err *e);
/* 0 when the schema is exactly this program's; ERR_UNSUPPORTED with what to do otherwise. */
WARN_UNUSED_RESULT int migrate_check(struct db *db, struct err *e);

#endif
