/*
 * platform.h: the rooms of the platform opened and wired together, for the commands that need them:
 * serve, worker, experiment, user, gc.
 *
 *   struct mine { struct platform_options platform; ... };
 *   static const struct opt table[] = { ..., PLATFORM_STORE(struct mine, platform),
 *                                       PLATFORM_DRAW(struct mine, platform), {0}};
 *   struct platform p;
 *   if (platform_open(&options, PLATFORM_DRAWING, &p, &e)) ...
 *   platform_close(&p);
 *
 * One binary, two shapes: with the defaults, SQLite, a queue in memory and files under ./data; with
 * DATABASE_URL, REDIS_URL and BLOB_URL, a member of a fleet. Threads: open and close from one.
 */
#ifndef CLI_PLATFORM_H
#define CLI_PLATFORM_H

#include "cli/notify.h"
#include "cli/options.h"
#include "cli/outside.h"
#include "jobs/submit.h"
#include "jobs/worker.h"
#include "ops/metrics.h"
#include "ops/sentry.h"
#include "tasks/runner.h"

struct platform_options {
    const char *data, *database, *redis, *blobs;
    int db_connections;
    int log_level, log_format;
    const char *sentry, *environment;
    int dtype;
    int threads, slots, max_rows, max_attempts;
    double memory_gb, lease_seconds, job_days;
    bool low_memory;
    const char *vapid_key, *push_contact;
    int push_private;
    const char *allow_hosts;
    double blob_cache_gb;
    int run_tasks, task_threads, callbacks_private;
    const char *describer, *describer_model;
};

extern const char *const log_levels[], *const log_formats[], *const dtypes[], *const off_on[];

/* Rows of an option table: T is the command's struct, f its struct platform_options. Where the
 * database is alone: T has the fields `database` and `data`. */
// clang-format off
#define PLATFORM_DATABASE(T)                                                                      \
    {.name = "database", .type = OPT_STRING, OPT_INTO(T, database), .value = "URL",               \
     .environment = "DATABASE_URL",                                                               \
     .help = "sqlite:FILE or postgresql://...; else DATA/cauldron.db"},                           \
    {.name = "data", .type = OPT_STRING, OPT_INTO(T, data), .value = "DIR", .initial = "data",    \
     .help = "where the database lies, unless --database says otherwise"}

#define PLATFORM_STORE(T, f)                                                                      \
    {.heading = "Storage"},                                                                       \
    {.name = "data", .type = OPT_STRING, OPT_INTO(T, f.data), .value = "DIR",                     \
     .initial = "data",                                                                           \
     .help = "where database and pictures lie, unless the next options differ"},                  \
    {.name = "database", .type = OPT_STRING, OPT_INTO(T, f.database), .value = "URL",             \
     .environment = "DATABASE_URL",                                                               \
     .help = "sqlite:FILE or postgresql://...; else DATA/cauldron.db"},                           \
    {.name = "db-connections", .type = OPT_INT, OPT_INTO(T, f.db_connections), .value = "N",      \
     .min = 2, .max = 1000, .initial = "16",                                                      \
     .help = "connections to the database at most"},                                              \
    {.name = "blobs", .type = OPT_STRING, OPT_INTO(T, f.blobs), .value = "URL",                   \
     .environment = "BLOB_URL",                                                                   \
     .help = "file:DIR, gs://BUCKET/PREFIX or s3://BUCKET/PREFIX for the pictures; else "          \
             "DATA/blobs"},                                                                       \
    {.name = "blob-cache-gb", .type = OPT_F64, OPT_INTO(T, f.blob_cache_gb), .value = "F",        \
     .min = 0, .max = 1e6, .initial = "4",                                                        \
     .help = "pictures of a bucket that DATA/blob-cache keeps; 0: none"},                         \
    {.name = "log-level", .type = OPT_CHOICE, OPT_INTO(T, f.log_level), .choices = log_levels,    \
     .initial = "info",                                                                           \
     .help = "what is written to stderr"},                                                        \
    {.name = "log-format", .type = OPT_CHOICE, OPT_INTO(T, f.log_format),                         \
     .choices = log_formats, .initial = "auto",                                                   \
     .help = "auto: text on a terminal, else JSON"}

