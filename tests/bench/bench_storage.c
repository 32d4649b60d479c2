/*
 * Timings of the typical queries on a large database.
 *
 *   bench_storage URL [GENERATIONS [JOBS]]        (default 1000000 and 100000)
 *
 * The database is filled when it is empty, and kept: a second run measures at once. Prints a
 * Markdown table with, for each query, the median and the 99th percentile of the processor's time
 * (of this thread, and of PostgreSQL's process when it runs on this machine) and the median of the
 * time on the clock, in milliseconds: whole transactions, from BEGIN to COMMIT. The processor's
 * time is what other programs on the machine do not disturb.
 */
#include "base/clock.h"
#include "base/sha256.h"
#include "base/uuid.h"
#include "storage/experiments.h"
#include "storage/generations.h"
#include "storage/images.h"
#include "storage/jobs.h"
#include "storage/migrate.h"
#include "storage/users.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { USERS = 50, EXPERIMENTS = 200, WORDS = 4000, TAGS = 30, CHUNK = 4096, REPEATS = 200 };

static const char *const models[] = {"demo",        "demo-xl", "sd15",     "sdxl",
                                     "dreamshaper", "turbo",   "anything", "rare-model"};
static const char *const samplers[] = {"euler",        "euler_ancestral", "heun", "dpmpp_2m",
                                       "dpmpp_2m_sde", "uni_pc",          "deis", "ddim",
                                       "lcm"};
static const char *const schedules[] = {"model", "karras", "uniform", "exponential", "beta"};
#define COUNT(list) (sizeof(list) / sizeof *(list))

struct bench {
    struct db *db;
    struct arena a; /* for the whole run */
    struct err e;
    uint64_t state;
    int64_t start; /* of the identifiers, ms */
    int64_t rows, jobs;
    const char *users[USERS], *experiments[EXPERIMENTS], *runs[EXPERIMENTS];
    const char *words[WORDS];
    const char **sample; /* identifiers of some generations */
    const char **keys;
    size_t samples;
    const char *fed[REPEATS];
    size_t fed_count;
};

static uint32_t dice(struct bench *b, uint32_t sides)
{
    b->state ^= b->state >> 12;
    b->state ^= b->state << 25;
    b->state ^= b->state >> 27;
    return (uint32_t)((b->state * 0x2545f4914f6cdd1du) >> 33) % sides;
}

/* Small numbers are frequent, as words and models are. */
static uint32_t skewed(struct bench *b, uint32_t sides)
{
    double u = (dice(b, 1 << 24) + 0.5) / (1 << 24);

    return (uint32_t)(pow(sides, u) - 1) % sides;
}

static void must(struct bench *b, int rc, const char *what)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench_storage: %s: %s\n", what, b->e.message);
    exit(1);
}

static struct tx *begin(struct bench *b, enum tx_mode mode)
{
    struct tx *tx;

    must(b, tx_begin(b->db, mode, &tx, &b->e), "begin");
    return tx;
}

static void commit(struct bench *b, struct tx *tx)
{
    must(b, tx_commit(tx, &b->e), "commit");
}

/* ============================== Filling ============================== */

static void make_words(struct bench *b)
{
    static const char *const parts[] = {"ba", "ce", "di", "fo", "gu", "ha", "ji", "ko",
                                        "lu", "me", "na", "po", "ri", "su", "ta", "vo"};

    for (int i = 0; i < WORDS; i++)
        b->words[i] =
            arena_printf(&b->a, "%s%s%s", parts[i & 15], parts[i >> 4 & 15], parts[i >> 8 & 15]);
}

static const char *prompt(struct bench *b, struct arena *a)
{
    char text[512];
    size_t n = 0, count = 6 + dice(b, 20);

    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? " " : "",
                              b->words[skewed(b, WORDS)]);
    return arena_strdup(a, text);
}

static const char *an_id(struct bench *b, int64_t ms, struct arena *a)
{
    char *id = arena_alloc(a, UUID_TEXT), tail[17];

    uuid_v7_floor(ms, id);
    snprintf(tail, sizeof tail, "%08x", dice(b, 1u << 31));
    memcpy(id + 28, tail, 8);
    return id;
}

