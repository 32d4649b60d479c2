#include "api/api_routes.h"
#include "api/app.h"
#include "base/clock.h"
#include "base/log.h"
#include "cauldron.h"
#include "cli/commands.h"
#include "cli/platform.h"

#include <string.h>

struct want {
    struct platform_options platform;
    const char *name, *device, *metrics_address;
    double stop_seconds;
    int metrics_port;
};

static const struct opt table[] = {
    {.name = "name",
     .type = OPT_STRING,
     OPT_INTO(struct want, name),
     .value = "TEXT",
     .help = "how it is called in lists; else the host, the process and random digits"},
    {.name = "device",
     .type = OPT_STRING,
     OPT_INTO(struct want, device),
     .value = "NAME",
     .initial = "auto",
     .help = "auto or cpu"},
    {.name = "stop-seconds",
     .type = OPT_F64,
     OPT_INTO(struct want, stop_seconds),
     .value = "F",
     .min = 0,
     .max = 3600,
     .initial = "30",
     .help = "that nearly finished pictures get when the program is asked to end"},
    {.name = "metrics-port",
     .type = OPT_INT,
     OPT_INTO(struct want, metrics_port),
     .value = "N",
     .min = 0,
     .max = 65535,
     .initial = "0",
     .help = "where /metrics, /healthz and /readyz are served, and nothing else; 0: nowhere"},
    {.name = "metrics-address",
     .type = OPT_STRING,
     OPT_INTO(struct want, metrics_address),
     .value = "IP",
     .initial = "127.0.0.1",
     .help = "to listen on for these; they tell numbers, and ask nobody who he is"},
    PLATFORM_STORE(struct want, platform),
    PLATFORM_DRAW(struct want, platform),
    PLATFORM_TASKS(struct want, platform),
    PLATFORM_PUSH(struct want, platform),
    {.heading = "Reports"},
    PLATFORM_REPORT(struct want, platform),
    {0},
};

static const struct opt_spec spec = {
    .command = "worker",
    .usage = "[options]",
    .summary = "Draw what servers accept: one process per device, any number of them, sharing "
               "DATABASE_URL, REDIS_URL and BLOB_URL. Every option can be set in the environment, "
               "too: the variable is named in brackets.",
    .table = table,
    .environment = true,
};

/* The operations of the contract that watchers of a worker need; none knows users. */
static size_t pages_for_watchers(struct route out[3])
{
    static const char *const wanted[] = {"healthz", "readyz", "metrics"};
    size_t n = 0;

    for (size_t i = 0; i < api_route_count; i++)
        for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
            if (n < 3 && strcmp(api_routes[i].operation, wanted[k]) == 0)
                out[n++] = api_routes[i];
    return n;
}

static int serve_watchers(const struct want *want, struct platform *p, struct worker *worker,
                          struct http_server **out, struct err *e)
{
    struct http_options o = http_options();
    struct app *app = ARENA_NEW(&p->arena, struct app);
    struct route *routes = arena_alloc(&p->arena, 3 * sizeof *routes);

    *app = (struct app){.db = p->db,
                        .blobs = p->blobs,
                        .queue = p->queue,
                        .bus = p->bus,
                        .submitter = &p->submitter,
                        .provider = p->provider,
                        .worker = worker,
                        .metrics = p->metrics,
                        .sentry = p->sentry,
                        .push = notifier_push(p->notifier),
                        .version = CAULDRON_VERSION,
                        .started_at = clock_unix_ms()};
    o.address = want->metrics_address;
    o.port = want->metrics_port;
    o.workers = o.event_threads = 1;
    o.max_connections = o.max_connections_per_address = 16;
    o.routes = routes;
    o.route_count = pages_for_watchers(routes);
    o.context = app;
    return http_start(&o, out, e);
}

static int work(const void *asked, struct platform *p, struct err *e)
{
    const struct want *want = asked;
    struct worker_options o = platform_worker(p, &want->platform);
    struct http_server *http = NULL;
    struct worker *worker;
    int rc;

    bus_without_events(p->bus);
    o.device = want->device;
    o.name = want->name;
    if (platform_notify(p, &want->platform, e) || platform_tasks(p, &want->platform, e) ||
        worker_start(&o, &worker, e))
        return e->code;
    rc = platform_run_tasks(p, &want->platform, NULL, e);
    if (!rc && want->metrics_port)
        rc = serve_watchers(want, p, worker, &http, e);
    if (!rc) {
        LOG(LOG_INFO, "working", LOG_TEXT("device", want->device));
        int number = signals_wait();
        LOG(LOG_INFO, "stopping", LOG_TEXT("signal", strsignal(number)));
    }
    if (http) /* its pages ask the worker */
        http_stop(http, 1);
    platform_stop_tasks(p);
    worker_stop(worker, want->stop_seconds);
    return rc;
}

static int run(int argc, char **argv)
{
    struct want want = {0};

    return platform_main(&spec, argc, argv, &want, &want.platform, work);
}

const struct command command_worker = {
    .name = "worker",
    .summary = "a process that draws what servers accept",
    .run = run,
};
