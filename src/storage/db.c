#include "storage/db.h"

#include "base/clock.h"
#include "base/log.h"
#include "storage/connection.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct db_backend *const backends[] = {&db_sqlite, &db_postgres};

struct slot {
    void *connection; /* NULL: may be opened, is not yet */
    struct slot *next;
};

/* Somebody who stands in line; whoever gives a slot back hands it to the first one. */
struct waiter {
    pthread_cond_t turn;
    struct slot *slot;
    struct waiter *next;
};

struct tx {
    struct db *db;
    struct line *line;
    struct slot *slot;
    enum tx_mode mode;
    bool failed;
};

static const struct db_backend *backend_of(const char *url)
{
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        size_t n = strlen(backends[i]->scheme);
        if (strncmp(url, backends[i]->scheme, n) == 0 && url[n] == ':')
            return backends[i];
    }
    /* The other name that libpq knows. */
    return strncmp(url, "postgres:", 9) == 0 ? &db_postgres : NULL;
}

int db_open(const char *url, const struct db_options *o, struct db **out, struct err *e)
{
    const struct db_backend *backend = backend_of(url);

    if (!backend)
        return ERR(e, ERR_ARG,
                   "not the URL of a database: give sqlite:///file or postgresql://host/name");
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return ERR(e, ERR_NOMEM, "no memory for a database");
    db->backend = backend;
    db->options = o ? *o : (struct db_options){0};
    if (db->options.connections <= 0)
        db->options.connections = 8;
    if (db->options.timeout <= 0)
        db->options.timeout = 10;
    if (db->options.slow_query <= 0)
        db->options.slow_query = 1;
    pthread_mutex_init(&db->watch_lock, NULL);
    db->readers.most = db->options.connections;
    db->one_line = true;
    if (pthread_mutex_init(&db->lock, NULL)) {
        free(db);
        return ERR(e, ERR_NOMEM, "no memory for a database");
    }
    int rc = backend->open(db, url, e);
    if (rc) {
        pthread_mutex_destroy(&db->lock);
        free(db);
        return rc;
    }
    /* The first transaction shows whether anybody answers. */
    struct tx *tx;
    rc = tx_begin(db, TX_READ, &tx, e);
    if (rc) {
        db_close(db);
        return rc;
    }
    tx_rollback(tx);
    *out = db;
    return 0;
}

static void close_line(struct db *db, struct line *line)
{
    while (line->idle) {
        struct slot *slot = line->idle;
        line->idle = slot->next;
        if (slot->connection)
            db->backend->disconnect(slot->connection);
        free(slot);
    }
}

void db_close(struct db *db)
{
    if (!db)
        return;
    close_line(db, &db->readers);
    close_line(db, &db->writers);
    if (db->watcher)
        db->backend->disconnect(db->watcher);
    pthread_mutex_destroy(&db->watch_lock);
    db->backend->close(db);
    pthread_mutex_destroy(&db->lock);
    free(db);
}

enum db_dialect db_dialect(const struct db *db)
{
    return db->backend->dialect;
}

void db_stats(struct db *db, struct db_stats *out)
{
    pthread_mutex_lock(&db->lock);
    *out = db->stats;
    out->open = db->readers.open + db->writers.open;
    out->busy = db->readers.busy + db->writers.busy;
    pthread_mutex_unlock(&db->lock);
}

static struct timespec deadline_after(double seconds)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)seconds;
    t.tv_nsec += (long)((seconds - floor(seconds)) * 1e9);
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

static void leave_line(struct line *line, struct waiter *me)
{
    struct waiter *before = NULL;

    for (struct waiter *w = line->first; w != me; w = w->next)
        before = w;
    if (before)
        before->next = me->next;
    else
        line->first = me->next;
    if (line->last == me)
        line->last = before;
}

/* Wait in line, first come first served. The lock is held. */
static struct slot *stand_in_line(struct db *db, struct line *line)
{
    struct waiter me = {0};
    struct timespec until = deadline_after(db->options.timeout);
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&me.turn, &attributes);
    pthread_condattr_destroy(&attributes);
    /* It leaves the line before this function ends. */
    if (line->last)
        line->last->next = &me;
    else
        line->first = &me; /* cppcheck-suppress autoVariables */
    line->last = &me;      /* cppcheck-suppress autoVariables */
    while (!me.slot)
        if (pthread_cond_timedwait(&me.turn, &db->lock, &until) == ETIMEDOUT && !me.slot) {
            leave_line(line, &me);
            break;
        }
    pthread_cond_destroy(&me.turn);
    return me.slot;
}

static struct slot *take_slot(struct db *db, struct line *line)
{
    struct slot *slot = NULL;

    pthread_mutex_lock(&db->lock);
    if (!line->first && line->idle) {
        slot = line->idle;
        line->idle = slot->next;
    } else if (!line->first && line->open < line->most) {
        slot = calloc(1, sizeof *slot);
        line->open += slot != NULL;
    } else {
        slot = stand_in_line(db, line);
    }
    line->busy += slot != NULL;
    pthread_mutex_unlock(&db->lock);
    return slot;
}

static void give_slot(struct db *db, struct line *line, struct slot *slot)
{
    pthread_mutex_lock(&db->lock);
    line->busy--;
    struct waiter *next = line->first;
    if (next) {
        line->first = next->next;
        if (!line->first)
            line->last = NULL;
        next->slot = slot;
        pthread_cond_signal(&next->turn);
    } else {
        slot->next = line->idle;
        line->idle = slot;
    }
    pthread_mutex_unlock(&db->lock);
}