static const char *a_key(int64_t number, struct arena *a)
{
    char *key = arena_alloc(a, 65), text[32];

    snprintf(text, sizeof text, "key %" PRId64, number);
    sha256_hex(text, strlen(text), key);
    return key;
}

static void fill_people(struct bench *b)
{
    struct tx *tx = begin(b, TX_WRITE);

    for (int i = 0; i < USERS; i++) {
        b->users[i] = arena_printf(&b->a, "00000000-0000-7000-8000-%012d", i);
        struct user u = {.id = b->users[i],
                         .name = arena_printf(&b->a, "user%d", i),
                         .role = "editor",
                         .created_at = b->start};
        must(b, users_insert(tx, &u, &b->e), "user");
    }
    for (int i = 0; i < EXPERIMENTS; i++) {
        b->experiments[i] = arena_printf(&b->a, "00000000-0000-7000-8001-%012d", i);
        b->runs[i] = arena_printf(&b->a, "00000000-0000-7000-8002-%012d", i);
        struct experiment x = {.id = b->experiments[i],
                               .name = "sweep",
                               .type = "parameter_sweep",
                               .config = "{}",
                               .user_id = b->users[i % USERS],
                               .created_at = b->start};
        struct run run = {.id = b->runs[i],
                          .experiment_id = x.id,
                          .status = EXPERIMENT_RUNNING,
                          .spec = "{}",
                          .total = 1 << 20,
                          .created_at = b->start};
        must(b, experiments_insert(tx, &x, &b->e), "experiment");
        must(b, runs_insert(tx, &run, &b->e), "run");
    }
    commit(b, tx);
}

static void names(struct bench *b)
{
    for (int i = 0; i < USERS; i++)
        b->users[i] = arena_printf(&b->a, "00000000-0000-7000-8000-%012d", i);
    for (int i = 0; i < EXPERIMENTS; i++) {
        b->experiments[i] = arena_printf(&b->a, "00000000-0000-7000-8001-%012d", i);
        b->runs[i] = arena_printf(&b->a, "00000000-0000-7000-8002-%012d", i);
    }
}

static struct generation a_generation(struct bench *b, int64_t i, const char **prompts,
                                      struct arena *a)
{
    const char *parameters =
        "{\"model\":\"demo\",\"prompt\":\"the recipe, complete, about as long as it is\","
        "\"sampler\":\"euler\",\"schedule\":\"model\",\"steps\":20,\"cfg_scale\":3,\"seed\":7}";
    bool in_run = dice(b, 10) < 4;
    uint32_t run = skewed(b, EXPERIMENTS), luck = dice(b, 1000);

    return (struct generation){
        .id = an_id(b, b->start + i * 100, a),
        .user_id = b->users[in_run ? run % USERS : skewed(b, USERS)],
        .run_id = in_run ? b->runs[run] : NULL,
        .experiment_id = in_run ? b->experiments[run] : NULL,
        .cell = in_run ? (int64_t)dice(b, 5000) : -1,
        .key = a_key(i, a),
        .status = luck < 20   ? GENERATION_FAILED
                  : luck < 25 ? GENERATION_CANCELLED
                              : GENERATION_SUCCEEDED,
        .prompt = prompts[skewed(b, 20000)],
        .model_name = models[skewed(b, COUNT(models))],
        .sampler = samplers[skewed(b, COUNT(samplers))],
        .schedule = schedules[skewed(b, COUNT(schedules))],
        .provider = "native",
        .seed = dice(b, 2) ? dice(b, 1000) : (uint64_t)dice(b, 1u << 31) << 20,
        .steps = 1 + (int)skewed(b, 100),
        .width = dice(b, 3) ? 512 : 1024,
        .height = dice(b, 4) ? 512 : 1024,
        .cfg_scale = 1 + dice(b, 30) * 0.5,
        .parameters = parameters,
        .rating = dice(b, 10) ? 0 : 1 + (int)dice(b, 5),
        .favourite = dice(b, 50) == 0,
        .created_at = b->start + i * 100,
    };
}

