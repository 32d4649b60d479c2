/* storage_jobs.h: generations, jobs and pictures for the tests of the state machine. */
#ifndef TESTS_UNIT_STORAGE_JOBS_H
#define TESTS_UNIT_STORAGE_JOBS_H

#include "storage_fixture.h"

#include "storage/experiments.h"
#include "storage/jobs.h"

static inline const char *key_of(struct fixture *f, const char *name)
{
    char text[65];

    memset(text, '-', 64);
    text[64] = 0;
    memcpy(text, name, strlen(name));
    return arena_strdup(&f->a, text);
}

static inline struct generation a_generation(struct fixture *f, const char *key)
{
    return (struct generation){
        .id = new_id(f),
        .cell = -1,
        .key = key,
        .status = GENERATION_QUEUED,
        .prompt = "a red circle left of a blue square",
        .model_name = "demo",
        .sampler = "euler",
        .schedule = "model",
        .provider = "native",
        .seed = 7,
        .steps = 20,
        .width = 64,
        .height = 64,
        .cfg_scale = 3,
        .parameters = "{\"steps\":20}",
        .created_at = clock_unix_ms(),
    };
}

static inline struct job_row a_job(struct fixture *f, const char *key)
{
    return (struct job_row){
        .id = new_id(f),
        .key = key,
        .recipe = "{\"steps\":20}",
        .provider = "native",
        .model = "demo",
        .priority = PRIORITY_BATCH,
        .max_attempts = 3,
        .created_at = clock_unix_ms(),
    };
}

static inline struct picture_row a_picture(const char *key)
{
    return (struct picture_row){
        .key = key,
        .sha256 = "aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899",
        .format = "png",
        .width = 64,
        .height = 64,
        .bytes = 1234,
        .seconds = 2.5,
        .step_seconds = 0.1,
        .memory_used = 1 << 20,
        .provider = "native",
        .created_at = clock_unix_ms(),
    };
}

/* One generation and its job, as a submitter does it. Returns the generation's identifier. */
static inline const char *wish(struct fixture *f, struct tx *tx, const char *key, const char *run,
                               const char *experiment, const char **job_id)
{
    struct generation g = a_generation(f, key);
    struct job_row job = a_job(f, key);

    g.run_id = run;
    g.experiment_id = experiment;
    job.run_id = run;
    if (!run)
        job.priority = PRIORITY_INTERACTIVE;
    ok(generations_insert(tx, &g, 1, &f->e));
    ok(jobs_add(tx, &job, &f->a, job_id, &f->e));
    return g.id;
}

/* An experiment with a running run of `total` cells. */
static inline struct run a_run(struct fixture *f, struct tx *tx, int64_t total)
{
    struct experiment x = {.id = new_id(f),
                           .name = "sweep",
                           .type = "parameter_sweep",
                           .config = "{}",
                           .created_at = clock_unix_ms(),
                           .updated_at = clock_unix_ms()};
    struct run run = {.id = new_id(f),
                      .experiment_id = x.id,
                      .status = EXPERIMENT_RUNNING,
                      .spec = "{}",
                      .total = total,
                      .created_at = clock_unix_ms()};

    ok(experiments_insert(tx, &x, &f->e));
    ok(runs_insert(tx, &run, &f->e));
    return run;
}

static inline struct generation generation_at(struct fixture *f, const char *id)
{
    struct tx *tx = begin_tx(f, TX_READ);
    struct generation g;

    ok(generations_get(tx, id, &f->a, &g, &f->e));
    tx_rollback(tx);
    return g;
}

static inline struct run run_at(struct fixture *f, const char *id)
{
    struct tx *tx = begin_tx(f, TX_READ);
    struct run run;

    ok(runs_get(tx, id, &f->a, &run, &f->e));
    tx_rollback(tx);
    return run;
}

#endif
