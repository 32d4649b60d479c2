#include "storage/check.h"

#include "base/clock.h"
#include "base/uuid.h"
#include "storage/events.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MOST = 1000 };

static int write_one(struct db *db, const char *name, const char *value, struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(db, TX_WRITE, &tx, e);

    if (rc)
        return rc;
    rc = settings_set(tx, name, value, e);
    if (rc == 0)
        return tx_commit(tx, e);
    tx_rollback(tx);
    return rc;
}

static int read_one(struct db *db, const char *name, const char *expected, struct err *e)
{
    struct arena a = {0};
    const char *value;
    struct tx *tx;
    int rc = tx_begin(db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = settings_get(tx, name, &a, &value, e);
    tx_rollback(tx);
    if (rc == 0 && (!value || strcmp(value, expected) != 0))
        rc = ERR(e, ERR_IO, "the database gives '%s' for '%s', which was written just before",
                 value ? value : "nothing", expected);
    arena_release(&a);
    return rc;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

int db_check(struct db *db, int rounds, struct db_health *out, struct err *e)
{
    size_t n = rounds < 1 ? 1 : rounds > ROUNDS_MOST ? ROUNDS_MOST : (size_t)rounds;
    struct arena a = {0};
    double *reads = arena_alloc(&a, n * sizeof *reads),
           *writes = arena_alloc(&a, n * sizeof *reads);
    char token[33], name[48] = "check.";
    int rc = 0;

    random_hex(token, 16);
    memcpy(name + 6, token, sizeof token);
    for (size_t i = 0; i < n && rc == 0; i++) {
        random_hex(token, 16);
        double start = clock_seconds();
        rc = write_one(db, name, token, e);
        writes[i] = clock_seconds() - start;
        start = clock_seconds();
        if (rc == 0)
            rc = read_one(db, name, token, e);
        reads[i] = clock_seconds() - start;
    }
    struct err ignored;
    int removed = write_one(db, name, NULL, rc ? &ignored : e);
    if (rc == 0 && (rc = removed) == 0) {
        qsort(reads, n, sizeof *reads, by_size);
        qsort(writes, n, sizeof *writes, by_size);
        *out = (struct db_health){reads[n / 2], writes[n / 2],
                                  reads[n - 1] > writes[n - 1] ? reads[n - 1] : writes[n - 1]};
    }
    arena_release(&a);
    return rc;
}
