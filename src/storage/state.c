#include "storage/connection.h"

#include <stdio.h>

/*
 * SQLite: data_version is a number that changes on a connection when another one has committed, so
 * it needs a connection on which nothing is ever committed. PostgreSQL: a snapshot names the
 * transactions that are visible and those that are under way; each that writes has a number.
 */
static const char *const questions[] = {
    [DIALECT_SQLITE] = "PRAGMA data_version",
    [DIALECT_POSTGRES] = "SELECT CAST(pg_current_snapshot() AS TEXT)",
};

static int ask(struct db *db, char out[DB_STATE], struct err *e)
{
    struct arena a = {0};
    struct db_rows rows;
    int rc =
        db->backend->query(db->watcher, questions[db->backend->dialect], DB_NONE, &a, &rows, e);

    if (rc == 0 && !rows.count)
        rc = ERR(e, ERR_IO, "the database does not say in what state it is");
    if (rc == 0)
        snprintf(out, DB_STATE, "%s", db_str(&rows, 0, 0));
    arena_release(&a);
    return rc;
}

int db_state(struct db *db, char out[DB_STATE], struct err *e)
{
    int rc = 0;

    pthread_mutex_lock(&db->watch_lock);
    if (!db->watcher)
        rc = db->backend->connect(db, &db->watcher, e);
    if (rc)
        db->watcher = NULL;
    else
        rc = ask(db, out, e);
    if (rc && db->watcher) { /* the next one who asks tries a fresh one */
        db->backend->disconnect(db->watcher);
        db->watcher = NULL;
    }
    pthread_mutex_unlock(&db->watch_lock);
    return rc;
}