static void hang_up(struct db *db, struct slot *slot)
{
    if (slot->connection)
        db->backend->disconnect(slot->connection);
    slot->connection = NULL;
}

/* Begin on an old connection, which may have died while it lay idle, or else on a fresh one. */
static int begin(struct db *db, struct slot *slot, enum tx_mode mode, struct err *e)
{
    if (slot->connection) {
        int rc = db->backend->begin(slot->connection, mode, e);
        if (rc == 0 || db->backend->usable(slot->connection))
            return rc;
        hang_up(db, slot);
    }
    int rc = db->backend->connect(db, &slot->connection, e);
    if (rc) {
        slot->connection = NULL;
        return rc;
    }
    return db->backend->begin(slot->connection, mode, e);
}

int tx_begin(struct db *db, enum tx_mode mode, struct tx **out, struct err *e)
{
    struct line *line = mode == TX_READ || db->one_line ? &db->readers : &db->writers;
    struct tx *tx = calloc(1, sizeof *tx);

    if (!tx)
        return ERR(e, ERR_NOMEM, "no memory for a transaction");
    struct slot *slot = take_slot(db, line);
    if (!slot) {
        free(tx);
        return ERR(e, ERR_NETWORK, "the database is busy: no connection became free in %g seconds",
                   db->options.timeout);
    }
    int rc = begin(db, slot, mode, e);
    if (rc) {
        if (slot->connection && !db->backend->usable(slot->connection))
            hang_up(db, slot);
        give_slot(db, line, slot);
        free(tx);
        return rc;
    }
    *tx = (struct tx){db, line, slot, mode, false};
    *out = tx;
    return 0;
}

static int end(struct tx *tx, bool commit, struct err *e)
{
    struct db *db = tx->db;
    int rc = db->backend->end(tx->slot->connection, commit, e);

    if (!db->backend->usable(tx->slot->connection))
        hang_up(db, tx->slot);
    pthread_mutex_lock(&db->lock);
    db->stats.transactions += rc == 0 && commit;
    db->stats.failures += rc != 0;
    pthread_mutex_unlock(&db->lock);
    give_slot(db, tx->line, tx->slot);
    free(tx);
    return rc;
}

int tx_commit(struct tx *tx, struct err *e)
{
    struct err ignored;

    if (!tx->failed)
        return end(tx, true, e);
    (void)end(tx, false, &ignored);
    return ERR(e, ERR_IO, "a statement of this transaction failed: nothing was changed");
}

void tx_rollback(struct tx *tx)
{
    struct err ignored;

    if (tx)
        (void)end(tx, false, &ignored);
}

struct db *tx_db(struct tx *tx)
{
    return tx->db;
}

enum tx_mode tx_mode(const struct tx *tx)
{
    return tx->mode;
}

static int note(struct tx *tx, const char *sql, double start, int rc)
{
    struct db *db = tx->db;
    double seconds = clock_seconds() - start;

    pthread_mutex_lock(&db->lock);
    db->stats.queries++;
    db->stats.failures += rc != 0;
    db->stats.seconds += seconds;
    pthread_mutex_unlock(&db->lock);
    if (seconds >= db->options.slow_query)
        LOG(LOG_WARNING, "slow query", LOG_TEXT("sql", sql), LOG_NUMBER("seconds", seconds));
    tx->failed |= rc != 0;
    return rc;
}

/* PostgreSQL refuses such texts; SQLite would keep what nobody can read. */
static bool text_valid(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s, *end = p + n;

    while (p < end) {
        unsigned c = *p++, least;
        int more;
        if (c < 0x80) {
            if (c == 0)
                return false;
            continue;
        }
        if (c >= 0xc2 && c <= 0xdf) {
            more = 1, least = 0x80, c &= 0x1f;
        } else if (c >= 0xe0 && c <= 0xef) {
            more = 2, least = 0x800, c &= 0x0f;
        } else if (c >= 0xf0 && c <= 0xf4) {
            more = 3, least = 0x10000, c &= 0x07;
        } else {
            return false;
        }
        for (; more; more--) {
            if (p == end || (*p & 0xc0) != 0x80)
                return false;
            c = c << 6 | (*p++ & 0x3f);
        }
        if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return false;
    }
    return true;
}

int tx_query(struct tx *tx, const char *sql, struct db_args args, struct arena *a,
             struct db_rows *rows, struct err *e)
{
    if (tx->failed)
        return ERR(e, ERR_IO, "a statement of this transaction failed before");
    for (size_t i = 0; i < args.count; i++)
        if (args.values[i].type == DB_TEXT && !text_valid(args.values[i].s, args.values[i].n))
            return ERR(e, ERR_ARG, "a text for the database is not UTF-8 or holds a NUL");
    double start = clock_seconds();
    struct db_rows got = {0};
    int rc = tx->db->backend->query(tx->slot->connection, sql, args, rows ? a : NULL, &got, e);
    if (rc == 0 && rows)
        *rows = got;
    return note(tx, sql, start, rc);
}

int tx_exec(struct tx *tx, const char *sql, struct db_args args, int64_t *changed, struct err *e)
{
    struct db_rows rows;

    if (!changed)
        return tx_query(tx, sql, args, NULL, NULL, e);
    struct arena a = {0};
    int rc = tx_query(tx, sql, args, &a, &rows, e);
    arena_release(&a);
    if (rc == 0)
        *changed = rows.changed;
    return rc;
}

int tx_script(struct tx *tx, const char *sql, struct err *e)
{
    if (tx->failed)
        return ERR(e, ERR_IO, "a statement of this transaction failed before");
    double start = clock_seconds();
    return note(tx, sql, start, tx->db->backend->script(tx->slot->connection, sql, e));
}
