/*
 * migrations.h: the table that tools/embed_migrations.py makes of migrations/ *.sql. Only migrate.c
 * and its tests read it.
 */
#ifndef STORAGE_MIGRATIONS_H
#define STORAGE_MIGRATIONS_H

#include "storage/db.h"

struct migration {
    int number;
    const char *name;
    enum db_dialect dialect;
    const char *checksum; /* SHA-256 of the text */
    const char *sql;
};
extern const struct migration migrations[]; /* by number */
extern const size_t migration_count;

#endif
