/*
 * workshop.h: everything that jobs need, over a database, a queue and a fake provider, for tests.
 *
 *   struct workshop shop;
 *   workshop_open(&shop, false);               a fresh SQLite file and memory; or, with true, what
 *   workshop_start(&shop);                     the environment names: a schema of its own in
 *                                              CAULDRON_TEST_POSTGRES, names of its own in
 *                                              CAULDRON_TEST_REDIS
 *   workshop_submit(&shop, "cat", 1, 20);      20 pictures, seeds 1 to 20
 *   workshop_wait(&shop);                      until nothing is queued or running
 *   workshop_close(&shop);
 *
 * What fails, fails the cmocka test.
 */
#ifndef TESTS_JOBS_WORKSHOP_H
#define TESTS_JOBS_WORKSHOP_H

#include "fake_provider.h"
#include "jobs/worker.h"
#include "storage/experiments.h"

struct workshop {
    char folder[64];
    bool servers;
    char schema[32]; /* of PostgreSQL, "" otherwise */
    const char *queue_url;
    struct db *db;
    struct blobs *blobs;
    struct fake fake;
    struct provider *providers[2];
    struct submitter submitter;
    struct worker_options options; /* quick ones */
    struct worker *worker;
    struct arena a;
    /* what the bus said */
    pthread_mutex_t lock;
    struct told {
        struct told *next;
        char room[128], name[80];
        char *data;
        size_t attached;
    } *told;
};

void workshop_open(struct workshop *w, bool servers);
/* Whether the environment names any. */
bool workshop_servers(void);
void workshop_start(struct workshop *w);
void workshop_stop(struct workshop *w, double seconds);
void workshop_close(struct workshop *w);

/* `count` pictures of the prompt, with seeds from `seed` on; of nobody, outside of runs. */
struct generation *workshop_submit(struct workshop *w, const char *prompt, int seed, int count);
/* A run with as many cells; the experiment is the user's. */
const char *workshop_run(struct workshop *w, const char *prompt, int seed, int count);
/* Until no generation waits. */
void workshop_wait(struct workshop *w);
int64_t workshop_count(struct workshop *w, enum generation_status status);
struct generation workshop_get(struct workshop *w, const char *id);
struct run workshop_get_run(struct workshop *w, const char *id);
/* Until an event with that name (or the beginning of it) was told, the newest of them: its data,
 * parsed; the caller releases it. */
json_t *workshop_told(struct workshop *w, const char *name);
int workshop_told_count(struct workshop *w, const char *name, const char *room);
/* One value of SQL. */
int64_t workshop_sql(struct workshop *w, const char *sql);

#endif