static void fill_chunk(struct bench *b, int64_t from, int64_t n, const char **prompts)
{
    struct arena a = {0};
    struct generation *rows = arena_alloc(&a, (size_t)n * sizeof *rows);
    struct tx *tx = begin(b, TX_WRITE);

    for (int64_t i = 0; i < n; i++) {
        struct generation *g = &rows[i];
        *g = a_generation(b, from + i, prompts, &a);
        if (dice(b, 20) == 0) {
            const char **tags = arena_alloc(&a, 2 * sizeof *tags);
            tags[0] = arena_printf(&a, "tag%u", skewed(b, TAGS));
            g->tags = tags;
        }
        if (g->status != GENERATION_SUCCEEDED)
            continue;
        bool existed;
        struct picture_row p = {.key = g->key,
                                .sha256 = g->key,
                                .format = "png",
                                .width = g->width,
                                .height = g->height,
                                .bytes = 400000 + dice(b, 100000),
                                .seconds = 1 + g->steps * 0.2 + dice(b, 100) * 0.01,
                                .step_seconds = 0.2,
                                .memory_used = 1 << 30,
                                .provider = "native",
                                .created_at = g->created_at};
        must(b, images_insert(tx, &p, &existed, &b->e), "picture");
    }
    must(b, generations_insert(tx, rows, (size_t)n, &b->e), "generations");
    commit(b, tx);
    arena_release(&a);
}

/* Jobs that wait: 20 runs of as many users have most of them. */
static void fill_jobs(struct bench *b, const char **prompts)
{
    for (int64_t from = 0; from < b->jobs; from += CHUNK) {
        struct tx *tx = begin(b, TX_WRITE);
        struct arena a = {0};
        for (int64_t i = from; i < from + CHUNK && i < b->jobs; i++) {
            struct generation g = a_generation(b, b->rows + i, prompts, &a);
            uint32_t run = (uint32_t)(i % 20);
            const char *id;
            g.status = GENERATION_QUEUED;
            g.run_id = b->runs[run];
            g.experiment_id = b->experiments[run];
            g.user_id = b->users[run];
            must(b, generations_insert(tx, &g, 1, &b->e), "generation");
            struct job_row job = {.id = an_id(b, g.created_at, &a),
                                  .key = g.key,
                                  .recipe = g.parameters,
                                  .provider = "native",
                                  .model = g.model_name,
                                  .user_id = g.user_id,
                                  .run_id = g.run_id,
                                  .priority = PRIORITY_BATCH,
                                  .position = (int64_t)dice(b, 1u << 30),
                                  .max_attempts = 3,
                                  .created_at = g.created_at};
            must(b, jobs_add(tx, &job, &a, &id, &b->e), "job");
        }
        commit(b, tx);
        arena_release(&a);
    }
}

static int64_t count(struct bench *b, const char *sql)
{
    struct tx *tx = begin(b, TX_READ);
    struct db_rows rows;

    must(b, tx_query(tx, sql, DB_NONE, &b->a, &rows, &b->e), sql);
    tx_rollback(tx);
    return db_i64(&rows, 0, 0);
}

/* Without its indexes a table fills several times faster, and they are made in one go. */
static struct db_rows indexes(struct bench *b)
{
    struct tx *tx = begin(b, TX_WRITE);
    struct db_rows rows;
    const char *sql = db_dialect(b->db) == DIALECT_SQLITE
                          ? "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND "
                            "tbl_name = 'generations' AND sql IS NOT NULL"
                          : "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = "
                            "current_schema() AND (tablename = 'generations' OR indexname = "
                            "'generation_words_words') AND indexname NOT LIKE '%_pkey'";

    must(b, tx_query(tx, sql, DB_NONE, &b->a, &rows, &b->e), "indexes");
    for (size_t i = 0; i < rows.count; i++)
        must(b, tx_script(tx, arena_printf(&b->a, "DROP INDEX %s", db_str(&rows, i, 0)), &b->e),
             "drop an index");
    commit(b, tx);
    return rows;
}

static void make_indexes(struct bench *b, const struct db_rows *rows)
{
    struct tx *tx = begin(b, TX_WRITE);

    if (db_dialect(b->db) == DIALECT_POSTGRES)
        must(b, tx_script(tx, "SET maintenance_work_mem = '512MB'", &b->e), "memory");
    for (size_t i = 0; i < rows->count; i++)
        must(b, tx_script(tx, db_str(rows, i, 1), &b->e), "make an index");
    commit(b, tx);
}

