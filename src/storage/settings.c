#include "storage/events.h"

int settings_get(struct tx *tx, const char *name, struct arena *a, const char **value,
                 struct err *e)
{
    struct db_rows rows;
    int rc = tx_query(tx, "SELECT value FROM settings WHERE name = $1", DB_ARGS(db_text(name)), a,
                      &rows, e);

    if (rc == 0)
        *value = rows.count ? db_str(&rows, 0, 0) : NULL;
    return rc;
}

int settings_set(struct tx *tx, const char *name, const char *value, struct err *e)
{
    if (!value)
        return tx_exec(tx, "DELETE FROM settings WHERE name = $1", DB_ARGS(db_text(name)), NULL, e);
    return tx_exec(tx,
                   "INSERT INTO settings (name, value) VALUES ($1, $2) "
                   "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                   DB_ARGS(db_text(name), db_text(value)), NULL, e);
}

int settings_add(struct tx *tx, const char *name, const char *value, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO settings (name, value) VALUES ($1, $2) "
                   "ON CONFLICT (name) DO NOTHING",
                   DB_ARGS(db_text(name), db_text(value)), NULL, e);
}