#define PLATFORM_OUTSIDE(T, f)                                                                    \
    {.name = "allow-hosts", .type = OPT_STRING, OPT_INTO(T, f.allow_hosts), .value = "LIST",      \
     .help = "hosts that may be connected to: names, *.suffix, addresses, networks, with commas; " \
             "else any"}

#define PLATFORM_TASKS(T, f)                                                                      \
    {.heading = "Tasks"},                                                                         \
    PLATFORM_OUTSIDE(T, f),                                                                       \
    {.name = "tasks", .type = OPT_CHOICE, OPT_INTO(T, f.run_tasks), .choices = off_on,            \
     .initial = "on",                                                                             \
     .help = "read datasets, put pictures into object storage and call back in this process, too"},\
    {.name = "task-threads", .type = OPT_INT, OPT_INTO(T, f.task_threads), .value = "N",          \
     .min = 1, .max = 256, .initial = "4",                                                        \
     .help = "objects on their way into storage at once"},                                        \
    {.name = "callbacks-private", .type = OPT_CHOICE, OPT_INTO(T, f.callbacks_private),           \
     .choices = off_on, .initial = "off",                                                         \
     .help = "let documents ask for callbacks to private networks"},                              \
    {.name = "describer", .type = OPT_STRING, OPT_INTO(T, f.describer), .value = "URL",           \
     .initial = "measured:",                                                                      \
     .help = "who describes pictures: measured:, or openai:URL of a vision model "                \
             "(CAULDRON_SECRET_DESCRIBER: its key)"},                                             \
    {.name = "describer-model", .type = OPT_STRING, OPT_INTO(T, f.describer_model),               \
     .value = "NAME",                                                                              \
     .help = "else the first that it lists, asked when this starts"}

#define PLATFORM_DRAW(T, f)                                                                       \
    {.heading = "Jobs"},                                                                          \
    {.name = "redis", .type = OPT_STRING, OPT_INTO(T, f.redis), .value = "URL",                   \
     .environment = "REDIS_URL", .initial = "memory:",                                            \
     .help = "redis://HOST:PORT/DB; memory: is a queue in this process"},                         \
    {.name = "max-attempts", .type = OPT_INT, OPT_INTO(T, f.max_attempts), .value = "N",          \
     .min = 1, .max = 100, .initial = "5",                                                        \
     .help = "for errors that may pass"},                                                         \
    {.name = "lease-seconds", .type = OPT_F64, OPT_INTO(T, f.lease_seconds), .value = "F",        \
     .min = 1, .max = 3600, .initial = "30",                                                      \
     .help = "after which what a dead worker held is drawn by another"},                          \
    {.name = "job-days", .type = OPT_F64, OPT_INTO(T, f.job_days), .value = "F",                  \
     .min = 0, .max = 36500, .initial = "7",                                                      \
     .help = "after which jobs that ended leave the queue's history; dead ones stay"},            \
    {.heading = "Drawing"},                                                                       \
    {.name = "dtype", .type = OPT_CHOICE, OPT_INTO(T, f.dtype), .choices = dtypes,                \
     .initial = "auto",                                                                           \
     .help = "of products; auto and f32 are equal to the reference"},                             \
    {.name = "threads", .type = OPT_INT, OPT_INTO(T, f.threads), .value = "N", .min = 0,          \
     .max = 1024, .initial = "0",                                                                 \
     .help = "of a slot; 0: the cores divided by the slots"},                                     \
    {.name = "slots", .type = OPT_INT, OPT_INTO(T, f.slots), .value = "N", .min = 1, .max = 64,   \
     .initial = "1",                                                                              \
     .help = "batches drawn at once"},                                                            \
    {.name = "max-rows", .type = OPT_INT, OPT_INTO(T, f.max_rows), .value = "N", .min = 0,        \
     .max = 32, .initial = "0",                                                                   \
     .help = "pictures (guided ones count twice) in a pass; 0: the engine's choice"},             \
    {.name = "memory-gb", .type = OPT_F64, OPT_INTO(T, f.memory_gb), .value = "F", .min = 0,      \
     .max = 1e6, .initial = "0",                                                                  \
     .help = "for models kept open; 0: half of the memory"},                                      \
    {.name = "low-memory", .type = OPT_FLAG, OPT_INTO(T, f.low_memory),                           \
     .help = "let the weights of a finished part of the network go"}