static void fill(struct bench *b)
{
    const char **prompts = arena_alloc(&b->a, 20000 * sizeof *prompts);
    double start = clock_seconds();

    make_words(b);
    if (count(b, "SELECT count(*) FROM users") > 0) {
        names(b);
        return;
    }
    for (int i = 0; i < 20000; i++)
        prompts[i] = prompt(b, &b->a);
    fill_people(b);
    struct db_rows dropped = indexes(b);
    for (int64_t i = 0; i < b->rows; i += CHUNK)
        fill_chunk(b, i, b->rows - i < CHUNK ? b->rows - i : CHUNK, prompts);
    make_indexes(b, &dropped);
    fprintf(stderr, "%" PRId64 " generations with pictures in %.0f s\n", b->rows,
            clock_seconds() - start);
    start = clock_seconds();
    fill_jobs(b, prompts);
    fprintf(stderr, "%" PRId64 " jobs in %.0f s\n", b->jobs, clock_seconds() - start);
    struct tx *tx;
    if (db_dialect(b->db) == DIALECT_SQLITE) {
        tx = begin(b, TX_WRITE);
        must(b, tx_script(tx, "PRAGMA analysis_limit = 1000; ANALYZE", &b->e), "analyze");
    } else {
        tx = begin(b, TX_WRITE);
        must(b, tx_script(tx, "ANALYZE", &b->e), "analyze");
    }
    commit(b, tx);
}

/* ============================== Queries ============================== */

typedef void query_function(struct bench *b, struct tx *tx, struct arena *a);

static void list(struct bench *b, struct tx *tx, struct arena *a, struct generation_filter f)
{
    struct generation *page;
    const char *next;
    size_t n;

    must(b, generations_list(tx, &f, a, &page, &n, &next, &b->e), "list");
}

#define LIST(name, ...)                                                                            \
    static void name(struct bench *b, struct tx *tx, struct arena *a)                              \
    {                                                                                              \
        struct generation_filter f = generation_filter();                                          \
        __VA_ARGS__;                                                                               \
        list(b, tx, a, f);                                                                         \
    }
#define PICK(items) ((items)[dice(b, (uint32_t)COUNT(items))])

LIST(newest, (void)0)
LIST(oldest, f.sort = SORT_OLDEST)
LIST(deep, f.created_before = b->start + (int64_t)dice(b, (uint32_t)b->rows) * 100)
LIST(by_day, f.created_after = b->start + (int64_t)dice(b, (uint32_t)b->rows) * 100;
     f.created_before = f.created_after + 3600000; f.sort = SORT_OLDEST)
LIST(by_user, f.user_id = PICK(b->users))
LIST(by_model, f.model = PICK(models))
LIST(by_sampler, f.sampler = PICK(samplers))
LIST(by_schedule, f.schedule = PICK(schedules))
LIST(by_model_and_sampler, f.model = PICK(models); f.sampler = PICK(samplers))
LIST(by_user_and_model, f.user_id = PICK(b->users); f.model = PICK(models))
LIST(by_seed, f.seed = arena_printf(a, "%u", dice(b, 1000)))
LIST(by_steps, f.steps_min = f.steps_max = 1 + (int)dice(b, 100))
LIST(by_steps_range, f.steps_min = 1 + (int)dice(b, 90); f.steps_max = f.steps_min + 10)
LIST(by_cfg_range, f.cfg_min = 1 + dice(b, 20) * 0.5; f.cfg_max = f.cfg_min + 1)
LIST(by_rating, f.rating_min = 1 + (int)dice(b, 5))
LIST(by_favourite, f.favourite = 1)
LIST(by_tag, f.tag = arena_printf(a, "tag%u", dice(b, TAGS)))
LIST(by_status, f.status = (int)(dice(b, 2) ? GENERATION_FAILED : GENERATION_QUEUED))
LIST(by_experiment, f.experiment_id = PICK(b->experiments))
LIST(by_run, f.run_id = PICK(b->runs))
LIST(by_cell, f.run_id = PICK(b->runs); f.sort = SORT_CELL)
LIST(by_key, f.key = b->keys[dice(b, (uint32_t)b->samples)])
LIST(sorted_rating, f.sort = SORT_RATING)
LIST(sorted_steps, f.sort = SORT_STEPS)
LIST(sorted_seconds, f.sort = SORT_SECONDS)
LIST(user_sorted_rating, f.user_id = PICK(b->users); f.sort = SORT_RATING)
LIST(text_common, f.text = b->words[dice(b, 20)])
LIST(text_middle, f.text = b->words[100 + dice(b, 400)])
LIST(text_rare, f.text = b->words[WORDS - 1 - dice(b, 1000)])
LIST(text_two,
     f.text = arena_printf(a, "%s %s", b->words[skewed(b, WORDS)], b->words[skewed(b, WORDS)]))
