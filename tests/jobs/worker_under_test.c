/*
 * worker_under_test.c: a worker, and what a test does around it, as a program that may be killed.
 *
 *   worker_under_test submit DATABASE QUEUE BLOBS COUNT PROMPT    prints the identifier of the run
 *   worker_under_test work DATABASE QUEUE BLOBS STEP_MS           until SIGTERM; "ready" on stdout
 *   worker_under_test report DATABASE QUEUE BLOBS RUN             JSON: what there is in the end
 *
 * Leases are short, so that tests need not wait for the dead.
 */
#include "fake_provider.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/worker.h"
#include "storage/experiments.h"
#include "storage/migrate.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shop {
    struct fake fake;
    struct provider *providers[2];
    struct submitter submitter;
    struct arena a;
};

static struct err e;

static int die(const char *what)
{
    fprintf(stderr, "worker_under_test: %s: %s (%s:%d)\n", what, e.message, e.file, e.line);
    return 1;
}

static int open_shop(struct shop *s, char **argv)
{
    struct submitter *to = &s->submitter;

    *to = (struct submitter){.providers = s->providers};
    return db_open(argv[2], &(struct db_options){.timeout = 5}, &to->db, &e) ||
           migrate_up(to->db, MIGRATE_NEWEST, &e) || blobs_open(argv[4], NULL, &to->blobs, &e) ||
           fake_open(&s->fake, &s->providers[0], &e) || queue_open(argv[3], &to->queue, &e) ||
           bus_open(argv[3], &to->bus, &e) || submitter_open(to, &e);
}

static void close_shop(struct shop *s)
{
    submitter_close(&s->submitter);
    bus_close(s->submitter.bus);
    queue_close(s->submitter.queue);
    provider_close(s->providers[0]);
    blobs_close(s->submitter.blobs);
    db_close(s->submitter.db);
    arena_release(&s->a);
}

/* ==== submit ==== */

static int insert_run(struct shop *s, const char *experiment, const char *run, int64_t count)
{
    int64_t now = clock_unix_ms();
    struct experiment x = {.id = experiment,
                           .name = "chaos",
                           .type = "parameter_sweep",
                           .config = "{}",
                           .created_at = now,
                           .updated_at = now,
                           .version = 1};
    struct run r = {.id = run,
                    .experiment_id = experiment,
                    .status = EXPERIMENT_PAUSED,
                    .spec = "{}",
                    .plan = "{}",
                    .total = count,
                    .created_at = now};
    struct tx *tx;

    if (tx_begin(s->submitter.db, TX_WRITE, &tx, &e))
        return e.code;
    if (experiments_insert(tx, &x, &e) || runs_insert(tx, &r, &e)) {
        tx_rollback(tx);
        return e.code;
    }
    return tx_commit(tx, &e);
}

static int set_running(struct shop *s, const char *run)
{
    int64_t now = clock_unix_ms();
    struct run out;
    struct tx *tx;

    if (tx_begin(s->submitter.db, TX_WRITE, &tx, &e))
        return e.code;
    if (runs_set_status(tx, run, EXPERIMENT_RUNNING, now, &e) ||
        runs_recount(tx, run, now, &s->a, &out, &e)) {
        tx_rollback(tx);
        return e.code;
    }
    return tx_commit(tx, &e);
}

static int submit_run(struct shop *s, int64_t count, const char *prompt)
{
    char experiment[UUID_TEXT], run[UUID_TEXT];
    struct wish *wishes = calloc((size_t)count, sizeof *wishes);
    struct generation *rows;
    double start = clock_seconds();

    uuid_v7(experiment);
    uuid_v7(run);
    if (insert_run(s, experiment, run, count))
        return die("cannot make a run");
    for (int64_t i = 0; i < count; i++)
        wishes[i] = (struct wish){
            .parameters = json_pack("{s:s, s:I}", "prompt", prompt, "seed", (json_int_t)i),
            .priority = PRIORITY_BATCH,
            .position = i,
            .run_id = run,
            .experiment_id = experiment,
            .cell = i};
    if (submit(&s->submitter, wishes, (size_t)count, &s->a, &rows, NULL, NULL, &e) ||
        set_running(s, run))
        return die("cannot submit");
    for (int64_t i = 0; i < count; i++)
        json_decref((json_t *)wishes[i].parameters);
    free(wishes);
    fprintf(stderr, "submitted %lld in %.3f s\n", (long long)count, clock_seconds() - start);
    printf("%s\n", run);
    return 0;
}

