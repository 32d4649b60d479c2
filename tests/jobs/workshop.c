/* workshop.c: see workshop.h. */
#include "../unit/test.h"

#include "workshop.h"

#include "base/clock.h"
#include "base/json.h"
#include "storage/migrate.h"

#include <dirent.h>
#include <unistd.h>

static struct err e;

static void check(int rc)
{
    if (rc)
        print_error("%s:%d: %s\n", e.file, e.line, e.message);
    assert_int_equal(rc, 0);
}

/* ==== open and close ==== */

static void listen(void *user, const struct bus_event *event)
{
    struct workshop *w = user;
    struct told *t = calloc(1, sizeof *t);

    snprintf(t->room, sizeof t->room, "%s", event->room ? event->room : "");
    snprintf(t->name, sizeof t->name, "%s", event->name);
    t->data = strdup(event->data);
    t->attached = event->attachment.n;
    pthread_mutex_lock(&w->lock);
    t->next = w->told;
    w->told = t;
    pthread_mutex_unlock(&w->lock);
}

static void script(struct db *db, const char *sql)
{
    struct tx *tx;

    check(tx_begin(db, TX_WRITE, &tx, &e));
    check(tx_script(tx, sql, &e));
    check(tx_commit(tx, &e));
}

static const char *setting(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

bool workshop_servers(void)
{
    return setting("CAULDRON_TEST_POSTGRES") || setting("CAULDRON_TEST_REDIS");
}

static const char *choose_queue(struct workshop *w)
{
    const char *redis = w->servers ? setting("CAULDRON_TEST_REDIS") : NULL;
    char random[17];

    if (!redis)
        return "memory:";
    random_hex(random, 8);
    return arena_printf(&w->a, "%s%cprefix=%s", redis, strchr(redis, '?') ? '&' : '?', random);
}

static void open_database(struct workshop *w)
{
    const char *postgres = w->servers ? setting("CAULDRON_TEST_POSTGRES") : NULL;
    struct db *admin;
    char url[1024], random[9];

    if (!postgres) {
        snprintf(url, sizeof url, "sqlite://%s/jobs.db", w->folder);
    } else {
        random_hex(random, 4);
        snprintf(w->schema, sizeof w->schema, "jobs_%s", random);
        check(db_open(postgres, &(struct db_options){0}, &admin, &e));
        script(admin, arena_printf(&w->a, "CREATE SCHEMA %s", w->schema));
        db_close(admin);
        snprintf(url, sizeof url, "%s%coptions=-csearch_path%%3D%s", postgres,
                 strchr(postgres, '?') ? '&' : '?', w->schema);
    }
    check(db_open(url, &(struct db_options){0}, &w->db, &e));
    check(migrate_up(w->db, MIGRATE_NEWEST, &e));
}

void workshop_open(struct workshop *w, bool servers)
{
    *w = (struct workshop){.folder = "/tmp/cauldron-jobs-XXXXXX", .servers = servers};
    assert_non_null(mkdtemp(w->folder));
    pthread_mutex_init(&w->lock, NULL);
    open_database(w);
    check(blobs_open(arena_printf(&w->a, "file://%s/blobs", w->folder), NULL, &w->blobs, &e));
    check(fake_open(&w->fake, &w->providers[0], &e));
    w->submitter = (struct submitter){.db = w->db, .blobs = w->blobs, .providers = w->providers};
    w->queue_url = choose_queue(w);
    check(queue_open(w->queue_url, &w->submitter.queue, &e));
    check(bus_open(w->queue_url, &w->submitter.bus, &e));
    check(submitter_open(&w->submitter, &e));
    bus_listen(w->submitter.bus, listen, w);
    w->options = worker_options();
    w->options.submitter = &w->submitter;
    w->options.provider = w->providers[0];
    w->options.feed_seconds = 0.05;
    w->options.heartbeat_seconds = 0.1;
    w->options.sweep_seconds = 0.1;
    w->options.lease_seconds = 20;
    w->options.backoff_seconds = 0.02;
    w->options.preview_seconds = 0.01;
}

void workshop_start(struct workshop *w)
{
    check(worker_start(&w->options, &w->worker, &e));
}

void workshop_stop(struct workshop *w, double seconds)
{
    worker_stop(w->worker, seconds);
    w->worker = NULL;
}

static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *x;
    char below[1024];

    while (d && (x = readdir(d))) {
        if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof below, "%s/%s", path, x->d_name);
        if (x->d_type == DT_DIR)
            remove_folder(below);
        else
            unlink(below);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

void workshop_close(struct workshop *w)
{
    if (w->worker)
        workshop_stop(w, 0);
    submitter_close(&w->submitter);
    bus_close(w->submitter.bus);
    queue_close(w->submitter.queue);
    provider_close(w->providers[0]);
    blobs_close(w->blobs);
    if (w->schema[0])
        script(w->db, arena_printf(&w->a, "DROP SCHEMA %s CASCADE", w->schema));
    db_close(w->db);
    remove_folder(w->folder);
    while (w->told) {
        struct told *t = w->told;
        w->told = t->next;
        free(t->data);
        free(t);
    }
    pthread_mutex_destroy(&w->lock);
    arena_release(&w->a);
}

/* ==== wishes ==== */

static struct generation *submit_all(struct workshop *w, const char *prompt, int seed, int count,
                                     const char *run, const char *experiment)
{
    struct wish *wishes = calloc((size_t)count, sizeof *wishes);
    struct generation *rows;
    size_t bad;

    for (int i = 0; i < count; i++)
        wishes[i] =
            (struct wish){.parameters = json_pack("{s:s, s:i}", "prompt", prompt, "seed", seed + i),
                          .priority = run ? PRIORITY_BATCH : PRIORITY_INTERACTIVE,
                          .position = i,
                          .run_id = run,
                          .experiment_id = experiment,
                          .cell = run ? i : -1};
    check(submit(&w->submitter, wishes, (size_t)count, &w->a, &rows, NULL, &bad, &e));
    for (int i = 0; i < count; i++)
        json_decref((json_t *)wishes[i].parameters);
    free(wishes);
    return rows;
}

struct generation *workshop_submit(struct workshop *w, const char *prompt, int seed, int count)
{
    return submit_all(w, prompt, seed, count, NULL, NULL);
}

const char *workshop_run(struct workshop *w, const char *prompt, int seed, int count)
{
    char *experiment = arena_alloc(&w->a, UUID_TEXT), *run = arena_alloc(&w->a, UUID_TEXT);
    int64_t now = clock_unix_ms();
    struct run out;
    struct tx *tx;

    uuid_v7(experiment);
    uuid_v7(run);
    check(tx_begin(w->db, TX_WRITE, &tx, &e));
    check(experiments_insert(tx,
                             &(struct experiment){.id = experiment,
                                                  .name = "a test",
                                                  .type = "parameter_sweep",
                                                  .config = "{}",
                                                  .created_at = now,
                                                  .updated_at = now,
                                                  .version = 1},
                             &e));
    check(runs_insert(tx,
                      &(struct run){.id = run,
                                    .experiment_id = experiment,
                                    .status = EXPERIMENT_PAUSED,
                                    .spec = "{}",
                                    .plan = "{}",
                                    .total = count,
                                    .created_at = now},
                      &e));
    check(tx_commit(tx, &e));
    submit_all(w, prompt, seed, count, run, experiment);
    check(tx_begin(w->db, TX_WRITE, &tx, &e));
    check(runs_set_status(tx, run, EXPERIMENT_RUNNING, now, &e));
    check(runs_recount(tx, run, now, &w->a, &out, &e));
    check(tx_commit(tx, &e));
    publish_run(&w->submitter, run);
    return run;
}

/* ==== looking ==== */

int64_t workshop_sql(struct workshop *w, const char *sql)
{
    struct arena a = {0};
    struct db_rows rows;
    struct tx *tx;

    check(tx_begin(w->db, TX_READ, &tx, &e));
    check(tx_query(tx, sql, DB_NONE, &a, &rows, &e));
    tx_rollback(tx);
    int64_t value = rows.count ? db_i64(&rows, 0, 0) : -1;
    arena_release(&a);
    return value;
}

int64_t workshop_count(struct workshop *w, enum generation_status status)
{
    struct arena a = {0};
    int64_t n =
        workshop_sql(w, arena_printf(&a, "SELECT count(*) FROM generations WHERE status = '%s'",
                                     generation_status_name(status)));

    arena_release(&a);
    return n;
}

void workshop_wait(struct workshop *w)
{
    while (
        workshop_sql(w, "SELECT count(*) FROM generations WHERE status IN ('queued', 'running')"))
        usleep(5000);
}

struct generation workshop_get(struct workshop *w, const char *id)
{
    struct generation g;
    struct tx *tx;

    check(tx_begin(w->db, TX_READ, &tx, &e));
    check(generations_get(tx, id, &w->a, &g, &e));
    tx_rollback(tx);
    return g;
}

struct run workshop_get_run(struct workshop *w, const char *id)
{
    struct run r;
    struct tx *tx;

    check(tx_begin(w->db, TX_READ, &tx, &e));
    check(runs_get(tx, id, &w->a, &r, &e));
    tx_rollback(tx);
    return r;
}

json_t *workshop_told(struct workshop *w, const char *name)
{
    json_t *data = NULL;

    for (;;) {
        pthread_mutex_lock(&w->lock);
        const struct told *t = w->told;
        while (t && !str_starts(str_from(t->name), name))
            t = t->next;
        if (t)
            check(json_read(str_from(t->data), &data, &e));
        pthread_mutex_unlock(&w->lock);
        if (data)
            return data;
        usleep(5000);
    }
}

int workshop_told_count(struct workshop *w, const char *name, const char *room)
{
    int n = 0;

    pthread_mutex_lock(&w->lock);
    for (const struct told *t = w->told; t; t = t->next)
        n += str_starts(str_from(t->name), name) && (!room || strstr(t->room, room));
    pthread_mutex_unlock(&w->lock);
    return n;
}