LIST(text_prefix, f.text = arena_printf(a, "%.4s*", b->words[dice(b, WORDS)]))
LIST(text_none, f.text = "nowhere")
LIST(text_and_model, f.text = b->words[dice(b, 200)]; f.model = PICK(models))
LIST(text_in_run, f.text = b->words[dice(b, 200)]; f.run_id = PICK(b->runs))

static void get(struct bench *b, struct tx *tx, struct arena *a)
{
    struct generation g;

    must(b, generations_get(tx, b->sample[dice(b, (uint32_t)b->samples)], a, &g, &b->e), "get");
}

static void drawn(struct bench *b, struct tx *tx, struct arena *a)
{
    const char *keys[50];
    bool found[50];

    (void)a;
    for (size_t i = 0; i < 50; i++)
        keys[i] = b->keys[dice(b, (uint32_t)b->samples)];
    must(b, generations_drawn(tx, keys, 50, found, &b->e), "drawn");
}

static void similar(struct bench *b, struct tx *tx, struct arena *a)
{
    struct generation g, *near;
    size_t n;

    must(b, generations_get(tx, b->sample[dice(b, (uint32_t)b->samples)], a, &g, &b->e), "get");
    must(b, generations_similar(tx, &g, 20, a, &near, &n, &b->e), "similar");
}

static void cost(struct bench *b, struct tx *tx, struct arena *a)
{
    struct recipe r = {.model = PICK(models), .width = 512, .height = 512, .steps = 20};
    struct cost_history out;

    (void)a;
    must(b, generations_cost(tx, &r, 1, &out, &b->e), "cost");
}

static void list_jobs(struct bench *b, struct tx *tx, struct arena *a)
{
    struct job_filter f = {.status = dice(b, 2) ? JOB_QUEUED : -1,
                           .priority = -1,
                           .dead = -1,
                           .user_id = dice(b, 2) ? PICK(b->users) : NULL};
    struct job_row *jobs;
    const char *next;
    size_t n;

    must(b, jobs_list(tx, &f, a, &jobs, &n, &next, &b->e), "jobs");
}

static void depth(struct bench *b, struct tx *tx, struct arena *a)
{
    struct queue_depth out;

    (void)a;
    must(b, jobs_depth(tx, &out, &b->e), "depth");
}

/* One run of twenty is paused, as the hardest case. */
static void feed(struct bench *b, struct tx *tx, struct arena *a)
{
    struct job_row *jobs;
    size_t n;

    must(b, jobs_feed(tx, 16, clock_unix_ms(), 3600000, a, &jobs, &n, &b->e), "feed");
    if (n && b->fed_count < REPEATS)
        b->fed[b->fed_count++] = arena_strdup(&b->a, jobs[n - 1].id);
}

static void place(struct bench *b, struct tx *tx, struct arena *a)
{
    int64_t out;

    (void)a;
    must(b, jobs_place(tx, b->fed[dice(b, (uint32_t)b->fed_count)], &out, &b->e), "place");
}

static void submit(struct bench *b, struct tx *tx, struct arena *a)
{
    const char *prompts[20000];
    struct generation g;
    const char *id;
    bool found;

    for (size_t i = 0; i < 20000; i++)
        prompts[i] = "a wish of somebody who waits";
    g = a_generation(b, (int64_t)1 << 40 | dice(b, 1 << 30), prompts, a);
    uuid_v7((char *)(uintptr_t)g.id);
    g.status = GENERATION_QUEUED;
    g.run_id = g.experiment_id = NULL;
    must(b, generations_drawn(tx, &g.key, 1, &found, &b->e), "drawn");
    must(b, generations_insert(tx, &g, 1, &b->e), "insert");
    struct job_row job = {.id = an_id(b, clock_unix_ms(), a),
                          .key = g.key,
                          .recipe = g.parameters,
                          .provider = "native",
                          .model = g.model_name,
                          .user_id = g.user_id,
                          .max_attempts = 3,
                          .created_at = clock_unix_ms()};
    must(b, jobs_add(tx, &job, a, &id, &b->e), "add");
}

