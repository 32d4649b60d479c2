#include "base/clock.h"
#include "cli/commands.h"
#include "cli/platform.h"
#include "jobs/sweep.h"
#include "storage/events.h"
#include "storage/images.h"
#include "storage/trash.h"
#include "storage/users.h"

#include <limits.h>
#include <string.h>

/* What nobody wants any more: pictures without a generation, blobs without a picture, thumbnails of
 * blobs that are gone, temporary files that a crash left. Everything younger than --age stays: a
 * blob is written before the row that points at it. */

enum { PAGE = 500 };

struct want {
    struct platform_options platform;
    double age_hours, event_days;
    bool remove;
};

static const struct opt table[] = {
    {.name = "remove",
     .type = OPT_FLAG,
     OPT_INTO(struct want, remove),
     .help = "really remove; else it is only said what would go"},
    {.name = "age",
     .type = OPT_F64,
     OPT_INTO(struct want, age_hours),
     .value = "HOURS",
     .min = 0,
     .max = 1e6,
     .initial = "24",
     .help = "leave alone what is younger"},
    {.name = "events",
     .type = OPT_F64,
     OPT_INTO(struct want, event_days),
     .value = "DAYS",
     .min = 0,
     .max = 1e5,
     .initial = "365",
     .help = "keep events that long"},
    PLATFORM_STORE(struct want, platform),
    {0},
};

static const struct opt_spec spec = {
    .command = "gc",
    .usage = "[options]",
    .summary = "Find pictures that nobody wants any more and files that belong to nothing. Safe "
               "beside running servers.",
    .table = table,
    .environment = true,
};

struct sweep {
    const struct want *want;
    struct platform *p;
    struct err *e;
    int64_t pictures, blobs, thumbnails, temporary, bytes;
};

/* Rows first: a blob goes only when no row points at it. */
static int sweep_rows(struct sweep *s)
{
    int64_t before = clock_unix_ms() - (int64_t)(s->want->age_hours * 3600e3);
    struct picture_row *rows;
    size_t count = PAGE;

    while (count == PAGE) {
        struct arena a = {0};
        struct tx *tx;
        if (tx_begin(s->p->db, s->want->remove ? TX_WRITE : TX_READ, &tx, s->e))
            return s->e->code;
        int rc = images_orphans(tx, before, PAGE, &a, &rows, &count, s->e);
        for (size_t i = 0; i < count && rc == 0 && s->want->remove; i++)
            rc = images_delete(tx, rows[i].key, s->e);
        s->pictures += rc ? 0 : (int64_t)count;
        if (rc || !s->want->remove)
            tx_rollback(tx);
        else
            rc = tx_commit(tx, s->e);
        arena_release(&a);
        if (rc)
            return rc;
        if (!s->want->remove)
            break; /* the same page would come again */
    }
    return 0;
}

static int expire_rows(struct sweep *s)
{
    int64_t now = clock_unix_ms();
    struct tx *tx;

    if (!s->want->remove)
        return 0;
    if (sweep_trash(s->p->db, now - TRASH_MS, INT_MAX, s->e) ||
        tx_begin(s->p->db, TX_WRITE, &tx, s->e))
        return s->e->code;
    if (sessions_expire(tx, now, s->e) ||
        events_expire(tx, now - (int64_t)(s->want->event_days * 86400e3), s->e)) {
        tx_rollback(tx);
        return s->e->code;
    }
    return tx_commit(tx, s->e);
}

/* Under the transaction that looks, so that no job can take the blob into use meanwhile. */
static int sweep_blob(struct sweep *s, const char *name, int64_t size)
{
    struct tx *tx;
    bool used;

    if (tx_begin(s->p->db, s->want->remove ? TX_WRITE : TX_READ, &tx, s->e))
        return s->e->code;
    int rc = images_uses_blob(tx, name, &used, s->e);
    if (rc == 0 && !used) {
        s->blobs++;
        s->bytes += size;
        if (s->want->remove)
            rc = blob_remove_old(s->p->blobs, name, s->want->age_hours * 3600, s->e);
    }
    tx_rollback(tx);
    return rc == ERR_CONFLICT ? 0 : rc; /* somebody has just put it again */
}

static int each(void *user, char kind, const char *name, int64_t size, double age)
{
    struct sweep *s = user;
    struct arena a = {0};
    int rc = 0;

    if (age < s->want->age_hours * 3600)
        return 0;
    if (kind == 'b') {
        rc = sweep_blob(s, name, size);
    } else if (kind == 'c' && strlen(name) > 64 &&
               !blob_exists(s->p->blobs, arena_str(&a, (struct str){name, 64}))) {
        s->thumbnails++;
        s->bytes += size;
        if (s->want->remove)
            rc = blobs_discard(s->p->blobs, kind, name, s->e);
    } else if (kind == 't') {
        s->temporary++;
        s->bytes += size;
        if (s->want->remove)
            rc = blobs_discard(s->p->blobs, kind, name, s->e);
    }
    arena_release(&a);
    return rc;
}

static int run(int argc, char **argv)
{
    struct want want = {0};
    struct options options;
    struct platform p;
    struct err e;
    int status = options_parse(&spec, argc, argv, &want, &options);

    if (status >= 0)
        return status;
    if (platform_open(&want.platform, PLATFORM_STORAGE, &p, &e)) {
        options_release(&options);
        return fail(EXIT_FAILED, &e);
    }
    struct sweep s = {.want = &want, .p = &p, .e = &e};
    status = EXIT_DONE;
    if (expire_rows(&s) || sweep_rows(&s) || blobs_walk(p.blobs, each, &s, &e))
        status = fail(EXIT_FAILED, &e);
    else
        printf("%s %lld pictures%s, %lld files without a picture, %lld thumbnails, %lld temporary "
               "files; %.1f MB\n",
               want.remove ? "removed" : "would remove", (long long)s.pictures,
               !want.remove && s.pictures == PAGE ? " or more" : "", (long long)s.blobs,
               (long long)s.thumbnails, (long long)s.temporary, (double)s.bytes / 1e6);
    platform_close(&p);
    options_release(&options);
    return status;
}

const struct command command_gc = {
    .name = "gc",
    .summary = "find and remove files that nobody needs any more",
    .run = run,
};