/* ==== work ==== */

static int work(struct shop *s, int step_ms, const sigset_t *ends)
{
    struct worker_options o = worker_options();
    struct worker *w;
    int signal;

    s->fake.step_ms = step_ms;
    o.submitter = &s->submitter;
    o.provider = s->providers[0];
    o.lease_seconds = 3;
    o.heartbeat_seconds = 0.5;
    o.sweep_seconds = 1;
    o.feed_seconds = 0.2;
    o.backoff_seconds = 0.1;
    if (worker_start(&o, &w, &e))
        return die("cannot start");
    puts("ready");
    fflush(stdout);
    while (sigwait(ends, &signal) == EINTR)
        ;
    worker_stop(w, 5);
    return 0;
}

/* ==== report ==== */

static int64_t count(struct tx *tx, struct arena *a, const char *sql)
{
    struct db_rows rows;

    return tx_query(tx, sql, DB_NONE, a, &rows, &e) || !rows.count ? -1 : db_i64(&rows, 0, 0);
}

/* Every cell's picture is there and what its name says; *missing counts the others. */
static int check_pictures(struct shop *s, struct tx *tx, const char *run, json_t *out)
{
    struct generation *cells;
    int64_t missing = 0, succeeded = 0;
    size_t n;

    if (runs_cells(tx, run, &s->a, &cells, &n, &e))
        return e.code;
    for (size_t i = 0; i < n; i++) {
        struct arena a = {0};
        struct str bytes;
        succeeded += cells[i].status == GENERATION_SUCCEEDED;
        if (!cells[i].sha256 ||
            blob_get(s->submitter.blobs, cells[i].sha256, 1 << 20, &a, &bytes, &e))
            missing++;
        arena_release(&a);
    }
    json_object_set_new(out, "cells", json_integer((json_int_t)n));
    json_object_set_new(out, "succeeded", json_integer(succeeded));
    json_object_set_new(out, "without_picture", json_integer(missing));
    return 0;
}

static int report(struct shop *s, const char *id)
{
    struct tx *tx;
    struct run run;
    json_t *out = json_object();

    if (tx_begin(s->submitter.db, TX_READ, &tx, &e))
        return die("cannot look");
    if (runs_get(tx, id, &s->a, &run, &e) || check_pictures(s, tx, id, out))
        return die("cannot read the run");
    json_object_set_new(out, "status", json_string(experiment_status_name(run.status)));
    json_object_set_new(out, "completed", json_integer(run.completed));
    json_object_set_new(out, "failed", json_integer(run.failed));
    json_object_set_new(out, "total", json_integer(run.total));
    json_object_set_new(out, "images",
                        json_integer(count(tx, &s->a, "SELECT count(*) FROM images")));
    json_object_set_new(
        out, "blobs", json_integer(count(tx, &s->a, "SELECT count(DISTINCT sha256) FROM images")));
    json_object_set_new(out, "live_jobs",
                        json_integer(count(tx, &s->a,
                                           "SELECT count(*) FROM jobs WHERE status IN "
                                           "('queued', 'running')")));
    json_object_set_new(out, "succeeded_jobs",
                        json_integer(count(tx, &s->a,
                                           "SELECT count(*) FROM jobs WHERE status = "
                                           "'succeeded'")));
    tx_rollback(tx);
    puts(json_compact(out, &s->a));
    json_decref(out);
    return 0;
}

int main(int argc, char **argv)
{
    struct shop *s = calloc(1, sizeof *s);
    sigset_t ends;
    int64_t n = 0;
    int rc = 2;

    if (argc < 6 || !s) {
        fprintf(stderr, "usage: worker_under_test submit|work|report DATABASE QUEUE BLOBS ...\n");
        return 2;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); /* threads inherit it; main waits for them */
    signal(SIGPIPE, SIG_IGN);
    log_open(&(struct log_options){.level = LOG_WARNING, .file = stderr});
    if (open_shop(s, argv))
        return die("cannot open");
    bool number = str_to_i64(str_from(argv[5]), &n);
    if (strcmp(argv[1], "submit") == 0 && number && argc > 6)
        rc = submit_run(s, n, argv[6]);
    else if (strcmp(argv[1], "work") == 0 && number)
        rc = work(s, (int)n, &ends);
    else if (strcmp(argv[1], "report") == 0)
        rc = report(s, argv[5]);
    close_shop(s);
    free(s);
    return rc;
}