#define PLATFORM_REPORT(T, f)                                                                     \
    {.name = "sentry", .type = OPT_STRING, OPT_INTO(T, f.sentry), .value = "DSN",                 \
     .environment = "SENTRY_DSN",                                                                 \
     .help = "where crashes and internal errors are reported"},                                   \
    {.name = "environment", .type = OPT_STRING, OPT_INTO(T, f.environment), .value = "NAME",      \
     .initial = "production",                                                                     \
     .help = "that reports name"}

#define PLATFORM_PUSH(T, f)                                                                       \
    {.heading = "Messages to browsers"},                                                          \
    {.name = "vapid-key", .type = OPT_STRING, OPT_INTO(T, f.vapid_key), .value = "KEY",           \
     .help = "private key that signs them, 32 bytes in base64url; else one is made and kept in "  \
             "the database"},                                                                     \
    {.name = "push-contact", .type = OPT_STRING, OPT_INTO(T, f.push_contact), .value = "URL",     \
     .help = "mailto: or https: of who runs this server, which push services are told"},          \
    {.name = "push-private", .type = OPT_CHOICE, OPT_INTO(T, f.push_private),                     \
     .choices = off_on, .initial = "off",                                                         \
     .help = "send also to addresses of private networks, and http to loopback"}
// clang-format on

struct platform {
    struct arena arena;
    const char *data;
    struct db *db;
    struct blobs *blobs;
    struct queue *queue;
    struct bus *bus;
    struct provider *provider, *providers[2];
    struct submitter submitter;
    struct metrics *metrics;
    struct sentry *sentry;
    struct notifier *notifier; /* of platform_notify */
    struct outside outside;
    struct tasks tasks; /* of platform_tasks */
    struct describer *describer;
    bool datasets;                   /* datasets_init was called */
    struct task_runner *task_runner; /* of platform_run_tasks */
};

enum platform_parts {
    PLATFORM_STORAGE, /* database (brought to the newest schema) and blobs */
    PLATFORM_DRAWING, /* also queue, bus, provider, submitter, metrics, reports */
};
WARN_UNUSED_RESULT int platform_open(const struct platform_options *o, enum platform_parts parts,
                                     struct platform *out, struct err *e);
void platform_close(struct platform *p);
/* Tell owners when their experiments end, until platform_close. */
WARN_UNUSED_RESULT int platform_notify(struct platform *p, const struct platform_options *o,
                                       struct err *e);

/* Fill p->tasks: what the doors of tasks/control.h take. Of a platform for drawing. */
WARN_UNUSED_RESULT int platform_tasks(struct platform *p, const struct platform_options *o,
                                      struct err *e);
/* Run tasks in this process, `only` one (an id) or all (NULL), until platform_stop_tasks; nothing
 * when the options say so. */
WARN_UNUSED_RESULT int platform_run_tasks(struct platform *p, const struct platform_options *o,
                                          const char *only, struct err *e);
void platform_stop_tasks(struct platform *p);

/* The database that `database` names (NULL: DATA/cauldron.db), its schema as it is. */
WARN_UNUSED_RESULT int platform_database(const char *database, const char *data,
                                         const struct db_options *o, struct db **out,
                                         struct err *e);
/* The whole of a command that runs until it is told to end: options into `want`, of which `options`
 * is a part; the platform opened; `body`; everything closed. The exit status. */
int platform_main(const struct opt_spec *spec, int argc, char **argv, void *want,
                  const struct platform_options *options,
                  int (*body)(const void *want, struct platform *p, struct err *e));

/* A worker of this platform, counted in its metrics. */
struct worker_options platform_worker(struct platform *p, const struct platform_options *o);

/* Block SIGINT, SIGTERM and SIGHUP in this thread and those it starts; then wait for one. */
void signals_block(void);
int signals_wait(void);

#endif