static size_t next_claim, next_success;

static void claim(struct bench *b, struct tx *tx, struct arena *a)
{
    struct job_row job;

    must(b, jobs_claim(tx, b->fed[next_claim++], "w", clock_unix_ms(), 1 << 30, a, &job, &b->e),
         "claim");
}

static void heartbeat(struct bench *b, struct tx *tx, struct arena *a)
{
    struct lease leases[8];
    bool lost[8], cancelled[8];

    (void)a;
    for (size_t i = 0; i < 8; i++)
        leases[i] = (struct lease){b->fed[dice(b, (uint32_t)b->fed_count)], "w", 1};
    must(b, jobs_heartbeat(tx, leases, 8, clock_unix_ms(), 1 << 30, lost, cancelled, &b->e),
         "heartbeat");
}

static void succeed(struct bench *b, struct tx *tx, struct arena *a)
{
    struct job_outcome out;
    struct job_row job;
    const char *id = b->fed[next_success++];

    must(b, jobs_get(tx, id, a, &job, &b->e), "get");
    struct picture_row p = {.key = job.key,
                            .sha256 = job.key,
                            .format = "png",
                            .width = 512,
                            .height = 512,
                            .bytes = 400000,
                            .seconds = 3,
                            .created_at = clock_unix_ms()};
    must(b, jobs_succeed(tx, (struct lease){id, "w", 1}, &p, clock_unix_ms(), a, &out, &b->e),
         "succeed");
}

static const struct row {
    const char *name;
    query_function *run;
    bool writes;
} table[] = {
    {"list, newest first", newest, false},
    {"list, oldest first", oldest, false},
    {"list, a page deep in the past", deep, false},
    {"list, one hour", by_day, false},
    {"list, of a user", by_user, false},
    {"list, of a model", by_model, false},
    {"list, of a sampler", by_sampler, false},
    {"list, of a schedule", by_schedule, false},
    {"list, of a model and a sampler", by_model_and_sampler, false},
    {"list, of a user and a model", by_user_and_model, false},
    {"list, of a seed", by_seed, false},
    {"list, of a number of steps", by_steps, false},
    {"list, of a range of steps", by_steps_range, false},
    {"list, of a range of guidance", by_cfg_range, false},
    {"list, from a rating on", by_rating, false},
    {"list, favourites", by_favourite, false},
    {"list, of a tag", by_tag, false},
    {"list, failed or queued", by_status, false},
    {"list, of an experiment", by_experiment, false},
    {"list, of a run", by_run, false},
    {"list, of a run by cell", by_cell, false},
    {"list, of a key", by_key, false},
    {"list, best first", sorted_rating, false},
    {"list, fewest steps first", sorted_steps, false},
    {"list, fastest first", sorted_seconds, false},
    {"list, of a user, best first", user_sorted_rating, false},
    {"search, a frequent word", text_common, false},
    {"search, a word now and then", text_middle, false},
    {"search, a rare word", text_rare, false},
    {"search, two words", text_two, false},
    {"search, the beginning of a word", text_prefix, false},
    {"search, a word that nobody wrote", text_none, false},
    {"search, a word and a model", text_and_model, false},
    {"search, a word in a run", text_in_run, false},
    {"generations_get", get, false},
    {"generations_drawn, 50 keys", drawn, false},
    {"generations_similar, 20", similar, false},
    {"generations_cost", cost, false},
    {"jobs_list", list_jobs, false},
    {"jobs_depth", depth, false},
    {"jobs_feed, 16", feed, true},
    {"jobs_place", place, false},
    {"submit one (insert, jobs_add)", submit, true},
    {"jobs_claim", claim, true},
    {"jobs_heartbeat, 8", heartbeat, true},
    {"jobs_succeed", succeed, true},
};

