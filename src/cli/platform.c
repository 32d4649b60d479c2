#include "cli/platform.h"

#include "api/generation_json.h"
#include "base/file.h"
#include "base/log.h"
#include "cauldron.h"
#include "cli/commands.h"
#include "cli/find_model.h"
#include "storage/migrate.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const log_levels[] = {"debug", "info", "warning", "error", "off", NULL};
const char *const log_formats[] = {"auto", "text", "json", NULL};
const char *const dtypes[] = {"auto", "f32", "bf16", NULL};
const char *const off_on[] = {"off", "on", NULL};

static void open_log(const struct platform_options *o)
{
    log_open(&(struct log_options){.level = (enum log_level)o->log_level,
                                   .json = o->log_format == 2 ||
                                           (o->log_format == 0 && !isatty(STDERR_FILENO)),
                                   .file = stderr});
}

int platform_database(const char *database, const char *data, const struct db_options *o,
                      struct db **out, struct err *e)
{
    struct arena a = {0};
    int rc = database ? 0 : file_make_dirs(data, e);

    if (rc == 0)
        rc = db_open(database ? database : arena_printf(&a, "sqlite:%s/cauldron.db", data), o, out,
                     e);
    arena_release(&a);
    return rc;
}

static int open_storage(const struct platform_options *o, struct platform *p, struct err *e)
{
    struct db_options db = {.connections = o->db_connections};
    const char *blobs = o->blobs ? o->blobs : arena_printf(&p->arena, "file:%s/blobs", p->data);

    if (!o->blobs && file_make_dirs(p->data, e))
        return e->code;
    if (platform_database(o->database, p->data, &db, &p->db, e) ||
        migrate_up(p->db, MIGRATE_NEWEST, e))
        return err_prefix(e, "database");
    const struct blobs_options options = {
        .net = p->outside.net,
        .settings = &p->outside.settings,
        .cache = arena_printf(&p->arena, "%s/blob-cache", p->data),
        .cache_bytes = o->blob_cache_gb > 0 ? (int64_t)(o->blob_cache_gb * 1e9) : -1};
    return blobs_open(blobs, &options, &p->blobs, e) ? err_prefix(e, "blobs") : 0;
}

static int open_provider(const struct platform_options *o, struct platform *p, struct err *e)
{
    struct model_paths places = model_places(&p->arena);
    const char **folders = arena_alloc(&p->arena, sizeof *folders * ((size_t)places.count + 1));

    for (int i = 0; i < places.count; i++)
        folders[i] = places.folders[i];
    struct provider_options options = {.model_folders = folders,
                                       .hub_cache = places.hub,
                                       .data_folder = p->data,
                                       .dtype = dtypes[o->dtype],
                                       .isa = getenv("CAULDRON_ISA"),
                                       .threads = o->threads,
                                       .slots = o->slots,
                                       .memory_budget = (int64_t)(o->memory_gb * 1e9),
                                       .max_rows = o->max_rows,
                                       .low_memory = o->low_memory};
    if (provider_open("native", &options, &p->provider, e))
        return e->code;
    p->providers[0] = p->provider;
    return 0;
}

static int open_drawing(const struct platform_options *o, struct platform *p, struct err *e)
{
    char host[65] = "";
    const char *crashes = arena_printf(&p->arena, "%s/crashes", p->data);

    gethostname(host, sizeof host - 1);
    p->metrics = metrics_new();
    if (crash_catch(crashes, "cauldron@" CAULDRON_VERSION, e) ||
        sentry_open(&(struct sentry_options){.dsn = o->sentry,
                                             .release = "cauldron@" CAULDRON_VERSION,
                                             .environment = o->environment,
                                             .server_name = host,
                                             .crash_folder = crashes,
                                             .egress = p->outside.egress},
                    &p->sentry, e))
        return e->code;
    if (queue_open(o->redis, &p->queue, e) || bus_open(o->redis, &p->bus, e) ||
        open_provider(o, p, e))
        return e->code;
    p->submitter = (struct submitter){.db = p->db,
                                      .blobs = p->blobs,
                                      .queue = p->queue,
                                      .bus = p->bus,
                                      .providers = p->providers,
                                      .max_attempts = o->max_attempts,
                                      .describe = generation_describe};
    return submitter_open(&p->submitter, e);
}

int platform_open(const struct platform_options *o, enum platform_parts parts, struct platform *out,
                  struct err *e)
{
    memset(out, 0, sizeof *out); /* submitters stay where they are opened */
    out->data = o->data;
    open_log(o);
    if (outside_open(o->allow_hosts, &out->outside, e) || open_storage(o, out, e) ||
        (parts == PLATFORM_DRAWING && open_drawing(o, out, e))) {
        platform_close(out);
        return e->code;
    }
    return 0;
}