static char server[64]; /* /proc/PID/schedstat of the server's process */

/* This thread's, and that of the process that serves its one connection. */
static double processor_seconds(void)
{
    struct timespec t;
    char text[64] = "";
    double s;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    s = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    FILE *f = server[0] ? fopen(server, "r") : NULL;
    if (f) {
        if (fgets(text, sizeof text, f))
            s += strtod(text, NULL) * 1e-9;
        fclose(f);
    }
    return s;
}

static int by_size(const void *x, const void *y)
{
    const double *a = x, *b = y;

    return (*a > *b) - (*a < *b);
}

static void measure(struct bench *b, const struct row *row)
{
    double busy[REPEATS], times[REPEATS];

    for (int i = 0; i < REPEATS; i++) {
        struct arena a = {0};
        double start = clock_seconds(), used = processor_seconds();
        struct tx *tx = begin(b, row->writes ? TX_WRITE : TX_READ);
        row->run(b, tx, &a);
        commit(b, tx);
        times[i] = clock_seconds() - start;
        busy[i] = processor_seconds() - used;
        arena_release(&a);
    }
    qsort(times, REPEATS, sizeof *times, by_size);
    qsort(busy, REPEATS, sizeof *busy, by_size);
    printf("| %s | %.2f | %.2f | %.2f |\n", row->name, busy[REPEATS / 2] * 1e3,
           busy[REPEATS * 99 / 100] * 1e3, times[REPEATS / 2] * 1e3);
    fflush(stdout);
}

static void take_samples(struct bench *b)
{
    struct tx *tx = begin(b, TX_READ);
    struct db_rows rows;
    char from[UUID_TEXT];

    b->samples = 0;
    b->sample = arena_alloc(&b->a, 2000 * sizeof *b->sample);
    b->keys = arena_alloc(&b->a, 2000 * sizeof *b->keys);
    for (int i = 0; i < 2000; i++) {
        uuid_v7_floor(b->start + (int64_t)dice(b, (uint32_t)b->rows) * 100, from);
        must(b,
             tx_query(tx, "SELECT id, key FROM generations WHERE id >= $1 ORDER BY id LIMIT 1",
                      DB_ARGS(db_text(from)), &b->a, &rows, &b->e),
             "sample");
        if (rows.count == 0)
            continue;
        b->sample[b->samples] = db_str(&rows, 0, 0);
        b->keys[b->samples++] = db_str(&rows, 0, 1);
    }
    tx_rollback(tx);
}

int main(int argc, char **argv)
{
    struct bench b = {.state = 42, .rows = 1000000, .jobs = 100000, .start = 1700000000000};

    if (argc < 2) {
        fputs("usage: bench_storage URL [GENERATIONS [JOBS [PATTERN]]]\n", stderr);
        return 2;
    }
    if (argc > 2)
        b.rows = strtoll(argv[2], NULL, 10);
    if (argc > 3)
        b.jobs = strtoll(argv[3], NULL, 10);
    must(&b, db_open(argv[1], &(struct db_options){.connections = 1, .timeout = 60}, &b.db, &b.e),
         "open");
    must(&b, migrate_up(b.db, MIGRATE_NEWEST, &b.e), "migrate");
    fill(&b);
    take_samples(&b);
    struct tx *tx = begin(&b, TX_WRITE);
    struct run run;
    must(&b, runs_get(tx, b.runs[3], &b.a, &run, &b.e), "run");
    if (run.status == EXPERIMENT_RUNNING)
        must(&b, runs_set_status(tx, b.runs[3], EXPERIMENT_PAUSED, b.start, &b.e), "pause");
    commit(&b, tx);
    if (db_dialect(b.db) == DIALECT_POSTGRES)
        snprintf(server, sizeof server, "/proc/%" PRId64 "/schedstat",
                 count(&b, "SELECT pg_backend_pid()"));
    puts("| query | processor, median ms | 99 % ms | clock, median ms |\n|---|---|---|---|");
    for (size_t i = 0; i < COUNT(table); i++)
        if (argc < 5 || strstr(table[i].name, argv[4]) || table[i].run == feed)
            measure(&b, &table[i]);
    db_close(b.db);
    arena_release(&b.a);
    return 0;
}