int platform_notify(struct platform *p, const struct platform_options *o, struct err *e)
{
    struct notifier_options options = {.db = p->db,
                                       .bus = p->bus,
                                       .key = o->vapid_key,
                                       .contact = o->push_contact,
                                       .allow_private = o->push_private != 0,
                                       .egress = p->outside.egress};

    return notifier_start(&options, &p->notifier, e);
}

int platform_tasks(struct platform *p, const struct platform_options *o, struct err *e)
{
    char host[65] = "";
    struct describer_options options = {.net = p->outside.net,
                                        .api_key = outside_secret(&p->outside, "describer"),
                                        .model = o->describer_model};

    gethostname(host, sizeof host - 1);
    if (!p->datasets)
        datasets_init();
    p->datasets = true;
    if (!p->describer && describer_open(o->describer, &options, &p->describer, e))
        return err_prefix(e, "--describer");
    p->tasks = (struct tasks){.submitter = &p->submitter,
                              .net = p->outside.net,
                              .settings = p->outside.settings,
                              .connection = outside_connection,
                              .secret = outside_secret,
                              .outside = &p->outside,
                              .data = p->data,
                              .host = arena_strdup(&p->arena, host),
                              .describer = p->describer,
                              .metrics = p->metrics,
                              .allow_private_callbacks = o->callbacks_private != 0};
    return 0;
}

int platform_run_tasks(struct platform *p, const struct platform_options *o, const char *only,
                       struct err *e)
{
    struct task_runner_options options = {.tasks = &p->tasks,
                                          .only = only,
                                          .deliver = o->task_threads,
                                          .lease_seconds = 2 * o->lease_seconds};

    if (!o->run_tasks)
        return 0;
    return task_runner_start(&options, &p->task_runner, e);
}

void platform_stop_tasks(struct platform *p)
{
    task_runner_stop(p->task_runner);
    p->task_runner = NULL;
}

void platform_close(struct platform *p)
{
    platform_stop_tasks(p);
    notifier_stop(p->notifier);
    if (p->submitter.hub)
        submitter_close(&p->submitter);
    if (p->provider)
        provider_close(p->provider);
    if (p->bus)
        bus_close(p->bus);
    if (p->queue)
        queue_close(p->queue);
    if (p->blobs)
        blobs_close(p->blobs);
    if (p->db)
        db_close(p->db);
    describer_close(p->describer);
    if (p->datasets)
        datasets_end();
    outside_close(&p->outside);
    sentry_close(p->sentry, 2);
    metrics_free(p->metrics);
    arena_release(&p->arena);
}

int platform_main(const struct opt_spec *spec, int argc, char **argv, void *want,
                  const struct platform_options *options,
                  int (*body)(const void *want, struct platform *p, struct err *e))
{
    struct options parsed;
    struct platform platform;
    struct err e;
    int status = options_parse(spec, argc, argv, want, &parsed);

    if (status >= 0)
        return status;
    signals_block();
    status = EXIT_DONE;
    if (platform_open(options, PLATFORM_DRAWING, &platform, &e)) {
        status = fail(EXIT_FAILED, &e);
    } else {
        if (body(want, &platform, &e))
            status = fail(EXIT_FAILED, &e);
        platform_close(&platform);
    }
    options_release(&parsed);
    return status;
}

/* ============================== Metrics of drawing ============================== */

static void count_picture(void *user, const struct draw_result *r, const struct job_row *job)
{
    struct metrics *m = user;
    char labels[METRIC_LABELS];

    metrics_labels(labels, "model", job->model, "result", r->code ? "failed" : "drawn", NULL);
    metrics_add(m, METRIC_PICTURES, labels, 1);
    if (r->code == 0)
        metrics_observe(m, METRIC_PICTURE_SECONDS, "", r->seconds);
}

static void count_phase(void *user, const char *phase, double seconds)
{
    char labels[METRIC_LABELS];

    metrics_labels(labels, "phase", phase, NULL);
    metrics_observe(user, METRIC_PHASE_SECONDS, labels, seconds);
}

struct worker_options platform_worker(struct platform *p, const struct platform_options *o)
{
    struct worker_options w = worker_options();

    w.submitter = &p->submitter;
    w.provider = p->provider;
    w.draw = true;
    w.lease_seconds = o->lease_seconds;
    w.job_days = o->job_days;
    w.heartbeat_seconds = o->lease_seconds / 6; /* five may be lost */
    w.finished = count_picture;
    w.phase = count_phase;
    w.user = p->metrics;
    return w;
}

/* ============================== Signals ============================== */

static sigset_t ends(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

void signals_block(void)
{
    sigset_t set = ends();

    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int signals_wait(void)
{
    sigset_t set = ends();
    int number = 0;

    while (sigwait(&set, &number) != 0)
        ;
    return number;
}
